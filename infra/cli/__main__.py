"""`python -m infra.cli`: what an operator does, with the AWS credentials of the terminal."""

import argparse
import sys
from pathlib import Path

from infra.cli.policy_files import read_policy
from shared.adapters import dynamodb
from shared.adapters.policy_store import PolicyStore
from shared.domain.policy import check
from shared.errors import LeadlineError

POLICY_FOLDER = Path(__file__).parents[1] / "policy"


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and returns the exit status."""
    options = _parser().parse_args(arguments)
    variables = dict(pair.partition("=")[::2] for pair in options.set)
    try:
        documents = read_policy(options.folder, variables)
        problems = check(documents)
        if problems:
            print(*problems, sep="\n", file=sys.stderr)
            return 1
        if options.command == "check":
            print(f"{len(documents)} documents, no problem found")
            return 0
        store = PolicyStore(dynamodb.Table(dynamodb.client(), options.table))
        print(f"version {store.publish(documents)} is in force")
    except LeadlineError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="leadline", description=__doc__)
    areas = parser.add_subparsers(required=True, metavar="AREA")
    policy = areas.add_parser("policy", help="forms, definition, chains and calendars")
    commands = policy.add_subparsers(required=True, dest="command", metavar="COMMAND")
    for name, text in (
        ("check", "say what is wrong with a folder of policy"),
        ("publish", "make a folder the policy in force"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("folder", nargs="?", type=Path, default=POLICY_FOLDER)
        command.add_argument(
            "--set", action="append", default=[], metavar="NAME=VALUE", help="a variable's value"
        )
        if name == "publish":
            command.add_argument("--table", required=True, help="the stack's output TableName")
    return parser


if __name__ == "__main__":
    sys.exit(main())
