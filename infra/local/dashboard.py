"""The dashboard of infra/monitoring.yaml, as CloudWatch would fill it.

The engine keeps the dashboard and the metrics, but draws nothing and evaluates neither `SEARCH` nor
labels; that is done here, for what our dashboard uses of CloudWatch's language and nothing else.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from samtranslator.yaml_helper import yaml_parse

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_cloudwatch.type_defs import MetricDataQueryTypeDef, MetricOutputTypeDef

NAME = "leadline"
TEMPLATE = Path(__file__).parents[1] / "monitoring.yaml"
QUERIES_AT_ONCE = 500  # GetMetricData takes no more
ALWAYS = 2**31
"""A period in seconds that the engine divides into only one: its result is of the whole time."""

PERIODS = {1: 60, 3: 300, 24: 1800, 168: 14400}
"""Hours that can be shown, and the seconds of one point. CloudWatch chooses its own."""

SEARCH = re.compile(r"SEARCH\('\{(?P<schema>[^}]+)\} (?P<terms>[^']+)', '(?P<stat>\w+)'\)")
TERM = re.compile(r'(\w+)="([^"]*)"')
PROPERTY = re.compile(r"\$\{PROP\('Dim\.(\w+)'\)\}")


class Metric(NamedTuple):
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]


class Series(NamedTuple):
    """What one metric was: over the whole time, and in each period, oldest first."""

    label: str
    whole: float | None
    values: tuple[float | None, ...]
    is_sum: bool


class Alarm(NamedTuple):
    name: str
    state: str
    description: str


class Target(NamedTuple):
    """A horizontal line to compare with."""

    value: float
    label: str


@dataclass(frozen=True, slots=True)
class Widget:
    """One tile. `view` is CloudWatch's name of the chart, or `text` or `alarm`."""

    view: str
    columns: int
    title: str = ""
    markdown: str = ""
    axis: str = ""
    maximum: float | None = None
    target: Target | None = None
    is_stacked: bool = False
    series: tuple[Series, ...] = ()
    alarms: tuple[Alarm, ...] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """The time that is shown: whole periods, the last one not over yet."""

    start: datetime
    period: timedelta
    count: int

    @classmethod
    def until(cls, now: datetime, hours: int) -> "Window":
        seconds = PERIODS[hours]
        count = hours * 3600 // seconds
        last = int(now.timestamp()) // seconds * seconds
        start = datetime.fromtimestamp(last - (count - 1) * seconds, UTC)
        return cls(start, timedelta(seconds=seconds), count)

    @property
    def end(self) -> datetime:
        return self.start + self.period * self.count

    def spread(
        self, moments: Sequence[datetime], values: Sequence[float]
    ) -> tuple[float | None, ...]:
        """One value or none for each period."""
        spread: list[float | None] = [None] * self.count
        for at, value in zip(moments, values, strict=True):
            place = (at - self.start) // self.period
            if 0 <= place < self.count:
                spread[place] = value
        return tuple(spread)


class Drawn(NamedTuple):
    """A metric to ask for, and what it is called in the legend."""

    metric: Metric
    stat: str
    label: str


def read(cloudwatch: "CloudWatchClient", window: Window, language: str) -> list[Widget]:
    """The dashboard's tiles in its order, in any language that the template has."""
    body = cloudwatch.get_dashboard(DashboardName=NAME)["DashboardBody"]
    return fill(translated(json.loads(body), language)["widgets"], cloudwatch, window)


def fill(
    tiles: Sequence[Mapping[str, Any]], cloudwatch: "CloudWatchClient", window: Window
) -> list[Widget]:
    """Each tile with its figures or alarms."""
    known = list(known_metrics(cloudwatch))
    drawn = [
        [one for entry in tile["properties"].get("metrics", []) for one in expand(entry, known)]
        for tile in tiles
    ]
    series = iter(fetch(cloudwatch, [one for tile in drawn for one in tile], window))
    states = {
        alarm["AlarmArn"]: Alarm(
            alarm["AlarmName"].removeprefix(f"{NAME}-"),
            alarm["StateValue"],
            alarm.get("AlarmDescription", ""),
        )
        for page in cloudwatch.get_paginator("describe_alarms").paginate()
        for alarm in page["MetricAlarms"]
    }
    return [
        widget(tile, tuple(next(series) for _ in its), states)
        for tile, its in zip(tiles, drawn, strict=True)
    ]


def widget(
    tile: Mapping[str, Any], series: tuple[Series, ...], states: Mapping[str, Alarm]
) -> Widget:
    properties = tile["properties"]
    axis = properties.get("yAxis", {}).get("left", {})
    targets = properties.get("annotations", {}).get("horizontal", [])
    return Widget(
        view=properties.get("view", tile["type"]),
        columns=tile["width"],
        title=properties.get("title", ""),
        markdown=properties.get("markdown", ""),
        axis=axis.get("label", ""),
        maximum=axis.get("max"),
        target=Target(**targets[0]) if targets else None,
        is_stacked=properties.get("stacked", False),
        series=series,
        alarms=tuple(states[arn] for arn in properties.get("alarms", [])),
    )


# --- language -------------------------------------------------------------------------------------


@cache
def phrases() -> Mapping[str, Mapping[str, str]]:
    """The sentences of the dashboard by language and name, as they are read."""
    mapping = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))["Mappings"]["Phrases"]
    return {
        language: {name: json.loads(f'"{text}"') for name, text in texts.items()}
        for language, texts in mapping.items()
    }


def translated(document: Any, language: str) -> Any:
    """The stack has one language; here the reader chooses. Sentences are used whole, so each is
    found by its text.
    """
    wanted = phrases()[language]
    other = {text: wanted[name] for texts in phrases().values() for name, text in texts.items()}

    def exchange(value: Any) -> Any:
        match value:
            case str():
                return other.get(value, value)
            case list():
                return [exchange(item) for item in value]
            case dict():
                return {key: exchange(item) for key, item in value.items()}
            case _:
                return value

    return exchange(document)


# --- metrics --------------------------------------------------------------------------------------


def known_metrics(cloudwatch: "CloudWatchClient") -> Iterator[Metric]:
    for page in cloudwatch.get_paginator("list_metrics").paginate():
        for metric in page["Metrics"]:
            yield as_metric(metric)


def as_metric(metric: "MetricOutputTypeDef") -> Metric:
    dimensions = sorted((d["Name"], d["Value"]) for d in metric.get("Dimensions", []))
    return Metric(metric.get("Namespace", ""), metric.get("MetricName", ""), tuple(dimensions))


def expand(entry: Sequence[Any], known: Iterable[Metric]) -> Iterator[Drawn]:
    """An entry of a widget's `metrics`: a metric with its options, or a search for many."""
    *path, options = entry
    if path:
        namespace, name, *dimensions = path
        pairs = tuple(sorted(zip(dimensions[::2], dimensions[1::2], strict=True)))
        yield Drawn(Metric(namespace, name, pairs), options["stat"], options["label"])
        return
    search = SEARCH.fullmatch(options["expression"])
    if search is None:
        raise ValueError(f"not a search that the laptop knows: {options['expression']}")
    namespace, *names = search["schema"].split(",")
    terms = dict(TERM.findall(search["terms"]))
    name = terms.pop("MetricName")
    for metric in sorted(known):
        values = dict(metric.dimensions)
        if (metric.namespace, metric.name) != (namespace, name) or {*values} != {*names}:
            continue
        if terms.items() <= values.items():
            label = PROPERTY.sub(lambda found: values[found[1]], options["label"])  # noqa: B023 - called at once
            yield Drawn(metric, search["stat"], label)


def fetch(
    cloudwatch: "CloudWatchClient", drawn: Sequence[Drawn], window: Window
) -> Iterator[Series]:
    """The figures of each, in the same order."""
    queries = [
        query(f"{kind}{number}", one, seconds)
        for number, one in enumerate(drawn)
        for kind, seconds in (("each", int(window.period.total_seconds())), ("whole", ALWAYS))
    ]
    found = {}
    for first in range(0, len(queries), QUERIES_AT_ONCE):
        answer = cloudwatch.get_metric_data(
            StartTime=window.start,
            EndTime=window.end,
            MetricDataQueries=queries[first : first + QUERIES_AT_ONCE],
        )
        found.update({result["Id"]: result for result in answer["MetricDataResults"]})
    for number, one in enumerate(drawn):
        each, whole = found[f"each{number}"], found[f"whole{number}"]["Values"]
        yield Series(
            one.label,
            whole[0] if whole else None,
            window.spread(each["Timestamps"], each["Values"]),
            one.stat == "Sum",
        )


def query(query_id: str, drawn: Drawn, seconds: int) -> "MetricDataQueryTypeDef":
    metric = drawn.metric
    return {
        "Id": query_id,
        "MetricStat": {
            "Metric": {
                "Namespace": metric.namespace,
                "MetricName": metric.name,
                "Dimensions": [{"Name": n, "Value": v} for n, v in metric.dimensions],
            },
            "Period": seconds,
            "Stat": drawn.stat,
        },
    }
