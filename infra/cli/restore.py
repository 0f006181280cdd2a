"""`leadline restore`: copies what is missing from a restored table into the stack's own.

DynamoDB restores a backup to a new table. This brings its items back where functions look for them.
An item that exists is never touched: it is newer, and its lead may have gone on since.
"""

from argparse import Namespace
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import Any

import boto3
from botocore.config import Config

from infra.cli import deployment
from infra.cli.commands import Commands
from infra.cli.deployment import OperatorError
from shared.adapters.dynamodb import Table

THREADS = 16
BATCH = 1000
PATIENT = Config(
    retries={"mode": "standard", "total_max_attempts": 10}, max_pool_connections=THREADS
)


def add_commands(areas: Commands) -> None:
    command = areas.add_parser(
        "restore",
        help="copy back what is missing from a restored table",
        description="Counts the items. With --write those that are missing are copied.",
    )
    command.add_argument("--from", required=True, dest="source", metavar="TABLE")
    command.add_argument("--write", action="store_true", help="copy them, not only count them")
    deployment.add_stack(command)
    command.set_defaults(run=run)


def run(options: Namespace) -> int:
    name = deployment.find(options.stack).resource("LeadTable")
    if options.source == name:
        raise OperatorError("that is the stack's own table: name the restored one")
    dynamodb = boto3.client("dynamodb", config=PATIENT)
    source, target = Table(dynamodb, options.source), Table(dynamodb, name)
    items = items_of(source)
    counts = copy_missing(items, target) if options.write else Counter(found=sum(1 for _ in items))
    print(", ".join(f"{count} {what}" for what, count in sorted(counts.items())) or "nothing found")
    if not options.write:
        print("Nothing was written: add --write.")
    return 0


def items_of(table: Table) -> Iterator[dict[str, Any]]:
    """Every item, in the wire format."""
    for page in table.dynamodb.get_paginator("scan").paginate(TableName=table.name):
        yield from page["Items"]


def copy_missing(items: Iterator[dict[str, Any]], target: Table) -> Counter[str]:
    """Writes each item that does not exist, and counts: `copied` and `kept`."""
    counts: Counter[str] = Counter()
    with ThreadPoolExecutor(THREADS) as pool:
        # In portions: `map` alone would read the whole table into memory first.
        while portion := list(islice(items, BATCH)):
            counts.update(pool.map(partial(_copy, target), portion))
    return counts


def _copy(target: Table, item: Mapping[str, Any]) -> str:
    try:
        target.dynamodb.put_item(
            TableName=target.name, Item=item, ConditionExpression="attribute_not_exists(PK)"
        )
    except target.dynamodb.exceptions.ConditionalCheckFailedException:
        return "kept"
    return "copied"
