"""Turns events of leads into metrics, by form and by channel apart."""

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.utilities.typing import LambdaContext

from measure_events.service import fold
from shared.batches import process_messages
from shared.observability import reactor


@reactor
def handler(event: dict[str, Any], context: LambdaContext) -> object:
    flats: list[dict[str, Any]] = []
    answer = process_messages(event, context, flats.append)
    for (name, dimension, value), count in fold(flats).items():
        with single_metric(
            name=name, unit=MetricUnit.Count, value=count, namespace="Leadline"
        ) as metric:
            metric.add_dimension(name=dimension, value=value)
    return answer
