"""How long an open lead has waited."""

from datetime import datetime
from typing import Any

import pytest

from shared.domain.lead import FollowUp
from shared.domain.waiting import listed
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
    ],
    ids=[
        "not called",
        "first call put off",
        "first call put off, to a time that has come",
        "called",
        "called, to be called later",
        "called, to be called by now",
        "called then, too",
    ],
)
def test_it_waits_since_it_came_or_since_it_is_to_be_called_once_more(
    fields: dict[str, Any], seconds: int, since: datetime
) -> None:
    assert listed(a_lead(**fields), None, at(seconds)).since == since
