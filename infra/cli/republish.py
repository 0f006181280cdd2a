"""`leadline republish`: puts events of the table on the bus again, under the ids that they have.

For events that the bus lost, or that were parked. Planner and alerts find done what is done;
metrics count each event once more, at the time of republishing.
"""

from argparse import ArgumentTypeError, Namespace
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from infra.cli import deployment
from infra.cli.commands import Commands, lines
from shared.adapters import event_bus
from shared.adapters.dynamodb import Table, from_wire
from shared.adapters.event_bus import EventBus
from shared.domain.events import RecordedEvent
from shared.domain.instants import iso

BUS_TRIES = 3


def moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text} is no time such as 2026-11-20T09:00Z") from error
    if at.tzinfo is None:
        raise ArgumentTypeError(f"{text} has no time zone: add Z, or +03:00")
    return at


def add_commands(areas: Commands) -> None:
    command = areas.add_parser(
        "republish",
        help="put events of the table on the bus again",
        description="Counts the events of a time. With --send they go on the bus again.",
    )
    command.add_argument("--since", type=moment, required=True, metavar="2026-11-20T09:00Z")
    command.add_argument("--until", type=moment, metavar="TIME", help="now, if it is not given")
    command.add_argument("--send", action="store_true", help="send them, not only count them")
    deployment.add_stack(command)
    command.set_defaults(run=run)


def run(options: Namespace) -> int:
    stack = deployment.find(options.stack)
    events = events_between(stack.table, options.since, options.until or datetime.now(UTC))
    counts = Counter(event.event.type for event in events)
    print(lines([("EVENT", "COUNT"), *((kind, str(n)) for kind, n in sorted(counts.items()))]))
    if not options.send:
        print(f"{len(events)} events. Nothing was sent: add --send. Metrics will count them again.")
        return 0
    bus = EventBus(event_bus.client(), stack.resource("LeadEvents"))
    refused = send(bus, events)
    print(f"{len(events) - refused} of {len(events)} events are on the bus again")
    return 1 if refused else 0


def events_between(table: Table, since: datetime, until: datetime) -> list[RecordedEvent]:
    """Every event from one moment up to another, in the order of time.

    Reads the whole table: a lead of last month may have an event of today, and no index knows it.
    """
    pages = table.dynamodb.get_paginator("scan").paginate(
        TableName=table.name,
        FilterExpression="attribute_exists(event_id) AND #at >= :since AND #at < :until",
        ExpressionAttributeNames={"#at": "at"},
        ExpressionAttributeValues={":since": {"S": iso(since)}, ":until": {"S": iso(until)}},
    )
    found = []
    for page in pages:
        for item in page["Items"]:
            try:
                found.append(RecordedEvent.parse(from_wire(item)))
            except (KeyError, ValidationError):
                print(f"no event of this version: {_key(item)}")
    return sorted(found, key=lambda event: (event.at, event.lead_id, event.sequence))


def send(bus: EventBus, events: list[RecordedEvent]) -> int:
    """Publishes events and returns how many the bus did not take in three tries."""
    flats = [event.flat() for event in events]
    for _ in range(BUS_TRIES):
        flats = [flats[place] for place in bus.publish(flats)]
    return len(flats)


def _key(item: dict[str, Any]) -> str:
    return " / ".join(from_wire({name: item[name] for name in ("PK", "SK")}).values())
