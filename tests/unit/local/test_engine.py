"""What a restart of the engine breaks, and how it is mended."""

import json
from pathlib import Path
from typing import Any

from infra.local.engine import forget_stream_positions, resume_executions


def test_streams_are_read_from_their_beginning(tmp_path: Path) -> None:
    state = {"payload": {"dynamodb_stream_positions": {"data": {"a": 7}}, "functions": {"b": 1}}}
    (tmp_path / "lambda.json").write_text(json.dumps(state))

    forget_stream_positions(tmp_path)

    kept = json.loads((tmp_path / "lambda.json").read_text())["payload"]
    assert kept == {"dynamodb_stream_positions": {"data": {}}, "functions": {"b": 1}}


def test_an_engine_without_state_has_nothing_to_forget(tmp_path: Path) -> None:
    forget_stream_positions(tmp_path)

    assert list(tmp_path.iterdir()) == []


class Machine:
    """One state machine whose executions live in a dict: name -> (status, error, input)."""

    def __init__(self, executions: dict[str, tuple[str, str, str]]) -> None:
        self.executions = executions

    def list_state_machines(self) -> dict[str, Any]:
        return {"stateMachines": [{"stateMachineArn": "machine"}]}

    def get_paginator(self, _: str) -> "Machine":
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        listed = [
            {"name": name, "executionArn": name, "status": status}
            for name, (status, _, _) in self.executions.items()
        ]
        return [{"executions": listed}]

    def describe_execution(self, *, executionArn: str) -> dict[str, str]:  # noqa: N803 - boto3's
        _, error, given = self.executions[executionArn]
        return {"error": error, "input": given}

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> None:  # noqa: N803, A002 - boto3's
        assert stateMachineArn == "machine"
        assert name not in self.executions
        self.executions[name] = ("RUNNING", "", input)

    def fail_what_runs(self) -> None:
        for name, (status, _, given) in self.executions.items():
            if status == "RUNNING":
                self.executions[name] = ("FAILED", "States.ServiceRestart", given)


def test_an_execution_that_the_stop_failed_goes_on_once_and_after_each_stop() -> None:
    machine: Any = Machine({"lead-1": ("RUNNING", "", '{"run": 1}')})
    for _ in range(3):
        machine.fail_what_runs()
        assert resume_executions(machine) == 1
        assert resume_executions(machine) == 0

    running = [e for e in machine.executions.values() if e[0] == "RUNNING"]
    assert running == [("RUNNING", "", '{"run": 1}')]


def test_an_execution_that_failed_by_itself_or_ended_is_left_alone() -> None:
    machine: Any = Machine(
        {"lead-1": ("FAILED", "LeadChangedError", "{}"), "lead-2": ("SUCCEEDED", "", "{}")}
    )

    assert resume_executions(machine) == 0
