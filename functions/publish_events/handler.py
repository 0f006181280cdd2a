"""Table stream to event bus: every event of every lead, until the bus has taken it."""

from functools import cache
from typing import Any, NamedTuple

from aws_lambda_powertools.utilities.typing import LambdaContext

from publish_events.service import publish
from shared.adapters import event_bus, queues
from shared.observability import reactor
from shared.settings import settings


class Parts(NamedTuple):
    bus: event_bus.EventBus
    parking: queues.Queue


@cache
def parts() -> Parts:
    return Parts(
        event_bus.EventBus(event_bus.client(), settings().bus_name),
        queues.Queue(queues.client(), settings().parking_queue_url),
    )


@reactor
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    publish([record["dynamodb"] for record in event["Records"]], parts().bus, parts().parking)
