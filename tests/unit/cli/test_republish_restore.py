"""Events go on the bus again as they were, and what is missing comes back from a restored table."""

import json
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from infra.cli.deployment import Deployment
from infra.cli.republish import events_between, send
from shared.adapters.dynamodb import Table
from shared.adapters.event_bus import EventBus
from shared.adapters.filing import Filing
from shared.adapters.lead_table import LeadTable
from shared.domain.events import LeadAcknowledged, RecordedEvent
from shared.domain.instants import iso
from shared.domain.lead import Change
from tests.unit.adapters.samples import a_submission, captured
from tests.unit.cli.conftest import Run
from tests.unit.domain.samples import RECEIVED, at

HOUR = 3600


def a_lead_of_last_week(table: Table) -> str:
    """Captured at the start, acknowledged an hour later."""
    leads = LeadTable(table)
    filing = Filing(table)
    submission = a_submission()
    filed = filing.capture(submission, captured(submission))
    lead = leads.lead(filed.lead_id)
    assert lead is not None
    leads.record(lead, Change((LeadAcknowledged(rep_id="anna"),)), actor="anna", at=at(HOUR))
    return filed.lead_id


def items(table: Table) -> list[dict[str, Any]]:
    return table.dynamodb.scan(TableName=table.name)["Items"]


# --- republish -----------------------------------------------------------------------------------


def test_events_of_a_time_are_found_whenever_their_lead_was_captured(table: Table) -> None:
    lead_id = a_lead_of_last_week(table)

    (event,) = events_between(table, at(HOUR), at(HOUR + 1))

    assert (event.event_id, event.event.type) == (f"{lead_id}-2", "LeadAcknowledged")
    assert events_between(table, at(1), at(HOUR)) == []
    both = events_between(table, RECEIVED, at(HOUR + 1))
    assert [found.sequence for found in both] == [1, 2]


def test_what_is_no_event_of_this_version_is_named_and_passed_over(
    table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    a_lead_of_last_week(table)
    newer = {"PK": "LEAD#x", "SK": "EVENT#000001", "event_id": "x-1", "type": "LeadSold"}
    wire = {name: {"S": value} for name, value in {**newer, "at": iso(at(9))}.items()}
    table.dynamodb.put_item(TableName=table.name, Item=wire)

    assert len(events_between(table, RECEIVED, at(HOUR + 1))) == 2
    assert capsys.readouterr().out == "no event of this version: LEAD#x / EVENT#000001\n"


def test_it_only_counts_until_it_is_told_to_send(stack: Deployment, leadline: Run) -> None:
    a_lead_of_last_week(stack.table)

    status, out, _ = leadline("republish", "--since", "2026-11-20T09:00Z")

    assert status == 0
    assert "LeadCaptured      1" in out
    assert "2 events. Nothing was sent" in out


def test_it_sends_what_the_table_has_under_the_same_ids(stack: Deployment, leadline: Run) -> None:
    lead_id = a_lead_of_last_week(stack.table)
    sqs, events = boto3.client("sqs"), boto3.client("events")
    url = sqs.create_queue(QueueName="listener")["QueueUrl"]
    arn = "arn:aws:sqs:eu-central-1:123456789012:listener"
    events.put_rule(
        Name="all", EventBusName="leadline-events", EventPattern='{"source":["leadline"]}'
    )
    events.put_targets(
        Rule="all", EventBusName="leadline-events", Targets=[{"Id": "1", "Arn": arn}]
    )

    status, out, _ = leadline("republish", "--since", "2026-11-20T09:00Z", "--send")

    assert (status, out.splitlines()[-1]) == (0, "2 of 2 events are on the bus again")
    came = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    details = [json.loads(message["Body"])["detail"] for message in came]
    assert [detail["event_id"] for detail in details] == [f"{lead_id}-1", f"{lead_id}-2"]
    stored = LeadTable(stack.table).story(lead_id)
    assert stored is not None
    assert details == [event.flat() for event in stored.events]


def test_a_refused_event_is_tried_again_and_then_counted() -> None:
    client = boto3.client("events")
    event = RecordedEvent(
        lead_id="a",
        sequence=1,
        at=RECEIVED,
        actor="anna",
        form_id="f",
        channel="Direct",
        event=LeadAcknowledged(rep_id="anna"),
    )
    refused = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException"}]}
    with Stubber(client) as stub:
        for _ in range(3):
            stub.add_response("put_events", refused)
        assert send(EventBus(client, "bus"), [event]) == 1
        stub.add_response("put_events", refused)
        stub.add_response("put_events", {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]})
        assert send(EventBus(client, "bus"), [event]) == 0


@pytest.mark.parametrize("since", ["yesterday", "2026-11-20", "2026-11-20T09:00"])
def test_a_time_says_its_zone(leadline: Run, since: str) -> None:
    with pytest.raises(SystemExit):
        leadline("republish", "--since", since)


# --- restore -------------------------------------------------------------------------------------


@pytest.fixture
def restored(stack: Deployment) -> Table:
    """A table as a restore makes one, with what the stack's has."""
    table = stack.table
    table.dynamodb.create_table(
        TableName="restored",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("PK", "SK")],
        KeySchema=[
            {"AttributeName": "PK", "KeyType": "HASH"},
            {"AttributeName": "SK", "KeyType": "RANGE"},
        ],
    )
    a_lead_of_last_week(table)
    for item in items(table):
        table.dynamodb.put_item(TableName="restored", Item=item)
    return Table(table.dynamodb, "restored")


def delete(table: Table, item: dict[str, Any]) -> None:
    table.dynamodb.delete_item(
        TableName=table.name, Key={name: item[name] for name in ("PK", "SK")}
    )


def test_only_what_is_missing_comes_back(stack: Deployment, restored: Table, leadline: Run) -> None:
    before = items(stack.table)
    lost, changed, *_ = before
    delete(stack.table, lost)
    newer = {**changed, "touched": {"S": "since"}}
    stack.table.dynamodb.put_item(TableName=stack.table.name, Item=newer)

    assert leadline("restore", "--from", "restored")[1] == (
        f"{len(before)} found\nNothing was written: add --write.\n"
    )
    assert len(items(stack.table)) == len(before) - 1
    status, out, _ = leadline("restore", "--from", "restored", "--write")

    assert (status, out) == (0, f"1 copied, {len(before) - 1} kept\n")
    now = items(stack.table)
    assert lost in now
    assert newer in now


def test_a_table_is_not_restored_from_itself(stack: Deployment, leadline: Run) -> None:
    status, _, err = leadline("restore", "--from", stack.table.name)

    assert status == 1
    assert "the stack's own table" in err


def test_a_table_that_does_not_exist_is_said(stack: Deployment, leadline: Run) -> None:
    status, _, err = leadline("restore", "--from", "nowhere")

    assert status == 1
    assert "ResourceNotFoundException" in err
