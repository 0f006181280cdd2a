"""Unit tests stay in the process: a socket is an error."""

from collections.abc import Iterator

import boto3
import pytest
from pytest_socket import disable_socket, enable_socket

from shared.adapters.dynamodb import Table
from tests.unit.aws import in_moto
from tests.unit.template import expanded


@pytest.fixture(autouse=True)
def no_sockets() -> Iterator[None]:
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()


@pytest.fixture
def table() -> Iterator[Table]:
    """The table of the template, in moto."""
    with in_moto():
        dynamodb = boto3.client("dynamodb")
        properties = expanded()["LeadTable"]["Properties"]
        dynamodb.create_table(
            TableName="leads",
            **{
                name: properties[name]
                for name in (
                    "AttributeDefinitions",
                    "BillingMode",
                    "GlobalSecondaryIndexes",
                    "KeySchema",
                )
            },
        )
        yield Table(dynamodb, "leads")
