"""The five clocks: what starts and stops them, and what they show in both times."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain import events as happened
from shared.domain.actions import Action, act
from shared.domain.calendar import Calendar
from shared.domain.chain import Chain
from shared.domain.clocks import Terms
from shared.domain.events import ClockName, Reading
from shared.domain.lead import Change, FollowUp, Lead
from shared.domain.policy import Policy
from shared.domain.projection import apply
from shared.domain.routing import EVERYBODY
from shared.errors import IllegalActionError, PolicyError
from tests.unit.domain.following import planned
from tests.unit.domain.samples import (
    ALWAYS,
    IDLE,
    SAMPLE_CHAIN,
    TERMS,
    a_lead,
    at,
    resubmitted,
)
from tests.unit.samples import a_form

OFFICE = Calendar.model_validate(
    {
        "zone": "UTC",
        "week": {
            day: ["09:00-13:00", "14:00-18:00"] for day in ("mon", "tue", "wed", "thu", "fri")
        },
    }
)
OFFICE_TERMS = Terms(SAMPLE_CHAIN, OFFICE, "office", EVERYBODY.rules, 1)
FRIDAY = datetime(2026, 11, 20, tzinfo=UTC)
MONDAY = FRIDAY + timedelta(days=3)


def clock(day: datetime, time: str) -> datetime:
    hours, minutes = time.split(":")
    return day + timedelta(hours=int(hours), minutes=int(minutes))


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


LATE_ON_FRIDAY = a_lead(
    received_at=clock(FRIDAY, "17:50"),
    clock_started_at=clock(FRIDAY, "17:50"),
    respond_by=clock(FRIDAY, "17:55"),
    rep_id="anna",
    assigned_at=clock(FRIDAY, "17:51"),
)
OWNED = a_lead(rep_id="anna", assigned_at=at(10))


def do(
    lead: Lead,
    name: str,
    moment: datetime | float,
    rep_id: str = "anna",
    terms: Terms = TERMS,
    **details: Any,
) -> Lead:
    """The lead after what a person did at a moment, or so many seconds after it came."""
    moment = moment if isinstance(moment, datetime) else at(moment)
    action = Action.model_validate({"name": name, "action_id": f"{name}{moment}", **details})
    change = act(lead, action, rep_id, moment, terms)
    return apply(lead, change, moment) if change else lead


def taken_from_anna(lead: Lead, second: float) -> Lead:
    event = happened.LeadReassigned(from_rep_id="anna", to_rep_id="boris", reason="no_reaction")
    return apply(lead, Change((event,)), at(second))


def running(lead: Lead, second: float, terms: Terms = TERMS) -> set[str]:
    return {reading.clock for reading in terms.read(lead, at(second)) if reading.stopped_at is None}


# --- both times --------------------------------------------------------------------------------


def test_each_clock_shows_wall_time_and_the_open_part_of_it() -> None:
    lead = LATE_ON_FRIDAY
    for name, moment in (
        ("acknowledge", clock(FRIDAY, "17:52")),
        ("voicemail", clock(MONDAY, "09:10")),
        ("talked", clock(MONDAY, "10:00")),
        ("win", clock(MONDAY, "15:00")),
    ):
        lead = do(lead, name, moment, terms=OFFICE_TERMS, amount="1")

    weekend = timedelta(days=2, hours=15)
    shown = {
        name: (
            reading.due_at,
            timedelta(seconds=float(reading.wall_seconds)),
            timedelta(seconds=float(reading.business_seconds)),
            timedelta(seconds=float(reading.late_by)),
        )
        for name, reading in lead.readings.items()
    }
    assert shown == {
        "acknowledge": (clock(FRIDAY, "17:52"), minutes(2), minutes(2), minutes(0)),
        "response": (
            clock(FRIDAY, "17:55"),
            weekend + minutes(20),
            minutes(20),
            weekend + minutes(15),
        ),
        "owner": (
            clock(FRIDAY, "17:56"),
            weekend + minutes(19),
            minutes(19),
            weekend + minutes(14),
        ),
        "contact": (clock(MONDAY, "09:50"), weekend + minutes(70), minutes(70), minutes(10)),
        # Over lunch, too: six hours past nine are five that were open.
        "qualify": (clock(MONDAY, "17:50"), weekend + minutes(370), minutes(310), minutes(0)),
    }
    assert {reading.calendar for reading in lead.readings.values()} == {"office"}


def test_a_running_clock_is_read_as_of_now() -> None:
    lead = do(LATE_ON_FRIDAY, "acknowledge", clock(FRIDAY, "17:53"), terms=OFFICE_TERMS)

    at_night = OFFICE_TERMS.read(lead, clock(FRIDAY, "23:50"))

    assert [(r.clock, r.state, int(r.wall_seconds), int(r.business_seconds)) for r in at_night] == [
        ("response", "late", 21600, 600),
        ("acknowledge", "late", 180, 180),
        ("contact", "open", 21600, 600),
        ("qualify", "open", 21600, 600),
        ("owner", "late", 21540, 540),
    ]


@pytest.mark.parametrize(
    ("second", "state"), [(299.999, "met"), (300, "met"), (300.001, "late"), (301, "late")]
)
def test_a_clock_is_met_until_its_last_moment(second: float, state: str) -> None:
    assert do(OWNED, "no_answer", second).readings["response"].state == state


def test_what_is_shown_is_to_the_millisecond_and_open_time_is_never_longer() -> None:
    reading = TERMS.read(OWNED, at(12) + timedelta(microseconds=345_999))[0]

    assert (reading.wall_seconds, reading.business_seconds) == (Decimal("12.345"),) * 2


def test_hours_that_never_come_again_make_nothing_late_and_refuse_no_call() -> None:
    fair = Calendar.model_validate({"zone": "UTC", "exceptions": {FRIDAY.date(): ["09:00-09:06"]}})
    terms = Terms(SAMPLE_CHAIN, fair, "fair", EVERYBODY.rules, 1)

    lead = do(OWNED, "talked", 3600, terms=terms)
    lead = do(lead, "reject", 90_000, terms=terms, reason="data.spam")

    assert lead.readings["response"].state == "late"
    assert lead.readings["response"].business_seconds == 360
    assert lead.readings["qualify"].due_at is None
    assert lead.readings["qualify"].state == "met"


# --- what stops which --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "details", "stopped"),
    [
        ("acknowledge", {}, {"acknowledge"}),
        ("no_answer", {}, {"response", "acknowledge", "owner"}),
        ("voicemail", {}, {"response", "acknowledge", "owner"}),
        ("talked", {}, {"response", "acknowledge", "owner", "contact"}),
        ("win", {"amount": "1"}, {"response", "acknowledge", "owner", "contact", "qualify"}),
        (
            "lose",
            {"reason": "deal.price"},
            {"response", "acknowledge", "owner", "contact", "qualify"},
        ),
        # No call: nobody was answered.
        ("reject", {"reason": "data.spam"}, {"qualify"}),
    ],
)
def test_a_clock_stops_for_what_a_person_did(
    name: str, details: dict[str, Any], stopped: set[str]
) -> None:
    lead = do(OWNED, name, 60, **details)

    assert set(lead.readings) == stopped
    assert {reading.stopped_at for reading in lead.readings.values()} == {at(60)}


def test_no_message_and_no_step_of_the_chain_stops_a_clock() -> None:
    lead = a_lead()
    while (now := lead.due_at) is not None:
        change = planned(lead, now)
        assert change is not None
        lead = apply(lead, change, now)
        sent = tuple(
            happened.AlertSent(alert_id=key, rep_id=alert.rep_id, via=alert.via, message_id="m")
            for key, alert in lead.open_alerts.items()
        )
        lead = apply(lead, Change(sent), now)

    assert lead.readings == {}
    assert running(lead, 9000) == {"response", "acknowledge", "contact", "qualify", "owner"}


def test_an_acknowledgement_never_stops_the_response_clock() -> None:
    lead = do(OWNED, "acknowledge", 20)

    assert running(lead, 30) == {"response", "contact", "qualify", "owner"}
    assert do(lead, "no_answer", 400).readings["response"].wall_seconds == 400


def test_a_closed_lead_has_no_clock_that_runs() -> None:
    lead = do(do(OWNED, "acknowledge", 20), "reject", 60, reason="data.spam")

    assert [reading.clock for reading in TERMS.read(lead, at(9000))] == ["acknowledge", "qualify"]
    assert running(lead, 9000) == set()


def test_each_event_carries_the_clocks_that_it_stopped() -> None:
    change = act(OWNED, Action(name="talked", action_id="a"), "anna", at(60), TERMS)

    assert change is not None
    assert {
        event.type: [reading.clock for reading in event.clocks or ()] for event in change.events
    } == {"LeadAttempted": ["response", "acknowledge", "owner"], "LeadContacted": ["contact"]}


# --- the owner's clock -------------------------------------------------------------------------


def test_a_new_owner_gets_a_clock_of_their_own_and_the_leads_clocks_stay() -> None:
    lead = taken_from_anna(OWNED, 300)
    before = {r.clock: r for r in TERMS.read(lead, at(320))}
    assert (before["owner"].started_at, before["owner"].state) == (at(300), "open")
    assert (before["response"].started_at, before["response"].state) == (at(0), "late")

    lead = do(lead, "no_answer", 420, "boris")

    owner, response = lead.readings["owner"], lead.readings["response"]
    assert (int(owner.wall_seconds), owner.state) == (120, "met")
    assert (int(response.wall_seconds), response.state) == (420, "late")


@pytest.mark.parametrize("lead", [OWNED, do(OWNED, "no_answer", 60), a_lead()])
def test_who_takes_over_by_calling_starts_and_stops_their_clock_in_one_moment(lead: Lead) -> None:
    lead = do(lead, "no_answer", 500, "boris")

    assert (lead.readings["owner"].started_at, lead.readings["owner"].stopped_at) == (
        at(500),
        at(500),
    )
    assert "owner" not in running(lead, 9000)


def test_an_owner_of_before_there_was_a_reason_to_call_is_measured_from_the_reason() -> None:
    idle = a_lead(
        verdict="non_target",
        rep_id="anna",
        assigned_at=at(5),
        follow_up=IDLE,
    )
    lead = apply(idle, Change((resubmitted(600),)), at(600))

    assert {reading.started_at for reading in TERMS.read(lead, at(601))} == {at(600)}


# --- whose clocks run --------------------------------------------------------------------------


def test_a_lead_that_policy_does_not_follow_up_has_no_clocks() -> None:
    lead = a_lead(verdict="non_target", rep_id="anna", follow_up=IDLE)

    assert TERMS.read(lead, at(60)) == ()
    called = do(do(lead, "acknowledge", 60), "talked", 70)
    assert (called.readings, TERMS.read(called, at(80))) == ({}, ())
    better = apply(called, Change((resubmitted(600),)), at(600))
    assert TERMS.read(better, at(700)) == (), "somebody has talked to them already"


def test_a_call_before_the_first_step_leaves_the_other_clocks_running() -> None:
    chain = Chain.model_validate({"steps": [{"step": "later", "after_seconds": 600}]})
    terms = Terms(chain, ALWAYS, "always", EVERYBODY.rules, 1)
    change = planned(OWNED, at(0), terms=terms)
    assert change is not None

    lead = do(apply(OWNED, change, at(0)), "no_answer", 60, terms=terms)

    assert running(lead, 70, terms) == {"contact", "qualify"}


def test_a_lead_that_was_called_before_clocks_were_kept_shows_none() -> None:
    lead = OWNED.model_copy(
        update={
            "first_attempt_at": at(60),
            "attempts": 1,
            "follow_up": FollowUp(planned=True, step=1),
        }
    )

    assert TERMS.read(lead, at(9000)) == ()
    assert do(lead, "talked", 9000).readings == {}


# --- what stays --------------------------------------------------------------------------------


def test_a_breach_that_was_recorded_is_not_taken_back_by_a_watch_that_is_behind() -> None:
    breached = apply(OWNED, Change((happened.ResponseBreached(step="breach"),)), at(300))

    assert do(breached, "no_answer", 299.9).readings["response"].state == "late"


def test_what_a_clock_showed_first_stays_whatever_comes_later() -> None:
    late = do(OWNED, "no_answer", 400)
    in_time = do(OWNED, "no_answer", 60).readings["response"]
    again = happened.LeadAttempted(rep_id="anna", result="talked", clocks=(in_time,))

    assert apply(late, Change((again,)), at(500)).readings == late.readings


Deed = Literal["plan", "acknowledge", "no_answer", "voicemail", "talked", "reassign"]


def after(lead: Lead, deed: Deed, rep_id: str, moment: datetime) -> Lead:
    """The lead after a deed; as it was where that is not possible."""
    if deed == "plan":
        change = planned(lead, moment, terms=OFFICE_TERMS)
        return apply(lead, change, moment) if change else lead
    if deed == "reassign":
        moved = happened.LeadReassigned(
            from_rep_id=lead.rep_id or "", to_rep_id=rep_id, reason="no_reaction"
        )
        return apply(lead, Change((moved,)), moment) if lead.rep_id else lead
    try:
        return do(lead, deed, moment, rep_id, OFFICE_TERMS)
    except IllegalActionError:
        return lead


def lasting(lead: Lead, former: Lead) -> Mapping[ClockName, Reading]:
    """What a lead may never show otherwise: all but the clock of an owner who has lost it."""
    readings = former.readings
    is_new = (lead.rep_id, lead.assigned_at) != (former.rep_id, former.assigned_at)
    return {name: r for name, r in readings.items() if not (is_new and name == "owner")}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(get_args(Deed)),
            st.sampled_from(["anna", "boris"]),
            st.integers(1, 30_000_000),
        ),
        max_size=12,
    )
)
def test_whatever_is_logged_later_a_reading_stays_and_open_time_is_part_of_wall_time(
    deeds: list[tuple[Deed, str, int]],
) -> None:
    lead, moment = a_lead(), at(0)
    for deed, rep_id, waited in deeds:
        moment += timedelta(milliseconds=waited)
        former, lead = lead, after(lead, deed, rep_id, moment)
        kept = lasting(lead, former)
        assert kept.items() <= lead.readings.items()
        shown = OFFICE_TERMS.read(lead, moment)
        assert set(lead.readings.values()) <= set(shown)
        for reading in shown:
            assert 0 <= reading.business_seconds <= reading.wall_seconds
            assert reading.started_at <= moment
    stopped = {"response", "acknowledge"} if lead.attempts else set[str]()
    assert stopped <= lead.readings.keys()
    if lead.attempts:
        assert lead.readings["response"].stopped_at == lead.first_attempt_at
        assert (lead.readings["response"].state == "late") == bool(lead.late_seconds)


# --- terms -------------------------------------------------------------------------------------


def test_terms_are_those_of_one_version() -> None:
    form = a_form(chain="brisk", calendar="office")
    documents = {"form/demo-en": form, "chain/brisk": SAMPLE_CHAIN, "calendar/office": OFFICE}
    policy = Policy(7, documents.get)

    assert Terms.of(policy, a_lead()) == Terms(SAMPLE_CHAIN, OFFICE, "office", EVERYBODY.rules, 7)
    with pytest.raises(PolicyError, match="ghost"):
        Terms.of(policy, a_lead(form_id="ghost"))
