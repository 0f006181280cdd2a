"""The queue as a mailbox, over moto."""

from typing import Any

import boto3
from botocore.stub import Stubber

from shared.adapters import mailbox
from shared.adapters.mailbox import LONGEST_WAIT_SECONDS, Mailbox
from tests.unit.aws import in_moto


@in_moto()
def test_a_message_is_taken_once() -> None:
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName="canary", Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
    for text in ("New lead\n\nName: Ada", "Not called yet"):
        sqs.send_message(QueueUrl=url, MessageBody=text)
    box = Mailbox(sqs, url)

    taken = box.take(1) + box.take(0)

    assert sorted(taken) == ["New lead\n\nName: Ada", "Not called yet"]
    assert box.take(0) == [], "gone, not just hidden"


def test_it_waits_no_longer_than_its_connection() -> None:
    sqs = boto3.client("sqs")
    asked = {"QueueUrl": "https://queue", "MaxNumberOfMessages": 10}
    with Stubber(sqs) as stub:
        for wait in (3, LONGEST_WAIT_SECONDS):
            stub.add_response("receive_message", {}, {**asked, "WaitTimeSeconds": wait})
        box = Mailbox(sqs, "https://queue")

        assert box.take(3) == []
        assert box.take(50) == []
        stub.assert_no_pending_responses()


def test_its_client_waits_for_the_answer() -> None:
    mailbox.client.cache_clear()
    config: Any = mailbox.client().meta.config

    assert config.read_timeout > LONGEST_WAIT_SECONDS
    assert config.connect_timeout == 1
