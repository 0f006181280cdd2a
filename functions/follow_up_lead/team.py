"""The open leads behind the code of a list: a rep's own, or for a manager those of the team."""

from datetime import datetime
from typing import Literal, NamedTuple, get_args

from follow_up_lead.service import Parts, behind, terms_of
from shared.domain.lead import Lead
from shared.domain.roster import Rep, Roster
from shared.errors import PolicyError

Stage = Literal["late", "waiting", "called", "talked"]
"""Where an open lead stands, the most urgent first: the call is overdue; it is awaited; nobody has
talked to the person; nobody knows what came of it."""


class Listed(NamedTuple):
    """An open lead in a list."""

    lead: Lead
    stage: Stage
    call_by: datetime
    """When the call is due that the lead awaits."""
    since: datetime
    """When the lead came, or began anew."""
    business_seconds: float | None
    """From then to now; None when its policy cannot be read."""


class SeenList(NamedTuple):
    """Open leads: a rep's own, or for a manager those of the team."""

    at: datetime
    viewer: Rep
    roster: Roster
    leads: list[Listed]


def see_list(code: str, parts: Parts, now: datetime) -> SeenList:
    """The open leads behind a code, the most urgent first. Raises UnknownLinkError."""
    _, viewer, roster = behind(code, "list", parts.leads, now)
    rep_ids: list[str | None] = [viewer.rep_id]
    if viewer.role == "manager":
        rep_ids = [None, *roster.people]
    found = [_listed(lead, parts, now) for lead in parts.leads.open_leads(viewer.team, rep_ids)]
    return SeenList(now, viewer, roster, sorted(found, key=_urgency))


def _listed(lead: Lead, parts: Parts, now: datetime) -> Listed:
    """A lead as it stands now; also when its policy cannot be read, for the sake of the others."""
    is_again = lead.awaits_attempt and lead.first_attempt_at is not None
    since = lead.counts_from if is_again and lead.counts_from <= now else lead.received_at
    try:
        terms = terms_of(lead, parts)
    except PolicyError:
        call_by, business_seconds = lead.snoozed_until or lead.respond_by, None
    else:
        call_by, business_seconds = terms.call_by(lead), terms.calendar.elapsed(since, now)
    return Listed(lead, _stage(lead, call_by, now), call_by, since, business_seconds)


def _stage(lead: Lead, call_by: datetime, now: datetime) -> Stage:
    if lead.awaits_attempt:
        return "late" if now >= call_by else "waiting"
    return "called" if lead.contacted_at is None else "talked"


def _urgency(listed: Listed) -> tuple[int, datetime]:
    """By stage; then the call that is due first, or who came first."""
    moment = listed.call_by if listed.lead.awaits_attempt else listed.lead.received_at
    return get_args(Stage).index(listed.stage), moment
