"""Turns records of the table's stream into events of the bus."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from pydantic import ValidationError

from shared.adapters.dynamodb import from_wire
from shared.domain.events import RecordedEvent
from shared.errors import EventsNotPublishedError
from shared.observability import logger


class Bus(Protocol):
    def publish(self, flats: Sequence[Mapping[str, object]]) -> list[int]: ...


class Parking(Protocol):
    def send(self, messages: Sequence[Mapping[str, object]]) -> None: ...


def publish(records: Sequence[Mapping[str, Any]], bus: Bus, parking: Parking) -> None:
    """Sends each record's event. Raises EventsNotPublishedError while the bus does not take one.

    The batch is then read again as a whole: reactors meet an event more than once by design. A
    record that is no event of ours is parked with its key, so that nothing can block the shard.
    """
    flats: list[dict[str, object]] = []
    for record in records:
        try:
            flats.append(RecordedEvent.parse(from_wire(record["NewImage"])).flat())
        except (KeyError, TypeError, ValidationError) as error:
            logger.error("record parked", error=type(error).__name__)
            parking.send([{"keys": from_wire(record.get("Keys", {}))}])
    refused = bus.publish(flats)
    if refused:
        raise EventsNotPublishedError(f"{len(refused)} of {len(flats)} events refused")
