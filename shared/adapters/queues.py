"""SQS: the two queues that Leadline itself writes to, past stream and bus."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

import boto3

from shared.adapters.timeouts import SHORT
from shared.adapters.trouble import trouble_as
from shared.errors import EventsNotPublishedError

if TYPE_CHECKING:
    from types_boto3_sqs.client import SQSClient

BATCH = 10


@cache
def client() -> "SQSClient":
    return boto3.client("sqs", config=SHORT)


class Queue:
    """A queue of JSON messages."""

    def __init__(self, sqs: "SQSClient", url: str) -> None:
        self._sqs = sqs
        self._url = url

    def send(self, messages: Sequence[Mapping[str, object]]) -> None:
        """Sends all messages.

        Raises EventsNotPublishedError when the queue refuses one, or does not answer.
        """
        for first in range(0, len(messages), BATCH):
            with trouble_as(EventsNotPublishedError):
                answer = self._sqs.send_message_batch(
                    QueueUrl=self._url,
                    Entries=[
                        {"Id": str(place), "MessageBody": json.dumps(message)}
                        for place, message in enumerate(messages[first : first + BATCH])
                    ],
                )
            if answer.get("Failed"):
                raise EventsNotPublishedError(f"{len(answer['Failed'])} messages refused")
