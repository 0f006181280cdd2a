"""Moments and lengths, as they are shown."""

import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from infra.simulation.words import length, moment, since


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (299.9, "4 min 59 s"),
        (3600, "1 h"),
        (3661, "1 h 1 min"),
        (86399, "23 h 59 min"),
        (86400, "1 d"),
        (3 * 86400 + 4 * 3600 + 59 * 60, "3 d 4 h"),
        (math.inf, "never"),
    ],
)
def test_lengths_have_two_units_and_are_cut(seconds: float, words: str) -> None:
    assert length(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "+0:00:00"), (245, "+0:04:05"), (86399, "+23:59:59"), (3 * 86400 + 61, "+3 d 0:01:01")],
)
def test_time_since_is_a_clock(seconds: float, words: str) -> None:
    assert since(seconds) == words


def test_an_hour_that_comes_twice_is_told_by_its_zone() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    first, second = (datetime(2026, 10, 25, hour, 58, tzinfo=UTC) for hour in (0, 1))
    assert moment(first.astimezone(berlin)) == "Sun 25 Oct 02:58:00 CEST"
    assert moment(second.astimezone(berlin)) == "Sun 25 Oct 02:58:00 CET"
