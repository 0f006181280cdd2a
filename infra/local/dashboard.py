"""What CloudWatch knows of Leadline's own metrics in the last hours."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_cloudwatch.type_defs import MetricOutputTypeDef

NAMESPACE = "Leadline"
BUCKET = timedelta(minutes=5)
BUCKETS = 36  # three hours
QUERIES_AT_ONCE = 500  # GetMetricData takes no more


class Series(NamedTuple):
    """The sums of one metric, oldest first, one per five minutes."""

    name: str
    dimensions: tuple[tuple[str, str], ...]
    sums: tuple[float, ...]

    @property
    def total(self) -> float:
        return sum(self.sums)

    @property
    def points(self) -> str:
        """An SVG polyline of 120 x 24, scaled to its own highest value."""
        highest = max(*self.sums, 1)
        return " ".join(
            f"{place * 120 / (BUCKETS - 1):.1f},{23 - 22 * value / highest:.1f}"
            for place, value in enumerate(self.sums)
        )


def read(cloudwatch: "CloudWatchClient", now: datetime) -> list[Series]:
    """Every series of the namespace, by name and dimensions."""
    metrics: list[MetricOutputTypeDef] = [
        metric
        for page in cloudwatch.get_paginator("list_metrics").paginate(Namespace=NAMESPACE)
        for metric in page["Metrics"]
    ]
    start = floor(now.astimezone(UTC)) - BUCKET * (BUCKETS - 1)
    found = []
    for first in range(0, len(metrics), QUERIES_AT_ONCE):
        chunk = metrics[first : first + QUERIES_AT_ONCE]
        answer = cloudwatch.get_metric_data(
            StartTime=start,
            EndTime=start + BUCKET * BUCKETS,
            MetricDataQueries=[
                {
                    "Id": f"m{number}",
                    "MetricStat": {
                        "Metric": metric,
                        "Period": int(BUCKET.total_seconds()),
                        "Stat": "Sum",
                    },
                }
                for number, metric in enumerate(chunk)
            ],
        )
        for result in answer["MetricDataResults"]:
            metric = chunk[int(result["Id"].removeprefix("m"))]
            sums = in_buckets(result["Timestamps"], result["Values"], start)
            dimensions = tuple(
                (dimension["Name"], dimension["Value"])
                for dimension in metric.get("Dimensions", [])
                if dimension["Name"] != "service"  # the same for all
            )
            found.append(Series(metric.get("MetricName", ""), dimensions, sums))
    return sorted(found)


def floor(moment: datetime) -> datetime:
    """The beginning of the five minutes that a moment is in."""
    return moment - timedelta(
        minutes=moment.minute % 5, seconds=moment.second, microseconds=moment.microsecond
    )


def in_buckets(
    timestamps: Sequence[datetime], values: Sequence[float], start: datetime
) -> tuple[float, ...]:
    sums = [0.0] * BUCKETS
    for at, value in zip(timestamps, values, strict=True):
        place = int((at - start) / BUCKET)
        if 0 <= place < BUCKETS:
            sums[place] += value
    return tuple(sums)
