"""What a lead costs in state transitions: each one is paid for."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
MACHINE: dict[str, Any] = yaml.safe_load(
    (ROOT / "infra/statemachines/escalation.asl.yaml").read_text("utf-8")
)


def transitions(wake_ups: int) -> int:
    """How many states an execution enters when the last of its wake-ups finds nothing to do."""
    entered, asked, name = 0, 0, MACHINE["StartAt"]
    while name is not None:
        state, entered = MACHINE["States"][name], entered + 1
        match state["Type"]:
            case "Task":
                asked, name = asked + 1, state["Next"]
            case "Choice":
                assert [choice["Condition"] for choice in state["Choices"]] == [
                    "{% $states.input.done %}"
                ]
                name = state["Choices"][0]["Next"] if asked == wake_ups else state["Default"]
            case "Succeed":
                name = None
            case _:
                name = state["Next"]
    return entered


def test_a_lead_that_is_called_before_its_first_wake_up_costs_five_at_most() -> None:
    assert transitions(1) <= 5


def test_each_further_wake_up_costs_three_at_most() -> None:
    assert {transitions(n + 1) - transitions(n) for n in range(1, 8)} <= {1, 2, 3}
