"""Each row of the table in docs/architecture.md, "What makes no lead", gone once."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest

from infra.cli.policy_files import read_policy
from shared.adapters.dynamodb import Table, from_wire
from shared.adapters.policy_store import PolicyStore
from shared.clients.signatures import mac
from shared.domain.form import Limits
from shared.errors import StorageUnavailableError
from shared.http import HttpRequest
from submit_form.service import Answered, Parts, Received, submission_id_of, submit_form
from tests.unit.functions.fakes import FakeQueue, FakeSecrets, parts_on
from tests.unit.samples import ANSWERS, PAGE, a_request

ROOT = Path(__file__).parents[3]
POLICY = read_policy(ROOT / "infra/policy", {"SITE": PAGE})
DEMO = cast("dict[str, Any]", POLICY["form/demo-en"])
FORMS: dict[str, dict[str, Any]] = {
    "keyed": {"client": "generic", "secrets": {"key": "k"}},
    "flooded": {"limits": Limits(soft=1, hard=1).model_dump()},
    "abandoned": {"partials": "always"},
    "linkedin": {"client": "linkedin", "secrets": {"signing": "k"}},
    "google": {"client": "google_ads"},
    "tilda": {"client": "tilda"},
}
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECRET = "s3cret"


class Row(NamedTuple):
    kept: str
    status: int
    metric: str


def rows() -> dict[str, Row]:
    """The table, by the name of each way."""
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    section = text.partition("\n## What makes no lead\n")[2].partition("\n## ")[0]
    found = {}
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if named := re.fullmatch(r"`([a-z-]+)`", cells[0]):
            kept = re.match(r"`(\w+)`", cells[2])
            status = re.match(r"\d{3}", cells[3])
            metric = re.match(r"`(\w+)`", cells[4])
            assert status is not None, line
            found[named[1]] = Row(
                kept[1] if kept else "", int(status[0]), metric[1] if metric else ""
            )
    return found


def page(
    answers: Mapping[str, Any] | None = None, form_id: str = "demo-en", **headers: str
) -> HttpRequest:
    body = json.dumps({**ANSWERS, **(answers or {})})
    return a_request(body, "application/json", form_id=form_id, **headers)


def hook(content: object, form_id: str, **headers: str) -> HttpRequest:
    return a_request(json.dumps(content), "application/json", form_id=form_id, **headers)


def linkedin(action: str) -> HttpRequest:
    body = json.dumps({"leadGenFormResponse": "urn:1", "leadAction": action})
    signature = mac(SECRET, f"hmacsha256={body}".encode()).hex()
    return a_request(body, "application/json", form_id="linkedin", x_li_signature=signature)


ABANDONED = {"event": "abandon", "phone": "+44 20"}
WAYS: Mapping[str, list[HttpRequest]] = {
    "invalid": [page({"phone": ""})],
    "undecodable": [a_request("[1", "application/json")],
    "foreign": [page(origin="https://evil.example")],
    "unproved": [page(form_id="keyed")],
    "unknown": [page(form_id="not-yet")],
    "reused": [page(idempotency_key="k"), page({"message": "more"}, idempotency_key="k")],
    "suspicious": [page({"_gotcha": "https://spam.example"})],
    "flood": [page(form_id="flooded"), page({"message": "more"}, form_id="flooded")],
    "large": [a_request("a" * 131_073)],
    "method": [a_request(method="DELETE")],
    "partial": [page(ABANDONED, form_id="abandoned")],
    "unwanted": [page(ABANDONED)],
    "reference": [linkedin("CREATED")],
    "erasure": [linkedin("DELETED")],
    "try-out": [hook({"is_test": True, "user_column_data": []}, "google")],
    "ping": [a_request("test=test", form_id="tilda")],
    "retry": [page(), page()],
    "outage": [page()],
    "blackout": [page()],
}


def refuse(*_: object) -> Any:
    raise StorageUnavailableError("ThrottlingException")


@pytest.fixture
def parts(table: Table) -> Parts:
    forms = {
        f"form/{form_id}": {**DEMO, "form_id": form_id, **more} for form_id, more in FORMS.items()
    }
    parts = parts_on(table)._replace(secrets=FakeSecrets(key=SECRET, signing=SECRET))
    cast("PolicyStore", parts.policies).publish({**POLICY, **forms})
    return parts


def test_every_way_has_a_row_and_every_row_a_way() -> None:
    assert list(WAYS) == list(rows())


@pytest.mark.parametrize(("name", "row"), rows().items(), ids=rows())
def test_the_way_is_as_the_table_says(
    name: str, row: Row, parts: Parts, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = cast("FakeQueue", parts.spill)
    parts.policies.current()
    if name in {"outage", "blackout"}:
        monkeypatch.setattr(parts.filing, "capture", refuse)
        queue.fail = name == "blackout"
    before: list[str] = []
    answered: Answered | None = None
    for request in WAYS[name]:
        before = intake(table)
        answered = submit_form(request, parts, Received(NOW, submission_id_of(request)))
    assert answered is not None
    assert answered.reply.status == row.status
    assert [kind for kind in intake(table) if kind not in before] == (
        [row.kept] if row.kept else []
    )
    assert {one.metric.name for one in answered.measurements} == (
        {row.metric} if row.metric else set()
    )
    assert len(queue.messages) == (name == "outage")
    assert ("Retry-After" in answered.reply.headers) == (row.status in {429, 503})
    assert SECRET not in json.dumps(
        [item for item in items(table) if "INTAKE" in item["PK"]], default=str
    )


def items(table: Table) -> list[dict[str, Any]]:
    return [from_wire(item) for item in table.dynamodb.scan(TableName="leads")["Items"]]


def intake(table: Table) -> list[str]:
    return [item["kind"] for item in items(table) if item["PK"].startswith("INTAKE#")]
