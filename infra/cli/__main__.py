"""`./leadline`: what an operator does, with the AWS credentials of the terminal."""

import argparse
import os
import sys

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
)

from infra.cli import (
    intake,
    leads,
    links,
    policy,
    preflight,
    redrive,
    replan,
    republish,
    restore,
    roster,
    simulate,
)
from infra.cli.deployment import OperatorError
from infra.local.engine import DEFAULT_PORT, point_sdk_at
from shared.errors import LeadlineError

AREAS = (
    preflight,
    policy,
    roster,
    links,
    leads,
    intake,
    replan,
    redrive,
    republish,
    restore,
    simulate,
)
"""Each adds its commands, with a function `run` from the options to the exit status."""

HINTS: dict[type[Exception], str] = {
    NoRegionError: "Give --region, or set AWS_DEFAULT_REGION to the region of the stack.",
    NoCredentialsError: "Run `aws configure`, or set AWS_PROFILE.",
}


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and returns the exit status."""
    where, others = _regional().parse_known_args(arguments)
    options = _parser().parse_args(others)
    if where.local:
        port = int(os.environ.get("PORT", DEFAULT_PORT)) + 1
        point_sdk_at(f"http://127.0.0.1:{port}")
    if where.region:
        os.environ["AWS_DEFAULT_REGION"] = where.region
    try:
        status: int = options.run(options)
    except (LeadlineError, OperatorError, BotoCoreError, ClientError) as error:
        print(f"error: {error}", file=sys.stderr)
        if hint := HINTS.get(type(error)):
            print(hint, file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever reads has read enough, as `head` does: nothing more is written to them.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def _regional() -> argparse.ArgumentParser:
    """Before the command or after it, as people know it from AWS's own command line."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--region", help="the AWS region, if it is not the terminal's")
    says = "what `make run` has started, with PORT as there"
    parser.add_argument("--local", action="store_true", help=says)
    return parser


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="leadline", description=__doc__, parents=[_regional()])
    areas = parser.add_subparsers(required=True, metavar="COMMAND")
    for area in AREAS:
        area.add_commands(areas)
    return parser


if __name__ == "__main__":
    sys.exit(main())
