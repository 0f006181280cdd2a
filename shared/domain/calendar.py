"""Business hours: which moments count, and when a span of counted time is over.

Everything is computed on instants. Windows are built per local date and then turned into UTC, so
that a change of the clocks, a lunch break, a night shift and a holiday are all the same case. A
window holds its start and not its end: a submission exactly at closing time belongs to the next
window.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

HORIZON_DAYS = 800
"""A calendar that does not open within two years never does."""

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except ZoneInfoNotFoundError as error:
        raise ValueError(f"no such time zone: {name}") from error
    return name


Zone = Annotated[str, AfterValidator(_known_zone)]
"""An IANA time zone, such as `Europe/Berlin`."""


class Window(BaseModel):
    """Local times of one opening; `until` at or before `since` means the next day."""

    model_config = ConfigDict(frozen=True)

    since: time
    until: time

    def on(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """The instants between which the window is open on a local date."""
        closing_day = day if self.until > self.since else day + timedelta(days=1)
        opening = datetime.combine(day, self.since, zone).astimezone(UTC)
        return opening, datetime.combine(closing_day, self.until, zone).astimezone(UTC)


def _parse_window(text: object) -> object:
    """`10:00-18:00` as people write it."""
    if not isinstance(text, str):
        return text
    since, _, until = text.partition("-")
    return {"since": since.strip(), "until": until.strip()}


Windows = tuple[Annotated[Window, BeforeValidator(_parse_window)], ...]


class Calendar(BaseModel):
    """A policy document: when somebody is there to call."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zone: Zone
    always: bool = False
    week: dict[Weekday, Windows] = {}
    exceptions: dict[date, Windows] = {}
    """Dates with windows of their own; none for a whole holiday."""

    def windows(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The openings that end after `start`, in order, as UTC instants."""
        zone = ZoneInfo(self.zone)
        # A window of the day before may reach into this day.
        first = start.astimezone(zone).date() - timedelta(days=1)
        for number in range(HORIZON_DAYS):
            day = first + timedelta(days=number)
            for window in self.exceptions.get(day, self.week.get(WEEKDAYS[day.weekday()], ())):
                opening, closing = window.on(day, zone)
                if closing > max(start, opening):
                    yield opening, closing

    def is_open(self, at: datetime) -> bool:
        """Whether `at` counts."""
        return self.always or next((since <= at for since, _ in self.windows(at)), False)

    def due(self, start: datetime, seconds: float) -> datetime:
        """When `seconds` of open time have passed since `start`. Raises ValueError when never."""
        if self.always:
            return start.astimezone(UTC) + timedelta(seconds=seconds)
        left = timedelta(seconds=seconds)
        for opening, closing in self.windows(start):
            since = max(start.astimezone(UTC), opening)
            if left <= closing - since:
                return since + left
            left -= closing - since
        raise ValueError("the calendar never opens for that long")

    def elapsed(self, start: datetime, end: datetime) -> float:
        """The seconds between two moments that were open."""
        if self.always:
            return max(0.0, (end - start).total_seconds())
        total = timedelta()
        for opening, closing in self.windows(start):
            if opening >= end:
                break
            total += max(timedelta(), min(closing, end) - max(opening, start))
        return total.total_seconds()
