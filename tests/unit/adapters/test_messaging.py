"""The adapters of SNS, SQS, EventBridge and Step Functions:

what goes out, and what refusals become.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, ConnectTimeoutError
from botocore.stub import ANY, Stubber

from shared.adapters.alerts import AlertRefusedError, AlertSender
from shared.adapters.escalation import Escalation
from shared.adapters.event_bus import EventBus
from shared.adapters.queues import Queue
from shared.errors import (
    AlertNotSentError,
    EventsNotPublishedError,
    RetryableError,
    WakeUpNotSetError,
)
from tests.unit.domain.samples import ANNA, at

TOPIC = "arn:aws:sns:eu-central-1:123456789012:alerts"
MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:escalation"


@pytest.fixture
def sns() -> Iterator[tuple[AlertSender, Stubber]]:
    client = boto3.client("sns")
    with Stubber(client) as stub:
        yield AlertSender(client, TOPIC), stub


def test_an_sms_goes_to_a_number_as_transactional(sns: tuple[AlertSender, Stubber]) -> None:
    sender, stub = sns
    expected: dict[str, Any] = {
        "PhoneNumber": "+447700900001",
        "Message": "hello",
        "MessageAttributes": {
            "AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}
        },
    }
    stub.add_response("publish", {"MessageId": "m1"}, expected)

    assert sender.sms("+447700900001", "hello") == "m1"


def test_an_e_mail_goes_to_the_topic_with_the_persons_id(sns: tuple[AlertSender, Stubber]) -> None:
    sender, stub = sns
    expected: dict[str, Any] = {
        "TopicArn": TOPIC,
        "Subject": "s",
        "Message": "t",
        "MessageAttributes": {
            "team": {"DataType": "String", "StringValue": "sales"},
            "rep_id": {"DataType": "String", "StringValue": "anna"},
        },
    }
    stub.add_response("publish", {"MessageId": "m2"}, expected)

    assert sender.email(ANNA, "s", "t") == "m2"


@pytest.mark.parametrize(
    ("code", "message", "reason"),
    [
        ("InvalidParameter", "Invalid parameter: PhoneNumber", "invalid_address"),
        ("InvalidParameter", "phone number is opted out", "opted_out"),
        ("NotFound", "Topic does not exist", "topic_missing"),
    ],
)
def test_what_no_retry_mends_is_refused_with_a_reason(
    sns: tuple[AlertSender, Stubber], code: str, message: str, reason: str
) -> None:
    sender, stub = sns
    stub.add_client_error("publish", code, message)

    with pytest.raises(AlertRefusedError) as refused:
        sender.sms("+447700900001", "hello")
    assert refused.value.reason == reason


@pytest.mark.parametrize("code", ["Throttled", "InternalError", "KMSThrottling"])
def test_everything_else_is_tried_again(sns: tuple[AlertSender, Stubber], code: str) -> None:
    sender, stub = sns
    stub.add_client_error("publish", code)

    with pytest.raises(AlertNotSentError):
        sender.email(ANNA, "s", "t")


def test_a_time_out_is_tried_again(
    sns: tuple[AlertSender, Stubber], monkeypatch: pytest.MonkeyPatch
) -> None:
    sender, _ = sns

    def no_answer(**_: object) -> None:
        raise ConnectTimeoutError(endpoint_url="https://sns")

    monkeypatch.setattr(sender._sns, "publish", no_answer)
    with pytest.raises(AlertNotSentError, match="ConnectTimeout"):
        sender.sms("+447700900001", "hello")


def test_events_go_out_in_tens_and_those_refused_are_named() -> None:
    client = boto3.client("events")
    flats = [{"type": "LeadCaptured", "lead_id": str(number)} for number in range(12)]
    with Stubber(client) as stub:
        for size, failed in ((10, 3), (2, None)):
            entries = [{"EventId": "e"} for _ in range(size)]
            if failed is not None:
                entries[failed] = {"ErrorCode": "ThrottlingException"}
            stub.add_response(
                "put_events",
                {"FailedEntryCount": int(failed is not None), "Entries": entries},
                {"Entries": [ANY] * size},
            )

        assert EventBus(client, "bus").publish(flats) == [3]
        stub.assert_no_pending_responses()


def test_messages_go_out_in_tens_and_a_refused_one_is_an_error() -> None:
    client = boto3.client("sqs")
    with Stubber(client) as stub:
        stub.add_response("send_message_batch", {"Successful": [], "Failed": []})
        refused = {"Id": "0", "SenderFault": False, "Code": "InternalError"}
        stub.add_response("send_message_batch", {"Successful": [], "Failed": [refused]})

        with pytest.raises(EventsNotPublishedError):
            Queue(client, "https://queue").send([{"lead_id": str(n)} for n in range(11)])
        Queue(client, "https://queue").send([])


def test_an_execution_is_started_once_by_name() -> None:
    client = boto3.client("stepfunctions")
    expected: dict[str, Any] = {
        "stateMachineArn": MACHINE,
        "name": f"{'a' * 32}-2",
        "input": json.dumps({"lead_id": "a" * 32, "run": 2, "wake_at": "2026-11-20T09:02:00.000Z"}),
    }
    with Stubber(client) as stub:
        stub.add_response(
            "start_execution", {"executionArn": "arn:aws:states:x", "startDate": at(0)}, expected
        )
        stub.add_client_error("start_execution", "ExecutionAlreadyExists")
        escalation = Escalation(client, MACHINE)

        escalation.wake("a" * 32, 2, at(120))
        escalation.wake("a" * 32, 2, at(120))


def publish(client: BaseClient) -> None:
    EventBus(client, "bus").publish([{"type": "LeadCaptured"}])  # type: ignore[arg-type] # any client


def send(client: BaseClient) -> None:
    Queue(client, "https://queue").send([{"lead_id": "1"}])  # type: ignore[arg-type] # any client


def wake(client: BaseClient) -> None:
    Escalation(client, MACHINE).wake("a" * 32, 1, at(120))  # type: ignore[arg-type] # any client


MESSAGING = pytest.mark.parametrize(
    ("service", "operation", "call", "expected"),
    [
        ("events", "put_events", publish, EventsNotPublishedError),
        ("sqs", "send_message_batch", send, EventsNotPublishedError),
        ("stepfunctions", "start_execution", wake, WakeUpNotSetError),
    ],
)
Doing = Callable[[BaseClient], None]


@MESSAGING
@pytest.mark.parametrize(
    ("code", "status"), [("ThrottlingException", 400), ("InternalFailure", 500)]
)
def test_trouble_of_a_service_is_ours_by_name(
    service: Any,
    operation: str,
    call: Doing,
    expected: type[RetryableError],
    code: str,
    status: int,
) -> None:
    client: Any = boto3.client(service)
    with Stubber(client) as stub:
        stub.add_client_error(operation, code, "a text of AWS", status)

        with pytest.raises(expected, match=code):
            call(client)


@MESSAGING
def test_a_service_that_does_not_answer_is_trouble_too(
    service: Any,
    operation: str,
    call: Doing,
    expected: type[RetryableError],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client: Any = boto3.client(service)

    def no_answer(**_: object) -> None:
        raise ConnectTimeoutError(endpoint_url="https://aws")

    monkeypatch.setattr(client, operation, no_answer)
    with pytest.raises(expected, match=r"^ConnectTimeoutError$"):
        call(client)


@MESSAGING
def test_our_own_mistake_stays_loud(
    service: Any, operation: str, call: Doing, expected: type[RetryableError]
) -> None:
    client: Any = boto3.client(service)
    with Stubber(client) as stub:
        stub.add_client_error(operation, "AccessDeniedException", "not authorized", 400)

        with pytest.raises(ClientError, match="AccessDenied"):
            call(client)
