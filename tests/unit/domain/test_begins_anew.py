"""Agreed times, other owners, leads that are opened again or put under newer policy: the planner
wakes them at the right time, once, and nothing of before comes back.
"""

from datetime import timedelta
from typing import Any

import pytest

from shared.domain import events as happened
from shared.domain.actions import Action, act, replan
from shared.domain.calendar import WEEKDAYS, Calendar
from shared.domain.chain import Chain
from shared.domain.clocks import Terms
from shared.domain.lead import Change, Lead
from shared.domain.projection import apply
from shared.domain.roster import Rep
from shared.errors import IllegalActionError
from tests.unit.domain.following import (
    a_terms,
    advance,
    planned,
    rep_does,
    run_through,
    settle_alerts,
)
from tests.unit.domain.samples import (
    ANNA,
    BORIS,
    MARIA,
    SAMPLE_CHAIN,
    TERMS,
    a_lead,
    a_rep,
    at,
    resubmitted,
)

NEW = ["new anna sms", "new anna email"]
CALLBACK = ["callback anna sms", "callback anna email"]


def followed() -> Lead:
    """A lead that Anna has been told of."""
    lead, _ = advance(a_lead(), at(0))
    return settle_alerts(lead, at(1))


# --- snooze --------------------------------------------------------------------------------------


def test_until_an_agreed_time_nobody_is_alerted_and_then_the_owner_is() -> None:
    lead = rep_does(followed(), "snooze", at(60), until=at(7200))

    assert lead.due_at == at(7200)
    lead, now = advance(lead, at(61))
    assert now == []
    assert lead.due_at == at(7200)
    assert advance(lead, at(7199)) == (lead, [])
    lead, then = advance(lead, at(7200))
    assert then == CALLBACK
    assert lead.follow_up.wake_at == at(7320), "the chain goes on from there"


def test_an_agreed_time_moves_the_deadline_of_a_first_call_that_is_not_late() -> None:
    lead = rep_does(followed(), "snooze", at(60), until=at(7200))

    assert lead.respond_by == at(7500)
    lead = rep_does(lead, "talked", at(7300))
    assert {*lead.readings} == {"response", "acknowledge", "contact", "owner"}
    assert {reading.state for reading in lead.readings.values()} == {"met"}
    assert lead.readings["response"].wall_seconds == 7300, "the customer's clock never restarts"


def test_what_is_late_stays_late_whatever_is_agreed_afterwards() -> None:
    lead, _ = advance(followed(), at(300))
    lead = rep_does(lead, "snooze", at(400), rep_id="boris", until=at(7200))

    assert lead.respond_by == at(300)
    lead = rep_does(lead, "talked", at(7200), rep_id="boris")
    assert lead.readings["response"].state == "late"
    assert lead.readings["response"].late_by == 6900


def test_pending_alerts_die_with_an_agreed_time() -> None:
    lead, _ = advance(a_lead(), at(0))
    assert lead.open_alerts

    assert rep_does(lead, "snooze", at(10), until=at(7200)).open_alerts == {}


def test_an_alert_that_arrives_after_a_time_was_agreed_is_no_page_for_it() -> None:
    lead, _ = advance(a_lead(), at(0))
    late = [*lead.open_alerts.items()]
    lead = rep_does(lead, "snooze", at(5), until=at(7200))

    sent = [
        happened.AlertSent(alert_id=key, rep_id=alert.rep_id, via=alert.via, message_id="m")
        for key, alert in late
    ]
    lead = apply(lead, Change(tuple(sent)), at(6))

    assert lead.follow_up.paged_at is None


def test_who_is_on_it_before_an_agreed_time_has_until_after_it_to_call() -> None:
    lead = rep_does(followed(), "snooze", at(60), until=at(7200))

    lead = rep_does(lead, "acknowledge", at(90))

    assert lead.acknowledged_until == at(7200 + 300)


def test_before_anybody_talked_a_call_can_be_put_off_once() -> None:
    lead = rep_does(followed(), "snooze", at(60), until=at(7200))

    with pytest.raises(IllegalActionError, match="snoozed_before"):
        rep_does(lead, "snooze", at(7100), until=at(9000))
    talked = rep_does(lead, "talked", at(7300))
    assert rep_does(talked, "snooze", at(7400), until=at(9000)).snoozed_until == at(9000)


@pytest.mark.parametrize("until", [None, at(60), at(0), at(60) + timedelta(days=91)])
def test_an_agreed_time_lies_ahead_and_not_for_ever(until: object) -> None:
    with pytest.raises(IllegalActionError, match="time_needed"):
        rep_does(followed(), "snooze", at(60), until=until)


def test_after_a_talk_an_agreed_time_brings_the_owner_back() -> None:
    lead = rep_does(followed(), "talked", at(60))
    assert lead.due_at is None

    lead = rep_does(lead, "snooze", at(61), until=at(86400))
    assert lead.due_at == at(86400)
    lead, then = advance(lead, at(86400))
    assert then == CALLBACK
    assert lead.breached_at is None
    told = run_through(settle_alerts(lead, at(86400)))
    happenings = [event for events in told.values() for event in events]
    assert not any(event.startswith("ResponseBreached") for event in happenings)


def test_a_talk_before_the_agreed_time_makes_it_needless() -> None:
    lead = rep_does(followed(), "snooze", at(60), until=at(7200))

    assert rep_does(lead, "no_answer", at(100)).due_at == at(7200), "they asked for that time"
    assert rep_does(lead, "talked", at(100)).due_at is None


def test_an_agreed_time_stands_outside_opening_hours_and_the_chain_waits_for_them() -> None:
    office = Calendar.model_validate(
        {"zone": "UTC", "week": {day: ["09:00-17:00"] for day in WEEKDAYS[:5]}}
    )
    terms = a_terms(calendar=office)
    friday = a_lead()
    lead, _ = advance(friday, at(0), terms=terms)
    sunday, monday = at(2 * 86400), at(3 * 86400)

    lead = rep_does(settle_alerts(lead, at(1)), "snooze", at(60), terms=terms, until=sunday)
    lead, _ = advance(lead, at(61), terms=terms)

    assert lead.follow_up.wake_at == sunday
    assert lead.respond_by == sunday + timedelta(seconds=300)
    lead, told = advance(lead, sunday, terms=terms)
    assert told == CALLBACK
    lead, told = advance(settle_alerts(lead, sunday), sunday + timedelta(seconds=300), terms=terms)
    assert told == ["ResponseBreached deadline"]
    assert lead.follow_up.wake_at == monday
    _, told = advance(lead, monday, terms=terms)
    assert told == CALLBACK, "who was told on Sunday has not called"


def test_a_time_after_the_last_day_of_a_fair_is_taken() -> None:
    fair = Calendar.model_validate({"zone": "UTC", "exceptions": {at(0).date(): ["09:00-18:00"]}})
    terms = a_terms(calendar=fair)

    lead = rep_does(followed(), "snooze", at(60), terms=terms, until=at(5 * 86400))

    assert (lead.snoozed_until, lead.respond_by) == (at(5 * 86400), at(5 * 86400 + 300))
    assert advance(lead, at(61), terms=terms)[0].follow_up.wake_at == at(5 * 86400)
    assert replan(lead, TERMS, a_terms(calendar=fair, version=2), at(70)) is not None


# --- hand over -----------------------------------------------------------------------------------


def test_who_is_handed_a_lead_is_told_at_once_and_once() -> None:
    lead = rep_does(followed(), "hand_over", at(30), to_rep_id="boris")
    assert lead.rep_id == "boris"
    assert lead.due_at == at(30), "found by the sweeper though its event was never published"

    lead, told = advance(lead, at(31))
    assert told == ["handed_over boris sms", "handed_over boris email"]
    lead = settle_alerts(lead, at(32))
    assert advance(lead, at(33)) == (lead, [])
    _, later = advance(lead, at(120))
    assert "repeat boris email" in later, "the chain goes on for the new owner"


def test_a_lead_that_was_called_is_handed_over_too() -> None:
    lead = rep_does(followed(), "talked", at(20))
    lead = rep_does(lead, "hand_over", at(30), to_rep_id="boris")

    lead, told = advance(lead, at(31))
    assert told == ["handed_over boris sms", "handed_over boris email"]
    assert settle_alerts(lead, at(32)).due_at is None


def test_after_the_chain_has_ended_it_begins_anew_for_the_new_owner() -> None:
    lead = followed()
    while (now := lead.due_at) is not None:
        lead, _ = advance(lead, now)
        lead = settle_alerts(lead, now)

    lead = rep_does(lead, "hand_over", at(9000), rep_id="maria", to_rep_id="clara")
    lead, told = advance(lead, at(9001))

    assert told == ["handed_over clara sms", "handed_over clara email"]
    assert lead.follow_up.wake_at == at(9120)


def test_a_hand_over_cancels_an_agreed_time() -> None:
    lead = rep_does(followed(), "snooze", at(60), until=at(7200))
    lead = rep_does(lead, "hand_over", at(100), to_rep_id="boris")

    assert lead.snoozed_until is None
    assert lead.due_at == at(100)
    lead, told = advance(lead, at(100))
    assert told == ["handed_over boris sms", "handed_over boris email"]
    assert lead.follow_up.wake_at == at(220)


@pytest.mark.parametrize("to_rep_id", [None, "anna"])
def test_a_hand_over_names_somebody_else(to_rep_id: str | None) -> None:
    with pytest.raises(IllegalActionError, match="person_needed"):
        rep_does(followed(), "hand_over", at(30), to_rep_id=to_rep_id)


def test_to_take_a_lead_is_to_have_it_without_being_told() -> None:
    lead = rep_does(followed(), "hand_over", at(30), rep_id="clara", to_rep_id="clara")

    assert (lead.rep_id, lead.follow_up.tell_owner) == ("clara", False)


def test_a_lead_that_nobody_has_can_be_handed_over() -> None:
    lead, _ = advance(a_lead(), at(0), (MARIA,))
    lead = rep_does(lead, "hand_over", at(30), rep_id="maria", to_rep_id="boris")

    lead, told = advance(lead, at(31), (BORIS, MARIA))
    assert told == ["handed_over boris sms", "handed_over boris email"]


# --- reopen --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("reject", {"reason": "reach.no_answer"}),
        ("lose", {"reason": "deal.price"}),
        ("win", {"amount": 100, "currency": "EUR"}),
    ],
)
def test_a_lead_that_is_opened_again_is_followed_up_anew(name: str, fields: dict[str, Any]) -> None:
    lead = rep_does(followed(), "no_answer", at(60))
    lead = rep_does(lead, name, at(120), **fields)
    assert lead.due_at is None

    lead = rep_does(lead, "reopen", at(5000), rep_id="maria")

    assert (lead.status, lead.outcome, lead.reason, lead.amount) == ("open", None, None, None)
    assert lead.rep_id == "anna"
    assert lead.due_at == at(5000)
    lead, told = advance(lead, at(5000))
    assert told == ["reopened anna sms", "reopened anna email"]
    assert lead.readings["response"].wall_seconds == 60, "that clock was stopped for good"
    lead = rep_does(settle_alerts(lead, at(5001)), "talked", at(5060))
    assert lead.due_at is None


def test_only_what_is_closed_can_be_opened_again() -> None:
    with pytest.raises(IllegalActionError, match="open"):
        rep_does(followed(), "reopen", at(60))
    closed = rep_does(followed(), "reject", at(60), reason="data.spam")
    with pytest.raises(IllegalActionError, match="closed"):
        rep_does(closed, "talked", at(61))


def test_a_lead_that_was_closed_without_a_call_is_late_when_it_is_opened_again() -> None:
    lead = rep_does(followed(), "reject", at(60), reason="data.spam")
    lead = rep_does(lead, "reopen", at(5000))

    lead, told = advance(lead, at(5000))
    assert "ResponseBreached deadline" in told


# --- alerts of a new cycle -----------------------------------------------------------------------


def test_no_alert_of_a_new_cycle_passes_for_one_of_before() -> None:
    def alerts_of(lead: Lead) -> tuple[Lead, list[str]]:
        asked = list[str]()
        while (now := lead.due_at) is not None:
            change = planned(lead, now)
            assert change is not None
            asked += [e.alert_id for e in change.events if isinstance(e, happened.AlertRequested)]
            lead = settle_alerts(apply(lead, change, now), now)
        return lead, asked

    lead, before = alerts_of(a_lead())
    lead, after = alerts_of(rep_does(lead, "snooze", at(5000), until=at(9000)))

    assert len(before) == len({*before}) > 20
    assert len(after) == len({*after}) > 20
    assert not {*before} & {*after}


# --- other policy --------------------------------------------------------------------------------


def with_version(number: int, **fields: object) -> Terms:
    chain = Chain.model_validate({**SAMPLE_CHAIN.model_dump(), **fields})
    return a_terms(chain, version=number)


def test_a_replanned_lead_goes_on_behind_the_last_step_that_was_done() -> None:
    lead, _ = advance(followed(), at(120))
    slower = Chain.model_validate(
        {
            "respond_within_seconds": 600,
            "steps": [
                {"step": "new", "after_seconds": 0},
                {"step": "early", "after_seconds": 60},
                {
                    "step": "late",
                    "after_seconds": 500,
                    "alert": [{"who": "owner", "kind": "reminder", "via": ["sms"]}],
                },
            ],
        }
    )
    terms = a_terms(slower, version=2)
    change = replan(lead, TERMS, terms, at(130))
    assert change is not None

    lead = apply(lead, change, at(130))
    assert (lead.policy_version, lead.respond_by) == (2, at(600))
    assert lead.due_at == at(130), "woken at once"
    lead = settle_alerts(lead, at(131))
    lead, told = advance(lead, at(131), terms=terms)
    assert told == []
    assert lead.follow_up.wake_at == at(500)
    _, told = advance(lead, at(500), terms=terms)
    assert told == ["reminder anna sms"]


def test_what_was_late_by_its_own_policy_stays_so_under_another() -> None:
    lead, _ = advance(followed(), at(300))
    change = replan(lead, TERMS, a_terms(version=2), at(400))

    assert change is not None
    lead = apply(lead, change, at(400))
    assert lead.respond_by == at(300)
    assert lead.breached_at == at(300)


@pytest.mark.parametrize("second", [0, 1, 119, 120, 180, 300, 600, 899, 900, 1500, 2699])
def test_the_same_chain_under_another_number_does_no_step_twice(second: int) -> None:
    lead, asked = a_lead(), list[str]()

    def wake(lead: Lead, now: float, terms: Terms) -> Lead:
        change = planned(lead, at(now), terms=terms)
        if change is None:
            return lead
        asked.extend(e.alert_id for e in change.events if isinstance(e, happened.AlertRequested))
        return settle_alerts(apply(lead, change, at(now)), at(now))

    for now in range(0, second + 1, 60):
        lead = wake(lead, now, TERMS)
    terms = a_terms(version=2)
    change = replan(lead, TERMS, terms, at(second))
    assert change is not None
    lead = apply(lead, change, at(second))
    for now in range(second, 3000, 60):
        lead = wake(lead, now, terms)

    undisturbed = [told for happened in run_through(a_lead()).values() for told in happened]
    assert len(asked) == len({*asked})
    assert len(asked) == len([told for told in undisturbed if told.endswith(("sms", "email"))])


def test_a_step_of_the_new_chain_is_another_one_whatever_its_name() -> None:
    lead, _ = advance(followed(), at(0))
    later = Chain.model_validate(
        {"steps": [{**SAMPLE_CHAIN.steps[0].model_dump(), "after_seconds": 9}]}
    )
    terms = a_terms(later, version=2)
    change = replan(lead, TERMS, terms, at(1))
    assert change is not None

    change = planned(apply(lead, change, at(1)), at(9), terms=terms)

    assert change is not None
    asked = {e.alert_id for e in change.events if isinstance(e, happened.AlertRequested)}
    assert asked
    assert not asked & {*lead.open_alerts}, "or it would pass for the one that was sent"


def test_a_lead_whose_chain_ended_goes_on_when_the_new_one_is_longer() -> None:
    lead = followed()
    while (now := lead.due_at) is not None:
        lead, _ = advance(lead, now)
        lead = settle_alerts(lead, now)
    same, longer = with_version(2), with_version(2, rounds=4)

    for terms, wakes_at in ((same, None), (longer, at(2820))):
        change = replan(lead, TERMS, terms, at(2800))
        assert change is not None
        after, told = advance(apply(lead, change, at(2800)), at(2801), terms=terms)
        assert told == []
        assert after.follow_up.wake_at == wakes_at


def test_a_shorter_chain_that_takes_over_comes_to_its_end() -> None:
    lead = followed()
    while (now := lead.due_at) is not None and now <= at(1000):
        lead = settle_alerts(advance(lead, now)[0], now)
    terms = with_version(2, rounds=1)
    change = replan(lead, TERMS, terms, at(1000))
    assert change is not None

    lead, told = advance(apply(lead, change, at(1000)), at(1001), terms=terms)

    assert told == ["end"]
    assert lead.follow_up.wake_at is None


def test_a_manager_is_told_though_the_new_chain_would_have_told_them_long_ago() -> None:
    alert = {"who": "manager", "kind": "breach", "via": ["sms"]}
    first = SAMPLE_CHAIN.steps[0].model_dump()
    slow = with_version(
        1,
        rounds=1,
        round_seconds=7200,
        steps=[first, {"step": "late", "after_seconds": 3600, "alert": [alert]}],
    )
    quick = with_version(
        2, rounds=1, steps=[first, {"step": "soon", "after_seconds": 300, "alert": [alert]}]
    )
    lead = settle_alerts(advance(a_lead(), at(0), terms=slow)[0], at(1))
    change = replan(lead, slow, quick, at(1100))
    assert change is not None

    _, told = advance(apply(lead, change, at(1100)), at(1101), terms=quick)

    assert told == ["escalate manager", "breach maria sms", "ResponseBreached deadline", "end"]


def test_a_lead_that_is_under_the_version_or_closed_is_left_alone() -> None:
    lead = followed()

    assert replan(lead, TERMS, TERMS, at(10)) is None
    closed = rep_does(lead, "reject", at(5), reason="data.spam")
    assert replan(closed, TERMS, a_terms(version=2), at(10)) is None


def test_a_lead_that_policy_left_alone_is_followed_up_once_the_new_one_wants_it() -> None:
    lead, _ = advance(a_lead(verdict="non_target"), at(0))
    terms = with_version(2, follow=("qualified", "raw", "non_target"))
    change = replan(lead, TERMS, terms, at(1000))
    assert change is not None

    lead, told = advance(apply(lead, change, at(1000)), at(1000), terms=terms)
    assert told == ["assign anna", "new anna sms", "new anna email"]
    assert (lead.clock_started_at, lead.respond_by) == (at(1000), at(1300))
    assert lead.follow_up.wake_at == at(1120)


# --- people who do not answer, and teams that are not there --------------------------------------


def missed(lead: Lead, now: float, people: tuple[Rep, ...]) -> str | None:
    change = planned(lead, at(now), people)
    assert change is not None
    return change.missed_by.rep_id if change.missed_by else None


def test_whoever_loses_a_lead_without_an_answer_has_missed_a_page() -> None:
    lead = followed()
    lead, _ = advance(lead, at(120))
    lead, _ = advance(lead, at(180))

    assert missed(lead, 300, (ANNA, BORIS, MARIA)) == "anna"
    answered = rep_does(lead, "acknowledge", at(290))
    assert missed(answered, 300, (ANNA, BORIS, MARIA)) is None


def test_an_alert_that_did_not_arrive_is_no_page_that_was_missed() -> None:
    lead, _ = advance(a_lead(), at(0))
    lead, _ = advance(lead, at(180))

    assert missed(lead, 300, (ANNA, BORIS, MARIA)) is None


def test_the_second_page_in_a_row_is_told_to_the_person_and_the_manager() -> None:
    once = a_rep("anna", missed_pages=1)
    lead = followed()
    lead, _ = advance(lead, at(180))

    _, told = advance(lead, at(300), (once, BORIS, MARIA))

    assert {
        "off_duty anna sms",
        "off_duty anna email",
        "off_duty maria sms",
        "off_duty maria email",
    } <= {*told}
    assert "breach maria sms" in told, "beside what is told about the lead"


def test_who_is_alone_misses_a_page_when_their_own_time_is_over() -> None:
    lead, _ = advance(a_lead(), at(0), (ANNA, MARIA))
    lead = settle_alerts(lead, at(1))
    for now in (120, 180):
        lead, _ = advance(lead, at(now), (ANNA, MARIA))

    change = planned(lead, at(300), (ANNA, MARIA))
    assert change is not None
    assert change.missed_by == ("anna", 0)
    assert not any(isinstance(event, happened.LeadReassigned) for event in change.events)
    lead = apply(lead, change, at(300))
    assert planned(lead, at(600), (ANNA, MARIA)) is not None
    assert missed(lead, 600, (ANNA, MARIA)) is None, "once for one page"


def test_who_has_just_got_a_lead_keeps_it() -> None:
    lead, _ = advance(followed(), at(180))
    lead = rep_does(lead, "hand_over", at(290), to_rep_id="boris")
    lead = settle_alerts(advance(lead, at(290))[0], at(292))

    change = planned(lead, at(300))
    assert change is not None
    assert not any(isinstance(event, happened.LeadReassigned) for event in change.events)
    assert change.missed_by is None


def test_who_was_alerted_and_is_busy_with_another_lead_has_answered() -> None:
    lead, _ = advance(followed(), at(180))
    busy = a_rep("anna", missed_pages=1, answered_at=at(280))

    change = planned(lead, at(300), (busy, BORIS, MARIA))

    assert change is not None
    assert change.missed_by is None
    assert any(isinstance(event, happened.LeadReassigned) for event in change.events)


def test_a_lead_of_somebody_who_has_left_is_given_to_somebody_else() -> None:
    gone = a_rep("anna", active=False)
    lead, told = advance(followed(), at(120), (gone, BORIS, MARIA))

    assert lead.rep_id == "boris"
    assert told[:3] == ["reassign boris", "reassigned boris sms", "reassigned boris email"]


def test_news_of_a_lead_whose_owner_has_left_reaches_a_colleague() -> None:
    lead = rep_does(followed(), "talked", at(60))
    lead = apply(lead, Change((resubmitted(),)), at(7200))
    gone = (a_rep("anna", active=False), BORIS, MARIA)

    lead, told = advance(lead, at(7200), gone)

    assert told == ["reassign boris", "again boris sms", "again boris email"]
    assert advance(lead, at(9000), gone)[1] == []


def test_nobody_is_looked_for_at_night_where_nobody_was_there_by_day() -> None:
    office = Calendar.model_validate(
        {"zone": "UTC", "week": {day: ["08:00-18:00"] for day in WEEKDAYS}}
    )
    terms = a_terms(calendar=office)
    full = a_rep("anna", absences=[{"since": at(-60), "until": at(15 * 3600)}])
    lead, told = advance(a_lead(), at(0), (full, MARIA), terms=terms)
    assert told[0] == "AssignmentFailed"
    for _ in range(20):
        lead = settle_alerts(lead, at(1))
        now = lead.follow_up.wake_at
        assert now is not None
        lead, told = advance(lead, now, (full, MARIA), terms=terms)
        if told and told[0] == "assign anna":
            break

    assert now == at(23 * 3600), "at eight in the morning, and not at midnight"


def test_news_at_night_waits_for_the_opening() -> None:
    office = Calendar.model_validate(
        {"zone": "UTC", "week": {day: ["08:00-18:00"] for day in WEEKDAYS}}
    )
    terms = a_terms(calendar=office)
    lead = rep_does(advance(a_lead(), at(0), terms=terms)[0], "talked", at(30), terms=terms)
    lead = apply(lead, Change((resubmitted(),)), at(14 * 3600))

    lead, told = advance(lead, at(14 * 3600), terms=terms)
    assert told == []
    assert lead.due_at == at(23 * 3600)
    assert not lead.was_missed(at(23 * 3600))
    _, told = advance(lead, at(23 * 3600), terms=terms)
    assert told == ["again anna sms", "again anna email"]


def test_a_lead_that_nobody_has_is_given_to_the_first_who_is_back() -> None:
    away = a_rep("anna", absences=[{"since": at(-60), "until": at(7200)}])
    told = run_through(a_lead(), (away, MARIA))

    assert told[at(0)] == ["AssignmentFailed", "unassigned maria sms", "unassigned maria email"]
    assert told[at(2700)] == ["end"]
    assert told[at(7200)] == ["assign anna", *NEW], "though the chain had ended"
    assert told[at(7320)] == ["repeat anna email"]


def test_actions_that_were_taken_are_not_taken_again() -> None:
    lead = followed()
    action = Action(name="snooze", action_id="x", until=at(7200))
    change = act(lead, action, "anna", at(10), TERMS)
    assert change is not None

    assert act(apply(lead, change, at(10)), action, "anna", at(11), TERMS) is None
    assert isinstance(change, Change)
