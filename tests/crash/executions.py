"""The state machine at work, as much of it as escalation.asl.yaml uses; the rest is refused."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.client import BaseClient

from tests.crash.deployment import Json, Machine
from tests.crash.faults import refusal

if TYPE_CHECKING:
    from tests.crash.world import World

KNOWN_TO_MACHINE = frozenset(
    {
        "Type",
        "Comment",
        "Next",
        "Timestamp",
        "Resource",
        "Arguments",
        "Output",
        "Retry",
        "Choices",
        "Default",
    }
)
JSONATA = re.compile(r"\{% \$states\.(input|result)((?:\.\w+)*) %\}")


@dataclass
class Execution:
    name: str
    input: Json
    state: str
    data: Json
    status: str = "RUNNING"
    retried: dict[int, int] = field(default_factory=dict)


class Executions:
    """What was started, by name, and what it goes through in the time of a world."""

    def __init__(self, machine: Machine, world: "World") -> None:
        self.started: dict[str, Execution] = {}
        self._machine = machine
        self._world = world

    def start(self, client: BaseClient, arguments: Json) -> Json:
        name, given = arguments["name"], json.loads(arguments["input"])
        arn = f"{arguments['stateMachineArn']}:{name}"
        known = self.started.get(name)
        if known is not None:
            if known.status == "RUNNING" and known.input == given:
                return {"executionArn": arn, "startDate": self._world.now}
            raise refusal(client, "StartExecution", arguments, "ExecutionAlreadyExists")
        execution = Execution(name, given, self._machine.start, given)
        self.started[name] = execution
        self._world.after(0, lambda: self._enter_state(execution))
        return {"executionArn": arn, "startDate": self._world.now}

    def _enter_state(self, execution: Execution) -> None:
        """Goes on from state to state until one takes time."""
        state = self._machine.states[execution.state]
        unknown = set(state) - KNOWN_TO_MACHINE
        if unknown:
            raise NotImplementedError(f"the little AWS does not know {unknown} of a state")

        def go_on(following: str | None = None) -> None:
            execution.state = following or state["Next"]
            execution.retried = {}
            self._enter_state(execution)

        match state["Type"]:
            case "Wait":
                moment = datetime.fromisoformat(_jsonata(state["Timestamp"], execution.data))
                self._world.at(moment + timedelta(seconds=self._world.hop_seconds), go_on)
            case "Choice":
                taken = (
                    c["Next"] for c in state["Choices"] if _jsonata(c["Condition"], execution.data)
                )
                go_on(next(taken, state["Default"]))
            case "Task":
                self._do_task(execution, state, go_on)
            case "Succeed":
                execution.status = "SUCCEEDED"
            case kind:
                raise NotImplementedError(f"the little AWS does not know the state {kind}")

    def _do_task(self, execution: Execution, state: Json, go_on: Callable[[], None]) -> None:
        if state["Resource"] != "arn:aws:states:::lambda:invoke":
            raise NotImplementedError(state["Resource"])
        arguments = _evaluated(state["Arguments"], execution.data)
        result = self._world.invoke(arguments["FunctionName"], arguments["Payload"])
        if result.error is None:
            output = {"result": {"Payload": result.value}}
            execution.data = _jsonata(state["Output"], execution.data, output)
            go_on()
            return
        for number, retrier in enumerate(state.get("Retry", [])):
            if not {result.error, "States.ALL"}.isdisjoint(retrier["ErrorEquals"]):
                done = execution.retried.get(number, 0)
                if done < retrier["MaxAttempts"]:
                    execution.retried[number] = done + 1
                    wait = retrier["IntervalSeconds"] * retrier["BackoffRate"] ** done
                    if retrier.get("JitterStrategy") == "FULL":
                        wait *= self._world.random.random()
                    self._world.after(wait, lambda: self._enter_state(execution))
                    return
                break
        execution.status = "FAILED"


def _jsonata(expression: Any, given: Json, more: Json | None = None) -> Any:
    """Paths into the state's input and result: no more is needed, and no more is understood."""
    found = JSONATA.fullmatch(str(expression))
    if found is None:
        raise NotImplementedError(f"the little AWS does not understand {expression}")
    value: Any = {"input": given, **(more or {})}[found[1]]
    for name in found[2].split(".")[1:]:
        value = value[name]
    return value


def _evaluated(template: Any, given: Json) -> Any:
    if isinstance(template, dict):
        return {name: _evaluated(value, given) for name, value in template.items()}
    is_expression = isinstance(template, str) and template.startswith("{%")
    return _jsonata(template, given) if is_expression else template
