"""Who may see and take which lead by the code of a list: any other looks like absent."""

from collections.abc import Callable

from shared.domain.clocks import Terms
from shared.domain.lead import Lead
from shared.domain.roster import Rep
from shared.errors import PolicyError


def may_see(lead: Lead, viewer: Rep, terms: Callable[[Lead], Terms]) -> bool:
    """A manager sees every lead of the team; a rep their own, and those that are free to take."""
    if lead.team != viewer.team or not viewer.active:
        return False
    return viewer.role == "manager" or lead.rep_id == viewer.rep_id or is_free(lead, terms)


def is_free(lead: Lead, terms: Callable[[Lead], Terms]) -> bool:
    """Whether nobody has the lead, or it was offered to the team and nobody is on it."""
    if lead.status != "open":
        return False
    if lead.rep_id is None:
        return True
    place = lead.follow_up
    if not lead.awaits_attempt or lead.acknowledged_by is not None or place.is_idle:
        return False
    try:
        return terms(lead).chain.has_offered(place.round, place.step)
    except PolicyError:
        return False
