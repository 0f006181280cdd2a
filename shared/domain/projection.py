"""What events make of a lead: the projection that is written in the same transaction with them."""

from collections.abc import Callable, Mapping
from datetime import datetime

from shared.domain import events as happened
from shared.domain.events import AlertFailed, AlertSent, LeadEvent
from shared.domain.lead import (
    VERDICTS,
    Change,
    FollowUp,
    LastAction,
    Lead,
    OpenAlert,
    Outcome,
    Passed,
    SettledAlert,
)

Fields = dict[str, object]
"""What changes on a lead."""

OUTLIVE_A_CALL: tuple[happened.AlertKind, ...] = (
    "again",
    "handed_over",
    "off_duty",
    "unreachable",
)
"""Alerts that are not about a call that nobody made."""

NOBODY_IS_ON_IT: Fields = dict.fromkeys(
    ("acknowledged_at", "acknowledged_by", "acknowledged_until")
)


def apply(lead: Lead, change: Change, at: datetime) -> Lead:
    """The lead after the events of a change, all of them at one moment."""
    before = lead
    for event in change.events:
        lead = lead.model_copy(update=_effect(lead, event, at))
        if event.clocks:
            # What a clock showed first stays.
            stopped = {reading.clock: reading for reading in event.clocks}
            lead = lead.model_copy(update={"readings": {**stopped, **lead.readings}})
    fields: Fields = {
        "version": lead.version + 1,
        "sequence": lead.sequence + len(change.events),
    }
    follow_up = change.follow_up or lead.follow_up
    if not lead.awaits_attempt:
        # What was asked for because nobody had called makes no sense any more.
        follow_up = follow_up.model_copy(update={"wake_at": None, "planned": True})
        is_open = lead.status == "open"
        fields |= _alerts_where(lead, lambda a: _lasts(a) and (is_open or a.kind == "off_duty"))
    fields["follow_up"] = follow_up
    if change.action_id is not None:
        fields["actions"] = (*lead.actions, change.action_id)[-5:]
    after = lead.model_copy(update=fields)
    after = after.model_copy(update={"settled_alerts": _in_question(after)})
    return after.model_copy(update={"last_action": _last_action(before, after, change, at)})


def settled(lead: Lead, outcome: AlertSent | AlertFailed) -> AlertSent | AlertFailed:
    """What to record of an alert: only the first to a rep says how long it took."""
    if isinstance(outcome, AlertFailed) or lead.alerted_at is None:
        return outcome
    return outcome.model_copy(update={"after_seconds": None})


def _effect(lead: Lead, event: LeadEvent, at: datetime) -> Fields:
    """The fields that one event changes; an event without an effect of its own changes none."""
    match event:
        case happened.LeadResubmitted():
            return _resubmitted(lead, event, at)
        case happened.AlertRequested(alert_id=alert_id):
            alert = OpenAlert.model_validate({**event.model_dump(), "requested_at": at})
            return {"open_alerts": {**lead.open_alerts, alert_id: alert}}
        case AlertSent() | AlertFailed():
            return _settled(lead, event, at)
        case happened.ActionUndone():
            return _undone(lead, at)
        case happened.RepNotReached(alert_ids=alert_ids):
            left = {k: a for k, a in lead.settled_alerts.items() if k not in alert_ids}
            return {"settled_alerts": left}
        case happened.LeadAttempted():
            return _attempted(lead, event, at)
        case happened.LeadContacted():
            return {"contacted_at": lead.contacted_at or at}
        case happened.ResponseBreached(promise_broken=promise_broken):
            return {"breached_at": at, "promise_broken": promise_broken}
        case happened.LeadRejected(reason=reason):
            return _closed("rejected", at, reason=reason)
        case happened.DealWon(amount=amount, currency=currency):
            return _closed("won", at, amount=amount, currency=currency)
        case happened.DealLost(reason=reason):
            return _closed("lost", at, reason=reason)
        case _:
            return {**_on_owner(lead, event, at), **_on_plan(lead, event, at)}


# --- alerts and calls ----------------------------------------------------------------------------


def _settled(lead: Lead, event: AlertSent | AlertFailed, at: datetime) -> Fields:
    """One alert less. One that arrived is a page, which its owner may answer."""
    left = {key: a for key, a in lead.open_alerts.items() if key != event.alert_id}
    fields: Fields = {"open_alerts": left}
    last = lead.last_action
    if last is not None and event.alert_id in last.open_alerts:
        # It was on its way when it was called off: there is nothing to bring back but what came
        # of it, as its message is in question again once that is undone.
        called_off = {key: a for key, a in last.open_alerts.items() if key != event.alert_id}
        came_to = _came_to(last.open_alerts[event.alert_id], event)
        settled = {**last.settled_alerts, event.alert_id: came_to}
        kept = {"open_alerts": called_off, "settled_alerts": settled}
        fields["last_action"] = last.model_copy(update=kept)
    if alert := lead.open_alerts.get(event.alert_id):
        came_to = _came_to(alert, event)
        fields["settled_alerts"] = {**lead.settled_alerts, event.alert_id: came_to}
    if not isinstance(event, AlertSent):
        return fields
    if event.after_seconds is not None:
        fields["alerted_at"] = at
    is_waited_for = event.alert_id in lead.open_alerts and not lead.acknowledged_at
    if event.rep_id == lead.rep_id and is_waited_for and not lead.follow_up.paged_at:
        fields["follow_up"] = lead.follow_up.model_copy(update={"paged_at": at})
    return fields


def _came_to(alert: OpenAlert, event: AlertSent | AlertFailed) -> SettledAlert:
    came_to: Fields = {}
    if isinstance(event, AlertFailed):
        came_to["failed"] = event.reason
    else:
        came_to["covered"] = event.rang == "covered" and bool(alert.by_email_too)
    return SettledAlert.model_validate({**alert.model_dump(), **came_to})


def _attempted(lead: Lead, event: happened.LeadAttempted, at: datetime) -> Fields:
    """A call; a talk also does away with a time that was agreed before."""
    fields: Fields = {
        "attempts": lead.attempts + 1,
        "last_result": event.result,
        "last_attempt_at": at,
        "follow_up": _answered(lead),
    }
    if lead.first_attempt_at is None:
        fields |= {"first_attempt_at": at, "first_attempt_by": event.rep_id}
    if event.result == "talked" and lead.snoozed_until is not None and lead.snoozed_until > at:
        fields |= {
            "snoozed_until": None,
            "follow_up": _answered(lead).model_copy(
                update={"counts_from": at, "tell_owner": False}
            ),
        }
    return fields


def _answered(lead: Lead) -> FollowUp:
    """Whoever had the lead has answered, or has it no more: no page of theirs is open."""
    return lead.follow_up.model_copy(update={"paged_at": None})


def _alerts_where(lead: Lead, stands: Callable[[OpenAlert], bool]) -> Fields:
    """The alerts whose reason still stands: those under way, and those that failed."""
    return {
        "open_alerts": {k: a for k, a in lead.open_alerts.items() if stands(a)},
        "settled_alerts": {k: a for k, a in lead.settled_alerts.items() if stands(a)},
    }


def _without(lead: Lead, *kinds: happened.AlertKind) -> Fields:
    """The alerts that are left when the reason for these kinds is gone."""
    return _alerts_where(lead, lambda alert: alert.kind not in kinds)


def _lasts(alert: OpenAlert) -> bool:
    """Whether an alert stands though nobody waits for a call."""
    return alert.kind in OUTLIVE_A_CALL


def _in_question(lead: Lead) -> Mapping[str, SettledAlert]:
    """What came of messages of which something is still under way, or did not reach somebody."""
    settled = lead.settled_alerts
    heard = {
        (alert.message(key), alert.rep_id)
        for key, alert in settled.items()
        if alert.failed is None and not alert.covered
    }
    settled = {
        key: alert
        for key, alert in settled.items()
        if alert.failed is None or (alert.message(key), alert.rep_id) not in heard
    }
    open_messages = {alert.message(key) for key, alert in lead.open_alerts.items()}
    open_messages |= {a.message(key) for key, a in settled.items() if a.failed is not None}
    return {key: a for key, a in settled.items() if a.message(key) in open_messages}


# --- who has it ----------------------------------------------------------------------------------


def _on_owner(lead: Lead, event: LeadEvent, at: datetime) -> Fields:
    match event:
        case happened.LeadAssigned(rep_id=rep_id):
            return {
                "rep_id": rep_id,
                "assigned_at": at,
                "assignment_failed_at": None,
                **_without(lead, "unassigned"),
                "follow_up": _answered(lead),
            }
        case happened.AssignmentFailed():
            return {"assignment_failed_at": at}
        case happened.LeadReassigned():
            return _reassigned(lead, event, at)
        case happened.LeadAcknowledged(rep_id=rep_id, until=until):
            return {
                "acknowledged_at": at,
                "acknowledged_by": rep_id,
                "acknowledged_until": until,
                **_without(lead, "repeat", "backup", "offer"),
                "follow_up": _answered(lead),
            }
        case happened.AcknowledgementExpired() | happened.LeadEscalated(to="team"):
            # Whoever says so first has it now.
            return NOBODY_IS_ON_IT
        case _:
            return {}


def _reassigned(lead: Lead, event: happened.LeadReassigned, at: datetime) -> Fields:
    """The new owner has said nothing yet and has a clock of their own; no snooze outlives it.

    Somebody who was handed the lead is told by the planner, whose chain begins anew where it had
    ended, or waited for an agreed time.
    """
    follow_up = _answered(lead)
    is_handed = event.reason == "handed_over"
    waits = lead.snoozed_until is not None and lead.snoozed_until > at
    has_ended = follow_up.planned and follow_up.wake_at is None and not follow_up.is_idle
    if lead.awaits_attempt and (waits or (has_ended and is_handed)):
        follow_up = follow_up.restarted(at, "reassigned")
    follow_up = follow_up.model_copy(update={"tell_owner": is_handed})
    return {
        "rep_id": event.to_rep_id,
        "assigned_at": at,
        "assignment_failed_at": None,
        "handed_by": event.by_rep_id,
        "handed_with": event.note_id,
        **_alerts_where(
            lead,
            lambda alert: (
                alert.kind != "unassigned"
                and (alert.rep_id != event.from_rep_id or alert.kind == "off_duty")
            ),
        ),
        **NOBODY_IS_ON_IT,
        "snoozed_until": None,
        "readings": {key: r for key, r in lead.readings.items() if key != "owner"},
        "follow_up": follow_up,
    }


# --- when it is looked at ------------------------------------------------------------------------


def _on_plan(lead: Lead, event: LeadEvent, at: datetime) -> Fields:
    match event:
        case happened.LeadSnoozed(until=until, respond_by=respond_by):
            return {
                "snoozed_until": until,
                "snoozes": lead.snoozes + 1,
                "agreed_at": until if respond_by else lead.agreed_at,
                "respond_by": respond_by or lead.respond_by,
                # What they asked for replaces what they were told.
                "promised_by": respond_by if lead.promised_by and respond_by else lead.promised_by,
                **_alerts_where(lead, _lasts),
                **NOBODY_IS_ON_IT,
                "follow_up": lead.follow_up.restarted(until, "snoozed").model_copy(
                    update={"tell_owner": True}
                ),
            }
        case happened.LeadReopened(rep_id=rep_id, until=until):
            on_it: Fields = {
                "acknowledged_at": at,
                "acknowledged_by": rep_id,
                "acknowledged_until": until,
            }
            return {
                **dict.fromkeys(("outcome", "reason", "amount", "currency", "closed_at")),
                **(on_it if rep_id == lead.rep_id else NOBODY_IS_ON_IT),
                "status": "open",
                "snoozed_until": None,
                "follow_up": lead.follow_up.restarted(at, "reopened"),
            }
        case happened.LeadReplanned():
            return {
                "policy_version": event.policy_version,
                "respond_by": event.respond_by or lead.respond_by,
                "clock_started_at": event.clock_started_at or lead.clock_started_at,
            }
        case _:
            return {}


def _resubmitted(lead: Lead, event: happened.LeadResubmitted, at: datetime) -> Fields:
    """A further submission counts; a better one than all before makes the lead better.

    When nobody followed the lead up so far, because of its verdict, it starts anew with this one.
    """
    fields: Fields = {
        "submissions": lead.submissions + 1,
        "resubmitted_at": max(at, lead.resubmitted_at or lead.received_at),
        "promised_by": lead.promised_by or event.promised_by,
    }
    if VERDICTS.index(event.verdict) < VERDICTS.index(lead.verdict):
        fields["verdict"] = event.verdict
        if lead.awaits_attempt and lead.follow_up.is_idle:
            fields |= {
                "clock_started_at": at,
                "respond_by": event.respond_by,
                "follow_up": FollowUp(run=lead.follow_up.run, cycle=lead.follow_up.cycle + 1),
                **NOBODY_IS_ON_IT,
            }
    return fields


def _closed(outcome: Outcome, at: datetime, **details: object) -> Fields:
    return {"status": "closed", "outcome": outcome, "closed_at": at, **details}


# --- taking back ---------------------------------------------------------------------------------

NEVER_UNDONE: tuple[str, ...] = ("ResponseBreached",)
"""What time did: a call has only noticed it."""

_NOT_OF_AN_ACTION = {
    "version",
    "sequence",
    "actions",
    "last_action",
    "open_alerts",
    "settled_alerts",
    "readings",
    "follow_up",
    "breached_at",
    "promise_broken",
}
_OF_THE_PLANNER = {
    "run",
    "wake_at",
    "cycle",
    "planned",
    "told_submissions",
    "told_again_at",
    "quiet_until",
    "reminded",
    "knows",
    "passed",
}
"""Of the bookmark; it goes on whatever people do."""


def _last_action(before: Lead, after: Lead, change: Change, at: datetime) -> LastAction | None:
    """What can be undone after a change: itself, nothing, or what could be before."""
    if change.action_id is None:
        return None if _has_gone_on(before, after, change) else after.last_action
    if change.rep_id is None:
        return None
    numbers = range(before.sequence + 1, after.sequence + 1)
    events = [
        (number, event)
        for number, event in zip(numbers, change.events, strict=True)
        if event.type not in NEVER_UNDONE
    ]
    calls = [event for _, event in events if isinstance(event, happened.LeadAttempted)]
    former, latter = before.model_dump(mode="json"), after.model_dump(mode="json")
    clocks = {*before.readings, *after.readings}
    begins_anew = before.follow_up.cycle != after.follow_up.cycle
    return LastAction(
        action_id=change.action_id,
        rep_id=change.rep_id,
        at=at,
        sequences=tuple(number for number, _ in events),
        events=tuple(event.type for _, event in events),
        fields={
            name: value
            for name, value in former.items()
            if name not in _NOT_OF_AN_ACTION and value != latter[name]
        },
        readings={
            clock: before.readings.get(clock)
            for clock in clocks
            if before.readings.get(clock) != after.readings.get(clock)
        },
        open_alerts={
            key: alert for key, alert in before.open_alerts.items() if key not in after.open_alerts
        },
        settled_alerts={
            key: alert
            for key, alert in before.settled_alerts.items()
            if key not in after.settled_alerts
        },
        earlier_alerts=(
            *(key for key in before.open_alerts if key in after.open_alerts),
            *(key for key in before.settled_alerts if key in after.settled_alerts),
        ),
        follow_up=_former_bookmark(before, after, all_of_it=begins_anew),
        begins_anew=begins_anew,
        in_time=calls[0].in_time if calls else None,
        promise_kept=calls[0].promise_kept if calls else None,
    )


def _has_gone_on(before: Lead, after: Lead, change: Change) -> bool:
    """Whether a machine, or a visitor, has decided something that stands on the last action."""
    last = before.last_action
    for event in change.events:
        match event:
            case (
                happened.LeadAssigned()
                | happened.LeadReassigned()
                | happened.LeadReplanned()
                | happened.AcknowledgementExpired()
                | happened.LeadEscalated(to="team")
            ):
                return True
            case happened.LeadResubmitted() if last is not None and last.has_reopened:
                # What they wrote would be closed with the lead, unread, and open no lead either.
                return True
    return before.follow_up.cycle != after.follow_up.cycle


def _former_bookmark(before: Lead, after: Lead, *, all_of_it: bool) -> Fields:
    former = before.follow_up.model_dump(mode="json", exclude=_OF_THE_PLANNER)
    latter = after.follow_up.model_dump(mode="json")
    names = {name for name in former if all_of_it or former[name] != latter[name]}
    if _is_on_it(before) != _is_on_it(after):
        # Some steps wait for that: those that were left out meanwhile are still to be done.
        names |= {"round", "step"}
    if before.rep_id == after.rep_id:
        # They have answered, even by mistake.
        names.discard("paged_at")
    return {name: former[name] for name in names}


def _is_on_it(lead: Lead) -> bool:
    return lead.acknowledged_at is not None


def _undone(lead: Lead, at: datetime) -> Fields:
    """The lead without its last action, and with everything else that has happened since.

    The planner looks at once, by a run of its own. Where the chain had begun anew it goes on where
    it was before, as a cycle of its own, so that no lease of the cycle that is undone stands in
    the way.
    """
    last = lead.last_action
    if last is None:
        return {}
    former = Lead.model_validate({**lead.model_dump(), **last.fields})
    readings = {key: r for key, r in lead.readings.items() if key not in last.readings}
    readings |= {key: r for key, r in last.readings.items() if r is not None}

    def stays(key: str, alert: OpenAlert) -> bool:
        return key in last.earlier_alerts or _stays(alert, lead, former, last)

    awaited = {key: a for key, a in lead.open_alerts.items() if stays(key, a)}
    in_question = {key: a for key, a in lead.settled_alerts.items() if stays(key, a)}
    return {
        **{name: getattr(former, name) for name in last.fields},
        "readings": readings,
        "open_alerts": {**last.open_alerts, **awaited},
        "settled_alerts": {**last.settled_alerts, **in_question},
        "follow_up": _former_place(lead, former, last, at),
        "counted_in_time": lead.counted_in_time if last.in_time is None else last.in_time,
    }


def _stays(alert: OpenAlert, lead: Lead, former: Lead, last: LastAction) -> bool:
    """Whether an alert that came since was asked for by something else than what is undone."""
    if alert.kind in {"off_duty", "again", "unassigned"}:
        return True
    is_taken_back = former.rep_id != lead.rep_id and alert.rep_id == lead.rep_id
    return not last.begins_anew and not is_taken_back


def _former_place(lead: Lead, former: Lead, last: LastAction, at: datetime) -> FollowUp:
    now = lead.follow_up
    passed = now.passed
    is_untold = now.knows and former.status == "open" and not _is_on_it(former)
    if not last.begins_anew and "step" in last.follow_up:
        is_on_it = _is_on_it(lead)
        passed = Passed(now.round, now.step, "acknowledged" if is_on_it else "not_acknowledged")
    return FollowUp.model_validate(
        {
            **now.model_dump(),
            **last.follow_up,
            "run": now.run + 1,
            "wake_at": at,
            "planned": True,
            "cycle": now.cycle + 1 if last.begins_anew else now.cycle,
            "passed": None if last.begins_anew else passed,
            # Nobody was told, as somebody was on it who is not any more.
            **({"tell_owner": True, "knows": False} if is_untold else {}),
        }
    )
