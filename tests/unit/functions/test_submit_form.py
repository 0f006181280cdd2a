"""From the event of API Gateway to the table and back, with the sample policy."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.client import BaseClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.cli.policy_files import read_policy
from shared.adapters import keys
from shared.adapters.dynamodb import Table
from shared.adapters.lead_table import LeadTable
from shared.adapters.policy_store import PolicyStore
from shared.domain.lead import Lead
from shared.domain.raw_request import Spilled
from shared.errors import PolicyError, StorageUnavailableError
from shared.http import Event, HttpRequest
from submit_form import handler as function
from submit_form import service
from tests.unit.functions.fakes import FakeQueue, parts_on
from tests.unit.samples import ANSWERS, BROWSER, EVENTS, HOST, PAGE, a_request, an_event, logged

POLICY = read_policy(Path(__file__).parents[3] / "infra/policy", {"SITE": PAGE})
FILES = sorted(path.stem for path in EVENTS.glob("*.json"))


class Context:
    aws_request_id = "lambda-1"


class Refusing:
    """A table that takes nothing, and a policy that cannot be read."""

    def _refuse(self, *_: object) -> Any:
        raise StorageUnavailableError("ThrottlingException")

    capture = keep = quarantine = current = _refuse


class Broken:
    """A bug."""

    def capture(self, *_: object) -> Any:
        raise ZeroDivisionError("Canary Ann")


def work_on(monkeypatch: pytest.MonkeyPatch, parts: service.Parts, **other: Any) -> FakeQueue:
    """Lets the function work on these parts, some of them replaced."""
    replaced = parts._replace(**other)
    monkeypatch.setattr(function, "parts", lambda: replaced)
    return cast("FakeQueue", replaced.spill)


@pytest.fixture
def leads(table: Table, monkeypatch: pytest.MonkeyPatch) -> LeadTable:
    """The function, working on a table of its own."""
    parts = parts_on(table)
    cast("PolicyStore", parts.policies).publish(POLICY)
    work_on(monkeypatch, parts)
    return LeadTable(table)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The round trips to AWS, by operation."""
    made: list[str] = []
    call = vars(BaseClient)["_make_api_call"]

    def counted(self: BaseClient, operation: str, arguments: Any) -> Any:
        made.append(operation)
        return call(self, operation, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", counted)
    return made


def send(event: Event | HttpRequest) -> dict[str, Any]:
    event = an_event(event) if isinstance(event, HttpRequest) else event
    return function.handler(event, cast("LambdaContext", Context()))


def from_file(name: str) -> Event:
    return cast("Event", json.loads((EVENTS / f"{name}.json").read_text("utf-8")))


def post(answers: dict[str, Any] | None = None, **headers: str) -> dict[str, Any]:
    body = json.dumps({**ANSWERS, **(answers or {})})
    return send(a_request(body, "application/json", **headers))


def stored(leads: LeadTable) -> list[Lead]:
    items = leads._table.dynamodb.scan(TableName="leads")["Items"]
    ids = [item["PK"]["S"].partition("#")[2] for item in items if item["SK"] == {"S": "LEAD"}]
    return [lead for lead_id in ids if (lead := leads.lead(lead_id))]


def submissions(leads: LeadTable, of: str = "LEAD#") -> list[dict[str, Any]]:
    items = leads._table.dynamodb.scan(TableName="leads")["Items"]
    kept = [i for i in items if i["SK"]["S"].startswith("SUBMISSION#")]
    return [item for item in kept if item["PK"]["S"].startswith(of)]


def intake(leads: LeadTable) -> list[tuple[str, list[str]]]:
    """What is in the intake: kind and reasons."""
    return [
        (item["kind"]["S"], [reason["S"] for reason in item["reasons"]["L"]])
        for item in submissions(leads, "INTAKE#")
    ]


# --- the events that clients really send

ANSWERED = {
    "beacon_text": (200, "application/json"),
    "browser_file": (422, "text/html"),
    "browser_get": (405, "text/html"),
    "browser_incomplete": (422, "text/html"),
    "browser_multipart": (303, ""),
    "browser_urlencoded": (303, ""),
    "preflight": (204, ""),
    "script_json": (201, "application/json"),
    "script_json_broken": (400, "application/problem+json"),
    "tilda_try_out": (200, "text/plain"),
    "tilda_webhook": (200, "text/plain"),
}


@pytest.mark.parametrize("name", FILES)
def test_each_client_is_answered_as_it_expects(name: str, leads: LeadTable) -> None:
    answer = send(from_file(name))
    status, content_type = ANSWERED[name]
    assert answer["statusCode"] == status
    assert answer["headers"].get("Content-Type", "").startswith(content_type)
    assert answer["headers"]["Vary"] == "Origin"
    taken = status in {200, 201, 303} and name != "tilda_try_out"
    assert len(stored(leads)) == (1 if taken else 0)


def test_every_event_file_is_used() -> None:
    assert set(FILES) == set(ANSWERED)


def test_what_a_person_typed_reaches_the_table(leads: LeadTable) -> None:
    send(from_file("browser_urlencoded"))
    (lead,) = stored(leads)
    assert (lead.name, lead.phone, lead.email) == ("Ann Lee", "+442079460958", "ann@acme.example")
    assert (lead.company, lead.company_domain) == ("Acme", "acme.example")
    assert (lead.asked, lead.source) == ("A machine that calculates", "google / cpc / spring")
    assert (lead.channel, lead.verdict, lead.form_title) == (
        "Paid Search",
        "qualified",
        "Free consultation",
    )
    assert lead.page == "https://landing.example/consultation"
    assert (lead.respond_by - lead.received_at).total_seconds() == 300
    (submission,) = submissions(leads)
    assert submission["body"]["S"].startswith("name=Ann+Lee&phone=020")


def test_a_file_is_refused_by_its_name(leads: LeadTable) -> None:
    assert "Техническое задание.pdf" in send(from_file("browser_file"))["body"]


def test_the_error_page_keeps_what_was_typed(leads: LeadTable) -> None:
    page = send(from_file("browser_incomplete"))["body"]
    assert 'value="12345"' in page
    assert "Enter your name." in page


# --- once


def test_a_retried_post_gets_the_first_answer(leads: LeadTable) -> None:
    first = post(idempotency_key='"k"')
    again = post(idempotency_key="k")
    assert (first["statusCode"], again["body"]) == (201, first["body"])
    assert len(stored(leads)) == len(submissions(leads)) == 1


def test_a_double_click_without_a_key_makes_one_lead(leads: LeadTable) -> None:
    form = "name=Ann+Lee&consent=on&phone=020+7946+0958"
    assert post()["statusCode"] == 201
    assert send(a_request(form, accept=BROWSER))["statusCode"] == 303
    assert len(submissions(leads)) == 1


def test_a_key_used_for_other_content_is_refused(leads: LeadTable) -> None:
    post(idempotency_key="k")
    answer = post({"message": "something else"}, idempotency_key="k")
    assert answer["statusCode"] == 422
    assert json.loads(answer["body"])["code"] == "idempotency_conflict"


def test_a_refused_form_does_not_use_up_its_key(leads: LeadTable) -> None:
    assert post({"phone": "12"}, idempotency_key="k")["statusCode"] == 422
    assert post(idempotency_key="k")["statusCode"] == 201


def test_a_known_contact_joins_the_open_lead(leads: LeadTable) -> None:
    post()
    assert post({"message": "Are you there?"})["statusCode"] == 201
    assert len(stored(leads)) == 1
    assert len(submissions(leads)) == 2


def test_round_trips_are_one_one_and_three(leads: LeadTable, calls: list[str]) -> None:
    def trips(answers: dict[str, Any]) -> list[str]:
        calls.clear()
        post(answers)
        return calls.copy()

    trips({"phone": "020 7946 0000"})  # reads the policy
    assert trips({}) == ["TransactWriteItems"]
    assert trips({}) == ["TransactWriteItems"]
    assert trips({"message": "Are you there?"}) == [
        "TransactWriteItems",
        "GetItem",
        "TransactWriteItems",
    ]


# --- refusals


def test_scripts_get_one_entry_per_field_in_their_language(leads: LeadTable) -> None:
    answer = post({"name": " ", "phone": "12345", "email": "x"}, accept_language="ru-RU")
    problem = json.loads(answer["body"])
    assert answer["statusCode"] == problem["status"] == 422
    assert [(e["field"], e["code"], e["pointer"]) for e in problem["errors"]] == [
        ("name", "blank", "#/name"),
        ("phone", "unusable", "#/phone"),
        ("email", "unusable", "#/email"),
    ]
    assert stored(leads) == []


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        (a_request("{}", "application/json", form_id="nobody"), 404, "unknown_form"),
        (a_request("{}", "application/json", form_id="../demo-en"), 404, "unknown_form"),
        (a_request(method="GET"), 405, "wrong_method"),
        (a_request("a" * 131_073), 413, "body_too_large"),
        (a_request("[]", "application/json"), 400, "malformed_request"),
        (a_request("a=1", origin="https://evil.example"), 403, "origin_not_allowed"),
        (a_request(method="OPTIONS", origin="https://evil.example"), 403, "origin_not_allowed"),
    ],
)
def test_refusals_are_clear(
    leads: LeadTable, request_: HttpRequest, status: int, code: str
) -> None:
    answer = send(request_)
    assert answer["statusCode"] == status
    assert json.loads(answer["body"])["code"] == code
    assert stored(leads) == []


def test_an_unknown_form_gets_a_page_in_a_browser(leads: LeadTable) -> None:
    answer = send(a_request("a=1", form_id="nobody", accept=BROWSER))
    assert answer["statusCode"] == 404
    assert "There is no such form" in answer["body"]


def test_a_page_that_is_not_listed_loses_nothing_that_was_typed(leads: LeadTable) -> None:
    request = a_request("name=Ann+Lee", origin="https://evil.example", accept=BROWSER)
    answer = send(request)
    assert answer["statusCode"] == 403
    assert 'value="Ann Lee"' in answer["body"]


@pytest.mark.parametrize("origin", [PAGE, f"https://{HOST}"])
def test_a_known_page_may_read_success_and_failure(leads: LeadTable, origin: str) -> None:
    for answer in (post(origin=origin), post({"phone": ""}, origin=origin)):
        assert answer["headers"]["Access-Control-Allow-Origin"] == origin
    asked = send(a_request(method="OPTIONS", content_type=None, origin=origin))
    assert asked["statusCode"] == 204
    assert asked["headers"]["Access-Control-Allow-Origin"] == origin


# --- nothing is dropped


@pytest.mark.parametrize(
    ("request_", "reasons"),
    [
        (a_request("name=Ann&phone=1&consent=on"), ["phone:unusable"]),
        (a_request("[]", "application/json"), ["malformed_request"]),
        (a_request("name=Ann", origin="https://evil.example"), ["origin_not_allowed"]),
        (a_request("name=Ann", form_id="demo-fr"), ["unknown_form"]),
    ],
)
def test_what_is_rejected_is_kept_with_its_reasons(
    leads: LeadTable, request_: HttpRequest, reasons: list[str]
) -> None:
    assert send(request_)["statusCode"] >= 400
    assert intake(leads) == [("rejected", reasons)]
    (kept,) = submissions(leads, "INTAKE#")
    assert int(kept["expires_at"]["N"]) > datetime.now(UTC).timestamp() + 29 * 86_400
    assert ("decoded" in kept) != ("raw" in kept)


@pytest.mark.parametrize(
    "request_",
    [
        a_request(method="GET"),
        a_request(method="OPTIONS", origin="https://evil.example"),
        a_request(b""),
        a_request("a" * 131_073),
        a_request("a=1", form_id="../../etc"),
    ],
)
def test_what_nobody_typed_is_not_kept(leads: LeadTable, request_: HttpRequest) -> None:
    assert send(request_)["statusCode"] >= 400
    assert intake(leads) == []


def test_what_is_kept_undecoded_holds_no_key(leads: LeadTable) -> None:
    request = a_request("[]", "application/json", authorization="s3cret", cookie="session=s3cret")
    send({**an_event(request), "queryStringParameters": {"key": "s3cret", "a": "1"}})
    (kept,) = submissions(leads, "INTAKE#")
    assert "s3cret" not in json.dumps(kept)
    assert kept["raw"]["M"]["query"] == {"M": {"a": {"S": "1"}}}


def test_what_the_table_cannot_take_waits_in_the_spill_queue(
    leads: LeadTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    spill = work_on(monkeypatch, function.parts(), filing=Refusing())
    answer = post()
    page = send(a_request("name=Ann+Lee&phone=020+7946+0958&consent=on", accept=BROWSER))
    assert (answer["statusCode"], page["statusCode"]) == (202, 303)
    assert page["headers"]["Location"] == f"{PAGE}/demo-en/thanks"
    assert json.loads(answer["body"])["id"] == spill.messages[0]["submission_id"]
    assert Spilled.model_validate(spill.messages[1]).raw.body.startswith(b"name=Ann+Lee")


@pytest.mark.parametrize("broken", ["policies", "intake"])
def test_nothing_is_lost_when_nothing_can_be_read_or_kept(
    leads: LeadTable, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    spill = work_on(monkeypatch, function.parts(), **{broken: Refusing()})
    assert post({"phone": "1"})["statusCode"] == 202
    assert len(spill.messages) == 1


def test_a_bug_costs_no_lead_and_tells_nobody_s_name(
    leads: LeadTable, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spill = work_on(monkeypatch, function.parts(), filing=Broken())
    with logged() as lines:
        assert post()["statusCode"] == 202
    assert len(spill.messages) == 1
    assert "Canary" not in json.dumps(lines)
    assert counted(capsys) == [("UnexpectedError", None), ("SubmissionSpilled", None)]


def test_the_visitor_is_told_when_even_the_queue_refuses(
    leads: LeadTable, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spill = work_on(monkeypatch, function.parts(), filing=Refusing())
    spill.fail = True
    answer = post()
    assert answer["statusCode"] == 503
    assert answer["headers"]["Retry-After"]
    page = send(a_request("name=Ann+Lee&phone=020+7946+0958&consent=on", accept=BROWSER))
    assert page["statusCode"] == 503
    assert 'value="Ann Lee"' in page["body"]
    assert counted(capsys) == 2 * [("SubmissionNotStored", None)]


# --- what is told of it


def test_outcomes_are_counted_and_logged_without_personal_data(
    leads: LeadTable, capsys: pytest.CaptureFixture[str]
) -> None:
    canary = {"name": "Canary Ann", "email": "canary@example.com", "message": "canary message"}
    with logged() as lines:
        post(canary)
        post(canary)
        post({**canary, "message": "canary again"})
        post({**canary, "phone": "canary"})
        send(from_file("preflight"))
    assert [line["outcome"] for line in lines] == [
        "created",
        "repeated",
        "joined",
        "rejected",
        "preflight",
    ]
    assert lines[0]["lead_id"] == lines[2]["lead_id"]
    assert lines[3]["fields"] == ["phone:unusable"]
    assert lines[3]["status"] == 422
    assert "canary" not in json.dumps(lines).lower()
    assert counted(capsys) == [
        ("SubmissionAccepted", None),
        ("SubmissionRepeated", None),
        ("SubmissionAccepted", None),
        ("SubmissionRejected", None),
        ("SubmissionRejected", "demo-en"),
        ("SubmissionRejected", "phone:unusable"),
    ]


def counted(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str | None]]:
    """The metrics that were emitted since last asked, and by what: None by stack only."""
    found = []
    for document in map(json.loads, capsys.readouterr().out.splitlines()):
        (directive,) = document["_aws"]["CloudWatchMetrics"]
        (metric,) = directive["Metrics"]
        (names,) = directive["Dimensions"]
        assert (document["service"], document[metric["Name"]]) == ("leadline", [1])
        labels = [document[name] for name in names if name != "service"]
        found.append((metric["Name"], labels[0] if labels else None))
    return found


@pytest.mark.parametrize(
    ("request_", "form", "reasons"),
    [
        (a_request("a=1", origin="https://evil.example"), "demo-en", {"origin_not_allowed"}),
        # Two fields, two reasons; the submission itself counts once.
        (a_request("phone=1&consent=on"), "demo-en", {"name:missing", "phone:unusable"}),
    ],
)
def test_what_was_rejected_and_why_is_counted_apart(
    leads: LeadTable,
    capsys: pytest.CaptureFixture[str],
    request_: HttpRequest,
    form: str,
    reasons: set[str],
) -> None:
    send(request_)
    measured = counted(capsys)
    assert {name for name, _ in measured} == {"SubmissionRejected"}
    assert [by for _, by in measured][:2] == [None, form]
    assert {by for _, by in measured[2:]} == reasons
    assert len(measured) == 2 + len(reasons)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (a_request("{}", "application/json", form_id="nobody"), "unknown_form"),
        (a_request(method="GET"), "wrong_method"),
        (a_request(method="OPTIONS", origin="https://evil.example"), "origin_not_allowed"),
    ],
)
def test_what_no_visitor_sent_is_logged_and_not_counted(
    leads: LeadTable, capsys: pytest.CaptureFixture[str], request_: HttpRequest, code: str
) -> None:
    with logged() as lines:
        send(request_)
    assert [(line["outcome"], line["code"]) for line in lines] == [("rejected", code)]
    assert counted(capsys) == []


def test_a_file_is_counted_by_no_name_of_a_stranger(
    leads: LeadTable, capsys: pytest.CaptureFixture[str]
) -> None:
    event = from_file("browser_file")
    body = base64.b64decode(event["body"]).replace(b'name="brief"', b'name="Ann 020 7946"')
    assert b"Ann 020 7946" in body
    send({**event, "body": base64.b64encode(body).decode()})
    assert "custom:file_not_accepted" in {by for _, by in counted(capsys)}


def test_a_field_of_the_page_s_own_is_counted_as_custom(
    table: Table, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    form = cast("dict[str, Any]", POLICY["form/demo-en"])
    both = {"budget": {"required": True}, "city": {"required": True}}
    rejected = reject(table, {**form, "fields": both})
    assert rejected.fields == ("budget:missing", "city:missing"), "the log names them"
    assert [label for one in rejected.measurements for label in one.labels] == [
        ("form", "demo-en"),
        ("reason", "custom:missing"),
    ]


def test_a_test_is_counted_nowhere(table: Table) -> None:
    form = cast("dict[str, Any]", POLICY["form/demo-en"])
    assert reject(table, {**form, "is_test": True}).measurements == ()
    assert reject(table, {**form, "metrics": False}).measurements[0].labels[0] == ("form", "other")


def reject(table: Table, form: dict[str, Any]) -> service.Answered:
    """What becomes of an empty submission of this form."""
    store = PolicyStore(table)
    store.publish({**POLICY, "form/demo-en": form})
    answered = service.submit_form(
        a_request("{}", "application/json"),
        parts_on(table, store),
        service.Received(datetime.now(UTC), service.submission_id_of(a_request("{}"))),
    )
    assert answered.outcome == "rejected"
    return answered


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=200) | st.text(max_size=60).map(lambda t: f"name={t}&phone=1".encode()),
    content_type=st.sampled_from(
        ["application/json", "application/x-www-form-urlencoded", "text/plain", "image/png", ""]
    ),
    accept=st.sampled_from([BROWSER, "*/*"]),
)
def test_any_bytes_meet_a_clear_answer(
    leads: LeadTable, body: bytes, content_type: str, accept: str
) -> None:
    event = an_event(a_request(b"", content_type, accept=accept))
    event |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    answer = send(event)
    assert answer["statusCode"] in {200, 201, 303, 400, 403, 413, 422}
    json.dumps(answer).encode()


def test_a_contact_s_keys_are_its_guards(leads: LeadTable) -> None:
    post({"email": "ann@example.com"})
    (lead,) = stored(leads)
    assert all(leads._table.get(keys.contact(guard)) for guard in lead.guards)
    assert len(lead.guards) == 2


def test_after_the_start_the_first_submission_takes_one_round_trip(
    table: Table, leads: LeadTable, monkeypatch: pytest.MonkeyPatch, calls: list[str]
) -> None:
    work_on(monkeypatch, parts_on(table))

    function.warm_up()
    assert calls == ["GetItem", "BatchGetItem"]
    assert post(ANSWERS)["statusCode"] == 201

    assert calls[2:] == ["TransactWriteItems"]


def test_a_start_without_a_policy_is_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_policy() -> object:
        raise PolicyError("no policy is published")

    monkeypatch.setattr(function, "parts", no_policy)

    function.warm_up()
