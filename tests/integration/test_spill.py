"""What cannot be stored at once waits in a queue, and is filed under the time when it came."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
import httpx
import pytest

from shared.adapters.dynamodb import from_wire
from tests.integration.conftest import World, until

pytestmark = pytest.mark.integration

KEY = "the-key-of-the-form"


@dataclass
class Locked:
    """A form whose key cannot be read: whatever it is sent is spilled."""

    world: World
    form_id: str
    queue: str

    def post(self, fields: dict[str, Any]) -> httpx.Response:
        return self.world.post(self.form_id, fields, **{"x-api-key": KEY})

    def waiting(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        sqs = boto3.client("sqs")
        found = sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=names)["Attributes"]  # type: ignore[arg-type] # its names are typed one by one
        return sum(map(int, found.values()))

    def is_empty(self) -> bool:
        return self.waiting() == 0

    def filed(self) -> list[dict[str, Any]]:
        """The submissions of the form, wherever they are."""
        dynamodb = boto3.client("dynamodb")
        pages = dynamodb.get_paginator("scan").paginate(TableName=self.world.outputs["TableName"])
        items = [from_wire(item) for page in pages for item in page["Items"]]
        return [
            item
            for item in items
            if item.get("form_id") == self.form_id and item["SK"].startswith("SUBMISSION#")
        ]


@contextmanager
def locked(world: World, form_id: str) -> Iterator[Locked]:
    """The key is there only after the block. Once for each form: functions remember keys."""
    found = boto3.client("cloudformation").describe_stack_resources(StackName="leadline")
    physical = {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in found["StackResources"]}
    queue = physical["SpillQueue"]
    # Nobody here waits three minutes for the next try.
    boto3.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "1"})
    yield Locked(world, form_id, queue)
    boto3.client("ssm").put_parameter(
        Name=f"/leadline/forms/{form_id}", Value=KEY, Type="SecureString"
    )


def test_what_cannot_be_stored_is_filed_later_under_its_time(world: World) -> None:
    before = datetime.now(UTC)
    with locked(world, "locked") as spill:
        answer = spill.post({"name": "Ann Lee", "phone": "+44 7914 000009", "consent": "yes"})
        assert (answer.status_code, answer.text) == (200, "ok")
        answered = datetime.now(UTC)
        until(lambda: spill.waiting() == 1, "the request in its queue")
        assert spill.filed() == []

    until(spill.is_empty, "the end of what was spilled")

    (submission,) = spill.filed()
    assert submission["PK"].startswith("LEAD#")
    assert submission["contact"]["phone"] == "+447914000009"
    received_at = datetime.fromisoformat(submission["received_at"])
    assert before.replace(microsecond=0) <= received_at <= answered
    assert KEY not in json.dumps(submission, default=str)
