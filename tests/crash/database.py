"""DynamoDB for the crash matrix: moto's, without HTTP, signatures and needless copies in between.

One run of the matrix makes some eighty calls and there are thousands of runs.
"""

import copy
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from unittest.mock import patch

from boto3.dynamodb.types import TypeDeserializer
from botocore import xform_name
from botocore.exceptions import ClientError
from moto.core.exceptions import JsonRESTError
from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, LimitedSizeDict
from moto.dynamodb.models.table import Table as MotoTable
from moto.dynamodb.parsing.expressions import UpdateExpressionParser  # type: ignore[attr-defined] # untyped
from moto.dynamodb.responses import DynamoHandler

from tests.crash.deployment import Json

ACCOUNT, REGION = "123456789012", "eu-central-1"
READS = frozenset({"BatchGetItem", "GetItem", "Query", "Scan"})
INDEX_NAME = 6
"""Its place among the arguments of moto's query, after the key."""
_deserializer = TypeDeserializer()


class _Table(MotoTable):
    """moto copies the whole table once per item of a transaction, to undo it: here it is copied
    once, and as far as a transaction can change it.
    """

    before: "_Table | None" = None
    indexed: dict[str, defaultdict[DynamoType, dict[DynamoType, Any]]]
    """What is in each index, since the last write."""

    def begin(self, partitions: Iterable[DynamoType] | None = None) -> None:
        """Copies what a transaction can change: these partitions, or all."""
        before = copy.copy(self)
        before.items, before.indexed = copy.copy(self.items), {}
        for key in self.items if partitions is None else {*partitions} & self.items.keys():
            before.items[key] = dict(self.items[key])
        self.before = before

    def __deepcopy__(self, memo: object) -> "_Table":
        if self.before is None:
            raise RuntimeError("copied outside a call")
        return self.before

    def detach(self, key: Json) -> None:
        """moto updates items in place: those of the copy must not change with them."""
        partition, sort = (DynamoType(key[name]) for name in (self.hash_key_attr, "SK"))
        item = self.get_item(partition, sort)
        if item is not None:
            self.items[partition][sort] = copy.deepcopy(item)

    def query(self, hash_key: DynamoType | None, *arguments: Any, **more: Any) -> Any:
        """moto sorts the whole table to find what stands under one key: here it gets no more to
        look at, and of an index only what is in it.
        """
        looked_at = copy.copy(self)
        if (name := arguments[INDEX_NAME]) is not None:
            looked_at.items = self._in_index(name)
        elif hash_key is not None:
            looked_at.items = defaultdict(dict, {hash_key: self.items.get(hash_key, {})})
        return MotoTable.query(looked_at, hash_key, *arguments, **more)

    def _in_index(self, name: str) -> defaultdict[DynamoType, dict[DynamoType, Any]]:
        if name in self.indexed:
            return self.indexed[name]
        index = next(index for index in self.all_indexes() if index.name == name)
        keys = [key["AttributeName"] for key in index.schema]
        found: defaultdict[DynamoType, dict[DynamoType, Any]] = defaultdict(dict)
        for partition, ranges in self.items.items():
            for sort, item in ranges.items():
                if all(key in item.attrs for key in keys):
                    found[partition][sort] = item
        self.indexed[name] = found
        return found


@contextmanager
def without_repetition() -> Iterator[None]:
    """What moto works out over and over, it works out once."""
    with (
        # It measures an item anew with each of its attributes.
        patch.object(LimitedSizeDict, "__setitem__", dict.__setitem__),
        # It parses a condition three times for each write of a transaction, an update twice.
        patch.object(ConditionExpressionParser, "parse", _parsed),
        patch.object(UpdateExpressionParser, "make", _parsed_update),
    ):
        yield


_parse = ConditionExpressionParser.parse
_parsed_update = cache(UpdateExpressionParser.make)
"""What it gives is copied before anything is changed in it."""
_conditions: dict[tuple[str, str, str], tuple[Any, list[str], list[str]]] = {}
"""What was made of a condition, by its text, names and values. It holds no state."""
MOST_CONDITIONS = 20_000


def _parsed(parser: ConditionExpressionParser) -> Any:
    text, names = parser.condition_expression, parser.expression_attribute_names
    values = parser.expression_attribute_values
    key = (text or "", repr(names), repr(values))
    if key not in _conditions:
        if len(_conditions) == MOST_CONDITIONS:
            _conditions.clear()
        own = ConditionExpressionParser(text, names, copy.deepcopy(values))
        _conditions[key] = (_parse(own), own.expr_attr_names_found, own.expr_attr_values_found)
    made, names_found, values_found = _conditions[key]
    parser.expr_attr_names_found += names_found
    parser.expr_attr_values_found += values_found
    return made


class _Handler(DynamoHandler):
    def __init__(self, backend: DynamoDBBackend, arguments: Json) -> None:
        super().__init__()
        self.backend = backend
        self.body = arguments

    @property
    def dynamodb_backend(self) -> DynamoDBBackend:
        return self.backend


class Database:
    """One table, and the records that its stream has not handed over yet."""

    def __init__(self, name: str, properties: Json) -> None:
        self.name = name
        self.backend = DynamoDBBackend(REGION, ACCOUNT)
        view = properties["StreamSpecification"]["StreamViewType"]
        self.backend.tables[name] = _Table(  # type: ignore[abstract] # moto makes its own like this
            name,
            account_id=ACCOUNT,
            region=REGION,
            schema=properties["KeySchema"],
            attr=properties["AttributeDefinitions"],
            billing_mode=properties["BillingMode"],
            global_indexes=properties["GlobalSecondaryIndexes"],
            streams={"StreamEnabled": True, "StreamViewType": view},
        )
        self.table.indexed = {}

    @property
    def table(self) -> _Table:
        """Fetched afresh: moto undoes a transaction by putting the copy in its place."""
        table = self.backend.tables[self.name]
        if not isinstance(table, _Table):
            raise TypeError(table)
        return table

    def twin(self) -> "Database":
        """Another database that begins with the same items."""
        other = copy.copy(self)
        other.backend = DynamoDBBackend(REGION, ACCOUNT)
        self.table.begin()
        other.backend.tables[self.name] = copy.deepcopy(self.table)
        return other

    def perform(self, operation: str, arguments: Json) -> tuple[Json, list[Json]]:
        """The answer, and what the stream has to tell. Raises ClientError as botocore would."""
        table = self.table
        if operation not in READS:
            table.indexed = {}
        if operation == "TransactWriteItems":
            table.begin(map(_partition, arguments["TransactItems"]))
            for write in arguments["TransactItems"]:
                if "Update" in write:
                    table.detach(write["Update"]["Key"])
        if operation == "UpdateItem":
            table.detach(arguments["Key"])
        shard = table.stream_shard
        if shard is None:
            raise RuntimeError("the table has no stream")
        shard.items.clear()
        handler = _Handler(self.backend, arguments)
        try:
            answer = getattr(handler, xform_name(operation))()
        except JsonRESTError as error:
            raise _as_botocore_says(error, operation) from None
        records = [record.to_json() for record in shard.items]
        return answer.result, records

    def items(self) -> list[dict[str, Any]]:
        """Everything that is stored, as it is stored, past the code under test."""
        return [
            _as_python(item) for ranges in self.table.items.values() for item in ranges.values()
        ]

    def has(self, attribute: str) -> bool:
        """Whether any item has it."""
        table = self.table.items.values()
        return any(attribute in item.attrs for ranges in table for item in ranges.values())

    def partition(self, key: str, prefix: str) -> list[dict[str, Any]]:
        """What stands under one partition key, in the order of its sort keys: those that begin with
        the prefix.
        """
        found = self.table.items.get(DynamoType({"S": key}), {})
        wanted = sorted(sort.value for sort in found if sort.value.startswith(prefix))
        return [_as_python(found[DynamoType({"S": sort})]) for sort in wanted]

    def item(self, partition: str, sort: str) -> dict[str, Any] | None:
        found = self.table.get_item(DynamoType({"S": partition}), DynamoType({"S": sort}))
        return None if found is None else _as_python(found)


def _partition(write: Json) -> DynamoType:
    (of,) = write.values()
    return DynamoType((of.get("Key") or of["Item"])["PK"])


def _as_python(item: Any) -> dict[str, Any]:
    attributes: Json = item.to_json()["Attributes"]
    return {name: _deserializer.deserialize(value) for name, value in attributes.items()}


def _as_botocore_says(error: JsonRESTError, operation: str) -> ClientError:
    said = json.loads(error.description)
    response: Any = {
        "Error": {
            "Code": said["__type"].rpartition("#")[2],
            "Message": said.get("message") or said.get("Message", ""),
        },
        "ResponseMetadata": {"HTTPStatusCode": error.code},
        **{name: said[name] for name in ("CancellationReasons", "Item") if name in said},
    }
    return ClientError(response, operation)
