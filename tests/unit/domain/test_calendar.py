"""Business hours: golden vectors, among them those that two vendors' own documents get wrong."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.calendar import WEEKDAYS, Calendar, Window

BERLIN = "Europe/Berlin"
WORKDAYS = WEEKDAYS[:5]


def workdays(*windows: str) -> Calendar:
    return Calendar.model_validate({"zone": BERLIN, "week": dict.fromkeys(WORKDAYS, windows)})


TEN_TO_SIX = workdays("10:00-18:00")
EIGHT_TO_FIVE = workdays("08:00-17:00")
NINE_TO_FIVE = workdays("09:00-17:00")
LUNCH = workdays("09:00-13:00", "14:00-18:00")
ALWAYS = Calendar(zone=BERLIN, always=True)
NIGHT = Calendar.model_validate({"zone": BERLIN, "week": dict.fromkeys(WEEKDAYS, ("22:00-06:00",))})
CHRISTMAS = Calendar.model_validate(
    {
        "zone": BERLIN,
        "week": dict.fromkeys(WORKDAYS, ("09:00-18:00",)),
        "exceptions": {"2026-12-24": ["09:00-12:00"], "2026-12-25": []},
    }
)


def berlin(month: int, day: int, hour: int, minute: int) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=ZoneInfo(BERLIN))


@pytest.mark.parametrize(
    ("calendar", "start", "minutes", "due"),
    [
        pytest.param(TEN_TO_SIX, berlin(8, 8, 15, 0), 15, "2026-08-10T08:15Z", id="saturday"),
        pytest.param(TEN_TO_SIX, berlin(8, 8, 20, 30), 15, "2026-08-10T08:15Z", id="sat evening"),
        pytest.param(TEN_TO_SIX, berlin(8, 7, 17, 55), 15, "2026-08-10T08:10Z", id="over weekend"),
        pytest.param(TEN_TO_SIX, berlin(8, 7, 18, 0), 5, "2026-08-10T08:05Z", id="at closing"),
        pytest.param(TEN_TO_SIX, berlin(8, 10, 9, 59), 5, "2026-08-10T08:05Z", id="before opening"),
        pytest.param(EIGHT_TO_FIVE, berlin(8, 7, 16, 0), 240, "2026-08-10T09:00Z", id="four hours"),
        pytest.param(NINE_TO_FIVE, berlin(8, 7, 17, 0), 480, "2026-08-10T15:00Z", id="whole day"),
        pytest.param(TEN_TO_SIX, berlin(8, 5, 15, 0), 600, "2026-08-06T15:00Z", id="ten hours"),
        pytest.param(TEN_TO_SIX, berlin(8, 5, 20, 0), 600, "2026-08-07T10:00Z", id="from evening"),
        pytest.param(LUNCH, berlin(8, 6, 12, 50), 30, "2026-08-06T12:20Z", id="over lunch"),
        pytest.param(ALWAYS, berlin(3, 28, 23, 58), 5, "2026-03-28T23:03Z", id="midnight"),
        pytest.param(ALWAYS, berlin(3, 29, 1, 58), 5, "2026-03-29T01:03Z", id="spring forward"),
        pytest.param(ALWAYS, berlin(10, 25, 2, 58), 5, "2026-10-25T01:03Z", id="fall back"),
        pytest.param(NIGHT, berlin(3, 28, 22, 0), 420, "2026-03-29T04:00Z", id="short night"),
        pytest.param(CHRISTMAS, berlin(12, 24, 11, 50), 30, "2026-12-28T08:20Z", id="half day"),
    ],
)
def test_due_time(calendar: Calendar, start: datetime, minutes: int, due: str) -> None:
    expected = datetime.fromisoformat(due)

    assert calendar.due(start, minutes * 60) == expected
    assert calendar.elapsed(start, expected) == minutes * 60


def test_a_window_holds_its_start_and_not_its_end() -> None:
    assert TEN_TO_SIX.is_open(berlin(8, 7, 10, 0))
    assert not TEN_TO_SIX.is_open(berlin(8, 7, 18, 0))
    assert not TEN_TO_SIX.is_open(berlin(8, 8, 12, 0))
    assert ALWAYS.is_open(berlin(8, 8, 3, 0))


def test_a_calendar_that_never_opens_says_so() -> None:
    with pytest.raises(ValueError, match="never opens"):
        Calendar(zone=BERLIN).due(berlin(8, 8, 12, 0), 60)


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        Calendar(zone="Europe/Nowhere")


def test_a_window_over_midnight_ends_on_the_next_day() -> None:
    opening, closing = Window(since=time(22), until=time(6)).on(date(2026, 8, 7), ZoneInfo(BERLIN))

    assert closing - opening == timedelta(hours=8)


@given(
    start=st.datetimes(
        datetime(2026, 1, 1),
        datetime(2027, 12, 31),
        timezones=st.just(UTC),
    ),
    minutes=st.integers(0, 3 * 24 * 60),
    calendar=st.sampled_from([TEN_TO_SIX, LUNCH, NIGHT, CHRISTMAS, ALWAYS]),
)
def test_exactly_the_asked_time_has_elapsed_when_it_is_due(
    start: datetime, minutes: int, calendar: Calendar
) -> None:
    due = calendar.due(start, minutes * 60)

    assert due >= start
    assert calendar.elapsed(start, due) == minutes * 60
