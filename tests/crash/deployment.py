"""What template.yaml and the state machine say about functions, queues, rules and retries.

The little AWS is built from it, so that a wrong rule, visibility or retry breaks promises here too.
Whatever it does not know of is refused, not passed over.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.unit.template import Resources, expanded, machine, of_type

Json = dict[str, Any]

FOREVER = -1
RATE = re.compile(r"rate\((\d+) minutes?\)")


@dataclass(frozen=True)
class Function:
    """A Lambda: where its handler is, what it finds in its environment, how long it may run."""

    name: str
    module: str
    attribute: str
    environment: Mapping[str, str]
    timeout_seconds: int


@dataclass(frozen=True)
class Mapped:
    """An event source mapping: what is read, by which function, and what becomes of failures."""

    function: str
    source: str
    batch_size: int
    patterns: tuple[Json, ...]
    reports_failures: bool
    retries: int
    record_age_seconds: int
    bisects: bool


@dataclass(frozen=True)
class Queue:
    """Resource names stand for addresses."""

    name: str
    visibility_seconds: int
    receives: int | None
    """So often a message is handed out before it goes to the dead letters."""
    dead_letters: str | None


@dataclass(frozen=True)
class Rule:
    """Which events of the bus reach which queue, and which part of them."""

    name: str
    bus: str
    pattern: Json
    queue: str
    input_path: str


@dataclass(frozen=True)
class Machine:
    """The state machine, with functions by their resource names."""

    name: str
    start: str
    states: Mapping[str, Json]


@dataclass(frozen=True)
class Deployment:
    functions: Mapping[str, Function]
    mappings: tuple[Mapped, ...]
    queues: Mapping[str, Queue]
    rules: tuple[Rule, ...]
    schedules: Mapping[str, int]
    """Seconds between two runs of a function."""
    machines: Mapping[str, Machine]
    tables: Mapping[str, Json]


@cache
def deployment() -> Deployment:
    resources = expanded()
    return Deployment(
        functions={
            name: _function(name, resource["Properties"])
            for name, resource in of_type(resources, "AWS::Lambda::Function").items()
        },
        mappings=tuple(
            _mapping(resource["Properties"])
            for resource in of_type(resources, "AWS::Lambda::EventSourceMapping").values()
        ),
        queues={
            name: _queue(name, resource.get("Properties", {}))
            for name, resource in of_type(resources, "AWS::SQS::Queue").items()
        },
        rules=tuple(
            rule
            for name, resource in of_type(resources, "AWS::Events::Rule").items()
            for rule in _rules(name, resource["Properties"])
        ),
        schedules=_schedules(resources),
        machines={
            name: _machine(name, resource["Properties"])
            for name, resource in of_type(resources, "AWS::StepFunctions::StateMachine").items()
        },
        tables={
            name: resource["Properties"]
            for name, resource in of_type(resources, "AWS::DynamoDB::Table").items()
        },
    )


def _function(name: str, properties: Json) -> Function:
    package, module, attribute = str(properties["Handler"]).split(".")
    variables = properties["Environment"]["Variables"]
    return Function(
        name=name,
        module=f"{package}.{module}",
        attribute=attribute,
        environment={key: _text(value) for key, value in variables.items()},
        timeout_seconds=int(properties["Timeout"]),
    )


def _mapping(properties: Json) -> Mapped:
    return Mapped(
        function=_name(properties["FunctionName"]),
        source=_name(properties["EventSourceArn"]),
        batch_size=int(properties.get("BatchSize", 10)),
        patterns=tuple(
            json.loads(_text(one["Pattern"]))
            for one in properties.get("FilterCriteria", {}).get("Filters", [])
        ),
        reports_failures="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
        retries=int(properties.get("MaximumRetryAttempts", FOREVER)),
        record_age_seconds=int(properties.get("MaximumRecordAgeInSeconds", FOREVER)),
        bisects=bool(properties.get("BisectBatchOnFunctionError", False)),
    )


def _queue(name: str, properties: Json) -> Queue:
    redrive = properties.get("RedrivePolicy", {})
    return Queue(
        name=name,
        visibility_seconds=int(properties.get("VisibilityTimeout", 30)),
        receives=int(redrive["maxReceiveCount"]) if redrive else None,
        dead_letters=_name(redrive["deadLetterTargetArn"]) if redrive else None,
    )


def _rules(name: str, properties: Json) -> list[Rule]:
    return [
        Rule(
            name=name,
            bus=_name(properties["EventBusName"]),
            pattern=properties["EventPattern"],
            queue=_name(target["Arn"]),
            input_path=target.get("InputPath", "$"),
        )
        for target in properties["Targets"]
    ]


def _schedules(resources: Resources) -> dict[str, int]:
    found = {}
    for resource in of_type(resources, "AWS::Scheduler::Schedule").values():
        properties = resource["Properties"]
        rate = RATE.fullmatch(str(properties["ScheduleExpression"]))
        if rate is not None:
            found[_name(properties["Target"]["Arn"])] = int(rate[1]) * 60
    return found


def _machine(name: str, properties: Json) -> Machine:
    functions = {
        placeholder: _name(value)
        for placeholder, value in properties["DefinitionSubstitutions"].items()
    }
    text = json.dumps(machine())
    for placeholder, function in functions.items():
        text = text.replace(f"${{{placeholder}}}", function)
    definition = json.loads(text)
    return Machine(name, definition["StartAt"], definition["States"])


def _name(reference: Any) -> str:
    """The resource that a reference means."""
    match reference:
        case {"Ref": str(name)}:
            return name
        case {"Fn::GetAtt": [str(name), *_]}:
            return name
    raise NotImplementedError(f"the little AWS cannot resolve {reference}")


def _text(value: Any) -> str:
    """A value as the function would find it, with resource names for addresses."""
    match value:
        case {"Ref": str(name)}:
            return name
        case {"Fn::GetAtt": [str(name), *_]}:
            return name
        case {"Fn::Sub": str(text)}:
            return text
        case {"Fn::If": [_, _, otherwise]}:
            return _text(otherwise)
        case str() | int():
            return str(value)
    raise NotImplementedError(f"the little AWS cannot resolve {value}")


def matches(pattern: Json, event: Json) -> bool:
    """The pattern language of EventBridge and of filters: lists of values, and `prefix`."""
    for name, wanted in pattern.items():
        found = event.get(name)
        if isinstance(wanted, dict):
            if not isinstance(found, dict) or not matches(wanted, found):
                return False
        elif not any(_is(one, found) for one in wanted):
            return False
    return True


def _is(wanted: Any, found: Any) -> bool:
    if not isinstance(wanted, dict):
        return bool(wanted == found)
    if set(wanted) != {"prefix"}:
        raise NotImplementedError(f"the little AWS does not know the filter {wanted}")
    return isinstance(found, str) and found.startswith(wanted["prefix"])
