"""Channels that refuse, on the local engine: another is taken at once, and managers hear of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest

from shared.domain.roster import Rep
from tests.integration.conftest import DEAF_TEAM, World, until

pytestmark = pytest.mark.integration

OPTED_OUT = "+447700900199"
"""Whose number ends in 99 has answered STOP, by the engine."""
PERSON = {"name": "Ada", "phone": "+44 7914 000077", "email": "deaf@example.net", "consent": "yes"}


def a_person(rep_id: str, **fields: Any) -> Rep:
    fields = {"name": rep_id.title(), "team": DEAF_TEAM, **fields}
    return Rep.model_validate({"rep_id": rep_id, **fields})


STOPPED = a_person("deaf", phone=OPTED_OUT, email="deaf@example.com")
"""Whose turn it is first, and whom nothing reaches."""
THERE = a_person("hears", phone="+447914000078")
TEXTED = a_person("texted", role="manager", phone="+447914000079", locale="ru")
MAILED = a_person("mailed", role="manager", email="mailed@example.com")


@contextmanager
def deaf_team(world: World) -> Iterator[None]:
    """The people above, of whom one address is confirmed."""
    sns = boto3.client("sns")
    for rep in (STOPPED, THERE, TEXTED, MAILED):
        world.people.put_rep(rep)
    arn = sns.subscribe(
        TopicArn=world.outputs["AlertTopicArn"],
        Protocol="email",
        Endpoint=MAILED.email or "",
        Attributes={"FilterPolicy": json.dumps({"team": [DEAF_TEAM], "rep_id": [MAILED.rep_id]})},
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    try:
        yield
    finally:
        sns.unsubscribe(SubscriptionArn=arn)
        for rep in (STOPPED, THERE, TEXTED, MAILED):
            world.people.put_rep(rep.model_copy(update={"active": False}))


def check_channels() -> None:
    found = boto3.client("cloudformation").describe_stack_resource(
        StackName="leadline", LogicalResourceId="CheckChannelsFunction"
    )
    name = found["StackResourceDetail"]["PhysicalResourceId"]
    answer = boto3.client("lambda").invoke(FunctionName=name, Payload=b"{}")
    assert "FunctionError" not in answer, answer["Payload"].read()


def test_a_refused_channel_is_replaced_at_once_and_told_in_the_morning(world: World) -> None:
    with deaf_team(world):
        assert world.post("deaf", PERSON).status_code == 201
        (sms, *_) = until(lambda: world.messages(PERSON["phone"]), "a message to who is there")
        assert sms["to"] == THERE.phone

        events = world.story(sms["lead_id"]).events
        reasons = {getattr(e.event, "reason", "") for e in events if e.event.type == "AlertFailed"}
        assert reasons == {"opted_out", "not_subscribed"}
        assert world.events(sms["lead_id"]).count("RepNotReached") == 1

        for _ in ("told", "not told again"):
            check_channels()
            warned = until(lambda: world.messages("STOP"), "a warning to the manager")
            assert [message["to"] for message in warned] == [TEXTED.phone]
        assert "Deaf: с этого номера ответили STOP" in warned[0]["text"]
