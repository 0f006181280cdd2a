"""One laptop for all tests: the real template on the local engine, with IAM enforced."""

import copy
import os
import random
import re
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import boto3
import httpx
import pytest

from infra.cli.policy_files import read_policy
from infra.local.run import Laptop
from shared.adapters.dynamodb import Table
from shared.adapters.lead_table import LeadTable, Story
from shared.adapters.link_table import LinkTable
from shared.adapters.people_table import PeopleTable
from tests.form_cases.case import CASES, Case, read_folder
from tests.form_cases.field import publish

T = TypeVar("T")

POLICY = Path(__file__).parents[2] / "infra/policy"
PATIENCE_SECONDS = 30.0
"""Generous: machines that test are busy. Nothing here waits longer than it has to."""

QUICK_CHAIN = {
    "follow": ["qualified", "raw"],
    "respond_within_seconds": 4,
    "rounds": 1,
    "round_seconds": 8,
    "steps": [
        {
            "step": "new",
            "after_seconds": 0,
            "alert": [{"who": "owner", "kind": "new", "via": ["sms", "email"]}],
        },
        {
            "step": "other_channel",
            "after_seconds": 2,
            "when": "not_acknowledged",
            "alert": [
                {"who": "owner", "kind": "repeat", "via": ["email"]},
                {"who": "backup", "kind": "backup", "via": ["sms"]},
            ],
        },
        {
            "step": "reminder",
            "after_seconds": 3,
            "alert": [{"who": "owner", "kind": "reminder", "via": ["sms"]}],
        },
        {
            "step": "breach",
            "after_seconds": 4,
            "breach": True,
            "alert": [{"who": "manager", "kind": "breach", "via": ["sms", "email"]}],
        },
    ],
}
"""The beginning of the sample chain with seconds for minutes."""

CHAIN_TEAM = "chain"
DEAF_TEAM = "deaf"
"""Of which somebody is reached by nothing."""
DESK_TEAM = "desk"
FASTER = 30
"""So many times faster than the sample chain is the one that is watched to its end."""


def until(find: Callable[[], T | None], what: str, seconds: float = PATIENCE_SECONDS) -> T:
    """Waits for something to be found."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = find()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"never came: {what}")


@dataclass
class World:
    """The running system, from outside and behind the scenes."""

    url: str
    http: httpx.Client
    leads: LeadTable
    people: PeopleTable
    links: LinkTable
    outputs: dict[str, str]
    logs: Path
    calls: Path
    """What the functions asked of AWS: a line of JSON for each call."""

    def post(self, form_id: str, fields: dict[str, Any], **headers: str) -> httpx.Response:
        path = f"/v1/forms/{form_id}/submissions"
        return self.http.post(path, json=fields, headers=headers)

    def messages(self, words: str) -> list[dict[str, Any]]:
        """What the inbox shows with these words in it."""
        found: list[dict[str, Any]] = self.http.get("/inbox.json").json()
        return [message for message in found if words in message["text"]]

    def alerts(self, words: str, *channels: str) -> list[dict[str, Any]]:
        """Waits until a message came through each of these channels."""

        def find() -> list[dict[str, Any]] | None:
            found = self.messages(words)
            return found if {*channels} <= {message["channel"] for message in found} else None

        return until(find, f"{channels} with {words}")

    def story(self, lead_id: str) -> Story:
        story = self.leads.story(lead_id)
        assert story is not None
        return story

    def today(self) -> str:
        """Today, as the index by day calls it."""
        return f"{datetime.now(UTC):%Y-%m-%d}"

    def events(self, lead_id: str) -> list[str]:
        return [event.event.type for event in self.story(lead_id).events]


def act(world: World, link: str, action: str, **fields: str) -> httpx.Response:
    """Presses a button of a lead's page."""
    page = world.http.get(link)
    action_id = re.search(r'name="action_id" value="(\w+)"', page.text)
    assert action_id is not None
    return world.http.post(link, data={"action": action, "action_id": action_id[1], **fields})


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("laptop")
    environment = copy.copy(dict(os.environ))
    os.environ["LEADLINE_CALLS"] = str(folder / "calls.jsonl")
    with Laptop(free_port(), folder / "state", folder / "log") as laptop:
        outputs = stack_outputs()
        table = Table(boto3.client("dynamodb"), outputs["TableName"])
        cases = [case for case in read_folder(CASES) if isinstance(case, Case)]
        publish_test_policy(table, laptop.url, cases)
        with httpx.Client(base_url=laptop.url, timeout=30) as http:
            yield World(
                laptop.url,
                http,
                LeadTable(table),
                PeopleTable(table),
                LinkTable(table),
                outputs,
                folder / "log",
                folder / "calls.jsonl",
            )
    os.environ.clear()
    os.environ.update(environment)


@pytest.fixture(autouse=True)
def phones_have_not_rung(world: World) -> None:
    """Each test is the first that anybody hears of: what rang before counts for no burst."""
    dynamodb, name = boto3.client("dynamodb"), world.outputs["TableName"]
    for page in dynamodb.get_paginator("scan").paginate(
        TableName=name,
        FilterExpression="SK = :ringing",
        ExpressionAttributeValues={":ringing": {"S": "RINGING"}},
        ProjectionExpression="PK, SK",
    ):
        for key in page["Items"]:
            dynamodb.delete_item(TableName=name, Key=key)


def stack_outputs() -> dict[str, str]:
    (stack,) = boto3.client("cloudformation").describe_stacks(StackName="leadline")["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def publish_test_policy(table: Table, url: str, cases: Sequence[Case] = ()) -> None:
    """The sample policy, a form whose chain takes seconds, one whose team has nobody, two whose key
    is not there yet, and the forms of cases."""
    documents = read_policy(POLICY, {"SITE": url})
    demo = documents["form/demo-en"]
    assert isinstance(demo, dict)
    quick = {**demo, "form_id": "quick", "chain": "quick", "title": "Quick form"}
    unmanned = {**demo, "form_id": "unmanned", "team": "unmanned", "title": "Unmanned form"}
    deaf = {**demo, "form_id": "deaf", "team": DEAF_TEAM, "title": "Deaf form"}
    chain = {**demo, "form_id": "chain", "team": CHAIN_TEAM, "chain": "whole", "title": "Chain"}
    more = {
        "form/quick": quick,
        "chain/quick": QUICK_CHAIN,
        "form/unmanned": unmanned,
        "form/deaf": deaf,
        "form/chain": chain,
        "form/desk": {**demo, "form_id": "desk", "team": DESK_TEAM, "title": "Desk"},
        "chain/whole": faster(documents["chain/default"]),
    }
    for form_id in ("locked", "locked-too"):
        more[f"form/{form_id}"] = {
            **demo,
            "form_id": form_id,
            "client": "generic",
            "secrets": {"key": form_id},
        }
    publish(cases, {**documents, **more}, table)


def faster(chain: Any) -> dict[str, Any]:
    """One round of a chain, in less time."""
    times = {
        name: seconds // FASTER for name, seconds in chain.items() if name.endswith("_seconds")
    }
    steps = [{**s, "after_seconds": s["after_seconds"] // FASTER} for s in chain["steps"]]
    # So short that it ends before the next step would, also on a machine that is busy.
    times["acknowledgement_lasts_seconds"] = 4
    return {**chain, **times, "rounds": 1, "steps": steps}


def free_port() -> int:
    """A port that is free and has a free one after it, below those that clients are given."""
    while True:
        port = random.randrange(20_000, 32_000)
        try:
            for number in (port, port + 1):
                socket.create_server(("127.0.0.1", number)).close()
        except OSError:
            continue
        return port
