"""Called by the spill queue, every few minutes for each request, until the table takes it."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from replay_spill.service import replay
from shared.batches import Message, process_messages
from shared.observability import emit, logger, reactor
from submit_form.handler import connect
from submit_form.service import Parts


@cache
def parts() -> Parts:
    return connect()


def handle_message(message: Message) -> None:
    answered = replay(message, parts())
    logger.info("spilled submission filed", **answered.facts())
    emit(answered.measurements)


@reactor
def handler(event: dict[str, Any], context: LambdaContext) -> object:
    return process_messages(event, context, handle_message)
