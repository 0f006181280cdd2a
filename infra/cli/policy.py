"""`leadline policy`: says what is wrong with a folder of policy, and puts one in force."""

import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from infra.cli import deployment
from infra.cli.commands import Commands
from infra.cli.people_files import read_people
from infra.cli.policy_files import read_policy
from infra.cli.roster import teams_of
from shared.adapters import dynamodb
from shared.adapters.dynamodb import Table
from shared.adapters.people_table import PeopleTable
from shared.adapters.policy_store import PolicyStore
from shared.clients import client_named
from shared.clients.encodings import CHARSETS
from shared.domain.coverage import coverage
from shared.domain.form import Form
from shared.domain.policy import (
    MOST_MEASURED,
    OTHER,
    Policy,
    asking_for_metrics,
    check,
    parse_document,
)
from shared.domain.roster import Rep
from shared.errors import PolicyError

FOLDER = Path(__file__).parents[1] / "policy"


def add_commands(areas: Commands) -> None:
    policy = areas.add_parser("policy", help="forms, routing, definition, chains and calendars")
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
    checking.add_argument(
        "--people",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="check it against the people of a file, too, as `publish` does with those entered; "
        "once for each team",
    )
    checking.set_defaults(run=run_check)
    publishing.set_defaults(run=run_publish)
    deployment.add_stack(publishing)
    publishing.add_argument("--table", help="the table itself, instead of the stack's")


def run_check(options: Namespace) -> int:
    documents = _sound(options)
    if documents is None:
        return 1
    if options.people:
        people = [rep for file in options.people for rep in read_people(file)]
        if not _is_covered(_policy(documents), people):
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
    policy, people = _policy(documents), PeopleTable(table)
    if not _is_covered(policy, [rep for team in teams_of(policy) for rep in people.of_team(team)]):
        return 1
    print(f"version {PolicyStore(table).publish(documents)} is in force")
    return 0


def _policy(documents: Mapping[str, object]) -> Policy:
    """Sound documents, as the policy that they would be."""
    parsed = {name: parse_document(name, body) for name, body in documents.items()}
    return Policy(0, parsed.get, names=parsed)


def _is_covered(policy: Policy, people: Iterable[Rep]) -> bool:
    """Whether these people are enough for the policy. What is to be said of it is printed."""
    found = coverage(policy, people, datetime.now(UTC))
    if found.problems:
        print(*found.problems, sep="\n", file=sys.stderr)
        return False
    for note in found.notes:
        print(f"note: {note}")
    for team in found.unstaffed:
        print(f"note: team {team}: nobody is entered: `leadline roster put FILE`")
    return True


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
