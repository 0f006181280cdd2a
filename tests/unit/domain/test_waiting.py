"""How long an open lead has waited."""

from datetime import datetime
from typing import Any

import pytest

from shared.domain.lead import FollowUp
from shared.domain.waiting import listed, urgency
from tests.unit.domain.samples import RECEIVED, a_lead, at

ANEW_AT_600 = FollowUp(counts_from=at(600))
CALLED = {"first_attempt_at": at(60), "last_attempt_at": at(60), "attempts": 1}


@pytest.mark.parametrize(
    ("fields", "seconds", "since"),
    [
        ({}, 700, RECEIVED),
        ({"follow_up": ANEW_AT_600, "snoozed_until": at(600)}, 500, RECEIVED),
        ({"follow_up": ANEW_AT_600, "snoozed_until": at(600)}, 700, RECEIVED),
        ({**CALLED}, 700, RECEIVED),
        ({**CALLED, "follow_up": ANEW_AT_600}, 500, RECEIVED),
        ({**CALLED, "follow_up": ANEW_AT_600}, 700, at(600)),
        ({**CALLED, "follow_up": ANEW_AT_600, "last_attempt_at": at(650)}, 700, RECEIVED),
        ({**CALLED, "resubmitted_at": at(650)}, 700, at(650)),
        ({**CALLED, "resubmitted_at": at(50)}, 700, RECEIVED),
        ({**CALLED, "resubmitted_at": at(60)}, 700, RECEIVED),
        ({**CALLED, "resubmitted_at": at(650), "follow_up": ANEW_AT_600}, 700, at(600)),
    ],
    ids=[
        "not called",
        "first call put off",
        "first call put off, to a time that has come",
        "called",
        "called, to be called later",
        "called, to be called by now",
        "called then, too",
        "called, and has written since",
        "has written before the call",
        "has written as they were called",
        "has written, to be called by now anyway",
    ],
)
def test_it_waits_since_it_came_or_since_it_is_to_be_called_once_more(
    fields: dict[str, Any], seconds: int, since: datetime
) -> None:
    assert listed(a_lead(**fields), None, at(seconds)).since == since


def test_who_has_written_since_the_call_comes_before_those_who_have_not() -> None:
    quiet = a_lead(lead_id="a" * 32, **CALLED)
    written = a_lead(lead_id="b" * 32, **CALLED, contacted_at=at(60), resubmitted_at=at(650))
    awaited = a_lead(lead_id="c" * 32, respond_by=at(900))
    rows = sorted((listed(one, None, at(700)) for one in (quiet, written, awaited)), key=urgency)

    assert [one.stage for one in rows] == ["waiting", "asked_again", "called"]
    closed = a_lead(**CALLED, resubmitted_at=at(650), status="closed", outcome="lost")
    assert closed.asked_again_at is None
