"""Moments in time as Leadline keeps them: aware, in UTC, to the millisecond."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, PlainSerializer


def to_millisecond(moment: datetime) -> datetime:
    """The same moment in UTC, cut to the millisecond, so that what is stored equals what is in
    memory.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone means nothing")
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def iso(moment: datetime) -> str:
    """`2026-11-20T09:00:00.000Z`: sorts as text in the order of time."""
    return to_millisecond(moment).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Instant = Annotated[
    datetime, AfterValidator(to_millisecond), PlainSerializer(iso, when_used="always")
]
"""A moment in a stored model."""


def seconds_between(start: datetime, end: datetime) -> Decimal:
    """To the millisecond; 0 when clocks of two machines disagree on the order."""
    milliseconds = max(0, (end - start) // timedelta(milliseconds=1))
    return Decimal(milliseconds).scaleb(-3)
