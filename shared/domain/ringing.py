"""Many leads at once for one person: the first few ring one by one, the others together.

A phone that rings for each of thirty leads at opening is put away, and then it rings for nobody.
"""

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from shared.domain.instants import Instant

ONE_BY_ONE = 3
"""So many leads in a row ring by themselves."""
BURST = timedelta(minutes=2)
KEPT = timedelta(days=1)

Ring = Literal["alone", "together", "covered"]
"""How the SMS of an alert goes out: by itself; as the one that leads to the list; or not at all,
because that one did.
"""


class Together(BaseModel):
    """The one SMS for all further leads, and the alert that sends it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    lead_id: str
    alert_id: str
    at: Instant


class Ringing(BaseModel):
    """What was texted to one person within the last minutes."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: int = 0
    alone: dict[str, Instant] = {}
    """Leads that rang by themselves, and when they first did."""
    together: Together | None = None

    @property
    def kept_until(self) -> int:
        """In seconds since 1970: what rang so long ago tells nothing any more."""
        last = max(
            (*self.alone.values(), *([self.together.at] if self.together else ())), default=None
        )
        return int((last + KEPT).timestamp()) if last else 0

    def without(self, lead_id: str, alert_id: str) -> "Ringing":
        """The same without the SMS for all, if this alert was to send it."""
        together = self.together
        if together is None or (together.lead_id, together.alert_id) != (lead_id, alert_id):
            return self
        return self.model_copy(update={"version": self.version + 1, "together": None})


class Rung(NamedTuple):
    """How one alert rings, and what to remember of it."""

    ring: Ring
    ringing: Ringing


def ring(ringing: Ringing, lead_id: str, alert_id: str, now: datetime) -> Rung:
    """Decides by what was texted to the person lately; the same again for an alert that is tried
    again.
    """
    recent = {lead: at for lead, at in ringing.alone.items() if at > now - BURST}
    together = ringing.together
    if together is not None and together.at <= now - BURST:
        together = None
    if together is not None and (together.lead_id, together.alert_id) == (lead_id, alert_id):
        return Rung("together", ringing)
    if lead_id in recent:
        return Rung("alone", ringing)
    if together is not None:
        return Rung("covered", ringing)
    after = {"version": ringing.version + 1, "alone": recent, "together": None}
    if len(recent) < ONE_BY_ONE:
        after["alone"] = {**recent, lead_id: now}
        return Rung("alone", ringing.model_copy(update=after))
    after["together"] = Together(lead_id=lead_id, alert_id=alert_id, at=now)
    return Rung("together", ringing.model_copy(update=after))
