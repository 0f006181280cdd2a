"""Embedded metrics in log lines."""

import json
from datetime import UTC, datetime

import pytest

from infra.local.metrics_bridge import Measurement, measurements


def test_a_line_is_measured_by_each_of_its_dimension_sets() -> None:
    line = json.dumps(
        {
            "_aws": {
                "Timestamp": 1795165200000,
                "CloudWatchMetrics": [
                    {
                        "Namespace": "Leadline",
                        "Dimensions": [["form"], []],
                        "Metrics": [{"Name": "AlertSent", "Unit": "Count"}],
                    }
                ],
            },
            "form": "demo-en",
            "AlertSent": [1.0, 2],
        }
    )
    at = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)

    assert list(measurements(line)) == [
        Measurement("Leadline", "AlertSent", "Count", 1.0, {"form": "demo-en"}, at),
        Measurement("Leadline", "AlertSent", "Count", 2.0, {"form": "demo-en"}, at),
        Measurement("Leadline", "AlertSent", "Count", 1.0, {}, at),
        Measurement("Leadline", "AlertSent", "Count", 2.0, {}, at),
    ]


@pytest.mark.parametrize("line", ["", "plain words", '{"level": "INFO"}', 'cut off {"_aws"'])
def test_any_other_line_measures_nothing(line: str) -> None:
    assert list(measurements(line)) == []
