"""Many leads at once: every one is alerted, and a phone does not ring for each."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.ringing import BURST, ONE_BY_ONE, Ring, Ringing, ring
from tests.unit.domain.samples import RECEIVED, at


def rings(*alerts: tuple[float, str]) -> list[Ring]:
    ringing, found = Ringing(), list[Ring]()
    for seconds, lead_id in alerts:
        rung = ring(ringing, lead_id, "new", at(seconds))
        ringing = rung.ringing
        found.append(rung.ring)
    return found


def test_from_the_fourth_lead_on_one_text_stands_for_all() -> None:
    assert rings(*((second, f"lead{second}") for second in range(6))) == [
        *["alone"] * 3,
        "together",
        *["covered"] * 2,
    ]


def test_slow_leads_ring_one_by_one() -> None:
    assert {*rings(*((50 * number, f"lead{number}") for number in range(20)))} == {"alone"}


def test_after_two_minutes_there_is_another_text() -> None:
    ringing = [(0, "a"), (0, "b"), (0, "c"), (1, "d"), (60, "e"), (120, "f"), (121, "g")]

    assert rings(*ringing) == ["alone"] * 3 + ["together", "covered", "covered", "alone"]


def test_an_alert_that_is_tried_again_rings_as_it_did() -> None:
    first = [(0, "a"), (0, "b"), (0, "c"), (1, "d"), (2, "e")]

    assert rings(*first, (40, "a"), (40, "d"), (40, "e")) == [
        *["alone"] * 3,
        "together",
        "covered",
        "alone",
        "together",
        "covered",
    ]


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 12)), max_size=60))
def test_at_most_three_leads_and_one_list_begin_to_ring_within_two_minutes(
    steps: list[tuple[int, int]],
) -> None:
    now, ringing = RECEIVED, Ringing()
    texts: list[tuple[Ring, datetime]] = []
    for seconds, number in steps:
        now += timedelta(seconds=seconds)
        rung = ring(ringing, f"lead{number}", "new", now)
        lately = [what for what, when in texts if when > now - BURST]
        if rung.ring == "covered":
            assert "together" in lately, "one text stands for it"
        elif rung.ringing != ringing:
            texts.append((rung.ring, now))
            assert len(lately) <= ONE_BY_ONE
            assert [*lately, rung.ring].count("together") <= 1
        ringing = rung.ringing
