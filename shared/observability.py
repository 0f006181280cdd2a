"""One logger and one set of metrics for every function, and the edge where unexpected errors end.

Messages are constant lower-case phrases; what differs goes into fields. Ids and codes only: no
name, phone, e-mail, text, header or token is ever logged.
"""

import traceback
from collections.abc import Callable, Iterable
from functools import wraps
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from shared.errors import LeadlineError, PolicyError, UnexpectedError

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

# Both take `service`, the name of the stack, from POWERTOOLS_SERVICE_NAME.
logger = Logger(utc=True, log_uncaught_exceptions=False)
metrics = Metrics(namespace="Leadline")

Dimension = Literal["form", "channel", "step", "reason"]
Label = tuple[Dimension, str]
"""A dimension and its value."""


class Metric(NamedTuple):
    """Something that is measured: by stack, and by each of `by` apart.

    Never crossed: each combination would be a series that is paid for every month. docs/metrics.md
    has them all.
    """

    name: str
    by: tuple[Dimension, ...] = ()
    unit: MetricUnit = MetricUnit.Count


class Measurement(NamedTuple):
    """One value of a metric. Of its labels those count that have a value and that the metric is
    measured by.
    """

    metric: Metric
    value: float = 1
    labels: tuple[Label, ...] = ()


UNEXPECTED_ERROR = Metric("UnexpectedError")


def emit(measurements: Iterable[Measurement]) -> None:
    """Writes values in embedded metric format, one line per label and one for all together."""
    lines: dict[Label | None, list[Measurement]] = {}
    for one in measurements:
        own = (label for label in one.labels if label[0] in one.metric.by and label[1])
        for label in (None, *own):
            lines.setdefault(label, []).append(one)
    for label, values in lines.items():
        if label is not None:
            metrics.add_dimension(*label)
        for metric, value, _ in values:
            metrics.add_metric(metric.name, metric.unit, value)
        if metrics.metric_set:  # a hundred values were written already, and none makes it warn
            metrics.flush_metrics()
        metrics.clear_metrics()


def report_unexpected(error: Exception) -> None:
    """Counts an error that ends here, and logs its kind and the lines of code, not its text: that
    could quote a person.
    """
    where = [
        f"{frame.f_code.co_filename.rpartition('/')[2]}:{line} {frame.f_code.co_name}"
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    # A PolicyError quotes policy, for its publisher to read.
    detail = str(error) if isinstance(error, PolicyError) else None
    logger.error("unexpected error", error=type(error).__name__, where=where, detail=detail)
    emit([Measurement(UNEXPECTED_ERROR)])


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
            report_unexpected(error)
            raise UnexpectedError(type(error).__name__) from None

    return guarded
