"""How much comes from where, as far as one container can tell."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain import bursts
from shared.domain.bursts import Bursts, network_of
from shared.domain.form import Limits
from shared.errors import TooManyRequestsError
from tests.unit.samples import a_form

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SOFT, HARD = 3, 5
FORM = a_form(limits=Limits(soft=SOFT, hard=HARD))


def take(counted: Bursts, seconds: float = 0, ip: str = "203.0.113.10") -> str:
    try:
        return counted.signal(FORM, ip, NOW + timedelta(seconds=seconds)) or "taken"
    except TooManyRequestsError:
        return "refused"


def test_a_burst_is_doubted_and_then_refused() -> None:
    counted = Bursts()
    answers = [take(counted) for _ in range(7)]
    assert answers == ["taken"] * SOFT + ["burst"] * (HARD - SOFT) + ["refused"] * 2


def test_a_minute_later_all_is_forgotten() -> None:
    counted = Bursts()
    for _ in range(9):
        take(counted)
    assert take(counted, 60) == "taken"


def test_another_network_and_another_form_are_others() -> None:
    counted = Bursts()
    for _ in range(9):
        take(counted)
    assert take(counted, ip="203.0.114.10") == "taken"
    assert counted.signal(a_form(form_id="other"), "203.0.113.10", NOW) is None


@given(st.lists(st.floats(0, 30), min_size=1, max_size=60))
def test_no_minute_takes_more_than_the_hard_limit_and_what_flows_off(gaps: list[float]) -> None:
    counted, now, taken = Bursts(), 0.0, []
    for gap in gaps:
        now += gap
        if take(counted, now) != "refused":
            taken.append(now)
    for moment in taken:
        within = [other for other in taken if moment <= other < moment + 60]
        assert len(within) <= 2 * HARD


@given(st.lists(st.floats(60 / SOFT, 600), max_size=40))
def test_who_keeps_below_the_soft_limit_is_never_doubted(gaps: list[float]) -> None:
    counted, now = Bursts(), 0.0
    for gap in gaps:
        now += gap
        assert take(counted, now) == "taken"


def test_clocks_may_go_back() -> None:
    counted = Bursts()
    take(counted, 60)
    assert take(counted, 0) == "taken"


def test_few_networks_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bursts, "MOST_NETWORKS", 2)
    counted = Bursts()
    for _ in range(9):
        take(counted)
    for number in range(3):
        take(counted, ip=f"198.51.{number}.1")
    assert take(counted) == "taken", "the one that was silent longest is forgotten"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("203.0.113.1", "203.0.113.254"),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2"),
        ("::ffff:203.0.113.9", "203.0.113.1"),
        ("garbage", ""),
    ],
)
def test_a_network_is_what_one_person_sends_from(one: str, other: str) -> None:
    assert network_of(one) == network_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("203.0.113.1", "203.0.114.1"), ("2001:db8:0:1::1", "2001:db8:0:2::1"), ("1.2.3.4", "")],
)
def test_other_networks_are_others(one: str, other: str) -> None:
    assert network_of(one) != network_of(other)


@given(st.text(max_size=50))
def test_any_address_has_a_network(address: str) -> None:
    assert isinstance(network_of(address), str)
