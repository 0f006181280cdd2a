"""Sends somebody a new link to their list, which they asked for on the page `/r`."""

from datetime import datetime
from typing import Literal

from send_alert.service import Parts
from shared.adapters.alerts import AlertRefusedError
from shared.adapters.link_table import LINK_LIFE, Link
from shared.texts.alerts import new_link_sms

Sent = Literal["sent", "failed", "dropped"]


def send_link(team: str, rep_id: str, asked_at: str, parts: Parts, now: datetime) -> Sent:
    """Texts the link to the person's number in the roster, once for each time that they asked.

    Raises AlertNotSentError when SNS is in trouble: the queue tries again.
    """
    found = (rep for rep in parts.people.of_team(team) if rep.rep_id == rep_id)
    rep = next(found, None)
    if rep is None or not rep.active or rep.phone is None:
        return "dropped"
    expires_at = int((now + LINK_LIFE).timestamp())
    link = Link(kind="list", team=team, rep_id=rep_id, expires_at=expires_at)
    code = parts.links.lease_link(asked_at, link, now)
    if code is None:
        return "dropped"
    try:
        parts.sender.sms(rep.phone, new_link_sms(rep.locale, f"{parts.public_url}/r/{code}"))
    except AlertRefusedError:
        return "failed"
    return "sent"
