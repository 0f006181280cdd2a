"""Every morning: finds whom alerts would not reach, before a lead does."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from check_channels.service import Parts, check
from shared.adapters import alerts, channels, dynamodb
from shared.adapters.people_table import PeopleTable
from shared.adapters.policy_store import PolicyStore
from shared.observability import logger, reactor
from shared.settings import settings


@cache
def parts() -> Parts:
    topic, email_from = settings().alert_topic_arn, settings().alert_email_from
    table = dynamodb.Table(dynamodb.client(), settings().table_name)
    return Parts(
        PeopleTable(table),
        PolicyStore(table),
        channels.channels(topic, email_from),
        alerts.sender(topic, email_from),
        alerts.OpsMail(alerts.client(), settings().ops_topic_arn),
    )


@reactor
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    found = check(parts(), datetime.now(UTC))
    logger.info("channels checked", found=found._asdict())
