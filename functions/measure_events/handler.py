"""Turns events of leads into metrics, by form and by channel apart."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from measure_events.service import labelling, measure
from shared.adapters import dynamodb
from shared.adapters.policy_store import PolicyStore
from shared.batches import Message, process_messages
from shared.observability import Measurement, emit, reactor
from shared.settings import settings


@cache
def policies() -> PolicyStore:
    return PolicyStore(dynamodb.Table(dynamodb.client(), settings().table_name))


@reactor
def handler(event: dict[str, Any], context: LambdaContext) -> object:
    form_label = labelling(policies())
    measurements: list[Measurement] = []

    def take(message: Message) -> None:
        # As a whole or not at all: a message that fails comes back, and the others do not.
        measurements.extend(measure(message, form_label))

    answer = process_messages(event, context, take)
    emit(measurements)
    return answer
