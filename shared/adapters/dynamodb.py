"""DynamoDB in general: the client, items and their wire format, transactions and refusals."""

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from shared.adapters.timeouts import SHORT
from shared.errors import StorageUnavailableError

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

Item = dict[str, Any]
"""An item in Python types: str, int, Decimal, bool, None, lists and dicts of these. No float: it
could not be stored as it is."""

TRIES = 5
WORTH_RETRYING = frozenset(
    {
        "TransactionConflict",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
        "TransactionInProgressException",
    }
)
"""Refusals of a transaction that say nothing about its conditions."""


@cache
def client() -> "DynamoDBClient":
    """The low-level client, without what makes a transaction slow (docs/performance.md): the
    validation of parameters that we build ourselves, a user agent made anew for each call, and a
    walk through items that are in the wire format already.
    """
    lean = Config(parameter_validation=False, user_agent="leadline")
    made = boto3.client("dynamodb", config=SHORT.merge(lean))
    # Typed as if botocore did not take what this one returns.
    set_aside = cast("Callable[..., None]", _set_aside)
    made.meta.events.register("provide-client-params.dynamodb.TransactWriteItems", set_aside)
    made.meta.events.register("before-call.dynamodb.TransactWriteItems", _put_back)
    return made


def _set_aside(params: dict[str, Any], context: dict[str, Any], **_: object) -> dict[str, Any]:
    """Hides the items of a transaction from botocore's serializer: it needs 0.3 ms for them."""
    context["leadline_items"] = params["TransactItems"]
    return {**params, "TransactItems": []}


def _put_back(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
    """Into the request that is going to be signed, beside the token that botocore gave it."""
    body = {**json.loads(params["body"]), "TransactItems": context.pop("leadline_items")}
    params["body"] = json.dumps(body).encode()


def to_wire(item: Mapping[str, Any]) -> dict[str, Any]:
    """The wire format, without what is None. Raises TypeError for a float."""
    return {name: _wire(value) for name, value in item.items() if value is not None}


def _wire(value: object) -> dict[str, Any]:
    """One value, typed. As boto3's serializer, for the types that an Item has."""
    match value:
        case str():
            return {"S": value}
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case int() | Decimal():
            return {"N": str(value)}
        case dict():
            return {"M": {name: _wire(part) for name, part in value.items()}}
        case list() | tuple():
            return {"L": [_wire(part) for part in value]}
    raise TypeError(f"{type(value).__name__} is no type of an item")


def from_wire(item: Mapping[str, Any]) -> Item:
    """The inverse of `to_wire`; numbers come as Decimal."""
    return {name: _value(typed) for name, typed in item.items()}


def _value(typed: Mapping[str, Any]) -> Any:
    ((kind, value),) = typed.items()
    match kind:
        case "N":
            return Decimal(value)
        case "M":
            return from_wire(value)
        case "L":
            return [_value(part) for part in value]
        case "NULL":
            return None
    return value


class Refusal(Exception):  # noqa: N818 - it is an answer of the table, not an error
    """Conditions of a transaction did not hold: the former items, by place in the transaction."""

    def __init__(self, former: dict[int, Item]) -> None:
        super().__init__(sorted(former))
        self.former = former


class Table:
    """One table, with what every adapter on it needs."""

    def __init__(self, dynamodb: "DynamoDBClient", name: str) -> None:
        self.dynamodb = dynamodb
        self.name = name

    def put(
        self, item: Mapping[str, Any], condition: str = "", **values: object
    ) -> "TransactWriteItemTypeDef":
        """A Put for a transaction. Values are named in the condition as `:name`."""
        put: dict[str, Any] = {"TableName": self.name, "Item": to_wire(item)}
        return cast("TransactWriteItemTypeDef", {"Put": self._conditioned(put, condition, values)})

    def update(
        self, key: Mapping[str, str], expression: str, condition: str = "", **values: object
    ) -> "TransactWriteItemTypeDef":
        """An Update for a transaction."""
        update: dict[str, Any] = {
            "TableName": self.name,
            "Key": to_wire(key),
            "UpdateExpression": expression,
        }
        return cast(
            "TransactWriteItemTypeDef", {"Update": self._conditioned(update, condition, values)}
        )

    def _conditioned(
        self, write: dict[str, Any], condition: str, values: Mapping[str, object]
    ) -> dict[str, Any]:
        if condition:
            write["ConditionExpression"] = condition
            write["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        if values:
            write["ExpressionAttributeValues"] = {
                f":{name}": _wire(value) for name, value in values.items()
            }
        return write

    def transact(self, items: "Sequence[TransactWriteItemTypeDef]") -> None:
        """Writes all or nothing.

        Conflicts with other transactions are tried again with jitter and never taken for "exists
        already". Raises Refusal when a condition does not hold, StorageUnavailableError when
        DynamoDB will not answer.
        """
        for number in range(TRIES):
            self.pause(number)
            try:
                self.dynamodb.transact_write_items(TransactItems=items)
            except ClientError as error:
                former = _former_items(error)
                if former:
                    raise Refusal(former) from None
                if not _is_conflict(error):
                    _unavailable(error)
            except BotoCoreError as error:
                raise StorageUnavailableError("transaction") from error
            else:
                return
        raise StorageUnavailableError("transaction conflict")

    def pause(self, failures: int) -> None:
        """Makes room for whoever was faster: longer after each failure, and not at all before."""
        if failures:
            time.sleep(random.uniform(0, 0.02 * 2**failures))  # noqa: S311 - jitter, not a secret

    def get(self, key: Mapping[str, str]) -> Item | None:
        """The item as it is now: read consistently."""
        try:
            found = self.dynamodb.get_item(
                TableName=self.name, Key=to_wire(key), ConsistentRead=True
            )
        except (ClientError, BotoCoreError) as error:
            _unavailable(error)
        return from_wire(found["Item"]) if "Item" in found else None

    def query(self, condition: str, index: str = "", **values: object) -> Iterator[Item]:
        """Every item under a key condition, page by page; consistent unless it asks an index."""
        arguments: dict[str, Any] = {
            "TableName": self.name,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": to_wire({f":{n}": v for n, v in values.items()}),
        }
        arguments |= {"IndexName": index} if index else {"ConsistentRead": True}
        try:
            for page in self.dynamodb.get_paginator("query").paginate(**arguments):
                yield from map(from_wire, page["Items"])
        except (ClientError, BotoCoreError) as error:
            _unavailable(error)

    def get_many(self, keys: Sequence[Mapping[str, str]]) -> list[Item]:
        """The items that exist, in no order, read consistently."""
        found: list[Item] = []
        waiting = [to_wire(key) for key in keys]
        while waiting:
            try:
                answer = self.dynamodb.batch_get_item(
                    RequestItems={self.name: {"Keys": waiting[:100], "ConsistentRead": True}}
                )
            except (ClientError, BotoCoreError) as error:
                _unavailable(error)
            found += map(from_wire, answer["Responses"].get(self.name, []))
            left = cast("dict[str, Any]", answer["UnprocessedKeys"]).get(self.name, {"Keys": []})
            waiting = [*left["Keys"], *waiting[100:]]
        return found


def _reasons(error: ClientError) -> list[dict[str, Any]]:
    response = cast("dict[str, Any]", error.response)
    reasons: list[dict[str, Any]] = response.get("CancellationReasons", [])
    return reasons


def _former_items(error: ClientError) -> dict[int, Item]:
    """The items whose conditions did not hold, by place."""
    return {
        place: from_wire(reason.get("Item", {}))
        for place, reason in enumerate(_reasons(error))
        if reason.get("Code") == "ConditionalCheckFailed"
    }


def _is_conflict(error: ClientError) -> bool:
    """Whether the refusal says nothing about the conditions, so that the same call may succeed."""
    codes = {error.response["Error"]["Code"], *(reason.get("Code") for reason in _reasons(error))}
    return not codes.isdisjoint(WORTH_RETRYING)


UNAVAILABLE_CODES = frozenset(
    {
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
        "RequestTimeout",
    }
)


def _unavailable(error: ClientError | BotoCoreError) -> NoReturn:
    """DynamoDB's trouble becomes ours by name; our own mistakes (a missing right, a bad key) stay
    loud.
    """
    if isinstance(error, ClientError):
        if error.response["Error"]["Code"] not in UNAVAILABLE_CODES:
            raise error
        raise StorageUnavailableError(error.response["Error"]["Code"]) from error
    raise StorageUnavailableError(type(error).__name__) from error
