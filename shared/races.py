"""Two at once on one lead: whoever comes second reads again, decides again and tries again.

The lead's version decides who was first (`LeadTable.record`); here is what the others do.
"""

import random
from collections.abc import Callable
from typing import Protocol, TypeVar

from shared.domain.lead import Lead
from shared.errors import LeadChangedError

TRIES = 5
PAUSE_SECONDS = 0.05

T = TypeVar("T")


class Leads(Protocol):
    def lead(self, lead_id: str) -> Lead | None: ...


def on_latest_lead(
    lead_id: str,
    leads: Leads,
    do: Callable[[Lead | None], T],
    pause: Callable[[float], None],
    *,
    tries: int = TRIES,
    pause_seconds: float = PAUSE_SECONDS,
) -> T:
    """What `do` makes of the lead as it is now; once more when somebody wrote the lead first.

    `do` decides by the lead that it is given, and records. The pauses between the tries grow from
    `pause_seconds`, with jitter. Raises LeadChangedError when the lead never stood still.
    """
    for failures in range(tries):
        if failures:
            pause(random.uniform(0, pause_seconds * 2 ** (failures - 1)))  # noqa: S311 - jitter
        try:
            return do(leads.lead(lead_id))
        except LeadChangedError:
            continue
    raise LeadChangedError(lead_id)
