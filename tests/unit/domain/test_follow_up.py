"""The planner over the sample chain: what is due, when, and that nothing is due twice."""

from collections import Counter
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain import events as happened
from shared.domain.actions import Action, act
from shared.domain.follow_up import needs_rep, plan
from shared.domain.lead import Change, Lead, apply
from shared.domain.roster import Roster
from tests.unit.domain.samples import (
    ALWAYS,
    ANNA,
    MARIA,
    RECEIVED,
    SAMPLE_CHAIN,
    a_lead,
    a_rep,
    a_roster,
    at,
    resubmitted,
)


def advance(lead: Lead, now: datetime, roster: Roster | None = None) -> tuple[Lead, list[str]]:
    """One advance: the lead after it, and what happened, in short words."""
    change = plan(lead, SAMPLE_CHAIN, ALWAYS, roster or a_roster(), now)
    if change is None:
        return lead, []
    return apply(lead, change, now), [short(event) for event in change.events]


def short(event: happened.LeadEvent) -> str:
    match event:
        case happened.AlertRequested(kind=kind, rep_id=rep_id, via=via):
            return f"{kind} {rep_id} {via}"
        case happened.LeadAssigned(rep_id=rep_id):
            return f"assign {rep_id}"
        case happened.LeadReassigned(to_rep_id=rep_id):
            return f"reassign {rep_id}"
        case happened.LeadEscalated(to=to, ends_chain=ends_chain):
            return "end" if ends_chain else f"escalate {to}"
        case _:
            return event.type


def settle_alerts(lead: Lead, now: datetime) -> Lead:
    sent = tuple(
        happened.AlertSent(alert_id=alert_id, rep_id=alert.rep_id, via=alert.via, message_id="m")
        for alert_id, alert in lead.open_alerts.items()
    )
    return apply(lead, Change(sent), now)


def rep_does(lead: Lead, name: str, now: datetime, rep_id: str = "anna") -> Lead:
    action = Action.model_validate({"name": name, "action_id": f"{name}{now}"})
    change = act(lead, action, rep_id, now)
    assert change is not None
    return apply(lead, change, now)


def test_the_sample_chain_while_nobody_reacts() -> None:
    lead = a_lead()
    told = {}
    for _ in range(40):
        now = lead.due_at
        if now is None:
            break
        lead, happenings = advance(lead, now)
        told[(now - RECEIVED).total_seconds()] = happenings
        lead = settle_alerts(lead, now)

    first_round = {
        0: ["assign anna", "new anna sms", "new anna email"],
        120: ["repeat anna email", "escalate backup", "backup boris sms"],
        180: ["reminder anna sms"],
        300: [
            "ResponseBreached",
            "escalate manager",
            "breach maria sms",
            "breach maria email",
            "reassign boris",
            "new boris sms",
            "new boris email",
        ],
        600: ["escalate team", "offer anna sms", "offer boris sms", "offer clara sms"],
    }
    assert {second: told[second] for second in first_round} == first_round
    assert told[2700] == ["end"]
    assert max(told) == 2700
    assert lead.status == "open"
    assert lead.follow_up.wake_at is None


def test_the_first_plan_sets_the_first_wake_up_and_run() -> None:
    lead, _ = advance(a_lead(), at(0))

    assert lead.follow_up.wake_at == at(120)
    assert lead.follow_up.run == 1
    assert lead.due_at == at(30), "an unconfirmed alert is looked after before the next step"


def test_a_call_stops_the_chain() -> None:
    lead, _ = advance(a_lead(), at(0))
    lead = rep_does(lead, "no_answer", at(30))

    assert lead.open_alerts == {}
    assert lead.due_at is None
    for second in (60, 120, 300, 600, 5000):
        lead, happenings = advance(lead, at(second))
        assert happenings == []


def test_an_acknowledgement_stops_paging_and_not_the_clock() -> None:
    lead, _ = advance(a_lead(), at(0))
    lead = settle_alerts(lead, at(1))
    lead = rep_does(lead, "acknowledge", at(20))

    lead, at_two_minutes = advance(lead, at(120))
    assert at_two_minutes == []
    lead, at_three_minutes = advance(lead, at(180))
    assert at_three_minutes == ["reminder anna sms"]
    lead, at_five_minutes = advance(lead, at(300))
    assert at_five_minutes[0] == "ResponseBreached"
    assert "reminder anna sms" in at_five_minutes
    assert not any(event.startswith("reassign") for event in at_five_minutes)


def test_an_empty_team_is_told_to_the_manager_once() -> None:
    nobody = a_roster(a_rep("anna", on_duty=False), MARIA)

    lead, first = advance(a_lead(), at(0), nobody)
    lead, second = advance(lead, at(120), nobody)

    assert first == ["AssignmentFailed", "unassigned maria sms", "unassigned maria email"]
    assert second == []
    assert lead.rep_id is None


def test_somebody_who_comes_on_duty_gets_the_waiting_lead() -> None:
    lead, _ = advance(a_lead(), at(0), a_roster(MARIA))

    lead, happenings = advance(lead, at(120), a_roster(ANNA, MARIA))

    assert happenings == ["assign anna", "new anna sms", "new anna email"]


def test_a_person_without_a_phone_is_told_by_e_mail_only() -> None:
    _, happenings = advance(a_lead(), at(0), a_roster(a_rep("anna", phone=None), MARIA))

    assert happenings == ["assign anna", "new anna email"]


def test_after_an_outage_each_person_is_told_once_per_channel() -> None:
    lead, happenings = advance(a_lead(), at(700))

    alerts = [event.split()[1:] for event in happenings if event.endswith(("sms", "email"))]
    assert len(alerts) == len({tuple(alert) for alert in alerts})
    assert "ResponseBreached" in happenings
    assert lead.follow_up.wake_at == at(900)


def test_a_non_target_lead_rings_nobody() -> None:
    lead, happenings = advance(a_lead(verdict="non_target"), at(0))

    assert happenings == []
    assert lead.due_at is None
    assert not needs_rep(lead, SAMPLE_CHAIN)


def test_the_owner_hears_of_a_further_submission_even_after_the_call() -> None:
    lead, _ = advance(a_lead(), at(0))
    lead = rep_does(lead, "talked", at(30))
    again = resubmitted()
    lead = apply(lead, Change((again,)), at(600))
    assert lead.due_at == at(600), "found by the sweeper though its event was never published"

    lead, happenings = advance(lead, at(601))
    assert happenings == ["again anna sms", "again anna email"]
    assert set(lead.open_alerts) == {"again2-anna-sms", "again2-anna-email"}
    assert advance(lead, at(602)) == (lead, [])


def test_a_hundred_further_submissions_are_one_message() -> None:
    lead, _ = advance(a_lead(), at(0))
    told = []
    for number in range(100):
        lead = apply(lead, Change((resubmitted(),)), at(10 + number / 10))
        lead, happenings = advance(lead, at(10 + number / 10))
        told += happenings

    assert told == ["again anna sms", "again anna email"]
    lead = settle_alerts(lead, at(30))
    assert lead.due_at == at(120), "the next step, before the rest is told of"
    lead = rep_does(lead, "no_answer", at(60))
    assert lead.due_at == at(610)
    lead, happenings = advance(lead, at(610))
    assert happenings == ["again anna sms", "again anna email"]
    assert settle_alerts(lead, at(611)).due_at is None


def test_a_lead_that_nobody_had_gets_an_owner_when_the_person_writes_again() -> None:
    nobody = a_roster(MARIA)
    lead = a_lead()
    while lead.due_at is not None:
        now = lead.due_at
        lead, _ = advance(lead, now, nobody)
        lead = settle_alerts(lead, now)
    lead = apply(lead, Change((resubmitted(5000),)), at(5000))

    still, happenings = advance(lead, at(5001), nobody)
    assert happenings == []
    assert still.due_at == at(5000), "it stays due until somebody is there"
    lead, happenings = advance(still, at(5060))
    assert happenings == ["assign anna", "again anna sms", "again anna email"]


def test_an_execution_that_overslept_is_given_up_for_a_new_run() -> None:
    lead, _ = advance(a_lead(), at(0))

    change = plan(lead, SAMPLE_CHAIN, ALWAYS, a_roster(), at(200), new_run=True)

    assert change is not None
    assert change.follow_up is not None
    assert change.follow_up.run == 2


def test_a_better_submission_makes_an_unfollowed_lead_one_with_a_clock_of_its_own() -> None:
    lead, _ = advance(a_lead(verdict="non_target"), at(0))
    worse = apply(lead, Change((resubmitted(verdict="non_target"),)), at(500))
    assert (worse.verdict, worse.respond_by) == ("non_target", at(300))

    lead = apply(lead, Change((resubmitted(),)), at(600))

    assert (lead.verdict, lead.respond_by, lead.due_at) == ("qualified", at(900), at(600))
    lead, happenings = advance(lead, at(600))
    assert happenings == ["assign anna", "new anna sms", "new anna email"]
    assert lead.follow_up.wake_at == at(720)


def test_a_better_submission_of_a_lead_that_is_followed_up_moves_no_deadline() -> None:
    lead, _ = advance(a_lead(verdict="raw"), at(0))
    lead = apply(lead, Change((resubmitted(60),)), at(60))

    assert (lead.verdict, lead.respond_by) == ("qualified", at(300))
    assert lead.follow_up.wake_at == at(120)


def test_an_earlier_wake_up_is_a_new_run() -> None:
    lead, _ = advance(a_lead(), at(0))
    later = lead.model_copy(
        update={"follow_up": lead.follow_up.model_copy(update={"wake_at": at(170)})}
    )

    change = plan(later, SAMPLE_CHAIN, ALWAYS, a_roster(), at(1))

    assert change is not None
    assert change.follow_up is not None
    assert change.follow_up.wake_at == at(120)
    assert change.follow_up.run == 2


@given(
    moments=st.lists(st.integers(0, 4000), min_size=1, max_size=30),
    acknowledged_at=st.none() | st.integers(0, 4000),
    attempted_at=st.none() | st.integers(0, 4000),
    turn=st.integers(0, 10),
)
def test_whenever_it_is_woken_each_step_is_done_once_in_time_and_never_after_a_call(
    moments: list[int], acknowledged_at: int | None, attempted_at: int | None, turn: int
) -> None:
    lead = a_lead()
    done: Counter[str] = Counter()
    deeds = [(second, "wake") for second in moments]
    deeds += [(acknowledged_at, "acknowledge")] if acknowledged_at is not None else []
    deeds += [(attempted_at, "no_answer")] if attempted_at is not None else []
    for second, deed in sorted(deeds):
        if deed == "acknowledge" and lead.first_attempt_at is not None:
            continue
        if deed != "wake":
            lead = rep_does(lead, deed, at(second))
            continue
        change = plan(lead, SAMPLE_CHAIN, ALWAYS, a_roster(turn=turn), at(second))
        if change is None:
            continue
        if lead.first_attempt_at is not None:
            assert change.events == ()
        for event in change.events:
            if isinstance(event, happened.AlertRequested):
                done[event.alert_id] += 1
                step = next(s for s in SAMPLE_CHAIN.steps if s.step == event.step)
                round_start = (event.round - 1) * SAMPLE_CHAIN.round_seconds
                assert second >= round_start + step.after_seconds
            elif isinstance(event, happened.ResponseBreached):
                done["breach"] += 1
        lead = apply(lead, change, at(second))
        if lead.awaits_attempt:
            ended = lead.follow_up.round > SAMPLE_CHAIN.rounds
            assert ended or (lead.due_at is not None), "never silent"
            assert ended or (lead.follow_up.wake_at or RECEIVED) > at(second)
    assert all(count == 1 for count in done.values())


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ([{"step": "b", "after_seconds": 60}, {"step": "a", "after_seconds": 0}], "order"),
        ([{"step": "a", "after_seconds": 0}, {"step": "a", "after_seconds": 0}], "same name"),
        ([{"step": "a", "after_seconds": 901}], "before the round ends"),
    ],
)
def test_a_chain_that_makes_no_sense_is_refused(steps: list[object], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        SAMPLE_CHAIN.model_validate({"steps": steps})
