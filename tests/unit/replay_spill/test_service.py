"""A table that takes nothing, and what becomes of requests when it does again."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, cast

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from infra.cli.policy_files import read_policy
from replay_spill.service import replay
from shared.adapters.dynamodb import Table
from shared.adapters.policy_store import PolicyStore
from shared.errors import StorageUnavailableError
from shared.http import HttpRequest
from submit_form.service import Answered, Parts, Received, submission_id_of, submit_form
from tests.unit.functions.fakes import FakeQueue, parts_on
from tests.unit.samples import ANSWERS, PAGE, a_request

POLICY = read_policy(Path(__file__).parents[3] / "infra/policy", {"SITE": PAGE})
RECEIVED = datetime(2026, 11, 20, 9, tzinfo=UTC)


class Outage:
    """DynamoDB refuses every call while it is on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.on = False
        self.refused = 0
        call = vars(BaseClient)["_make_api_call"]

        def perhaps(client: BaseClient, operation: str, arguments: Any) -> Any:
            if self.on and client.meta.service_model.service_name == "dynamodb":
                self.refused += 1
                error = {"Error": {"Code": "InternalServerError", "Message": "Ann"}}
                raise ClientError(cast("Any", error), operation)
            return call(client, operation, arguments)

        monkeypatch.setattr(BaseClient, "_make_api_call", perhaps)


@pytest.fixture
def outage(monkeypatch: pytest.MonkeyPatch) -> Outage:
    monkeypatch.setattr("time.sleep", lambda _: None)
    return Outage(monkeypatch)


@pytest.fixture
def parts(table: Table, outage: Outage) -> Parts:
    """A warm function: its policy was read before the outage."""
    parts = parts_on(table)
    cast("PolicyStore", parts.policies).publish(POLICY)
    return parts


def post(parts: Parts, at: datetime = RECEIVED, **answers: str) -> Answered:
    request = a_request(json.dumps({**ANSWERS, **answers}), "application/json")
    return submit_form(request, parts, Received(at, submission_id_of(request)))


def spilled(parts: Parts) -> list[Any]:
    return cast("FakeQueue", parts.spill).messages


def leads(table: Table) -> list[dict[str, Any]]:
    items = table.dynamodb.scan(TableName="leads")["Items"]
    return [item for item in items if item["SK"] == {"S": "LEAD"}]


@pytest.mark.parametrize("warm", [True, False])
def test_every_call_fails_and_nothing_is_lost(
    table: Table, parts: Parts, outage: Outage, warm: bool
) -> None:
    if warm:
        parts.policies.current().form("demo-en")
    outage.on = True
    answered = post(parts)
    assert (answered.reply.status, answered.outcome) == (202, "spilled")
    assert outage.refused
    (message,) = spilled(parts)
    assert message["submission_id"] == json.loads(answered.reply.body)["id"]

    with pytest.raises(StorageUnavailableError):
        replay(message, parts)
    outage.on = False
    assert leads(table) == []

    filed = [replay(message, parts).outcome for _ in range(3)]
    assert filed == ["created", "repeated", "repeated"]
    (lead,) = leads(table)
    assert lead["received_at"] == lead["clock_started_at"] == {"S": "2026-11-20T09:00:00.000Z"}
    assert lead["respond_by"] == {"S": "2026-11-20T09:05:00.000Z"}


def test_a_double_click_in_an_outage_is_one_lead(
    table: Table, parts: Parts, outage: Outage
) -> None:
    outage.on = True
    for second in range(2):
        post(parts, RECEIVED + timedelta(seconds=second))
    outage.on = False
    outcomes = [replay(message, parts).outcome for message in spilled(parts)]
    assert outcomes == ["created", "repeated"]
    assert len(leads(table)) == 1


def test_what_comes_again_days_later_is_still_the_same(
    table: Table, parts: Parts, outage: Outage
) -> None:
    outage.on = True
    post(parts)
    outage.on = False
    (message,) = spilled(parts)
    replay(message, parts)
    (receipt,) = (
        item
        for item in table.dynamodb.scan(TableName="leads")["Items"]
        if item["PK"]["S"].startswith("RECEIPT#")
    )
    assert int(receipt["expires_at"]["N"]) == RECEIVED.timestamp() + 7 * 86_400
    days_later = Received(RECEIVED + timedelta(days=3), "7" * 32)
    request = a_request(json.dumps(ANSWERS), "application/json")
    assert submit_form(request, parts, days_later).outcome == "joined"
    assert replay(message, parts).outcome in {"joined", "repeated"}


def test_what_was_suspicious_is_so_when_it_is_replayed(parts: Parts, outage: Outage) -> None:
    parts.policies.current().form("demo-en")
    bursts = parts._replace(bursts=AlwaysBurst())
    outage.on = True
    post(bursts)
    outage.on = False
    (message,) = spilled(parts)
    assert message["signals"] == ["burst"]
    assert replay(message, parts).outcome == "quarantined"


class AlwaysBurst:
    def signal(self, *_: object) -> Literal["burst"]:
        return "burst"


def test_a_mistake_is_kept_when_it_is_replayed(parts: Parts, table: Table, outage: Outage) -> None:
    outage.on = True
    assert post(parts, phone="1").outcome == "spilled"
    outage.on = False
    (message,) = spilled(parts)
    assert replay(message, parts).outcome == "rejected"
    kept = [
        item
        for item in table.dynamodb.scan(TableName="leads")["Items"]
        if item["PK"]["S"].startswith("INTAKE#2026-11-20#")
    ]
    assert [item["reasons"]["L"] for item in kept] == [[{"S": "phone:unusable"}]]


def test_the_request_waits_whole_and_without_cookies(parts: Parts, outage: Outage) -> None:
    outage.on = True
    request = a_request("name=Ann", authorization="Bearer k", cookie="session=secret")
    submit_form(request, parts, Received(RECEIVED, "5" * 32))
    (message,) = spilled(parts)
    assert "secret" not in json.dumps(message)
    assert message["raw"]["headers"]["authorization"] == "Bearer k"
    again = HttpRequest.from_raw(request.raw({*request.headers}), "demo-en", request.source_ip)
    assert (again.body, again.method, again.path) == (request.body, request.method, request.path)


def test_a_burst_that_was_taken_is_filed(parts: Parts, table: Table, outage: Outage) -> None:
    """Limits are for those who wait for an answer."""
    form = cast("dict[str, object]", POLICY["form/demo-en"])
    strict = {**POLICY, "form/demo-en": {**form, "limits": {"soft": 2, "hard": 4}}}
    cast("PolicyStore", parts.policies).publish(strict)
    outage.on = True
    for number in range(6):
        post(parts, message=f"wish {number}", phone=f"020 7946 {number:04}")
    outage.on = False
    outcomes = [replay(message, parts).outcome for message in spilled(parts)]
    assert outcomes == ["created"] * 6
    assert len(leads(table)) == 6
