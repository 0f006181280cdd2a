"""The wire format, and the client that writes it without botocore's help."""

import json
from collections.abc import Mapping
from typing import Any

import boto3
import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.dynamodb import Refusal, Table, client, from_wire, to_wire

NUMBERS = st.integers(-(10**37), 10**37) | st.decimals("-1e9", "1e9", places=3)
VALUES = st.recursive(
    st.none() | st.booleans() | st.text() | NUMBERS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ITEMS = st.dictionaries(st.text(min_size=1), VALUES, max_size=4)


@given(ITEMS)
def test_items_are_written_and_read_as_boto3_does(item: Mapping[str, Any]) -> None:
    present = {name: value for name, value in item.items() if value is not None}
    wire = {name: TypeSerializer().serialize(value) for name, value in present.items()}
    assert to_wire(item) == wire
    assert from_wire(wire) == {n: TypeDeserializer().deserialize(v) for n, v in wire.items()}
    assert from_wire(to_wire(item)) == present


@pytest.mark.parametrize("value", [1.5, b"bytes", {1, 2}, object()])
def test_what_cannot_be_stored_as_it_is_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        to_wire({"a": {"b": [value]}})


def sent_by(dynamodb: Any, table: Table) -> dict[str, Any]:
    """The body of a transaction, as it leaves the client."""
    bodies: list[bytes] = []

    def keep(request: Any, **_: object) -> None:
        bodies.append(request.data)

    dynamodb.meta.events.register("request-created.dynamodb.TransactWriteItems", keep)
    writer = Table(dynamodb, table.name)
    put = writer.put({"PK": "é", "SK": "1", "n": 1, "m": {"l": [True, None, "x"]}}, "n = :n", n=2)
    update = writer.update({"PK": "b", "SK": "2"}, "SET a = :a", a="1")
    with pytest.raises(Refusal):
        writer.transact([put, update])
    body: dict[str, Any] = json.loads(bodies[0])
    return body


def test_the_lean_client_sends_what_boto3_would(table: Table) -> None:
    plain, lean = sent_by(boto3.client("dynamodb"), table), sent_by(client.__wrapped__(), table)
    # botocore's token makes its own retry of a transaction harmless: it must not get lost.
    assert len(lean.pop("ClientRequestToken")) == len(plain.pop("ClientRequestToken")) == 36
    assert lean == plain
