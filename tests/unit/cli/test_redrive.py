"""What failed is sent where it belongs, and nothing is lost on the way."""

import json
from typing import Any, cast

import boto3
import pytest
from botocore.stub import ANY, Stubber

from infra.cli import redrive
from infra.cli.deployment import Deployment
from tests.unit.cli.conftest import Run
from tests.unit.template import expanded, of_type


def put(stack: Deployment, queue: str, *bodies: object, target: str = "") -> None:
    attributes: dict[str, Any] = {}
    if target:
        attributes = {"TARGET_ARN": {"DataType": "String", "StringValue": target}}
    for body in bodies:
        boto3.client("sqs").send_message(
            QueueUrl=stack.resource(queue),
            MessageBody=body if isinstance(body, str) else json.dumps(body),
            MessageAttributes=attributes,
        )


def taken(stack: Deployment, queue: str) -> list[Any]:
    answer = boto3.client("sqs").receive_message(
        QueueUrl=stack.resource(queue), MaxNumberOfMessages=10
    )
    return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def test_the_template_says_where_dead_letters_come_from() -> None:
    queues = of_type(expanded(), "AWS::SQS::Queue")
    policies = {
        queue["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]: name
        for name, queue in queues.items()
        if "RedrivePolicy" in queue["Properties"]
    }

    assert policies == redrive.MOVES
    assert set(redrive.QUEUES) <= set(queues)


def test_without_a_queue_it_only_counts(stack: Deployment, leadline: Run) -> None:
    put(stack, "AlertDeadLetters", {"lead_id": "a"}, {"lead_id": "b"})

    status, out, _ = leadline("redrive")

    assert status == 0
    assert "AlertDeadLetters    2" in out
    assert "AdvanceDeadLetters  0" in out
    assert taken(stack, "AlertQueue") == []


def test_dead_letters_go_back_to_their_queue(stack: Deployment, leadline: Run) -> None:
    bodies = [{"lead_id": str(number)} for number in range(12)]
    put(stack, "AdvanceDeadLetters", *bodies)

    status, out, _ = leadline("redrive", "AdvanceDeadLetters")

    assert (status, out) == (0, "AdvanceDeadLetters: 12 sent again\n")
    came = [*taken(stack, "AdvanceQueue"), *taken(stack, "AdvanceQueue")]
    assert sorted(came, key=lambda body: int(body["lead_id"])) == bodies
    assert redrive.count(boto3.client("sqs"), stack.resource("AdvanceDeadLetters")) == 0


def test_an_event_goes_to_the_queue_that_its_rule_could_not_reach(
    stack: Deployment, leadline: Run
) -> None:
    target = "arn:aws:sqs:eu-central-1:123456789012:leadline-AlertQueue-1A2B"
    detail = {"type": "AlertRequested", "lead_id": "a"}
    put(stack, "UndeliveredEvents", {"detail-type": "x", "detail": detail}, detail, target=target)

    status, out, _ = leadline("redrive", "--all")

    assert status == 0
    assert "UndeliveredEvents: 2 sent again" in out
    assert taken(stack, "AlertQueue") == [detail, detail]


def test_what_belongs_nowhere_is_kept(stack: Deployment, leadline: Run) -> None:
    put(stack, "UndeliveredEvents", {"detail": {}})
    put(stack, "UndeliveredEvents", {}, target="arn:aws:sqs:eu-central-1:1:other")

    status, out, _ = leadline("redrive", "UndeliveredEvents")

    assert (status, out) == (1, "UndeliveredEvents: 0 sent again, 2 kept\n")
    assert redrive.count(boto3.client("sqs"), stack.resource("UndeliveredEvents")) == 2


def test_parked_records_are_shown_and_stay(stack: Deployment, leadline: Run) -> None:
    put(stack, "ParkedRecords", '{"keys":{"PK":"LEAD#a"}}')

    status, out, _ = leadline("redrive", "ParkedRecords")

    assert status == 0
    assert out.startswith('{"keys":{"PK":"LEAD#a"}}\nParkedRecords: 1 shown')
    assert redrive.count(boto3.client("sqs"), stack.resource("ParkedRecords")) == 1


def test_a_message_that_was_not_taken_is_not_deleted(stack: Deployment) -> None:
    sqs = boto3.client("sqs")
    with Stubber(sqs) as stub:
        messages = [
            {"MessageId": handle, "Body": "{}", "ReceiptHandle": handle} for handle in ("r0", "r1")
        ]
        stub.add_response("receive_message", {"Messages": messages})
        failed = {"Id": "0", "SenderFault": False, "Code": "InternalError"}
        sent = {"Id": "1", "MessageId": "m", "MD5OfMessageBody": "5"}
        stub.add_response("send_message_batch", {"Successful": [sent], "Failed": [failed]})
        deleted = {"QueueUrl": ANY, "Entries": [{"Id": "0", "ReceiptHandle": "r1"}]}
        stub.add_response(
            "delete_message_batch", {"Successful": [{"Id": "0"}], "Failed": []}, deleted
        )
        stub.add_response("receive_message", {})
        shown = {"Id": "0", "ReceiptHandle": "r0", "VisibilityTimeout": 0}
        stub.add_response(
            "change_message_visibility_batch",
            {"Successful": [{"Id": "0"}], "Failed": []},
            {"QueueUrl": ANY, "Entries": [shown]},
        )

        assert redrive.redrive(sqs, stack, "AlertDeadLetters") == (1, 1)


@pytest.mark.parametrize("queue", ["UndeliveredEvents", "ParkedRecords"])
def test_what_stays_is_looked_at_once_even_if_it_comes_back_meanwhile(
    stack: Deployment, leadline: Run, monkeypatch: pytest.MonkeyPatch, queue: str
) -> None:
    """More than can be read within the time for which a message is hidden: here, none at all."""
    monkeypatch.setattr(redrive, "HIDDEN_SECONDS", 0)
    put(stack, queue, {"number": 1}, {"number": 2})

    out = leadline("redrive", queue)[1]

    assert out.splitlines()[-1].startswith(f"{queue}: {0 if queue != 'ParkedRecords' else 2} s")
    assert out.count('"number"') == (2 if queue == "ParkedRecords" else 0)
    assert redrive.count(boto3.client("sqs"), stack.resource(queue)) == 2


@pytest.mark.parametrize("queue", ["UndeliveredEvents", "ParkedRecords"])
def test_what_stays_can_be_seen_at_once(stack: Deployment, leadline: Run, queue: str) -> None:
    put(stack, queue, *({"number": number} for number in range(12)))

    for _ in range(2):
        leadline("redrive", queue)

    assert len(taken(stack, queue)) + len(taken(stack, queue)) == 12


def test_a_queue_that_does_not_exist_is_named(stack: Deployment, leadline: Run) -> None:
    status, _, err = leadline("redrive", "AlertQueue")

    assert (status, err) == (1, "error: no such queue: AlertQueue\n")


@pytest.mark.parametrize("body", ["no json", "[1]", '{"lead_id": "a"}'])
def test_a_body_that_is_no_event_of_the_bus_is_sent_as_it_is(body: str) -> None:
    assert redrive.as_sent(body) == body


def test_what_is_large_goes_in_several_calls() -> None:
    messages = [{"Body": "x" * 120_000, "MessageId": str(number)} for number in range(5)]
    parts = list(redrive._by_size(cast("Any", messages)))
    assert [len(part) for part in parts] == [2, 2, 1]
    assert [one for part in parts for one in part] == messages
