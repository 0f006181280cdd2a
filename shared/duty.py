"""On duty and off it: what a person's switch does, wherever it is thrown."""

from collections.abc import Sequence
from typing import Protocol

from shared.domain.lead import Lead
from shared.domain.roster import Rep


class Leads(Protocol):
    def open_leads(self, team: str, rep_ids: Sequence[str | None]) -> list[Lead]: ...


def switched(rep: Rep, *, on: bool) -> Rep:
    """The person on duty, or off it. Whoever says that they are back has missed nothing."""
    update = {"on_duty": True, "missed_pages": 0} if on else {"on_duty": False}
    return rep.model_copy(update=update)


def waiting_for_somebody(rep: Rep, leads: Leads) -> list[Lead]:
    """The leads of the team that nobody has, if this person could be given one: now or later. A
    lead that waits for somebody knows when, and this may be sooner.
    """
    if not rep.takes_leads:
        return []
    nobodys = leads.open_leads(rep.team, [None])
    return [lead for lead in nobodys if lead.awaits_attempt and not lead.follow_up.is_idle]
