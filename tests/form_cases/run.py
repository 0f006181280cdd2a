"""`make cases FORM_CASES=folder`: sends each case of a folder to the local stack, and compares.

The stack is that of `make run`, with data of its own.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import boto3

from infra.cli.policy_files import read_policy
from infra.local.errors import LaptopError
from infra.local.run import Laptop
from shared.adapters.dynamodb import Table
from shared.errors import LeadlineError
from tests.form_cases.case import CASES, Case, Unreadable, read_folder
from tests.form_cases.field import Field, Verdict, publish
from tests.integration.conftest import POLICY, free_port, stack_outputs


def main() -> int:
    parser = argparse.ArgumentParser(prog="make cases", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=CASES, help="folder of cases")
    folder = parser.parse_args().folder.expanduser()
    found = read_folder(folder)
    if not found:
        say(f"error: there is no case (client/case/request.json) in {folder}")
    try:
        verdicts = run(found) if found else []
    except (LaptopError, LeadlineError) as error:
        say(f"error: {error}")
        verdicts = [Verdict(one.name, ["nothing could be sent"]) for one in found]
    say("\n" + table_of(verdicts))
    failed = sum(1 for verdict in verdicts if verdict.differences)
    say(f"{len(verdicts) - failed} passed, {failed} failed")
    return 1 if failed or not found else 0


def run(found: Sequence[Case | Unreadable]) -> list[Verdict]:
    """Says what came of each case as soon as it is known."""
    started = time.monotonic()
    cases = [one for one in found if isinstance(one, Case)]
    verdicts = []
    with (
        tempfile.TemporaryDirectory(prefix="leadline-cases-") as folder,
        Laptop(free_port(), Path(folder) / "state", Path(folder) / "log", say) as laptop,
    ):
        dynamodb, name = boto3.client("dynamodb"), stack_outputs()["TableName"]
        say(f"publishing the forms of {len(cases)} cases")
        publish(cases, read_policy(POLICY, {"SITE": laptop.url}), Table(dynamodb, name))
        field = Field(dynamodb, name, laptop.url)
        for place, one in enumerate(found, start=1):
            verdict = verdict_of(one, field)
            verdicts.append(verdict)
            say(f"[{place}/{len(found)}] {verdict}")
        say(f"{len(found)} cases in {time.monotonic() - started:.0f} s")
    return verdicts


def verdict_of(one: Case | Unreadable, field: Field) -> Verdict:
    if isinstance(one, Unreadable):
        return Verdict(one.name, [f"this is no case: {one.reason}"])
    try:
        return field.run(one)
    except Exception as error:  # noqa: BLE001 - somebody else's file: the other cases go on
        return Verdict(one.name, [f"it could not be compared: {error!r}"])


def table_of(verdicts: Sequence[Verdict]) -> str:
    """Passed and failed by client."""
    clients = dict.fromkeys(verdict.name.partition("/")[0] for verdict in verdicts)
    width = max((len(client) for client in clients), default=0)
    lines = [f"{'client':<{width}}  passed  failed"]
    for client in clients:
        own = [verdict for verdict in verdicts if verdict.name.partition("/")[0] == client]
        failed = sum(1 for verdict in own if verdict.differences)
        lines.append(f"{client:<{width}}  {len(own) - failed:>6}  {failed:>6}")
    return "\n".join(lines)


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
