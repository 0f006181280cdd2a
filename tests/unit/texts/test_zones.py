"""What the time of a zone is called; the visitor's sentence about a call is in test_promise."""

from datetime import UTC, datetime

import pytest

from shared.texts.zones import zone_time

WINTER, SUMMER = (datetime(2026, month, 10, 9, tzinfo=UTC) for month in (1, 7))


@pytest.mark.parametrize(
    ("zone", "english", "russian"),
    [
        ("Europe/Berlin", "Berlin time", "по берлинскому времени"),
        ("Europe/Ljubljana", "Ljubljana time", "время: Ljubljana"),
        ("Etc/GMT-3", "UTC+03:00", "UTC+03:00"),
        ("UTC", "UTC+00:00", "UTC+00:00"),
    ],
)
def test_a_zone_in_both_languages(zone: str, english: str, russian: str) -> None:
    assert (zone_time(zone, WINTER, "en"), zone_time(zone, WINTER, "ru")) == (english, russian)


def test_a_zone_without_a_place_is_told_as_it_is_at_the_moment() -> None:
    assert (zone_time("CET", WINTER, "en"), zone_time("CET", SUMMER, "en")) == (
        "UTC+01:00",
        "UTC+02:00",
    )
