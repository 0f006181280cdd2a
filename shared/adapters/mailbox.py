"""SQS as a mailbox: the queue in which the canary's alerts arrive, as another's in an inbox."""

from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from shared.adapters.timeouts import SHORT

if TYPE_CHECKING:
    from types_boto3_sqs.client import SQSClient

LONGEST_WAIT_SECONDS = 10
BATCH = 10


@cache
def client() -> "SQSClient":
    # Whoever waits for messages waits for the answer, too.
    return boto3.client("sqs", config=SHORT.merge(Config(read_timeout=LONGEST_WAIT_SECONDS + 2)))


class Mailbox:
    """A queue of texts, each of which is taken once."""

    def __init__(self, sqs: "SQSClient", url: str) -> None:
        self._sqs = sqs
        self._url = url

    def take(self, wait_seconds: int) -> list[str]:
        """The next few messages; waits for one, 10 seconds at most. They are gone then."""
        answer = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=BATCH,
            WaitTimeSeconds=min(wait_seconds, LONGEST_WAIT_SECONDS),
        )
        messages = answer.get("Messages", [])
        if messages:
            self._sqs.delete_message_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(place), "ReceiptHandle": message["ReceiptHandle"]}
                    for place, message in enumerate(messages)
                ],
            )
        return [message["Body"] for message in messages]
