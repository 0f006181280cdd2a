"""Whatever a submission contains, from capture to the last alert of the chain: SMS go to numbers of
the roster only, e-mails to its people only, and nothing of a visitor's gets into a header.
"""

import unicodedata
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.client import BaseClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.texts.alerts import SEGMENTS, segments
from tests.crash.faults import aws_answered_by
from tests.crash.scene import TEAM, Aws, Scene
from tests.unit.domain.samples import at
from tests.unit.texts.skeleton import HOSTILE

PHONES = {rep.phone for rep in TEAM}
IDS = {rep.rep_id for rep in TEAM}
ROUNDS = 60

HEADERS = [
    "Ada\r\nBcc: everybody@example.com",
    "Ada\nTo: +15005550006",
    "Ada\u2028Subject: free\u2029",
    "=?utf-8?q?Ada=0D=0ABcc=3A_x=40example=2Ecom?=",
    "<b>Ada</b>",
    "👋" * 120,
    "Анна-Мария О'Нил 👋",
]
ANOTHERS = ["+1 500 555 0006", "+44 7700 900999", "+7 916 123-45-67", "tel:+15005550006,,1#"]
words = (
    st.sampled_from([*HEADERS, *HOSTILE, *ANOTHERS])
    | st.text(max_size=300)
    | st.text(st.characters(codec="utf-8"), max_size=60)
)
phones = st.sampled_from(ANOTHERS[:3])
emails = st.sampled_from(["ada@example.com", "to+bcc@example.com", "mail@пример.рф"])
forms = st.fixed_dictionaries(
    {"name": words, "message": words, "phone": phones, "email": emails},
    optional={
        "company": words,
        "utm_source": words,
        "utm_campaign": words,
        "phone_number": phones | words,
        "rep_id": st.sampled_from(sorted(IDS)) | words,
        "to": phones | words,
        "PhoneNumber": phones,
        "TopicArn": words,
        "Subject": words,
        "referrer": words,
    },
)


class Outbox:
    """An AWS that keeps what is published."""

    def __init__(self) -> None:
        self.aws = Aws()
        self.published: list[dict[str, Any]] = []
        self.begin = self._remember()
        """Forgets what was published, and what was written since it was furnished."""

    def _remember(self) -> Callable[[], None]:
        bring_back = self.aws.remember()

        def begin() -> None:
            bring_back()
            self.published.clear()

        return begin

    def furnished(self) -> None:
        """What is there by now is there at every beginning."""
        self.begin = self._remember()

    def answer(self, client: BaseClient, operation: str, parameters: dict[str, Any]) -> object:
        if operation == "Publish":
            self.published.append(parameters)
        return self.aws.answer(client, operation, parameters)


@pytest.fixture(scope="module")
def stage() -> Iterator[tuple[Outbox, Scene]]:
    outbox = Outbox()
    with aws_answered_by(outbox.answer):
        scene = Scene()
        scene.furnish()
        outbox.furnished()
        yield outbox, scene


def run_to_the_end(scene: Scene, now: datetime) -> None:
    """Nobody calls: each step that is due, and each alert, until nothing is awaited."""
    for _ in range(ROUNDS):
        scene.advance(now)
        lead = scene.leads.lead(scene.lead_id)
        assert lead is not None
        for alert_id in lead.open_alerts:
            scene.send(alert_id, now)
        lead = scene.leads.lead(scene.lead_id)
        assert lead is not None
        if lead.due_at is None:
            return
        now = max(now, lead.due_at) + timedelta(seconds=1)
    raise AssertionError("it never ends")


def is_one_line(text: str) -> bool:
    banned = {"Cc", "Cs", "Zl", "Zp"}
    return not {unicodedata.category(letter) for letter in text} & banned


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(first=forms, second=forms)
def test_only_people_of_the_roster_are_told_and_headers_are_ours(
    stage: tuple[Outbox, Scene], first: dict[str, str], second: dict[str, str]
) -> None:
    outbox, scene = stage
    outbox.begin()
    answered = scene.post("first", at(0), **first)
    if answered.lead_id is None:
        # In quarantine: it is released like this by somebody who looks at it.
        answered = scene.post("plain", at(0), name="Ada", message=first["message"][:40])
    if answered.lead_id is None:
        return
    scene.lead_id = answered.lead_id
    scene.post("second", at(1), **second)
    run_to_the_end(scene, at(1))

    assert outbox.published
    for message in outbox.published:
        attributes = message["MessageAttributes"]
        if "PhoneNumber" in message:
            assert message["PhoneNumber"] in PHONES
            assert segments(message["Message"]) <= SEGMENTS
            assert set(attributes) == {"AWS.SNS.SMS.SMSType"}
        else:
            assert message["TopicArn"] == "arn:aws:sns:::alerts"
            assert attributes["rep_id"]["StringValue"] in IDS
            assert attributes["team"]["StringValue"] == TEAM[0].team
            subject = message["Subject"]
            assert is_one_line(subject)
            assert 0 < len(subject.encode("utf-16-le")) // 2 < 100
