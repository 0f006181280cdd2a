"""Page builders and plug-ins that send what a visitor typed: their worked cases, and variants."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clients import Pinged, Stored, client_named
from shared.domain.form import Form, Keys
from shared.domain.submission import Decoded, accept
from shared.errors import MalformedRequestError, NotAuthenticatedError, PolicyError
from shared.http import HttpRequest
from tests.form_cases.case import Case, read_case
from tests.unit.clients import worked_cases
from tests.unit.clients.anything import any_body, any_headers, check_any
from tests.unit.samples import CASES, PAGE, a_form, a_request

NOW = datetime(2026, 11, 24, tzinfo=UTC)
JSON = "application/json"
CLIENTS = ("cf7", "elementor", "gravity", "jotform", "tilda", "unbounce", "yandex_forms")
NAMES = sorted(
    str(found.parent.relative_to(CASES))
    for client in CLIENTS
    for found in (CASES / client.replace("_", "-")).glob("*/request.json")
)


def form_for(client: str, **fields: Any) -> Form:
    settings: dict[str, Any] = {"client": client, "thanks_url": None, "default_region": "RU"}
    return a_form(**{**settings, **fields})


def decode(form: Form, request: HttpRequest) -> Decoded:
    client = client_named(form.client)
    assert request.method in client.methods
    client.verify(request, form, {}, NOW)
    (decoded,) = client.decode(request, form)
    return decoded


def values(form: Form, decoded: Decoded) -> dict[str, str]:
    return form.sort(decoded.fields, decoded.meanings).values


def tags(form: Form, decoded: Decoded) -> dict[str, str]:
    return form.sort(decoded.fields, decoded.meanings).tags


def hooked(body: str | dict[str, Any], content_type: str = "", **headers: str) -> HttpRequest:
    """A machine's request: JSON text, or fields to be encoded."""
    if isinstance(body, dict):
        return a_request(urlencode(body), **headers)
    return a_request(body, content_type or JSON, **headers)


# --- the worked cases


def the_case(name: str) -> tuple[Case, HttpRequest, Keys]:
    case = read_case(CASES / name / "request.json", name)
    headers = {key.lower(): text for key, text in case.request.headers}
    request = HttpRequest(case.request.method, "/", headers=headers, body=case.request.body)
    keys: Keys = {use: (case.secrets[parameter],) for use, parameter in case.form.secrets.items()}
    return case, request, keys


def test_there_are_cases_of_every_client() -> None:
    assert {name.partition("/")[0].replace("-", "_") for name in NAMES} == set(CLIENTS)


@pytest.mark.parametrize("name", NAMES)
def test_a_case_is_understood(name: str) -> None:
    case, request, keys = the_case(name)
    client = client_named(case.form.client)
    client.verify(request, case.form, keys, NOW)
    if case.expected["outcome"] == "test_ping":
        assert client.recognise(request) == "ping"
        assert client.answer(Pinged(), request).status == 200
        return
    assert client.recognise(request) == "submission"
    (decoded,) = client.decode(request, case.form)
    assert not decoded.somebody_waits
    wanted = worked_cases.load(name)
    (lead,) = wanted["expected"]["leads"]
    submission = accept(decoded, case.form, "0" * 32, case.now, "ru", str)
    custom = {
        key: ", ".join(text) if isinstance(text, list) else text
        for key, text in lead.get("custom", {}).items()
    }
    wanted["expected"]["leads"] = [{**lead, "custom": custom}]
    worked_cases.check_lead(wanted, submission)
    if "page_url" in lead:
        assert lead["page_url"] in {decoded.page, dict(decoded.fields).get("page_url")}
    for kind, text in lead.get("client_ids", {}).items():
        assert getattr(submission.touch, kind) == text
    reply = client.answer(Stored("1", form=case.form), request)
    assert reply.status == 200


@pytest.mark.parametrize("name", NAMES)
def test_a_case_with_a_key_needs_it(name: str) -> None:
    case, request, keys = the_case(name)
    client = client_named(case.form.client)
    wrong = {"key": ("another",)}
    with pytest.raises(NotAuthenticatedError):
        client.verify(request, case.form, wrong, NOW)
    client.verify(replace(request, query={"key": "another"}), case.form, wrong, NOW)
    assert keys.keys() <= {"key"}


# --- Tilda

TILDA = form_for("tilda")
COOKIES = "_ga=GA1.2.3.4; PHPSESSID=secret; TILDAUTM=utm_source%3Dvk%7C%7C%7C"


@pytest.mark.parametrize("body", ["test=test", " test=test\n", '{"test": "test"}'])
def test_tilda_tries_the_address_out(body: str) -> None:
    assert client_named("tilda").recognise(a_request(body)) == "ping"
    assert client_named("tilda").recognise(a_request("test=test&Name=A")) == "submission"


@pytest.mark.parametrize(
    "request_",
    [
        hooked({"Name": "A", "COOKIES": COOKIES, "tranid": "1:2", "formid": "form1"}),
        hooked(json.dumps({"Name": "A", "COOKIES": COOKIES, "tranid": "1:2"})),
        hooked({"Name": "A", "tildaspec-cookie": COOKIES, "tranid": "1:2", "tildaspec-pageid": 1}),
    ],
)
def test_of_cookies_only_the_visit_is_kept(request_: HttpRequest) -> None:
    decoded = decode(TILDA, request_)
    assert decoded.fields == (("Name", "A"), ("_ga", "GA1.2.3.4"), ("utm_source", "vk"))
    assert decoded.external_id == "1:2"
    assert "PHPSESSID" not in (decoded.body or "")
    assert decoded.body_base64 is None


@pytest.mark.parametrize(
    ("cookies", "kept"),
    [
        ("TILDAUTM=utm_source%3Da%7C%7C%7Camp%3Butm_medium%3Db%7C%7C%7C", {"utm_medium": "b"}),
        ("TILDAUTM=PHPSESSID%3Dsecret%7C%7C%7Cutm_source", {}),
        ("", {}),
    ],
)
def test_the_tags_in_a_cookie(cookies: str, kept: dict[str, str]) -> None:
    decoded = decode(TILDA, hooked({"utm_source": "sent", "COOKIES": cookies}))
    assert dict(decoded.fields) == {"utm_source": "sent", **kept}


def test_bytes_with_cookies_are_not_kept_verbatim() -> None:
    body = "Name=\u0418&COOKIES=PHPSESSID".encode("cp1251")
    decoded = decode(form_for("tilda", legacy_charset="windows-1251"), a_request(body))
    assert (decoded.fields, decoded.body, decoded.body_base64) == (
        (("Name", "\u0418"),),
        None,
        None,
    )


def test_a_page_of_tilda_with_its_own_script_is_a_browsers() -> None:
    sent = {
        "Name": "A",
        "tildaspec-referer": f"{PAGE}/price",
        "form-spec-comments": "Its good",
        "tildaspec-formid": "form1",
    }
    request = a_request(urlencode(sent), origin=PAGE)
    decoded = decode(TILDA, request)
    assert (decoded.fields, decoded.page) == ((("Name", "A"),), f"{PAGE}/price")
    assert decoded.somebody_waits
    assert client_named("tilda").comes_from_browser(request)
    assert client_named("tilda").answer(Stored("1"), request).status == 201
    trapped = decode(TILDA, a_request(urlencode({**sent, "form-spec-comments": "http://x"})))
    assert ("form-spec-comments", "http://x") in trapped.fields


def test_the_marketplaces_key_may_stand_in_the_body() -> None:
    client, keys = client_named("tilda"), {"key": ("k",)}
    for body in ('{"Name":"A","api_key":"k"}', '{"Name":"A","X-API-Key":"k"}'):
        request = hooked(body)
        client.verify(request, TILDA, keys, NOW)
        decoded = decode(TILDA, request)
        assert (decoded.fields, decoded.body) == ((("Name", "A"),), None)
    for body in ('{"Name":"A","api_key":"x"}', '{"Name":"A"}', "[", '{"api_key":""}'):
        with pytest.raises(NotAuthenticatedError):
            client.verify(hooked(body), TILDA, keys, NOW)


def test_what_is_in_a_cart_is_an_answer() -> None:
    sent = {"Name": "A", "payment[amount]": "100", "payment[products][0]": "Cup"}
    assert values(TILDA, decode(TILDA, hooked(sent)))["payment[products][0]"] == "Cup"


# --- Contact Form 7

CF7 = form_for("cf7")


def test_tags_that_kept_their_generated_names_are_known() -> None:
    sent = {"tel-123": "8 916", "email-45": "a@b.example", "acceptance-6": "1", "text-7": "?"}
    assert values(CF7, decode(CF7, hooked(json.dumps(sent)))) == {
        "phone": "8 916",
        "email": "a@b.example",
        "consent": "1",
        "text-7": "?",
    }


def test_a_template_of_the_owners_may_be_in_the_address() -> None:
    query = {"your-name": "A", "tel": "+7", "key": "secret", "_url": f"{PAGE}/x"}
    decoded = decode(CF7, replace(a_request(b"", None, method="GET"), query=query))
    assert values(CF7, decoded) == {"name": "A", "phone": "+7"}
    assert decoded.page == f"{PAGE}/x"
    assert "secret" not in str(decoded)


def test_a_form_that_was_pointed_at_us_is_a_browsers() -> None:
    parts = {"_wpcf7": "12", "_wpcf7_container_post": "5", "your-name": "A", "_wpnonce": "n"}
    body = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{text}\r\n'
        for key, text in parts.items()
    )
    request = a_request(f"{body}--b--\r\n", "multipart/form-data; boundary=b", origin=PAGE)
    decoded = decode(CF7, request)
    assert decoded.fields == (("your-name", "A"),)
    assert decoded.body is None
    assert decoded.somebody_waits
    assert client_named("cf7").comes_from_browser(request)


# --- Elementor

ELEMENTOR = form_for("elementor")


def test_a_question_called_like_what_elementor_appends_is_an_answer() -> None:
    sent = {
        "Имя": "А",
        "Date": "tomorrow",
        "No Label field_x": "8 916 123-45-67",
        "Дата": "20.11.2026",
        "URL страницы": f"{PAGE}/",
        "form_id": "1",
    }
    form = form_for("elementor", mapping={"phone": "No Label field_x"})
    decoded = decode(form, hooked(sent))
    assert values(form, decoded) == {"name": "А", "Date": "tomorrow", "phone": "8 916 123-45-67"}
    assert decoded.page == f"{PAGE}/"


def test_what_elementor_appends_can_be_mapped() -> None:
    form = form_for("elementor", mapping={"message": "form_name"})
    assert values(form, decode(form, hooked({"form_name": "Quiz"}))) == {"message": "Quiz"}


@pytest.mark.parametrize("path", ["f1", "fields[f1][value]", "fields.f1.value", "Ваш бюджет"])
def test_a_nested_field_is_mapped_by_id_path_or_label(path: str) -> None:
    form = form_for("elementor", mapping={"message": path})
    sent = {
        "fields[f1][type]": "text",
        "fields[f1][title]": "Ваш бюджет",
        "fields[f1][value]": "A, B",
        "fields[f1][raw_value][0]": "A",
        "fields[f2][type]": "tel",
        "fields[f2][value]": "8916",
        "fields[f3][title]": "Имя",
        "fields[f3][value]": "Оля",
        "meta[remote_ip][value]": "203.0.113.1",
        "utm_source": "vk",
    }
    decoded = decode(form, hooked(sent))
    assert values(form, decoded) == {"message": "A, B", "phone": "8916", "name": "Оля"}
    assert tags(form, decoded) == {"utm_source": "vk"}


# --- Gravity


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "POST"])
def test_gravity_may_send_with_any_method(method: str) -> None:
    form, sent = form_for("gravity"), {"name": "A", "phone": "8", "key": "secret"}
    decoded = decode(form, replace(a_request(b"", None, method=method), query=sent))
    assert values(form, decoded) == {"name": "A", "phone": "8"}
    with_body = a_request(json.dumps({"name": "A"}), JSON, method=method)
    assert values(form, decode(form, with_body)) == {"name": "A"}


def test_the_id_of_an_entry_counts_only_if_it_is_mapped() -> None:
    entry = {
        "id": "7",
        "form_id": "3",
        "source_url": PAGE,
        "date_created": "x",
        "ip": "1",
        "2": "a",
    }
    decoded = decode(form_for("gravity"), hooked(json.dumps(entry)))
    assert decoded.external_id is None
    assert decoded.fields == (("source_url", PAGE), ("2", "a"))
    mapped = form_for("gravity", mapping={"external_id": "id"})
    assert mapped.sort(decode(mapped, hooked(json.dumps(entry))).fields).apart == {
        "external_id": "7"
    }


# --- Unbounce

UNBOUNCE = form_for("unbounce")


@pytest.mark.parametrize("key", ["data.json", "data_json"])
def test_unbounces_answers_are_lists(key: str) -> None:
    answers = {"name": ["Ann"], "interests": ["a", "b"], "empty": [], "page_url": [PAGE]}
    sent = {key: json.dumps(answers), "data.xml": "<x/>", "page_id": "1", "page_url": "other"}
    decoded = decode(UNBOUNCE, hooked(sent))
    assert values(UNBOUNCE, decoded) == {"name": "Ann", "interests": "a, b"}
    assert tags(UNBOUNCE, decoded) == {"page_url": PAGE}
    assert "xml" not in (decoded.body or "")


def test_unbounce_may_send_plain_json() -> None:
    assert values(UNBOUNCE, decode(UNBOUNCE, hooked('{"name":["Ann"]}'))) == {"name": "Ann"}


@pytest.mark.parametrize("text", ["", "[]", "1", "{", '{"a":1,"a":2}'])
def test_answers_of_unbounce_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(MalformedRequestError):
        decode(UNBOUNCE, hooked({"data.json": text}))


# --- Jotform

JOTFORM = form_for("jotform", default_region="US")


def answered(raw: Any, form: Form = JOTFORM) -> tuple[Decoded, dict[str, str]]:
    sent = {"submissionID": "5", "webhookURL": "https://x/?key=secret", "rawRequest": raw}
    decoded = decode(form, hooked({**sent, "rawRequest": json.dumps(raw)}))
    return decoded, values(form, decoded)


def test_jotforms_answers_have_parts() -> None:
    raw = {
        "q3_fullName": {"first": "Ann", "middle": "", "last": "Lee", "prefix": "Dr"},
        "q4_contact": {"area": "650", "phone": "5550123"},
        "q5_spare": {"country": "+44", "area": "20", "phone": "79460958"},
        "q6_email": "a@b.example",
        "q7_address": {"city": "Bath"},
        "q8_topics": ["a", "b"],
        "q9_utm_source": "google",
        "q10_other": None,
        "slug": "submit/1",
        "event_id": "1",
    }
    decoded, understood = answered(raw)
    assert understood == {
        "name": "Dr Ann Lee",
        "phone": "650 5550123",
        "q5_spare": "+44 20 79460958",
        "email": "a@b.example",
        "q7_address.city": "Bath",
        "q8_topics": "a, b",
    }
    assert tags(JOTFORM, decoded) == {"utm_source": "google"}
    assert decoded.external_id == "5"
    assert "secret" not in str(decoded)


def test_jotform_without_raw_request_has_its_answers_in_the_open() -> None:
    decoded = decode(JOTFORM, hooked({"q1_name": "Ann", "submission_id": "6", "formID": "2"}))
    assert (values(JOTFORM, decoded), decoded.external_id) == ({"name": "Ann"}, "6")


def test_what_comes_beside_jotforms_answers_can_be_mapped() -> None:
    form = form_for("jotform", mapping={"message": "pretty"})
    decoded = decode(form, hooked({"rawRequest": "{}", "pretty": "Name:Ann"}))
    assert values(form, decoded) == {"message": "Name:Ann"}


def test_answers_of_jotform_that_are_none_are_refused() -> None:
    with pytest.raises(MalformedRequestError):
        answered(["a"])


# --- Yandex Forms

YANDEX = form_for("yandex_forms")


def test_a_call_is_answered_as_one() -> None:
    call = '{"jsonrpc":"2.0","params":{"name":"A","api_key":"k"},"id":"7"}'
    decoded = decode(YANDEX, hooked(call))
    assert (decoded.fields, decoded.body) == ((("name", "A"),), None)
    reply = client_named("yandex_forms").answer(Stored("1"), hooked(call))
    assert json.loads(reply.body) == {"jsonrpc": "2.0", "result": "ok", "id": "7"}


def test_what_only_looks_like_a_call_is_no_call() -> None:
    assert client_named("yandex_forms").answer(Stored("1"), hooked('{"jsonrpc"')).body == "ok"


@pytest.mark.parametrize("path", ["tel", "params.tel"])
def test_params_are_mapped_with_or_without_their_envelope(path: str) -> None:
    form = form_for("yandex_forms", mapping={"message": path})
    call = '{"jsonrpc":"2.0","params":{"tel":"x"}}'
    assert values(form, decode(form, hooked(call))) == {"message": "x"}


@pytest.mark.parametrize("body", ['{"Имя":"А"}', '{"x":"\\"jsonrpc\\"","Имя":"А"}'])
def test_a_body_of_the_owners_is_understood(body: str) -> None:
    assert values(YANDEX, decode(YANDEX, hooked(body)))["name"] == "А"
    assert client_named("yandex_forms").answer(Stored("1"), hooked(body)).body == "ok"


# --- anything at all


def test_a_client_that_does_not_exist_is_a_mistake_in_the_policy() -> None:
    with pytest.raises(PolicyError, match="fax"):
        client_named("fax")


WORDS = """
    COOKIES tranid tildaspec-cookie form-spec-comments rawRequest submissionID q1_name q2_phone
    data.json data_json data.xml jsonrpc params id api_key fields[a][value] fields[a][type]
    meta[page_url][value] form_id source_url date_created _wpcf7 tel-1 test
"""
KEY = st.sampled_from(WORDS.split())
TEXT = st.one_of(
    st.text(max_size=8),
    st.sampled_from(("{}", "[]", '{"q1_name":{"first":[{}]}}', '{"q2_x":{"full":null}}', "test")),
    st.recursive(
        st.none() | st.booleans() | st.text(max_size=3) | st.just("first"),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(st.sampled_from(("first", "full", "phone", "a")), inner, max_size=2)
        ),
        max_leaves=6,
    ).map(lambda value: json.dumps({"q1_name": value})),
)
SENT = st.lists(st.tuples(KEY, TEXT), max_size=5)
BODIES = st.one_of(
    any_body(),
    SENT.map(lambda pairs: urlencode(pairs, errors="ignore").encode()),
    SENT.map(lambda pairs: json.dumps(dict(pairs)).encode()),
)


@pytest.mark.parametrize("name", [*CLIENTS, "generic"])
@given(BODIES, any_headers(), st.dictionaries(KEY, st.text(max_size=5), max_size=3))
def test_any_request_is_understood_or_refused(
    name: str, body: bytes, headers: dict[str, str], query: dict[str, str]
) -> None:
    form = form_for(name, thanks_url=f"{PAGE}/thanks")
    check_any(client_named(name), form, body, headers, query, {"key": ("k",)} if query else {})
