"""Public holidays of a calendar, as the closed days that it is published with.

Written out by whoever publishes, so that a function needs no package, and a lead's deadline does
not move when somebody corrects one.
"""

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any

import holidays

from shared.errors import PolicyError

YEARS = 3
"""This year and the next two: a response of two years' open time is the longest there is."""


def with_holidays(name: str, calendar: object, today: date) -> object:
    """A calendar document with its `holidays` among its `exceptions`, where those say nothing of
    the day. Raises PolicyError for a place that nobody knows.
    """
    if not isinstance(calendar, Mapping) or not isinstance(calendar.get("holidays"), str):
        return calendar
    own = calendar.get("exceptions") or {}
    if not isinstance(own, Mapping):
        return calendar
    try:
        closed = closed_days(calendar["holidays"], today.year)
    except NotImplementedError as error:
        raise PolicyError(f"{name}: holidays: {error}") from error
    exceptions: dict[Any, Any] = {**dict.fromkeys(closed, ()), **own}
    exceptions = {day: list(windows or ()) for day, windows in exceptions.items()}
    return {**calendar, "exceptions": exceptions}


@cache
def closed_days(place: str, year: int) -> tuple[str, ...]:
    """The public holidays of a country, or a part of one (ISO 3166-2, `DE-BE`), as ISO dates."""
    country, _, part = place.partition("-")
    known = holidays.country_holidays(country, subdiv=part or None, years=range(year, year + YEARS))
    return tuple(day.isoformat() for day in sorted(known))
