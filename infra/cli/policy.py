"""`leadline policy`: says what is wrong with a folder of policy, and puts one in force."""

import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path

from infra.cli import deployment
from infra.cli.commands import Commands
from infra.cli.policy_files import read_policy
from shared.adapters import dynamodb
from shared.adapters.dynamodb import Table
from shared.adapters.policy_store import PolicyStore
from shared.clients import client_named
from shared.clients.encodings import CHARSETS
from shared.domain.form import Form
from shared.domain.policy import MOST_MEASURED, OTHER, asking_for_metrics, check, parse_document
from shared.errors import PolicyError

FOLDER = Path(__file__).parents[1] / "policy"


def add_commands(areas: Commands) -> None:
    policy = areas.add_parser("policy", help="forms, definition, chains and calendars")
    commands = policy.add_subparsers(required=True, metavar="COMMAND")
    checking = commands.add_parser("check", help="say what is wrong with a folder of policy")
    publishing = commands.add_parser("publish", help="make a folder the policy in force")
    for command in (checking, publishing):
        command.add_argument(
            "folder", nargs="?", type=Path, default=FOLDER, help="infra/policy, if none is given"
        )
        command.add_argument(
            "--set", action="append", default=[], metavar="NAME=VALUE", help="a variable's value"
        )
    checking.set_defaults(run=run_check)
    publishing.set_defaults(run=run_publish)
    deployment.add_stack(publishing)
    publishing.add_argument("--table", help="the table itself, instead of the stack's")


def run_check(options: Namespace) -> int:
    documents = _sound(options)
    if documents is None:
        return 1
    print(f"{len(documents)} documents, no problem found")
    return 0


def run_publish(options: Namespace) -> int:
    documents = _sound(options)
    if documents is None:
        return 1
    table = (
        Table(dynamodb.client(), options.table)
        if options.table
        else deployment.find(options.stack).table
    )
    print(f"version {PolicyStore(table).publish(documents)} is in force")
    return 0


def _sound(options: Namespace) -> dict[str, object] | None:
    """The documents; None when they would not work together, which was said."""
    variables = dict(pair.partition("=")[::2] for pair in options.set)
    documents = read_policy(options.folder, variables)
    problems = [*check(documents)]
    problems += () if problems else not_understood(documents)
    if problems:
        print(*problems, sep="\n", file=sys.stderr)
        return None
    if unmeasured := asking_for_metrics(documents)[MOST_MEASURED:]:
        print(
            f"note: {MOST_MEASURED} forms at most have metrics of their own, the first by name;"
            f" counted as {OTHER}: {', '.join(unmeasured)}"
        )
    return documents


def not_understood(documents: Mapping[str, object]) -> Iterator[str]:
    """What sound forms want of their clients and these cannot do."""
    for name, body in documents.items():
        form = parse_document(name, body)
        if not isinstance(form, Form):
            continue
        try:
            client = client_named(form.client)
        except PolicyError as error:
            yield f"{name}: {error}"
            continue
        if form.legacy_charset and form.legacy_charset.strip().lower() not in CHARSETS:
            yield f"{name}: {form.legacy_charset} is no charset that browsers send"
        if "signing" in form.secrets and not client.signs:
            yield f"{name}: client {form.client} signs nothing; its secret is `key`"
