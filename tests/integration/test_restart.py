"""`make run` is stopped in the middle of a follow-up, and goes on when it is started again."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from shared.adapters.dynamodb import Table
from shared.adapters.lead_table import LeadTable, Story
from tests.integration.conftest import free_port, publish_test_policy, until

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
SWEPT_SECONDS = 240.0
FIRST = {"name": "Bob", "phone": "+44 7913 000002", "message": "First", "consent": "yes"}
PERSON = {"name": "Ada", "phone": "+44 7913 000001", "message": "Restart", "consent": "yes"}


@contextmanager
def running(port: int, data: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The process that `make run` becomes, ended as by Ctrl-C."""
    command = [sys.executable, "-m", "infra.local.run", f"--port={port}", f"--data={data}"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        until(lambda: answers(port) or process.poll() is not None, "the console")
        assert process.poll() is None
        yield process
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/inbox.json", timeout=30).is_success
    except httpx.TransportError:
        return False


def table_behind(port: int) -> Table:
    """The table, through the engine's own port: the next one after the address."""
    where: dict[str, Any] = {
        "endpoint_url": f"http://127.0.0.1:{port + 1}",
        "region_name": "us-east-1",
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
    }
    (stack,) = boto3.client("cloudformation", **where).describe_stacks(StackName="leadline")[
        "Stacks"
    ]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    return Table(boto3.client("dynamodb", **where), outputs["TableName"])


def test_a_follow_up_survives_a_restart(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"

    def inbox(phone: str = PERSON["phone"]) -> list[dict[str, Any]]:
        """What was told of somebody."""
        found: list[dict[str, Any]] = httpx.get(f"{url}/inbox.json", timeout=30).json()
        return [message for message in found if phone in message["text"]]

    def post(form_id: str, person: dict[str, str]) -> None:
        answer = httpx.post(f"{url}/v1/forms/{form_id}/submissions", json=person, timeout=30)
        assert answer.status_code == 201

    with running(port, tmp_path):
        publish_test_policy(table_behind(port), url)
        # Whoever comes first waits for cold starts, and would be told of several steps at once.
        post("demo-en", FIRST)
        until(lambda: inbox(FIRST["phone"]), "the first alert")
        post("quick", PERSON)
        until(lambda: {"sms", "email"} <= {m["channel"] for m in inbox()}, "SMS and e-mail")
        first = inbox()
        lead_id = str(first[0]["lead_id"])

    with running(port, tmp_path):
        leads = LeadTable(table_behind(port))

        def ended() -> Story | None:
            story = leads.story(lead_id)
            assert story is not None
            # An alert may be recorded as sent after that.
            ends = (getattr(e.event, "ends_chain", False) for e in story.events)
            return story if any(ends) else None

        # What was in flight when the engine stopped comes back by the queue or the sweeper.
        story = until(ended, "the end of the chain", SWEPT_SECONDS)
        until(lambda: len(inbox()) >= 7, "every alert", SWEPT_SECONDS)
        told = inbox()
    kinds = [getattr(e.event, "kind", "") for e in story.events if e.event.type == "AlertRequested"]
    assert kinds == ["new", "new", "repeat", "backup", "reminder", "breach", "breach"]
    assert all(message in told for message in first)
    assert len(told) == len(kinds), "each alert was sent, and once"
