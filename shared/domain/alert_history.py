"""What became of each alert of a lead: sent, refused, on its way, or not needed any more."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, NamedTuple

from shared.domain.events import (
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
    they are gone through once more.
    """
    found: dict[str, Alerted] = {}
    so_far: Lead | None = None
    for each in recorded:
        event = each.event
        if isinstance(event, LeadCaptured) and so_far is None:
            so_far = _opened(lead, event, each.at)
            continue
        if isinstance(event, AlertRequested):
            found[event.alert_id] = Alerted(each.at, event, "pending")
        if isinstance(event, AlertSent | AlertFailed) and event.alert_id in found:
            became: Became = "sent" if isinstance(event, AlertSent) else "failed"
            found[event.alert_id] = found[event.alert_id]._replace(
                became=became, settled_at=each.at, because=event
            )
        if so_far is None:
            continue
        so_far = apply(so_far, Change((event,)), each.at)
        for alert_id, alert in found.items():
            if alert.became == "pending" and alert_id not in so_far.open_alerts:
                found[alert_id] = alert._replace(
                    became="dropped", settled_at=each.at, because=event
                )
    return list(found.values())


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
