"""One logger and one set of metrics for every function, and the edge where unexpected errors end.

Messages are constant lower-case phrases; what differs goes into fields. Ids and codes only: no
name, phone, e-mail, text, header or token is ever logged.
"""

import traceback
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics

from shared.errors import LeadlineError, PolicyError, UnexpectedError

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger(service="leadline", utc=True, log_uncaught_exceptions=False)
metrics = Metrics(namespace="Leadline", service="leadline")


def log_unexpected(error: Exception) -> None:
    """Logs the kind of an error and the lines of code, not its text: that could quote a person."""
    where = [
        f"{frame.f_code.co_filename.rpartition('/')[2]}:{line} {frame.f_code.co_name}"
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    # A PolicyError quotes policy, for its publisher to read.
    detail = str(error) if isinstance(error, PolicyError) else None
    logger.error("unexpected error", error=type(error).__name__, where=where, detail=detail)


def reactor(
    handler: "Callable[[dict[str, Any], LambdaContext], Any]",
) -> "Callable[[dict[str, Any], LambdaContext], Any]":
    """Makes a Lambda handler for events. Lambda logs whatever it raises, so only our errors leave
    it: their names steer retries, and their texts are codes and ids.
    """

    @logger.inject_lambda_context
    @wraps(handler)
    def guarded(event: dict[str, Any], context: "LambdaContext") -> Any:
        try:
            return handler(event, context)
        except LeadlineError as error:
            raise error from None
        except Exception as error:  # noqa: BLE001 - the edge
            log_unexpected(error)
            raise UnexpectedError(type(error).__name__) from None

    return guarded
