"""/v1/forms/{form_id}/submissions: takes what a visitor typed."""

from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

from shared.adapters import dynamodb
from shared.adapters.lead_table import LeadTable
from shared.adapters.policy_store import PolicyStore
from shared.http import HttpRequest, Reply, http_function
from shared.observability import emit, logger
from shared.settings import is_starting, settings
from submit_form.service import submit_form


class Parts(NamedTuple):
    policies: PolicyStore
    leads: LeadTable


@cache
def parts() -> Parts:
    table = dynamodb.Table(dynamodb.client(), settings().table_name)
    return Parts(PolicyStore(table), LeadTable(table))


@http_function
def handler(request: HttpRequest) -> Reply:
    answered = submit_form(request, *parts(), datetime.now(UTC))
    logger.info("submission answered", **answered.facts())
    emit(answered.measurements)
    return answered.reply


def warm_up() -> None:
    """Opens the connection and reads the policy. What fails is met again, and answered, later."""
    with suppress(Exception):
        next(parts().policies.current().forms, None)


if is_starting():
    warm_up()
