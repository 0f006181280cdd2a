"""Embedded metrics in log lines -> CloudWatch metrics, which AWS does by itself."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from infra.local.function_logs import LogLine

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_cloudwatch.type_defs import MetricDatumTypeDef

BATCH = 500


class Measurement(NamedTuple):
    namespace: str
    name: str
    unit: str
    value: float
    dimensions: Mapping[str, str]
    at: datetime


class MetricsBridge:
    """Puts the metrics of log lines."""

    def __init__(self, client: "CloudWatchClient") -> None:
        self._client = client

    def take(self, lines: Iterable[LogLine]) -> None:
        by_namespace: dict[str, list[MetricDatumTypeDef]] = {}
        for line in lines:
            for measured in measurements(line.text):
                by_namespace.setdefault(measured.namespace, []).append(as_datum(measured))
        for namespace, data in by_namespace.items():
            for first in range(0, len(data), BATCH):
                self._client.put_metric_data(
                    Namespace=namespace, MetricData=data[first : first + BATCH]
                )


def measurements(line: str) -> Iterator[Measurement]:
    """Everything that a line in embedded metric format measures; nothing for another line.

    A list of values becomes single ones: the engine ignores counts.
    """
    if '"_aws"' not in line:
        return
    try:
        document = json.loads(line)
    except ValueError:
        return
    at = datetime.fromtimestamp(document["_aws"]["Timestamp"] / 1000, UTC)
    for directive in document["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = {name: str(document[name]) for name in names}
            for metric in directive["Metrics"]:
                for value in as_list(document[metric["Name"]]):
                    yield Measurement(
                        directive["Namespace"],
                        metric["Name"],
                        metric.get("Unit", "None"),
                        float(value),
                        dimensions,
                        at,
                    )


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def as_datum(measured: Measurement) -> "MetricDatumTypeDef":
    unit: Any = measured.unit  # as the function wrote it
    return {
        "MetricName": measured.name,
        "Unit": unit,
        "Value": measured.value,
        "Timestamp": measured.at,
        "Dimensions": [
            {"Name": name, "Value": value} for name, value in measured.dimensions.items()
        ],
    }
