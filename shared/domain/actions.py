"""What a person may do to a lead, and the change it makes."""

from collections.abc import Container
from datetime import datetime
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict

from shared.domain import events as happened
from shared.domain.events import AttemptResult, LeadEvent
from shared.domain.instants import seconds_between
from shared.domain.lead import Change, Lead, Note
from shared.errors import IllegalActionError

REJECTION_REASONS = (
    "data.bad_phone",
    "data.duplicate",
    "data.spam",
    "data.test",
    "fit.segment",
    "fit.region",
    "fit.no_need",
    "fit.job_seeker_or_vendor",
    "fit.freebie_only",
    "reach.no_answer",
    "other",
)
"""Why a lead is no lead, by whose fault it is: data, fit, reach. `other` needs a note."""

LOSS_REASONS = (
    "deal.price",
    "deal.competitor",
    "deal.missing_feature",
    "deal.no_decision_maker",
    "deal.no_budget",
    "timing.later",
    "ours.late",
    "ours.no_capacity",
    "ours.no_argument",
    "other",
)
"""Why a deal was lost: the deal, the moment or ourselves. `other` needs a note."""

ActionName = Literal["acknowledge", "talked", "no_answer", "reject", "win", "lose"]


class Action(BaseModel):
    """What a person says they did.

    `action_id` comes from the page, so that a form sent twice counts once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ActionName
    action_id: str
    reason: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    note: str | None = None


def act(lead: Lead, action: Action, rep_id: str, at: datetime) -> Change | None:
    """The change that a rep's action makes; None when it was made already.

    Raises IllegalActionError with the reason `closed`, `taken`, `already_called`, `reason_needed`,
    `note_needed` or `amount_needed`.
    """
    if action.action_id in lead.actions:
        return None
    if lead.status == "closed":
        raise IllegalActionError("closed")
    events = _what_a_rep_did(lead, action, rep_id, at)
    notes: tuple[Note, ...] = ()
    if action.note:
        notes = (Note(note_id=action.action_id, author=rep_id, at=at, text=action.note),)
        events = (*events, happened.NoteAdded(note_id=action.action_id))
    return Change((*_taking_over(lead, rep_id), *events), None, notes, action.action_id)


def _taking_over(lead: Lead, rep_id: str) -> tuple[LeadEvent, ...]:
    """Whoever acts owns the lead from then on: the first of several who were alerted wins."""
    if lead.rep_id == rep_id:
        return ()
    if lead.rep_id is None:
        return (happened.LeadAssigned(rep_id=rep_id, rule="took_over"),)
    return (happened.LeadReassigned(from_rep_id=lead.rep_id, to_rep_id=rep_id, reason="took_over"),)


def _what_a_rep_did(lead: Lead, action: Action, rep_id: str, at: datetime) -> tuple[LeadEvent, ...]:
    # A deal means that somebody talked to the person, whether or not the call was logged.
    talked: tuple[LeadEvent, ...] = ()
    if lead.contacted_at is None:
        talked = (
            *_attempted(lead, rep_id, "talked", at),
            happened.LeadContacted(rep_id=rep_id),
        )
    match action.name:
        case "acknowledge":
            if lead.first_attempt_at is not None:
                raise IllegalActionError("already_called")
            if lead.acknowledged_by not in (None, rep_id):
                raise IllegalActionError("taken")
            return (happened.LeadAcknowledged(rep_id=rep_id),)
        case "no_answer":
            return _attempted(lead, rep_id, "no_answer", at)
        case "talked":
            return talked or _attempted(lead, rep_id, "talked", at)
        case "reject":
            return (
                happened.LeadRejected(rep_id=rep_id, reason=_reason(action, REJECTION_REASONS)),
            )
        case "lose":
            reason = _reason(action, LOSS_REASONS)
            return (*talked, happened.DealLost(rep_id=rep_id, reason=reason))
        case "win":
            if action.amount is None or not action.amount.is_finite() or action.amount < 0:
                raise IllegalActionError("amount_needed")
            won = happened.DealWon(
                rep_id=rep_id, amount=action.amount, currency=action.currency or "EUR"
            )
            return (*talked, won)


def _attempted(
    lead: Lead, rep_id: str, result: AttemptResult, at: datetime
) -> tuple[LeadEvent, ...]:
    """A call. The first one is judged, unless policy promised none: in time, or a breach that is
    recorded with it when nobody had noticed before.
    """
    if lead.first_attempt_at is not None or lead.follow_up.is_idle:
        return (happened.LeadAttempted(rep_id=rep_id, result=result),)
    is_late = seconds_between(lead.respond_by, at) > 0
    unnoticed = is_late and lead.breached_at is None
    attempted = happened.LeadAttempted(
        rep_id=rep_id,
        result=result,
        after_seconds=seconds_between(lead.clock_started_at, at),
        in_time=not is_late and lead.breached_at is None,
    )
    return (happened.ResponseBreached(step="attempt"), attempted) if unnoticed else (attempted,)


def _reason(action: Action, allowed: Container[str]) -> str:
    if action.reason is None or action.reason not in allowed:
        raise IllegalActionError("reason_needed")
    if action.reason == "other" and not action.note:
        raise IllegalActionError("note_needed")
    return action.reason
