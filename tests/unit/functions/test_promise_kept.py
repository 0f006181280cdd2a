"""Whether somebody called by the time that the visitor was told: counted once, in every order."""

from datetime import datetime
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from measure_events.service import measure
from shared.domain.actions import Action, act
from shared.domain.events import LeadEvent
from shared.domain.lead import Change, Lead
from shared.domain.projection import apply
from tests.unit.domain.following import planned
from tests.unit.domain.samples import (
    ANNA,
    MARIA,
    TERMS,
    a_lead,
    at,
    resubmitted,
)

PROMISED = at(300)
"""When the response clock of the sample lead runs out, too."""
Deed = Literal["plan", "call"]
Deeds = list[tuple[float, Deed]]
"""What happens, at seconds after the lead's clock started."""


def lived(lead: Lead, deeds: Deeds) -> tuple[Lead, list[LeadEvent]]:
    """The lead to which things happened, and what was recorded of them."""
    events: list[LeadEvent] = []
    for number, (second, deed) in enumerate(deeds):
        change = _change(lead, second, deed, number)
        if change is not None:
            lead = apply(lead, change, at(second))
            events += change.events
    return lead, events


def _change(lead: Lead, second: float, deed: Deed, number: int) -> Change | None:
    if deed == "plan":
        return planned(lead, at(second), (ANNA, MARIA))
    action = Action(name="no_answer", action_id=str(number))
    return act(lead, action, "anna", at(second), TERMS)


def counted(lead: Lead, deeds: Deeds) -> list[str]:
    """`PromiseKept` and `PromiseBroken`, as often as they are counted."""
    envelope = {"form_id": "demo-en", "channel": "Direct"}
    _, events = lived(lead, deeds)
    flats = (
        {**event.model_dump(mode="json", exclude_none=True), **envelope, "type": event.type}
        for event in events
    )
    measured = (one.metric.name for flat in flats for one in measure(flat, str))
    return [name for name in measured if name.startswith("Promise")]


KEPT, BROKEN = ["PromiseKept"], ["PromiseBroken"]


@pytest.mark.parametrize(
    ("deeds", "wanted"),
    [
        pytest.param([(0, "plan"), (60, "call")], KEPT, id="in time"),
        pytest.param([(300, "call")], KEPT, id="at the last moment"),
        pytest.param([(60, "call"), (400, "call"), (500, "plan")], KEPT, id="called twice"),
        pytest.param([(300, "plan"), (420, "call")], BROKEN, id="breach, then a call"),
        pytest.param([(300, "plan"), (900, "plan"), (1800, "plan")], BROKEN, id="never called"),
        pytest.param([(420, "call"), (500, "plan")], BROKEN, id="a late call that came first"),
        pytest.param([(0, "plan"), (200, "plan")], [], id="nobody knows yet"),
    ],
)
def test_a_promise_is_counted_once(deeds: Deeds, wanted: list[str]) -> None:
    assert counted(a_lead(rep_id="anna", promised_by=PROMISED), deeds) == wanted


@pytest.mark.parametrize("deeds", [[(60, "call")], [(300, "plan"), (420, "call")], [(420, "call")]])
def test_without_a_promise_none_is_counted(deeds: Deeds) -> None:
    assert counted(a_lead(rep_id="anna"), deeds) == []


@pytest.mark.parametrize(
    "deeds", [[(60, "call")], [(300, "plan"), (420, "call")], [(420, "call")], [(300, "plan")]]
)
def test_what_is_released_after_its_promise_breaks_it_though_its_clock_is_new(deeds: Deeds) -> None:
    lead = a_lead(rep_id="anna", received_at=at(-90_000), promised_by=at(-3600))

    assert counted(lead, deeds) == BROKEN


def test_what_is_released_before_its_promise_can_still_keep_it() -> None:
    lead = a_lead(rep_id="anna", received_at=at(-3600), promised_by=at(120))

    assert counted(lead, [(120, "call")]) == KEPT
    assert counted(lead, [(121, "call")]) == BROKEN


def again(lead: Lead, second: float, promised_by: datetime) -> Lead:
    """The lead whose visitor writes once more, and is told when to expect the call."""
    event = resubmitted(second, promised_by=promised_by)
    return apply(lead, Change((event,)), at(second))


@pytest.mark.parametrize(
    ("deeds", "wanted"),
    [
        ([(300, "plan"), (330, "call")], KEPT),
        ([(330, "call")], KEPT),
        ([(300, "plan"), (400, "call")], BROKEN),
        ([(400, "call")], BROKEN),
    ],
)
def test_who_writes_again_at_night_is_promised_a_call_on_the_same_lead(
    deeds: Deeds, wanted: list[str]
) -> None:
    # The lead came a minute before closing time: its own clock ends a minute before the promise.
    lead = again(a_lead(rep_id="anna"), 100, at(360))

    assert lead.promised_by == at(360)
    assert counted(lead, deeds) == wanted


def test_a_promise_made_after_the_breach_is_judged_by_the_first_call() -> None:
    late, _ = lived(a_lead(rep_id="anna"), [(300, "plan")])
    lead = again(late, 40_000, at(90_000))

    assert counted(lead, [(89_000, "call")]) == KEPT
    assert counted(lead, [(91_000, "plan"), (92_000, "call")]) == BROKEN


def test_what_joins_late_with_a_promise_from_before_the_breach_is_broken_by_the_first_call() -> (
    None
):
    # It had waited in quarantine, while the lead that it joins was promised nothing and breached.
    late, _ = lived(a_lead(rep_id="anna"), [(300, "plan")])
    lead = again(late, 400, at(200))

    assert counted(lead, [(500, "plan"), (600, "call")]) == BROKEN


def test_the_first_promise_stays_the_one_that_is_judged() -> None:
    lead = again(a_lead(rep_id="anna", promised_by=PROMISED), 100, at(90_000))

    assert lead.promised_by == PROMISED
    assert counted(lead, [(300, "plan"), (80_000, "call")]) == BROKEN


def test_a_lead_that_nobody_followed_up_starts_with_the_promise_of_the_one_worth_a_call() -> None:
    ignored, _ = lived(a_lead(verdict="non_target"), [(0, "plan")])
    lead = again(ignored, 600, at(900))

    assert lead.promised_by == lead.respond_by == at(900)
    assert counted(lead, [(901, "plan"), (902, "call")]) == BROKEN


@given(
    by=st.sampled_from([-600, 120, 300, 360]),
    deeds=st.lists(st.tuples(st.integers(0, 2000), st.sampled_from(["plan", "call"])), max_size=8),
)
def test_in_every_order_the_first_call_tells_and_without_one_the_breach(
    by: int, deeds: Deeds
) -> None:
    in_order = sorted(deeds)
    calls = [second for second, deed in in_order if deed == "call"]
    is_breached = any(second >= 300 for second, _ in in_order)
    if calls:
        wanted = KEPT if calls[0] <= by else BROKEN
    else:
        wanted = BROKEN if is_breached and by <= 300 else []

    assert counted(a_lead(rep_id="anna", promised_by=at(by)), in_order) == wanted
