"""EventBridge: events of leads for whoever reacts to them."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

import boto3

from shared.adapters.timeouts import SHORT
from shared.adapters.trouble import trouble_as
from shared.errors import EventsNotPublishedError

if TYPE_CHECKING:
    from types_boto3_events.client import EventBridgeClient

BATCH = 10
"""What one PutEvents takes."""
SOURCE = "leadline"


@cache
def client() -> "EventBridgeClient":
    return boto3.client("events", config=SHORT)


class EventBus:
    """Puts events on the bus. They carry ids, codes and times, never personal data."""

    def __init__(self, events: "EventBridgeClient", name: str) -> None:
        self._events = events
        self._name = name

    def publish(self, flats: Sequence[Mapping[str, object]]) -> list[int]:
        """Sends events and returns the places of those that the bus did not take.

        Raises EventsNotPublishedError when it did not answer: any of them may have arrived.
        """
        refused: list[int] = []
        for first in range(0, len(flats), BATCH):
            with trouble_as(EventsNotPublishedError):
                answer = self._events.put_events(
                    Entries=[
                        {
                            "EventBusName": self._name,
                            "Source": SOURCE,
                            "DetailType": str(flat["type"]),
                            "Detail": json.dumps(flat, ensure_ascii=False),
                        }
                        for flat in flats[first : first + BATCH]
                    ]
                )
            if answer["FailedEntryCount"]:
                refused += [
                    first + place
                    for place, entry in enumerate(answer["Entries"])
                    if "ErrorCode" in entry
                ]
        return refused
