"""What a person may do with a lead, and what becomes of it."""

import json
from decimal import Decimal
from typing import Any, get_args

import pytest

from shared.domain import events as happened
from shared.domain.actions import LOSS_REASONS, REJECTION_REASONS, Action, act
from shared.domain.lead import Change, FollowUp, Lead, OpenAlert, Said
from shared.domain.projection import apply, settled
from shared.errors import IllegalActionError
from tests.unit.adapters.samples import a_submission
from tests.unit.domain.samples import IDLE, TERMS, a_lead, at, resubmitted
from tests.unit.samples import DATA

OWNED = a_lead(rep_id="anna", assigned_at=at(0))


def do(lead: Lead, name: str, second: float = 60, rep_id: str = "anna", **details: Any) -> Lead:
    action = Action.model_validate({"name": name, "action_id": f"{name}-{second}", **details})
    change = act(lead, action, rep_id, at(second), TERMS)
    assert change is not None
    return apply(lead, change, at(second))


def test_an_acknowledgement_is_no_attempt() -> None:
    lead = do(OWNED, "acknowledge")

    assert lead.acknowledged_by == "anna"
    assert lead.awaits_attempt
    assert lead.late_seconds is None


@pytest.mark.parametrize(
    ("name", "contacted"), [("talked", True), ("no_answer", False), ("voicemail", False)]
)
def test_a_call_is_an_attempt_whatever_came_of_it(name: str, contacted: bool) -> None:
    lead = do(OWNED, name)

    assert lead.first_attempt_at == at(60)
    assert lead.attempts == 1
    assert (lead.contacted_at is not None) is contacted
    assert not lead.awaits_attempt


def test_a_late_attempt_stays_late_whatever_is_logged_later() -> None:
    lead = do(OWNED, "no_answer", second=420)
    lead = do(lead, "talked", second=500)

    assert lead.late_seconds == 120
    assert lead.attempts == 2
    assert lead.first_attempt_at == at(420)
    assert do(OWNED, "talked", second=299).late_seconds == 0


def test_a_deal_means_that_somebody_talked() -> None:
    lead = do(OWNED, "win", amount="1200.50", currency="GBP")

    assert (lead.status, lead.outcome) == ("closed", "won")
    assert (lead.amount, lead.currency) == (Decimal("1200.50"), "GBP")
    assert lead.contacted_at == at(60)
    assert lead.closed_at == at(60)


def test_a_deal_after_a_talk_logs_no_second_call() -> None:
    lead = do(do(OWNED, "talked"), "lose", second=90, reason="deal.price")

    assert lead.attempts == 1
    assert lead.reason == "deal.price"


def test_a_rejection_needs_no_call_and_a_reason() -> None:
    lead = do(OWNED, "reject", reason="data.spam")

    assert (lead.outcome, lead.attempts) == ("rejected", 0)
    assert not lead.awaits_attempt


@pytest.mark.parametrize(
    ("name", "details", "reason"),
    [
        ("reject", {}, "reason_needed"),
        ("reject", {"reason": "deal.price"}, "reason_needed"),
        ("reject", {"reason": "other"}, "note_needed"),
        ("lose", {"reason": "fit.segment"}, "reason_needed"),
        ("win", {}, "amount_needed"),
        ("win", {"amount": "-1"}, "amount_needed"),
    ],
)
def test_an_outcome_without_its_details_is_refused(
    name: str, details: dict[str, Any], reason: str
) -> None:
    with pytest.raises(IllegalActionError, match=reason):
        do(OWNED, name, **details)


def test_nothing_can_be_done_with_a_closed_lead() -> None:
    closed = do(OWNED, "reject", reason="other", note="A student's homework")

    with pytest.raises(IllegalActionError, match="closed"):
        do(closed, "talked", second=90)


def test_a_form_sent_twice_counts_once() -> None:
    action = Action(name="no_answer", action_id="once")
    change = act(OWNED, action, "anna", at(60), TERMS)
    assert change is not None
    lead = apply(OWNED, change, at(60))

    assert act(lead, action, "anna", at(61), TERMS) is None


def test_words_go_into_a_note_and_not_into_an_event() -> None:
    action = Action(name="no_answer", action_id="n1", note="Call after 6 pm")
    change = act(OWNED, action, "anna", at(60), TERMS)

    assert change is not None
    assert [note.text for note in change.notes] == ["Call after 6 pm"]
    assert "6 pm" not in "".join(event.model_dump_json() for event in change.events)


def test_whoever_calls_owns_the_lead() -> None:
    lead = do(OWNED, "no_answer", rep_id="boris")

    assert lead.rep_id == "boris"
    assert do(a_lead(), "acknowledge", rep_id="boris").rep_id == "boris"


def test_only_one_can_be_on_it_but_anybody_can_call() -> None:
    lead = do(OWNED, "acknowledge")

    with pytest.raises(IllegalActionError, match="taken"):
        do(lead, "acknowledge", second=70, rep_id="boris")
    assert do(lead, "talked", second=80, rep_id="boris").rep_id == "boris"
    with pytest.raises(IllegalActionError, match="already_called"):
        do(do(OWNED, "talked"), "acknowledge", second=90)


def test_to_say_it_again_makes_an_acknowledgement_last_no_longer() -> None:
    lead = do(OWNED, "acknowledge", second=60)
    again = Action(name="acknowledge", action_id="again")

    assert act(lead, again, "anna", at(300), TERMS) is None
    assert lead.acknowledged_until == at(360)


ALERTS = {
    f"{kind} {rep_id}": OpenAlert(rep_id=rep_id, via="sms", kind=kind, requested_at=at(0))
    for kind in get_args(happened.AlertKind)
    for rep_id in ("anna", "boris")
}


@pytest.mark.parametrize(
    ("event", "gone"),
    [
        # Somebody is on it: neither they nor anybody else has to be fetched.
        (happened.LeadAcknowledged(rep_id="anna"), ("repeat", "backup", "offer")),
        # Somebody has it: the manager need not hear any more that nobody does.
        (happened.LeadAssigned(rep_id="anna", rule="round_robin"), ("unassigned",)),
        # It is no business of the former owner's.
        (
            happened.LeadReassigned(from_rep_id="anna", to_rep_id="boris", reason="no_reaction"),
            ("anna", "unassigned"),
        ),
        (happened.AcknowledgementExpired(rep_id="anna"), ()),
        (happened.ResponseBreached(step="deadline"), ()),
    ],
)
def test_alerts_that_are_not_sent_yet_go_with_the_reason_for_them(
    event: happened.LeadEvent, gone: tuple[str, ...]
) -> None:
    lead = OWNED.model_copy(update={"open_alerts": ALERTS})

    left = apply(lead, Change((event,)), at(60)).open_alerts

    stays = {name for name in ALERTS if name.startswith("off_duty")}
    assert set(left) == stays | {name for name in ALERTS if not set(name.split()) & set(gone)}


# --- figures that events carry


def events(lead: Lead, name: str, second: float) -> list[happened.LeadEvent]:
    action = Action.model_validate({"name": name, "action_id": "a"})
    change = act(lead, action, "anna", at(second), TERMS)
    assert change is not None
    return list(change.events)


def test_the_first_attempt_is_judged_and_no_other() -> None:
    (first,) = events(OWNED, "no_answer", 12.5)
    assert first.model_copy(update={"clocks": None}) == happened.LeadAttempted(
        rep_id="anna", result="no_answer", after_seconds=Decimal("12.500"), in_time=True
    )
    (second,) = events(do(OWNED, "no_answer"), "no_answer", 90)
    assert second == happened.LeadAttempted(rep_id="anna", result="no_answer")


def test_a_late_first_attempt_brings_the_breach_that_nobody_had_recorded() -> None:
    breach, attempt, _ = events(OWNED, "talked", 300.001)
    assert breach == happened.ResponseBreached(step="attempt")
    assert isinstance(attempt, happened.LeadAttempted)
    assert attempt.in_time is False
    assert do(OWNED, "talked", second=301).breached_at == at(301)

    assert [event.type for event in events(OWNED, "no_answer", 300)] == ["LeadAttempted"]
    recorded = apply(OWNED, Change((happened.ResponseBreached(step="breach"),)), at(300))
    (attempt,) = events(recorded, "no_answer", 420)
    assert isinstance(attempt, happened.LeadAttempted)
    assert attempt.in_time is False
    assert attempt.after_seconds == 420


def test_a_call_of_a_lead_that_nobody_follows_up_is_not_judged() -> None:
    idle = a_lead(verdict="non_target", rep_id="anna", follow_up=IDLE)

    assert events(idle, "no_answer", 4000) == [
        happened.LeadAttempted(rep_id="anna", result="no_answer")
    ]


def test_a_clock_that_started_later_counts_from_then() -> None:
    idle = a_lead(verdict="non_target", rep_id="anna", follow_up=IDLE)
    asked = apply(idle, Change((resubmitted(600),)), at(600))
    (attempt,) = events(asked, "no_answer", 660)

    assert isinstance(attempt, happened.LeadAttempted)
    assert attempt.in_time is True
    assert attempt.after_seconds == 60


def test_the_first_alert_to_a_rep_says_how_long_it_took() -> None:
    told = happened.AlertSent(alert_id="x", rep_id="maria", via="sms", message_id="m")
    sent = told.model_copy(update={"rep_id": "anna", "after_seconds": Decimal(3)})
    failed = happened.AlertFailed(alert_id="x", rep_id="anna", via="sms", reason="opted_out")

    lead = OWNED
    outcomes: tuple[happened.AlertSent | happened.AlertFailed, ...] = (failed, told, sent)
    for second, outcome in enumerate(outcomes):
        assert lead.alerted_at is None
        assert settled(lead, outcome) == outcome
        lead = apply(lead, Change((outcome,)), at(second))
    assert lead.alerted_at == at(2)
    second_sent = settled(lead, sent)
    assert second_sent == sent.model_copy(update={"after_seconds": None})
    assert apply(lead, Change((second_sent,)), at(4)).alerted_at == at(2)


# --- what the sweeper's wake-up finds

WATCHED = a_lead(rep_id="anna", follow_up=FollowUp(planned=True, step=1, wake_at=at(900)))
UNSENT = OpenAlert(rep_id="anna", via="sms", kind="new", requested_at=at(100))
TOLD_JUST_BEFORE = WATCHED.follow_up.model_copy(update={"told_again_at": at(95)})
ASKED_AGAIN = {"submissions": 2, "resubmitted_at": at(100)}


@pytest.mark.parametrize(
    ("lead", "missed_from"),
    [
        (a_lead(), 60),
        (a_lead(verdict="non_target"), 60),
        (WATCHED, 960),
        (WATCHED.model_copy(update={"open_alerts": {"x": UNSENT}}), 160),
        (WATCHED.model_copy(update=ASKED_AGAIN), 160),
    ],
)
def test_what_does_not_happen_by_itself_is_missed(lead: Lead, missed_from: float) -> None:
    assert not lead.was_missed(at(missed_from))
    assert lead.was_missed(at(missed_from + 0.001))


@pytest.mark.parametrize(
    "lead",
    [
        do(OWNED, "reject", reason="data.spam"),
        do(OWNED, "no_answer"),
        a_lead(verdict="non_target", follow_up=IDLE),
        # Held back: its owner was told of another one just before.
        WATCHED.model_copy(update={**ASKED_AGAIN, "follow_up": TOLD_JUST_BEFORE}),
        # Nobody is on duty.
        WATCHED.model_copy(update={**ASKED_AGAIN, "rep_id": None}),
    ],
)
def test_what_waits_by_design_is_not_missed(lead: Lead) -> None:
    assert not lead.was_missed(at(899))


# --- storage


def test_what_was_stored_before_there_were_figures_still_reads() -> None:
    """Written by the code of before, not by hand."""
    lead = Lead.model_validate(json.loads((DATA / "stored_lead.json").read_text("utf-8")))
    assert (lead.alerted_at, lead.is_test, lead.readings) == (None, False, {})
    assert do(lead, "no_answer").first_attempt_at == at(60)

    for flat in json.loads((DATA / "stored_events.json").read_text("utf-8")):
        recorded = happened.RecordedEvent.parse(flat)
        assert recorded.flat() == flat


def test_events_survive_storage() -> None:
    for name, kind in happened.LeadEvent.registry.items():
        assert kind.__name__ == name
    recorded = happened.RecordedEvent(
        lead_id="a" * 32,
        sequence=7,
        at=at(0),
        actor="rep:anna",
        form_id="demo-en",
        channel="Direct",
        event=happened.DealWon(rep_id="anna", amount=Decimal("10.20"), currency="EUR"),
    )

    flat = recorded.flat()
    assert happened.RecordedEvent.parse({**flat, "field_of_a_newer_version": 1}) == recorded
    assert flat["event_id"] == f"{'a' * 32}-7"
    assert flat["amount"] == "10.20"


def test_every_reason_is_a_code() -> None:
    assert all(reason.replace(".", "_").isidentifier() for reason in REJECTION_REASONS)
    assert all(reason.replace(".", "_").isidentifier() for reason in LOSS_REASONS)


def test_a_long_message_is_shown_to_the_end_of_a_word() -> None:
    def asked(message: str) -> str:
        submission = a_submission(values={"message": message})
        return Said.of(submission).asked or ""

    assert asked("word " * 60) == f"{'word ' * 54}word…"
    assert asked("x" * 300) == f"{'x' * 279}…"
    assert asked("x" * 280) == "x" * 280
    assert asked("") == ""
