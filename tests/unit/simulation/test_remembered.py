"""A calendar that remembers says what the calendar says."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from infra.simulation.remembered import remembered
from shared.domain.calendar import WEEKDAYS, Calendar

NIGHTS = Calendar.model_validate(
    {
        "zone": "Europe/Berlin",
        # The night and the morning after it overlap.
        "week": dict.fromkeys(WEEKDAYS, ("22:00-06:00", "05:00-09:00", "12:00-14:00")),
        "exceptions": {"2026-03-30": [], "2026-10-26": ["10:00-11:00"]},
    }
)
FAIR = Calendar.model_validate(
    {"zone": "UTC", "exceptions": {"2026-03-28": ["10:00-18:00"], "2026-03-30": ["10:00-12:00"]}}
)
START = datetime(2026, 3, 27, tzinfo=UTC)
minutes = st.integers(-3 * 1440, 250 * 1440)


@given(
    calendar=st.sampled_from([NIGHTS, FAIR]),
    asked=st.lists(st.tuples(minutes, st.integers(0, 30 * 3600)), min_size=1, max_size=8),
)
def test_it_answers_as_the_calendar_in_whatever_order_it_is_asked(
    calendar: Calendar, asked: list[tuple[int, int]]
) -> None:
    other = remembered(calendar)
    for minute, seconds in asked:
        at = START + timedelta(minutes=minute)
        assert other.is_open(at) == calendar.is_open(at)
        assert other.due_if_ever(at, seconds) == calendar.due_if_ever(at, seconds)
        until = at + timedelta(seconds=seconds)
        assert other.elapsed(at, until) == calendar.elapsed(at, until)
