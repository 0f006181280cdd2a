"""A calendar that works its openings out once: a simulation asks for the same days all the time."""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property
from operator import itemgetter

from shared.domain.calendar import Calendar

Opening = tuple[datetime, datetime]


class _Memory:
    def __init__(self) -> None:
        self.since: datetime | None = None
        """The moment that was first asked about. Those before it are worked out each time."""
        self.known: list[Opening] = []
        self.further: Iterator[Opening] = iter(())

    def grows(self) -> bool:
        """Looks for one more opening."""
        opening = next(self.further, None)
        self.known += [opening] if opening else []
        return opening is not None


class RememberedCalendar(Calendar):
    """Says what the calendar says that it was made of; for two years after it was first asked."""

    @cached_property
    def _memory(self) -> _Memory:
        return _Memory()

    def windows(self, start: datetime) -> Iterator[Opening]:
        counted, memory = start.astimezone(UTC), self._memory
        if memory.since is None:
            memory.since, memory.further = counted, super().windows(counted)
        if counted < memory.since:
            yield from super().windows(counted)
            return
        known = memory.known
        place = bisect_right(known, counted, key=itemgetter(1))
        while place < len(known) or memory.grows():
            opening, closing = known[place]
            if closing > counted:
                yield max(opening, counted), closing
            place += 1


def remembered(calendar: Calendar) -> RememberedCalendar:
    return RememberedCalendar.model_construct(**dict(calendar))
