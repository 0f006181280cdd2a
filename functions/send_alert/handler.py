"""Called by a queue for every AlertRequested, and straight by a swept advance when stream or bus
are late."""

import time
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from send_alert.new_link import send_link
from send_alert.service import Parts, send
from shared.adapters import alerts, dynamodb
from shared.adapters.alert_table import AlertTable
from shared.adapters.lead_table import LeadTable
from shared.adapters.link_table import LinkTable
from shared.adapters.people_table import PeopleTable
from shared.adapters.ringing_table import RingingTable
from shared.batches import Message, process_messages
from shared.observability import logger, reactor
from shared.settings import settings


@cache
def parts() -> Parts:
    table = dynamodb.Table(dynamodb.client(), settings().table_name)
    leads, people, links = LeadTable(table), PeopleTable(table), LinkTable(table)
    leases, ringing = AlertTable(table), RingingTable(table)
    sender = alerts.sender(settings().alert_topic_arn, settings().alert_email_from)
    url = settings().public_url
    return Parts(leads, people, leases, ringing, links, sender, url, time.sleep, now)


def now() -> datetime:
    return datetime.now(UTC)


def handle_message(message: Message) -> None:
    if "asked_at" in message:
        sent = send_link(parts=parts(), now=now(), **message)
        logger.info("new link handled", outcome=sent)
        return
    lead_id, alert_id = message["lead_id"], message["alert_id"]
    outcome = send(lead_id, alert_id, parts(), now())
    logger.info("alert handled", lead_id=lead_id, alert_id=alert_id, outcome=outcome)


@reactor
def handler(event: dict[str, Any], context: LambdaContext) -> object:
    return process_messages(event, context, handle_message)
