"""Times, phones and sums as people write them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from shared.texts import figures

NOW = datetime(2026, 11, 20, 22, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "locale", "written"),
    [
        ("UTC", "en", "22:05"),
        ("Europe/Berlin", "en", "23:05"),
        ("Asia/Kathmandu", "en", "03:50"),
        ("UTC", "ru", "22:05"),
    ],
)
def test_a_time_of_today_in_the_readers_zone(zone: str, locale: str, written: str) -> None:
    assert figures.clock(datetime(2026, 11, 20, 22, 5, tzinfo=UTC), zone, NOW, locale) == written


def test_a_time_of_another_day_says_which() -> None:
    monday = datetime(2026, 11, 23, 9, 5, tzinfo=UTC)

    assert figures.clock(monday, "UTC", NOW, "en") == "23 Nov, 09:05"
    assert figures.clock(monday, "UTC", NOW, "ru") == "23 ноя, 09:05"
    # Still the 20th in UTC, and the 21st where both are read.
    assert figures.clock(NOW + timedelta(hours=1), "Europe/Berlin", NOW, "en") == "21 Nov, 00:30"


@pytest.mark.parametrize(
    ("seconds", "english", "russian"),
    [
        (-5, "0 min", "0 мин"),
        (59, "0 min", "0 мин"),
        (60, "1 min", "1 мин"),
        (3599, "59 min", "59 мин"),
        (3600, "1 h", "1 ч"),
        (7860, "2 h 11 min", "2 ч 11 мин"),
        (86400, "1 d", "1 д"),
        (97_260, "1 d 3 h", "1 д 3 ч"),
    ],
)
def test_spans(seconds: int, english: str, russian: str) -> None:
    assert figures.span(timedelta(seconds=seconds), "en") == english
    assert figures.span(timedelta(seconds=seconds), "ru") == russian


@pytest.mark.parametrize(
    ("seconds", "left", "late", "ago"),
    [
        (30, "Less than a minute left", "Less than a minute late", "just now"),
        (60, "1 minute left", "1 minute late", "1 minute ago"),
        (299, "4 minutes left", "4 minutes late", "4 minutes ago"),
        (7860, "2 h 11 min left", "2 h 11 min late", "2 h 11 min ago"),
    ],
)
def test_sentences_about_time(seconds: int, left: str, late: str, ago: str) -> None:
    length = timedelta(seconds=seconds)

    assert figures.time_left(length, "en") == left
    assert figures.lateness(length, "en") == late
    assert figures.ago(length, "en") == ago


@pytest.mark.parametrize(
    ("minutes", "left", "late"),
    [
        (1, "Осталась 1 минута", "Опоздание 1 минута"),
        (3, "Осталось 3 минуты", "Опоздание 3 минуты"),
        (14, "Осталось 14 минут", "Опоздание 14 минут"),
        (125, "Осталось 2 ч 5 мин", "Опоздание 2 ч 5 мин"),
    ],
)
def test_sentences_about_time_in_russian(minutes: int, left: str, late: str) -> None:
    assert figures.time_left(timedelta(minutes=minutes), "ru") == left
    assert figures.lateness(timedelta(minutes=minutes), "ru") == late


@pytest.mark.parametrize(
    ("e164", "extension", "written"),
    [
        ("+79161234567", None, "+7 916 123-45-67"),
        ("+442079460958", "12", "+44 20 7946 0958 ext. 12"),
        ("8 916", None, "8 916"),
    ],
)
def test_phones(e164: str, extension: str | None, written: str) -> None:
    assert figures.phone(e164, extension, "en") == written


def test_an_extension_in_russian() -> None:
    assert figures.phone("+79161234567", "12", "ru") == "+7 916 123-45-67 доб. 12"


@pytest.mark.parametrize(
    ("amount", "english", "russian"),
    [
        ("0", "0 EUR", "0 EUR"),
        ("1200", "1,200 EUR", "1 200 EUR"),
        ("1200.5", "1,200.50 EUR", "1 200,50 EUR"),
        ("123456789.01", "123,456,789.01 EUR", "123 456 789,01 EUR"),
    ],
)
def test_money(amount: str, english: str, russian: str) -> None:
    def spaced(text: str) -> str:
        return text.replace(figures.NO_BREAK_SPACE, " ")

    assert spaced(figures.money(Decimal(amount), "EUR", "en")) == english
    assert spaced(figures.money(Decimal(amount), "EUR", "ru")) == russian
