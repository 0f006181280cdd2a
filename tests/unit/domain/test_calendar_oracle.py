"""Calendars against an oracle without arithmetic: it looks at the clock on the wall each minute."""

import random
from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.domain.calendar import WEEKDAYS, Calendar

MINUTE = timedelta(minutes=1)
DAYS = 16
CASES = 100
CALENDARS = 1000

LEAPS = (
    # Half an hour; not a whole number of hours; winter time in Ramadan.
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Asia/Kathmandu", date(2026, 6, 1)),
    ("Africa/Casablanca", date(2026, 2, 15)),
    ("Africa/Casablanca", date(2026, 3, 22)),
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
    # At midnight; two hours; a quarter past; a day that never was; no change of clocks.
    ("America/Havana", date(2026, 3, 8)),
    ("America/Havana", date(2026, 11, 1)),
    ("Antarctica/Troll", date(2026, 3, 29)),
    ("Antarctica/Troll", date(2026, 10, 25)),
    ("Pacific/Chatham", date(2026, 9, 27)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("Europe/Moscow", date(2026, 1, 1)),
)


@cache
def shown(zone: str, first: datetime) -> list[datetime]:
    """The latest local time that the clock has shown by each minute, which only grows."""
    info = ZoneInfo(zone)
    minutes = (first + MINUTE * number for number in range(DAYS * 24 * 60))
    return list(accumulate((m.astimezone(info).replace(tzinfo=None) for m in minutes), max))


class Oracle:
    """Which minutes are open, one by one."""

    def __init__(self, calendar: Calendar, first: datetime) -> None:
        self.first = first
        clock = shown(calendar.zone, first)
        is_open = [False] * len(clock)
        for number in range(-1, DAYS + 1):
            day = clock[0].date() + timedelta(days=number)
            for window in calendar.exceptions.get(
                day, calendar.week.get(WEEKDAYS[day.weekday()], ())
            ):
                last = day if window.until > window.since else day + timedelta(days=1)
                opening = bisect_left(clock, datetime.combine(day, window.since))
                closing = bisect_left(clock, datetime.combine(last, window.until))
                is_open[opening:closing] = [True] * (closing - opening)
        self.is_open = is_open
        self.open_before = [0, *accumulate(is_open)]

    def elapsed(self, start: int, end: int) -> int:
        """Open minutes between two minutes."""
        return self.open_before[end] - self.open_before[start]

    def due(self, start: int, minutes: int) -> int | None:
        """The minute at which so many open ones have passed; None when the oracle's days end."""
        if minutes == 0:
            return next((n for n in range(start, len(self.is_open)) if self.is_open[n]), None)
        found = bisect_left(self.open_before, self.open_before[start] + minutes)
        return found if found < len(self.open_before) else None


def windows(draw: random.Random) -> list[str]:
    """None to three, of any length, over midnight, touching or overlapping."""

    def at() -> str:
        often = draw.choice(
            ["00:00", "01:30", "02:00", "02:30", "03:00", "06:00", "09:00", "18:00"]
        )
        return draw.choice([often, f"{draw.randrange(24):02}:{draw.randrange(60):02}"])

    return [f"{at()}-{at()}" for _ in range(draw.choice([0, 1, 1, 1, 2, 3]))]


def calendars(seed: int, count: int) -> Iterator[tuple[Calendar, datetime, random.Random]]:
    for number in range(count):
        draw = random.Random(f"{seed}-{number}")
        zone, leap = LEAPS[number % len(LEAPS)]
        first = datetime.combine(leap, time(), UTC) - timedelta(days=draw.choice([2, 5]))
        near = [leap + timedelta(days=n) for n in range(-3, 4)]
        plan: dict[str, Any] = {
            "zone": zone,
            "week": {day: windows(draw) for day in WEEKDAYS},
            "exceptions": {day: windows(draw) for day in near if draw.random() < 0.2},
        }
        yield Calendar.model_validate(plan), first, draw


def test_a_calendar_counts_the_minutes_that_the_clock_shows_as_open() -> None:
    compared = 0
    for calendar, first, draw in calendars(seed=1, count=CALENDARS):
        oracle = Oracle(calendar, first)
        for _ in range(CASES):
            # A window of the day before the oracle's first may reach a day into it.
            start = draw.randrange(24 * 60, 10 * 24 * 60)
            end = start + draw.randrange(5 * 24 * 60)
            minutes = draw.choice([0, 1, 5, 15, 60, draw.randrange(2000)])
            at, until = first + MINUTE * start, first + MINUTE * end
            case = (calendar, at, until, minutes)
            assert calendar.is_open(at) == oracle.is_open[start], case
            assert calendar.elapsed(at, until) == 60 * oracle.elapsed(start, end), case
            due = oracle.due(start, minutes)
            if due is not None:
                assert calendar.due(at, minutes * 60) == first + MINUTE * due, case
            compared += 1
    assert compared == CALENDARS * CASES


@pytest.mark.parametrize(
    ("zone", "day", "window", "opening", "closing"),
    [
        ("Europe/Berlin", date(2026, 3, 29), "02:30-04:00", "01:00", "02:00"),
        ("Europe/Berlin", date(2026, 10, 25), "02:30-04:00", "00:30", "03:00"),
        ("Europe/Berlin", date(2026, 10, 25), "01:00-02:30", "23:00", "00:30"),
        ("Australia/Lord_Howe", date(2026, 10, 4), "02:10-03:00", "15:30", "16:00"),
    ],
)
def test_a_time_that_comes_twice_or_never(
    zone: str, day: date, window: str, opening: str, closing: str
) -> None:
    calendar = Calendar.model_validate({"zone": zone, "exceptions": {day: [window]}})
    start = datetime.combine(day, time(), UTC) - timedelta(days=1)
    found = next(calendar.windows(start))
    assert tuple(f"{moment:%H:%M}" for moment in found) == (opening, closing)


def test_a_window_that_the_clock_leaps_over_is_none() -> None:
    skipped = {"zone": "Pacific/Apia", "exceptions": {"2011-12-30": ["09:00-18:00"]}}
    start = datetime(2011, 12, 28, tzinfo=UTC)
    assert not list(Calendar.model_validate(skipped).windows(start))


def test_windows_that_overlap_count_once() -> None:
    plan = {"zone": "UTC", "week": {"mon": ["22:00-06:00", "23:00-01:00"], "tue": ["05:00-09:00"]}}
    monday = datetime(2026, 8, 10, 12, tzinfo=UTC)
    calendar = Calendar.model_validate(plan)
    assert calendar.elapsed(monday, monday + timedelta(days=1)) == 11 * 3600
    assert calendar.due(monday, 9 * 3600) == datetime(2026, 8, 11, 7, tzinfo=UTC)
