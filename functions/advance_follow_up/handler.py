"""Called by a queue for every event that can bring a step forward, by the Escalation machine at
each due time, and by the sweeper's messages when a wake-up was missed."""

import time
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from advance_follow_up.service import WAKE_UP_MISSED, Parts, advance
from shared.adapters import dynamodb, escalation, queues
from shared.adapters.lead_table import LeadTable
from shared.adapters.people_table import PeopleTable
from shared.adapters.policy_store import PolicyStore
from shared.batches import Message, process_messages
from shared.observability import Measurement, emit, reactor
from shared.settings import settings


@cache
def parts() -> Parts:
    table = dynamodb.Table(dynamodb.client(), settings().table_name)
    return Parts(
        LeadTable(table),
        PeopleTable(table),
        PolicyStore(table),
        escalation.Escalation(escalation.client(), settings().state_machine_arn),
        queues.Queue(queues.client(), settings().alert_queue_url),
        time.sleep,
    )


def handle_message(message: Message) -> None:
    swept, undone = message.get("swept", False), message.get("type") == "ActionUndone"
    now = datetime.now(UTC)
    advanced = advance(message["lead_id"], parts(), now, swept=swept, undone=undone)
    if advanced.missed:
        emit([Measurement(WAKE_UP_MISSED)])


@reactor
def handler(event: dict[str, Any], context: LambdaContext) -> object:
    if "Records" in event:
        return process_messages(event, context, handle_message)
    return advance(event["lead_id"], parts(), datetime.now(UTC), run=event["run"])._asdict()
