"""Public holidays become closed days of a published calendar."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.cli.policy_files import read_policy
from infra.cli.public_holidays import closed_days, with_holidays
from shared.domain.calendar import Calendar
from shared.domain.policy import check
from shared.errors import PolicyError

TODAY = date(2026, 11, 24)
HOURS = {"zone": "Europe/Berlin", "week": {"mon": ["10:00-18:00"], "thu": ["10:00-18:00"]}}


def written_out(**more: Any) -> Calendar:
    return Calendar.model_validate(with_holidays("calendar/office", {**HOURS, **more}, TODAY))


def test_a_holiday_moves_the_deadline_to_the_next_opening() -> None:
    sunday = datetime(2027, 3, 28, 12, tzinfo=UTC)

    assert f"{written_out(holidays='DE').due(sunday, 300):%F %R}" == "2027-04-01 08:05", "Easter"
    assert f"{written_out().due(sunday, 300):%F %R}" == "2027-03-29 08:05"


def test_a_part_of_a_country_has_its_own() -> None:
    assert "2027-03-08" in closed_days("DE-BE", 2026)
    assert "2027-03-08" not in closed_days("DE-BY", 2026)
    assert "2026-02-23" in closed_days("RU", 2026)
    assert {day[:4] for day in closed_days("RU", 2026)} == {"2026", "2027", "2028"}


def test_a_folder_is_read_with_the_holidays_of_any_year(tmp_path: Path) -> None:
    (tmp_path / "calendar").mkdir()
    (tmp_path / "calendar/office.yaml").write_text("{zone: Europe/Berlin, holidays: DE}")

    then = Calendar.model_validate(read_policy(tmp_path, {}, date(2019, 2, 1))["calendar/office"])

    assert {day.year for day in then.exceptions} == {2019, 2020, 2021}


def test_what_is_written_down_for_a_day_goes_before_its_holiday() -> None:
    half = written_out(holidays="DE", exceptions={"2026-12-25": ["10:00-12:00"]})

    assert half.exceptions[date(2026, 12, 25)]
    assert half.exceptions[date(2026, 12, 26)] == ()


@pytest.mark.parametrize("place", ["XX", "DE-ZZ"])
def test_a_place_that_nobody_knows_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "calendar").mkdir()
    (tmp_path / "calendar" / "office.yaml").write_text(f"zone: UTC\nholidays: {place}\n")

    with pytest.raises(PolicyError, match=r"calendar/office: holidays: .*(not|no)"):
        read_policy(tmp_path, {})


@pytest.mark.parametrize(
    "document",
    ["no calendar", {**HOURS, "holidays": 7}, {**HOURS, "holidays": "DE", "exceptions": "none"}],
)
def test_what_is_no_calendar_is_left_to_the_check(document: object) -> None:
    assert with_holidays("calendar/office", document, TODAY) == document
    assert [*check({"calendar/office": document})]
