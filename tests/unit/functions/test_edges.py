"""What real pages and vendors do at the edges of a request: each is kept, filed once, or told."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from infra.cli.policy import not_understood
from infra.cli.policy_files import read_policy
from shared.adapters.dynamodb import Table
from shared.adapters.policy_store import PolicyStore
from shared.domain.attribution import channel_of, read_first_touch, read_touch, tells_of_visit
from shared.domain.form import Limits, consent_of
from shared.errors import StorageUnavailableError
from shared.http import HttpRequest
from submit_form.service import Answered, Parts, Received, submission_id_of, submit_form
from tests.unit.functions.fakes import FakeQueue, FakeSecrets, parts_on
from tests.unit.samples import ANSWERS, PAGE, a_form, a_request

POLICY = read_policy(Path(__file__).parents[3] / "infra/policy", {"SITE": PAGE})
DEMO = cast("dict[str, Any]", POLICY["form/demo-en"])
FORMS: dict[str, dict[str, Any]] = {
    "later": {"client": "not_written_yet"},
    "left": {"partials": "always"},
    "meta": {"client": "meta"},
    "typeform": {"client": "typeform", "partials": "always"},
    "google": {"client": "google_ads"},
    "generic": {"client": "generic"},
    "vk": {"client": "vk"},
    "tilda": {"client": "tilda"},
    "webflow": {"client": "webflow"},
    "yandex": {"client": "yandex_forms"},
    "legacy": {"client": "generic", "legacy_charset": "windows-1251"},
    "timed": {
        "time_trap_seconds": 3,
        "secrets": {"time_trap": "t"},
        "limits": Limits(soft=2, hard=3).model_dump(),
    },
}
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
JSON = "application/json"


@pytest.fixture
def parts(table: Table) -> Parts:
    forms = {f"form/{name}": {**DEMO, "form_id": name, **more} for name, more in FORMS.items()}
    parts = parts_on(table)._replace(secrets=FakeSecrets(key="k", signing="k", time_trap="t"))
    cast("PolicyStore", parts.policies).publish({**POLICY, **forms})
    parts.policies.current()
    return parts


def send(parts: Parts, request: HttpRequest, at: datetime = NOW) -> Answered:
    return submit_form(request, parts, Received(at, submission_id_of(request)))


def page(answers: Mapping[str, Any] | None = None, form_id: str = "demo-en", **headers: str) -> Any:
    return a_request(json.dumps({**ANSWERS, **(answers or {})}), JSON, form_id=form_id, **headers)


def hook(content: object, form_id: str, **headers: str) -> HttpRequest:
    return a_request(json.dumps(content), JSON, form_id=form_id, **headers)


def items(table: Table, start: str) -> list[dict[str, Any]]:
    found = table.dynamodb.scan(TableName=table.name)["Items"]
    return [item for item in found if item["PK"]["S"].startswith(start)]


def denied(*_: object) -> Any:
    raise ClientError({"Error": {"Code": "AccessDenied", "Message": "Ann"}}, "SendMessageBatch")


def unavailable(*_: object) -> Any:
    raise StorageUnavailableError("ThrottlingException")


def test_a_form_of_a_client_that_this_code_has_not_waits_for_one_that_has(parts: Parts) -> None:
    answered = send(parts, page(form_id="later"))
    assert (answered.reply.status, answered.outcome) == (202, "spilled")
    assert len(cast("FakeQueue", parts.spill).messages) == 1


@pytest.mark.parametrize(
    ("answers", "form_id", "outcome"),
    [
        ({"phone": "1"}, "demo-en", "rejected"),
        ({"_gotcha": "x"}, "demo-en", "quarantined"),
        ({"event": "abandon"}, "left", "partial"),
        ({}, "demo-en", "created"),
    ],
)
def test_half_an_emoji_is_no_reason_to_lose_the_rest(
    answers: dict[str, str], form_id: str, outcome: str, parts: Parts, table: Table
) -> None:
    answered = send(
        parts, page({"message": "call me \ud83d", "x\ud83d": ["\ude00"], **answers}, form_id)
    )
    assert answered.outcome == outcome
    assert len(items(table, "INTAKE#")) == (0 if outcome == "created" else 1)


@pytest.mark.parametrize("client", ["google", "meta", "typeform"])
def test_one_long_name_in_every_path_is_too_large(client: str, parts: Parts) -> None:
    content = {
        "k" * 2000: [{"a": 1}] * 280,
        "form_response": {"hidden": {"k" * 2000: [{"a": 1}] * 280}},
    }
    answered = send(parts, hook(content, client))
    assert (answered.reply.status, answered.code) == (413, "body_too_large")


def test_a_queue_that_may_not_be_written_is_an_answer_too(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts.filing, "capture", unavailable)
    monkeypatch.setattr(parts.spill, "send", denied)
    answered = send(parts, page())
    assert (answered.reply.status, answered.outcome) == (503, "not_stored")
    assert "Retry-After" in answered.reply.headers


def test_an_intake_that_may_not_be_written_spills(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts.intake, "keep", denied)
    assert send(parts, page(form_id="nobody")).outcome == "spilled"
    with pytest.raises(ClientError):
        submit_form(page({"phone": "1"}), parts, Received(NOW, "1" * 32, replayed=True))


@pytest.mark.parametrize("method", ["POST", "GET", "PUT"])
def test_while_no_form_is_known_every_method_may_bring_one(
    method: str, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts.policies, "current", unavailable)
    assert send(parts, a_request("a=1", method=method)).outcome == "spilled"


def test_a_page_that_asks_when_it_opened_counts_for_no_limit(parts: Parts) -> None:
    for _ in range(9):
        opened = send(parts, a_request(form_id="timed", method="GET"))
        assert opened.outcome == "handshake"
    assert send(parts, page(form_id="timed")).outcome == "created"


def test_typeform_tries_a_form_that_is_not_published_again(parts: Parts) -> None:
    request = hook({"form_response": {}}, "not-yet", typeform_signature="sha256=x")
    assert send(parts, request).reply.status == 503
    assert send(parts, page(form_id="not-yet")).reply.status == 404


def test_what_typeform_sends_before_the_end_alerts_nobody(parts: Parts, table: Table) -> None:
    response = {"token": "t", "hidden": {**ANSWERS, "utm_source": "vk"}}
    partial = {"event_type": "form_response_partial", "form_response": response}
    assert send(parts, hook(partial, "typeform")).outcome == "partial"
    whole = {**response, "hidden": {**response["hidden"], "message": "The whole"}}  # type: ignore[dict-item]
    content = {"event_type": "form_response", "form_response": whole}
    assert send(parts, hook(content, "typeform")).outcome == "created"
    assert len(items(table, "INTAKE#")) == 1


def test_each_of_several_in_one_post_is_counted(parts: Parts) -> None:
    changes = [{"field": "leadgen", "value": {"leadgen_id": str(number)}} for number in range(3)]
    request = hook({"entry": [{"changes": changes}]}, "meta")
    answered = send(parts, request)
    assert [one.metric.name for one in answered.measurements] == ["SubmissionReferenced"] * 3


def test_the_same_mistake_again_is_one_in_the_intake(parts: Parts, table: Table) -> None:
    for minute in range(3):
        send(parts, page({"phone": "1"}), NOW + timedelta(minutes=minute))
    assert len(items(table, "INTAKE#")) == 1
    send(parts, page({"phone": "2"}))
    assert len(items(table, "INTAKE#")) == 2


def test_a_machine_has_a_key_too(parts: Parts) -> None:
    sent = [
        send(parts, hook({**ANSWERS, "message": message}, "generic", idempotency_key=key))
        for message, key in (("a", "1"), ("a", "1"), ("b", "1"), ("a", "2"))
    ]
    assert [one.outcome for one in sent] == ["created", "repeated", "rejected", "joined"]


def test_a_lead_ad_without_a_click_id_was_paid_for(parts: Parts, table: Table) -> None:
    column = [{"column_id": "PHONE_NUMBER", "string_value": "+44 20 7946 0958"}]
    column += [{"column_id": "FULL_NAME", "string_value": "Ann"}]
    send(parts, hook({"user_column_data": column, "consent": "on", "lead_id": "1"}, "google"))
    (lead,) = (item for item in items(table, "LEAD#") if item["SK"]["S"] == "LEAD")
    assert lead["channel"] == {"S": "Paid Search"}


def test_words_that_come_late_are_not_the_last(parts: Parts, table: Table) -> None:
    send(parts, page({"message": "five"}))
    send(parts, page({"message": "no: six"}), NOW + timedelta(minutes=2))
    late = send(parts, page({"message": "four"}), NOW + timedelta(minutes=1))
    assert late.outcome == "joined"
    (lead,) = (item for item in items(table, "LEAD#") if item["SK"]["S"] == "LEAD")
    assert lead["said_again"]["M"]["asked"] == {"S": "no: six"}
    assert lead["resubmitted_at"] == {"S": "2026-11-24T12:02:00.000Z"}
    assert lead["submissions"] == {"N": "3"}


@pytest.mark.parametrize("client", ["typeform", "vk", "tilda", "webflow"])
def test_a_vendor_need_not_try_a_mistake_again(client: str, parts: Parts, table: Table) -> None:
    contents: dict[str, Any] = {
        "typeform": {"form_response": {"token": "t", "hidden": {"name": "Ann"}}},
        "vk": {"type": "lead_forms_new", "object": {"lead_id": 1, "answers": []}},
        "tilda": {"Name": "Ann", "tranid": "1:1"},
        "webflow": {"triggerType": "form_submission", "payload": {"data": {"name": "Ann"}}},
    }
    answered = send(parts, hook(contents[client], client))
    assert (answered.reply.status, answered.reply.body) == (200, "ok")
    assert answered.outcome == "rejected"
    assert len(items(table, "INTAKE#")) == len(answered.measurements) == 1


def test_an_address_may_be_in_the_charset_of_its_page(parts: Parts, table: Table) -> None:
    query = "name=%CF%B8%F2%F0&phone=020+7946+0958&consent=on&key=k"
    request = a_request(form_id="legacy", method="GET")
    request = replace(request, query={"name": "\ufffd", "key": "k"}, raw_query=query)
    assert send(parts, request).outcome == "created"
    (lead,) = (item for item in items(table, "LEAD#") if item["SK"]["S"] == "LEAD")
    assert lead["name"] == {"S": "Пётр"}
    kept = replace(request, raw_query="name=%CF%B8%F2%F0&key=s3cret")
    assert send(parts, replace(kept, path_parameters={"form_id": "nobody"})).outcome == "rejected"
    assert "s3cret" not in json.dumps(items(table, "INTAKE#"), default=str)


def test_cookies_in_another_charset_cost_no_lead(parts: Parts, table: Table) -> None:
    body = (
        "Name=%D0%90&Phone=02079460958&consent=on&tranid=1:2&COOKIES=_ga%3D1.2%3B%20city%3D%CC%EE"
    )
    assert send(parts, a_request(body, form_id="tilda")).outcome == "created"
    assert "city" not in json.dumps(items(table, "LEAD#"), default=str)


def test_a_handshake_that_fails_is_nobodys_form(parts: Parts, table: Table) -> None:
    request = replace(a_request(form_id="meta", method="GET"), query={"hub.verify_token": "x"})
    answered = send(parts, request)
    assert (answered.reply.status, answered.measurements) == (401, ())
    assert items(table, "INTAKE#") == []


@pytest.mark.parametrize(("number", "told"), [("5", 5), ('"5"', "5"), ("null", None)])
def test_a_call_is_answered_under_its_own_id(number: str, told: object, parts: Parts) -> None:
    body = f'{{"jsonrpc":"2.0","id":{number},"params":{json.dumps(ANSWERS)}}}'
    assert json.loads(send(parts, a_request(body, JSON, form_id="yandex")).reply.body)["id"] == told


@pytest.mark.parametrize(
    ("referrer", "channel"),
    [
        ("https://groups.google.com/g/x", "Organic Social"),
        ("https://drive.google.com/x", "Referral"),
        ("https://answers.yahoo.com/", "Organic Social"),
        ("https://yandex.cloud/", "Referral"),
        ("https://uk.search.yahoo.com/", "Organic Search"),
        ("https://www.google.co.uk/", "Organic Search"),
        ("https://promo.shop.example/", "Direct"),
    ],
)
def test_not_all_of_a_search_company_is_search(referrer: str, channel: str) -> None:
    touch = read_touch({"referrer": referrer, "page_url": "https://www.shop.example/"})
    assert channel_of(touch).name == channel


@pytest.mark.parametrize(
    ("tags", "channel"),
    [
        ({"srsltid": "a"}, "Organic Shopping"),
        ({"utm_source": "yandex", "utm_campaign": "brand", "yclid": "1"}, "Paid Search"),
        ({"utm_source": "vk", "yclid": "1"}, "Unassigned"),
        ({"last_touch.utm_source": "google", "last_touch.utm_medium": "cpc"}, "Paid Search"),
        (
            {"utm_source": "google", "page_url": "https://a.example/?utm_source=vk&utm_medium=cpc"},
            "*",
        ),
    ],
)
def test_tags_of_one_visit_only(tags: dict[str, str], channel: str) -> None:
    touch = read_touch(tags)
    assert all(map(tells_of_visit, tags))
    assert channel_of(touch).name == channel or (touch.source, touch.medium) == ("google", None)


def test_two_visits_are_told_apart() -> None:
    tags = {"first.utm_source": "vk", "last.utm_source": "google", "last.utm_medium": "cpc"}
    first = read_first_touch(tags)
    assert first is not None
    assert (first.source, read_touch(tags).source) == ("vk", "google")


@pytest.mark.parametrize(
    ("text", "consent"),
    [
        ("Not consented: I agree to the processing", False),
        ("No, I do not agree", False),
        ("Нет, не согласен", False),
        ("Нет.", False),
        ("Не даю согласия", False),
        ("declined", False),
        ("Не против", True),
        ("on", True),
        ("I agree, and no calls after nine", True),
        ("Согласие на обработку (не рассылки)", True),
        ("undefined", None),
        ("N/A", None),
        ("—", None),
        ("", False),
    ],
)
def test_a_refusal_is_no_consent(text: str, consent: bool | None) -> None:
    assert consent_of(text) is consent


def test_a_box_is_ticked_whatever_hides_beside_it() -> None:
    form = a_form()
    for texts, wanted in ((("0", "1"), "1"), (("true", "false"), "true"), (("false",), "false")):
        assert form.sort([("consent", text) for text in texts]).values["consent"] == wanted
    boxes = form.sort([("a", ""), ("b", "on")], [("a", "consent"), ("b", "consent")])
    assert boxes.values["consent"] == ""


def test_what_a_client_cannot_do_is_said_before_it_is_published() -> None:
    wrong: dict[str, dict[str, Any]] = {
        "later": {"client": "not_written_yet"},
        "charset": {"legacy_charset": "windows-1521"},
        "unsigned": {"client": "tilda", "secrets": {"signing": "s"}},
        "fine": {"client": "meta", "secrets": {"signing": "s"}, "legacy_charset": "KOI8-R"},
    }
    forms = {f"form/{name}": {**DEMO, "form_id": name, **more} for name, more in wrong.items()}
    told = [problem.split(":")[0] for problem in not_understood({**POLICY, **forms})]
    assert told == ["form/later", "form/charset", "form/unsigned"]
