"""What became of each alert of a lead: sent, refused, on its way, or not needed any more."""

from collections.abc import Container, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Literal, NamedTuple

from shared.domain.events import (
    ActionUndone,
    AlertFailed,
    AlertRequested,
    AlertSent,
    LeadCaptured,
    LeadEvent,
    RecordedEvent,
)
from shared.domain.lead import Change, Lead
from shared.domain.projection import apply

Became = Literal["sent", "failed", "pending", "dropped"]
"""`dropped`: the reason for it went before it was sent."""


class Alerted(NamedTuple):
    """One alert, and what became of it."""

    at: datetime
    request: AlertRequested
    became: Became
    settled_at: datetime | None = None
    because: LeadEvent | None = None
    """`AlertSent` or `AlertFailed`; of a dropped one the event that took its reason away."""


def alert_history(lead: Lead, recorded: Iterable[RecordedEvent]) -> list[Alerted]:
    """The alerts in the order in which they were asked for.

    No event says that an alert is not needed any more: that is what the others make of the lead, so
    they are gone through once more. What waits in the end is what the lead itself waits for.
    """
    found: dict[str, Alerted] = {}
    so_far: Lead | None = None
    for events, action in _as_done(list(recorded)):
        for each in events:
            _note(each, found)
        first, last = events[0], events[-1]
        if isinstance(first.event, LeadCaptured) and so_far is None:
            so_far = _opened(lead, first.event, first.at)
        elif so_far is not None:
            so_far = apply(so_far, _change(events, action), last.at)
            _compare(found, so_far.open_alerts, last)
    for alert_id in found.keys() & lead.open_alerts.keys():
        found[alert_id] = _waiting(found[alert_id])
    return list(found.values())


def _note(recorded: RecordedEvent, found: dict[str, Alerted]) -> None:
    """What an event says of an alert itself."""
    match recorded.event:
        case AlertRequested(alert_id=alert_id) as request:
            found[alert_id] = Alerted(recorded.at, request, "pending")
        case (AlertSent(alert_id=alert_id) | AlertFailed(alert_id=alert_id)) as outcome:
            if alert_id in found:
                became: Became = "sent" if isinstance(outcome, AlertSent) else "failed"
                found[alert_id] = found[alert_id]._replace(
                    became=became, settled_at=recorded.at, because=outcome
                )


def _compare(
    found: dict[str, Alerted], open_alerts: Container[str], recorded: RecordedEvent
) -> None:
    """Whether an event took the reason of an alert away, or brought it back."""
    for alert_id, alert in found.items():
        if alert.became == "pending" and alert_id not in open_alerts:
            found[alert_id] = alert._replace(
                became="dropped", settled_at=recorded.at, because=recorded.event
            )
        elif alert.became == "dropped" and alert_id in open_alerts:
            found[alert_id] = _waiting(alert)


def _waiting(alert: Alerted) -> Alerted:
    return alert._replace(became="pending", settled_at=None, because=None)


def _as_done(
    story: Sequence[RecordedEvent],
) -> Iterator[tuple[Sequence[RecordedEvent], ActionUndone | None]]:
    """The events one by one; those of an action that was undone together, as only a whole action
    can be taken back.
    """
    undone = {
        number: each.event
        for each in story
        if isinstance(each.event, ActionUndone) and each.event.sequences
        for number in range(min(each.event.sequences), max(each.event.sequences) + 1)
    }
    for action, events in groupby(story, lambda each: undone.get(each.sequence)):
        if action is not None:
            yield list(events), action
        else:
            yield from (([each], None) for each in events)


def _change(events: Sequence[RecordedEvent], action: ActionUndone | None) -> Change:
    if action is None:
        return Change(tuple(each.event for each in events))
    return Change(
        tuple(each.event for each in events), action_id=action.action_id, rep_id=action.rep_id
    )


def _opened(lead: Lead, captured: LeadCaptured, at: datetime) -> Lead:
    """The lead when it came, as far as its alerts depend on it."""
    return Lead(
        lead_id=lead.lead_id,
        version=1,
        sequence=1,
        form_id=captured.form_id,
        channel=captured.channel,
        team=captured.team,
        locale=lead.locale,
        policy_version=captured.policy_version,
        verdict=captured.verdict,
        received_at=lead.received_at,
        clock_started_at=at,
        respond_by=captured.respond_by,
        promised_by=captured.promised_by,
    )
