"""`./leadline`: what an operator does, with the AWS credentials of the terminal."""

import argparse
import os
import sys

from botocore.exceptions import BotoCoreError, ClientError

from infra.cli import people, policy, preflight, redrive, republish, restore
from infra.cli.deployment import OperatorError
from shared.errors import LeadlineError

AREAS = (preflight, policy, people, redrive, republish, restore)
"""Each adds its commands, with a function `run` from the options to the exit status."""


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and returns the exit status."""
    options = _parser().parse_args(arguments)
    if options.region:
        os.environ["AWS_DEFAULT_REGION"] = options.region
    try:
        status: int = options.run(options)
    except (LeadlineError, OperatorError, BotoCoreError, ClientError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="leadline", description=__doc__)
    parser.add_argument("--region", help="the AWS region, if it is not the terminal's")
    areas = parser.add_subparsers(required=True, metavar="COMMAND")
    for area in AREAS:
        area.add_commands(areas)
    return parser


if __name__ == "__main__":
    sys.exit(main())
