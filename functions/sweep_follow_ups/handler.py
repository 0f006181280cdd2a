"""Every minute: finds leads whose wake-up was missed and queues them again."""

from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

from aws_lambda_powertools.utilities.typing import LambdaContext

from shared.adapters import dynamodb, queues
from shared.adapters.lead_table import LeadTable
from shared.observability import Measurement, emit, reactor
from shared.settings import settings
from sweep_follow_ups.service import LEADS_SWEPT, sweep


class Parts(NamedTuple):
    leads: LeadTable
    advance_queue: queues.Queue


@cache
def parts() -> Parts:
    return Parts(
        LeadTable(dynamodb.Table(dynamodb.client(), settings().table_name)),
        queues.Queue(queues.client(), settings().advance_queue_url),
    )


@reactor
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    found = sweep(parts().leads, parts().advance_queue, datetime.now(UTC))
    # Also when there was nothing to do: the metric's absence is the sweeper's missing heartbeat.
    emit([Measurement(LEADS_SWEPT, found)])
