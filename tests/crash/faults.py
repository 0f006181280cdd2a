"""What can go wrong with one call to AWS, planned by the number of the call.

The cut is above the SDK's own retries: one fault stands for retries that are used up.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple
from unittest.mock import patch

from botocore.client import BaseClient
from botocore.exceptions import ClientError, ReadTimeoutError

from tests.crash.deployment import Json

MODES = ("error", "timeout_before", "timeout_after", "kill_before", "kill_after")
"""Refused; not answered, and not done or done; the process dies before the call, or after it."""

CODES: Mapping[str, tuple[str, ...]] = {
    "dynamodb.GetItem": ("ProvisionedThroughputExceededException",),
    "dynamodb.BatchGetItem": ("ThrottlingException",),
    "dynamodb.Query": ("InternalServerError",),
    "dynamodb.UpdateItem": ("ThrottlingException",),
    "dynamodb.TransactWriteItems": ("InternalServerError", "TransactionConflict"),
    "events.PutEvents": ("InternalException", "some_refused"),
    "sqs.SendMessageBatch": ("RequestThrottled", "some_refused"),
    "stepfunctions.StartExecution": ("ThrottlingException",),
    "sns.CheckIfPhoneNumberIsOptedOut": ("Throttled",),
    "sns.ListSubscriptionsByTopic": ("InternalError",),
    "sns.Publish": ("Throttled", "OptedOut"),
}
"""The service's own words by operation; `error` is the first. `TransactionConflict` is a reason of
a cancelled transaction, `some_refused` an answer that names entries that were not taken.
"""

Plan = Mapping[int, str]
"""What befalls which call: one of MODES, or one of CODES."""


def modes_of(operation: str) -> tuple[str, ...]:
    """Everything that can befall one call."""
    return (*MODES, *CODES[operation][1:])


class Killed(BaseException):
    """Lambda's time is over, or its host has died."""


class Call(NamedTuple):
    """One call of a function to AWS."""

    number: int
    operation: str
    """`sns.Publish`"""
    arguments: Json
    invocation: int
    """Calls of one invocation have the same number."""
    function: str


class Cut(NamedTuple):
    """What a fault needs of the world: to make the call, to refuse it, to let time pass."""

    make: Callable[[], Any]
    refuse: Callable[[str], Exception]
    refuse_some: Callable[[], Any]
    hang: Callable[[], None]


class Fired(NamedTuple):
    call: Call
    mode: str


class Faults:
    """A plan at work. `fired` is what really happened."""

    def __init__(self, plan: Plan | None = None) -> None:
        self.plan = dict(plan or {})
        self.fired: list[Fired] = []

    def __call__(self, call: Call, cut: Cut) -> Any:
        mode = self.plan.get(call.number)
        if mode is None:
            return cut.make()
        self.fired.append(Fired(call, mode))
        match mode:
            case "kill_before":
                raise Killed(call.operation)
            case "kill_after":
                cut.make()
                raise Killed(call.operation)
            case "timeout_before":
                cut.hang()
                raise ReadTimeoutError(endpoint_url=call.operation)
            case "timeout_after":
                cut.make()
                cut.hang()
                raise ReadTimeoutError(endpoint_url=call.operation)
            case "some_refused":
                return cut.refuse_some()
            case "error":
                raise cut.refuse(CODES[call.operation][0])
            case code if code in CODES[call.operation]:
                raise cut.refuse(code)
        raise ValueError(f"{mode} is no fault of {call.operation}")


def refusal(client: BaseClient, operation: str, arguments: Json, code: str) -> ClientError:
    """The service's own error, of the class that the SDK would raise."""
    response: Any = {
        "Error": {"Code": code, "Message": "injected"},
        "ResponseMetadata": {"HTTPStatusCode": 500 if code.startswith("Internal") else 400},
    }
    if code == "TransactionConflict":
        response["Error"]["Code"] = "TransactionCanceledException"
        others: list[Json] = [{"Code": "None"} for _ in arguments["TransactItems"][1:]]
        response["CancellationReasons"] = [{"Code": "TransactionConflict"}, *others]
        code = "TransactionCanceledException"
    kind: Any = client.exceptions.from_code(code)
    error: ClientError = kind(response, operation)
    return error


def aws_answered_by(
    answer: Callable[[BaseClient, str, Json], object],
) -> AbstractContextManager[object]:
    """In it, no call of the SDK reaches AWS: `answer` gets the client, the operation and its
    arguments in its place.
    """

    def call_aws(client: BaseClient, operation: str, arguments: Json) -> object:
        return answer(client, operation, arguments)

    return patch("botocore.client.BaseClient._make_api_call", call_aws)
