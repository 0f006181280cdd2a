"""When to expect a call, in words that are right in both languages, any zone and any season."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.texts.promise import told

MONDAY = datetime(2026, 11, 30, 9, 5, tzinfo=UTC)
BERLIN = "Europe/Berlin"


def test_the_whole_sentence() -> None:
    assert told(MONDAY, BERLIN, "en") == (
        "We are closed now. We will call you on Monday, 30 November, by 10:05 (Berlin time)."
    )
    assert told(MONDAY, BERLIN, "ru") == (
        "Сейчас мы не работаем. Позвоним вам в понедельник, 30 ноября, до 10:05 "
        "(по берлинскому времени)."
    )


@pytest.mark.parametrize(
    ("days", "english", "russian"),
    [
        (1, "on Tuesday, 1 December,", "во вторник, 1 декабря,"),
        (2, "on Wednesday, 2 December,", "в среду, 2 декабря,"),
        (3, "on Thursday, 3 December,", "в четверг, 3 декабря,"),
        (4, "on Friday, 4 December,", "в пятницу, 4 декабря,"),
        (5, "on Saturday, 5 December,", "в субботу, 5 декабря,"),
        (6, "on Sunday, 6 December,", "в воскресенье, 6 декабря,"),
        (32, "on Friday, 1 January,", "в пятницу, 1 января,"),
        (66, "on Thursday, 4 February,", "в четверг, 4 февраля,"),
        (95, "on Friday, 5 March,", "в пятницу, 5 марта,"),
        (123, "on Friday, 2 April,", "в пятницу, 2 апреля,"),
        (154, "on Monday, 3 May,", "в понедельник, 3 мая,"),
        (184, "on Wednesday, 2 June,", "в среду, 2 июня,"),
        (214, "on Friday, 2 July,", "в пятницу, 2 июля,"),
        (245, "on Monday, 2 August,", "в понедельник, 2 августа,"),
        (276, "on Thursday, 2 September,", "в четверг, 2 сентября,"),
        (306, "on Saturday, 2 October,", "в субботу, 2 октября,"),
    ],
)
def test_days_and_months_stand_in_their_case(days: int, english: str, russian: str) -> None:
    moment = MONDAY + timedelta(days=days)

    assert english in told(moment, "UTC", "en")
    assert russian in told(moment, "UTC", "ru")


@pytest.mark.parametrize(
    ("moment", "zone", "wanted"),
    [
        ("2026-03-27T09:05Z", BERLIN, "Friday, 27 March, by 10:05"),
        ("2026-03-30T08:05Z", BERLIN, "Monday, 30 March, by 10:05"),
        ("2026-10-26T09:05Z", BERLIN, "Monday, 26 October, by 10:05"),
        ("2026-11-30T20:05Z", "Asia/Vladivostok", "Tuesday, 1 December, by 06:05"),
        ("2026-11-30T03:05Z", "America/New_York", "Sunday, 29 November, by 22:05"),
    ],
)
def test_the_clock_is_the_one_on_the_companys_wall(moment: str, zone: str, wanted: str) -> None:
    assert wanted in told(datetime.fromisoformat(moment), zone, "en")


@pytest.mark.parametrize(
    ("zone", "english", "russian"),
    [
        ("Europe/Moscow", "(Moscow time)", "(по московскому времени)"),
        ("America/Los_Angeles", "(Los Angeles time)", "(по лос-анджелесскому времени)"),
        ("Europe/Ljubljana", "(Ljubljana time)", "(время: Ljubljana)"),
        ("America/Argentina/Buenos_Aires", "(Buenos Aires time)", "(время: Buenos Aires)"),
        # The name of such a zone has the sign that nobody expects.
        ("Etc/GMT-3", "(UTC+03:00)", "(UTC+03:00)"),
        ("UTC", "(UTC+00:00)", "(UTC+00:00)"),
    ],
)
def test_a_zone_is_called_by_its_place(zone: str, english: str, russian: str) -> None:
    assert told(MONDAY, zone, "en").endswith(f"{english}.")
    assert told(MONDAY, zone, "ru").endswith(f"{russian}.")


@pytest.mark.parametrize(
    ("seconds", "wanted"), [(0, "10:05"), (1, "10:06"), (30, "10:06"), (60, "10:06")]
)
def test_a_time_between_two_minutes_is_told_as_the_later_one(seconds: int, wanted: str) -> None:
    assert f"by {wanted} (" in told(MONDAY + timedelta(seconds=seconds), BERLIN, "en")
