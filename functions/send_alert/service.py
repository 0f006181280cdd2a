"""Sends one alert to one person through one channel, and records that it did.

Lease, look again, publish, record: never zero messages, and a second one only when the process died
between publishing and recording.
"""

from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from shared.adapters.alerts import AlertRefusedError
from shared.adapters.lead_table import LINK_LIFE, Link
from shared.domain.events import AlertFailed, AlertSent, LeadEvent
from shared.domain.lead import Lead, OpenAlert
from shared.domain.roster import Rep
from shared.errors import LeadChangedError
from shared.texts import alerts as texts

TRIES = 5

Sent = Literal["sent", "failed", "dropped", "sent_before"]


class Leads(Protocol):
    def lead(self, lead_id: str) -> Lead | None: ...
    def people(self, team: str) -> list[Rep]: ...
    def lease_alert(self, lead_id: str, alert_id: str, link: Link, now: datetime) -> str | None: ...
    def settle_alert(self, lead: Lead, alert_id: str, event: LeadEvent, at: datetime) -> Lead: ...


class Sender(Protocol):
    def sms(self, phone: str, text: str) -> str: ...
    def email(self, rep_id: str, subject: str, text: str) -> str: ...


class Parts(NamedTuple):
    """The parts that sending needs; `public_url` is where links point."""

    leads: Leads
    sender: Sender
    public_url: str


def send(lead_id: str, alert_id: str, parts: Parts, now: datetime) -> Sent:
    """Sends the alert unless it was sent, or the reason for it is gone.

    Raises AlertLeasedError while another worker is at it and AlertNotSentError when SNS is in
    trouble: the queue tries again.
    """
    lead = parts.leads.lead(lead_id)
    if lead is None or alert_id not in lead.open_alerts:
        return "dropped"
    alert = lead.open_alerts[alert_id]
    rep = {rep.rep_id: rep for rep in parts.leads.people(lead.team)}.get(alert.rep_id)
    if rep is None or not rep.reachable_by(alert.via):
        return _settle(lead, alert_id, _failed(alert_id, alert, "unreachable"), parts.leads, now)
    code = parts.leads.lease_alert(lead_id, alert_id, _link(lead, rep, now), now)
    if code is None:
        return "sent_before"
    # Somebody may have called between the two reads: a call beats every alert.
    lead = parts.leads.lead(lead_id)
    if lead is None or alert_id not in lead.open_alerts:
        return "dropped"
    try:
        message_id = _publish(lead, alert, rep, code, parts, now)
    except AlertRefusedError as error:
        event: LeadEvent = _failed(alert_id, alert, error.reason)
    else:
        event = AlertSent(
            alert_id=alert_id, rep_id=rep.rep_id, via=alert.via, message_id=message_id
        )
    return _settle(lead, alert_id, event, parts.leads, now)


def _link(lead: Lead, rep: Rep, now: datetime) -> Link:
    """A rep's link opens the lead, a manager's the open leads of the team."""
    return Link(
        kind="list" if rep.role == "manager" else "lead",
        team=lead.team,
        rep_id=rep.rep_id,
        lead_id=None if rep.role == "manager" else lead.lead_id,
        expires_at=int((now + LINK_LIFE).timestamp()),
    )


def _publish(lead: Lead, alert: OpenAlert, rep: Rep, code: str, parts: Parts, now: datetime) -> str:
    link = f"{parts.public_url}/{'r' if rep.role == 'manager' else 'l'}/{code}"
    if alert.via == "sms":
        text = texts.sms(lead, alert.kind, rep.locale, link, rep.zone, now)
        return parts.sender.sms(rep.phone or "", text)
    email = texts.email(lead, alert.kind, rep.locale, link, rep.zone, now)
    return parts.sender.email(rep.rep_id, email.subject, email.text)


def _failed(alert_id: str, alert: OpenAlert, reason: str) -> AlertFailed:
    return AlertFailed(alert_id=alert_id, rep_id=alert.rep_id, via=alert.via, reason=reason)


def _settle(
    lead: Lead | None, alert_id: str, event: LeadEvent, leads: Leads, now: datetime
) -> Sent:
    """Records what became of the alert, on the lead as it is by now."""
    for _ in range(TRIES):
        if lead is None:
            return "dropped"
        try:
            leads.settle_alert(lead, alert_id, event, now)
        except LeadChangedError:
            lead = leads.lead(lead.lead_id)
        else:
            return "sent" if isinstance(event, AlertSent) else "failed"
    raise LeadChangedError(alert_id)
