"""What a person may do to a lead, and the change it makes."""

from collections.abc import Container
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from shared.domain import events as happened
from shared.domain.chain import Chain
from shared.domain.clocks import Terms
from shared.domain.events import AttemptResult, ClockName, LeadEvent, Reading
from shared.domain.instants import Instant, seconds_between
from shared.domain.lead import Change, FollowUp, Lead, Note
from shared.domain.projection import apply
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

ActionName = Literal[
    "acknowledge",
    "talked",
    "no_answer",
    "voicemail",
    "snooze",
    "hand_over",
    "reject",
    "win",
    "lose",
    "reopen",
]

SNOOZED_AT_MOST = timedelta(days=90)


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
    until: Instant | None = None
    """When the person asked to be called."""
    to_rep_id: str | None = None
    """Who is handed the lead: somebody of its team."""
    note: str | None = None


def act(lead: Lead, action: Action, rep_id: str, at: datetime, terms: Terms) -> Change | None:
    """The change that a rep's action makes; None when it was made already.

    `terms` are those of the policy that the lead follows.

    Raises IllegalActionError with the reason `closed`, `open`, `taken`, `already_called`,
    `reason_needed`, `note_needed`, `amount_needed`, `time_needed`, `snoozed_before`,
    `person_needed` or `undone_before`.
    """
    if _undoing(action.action_id) in lead.actions:
        raise IllegalActionError("undone_before")
    if action.action_id in lead.actions:
        return None
    if (lead.status == "closed") != (action.name == "reopen"):
        raise IllegalActionError(lead.status)
    if action.name == "acknowledge" and _is_on_it(lead, rep_id):
        return None
    taking_over = () if action.name in {"hand_over", "reopen"} else _taking_over(lead, rep_id)
    theirs = apply(lead, Change(taking_over), at)
    events = (*taking_over, *_what_a_rep_did(_Doing(theirs, rep_id, at, terms), action))
    notes: tuple[Note, ...] = ()
    if action.note:
        notes = (Note(note_id=action.action_id, author=rep_id, at=at, text=action.note),)
        events = (*events, happened.NoteAdded(note_id=action.action_id))
    return Change(events, None, notes, action.action_id, rep_id)


def undo(lead: Lead, action_id: str, rep_id: str, at: datetime) -> Change | None:
    """Takes back what this person did last; None when that was done already.

    Raises IllegalActionError with the reason `undo_gone` when somebody else has acted since, or
    the follow-up has decided something that cannot be taken back; `undo_late` after a minute.
    """
    if _undoing(action_id) in lead.actions:
        return None
    last = lead.last_action
    if last is None or (last.action_id, last.rep_id) != (action_id, rep_id):
        raise IllegalActionError("undo_gone")
    if at > last.undoable_until:
        raise IllegalActionError("undo_late")
    undone = happened.ActionUndone(
        rep_id=rep_id,
        action_id=last.action_id,
        sequences=last.sequences,
        undone=last.events,
        promise_kept=last.promise_kept,
    )
    return Change((undone,), action_id=_undoing(action_id))


def _undoing(action_id: str) -> str:
    """The id of taking an action back: the same on every page, as it is done once."""
    return f"{action_id}-undo"


def _is_on_it(lead: Lead, rep_id: str) -> bool:
    """Whether they have said so: to say it again makes it last no longer.

    Raises IllegalActionError when another one has, or when somebody has called.
    """
    if not lead.awaits_attempt:
        raise IllegalActionError("already_called")
    if lead.acknowledged_by not in (None, rep_id):
        raise IllegalActionError("taken")
    return lead.acknowledged_by == rep_id


def _taking_over(lead: Lead, rep_id: str) -> tuple[LeadEvent, ...]:
    """Whoever acts owns the lead from then on: the first of several who were alerted wins."""
    if lead.rep_id == rep_id:
        return ()
    if lead.rep_id is None:
        return (happened.LeadAssigned(rep_id=rep_id, rule="took_over"),)
    return (happened.LeadReassigned(from_rep_id=lead.rep_id, to_rep_id=rep_id, reason="took_over"),)


class _Doing(NamedTuple):
    """Who does something to which lead, theirs by now, when, and by which terms."""

    lead: Lead
    rep_id: str
    at: datetime
    terms: Terms

    def stopped(self, *clocks: ClockName) -> tuple[Reading, ...] | None:
        """What stands on those of these clocks that stop now."""
        return self.terms.stopped(self.lead, self.at, *clocks)


def _what_a_rep_did(doing: _Doing, action: Action) -> tuple[LeadEvent, ...]:
    lead, rep_id = doing.lead, doing.rep_id
    # A deal means that somebody talked to the person, whether or not the call was logged.
    talked: tuple[LeadEvent, ...] = ()
    if lead.contacted_at is None:
        contacted = happened.LeadContacted(rep_id=rep_id, clocks=doing.stopped("contact"))
        talked = (*_attempted(doing, "talked"), contacted)
    match action.name:
        case "acknowledge":
            acknowledged = happened.LeadAcknowledged(
                rep_id=rep_id,
                until=doing.terms.acknowledged_until(lead, doing.at),
                clocks=doing.stopped("acknowledge"),
            )
            return (acknowledged,)
        case "no_answer" | "voicemail":
            return _attempted(doing, action.name)
        case "talked":
            return talked or _attempted(doing, "talked")
        case "snooze":
            return (_snoozed(doing, action),)
        case "hand_over":
            return _handed_over(doing, action)
        case "reopen":
            return (_reopened(doing),)
        case "reject":
            reason = _reason(action, REJECTION_REASONS)
            clocks = doing.stopped("qualify")
            return (happened.LeadRejected(rep_id=rep_id, reason=reason, clocks=clocks),)
        case "lose":
            reason = _reason(action, LOSS_REASONS)
            clocks = doing.stopped("qualify")
            return (*talked, happened.DealLost(rep_id=rep_id, reason=reason, clocks=clocks))
        case "win":
            if action.amount is None or not action.amount.is_finite() or action.amount < 0:
                raise IllegalActionError("amount_needed")
            won = happened.DealWon(
                rep_id=rep_id,
                amount=action.amount,
                currency=action.currency or "EUR",
                clocks=doing.stopped("qualify"),
            )
            return (*talked, won)


def _attempted(doing: _Doing, result: AttemptResult) -> tuple[LeadEvent, ...]:
    """A call. The first one is judged, unless policy promised none: in time, or a breach that is
    recorded with it when nobody had noticed before; and so is what the visitor was told. Whoever
    calls has acknowledged the lead, too.
    """
    lead, rep_id, at = doing.lead, doing.rep_id, doing.at
    clocks = doing.stopped("response", "acknowledge", "owner")
    if lead.first_attempt_at is not None or lead.follow_up.is_idle:
        return (happened.LeadAttempted(rep_id=rep_id, result=result, clocks=clocks),)
    is_late = seconds_between(lead.respond_by, at) > 0
    breaches = (lead.breached("attempt"),) if is_late and lead.breached_at is None else ()
    promise_kept: bool | None = None
    if lead.promised_by and not (lead.promise_broken or any(b.promise_broken for b in breaches)):
        promise_kept = seconds_between(lead.promised_by, at) == 0
    in_time = not is_late and lead.breached_at is None
    # Undone, and done again: once is enough for the figures.
    is_counted = lead.counted_in_time == in_time
    attempted = happened.LeadAttempted(
        rep_id=rep_id,
        result=result,
        after_seconds=None if is_counted else seconds_between(lead.clock_started_at, at),
        in_time=None if is_counted else in_time,
        promise_kept=promise_kept,
        clocks=clocks,
    )
    return (*breaches, attempted)


def _snoozed(doing: _Doing, action: Action) -> LeadEvent:
    """A time that the person asked for: before anybody talked to them that may be once only.

    A first call that is not late yet is due when they asked for it, and no sooner: what was agreed
    stands outside opening hours, too.
    """
    lead, at, until = doing.lead, doing.at, action.until
    if until is None or not at < until <= at + SNOOZED_AT_MOST:
        raise IllegalActionError("time_needed")
    if lead.contacted_at is None and lead.snoozes:
        raise IllegalActionError("snoozed_before")
    in_time = lead.first_attempt_at is None and lead.breached_at is None and at <= lead.respond_by
    due = until + timedelta(seconds=doing.terms.chain.respond_within_seconds) if in_time else None
    return happened.LeadSnoozed(rep_id=doing.rep_id, until=until, respond_by=due)


def _handed_over(doing: _Doing, action: Action) -> tuple[LeadEvent, ...]:
    """Whom to must be somebody of the team, which only its records can tell."""
    lead, to = doing.lead, action.to_rep_id
    if to is None or to == lead.rep_id:
        raise IllegalActionError("person_needed")
    if to == doing.rep_id:
        return _taking_over(lead, to)
    reassigned = happened.LeadReassigned(
        from_rep_id=lead.rep_id,
        to_rep_id=to,
        reason="handed_over",
        by_rep_id=doing.rep_id,
        note_id=action.action_id if action.note else None,
    )
    return (reassigned,)


def _reopened(doing: _Doing) -> LeadEvent:
    reopened = happened.LeadReopened(rep_id=doing.rep_id)
    if doing.lead.rep_id != doing.rep_id:
        return reopened
    lead = apply(doing.lead, Change((reopened,)), doing.at)
    until = doing.terms.acknowledged_until(lead, doing.at)
    clocks = doing.terms.stopped(lead, doing.at, "acknowledge")
    return reopened.model_copy(update={"until": until, "clocks": clocks})


def replan(lead: Lead, former: Terms, terms: Terms, at: datetime) -> Change | None:
    """Puts an open lead under another version of the policy; None when it is under it already.

    Steps that were done stay done: the new chain goes on behind the last of them, by its time, yet
    never behind what tells a manager before one was told. A first call that is not late yet is due
    by the new version. A lead that was left alone until now begins now.
    """
    if lead.status == "closed" or terms.policy_version == lead.policy_version:
        return None
    in_time = lead.first_attempt_at is None and lead.breached_at is None and at <= lead.respond_by
    # A promise of another time than the one that was computed stays as it is.
    due = None
    if in_time and lead.snoozed_until is None:
        seconds = terms.chain.respond_within_seconds
        due = terms.calendar.due_if_ever(lead.clock_started_at, seconds)
    follow_up = lead.follow_up
    begins = follow_up.is_idle and lead.awaits_attempt and lead.verdict in terms.chain.follow
    if begins:
        due = terms.calendar.due_if_ever(at, terms.chain.respond_within_seconds)
    replanned = happened.LeadReplanned(
        former_version=lead.policy_version,
        policy_version=terms.policy_version,
        respond_by=due,
        clock_started_at=at if begins else None,
    )
    if lead.awaits_attempt and not follow_up.is_idle:
        done = former.chain.done_seconds(follow_up.round, follow_up.step)
        walked = max(filter(None, (done, follow_up.walked_seconds)), default=done)
        round_number, step = _place_after(walked, follow_up, former.chain, terms.chain)
        follow_up = follow_up.model_copy(
            update={
                "round": round_number,
                "step": step,
                "run": follow_up.run + 1,
                "wake_at": at,
                "walked_seconds": walked,
                "passed": None,
                "cycle": follow_up.cycle + 1,
            }
        )
    elif follow_up.is_idle:
        follow_up = FollowUp(
            run=follow_up.run,
            cycle=follow_up.cycle + 1,
            told_submissions=follow_up.told_submissions,
        )
    return Change((replanned,), follow_up)


def _place_after(
    walked: int | None, follow_up: FollowUp, former: Chain, chain: Chain
) -> tuple[int, int]:
    """Round and step of a chain that takes over from another."""
    place = chain.position_after(walked)
    if follow_up.round > former.rounds:
        # It has ended, and its end was told. A longer chain goes on.
        is_longer = place < (chain.rounds, len(chain.steps))
        return place if is_longer else (chain.rounds + 1, 0)
    if chain.tells_manager_at is None or former.has_told_manager(follow_up.round, follow_up.step):
        return place
    return min(place, (chain.rounds, chain.tells_manager_at))


def _reason(action: Action, allowed: Container[str]) -> str:
    if action.reason is None or action.reason not in allowed:
        raise IllegalActionError("reason_needed")
    if action.reason == "other" and not action.note:
        raise IllegalActionError("note_needed")
    return action.reason
