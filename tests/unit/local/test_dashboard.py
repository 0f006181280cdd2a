"""The template's dashboard, filled from an engine."""

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from infra.local import dashboard
from infra.local.dashboard import Drawn, Metric, Series, Target, Window, expand
from tests.unit.monitoring import dashboard_body, widgets

NOW = datetime(2026, 11, 20, 9, 14, 59, tzinfo=UTC)
SERVICE = ("service", "leadline")


def test_a_window_is_of_whole_periods_and_ends_with_the_one_that_is_not_over() -> None:
    window = Window.until(NOW, 3)

    assert window.start == datetime(2026, 11, 20, 6, 15, tzinfo=UTC)
    assert window.end == datetime(2026, 11, 20, 9, 15, tzinfo=UTC)
    assert window.count == 36


@pytest.mark.parametrize("hours", dashboard.PERIODS)
def test_a_window_is_as_long_as_was_asked(hours: int) -> None:
    window = Window.until(NOW, hours)

    assert window.end - window.start == timedelta(hours=hours)
    assert NOW < window.end <= NOW + window.period


def test_values_stand_at_their_time_and_what_is_missing_is_no_zero() -> None:
    window = Window.until(NOW, 1)
    moments = [window.start, window.start + timedelta(minutes=59), window.end]

    values = window.spread(moments, [1, 2, 3])

    assert values == (1, *[None] * 58, 2)


def test_a_metric_is_drawn_by_its_label() -> None:
    entry = ["Leadline", "DealWon", "service", "leadline", {"stat": "Sum", "label": "Deals"}]

    assert list(expand(entry, [])) == [
        Drawn(Metric("Leadline", "DealWon", (SERVICE,)), "Sum", "Deals")
    ]


SEARCH = """SEARCH('{Leadline,service,form} MetricName="LeadCaptured" service="leadline"', 'Sum')"""


def test_a_search_finds_the_series_with_just_its_dimensions() -> None:
    def captured(*dimensions: tuple[str, str]) -> Metric:
        return Metric("Leadline", "LeadCaptured", dimensions)

    tilda, demo = (captured(("form", form), SERVICE) for form in ("tilda", "demo-en"))
    others = [
        captured(SERVICE),
        captured(("channel", "Email"), SERVICE),
        captured(("form", "demo-en"), ("service", "another")),
        captured(("channel", "Email"), ("form", "demo-en"), SERVICE),
        demo._replace(name="LeadRejected"),
        demo._replace(namespace="Another"),
    ]
    entry = [{"expression": SEARCH, "label": "${PROP('Dim.form')}"}]

    assert list(expand(entry, [tilda, *others, demo])) == [
        Drawn(demo, "Sum", "demo-en"),
        Drawn(tilda, "Sum", "tilda"),
    ]


def test_another_expression_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="RATE"):
        list(expand([{"expression": "RATE(m1)", "label": "x"}], []))


def test_a_phrase_is_read_with_its_line_breaks() -> None:
    assert "\n\n- **Lead**" in dashboard.phrases()["en"]["About"]


def test_what_is_no_phrase_stays_as_it_is() -> None:
    document = {
        "title": "Leads",
        "metrics": [["AWS/SQS", 5, None, "seconds"]],
        "expression": SEARCH,
    }

    assert dashboard.translated(document, "ru") == {
        "title": "Лиды",
        "metrics": [["AWS/SQS", 5, None, "секунды"]],
        "expression": SEARCH,
    }


def test_the_tiles_are_filled_with_what_was_measured() -> None:
    """moto cannot be asked for dashboards or figures; the engine is, in the integration tests."""
    window = Window.until(NOW, 1)
    cloudwatch = boto3.client(
        "cloudwatch", "eu-central-1", aws_access_key_id="a", aws_secret_access_key="s"
    )
    dimensions = [{"Name": name, "Value": value} for name, value in (SERVICE, ("form", "tilda"))]
    found = {"Namespace": "Leadline", "MetricName": "LeadCaptured", "Dimensions": dimensions}
    whole = datetime(1970, 1, 1, tzinfo=UTC)
    alarm = {"AlarmArn": ALARM, "AlarmName": "leadline-NobodyOnDuty", "StateValue": "OK"}
    with Stubber(cloudwatch) as stubber:
        stubber.add_response("list_metrics", {"Metrics": [found]})
        stubber.add_response(
            "describe_alarms", {"MetricAlarms": [alarm | {"AlarmDescription": "Act."}]}
        )
        stubber.add_response(
            "get_metric_data",
            {
                "MetricDataResults": [
                    {"Id": "each0", "Timestamps": [window.start], "Values": [2]},
                    {"Id": "whole0", "Timestamps": [whole], "Values": [2]},
                ]
            },
        )
        text, chart, alarms = dashboard.fill(TILES, cloudwatch, window)

    assert text.markdown == "## Leads"
    assert (chart.view, chart.title, chart.axis) == ("timeSeries", "Leads by form", "leads")
    assert (chart.maximum, chart.is_stacked, chart.target) == (None, True, Target(300, "five"))
    assert chart.series == (Series("tilda", 2, (2, *[None] * 59), is_sum=True),)
    assert alarms.alarms == (dashboard.Alarm("NobodyOnDuty", "OK", "Act."),)


ALARM = "arn:aws:cloudwatch:eu-central-1:1:alarm:leadline-NobodyOnDuty"
TILES: list[dict[str, Any]] = [
    {"type": "text", "width": 24, "properties": {"markdown": "## Leads"}},
    {
        "type": "metric",
        "width": 12,
        "properties": {
            "title": "Leads by form",
            "view": "timeSeries",
            "stacked": True,
            "yAxis": {"left": {"label": "leads", "min": 0}},
            "annotations": {"horizontal": [{"value": 300, "label": "five"}]},
            "metrics": [[{"expression": SEARCH, "label": "${PROP('Dim.form')}"}]],
        },
    },
    {
        "type": "alarm",
        "width": 24,
        "properties": {"title": "Alarms", "alarms": [ALARM]},
    },
]


def test_the_page_knows_every_kind_of_tile_and_no_more_is_asked_of_it() -> None:
    """What CloudWatch would draw and the laptop would leave out is found here."""
    known = {
        "text": {"markdown"},
        "alarm": {"title", "alarms"},
        "singleValue": {"title", "metrics", "setPeriodToTimeRange"},
        "bar": {"title", "metrics", "setPeriodToTimeRange", "yAxis"},
        "timeSeries": {"title", "metrics", "stacked", "annotations", "yAxis"},
    }

    assert dashboard_body("en")
    for widget in widgets():
        properties = dict(widget["properties"])
        view = properties.pop("view", widget["type"])
        properties.pop("region", None)
        assert set(properties) <= known[view]
        assert widget["width"] in {4, 6, 8, 12, 24}
        if view in {"bar", "singleValue"}:
            assert properties["setPeriodToTimeRange"], "the number is of the whole time"
