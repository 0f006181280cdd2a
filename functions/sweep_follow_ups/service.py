"""Queues the leads that nobody woke in time."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from shared.observability import Metric

LEADS_SWEPT = Metric("LeadsSwept")
OVERDUE = timedelta(seconds=60)
"""So long after its time a step is not just busy but missed."""


class Leads(Protocol):
    def overdue(self, before: datetime) -> Iterable[str]: ...


class AdvanceQueue(Protocol):
    def send(self, messages: Sequence[Mapping[str, object]]) -> None: ...


def sweep(leads: Leads, advance_queue: AdvanceQueue, now: datetime) -> int:
    """Queues every overdue lead and returns how many there were."""
    found = list(leads.overdue(now - OVERDUE))
    advance_queue.send([{"lead_id": lead_id, "swept": True} for lead_id in found])
    return len(found)
