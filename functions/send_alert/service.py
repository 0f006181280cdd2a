"""Sends one alert to one person through one channel, and records that it did.

Lease, look again, publish, settle, record: never zero messages, and a second one only when the
process died, or the table did not answer, between publishing and settling.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple, Protocol

from shared.adapters.alerts import AlertRefusedError
from shared.adapters.link_table import LINK_LIFE, Link
from shared.domain.events import AlertFailed, AlertKind, AlertSent
from shared.domain.instants import seconds_between
from shared.domain.lead import ALONE, Change, Lead, Note, OpenAlert
from shared.domain.projection import settled
from shared.domain.ringing import Ring
from shared.domain.roster import Rep
from shared.races import on_latest_lead
from shared.texts import alerts as texts

ACTOR = "send_alert"
RING_ALONE: tuple[AlertKind, ...] = ("backup", "callback", "off_duty", "unreachable")
"""Whatever else rings: a time was agreed, somebody gets no more leads, or the lead is a colleague's
and so not in the list that one SMS leads to.
"""
TRIES = 8
PAUSE_SECONDS = 0.02

Outcome = AlertSent | AlertFailed
Sent = Literal["sent", "failed", "dropped"]


class Leads(Protocol):
    def lead(self, lead_id: str) -> Lead | None: ...
    def note(self, lead_id: str, note_id: str) -> Note | None: ...
    def record(self, lead: Lead, change: Change, *, actor: str, at: datetime) -> Lead: ...


class People(Protocol):
    def of_team(self, team: str) -> list[Rep]: ...


class Alerts(Protocol):
    def lease_alert(
        self, lead_id: str, alert_id: str, link: Link, now: datetime
    ) -> str | Outcome: ...
    def settle_alert(self, lead_id: str, outcome: Outcome) -> None: ...


class Ringing(Protocol):
    def ring(self, rep: Rep, lead_id: str, alert_id: str, now: datetime) -> Ring: ...
    def stop_ringing(self, rep: Rep, lead_id: str, alert_id: str) -> None: ...


class Links(Protocol):
    def lease_link(self, asked_at: str, link: Link, now: datetime) -> str | None: ...


class Sender(Protocol):
    def sms(self, phone: str, text: str) -> str: ...
    def email(self, rep: Rep, subject: str, text: str) -> str: ...


class Parts(NamedTuple):
    """The parts that sending needs; `public_url` is where links point."""

    leads: Leads
    people: People
    alerts: Alerts
    ringing: Ringing
    links: Links
    sender: Sender
    public_url: str
    pause: Callable[[float], None]
    clock: Callable[[], datetime]


def send(lead_id: str, alert_id: str, parts: Parts, now: datetime) -> Sent:
    """Sends the alert unless it was sent, or the reason for it is gone.

    Raises AlertLeasedError while another worker is at it, AlertNotSentError when SNS is in trouble
    and LeadChangedError when the lead never stood still: the queue tries again.
    """
    lead = parts.leads.lead(lead_id)
    if lead is None or alert_id not in lead.open_alerts:
        return "dropped"
    alert = lead.open_alerts[alert_id]
    people = {rep.rep_id: rep for rep in parts.people.of_team(lead.team)}
    rep = people.get(alert.rep_id)
    if rep is None or not rep.active or not rep.reachable_by(alert.via):
        return _record(lead_id, _failed(alert_id, alert, "unreachable"), parts, now, again=True)
    ring = _ring(lead_id, alert_id, alert, rep, parts, now)
    is_list = ring == "together" or rep.role == "manager"
    leased = parts.alerts.lease_alert(lead_id, alert_id, _link(lead, rep, now, is_list), now)
    if not isinstance(leased, str):
        return _record(lead_id, leased, parts, now, again=True)
    # Somebody may have called between the two reads: a call beats every alert.
    lead = parts.leads.lead(lead_id)
    if lead is None or alert_id not in lead.open_alerts:
        if ring == "together":
            parts.ringing.stop_ringing(rep, lead_id, alert_id)
        return "dropped"
    outcome: Outcome
    try:
        link = f"{parts.public_url}/{'r' if is_list else 'l'}/{leased}"
        message_id, ring = _publish(lead, alert, people, link, ring, parts, now)
    except AlertRefusedError as error:
        if ring == "together":
            parts.ringing.stop_ringing(rep, lead_id, alert_id)
        outcome = _failed(alert_id, alert, error.reason)
    else:
        outcome = AlertSent(
            alert_id=alert_id,
            rep_id=rep.rep_id,
            via=alert.via,
            message_id=message_id,
            after_seconds=None if ring == "covered" else _waited(lead, rep, parts.clock()),
            rang=None if ring == "alone" else ring,
        )
    parts.alerts.settle_alert(lead_id, outcome)
    return _record(lead_id, outcome, parts, now)


def _ring(
    lead_id: str, alert_id: str, alert: OpenAlert, rep: Rep, parts: Parts, now: datetime
) -> Ring:
    """Who has no e-mail is texted of each lead: nothing else would tell them which ones."""
    if alert.via != "sms" or rep.email is None or alert.kind in RING_ALONE:
        return "alone"
    if alert_id.endswith(ALONE):
        return "alone"
    return parts.ringing.ring(rep, lead_id, alert_id, now)


def _link(lead: Lead, rep: Rep, now: datetime, is_list: bool) -> Link:
    """A rep's link opens the lead, a manager's the open leads of the team."""
    return Link(
        kind="list" if is_list else "lead",
        team=lead.team,
        rep_id=rep.rep_id,
        lead_id=lead.lead_id,
        expires_at=int((now + LINK_LIFE).timestamp()),
    )


def _publish(
    lead: Lead,
    alert: OpenAlert,
    people: Mapping[str, Rep],
    link: str,
    ring: Ring,
    parts: Parts,
    now: datetime,
) -> tuple[str, Ring]:
    """Returns the id of the message and how it rang at last; the id is empty where a message about
    another lead does for this one, too.
    """
    rep = people[alert.rep_id]
    about = people.get(alert.about or "")
    message_id = ""
    is_mailed = alert.via == "email" or (ring != "alone" and not alert.by_email_too)
    colleague = None
    if is_mailed or ring == "alone":
        colleague = _colleague(lead, alert, people, parts.leads)
    if is_mailed:
        email = (
            texts.off_duty_email(about, rep, link)
            if about
            else texts.email(lead, alert.kind, rep, link, now, colleague)
        )
        try:
            message_id = parts.sender.email(rep, email.subject, email.text)
        except AlertRefusedError:
            if alert.via == "email":
                raise
            # Then the SMS is all there is: no other may stand for it.
            ring = "alone" if ring == "covered" else ring
    if alert.via == "email" or ring == "covered":
        return message_id, ring
    if about:
        text = texts.off_duty_sms(about, rep, link)
    elif ring == "together":
        text = texts.together_sms(rep, link)
    else:
        text = texts.sms(lead, alert.kind, rep, link, now, colleague)
    return parts.sender.sms(rep.phone or "", text), ring


def _colleague(
    lead: Lead, alert: OpenAlert, people: Mapping[str, Rep], leads: Leads
) -> texts.Colleague | None:
    """Who gave the lead to whoever is told that it is theirs, or has it, for anybody else."""
    if alert.kind == "handed_over" and alert.rep_id == lead.rep_id:
        giver = people.get(lead.handed_by or "")
        note = leads.note(lead.lead_id, lead.handed_with) if lead.handed_with else None
        return texts.Colleague(giver.name, note.text if note else None) if giver else None
    owner = people.get(lead.rep_id or "")
    # Whoever is offered a lead may take it, whoever has it.
    is_told_whose = alert.kind != "offer" and alert.rep_id != lead.rep_id
    return texts.Colleague(owner.name) if owner and is_told_whose else None


def _waited(lead: Lead, rep: Rep, sent_at: datetime) -> Decimal | None:
    """What counts is when a rep hears of a lead, not when a manager does that nobody is there."""
    return seconds_between(lead.clock_started_at, sent_at) if rep.role == "rep" else None


def _failed(alert_id: str, alert: OpenAlert, reason: str) -> AlertFailed:
    return AlertFailed(alert_id=alert_id, rep_id=alert.rep_id, via=alert.via, reason=reason)


def _record(
    lead_id: str, outcome: Outcome, parts: Parts, now: datetime, *, again: bool = False
) -> Sent:
    """Records what became of the alert, on the lead as it is by now.

    A whole team may be told of one lead in one moment, so each worker makes room for the others.
    `again` marks an outcome that another worker may have recorded by now.
    """

    def record(lead: Lead | None) -> None:
        if lead is not None and not (again and outcome.alert_id not in lead.open_alerts):
            parts.leads.record(lead, Change((settled(lead, outcome),)), actor=ACTOR, at=now)

    on_latest_lead(
        lead_id, parts.leads, record, parts.pause, tries=TRIES, pause_seconds=PAUSE_SECONDS
    )
    return "sent" if isinstance(outcome, AlertSent) else "failed"
