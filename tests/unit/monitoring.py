"""infra/monitoring.yaml for tests: parsed, its dashboard filled in, its alarms judged over time."""

import json
import re
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from tests.unit.template import ROOT, Resources, of_type

LANGUAGES = ("en", "ru")


@cache
def monitoring() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml_parse((ROOT / "infra/monitoring.yaml").read_text())
    return parsed


def alarms() -> Resources:
    """The properties of each alarm."""
    found = of_type(monitoring()["Resources"], "AWS::CloudWatch::Alarm")
    return {name: resource["Properties"] for name, resource in found.items()}


def dashboard_body(language: str, *, has_canary: bool = True) -> str:
    """What CloudFormation makes of the dashboard, with made-up names of other resources."""
    text, given = monitoring()["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    values = {name: value_of(value, language, has_canary) for name, value in given.items()}
    values |= {"AWS::Region": "eu-central-1", "Service": "leadline"}

    def substitute(found: re.Match[str]) -> str:
        name = found[1]
        if name.startswith("!"):
            return f"${{{name[1:]}}}"
        if name.endswith(".Arn"):
            return f"arn:aws:cloudwatch:eu-central-1:1:alarm:leadline-{name.removesuffix('.Arn')}"
        return values[name] if name in values else f"the {parameter(name)}"

    return re.sub(r"\$\{([^}]+)\}", substitute, text)


def parameter(name: str) -> str:
    assert name in monitoring()["Parameters"], f"{name} is not known to the dashboard"
    return name


def value_of(value: Any, language: str, has_canary: bool) -> str:
    match value:
        case {"Fn::FindInMap": [mapping, {"Ref": "DashboardLanguage"}, name]}:
            return str(monitoring()["Mappings"][mapping][language][name])
        case {"Fn::If": ["HasCanary", {"Fn::Sub": text}, ""]}:
            arn = "arn:aws:cloudwatch:eu-central-1:1:alarm:leadline-CanaryMissing"
            return str(text).replace("${CanaryMissing.Arn}", arn) if has_canary else ""
        case _:
            raise AssertionError(f"not used so far: {value}")


def widgets(language: str = "en") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(dashboard_body(language))["widgets"]
    return found


STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "Sum": sum,
    "SampleCount": len,
    "Maximum": max,
    "Average": statistics.fmean,
}


def minutes_to_alarm(
    alarm: Mapping[str, Any], data: Mapping[int, Sequence[float]], minutes: int
) -> int | None:
    """After how many minutes of `data`, by the minute in which it was measured, an alarm stands."""
    return next((now for now, stands in judged(alarm, data, minutes) if stands), None)


def judged(
    alarm: Mapping[str, Any], data: Mapping[int, Sequence[float]], minutes: int
) -> Iterator[tuple[int, bool]]:
    """Whether an alarm stands, after each of its periods.

    As CloudWatch judges: whole periods, each period's statistic, and what is missing counts as the
    alarm says; `ignore` leaves it as it was.
    """
    period, stands = alarm["Period"] // 60, False
    for now in range(period, minutes + 1, period):
        starts = [now - period * back for back in range(1, alarm["EvaluationPeriods"] + 1)]
        has_data = any(minute in data for minute in range(starts[-1], now))
        if starts[-1] >= 0 and (has_data or alarm["TreatMissingData"] != "ignore"):
            stands = all(breaches(alarm, data, start, period) for start in starts)
        yield now, stands


def breaches(
    alarm: Mapping[str, Any], data: Mapping[int, Sequence[float]], start: int, period: int
) -> bool:
    values = [value for minute in range(start, start + period) for value in data.get(minute, ())]
    if not values:
        return bool(alarm["TreatMissingData"] == "breaching")
    value, threshold = STATISTICS[alarm["Statistic"]](values), float(alarm["Threshold"])
    if alarm["ComparisonOperator"] == "LessThanThreshold":
        return value < threshold
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    return value >= threshold
