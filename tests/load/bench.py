"""`make bench`: what capture costs beside the AWS SDK alone, FastAPI and Chalice, in one run.

All get the same form and the same DynamoDB, a stub in a process of its own, and take turns: one
process each per round, so that a machine that gets busy gets busy for all. Figures of one round are
compared with each other; told are the median and the range of those ratios.

Nothing here passes or fails: a figure depends on the machine and on who else uses it.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from infra.build import leave_out
from infra.cli.policy_files import read_policy
from shared.adapters import dynamodb
from shared.adapters.policy_store import PolicyStore
from tests.load.packages import size_of_folder, size_of_installed
from tests.load.report import Measured, Row, Size, middle, replaced, table

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
WORK = ROOT / ".local" / "bench" / "work"
LAYER = WORK / "layer"
"""Bytecode, compiled for all alike before anything is measured, and the events."""
DOCUMENT = ROOT / "docs" / "performance.md"
EVENT = ROOT / "events" / "submit_form" / "script_json.json"
PAGE = "https://landing.example"
TABLE = "leads"
OUR_NEEDS = (
    "aws-lambda-powertools",
    "boto3",
    "email-validator",
    "jinja2",
    "multipart",
    "phonenumberslite",
    "pydantic",
    "tzdata",
)
PEER_NEEDS = ("boto3", "pydantic", "email-validator", "phonenumberslite")


@dataclass(frozen=True)
class Subject:
    """Something that takes a form and writes to DynamoDB."""

    name: str
    module: str
    environment: str
    """The folder under `.local` that it runs in."""
    code: tuple[Path, ...] = (ROOT,)
    needs: tuple[str, ...] = PEER_NEEDS
    """What its package installs."""
    event: str = "http_api"
    pruned: bool = False
    """Without the descriptions of services that it does not call, as `make build` ships it."""

    @property
    def python(self) -> Path:
        return ROOT / ".local" / self.environment / "bin" / "python"

    @property
    def path(self) -> list[Path]:
        """What Lambda would have on its path: the code, then the layer."""
        return [*self.code, self.layer]

    @property
    def layer(self) -> Path:
        return LAYER if self.pruned else site_packages(self.environment)

    @property
    def size(self) -> Size:
        """Of what it installs, and of our own code."""
        installed = size_of_installed(self.needs, self.layer)
        own = [size_of_folder(ROOT / folder) for folder in self.own]
        return Size(
            installed.unzipped + sum(size.unzipped for size in own),
            installed.zipped + sum(size.zipped for size in own),
        )

    @property
    def own(self) -> tuple[str, ...]:
        return ("functions", "shared") if self.needs == OUR_NEEDS else ()


SUBJECTS = (
    Subject("boto3, one `put_item`", "tests.load.subjects.floor", "bench", needs=("boto3",)),
    Subject(
        "**Leadline**, as `make build` ships it",
        "submit_form.handler",
        "runtime",
        (ROOT / "functions", ROOT),
        OUR_NEEDS,
        pruned=True,
    ),
    Subject(
        "Leadline, with the whole of boto3",
        "submit_form.handler",
        "runtime",
        (ROOT / "functions", ROOT),
        OUR_NEEDS,
    ),
    Subject(
        "FastAPI + Mangum",
        "tests.load.subjects.fastapi_mangum",
        "bench",
        needs=("fastapi", "mangum", *PEER_NEEDS),
    ),
    Subject(
        "Chalice",
        "tests.load.subjects.chalice_app",
        "bench",
        needs=("chalice", *PEER_NEEDS),
        event="rest_api",
    ),
)


def site_packages(environment: str) -> Path:
    return next((ROOT / ".local" / environment / "lib").glob("python3.*/site-packages"))


def as_lambda(endpoint: str, path: Sequence[Path]) -> dict[str, str]:
    """The variables of a function, and nothing of whoever runs this."""
    return {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_SESSION_TOKEN": "testing",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
        "AWS_LAMBDA_FUNCTION_NAME": "capture",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "HOME": str(WORK),
        "PATH": os.defpath,
        "POWERTOOLS_SERVICE_NAME": "leadline",
        "PYTHONPATH": os.pathsep.join(map(str, path)),
        "PYTHONPYCACHEPREFIX": str(WORK / "bytecode"),
        "TABLE_NAME": TABLE,
    }


def rest_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """The same request as Chalice wants it: from a REST API, payload 1.0."""
    return {
        "resource": "/v1/forms/{form_id}/submissions",
        "path": event["rawPath"],
        "httpMethod": "POST",
        "headers": event["headers"],
        "multiValueHeaders": {name: [value] for name, value in event["headers"].items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": event["pathParameters"],
        "stageVariables": None,
        "requestContext": {
            "resourcePath": "/v1/forms/{form_id}/submissions",
            "httpMethod": "POST",
            "path": event["rawPath"],
            "requestId": event["requestContext"]["requestId"],
            "identity": {"sourceIp": event["requestContext"]["http"]["sourceIp"]},
        },
        "body": event["body"],
        "isBase64Encoded": False,
    }


def prepare() -> None:
    """Writes the events and compiles everything that is going to be imported."""
    WORK.mkdir(parents=True, exist_ok=True)
    event = json.loads(EVENT.read_text("utf-8"))
    for name, content in (("http_api", event), ("rest_api", rest_event(event))):
        (WORK / f"{name}.json").write_text(json.dumps(content), "utf-8")
    say("leaving out of a copy of the layer what make build leaves out")
    shutil.rmtree(LAYER, ignore_errors=True)
    shutil.copytree(site_packages("runtime"), LAYER, ignore=shutil.ignore_patterns("__pycache__"))
    leave_out(LAYER)
    for python, path in sorted({(s.python, tuple(s.path)) for s in SUBJECTS}):
        say(f"compiling {path[-1].relative_to(ROOT)}")
        ours = [ROOT / "functions", ROOT / "shared", HERE]
        subprocess.run(
            [python, "-S", "-m", "compileall", "-q", "-q", path[-1], *ours],
            env={"PYTHONPYCACHEPREFIX": str(WORK / "bytecode")},
            check=False,  # some packages bring files of other Pythons
        )


@contextmanager
def stub() -> Iterator[str]:
    """A DynamoDB that holds the sample policy; yields its address."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.load.stub"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        endpoint = f"http://127.0.0.1:{process.stdout.readline().strip()}"
        try:
            publish(endpoint)
            yield endpoint
        finally:
            process.communicate()  # ends its input, and so the stub


def publish(endpoint: str) -> None:
    """Puts the sample policy into the stub, by the way that it gets into any table."""
    os.environ |= as_lambda(endpoint, [])
    policy = read_policy(ROOT / "infra" / "policy", {"SITE": PAGE})
    PolicyStore(dynamodb.Table(dynamodb.client(), TABLE)).publish(policy)


def run_in(subject: Subject, endpoint: str, *command: str | Path) -> Any:
    """What a program of ours prints in the process that a subject would have."""
    done = subprocess.run(
        [subject.python, "-S", *command],
        env=as_lambda(endpoint, subject.path),
        cwd=WORK,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{subject.name} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def measure(subject: Subject, endpoint: str, blocks: int) -> Measured:
    """One round of one subject, in a fresh process."""
    event = WORK / f"{subject.event}.json"
    return Measured(
        **run_in(subject, endpoint, HERE / "probe.py", subject.module, event, str(blocks))
    )


def own_cpu(endpoint: str, rounds: int) -> str:
    """One sentence: what a submission costs without AWS."""
    ours = next(subject for subject in SUBJECTS if subject.pruned)
    command = (HERE / "own.py", WORK / "http_api.json")
    found = [run_in(ours, endpoint, *command) for _ in range(rounds)]
    return (
        f"Without AWS, one JSON submission costs {middle((f['handler'] for f in found), 0)} µs of "
        f"CPU from event to answer; decoding, validating and judging alone "
        f"{middle((f['judged'] for f in found), 0)} µs."
    )


def worst_bodies(endpoint: str) -> str:
    """One sentence: what 128 KB of nothing good cost."""
    ours = next(subject for subject in SUBJECTS if subject.pruned)
    (most, client, name), *others = run_in(
        ours, endpoint, HERE / "bodies.py", WORK / "http_api.json"
    )
    return (
        f"Of {len(others) + 1} pairs of a form client and 128 KB made to be slow, the worst "
        f"takes the handler {most:.0f} ms of CPU ({client}, {name}), half of them less than "
        f"{median(took for took, *_ in others):.0f} ms."
    )


def say(phrase: str) -> None:
    print(f"bench: {phrase}", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=11, help="fresh processes per subject")
    parser.add_argument("--blocks", type=int, default=9, help="of 50 warm requests per process")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    options = parser.parse_args()
    prepare()
    rounds: dict[str, list[Measured]] = {subject.name: [] for subject in SUBJECTS}
    with stub() as endpoint:
        say("one round that does not count")
        for subject in SUBJECTS:
            measure(subject, endpoint, 1)
        for number in range(options.rounds):
            say(f"round {number + 1} of {options.rounds}")
            for subject in SUBJECTS:
                rounds[subject.name].append(measure(subject, endpoint, options.blocks))
        say("capture without AWS")
        own = own_cpu(endpoint, min(5, options.rounds))
        say("the worst bodies")
        own += f"\n\n{worst_bodies(endpoint)}"
    say("sizes")
    rows = [Row(subject.name, rounds[subject.name], subject.size) for subject in SUBJECTS]
    load = f"{median(os.getloadavg()):.1f}"
    text = (
        f"{table(rows)}\n\n{own}\n\nMedian and range of {options.rounds} rounds; Python "
        f"{platform.python_version()}, {platform.machine()}, {os.cpu_count()} CPUs, load {load}."
    )
    print(text)
    if options.write:
        document = replaced(DOCUMENT.read_text("utf-8"), text)
        DOCUMENT.write_text(document, "utf-8")


if __name__ == "__main__":
    main()
