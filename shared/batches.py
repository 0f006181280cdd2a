"""Queue batches, message by message: one that fails is tried again and the others are not."""

import json
from collections.abc import Callable
from typing import Any, cast

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from shared.errors import LeadlineError
from shared.observability import logger, report_unexpected

Message = dict[str, Any]


class _LoggedBatchProcessor(BatchProcessor):
    """Says which message failed and why; Powertools keeps that to itself."""

    def failure_handler(self, record: Any, exception: Any) -> Any:
        kind, error, _ = exception
        logger.warning("message failed", message_id=record.message_id, error=kind.__name__)
        if not isinstance(error, LeadlineError):
            report_unexpected(error)
        return super().failure_handler(record, exception)


def process_messages(
    event: dict[str, Any], context: LambdaContext, handle: Callable[[Message], object]
) -> PartialItemFailureResponse:
    """Hands the JSON body of each SQS message to `handle` and reports those that raised."""

    def record_handler(record: dict[str, Any]) -> object:
        return handle(cast("Message", json.loads(record["body"])))

    return process_partial_response(
        event=event,
        record_handler=record_handler,
        # A batch that fails as a whole is no other case: its error would quote every message.
        processor=_LoggedBatchProcessor(
            event_type=EventType.SQS, raise_on_entire_batch_failure=False
        ),
        context=context,
    )
