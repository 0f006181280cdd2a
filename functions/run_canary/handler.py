"""Every few minutes: proves from outside that a form still becomes alerts."""

import secrets
import time
from functools import cache
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from run_canary.page import Page
from run_canary.service import Parts, run_canary
from shared.adapters import dynamodb, mailbox
from shared.adapters.people_table import PeopleTable
from shared.observability import Measurement, Metric, emit, logger, reactor
from shared.settings import settings

ARRIVED = Metric("CanaryArrived", unit=MetricUnit.Seconds)


@cache
def parts() -> Parts:
    return Parts(
        PeopleTable(dynamodb.Table(dynamodb.client(), settings().table_name)),
        Page(settings().public_url),
        mailbox.Mailbox(mailbox.client(), settings().canary_queue_url),
        time.monotonic,
    )


@reactor
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    trip = run_canary(parts(), secrets.token_hex(8))
    if trip.missing:
        # No metric: its absence alarms, as it does when this function does not run at all.
        logger.error("canary did not arrive", **trip.facts())
        return
    logger.info("canary arrived", **trip.facts())
    emit([Measurement(ARRIVED, trip.seconds)])
