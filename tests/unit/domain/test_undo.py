"""Whatever a person did can be taken back within a minute, and then nothing of it is left."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from shared.domain import events as happened
from shared.domain.actions import Action, act, replan, undo
from shared.domain.chain import Audience, Chain, Step
from shared.domain.lead import Change, Lead
from shared.domain.projection import apply
from shared.errors import IllegalActionError
from tests.unit.domain.following import a_terms, advance, planned, rep_does, settle_alerts
from tests.unit.domain.samples import IDLE, TERMS, a_lead, a_rep, at, resubmitted

KEPT = {"version", "sequence", "actions", "follow_up", "last_action", "counted_in_time"}
"""What goes on, whatever is undone."""


def followed() -> Lead:
    """A lead that Anna has been told of."""
    lead, _ = advance(a_lead(), at(0))
    return settle_alerts(lead, at(1))


def after(lead: Lead, second: float, name: str, rep_id: str = "anna", **fields: Any) -> Lead:
    """The lead after an action that can be undone."""
    action = Action.model_validate({"name": name, "action_id": f"{name}{second}", **fields})
    change = act(lead, action, rep_id, at(second), TERMS)
    assert change is not None
    return apply(lead, change, at(second))


def taken_back(lead: Lead, second: float, rep_id: str = "anna") -> Lead:
    assert lead.last_action is not None
    change = undo(lead, lead.last_action.action_id, rep_id, at(second))
    assert change is not None
    return apply(lead, change, at(second))


ACTIONS: Sequence[tuple[str, dict[str, Any]]] = (
    ("acknowledge", {}),
    ("talked", {}),
    ("no_answer", {"note": "Engaged"}),
    ("voicemail", {}),
    ("snooze", {"until": at(7200)}),
    ("hand_over", {"to_rep_id": "boris"}),
    ("reject", {"reason": "data.spam"}),
    ("win", {"amount": "1200.50", "currency": "EUR"}),
    ("lose", {"reason": "deal.price"}),
)


@pytest.mark.parametrize(("name", "fields"), ACTIONS)
@pytest.mark.parametrize("rep_id", ["anna", "boris"])
def test_what_was_done_is_gone_and_the_follow_up_goes_on(
    name: str, fields: dict[str, Any], rep_id: str
) -> None:
    before = followed()
    to = {"to_rep_id": "maria"} if name == "hand_over" else {}
    done = after(before, 60, name, rep_id, **{**fields, **to})

    undone = taken_back(done, 90, rep_id)

    assert undone.model_dump(exclude=KEPT) == before.model_dump(exclude=KEPT)
    assert undone.follow_up.wake_at == at(90), "the planner looks at once"
    assert undone.follow_up.run > done.follow_up.run
    undone, now = advance(undone, at(90))
    assert now == []
    assert undone.follow_up.wake_at == at(120)
    untouched, _ = advance(before, at(90))
    assert advance(undone, at(120))[1] == advance(untouched, at(120))[1] != []


def test_an_outcome_is_undone_and_the_lead_is_opened_again_and_closed_again() -> None:
    called = after(followed(), 60, "talked")
    lost = after(called, 70, "lose", reason="deal.price")
    reopened = after(lost, 80, "reopen", "maria")
    reopened, told = advance(reopened, at(80))
    assert told == ["reopened anna sms", "reopened anna email"]

    closed = taken_back(reopened, 90, "maria")

    assert closed.model_dump(exclude=KEPT) == lost.model_dump(exclude=KEPT)
    assert closed.due_at is None
    again = after(closed, 95, "reopen", "maria")
    told_before = {*reopened.open_alerts}
    again, told = advance(again, at(95))
    assert told == ["reopened anna sms", "reopened anna email"]
    assert not told_before & {*again.open_alerts}, "no lease of before stands in the way"


def test_whoever_opens_their_own_lead_again_is_on_it_and_that_is_taken_back_too() -> None:
    lost = after(followed(), 60, "reject", reason="data.spam")
    reopened = after(lost, 80, "reopen")
    reopened, told = advance(reopened, at(80))
    assert told == [], "nobody has to tell them"
    assert reopened.acknowledged_by == "anna"
    assert reopened.acknowledged_until == at(380)
    assert reopened.readings["acknowledge"].stopped_at == at(80)

    closed = taken_back(reopened, 90)

    assert closed.model_dump(exclude=KEPT) == lost.model_dump(exclude=KEPT)
    assert closed.due_at is None


def test_the_first_minute_and_not_a_moment_longer() -> None:
    lead = after(followed(), 60, "talked")

    assert taken_back(lead, 120).first_attempt_at is None
    with pytest.raises(IllegalActionError, match="undo_late"):
        taken_back(lead, 120.001)


def test_nobody_undoes_what_somebody_else_did() -> None:
    lead = after(followed(), 60, "talked")

    with pytest.raises(IllegalActionError, match="undo_gone"):
        taken_back(lead, 70, "boris")
    later = after(lead, 65, "no_answer", "boris")
    with pytest.raises(IllegalActionError, match="undo_gone"):
        undo(later, "talked60", "anna", at(70))


def test_it_is_undone_once_however_often_it_is_asked_for() -> None:
    lead = taken_back(after(followed(), 60, "talked"), 70)

    assert undo(lead, "talked60", "anna", at(71)) is None
    with pytest.raises(IllegalActionError, match="undone_before"):
        after(lead, 60, "talked")
    assert after(lead, 75, "talked").attempts == 1


@pytest.mark.parametrize(
    "event",
    [
        happened.LeadReassigned(from_rep_id="anna", to_rep_id="boris", reason="no_reaction"),
        happened.AcknowledgementExpired(rep_id="anna"),
        happened.LeadEscalated(step="offer", to="team"),
    ],
)
def test_what_a_machine_decided_since_is_not_taken_back(event: happened.LeadEvent) -> None:
    lead = apply(after(followed(), 60, "acknowledge"), Change((event,)), at(80))

    with pytest.raises(IllegalActionError, match="undo_gone"):
        undo(lead, "acknowledge60", "anna", at(81))


def test_newer_rules_are_not_taken_back() -> None:
    lead = after(followed(), 60, "acknowledge")
    change = replan(lead, TERMS, a_terms(version=2), at(70))
    assert change is not None

    with pytest.raises(IllegalActionError, match="undo_gone"):
        undo(apply(lead, change, at(70)), "acknowledge60", "anna", at(71))


def test_a_visitor_who_makes_the_lead_better_begins_it_anew() -> None:
    lead = a_lead(verdict="non_target", follow_up=IDLE, rep_id="anna")
    lead = after(lead, 60, "acknowledge")
    lead = apply(lead, Change((resubmitted(70),)), at(70))

    with pytest.raises(IllegalActionError, match="undo_gone"):
        undo(lead, "acknowledge60", "anna", at(71))


@pytest.mark.parametrize("is_told", [True, False])
def test_what_a_visitor_wrote_to_a_lead_that_is_open_again_is_not_closed_with_it(
    is_told: bool,
) -> None:
    lead = after(after(followed(), 60, "lose", reason="deal.price"), 70, "reopen")
    lead = apply(lead, Change((resubmitted(80),)), at(80))
    if is_told:
        lead, told = advance(lead, at(80))
        assert told == ["again anna sms", "again anna email"]

    with pytest.raises(IllegalActionError, match="undo_gone"):
        undo(lead, "reopen70", "anna", at(90))
    assert lead.status == "open"


def test_a_further_submission_stays_and_so_does_what_was_told_of_it() -> None:
    lead = after(followed(), 60, "talked")
    lead, told = advance(apply(lead, Change((resubmitted(70),)), at(70)), at(70))
    assert told == ["again anna sms", "again anna email"]

    lead = taken_back(lead, 80)

    assert (lead.submissions, lead.follow_up.told_submissions) == (2, 2)
    assert len(lead.open_alerts) == 2


# --- alerts --------------------------------------------------------------------------------------


def test_an_alert_that_was_called_off_waits_again() -> None:
    lead, _ = advance(a_lead(), at(0))
    waiting = lead.open_alerts
    assert len(waiting) == 2

    called = after(lead, 5, "no_answer")
    assert called.open_alerts == {}

    assert taken_back(called, 10).open_alerts == waiting


def test_an_alert_that_was_on_its_way_is_not_sent_once_more() -> None:
    lead, _ = advance(a_lead(), at(0))
    called = after(lead, 5, "no_answer")
    (key, alert), *others = lead.open_alerts.items()
    sent = happened.AlertSent(alert_id=key, rep_id=alert.rep_id, via=alert.via, message_id="m")

    called = apply(called, Change((sent,)), at(6))

    assert taken_back(called, 10).open_alerts == dict(others)


def test_an_alert_that_failed_on_its_way_goes_by_the_next_channel_after_all() -> None:
    lead, _ = advance(followed(), at(120))
    lead = settle_alerts(lead, at(121))
    lead, told = advance(lead, at(180))
    assert told == ["reminder anna sms"]
    ((key, alert),) = lead.open_alerts.items()
    called = after(lead, 181, "talked", "boris")
    failed = happened.AlertFailed(alert_id=key, rep_id=alert.rep_id, via="sms", reason="opted_out")
    called = apply(called, Change((failed,)), at(182))
    assert called.unheard == [], "nobody waits for it while the call stands"

    undone = taken_back(called, 190, "boris")

    assert [(one.alert_ids, one.tried) for one in undone.unheard] == [((key,), ("sms",))]
    assert advance(undone, at(190))[1] == ["reminder anna email"]


def test_a_hand_over_that_did_not_arrive_is_not_sent_another_way_once_it_is_undone() -> None:
    handed = after(followed(), 60, "hand_over", to_rep_id="boris")
    handed, _ = advance(handed, at(60))
    for key, alert in handed.open_alerts.items():
        failed = happened.AlertFailed(
            alert_id=key, rep_id=alert.rep_id, via=alert.via, reason="opted_out"
        )
        handed = apply(handed, Change((failed,)), at(61))
    assert handed.unheard

    undone = taken_back(handed, 70)

    assert undone.unheard == []
    assert advance(undone, at(70))[1] == []


def test_what_arrived_of_a_message_counts_again() -> None:
    """One channel failed, the other was on its way: nobody is told a third time."""
    lead, _ = advance(a_lead(), at(0))
    alerts = lead.open_alerts.items()
    (sms, by_sms), (email, by_email) = sorted(alerts, key=lambda one: one[1].via != "sms")
    failed = happened.AlertFailed(alert_id=sms, rep_id=by_sms.rep_id, via="sms", reason="opted_out")
    sent = happened.AlertSent(alert_id=email, rep_id=by_email.rep_id, via="email", message_id="m")
    called = after(apply(lead, Change((failed,)), at(1)), 5, "no_answer")
    called = apply(called, Change((sent,)), at(6))

    undone = taken_back(called, 10)

    assert undone.unheard == []
    assert advance(undone, at(10))[1] == []


def test_whom_the_lead_is_taken_back_from_is_not_told_of_it_any_more() -> None:
    handed = after(followed(), 60, "hand_over", to_rep_id="boris")
    handed, told = advance(handed, at(60))
    assert told == ["handed_over boris sms", "handed_over boris email"]

    undone = taken_back(handed, 70)

    assert undone.rep_id == "anna"
    assert undone.open_alerts == {}
    assert undone.follow_up.tell_owner is False


def test_what_they_were_to_be_told_before_they_got_the_lead_stands() -> None:
    """However short before: in the very moment of the hand-over, too."""
    lead, told = advance(followed(), at(120))
    assert "backup boris sms" in told
    waiting = lead.open_alerts

    handed = after(lead, 120, "hand_over", to_rep_id="boris")
    handed, told = advance(handed, at(120))
    assert "handed_over boris sms" in told

    assert taken_back(handed, 125).open_alerts == waiting


def test_who_has_not_been_told_yet_is_told_after_all() -> None:
    handed = after(followed(), 60, "hand_over", "maria", to_rep_id="boris")
    taken = after(handed, 61, "acknowledge", "anna")

    undone = taken_back(taken, 62)

    assert undone.rep_id == "boris"
    assert advance(undone, at(62))[1] == ["handed_over boris sms", "handed_over boris email"]


# --- steps ---------------------------------------------------------------------------------------


def a_step(name: str, after_seconds: int, when: Any = None) -> Step:
    alert = (Audience(who="manager", kind="reminder", via=("sms",)),)
    return Step(step=name, after_seconds=after_seconds, when=when, alert=alert)


STEPS = a_terms(
    Chain(
        rounds=1,
        round_seconds=900,
        respond_within_seconds=600,
        steps=(
            Step(
                step="new",
                after_seconds=0,
                alert=(Audience(who="owner", kind="new", via=("sms",)),),
            ),
            a_step("free", 100, "not_acknowledged"),
            a_step("any", 105),
            a_step("taken", 110, "acknowledged"),
            a_step("last", 200),
        ),
    )
)


def asked(lead: Lead, second: float) -> tuple[Lead, list[str]]:
    """What is due at a moment, by the ids of its alerts."""
    change = planned(lead, at(second), terms=STEPS)
    if change is None:
        return lead, []
    ids = [e.alert_id for e in change.events if isinstance(e, happened.AlertRequested)]
    return apply(lead, change, at(second)), ids


def test_what_was_left_out_because_somebody_was_on_it_is_done_and_nothing_twice() -> None:
    lead, _ = asked(a_lead(), 0)
    lead = rep_does(lead, "acknowledge", at(90), terms=STEPS)
    lead, meanwhile = asked(lead, 120)
    assert meanwhile == [
        "1-any-maria-sms",
    ]

    lead = taken_back(lead, 130)
    lead, now = asked(lead, 130)

    assert now == ["1-free-maria-sms"]
    assert lead.follow_up.wake_at == at(200)
    assert lead.follow_up.passed is None
    assert asked(lead, 200)[1] == ["1-last-maria-sms"]


def test_who_gets_a_lead_after_somebody_gave_it_back_is_told_of_it() -> None:
    lead = after(a_lead(), 0, "acknowledge", "boris")
    lead, told = advance(lead, at(1))
    assert told == [], "they know"
    lead = taken_back(lead, 20, "boris")
    assert (lead.rep_id, lead.follow_up.step) == (None, 0)

    lead, told = advance(lead, at(20))

    assert lead.rep_id == "anna"
    assert told == ["assign anna", "new anna sms", "new anna email"]
    assert advance(lead, at(60))[1] == [], "once"


def test_who_was_not_told_because_they_were_on_it_is_told_once_they_are_not() -> None:
    lost = after(followed(), 60, "lose", reason="deal.price")
    lead = after(after(lost, 70, "reopen", "maria"), 71, "acknowledge")
    lead, told = advance(lead, at(72))
    assert told == []

    lead, told = advance(taken_back(lead, 80), at(80))

    assert told == ["reopened anna sms", "reopened anna email"]
    assert advance(lead, at(81))[1] == [], "once"


def test_who_is_on_it_still_is_not_told_when_a_call_is_undone() -> None:
    lead, told = advance(after(a_lead(), 0, "acknowledge"), at(1))
    assert told == []

    lead = taken_back(after(lead, 30, "no_answer"), 40)

    assert lead.acknowledged_by == "anna"
    assert advance(lead, at(40))[1] == []


def test_what_came_of_a_message_before_a_hand_over_still_counts_when_that_is_undone() -> None:
    lead, _ = advance(followed(), at(120))
    failed = happened.AlertFailed(
        alert_id="1-other_channel-boris-sms", rep_id="boris", via="sms", reason="opted_out"
    )
    lead = apply(lead, Change((failed,)), at(121))
    unheard = lead.unheard
    assert [one.alert.rep_id for one in unheard] == ["boris"]

    undone = taken_back(after(lead, 122, "hand_over", to_rep_id="boris"), 125)

    assert undone.unheard == unheard


def test_on_it_once_more_before_the_planner_has_looked() -> None:
    lead, _ = asked(a_lead(), 0)
    lead = rep_does(lead, "acknowledge", at(90), terms=STEPS)
    lead, _ = asked(lead, 107)
    lead = taken_back(lead, 120)

    lead = rep_does(lead, "acknowledge", at(121), terms=STEPS)
    lead, now = asked(lead, 121)

    assert now == ["1-taken-maria-sms"]


def test_newer_rules_count_from_where_the_chain_is() -> None:
    lead, _ = asked(a_lead(), 0)
    lead = rep_does(lead, "acknowledge", at(90), terms=STEPS)
    lead, _ = asked(lead, 120)
    lead = taken_back(lead, 130)

    change = replan(lead, STEPS, STEPS._replace(policy_version=2), at(131))

    assert change is not None
    assert change.follow_up is not None
    assert change.follow_up.passed is None


# --- clocks and figures --------------------------------------------------------------------------


def test_a_clock_that_was_stopped_runs_again_and_is_read_by_what_is_true() -> None:
    lead = taken_back(after(followed(), 60, "talked"), 90)
    assert lead.readings == {}

    lead = after(lead, 400, "talked")

    assert lead.readings["response"].state == "late"
    assert lead.readings["response"].wall_seconds == 400


def test_what_time_did_is_not_undone() -> None:
    late = after(followed(), 310, "talked")
    assert late.breached_at == at(310)

    lead = taken_back(late, 320)

    assert lead.breached_at == at(310)
    assert "ResponseBreached" not in advance(lead, at(330))[1], "a lead breaches once"


def first_call(lead: Lead, second: float, rep_id: str = "anna") -> happened.LeadAttempted:
    action = Action(name="no_answer", action_id=f"{second}")
    change = act(lead, action, rep_id, at(second), TERMS)
    assert change is not None
    return next(e for e in change.events if isinstance(e, happened.LeadAttempted))


def test_the_same_call_once_more_is_not_counted_again() -> None:
    lead = taken_back(after(followed(), 60, "talked"), 70)

    again = first_call(lead, 80)
    assert (again.in_time, again.after_seconds) == (None, None)
    assert again.clocks is not None
    once_more = taken_back(after(lead, 80, "no_answer"), 85)
    assert first_call(once_more, 90).in_time is None


def test_a_call_that_comes_too_late_after_all_is_counted_as_that() -> None:
    lead = taken_back(after(followed(), 60, "talked"), 70)
    lead, told = advance(lead, at(300))
    assert "ResponseBreached breach" in told

    late = first_call(lead, 320)

    assert late.in_time is False
    assert late.after_seconds == 320


def test_a_promise_that_was_kept_by_mistake_is_to_be_kept_again() -> None:
    lead = a_lead(promised_by=at(300))
    lead = apply(lead, Change((happened.LeadAssigned(rep_id="anna", rule="everybody"),)), at(0))
    done = after(lead, 60, "talked")
    assert done.last_action is not None
    change = undo(done, done.last_action.action_id, "anna", at(70))
    assert change is not None

    (event,) = change.events
    assert isinstance(event, happened.ActionUndone)
    assert event.promise_kept is True
    assert event.undone == ("LeadAttempted", "LeadContacted")
    assert event.sequences == (3, 4)
    assert first_call(taken_back(done, 70), 80).promise_kept is True


def test_a_lead_that_nobody_had_is_nobodys_again() -> None:
    nobody = [a_rep("anna", on_duty=False)]
    lead, _ = advance(a_lead(), at(0), nobody)
    assert lead.assignment_failed_at == at(0)
    taken = after(lead, 10, "acknowledge")

    lead = taken_back(taken, 20)

    assert (lead.rep_id, lead.assignment_failed_at) == (None, at(0))
    assert advance(lead, at(21), nobody)[1] == [], "nobody is told twice that nobody is there"


def test_what_is_kept_for_it_is_small() -> None:
    lead, _ = advance(a_lead(), at(0))
    done = after(lead, 60, "win", "boris", amount="1200", currency="EUR", note="x" * 2000)

    assert done.last_action is not None
    assert len(done.last_action.model_dump_json()) < 2000


def test_an_undo_that_has_nothing_to_go_by_changes_nothing() -> None:
    """What is stored was checked by `undo`; a projection never fails."""
    event = happened.ActionUndone(rep_id="anna", action_id="x", sequences=(), undone=())
    lead = followed()

    assert apply(lead, Change((event,)), at(9)).model_dump(exclude=KEPT) == lead.model_dump(
        exclude=KEPT
    )
    assert lead.respond_by - at(0) == timedelta(minutes=5)
