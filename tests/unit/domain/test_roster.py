"""Who is there: switches, shifts, absences, and alerts that nobody answered."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.calendar import WEEKDAYS, Calendar
from shared.domain.roster import Absence, Rep, Roster
from tests.unit.domain.samples import RECEIVED, a_rep

OFFICE = Calendar.model_validate(
    {
        "zone": "Europe/Berlin",
        "week": {day: ["10:00-18:00"] for day in WEEKDAYS[:5]},
    }
)
NEVER = Calendar(zone="UTC")
SHIFTS = {"office": OFFICE, "never": NEVER}
SATURDAY = datetime(2026, 11, 21, 12, tzinfo=UTC)
MONDAY_OPENING = datetime(2026, 11, 23, 9, tzinfo=UTC)


def shift(rep: Rep) -> Calendar | None:
    return SHIFTS.get(rep.calendar or "")


def away(since: datetime, until: datetime) -> dict[str, Any]:
    return {"absences": [{"since": since, "until": until}]}


@pytest.mark.parametrize(
    "fields",
    [
        {"active": False},
        {"on_duty": False},
        {"missed_pages": 2},
        {"phone": None, "email": None},
        {"role": "manager"},
        away(RECEIVED, RECEIVED + timedelta(seconds=1)),
    ],
)
def test_who_is_not_there_gets_no_lead(fields: dict[str, Any]) -> None:
    assert Roster([a_rep("anna", **fields)], RECEIVED).on_duty == ()


def test_an_absence_ends_in_its_moment() -> None:
    anna = a_rep("anna", **away(RECEIVED - timedelta(hours=1), RECEIVED))

    assert Roster([anna], RECEIVED).on_duty == (anna,)


def test_one_missed_alert_puts_nobody_off_duty() -> None:
    anna = a_rep("anna", missed_pages=1)

    assert Roster([anna], RECEIVED).on_duty == (anna,)


def test_a_shift_that_is_not_published_holds_nobody_back() -> None:
    anna = a_rep("anna", calendar="gone")

    assert Roster([anna], SATURDAY, shift).on_duty == (anna,)


@pytest.mark.parametrize(
    ("fields", "there_at"),
    [
        ({}, SATURDAY),
        ({"calendar": "office"}, MONDAY_OPENING),
        ({"calendar": "never"}, None),
        (away(SATURDAY, SATURDAY + timedelta(hours=5)), SATURDAY + timedelta(hours=5)),
        (
            {"calendar": "office", **away(SATURDAY, MONDAY_OPENING + timedelta(hours=1))},
            MONDAY_OPENING + timedelta(hours=1),
        ),
        (
            {"calendar": "office", **away(MONDAY_OPENING, MONDAY_OPENING + timedelta(hours=9))},
            MONDAY_OPENING + timedelta(hours=24),
        ),
    ],
)
def test_when_somebody_is_there_next(fields: dict[str, Any], there_at: datetime | None) -> None:
    roster = Roster([a_rep("anna", **fields)], SATURDAY, shift)

    assert roster.there_at(roster.people["anna"]) == there_at


@given(
    hours=st.lists(st.tuples(st.integers(0, 200), st.integers(1, 90)), max_size=4),
    calendar=st.sampled_from([None, "office"]),
)
def test_the_next_moment_is_one_at_which_they_are_there_and_none_is_before(
    hours: list[tuple[int, int]], calendar: str | None
) -> None:
    absences = [
        Absence(
            since=SATURDAY + timedelta(hours=since),
            until=SATURDAY + timedelta(hours=since + length),
        )
        for since, length in hours
    ]
    anna = a_rep("anna", calendar=calendar, absences=absences)

    there_at = Roster([anna], SATURDAY, shift).there_at(anna)

    assert there_at is not None
    assert Roster([anna], there_at, shift).on_duty == (anna,)
    earlier = SATURDAY
    while earlier < there_at:
        assert Roster([anna], earlier, shift).on_duty == ()
        earlier += timedelta(minutes=30)


def test_a_day_ends_at_midnight_where_the_person_is() -> None:
    anna = a_rep("anna", zone="America/New_York")

    assert anna.tomorrow(RECEIVED) == datetime(2026, 11, 21, 5, tzinfo=UTC)


def test_an_absence_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="ends after it begins"):
        Absence(since=RECEIVED, until=RECEIVED)


# --- quiet hours ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "utc", "is_quiet"),
    [
        ("22:00-08:00", "2026-11-27T20:59", False),  # 21:59 in Berlin
        ("22:00-08:00", "2026-11-27T21:00", True),
        ("22:00-08:00", "2026-11-28T06:59", True),
        ("22:00-08:00", "2026-11-28T07:00", False),
        ("13:00-14:00", "2026-07-01T11:30", True),  # the zone's summer time
        ("13:00-14:00", "2026-11-27T11:30", False),
    ],
)
def test_at_quiet_hours_of_their_zone_no_text_wakes_anybody(
    hours: str, utc: str, *, is_quiet: bool
) -> None:
    anna = a_rep("anna", quiet=[hours], zone="Europe/Berlin")
    now = datetime.fromisoformat(utc).replace(tzinfo=UTC)

    assert anna.takes("sms", now) is not is_quiet
    assert anna.takes("email", now)
    assert a_rep("anna", quiet=[hours], zone="Europe/Berlin", email=None).takes("sms", now)


def test_quiet_hours_are_kept_as_people_write_them() -> None:
    anna = a_rep("anna", quiet=["22:00-08:00", "13:00-14:00"])

    assert anna.model_dump(mode="json")["quiet"] == ["22:00-08:00", "13:00-14:00"]
    assert Rep.model_validate(anna.model_dump()) == anna
