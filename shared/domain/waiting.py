"""Where open leads stand, and which of them comes first."""

from datetime import datetime
from typing import Literal, NamedTuple, get_args

from shared.domain.clocks import Terms
from shared.domain.lead import Lead

Stage = Literal["late", "free", "waiting", "asked_again", "called", "talked"]
"""Where an open lead stands, the most urgent first: the call is overdue; it is for whoever takes
it; the call is awaited; the person has written since the last call; nobody has talked to them;
nobody knows what came of it."""


class Listed(NamedTuple):
    """An open lead in a list."""

    lead: Lead
    stage: Stage
    call_by: datetime
    """When the call is due that the lead awaits."""
    since: datetime
    """When the lead came, also when its first call was put off; while one more call is awaited,
    when that began to be; for who has written since the last call, when they did.
    """
    business_seconds: float | None
    """From then to now; None when its policy cannot be read."""
    is_free: bool = False
    """Whether anybody of the team may take it."""


def listed(lead: Lead, terms: Terms | None, now: datetime) -> Listed:
    """A lead as it stands now; also when its policy cannot be read, for the sake of the others."""
    is_again = lead.awaits_attempt and lead.first_attempt_at is not None
    since = lead.counts_from if is_again and lead.counts_from <= now else lead.received_at
    since = lead.asked_again_at or since
    if terms is None:
        call_by, business_seconds = lead.snoozed_until or lead.respond_by, None
    else:
        call_by, business_seconds = terms.call_by(lead), terms.calendar.elapsed(since, now)
    return Listed(lead, _stage(lead, call_by, now), call_by, since, business_seconds)


def urgency(one: Listed) -> tuple[int, datetime]:
    """By stage; then the call that is due first, or who came first."""
    moment = one.call_by if one.lead.awaits_attempt else one.since
    return get_args(Stage).index(one.stage), moment


def _stage(lead: Lead, call_by: datetime, now: datetime) -> Stage:
    if lead.awaits_attempt:
        return "late" if now >= call_by else "waiting"
    if lead.asked_again_at is not None:
        return "asked_again"
    return "called" if lead.contacted_at is None else "talked"
