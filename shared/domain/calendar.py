"""Business hours: which moments count, and when a span of counted time is over.

Everything is computed on instants. Windows are built per local date and then turned into UTC, so
that a change of the clocks, a lunch break, a night shift and a holiday are all the same case. A
window holds its start and not its end: a submission exactly at closing time belongs to the next
window. Where windows overlap, as a night shift and the morning after it, time counts once.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
)

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


def first_moment(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """The first instant, in UTC, at which the clock of a zone shows this time of a date or a later
    one.

    So of a time that comes twice the first counts, and a time that the clock leaps over is where it
    leaps.
    """
    local = datetime.combine(day, wall, zone)
    found = local.astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return found
    # With the offset of before the leap it lies after it, with that of after the leap before it.
    before, after = local.replace(fold=1).astimezone(UTC), found
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        if middle.astimezone(zone).replace(tzinfo=None) < local.replace(tzinfo=None):
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


class Window(BaseModel):
    """Local times of one opening; `until` at or before `since` means the next day."""

    model_config = ConfigDict(frozen=True)

    since: time
    until: time

    def __str__(self) -> str:
        return f"{self.since:%H:%M}-{self.until:%H:%M}"

    def holds(self, wall: time) -> bool:
        """Whether a clock that shows this time stands within the window."""
        if self.until > self.since:
            return self.since <= wall < self.until
        return wall >= self.since or wall < self.until

    def on(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """The instants between which the window is open on a local date."""
        closing_day = day if self.until > self.since else day + timedelta(days=1)
        return first_moment(day, self.since, zone), first_moment(closing_day, self.until, zone)


def _parse_window(text: object) -> object:
    """`10:00-18:00` as people write it."""
    if not isinstance(text, str):
        return text
    since, _, until = text.partition("-")
    return {"since": since.strip(), "until": until.strip()}


Windows = tuple[Annotated[Window, BeforeValidator(_parse_window), PlainSerializer(str)], ...]


class Calendar(BaseModel):
    """A policy document: when somebody is there to call."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zone: Zone
    always: bool = False
    week: dict[Weekday, Windows] = {}
    exceptions: dict[date, Windows] = {}
    """Dates with windows of their own; none for a whole holiday."""
    holidays: Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")] | None = None
    """Where these come from, by ISO 3166-2: `leadline policy publish` writes the public holidays of
    three years into `exceptions`, nothing else looks here."""

    def windows(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The openings that end after `start`, in order, as UTC instants; none overlaps another."""
        counted = start.astimezone(UTC)
        for opening, closing in self._openings(counted):
            if closing > max(opening, counted):
                yield max(opening, counted), closing
                counted = closing

    def _openings(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The openings of each date as they are written down, by their beginnings."""
        zone = ZoneInfo(self.zone)
        # A window of the day before may reach into this day.
        first = start.astimezone(zone).date() - timedelta(days=1)
        for number in range(HORIZON_DAYS):
            day = first + timedelta(days=number)
            windows = self.exceptions.get(day, self.week.get(WEEKDAYS[day.weekday()], ()))
            for window in sorted(windows, key=lambda window: window.since):
                yield window.on(day, zone)

    @property
    def ever_opens(self) -> bool:
        """Whether there is any hour to count: in its weeks, whatever the exceptions."""
        return self.always or any(self.week.values())

    def is_open(self, at: datetime) -> bool:
        """Whether `at` counts."""
        return self.always or next((since <= at for since, _ in self.windows(at)), False)

    def due(self, start: datetime, seconds: float) -> datetime:
        """When `seconds` of open time have passed since `start`. Raises ValueError when never."""
        if self.always:
            return start.astimezone(UTC) + timedelta(seconds=seconds)
        left = timedelta(seconds=seconds)
        for opening, closing in self.windows(start):
            if left <= closing - opening:
                return opening + left
            left -= closing - opening
        raise ValueError("the calendar never opens for that long")

    def due_if_ever(self, start: datetime, seconds: float) -> datetime | None:
        """The same; None when never, as after the last day of a fair."""
        try:
            return self.due(start, seconds)
        except ValueError:
            return None

    def elapsed(self, start: datetime, end: datetime) -> float:
        """The seconds between two moments that were open."""
        if self.always:
            return max(0.0, (end - start).total_seconds())
        total = timedelta()
        for opening, closing in self.windows(start):
            if opening >= end:
                break
            total += min(closing, end) - opening
        return total.total_seconds()
