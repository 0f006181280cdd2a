"""What is promised to whom: a call after the next opening, while nobody is there."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from shared.domain.calendar import Calendar
from shared.domain.capture import captured
from shared.domain.chain import Chain
from shared.domain.contact import Contact
from shared.domain.definition import Definition
from shared.domain.intake import Kept
from shared.domain.policy import Policy
from tests.unit.adapters.samples import a_submission
from tests.unit.domain.samples import ALWAYS, RECEIVED, SAMPLE_CHAIN
from tests.unit.domain.test_calendar import CHRISTMAS, LUNCH, NIGHT, TEN_TO_SIX
from tests.unit.samples import a_form

FORM = a_form(calendar="office")
DEFINITION = Definition.model_validate(
    yaml.safe_load((Path(__file__).parents[3] / "infra/policy/definition/default.yaml").read_text())
)
TARGET = SAMPLE_CHAIN.respond_within_seconds
NEVER_FOLLOWED = Contact(name="Ann")


def policy(calendar: Calendar, chain: Chain = SAMPLE_CHAIN) -> Policy:
    documents: Mapping[str, BaseModel] = {
        "calendar/office": calendar,
        "chain/default": chain,
        "definition/default": DEFINITION,
    }
    return Policy(1, documents.get)


def promised(now: datetime, calendar: Calendar = TEN_TO_SIX, **submission: Any) -> datetime | None:
    """What is promised to somebody whose form comes in at a moment."""
    sent = a_submission(received_at=now, **submission)
    return captured(sent, FORM, policy(calendar), now).promised_by


def berlin(month: int, day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, second, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("now", "calendar", "wanted"),
    [
        pytest.param(berlin(11, 27, 20), TEN_TO_SIX, berlin(11, 30, 10, 5), id="a friday night"),
        pytest.param(berlin(11, 30, 9, 59, 59), TEN_TO_SIX, berlin(11, 30, 10, 5), id="early"),
        pytest.param(berlin(11, 30, 18), TEN_TO_SIX, berlin(12, 1, 10, 5), id="at closing time"),
        pytest.param(berlin(11, 30, 13, 30), LUNCH, berlin(11, 30, 14, 5), id="at lunch"),
        pytest.param(berlin(11, 30, 12), NIGHT, berlin(11, 30, 22, 5), id="a night shift"),
        pytest.param(berlin(3, 27, 19), TEN_TO_SIX, berlin(3, 30, 10, 5), id="over summer time"),
        pytest.param(berlin(10, 23, 19), TEN_TO_SIX, berlin(10, 26, 10, 5), id="over winter time"),
        pytest.param(berlin(12, 24, 12), CHRISTMAS, berlin(12, 28, 9, 5), id="after a half day"),
        pytest.param(berlin(12, 25, 11), CHRISTMAS, berlin(12, 28, 9, 5), id="on a holiday"),
    ],
)
def test_who_comes_while_it_is_closed_is_promised_a_call_after_the_opening(
    now: datetime, calendar: Calendar, wanted: datetime
) -> None:
    assert promised(now, calendar) == wanted


@pytest.mark.parametrize(
    ("now", "calendar"),
    [
        (berlin(11, 30, 10), TEN_TO_SIX),
        (berlin(11, 30, 17, 59, 59), TEN_TO_SIX),
        (berlin(12, 24, 11), CHRISTMAS),
        (berlin(11, 29, 3), ALWAYS),
    ],
)
def test_in_opening_hours_nothing_is_promised(now: datetime, calendar: Calendar) -> None:
    assert promised(now, calendar) is None


def test_a_call_that_nobody_will_make_is_not_promised() -> None:
    night = berlin(11, 27, 20)
    assert promised(night, contact=NEVER_FOLLOWED) is None
    keen = SAMPLE_CHAIN.model_copy(update={"follow": ("qualified", "raw", "non_target")})
    sent = a_submission(received_at=night, contact=NEVER_FOLLOWED)
    assert captured(sent, FORM, policy(TEN_TO_SIX, keen), night).promised_by is not None


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))
CALENDARS = st.sampled_from([TEN_TO_SIX, LUNCH, NIGHT, CHRISTMAS, ALWAYS])


@given(now=MOMENTS, calendar=CALENDARS)
def test_a_promise_is_the_next_opening_and_the_target_and_never_past(
    now: datetime, calendar: Calendar
) -> None:
    by = promised(now, calendar)

    assert (by is None) == calendar.is_open(now)
    if by is not None:
        opening = by - timedelta(seconds=TARGET)
        assert now < opening
        assert calendar.is_open(opening)
        assert calendar.elapsed(now, opening) == 0


def kept(promised_by: datetime | None) -> Kept:
    return Kept(
        submission_id="s",
        kind="quarantined",
        form_id="demo-en",
        received_at=RECEIVED,
        locale="en",
        reasons=("honeypot",),
        promised_by=promised_by,
    )


@pytest.mark.parametrize("told", [None, berlin(11, 30, 10, 5)])
def test_what_waited_in_the_intake_is_promised_what_was_told_there(told: datetime | None) -> None:
    days_later = berlin(12, 1, 20)
    sent = a_submission(received_at=berlin(11, 27, 20))

    event = captured(sent, FORM, policy(TEN_TO_SIX), days_later, kept(told))

    assert event.promised_by == told
    assert event.respond_by == berlin(12, 2, 10, 5), "its clock starts anew"
