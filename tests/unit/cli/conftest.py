"""A deployment in moto: the table, the queues, the topic and the bus, under their logical ids."""

from collections.abc import Callable

import boto3
import pytest

from infra.cli import deployment, redrive, restore
from infra.cli.__main__ import main
from infra.cli.deployment import Deployment
from infra.cli.redrive import MOVES, QUEUES
from shared.adapters import dynamodb
from shared.adapters.dynamodb import Table
from shared.adapters.filing import Filing
from shared.adapters.lead_table import LeadTable
from shared.adapters.people_table import PeopleTable


@pytest.fixture
def stack(table: Table, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    """What every command finds, whichever stack it asks for."""
    sqs = boto3.client("sqs")
    resources = {
        name: sqs.create_queue(QueueName=f"leadline-{name}-1A2B")["QueueUrl"]
        for name in (*QUEUES, *MOVES.values())
    }
    resources["LeadTable"] = table.name
    resources["AlertTopic"] = boto3.client("sns").create_topic(Name="alerts")["TopicArn"]
    resources["LeadEvents"] = "leadline-events"
    boto3.client("events").create_event_bus(Name="leadline-events")
    found = Deployment(
        name="leadline",
        region="eu-central-1",
        status="UPDATE_COMPLETE",
        parameters={"CanaryMinutes": "5", "SmsMonthlyBudgetUsd": "20", "OpsEmail": "a@ops.net"},
        outputs={"ApiUrl": "https://api.test"},
        resources=resources,
    )
    dynamodb.client.cache_clear()  # the client of another test talks to another moto
    monkeypatch.setattr(redrive, "WAIT_SECONDS", 0)
    monkeypatch.setattr(restore, "THREADS", 1)  # moto's tables are not made for several
    monkeypatch.setattr(deployment, "find", {"leadline": found}.__getitem__)
    return found


@pytest.fixture
def people(stack: Deployment) -> PeopleTable:
    """Nobody yet: a test file that needs a team says which."""
    return PeopleTable(stack.table)


@pytest.fixture
def leads(stack: Deployment, people: PeopleTable) -> LeadTable:
    return LeadTable(stack.table)


@pytest.fixture
def filing(stack: Deployment, people: PeopleTable) -> Filing:
    return Filing(stack.table)


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def leadline(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command: exit status, what it printed, and what it complained of."""

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main([*arguments])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run
