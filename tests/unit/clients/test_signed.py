"""Clients that prove who they are: by a signature of the bytes, or by a secret sent along."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clients import FormClient, Handshake, Pinged, Stored, client_named
from shared.clients.signatures import is_fresh, is_key, is_signature, mac
from shared.domain.attribution import channel_of, read_touch
from shared.domain.form import Form, Keys
from shared.domain.submission import Decoded
from shared.errors import MalformedRequestError, NotAuthenticatedError
from shared.http import HttpRequest
from tests.unit.clients.anything import check_any
from tests.unit.samples import URLENCODED, a_form, a_request

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
STAMP = int(NOW.timestamp())
KEYS: Keys = {"signing": ("new", "former"), "handshake": ("shake",)}
KEYED: Keys = {"key": ("new", "former"), "handshake": ("shake",)}


def form_of(client: str, **fields: Any) -> Form:
    return a_form(client=client, default_region="RU", **fields)


def hook(body: object, **headers: str) -> HttpRequest:
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    return a_request(text, "application/json", **headers)


def decoded(client: str, body: object, **fields: Any) -> tuple[Decoded, ...]:
    return client_named(client).decode(hook(body), form_of(client, **fields))


def only(client: str, body: object, **fields: Any) -> Decoded:
    (one,) = decoded(client, body, **fields)
    return one


def values(one: Decoded, **fields: Any) -> dict[str, str]:
    return form_of(one.client, **fields).sort(one.fields, one.meanings).values


# --- signatures -----------------------------------------------------------------------------------

BODY = '{"a":1}'


def webflow(key: str, at: int = STAMP) -> HttpRequest:
    stamp = f"{at}500"
    signature = mac(key, f"{stamp}:{BODY}".encode()).hex()
    return hook(BODY, x_webflow_timestamp=stamp, x_webflow_signature=signature)


def wpforms(key: str, at: int = STAMP) -> HttpRequest:
    signature = mac(key, f"{at}.{BODY}".encode()).hex()
    return hook(BODY, x_wpforms_webhook_signature=f"t={at},v={signature}")


def wpforms_form(key: str, at: int = STAMP) -> HttpRequest:
    signed = f'{at}.{{"name":"\\u0410\\u043d\\u043d\\u0430","site":"https:\\/\\/a.example"}}'
    signature = mac(key, signed.encode()).hex()
    body = urlencode({"name": "Анна", "site": "https://a.example"})
    return a_request(body, URLENCODED, x_wpforms_webhook_signature=f"t={at},v={signature}")


def typeform(key: str) -> HttpRequest:
    signature = base64.b64encode(mac(key, BODY.encode())).decode()
    return hook(BODY, typeform_signature=f"sha256={signature}")


def meta(key: str) -> HttpRequest:
    return hook(BODY, x_hub_signature_256=f"sha256={mac(key, BODY.encode()).hex()}")


def linkedin(key: str) -> HttpRequest:
    return hook(BODY, x_li_signature=mac(key, f"hmacsha256={BODY}".encode()).hex())


def linkedin_prefixed(key: str) -> HttpRequest:
    signature = mac(key, f"hmacsha256={BODY}".encode()).hex()
    return hook(BODY, x_li_signature=f"hmacsha256={signature.upper()}")


SIGNED: list[tuple[str, Callable[[str], HttpRequest]]] = [
    ("webflow", webflow),
    ("wpforms", wpforms),
    ("wpforms", wpforms_form),
    ("typeform", typeform),
    ("meta", meta),
    ("linkedin", linkedin),
    ("linkedin", linkedin_prefixed),
]


def verify(client: str, request: HttpRequest, keys: Keys = KEYS) -> None:
    client_named(client).verify(request, form_of(client), keys, NOW)


@pytest.mark.parametrize(("client", "signed"), SIGNED)
@pytest.mark.parametrize("key", ["new", "former"])
def test_both_keys_of_a_rotation_are_good(
    client: str, signed: Callable[[str], HttpRequest], key: str
) -> None:
    verify(client, signed(key))


@pytest.mark.parametrize(("client", "signed"), SIGNED)
def test_nothing_but_the_signed_bytes_is_believed(
    client: str, signed: Callable[[str], HttpRequest]
) -> None:
    good = signed("new")
    unsigned = {"content-type", "host"}
    no_hex = {n: v if n in unsigned else "t=1,v=zz" for n, v in good.headers.items()}
    tampered = (
        signed("other"),
        replace(good, body=good.body + b" "),
        replace(good, headers={n: good.headers[n] for n in unsigned}),
        replace(good, headers=no_hex),
    )
    for request in tampered:
        with pytest.raises(NotAuthenticatedError):
            verify(client, request)


@pytest.mark.parametrize(("client", "signed"), SIGNED)
def test_a_form_without_the_secret_falls_back_to_its_key(
    client: str, signed: Callable[[str], HttpRequest]
) -> None:
    verify(client, signed("other"), {})
    verify(client, replace(hook(BODY), query={"key": "former"}), KEYED)
    verify(client, hook(BODY, x_api_key="new"), KEYED)
    verify(client, hook(BODY, authorization="Bearer new"), {**KEYED, **KEYS})
    with pytest.raises(NotAuthenticatedError):
        verify(client, replace(hook(BODY), query={"key": "no"}), KEYED)
    with pytest.raises(NotAuthenticatedError):
        verify(client, signed("other"), {**KEYED, **KEYS})


@pytest.mark.parametrize(("client", "signed"), [("webflow", webflow), ("wpforms", wpforms)])
@pytest.mark.parametrize(("seconds", "good"), [(-301, False), (-299, True), (299, True)])
def test_an_old_signature_may_be_a_replay(
    client: str, signed: Callable[[str, int], HttpRequest], seconds: int, good: bool
) -> None:
    request = signed("new", STAMP + seconds)
    if good:
        verify(client, request)
    else:
        with pytest.raises(NotAuthenticatedError):
            verify(client, request)


@given(st.text(max_size=80), st.binary(max_size=20))
def test_no_text_breaks_a_comparison(text: str, message: bytes) -> None:
    assert not is_signature(text, message, ("k",))
    assert not is_signature(text, message, ("k",), encoding="base64")
    assert is_key(text, ("k",)) == (text == "k")
    assert not is_key(text, ("",))
    assert is_fresh(text, NOW) in {True, False}


def test_a_time_is_fresh_for_five_minutes() -> None:
    assert is_fresh(str(STAMP), NOW + timedelta(minutes=5))
    assert not is_fresh(str(STAMP), NOW + timedelta(minutes=5, seconds=1))
    assert not is_fresh("٣", NOW)
    assert not is_fresh("9" * 20, NOW)


# --- handshakes -----------------------------------------------------------------------------------


def asked(**query: str) -> HttpRequest:
    return replace(a_request(method="GET", content_type=None), query=query)


def test_meta_gets_its_challenge_back_for_the_right_token() -> None:
    client = client_named("meta")
    request = asked(**{"hub.mode": "subscribe", "hub.challenge": "42", "hub.verify_token": "shake"})
    verify("meta", request)
    assert client.recognise(request) == "handshake"
    assert client.answer(Handshake(KEYS, NOW), request).body == "42"
    for keys in (KEYS, {}):
        with pytest.raises(NotAuthenticatedError):
            verify("meta", asked(**{"hub.verify_token": "no"}), keys)
    assert client.answer(Stored("1"), hook("{}")).body == "ok"


def test_linkedin_gets_a_proof_of_its_challenge() -> None:
    client = client_named("linkedin")
    request = asked(challengeCode="c")
    verify("linkedin", request)
    assert client.recognise(request) == "handshake"
    answer = json.loads(client.answer(Handshake(KEYS, NOW), request).body)
    assert answer == {"challengeCode": "c", "challengeResponse": mac("new", b"c").hex()}
    for wrong, keys in ((asked(), KEYS), (request, KEYED)):
        with pytest.raises(NotAuthenticatedError):
            verify("linkedin", wrong, keys)
    assert client.answer(Pinged(), hook("{}")).body == "ok"


def test_linkedin_has_no_lead_signed_by_a_challenge() -> None:
    for challenge in (f"hmacsha256={BODY}", "hmacsha256=", BODY, "ä", "c\n", "c" * 129):
        with pytest.raises(NotAuthenticatedError):
            verify("linkedin", asked(challengeCode=challenge))


def test_vk_gets_its_confirmation_code() -> None:
    client = client_named("vk")
    request = hook({"type": "confirmation", "group_id": 1})
    verify("vk", request, KEYED)
    assert client.recognise(request) == "handshake"
    assert client.answer(Handshake(KEYED, NOW), request).body == "shake"
    with pytest.raises(NotAuthenticatedError):
        verify("vk", request, {"key": ("k",)})
    assert client.recognise(hook({"type": "message_new", "secret": "new"})) == "ping"
    assert client.answer(Pinged(), request).body == "ok"


# --- what they say --------------------------------------------------------------------------------


def test_webflow_by_labels_and_types() -> None:
    payload = {
        "id": "w1",
        "data": {
            "Имя": "Анна",
            "Куда писать": "a@example.com",
            "Звонить": 79161234567,
            "Что": ["а", "б"],
        },
        "schema": [
            {"fieldName": "Куда писать", "fieldType": "FormEmailInput"},
            {"fieldName": "Звонить", "fieldType": "phone"},
            "?",
        ],
    }
    one = only("webflow", {"triggerType": "form_submission", "payload": payload})
    assert one.external_id == "w1"
    assert values(one) == {
        "name": "Анна",
        "email": "a@example.com",
        "phone": "79161234567",
        "Что": "а, б",
    }


def test_webflow_of_version_1() -> None:
    one = only("webflow", {"name": "Form", "_id": "w0", "data": {"Name": "Ann"}, "d": "2026"})
    assert (one.external_id, one.fields) == ("w0", (("Name", "Ann"),))


@pytest.mark.parametrize(
    ("client", "body"),
    [
        ("webflow", {"payload": {"data": []}}),
        ("webflow", {"payload": "?"}),
        ("typeform", {"form_response": []}),
        ("vk", {"type": "lead_forms_new", "object": None}),
        ("google_ads", "[]"),
        ("meta", "{"),
        ("linkedin", '{"a":NaN}'),
    ],
)
def test_what_makes_no_sense_is_refused(client: str, body: object) -> None:
    with pytest.raises(MalformedRequestError):
        decoded(client, body)


def test_wpforms_joins_answers_with_bars() -> None:
    one = only("wpforms", {"name": "Анна", "services": "Дизайн||Код"})
    assert values(one) == {"name": "Анна", "services": "Дизайн, Код"}


def typeform_answers(*answers: dict[str, Any], fields: object = ()) -> dict[str, Any]:
    definition = {"fields": fields}
    response = {"token": "t1", "definition": definition, "answers": answers}
    return {"event_type": "form_response", "form_response": response}


def test_typeform_joins_answers_to_their_questions() -> None:
    fields = [
        {"id": "f1", "ref": "7f-01", "type": "short_text", "title": "Как вас зовут"},
        {"id": "f2", "ref": "7f-02", "type": "phone_number", "title": "?"},
        {"id": "f3", "ref": "budget", "type": "multiple_choice", "title": "Budget"},
        {"id": "f4", "ref": "7f-04", "type": "legal", "title": "Terms"},
        {"id": "f5", "ref": "7f-05", "type": "opinion_scale", "title": "How much?"},
    ]
    body = typeform_answers(
        {"type": "text", "text": "Анна", "field": {"id": "f1", "ref": "7f-01"}},
        {"type": "phone_number", "phone_number": "+79161234567", "field": {"ref": "7f-02"}},
        {"type": "choices", "choices": {"labels": ["A", "B"], "other": "C"}, "field": {"id": "f3"}},
        {"type": "boolean", "boolean": False, "field": {"ref": "7f-04"}},
        {"type": "number", "number": 7, "field": {"ref": "7f-05"}},
        {"type": "payment", "payment": {"amount": "1", "last4": "42"}, "field": {"ref": "pay"}},
        {"type": "text", "field": {"ref": "nothing"}},
        {"type": "text", "text": "alone"},
        fields=fields,
    )
    body["form_response"]["hidden"] = {"utm_source": "vk"}
    one = only("typeform", body)
    assert one.external_id == "t1"
    assert values(one) == {
        "name": "Анна",
        "phone": "+79161234567",
        "f3": "A, B, C",
        "consent": "false",
        "7f-05": "7",
        "pay": "1, 42",
        "answer": "alone",
    }
    assert ("utm_source", "vk") in one.fields
    mapped = {"mapping": {"message": "How much?"}}
    assert values(only("typeform", body, **mapped), **mapped)["message"] == "7"


def test_typeform_knows_the_questions_of_a_group() -> None:
    inner = [{"id": "f2", "ref": "r2", "type": "short_text", "title": "Как вас зовут"}]
    group = {"id": "f1", "ref": "r1", "type": "group", "properties": {"fields": inner}}
    answer = {"type": "text", "text": "Анна", "field": {"id": "f2", "ref": "r2"}}
    assert values(only("typeform", typeform_answers(answer, fields=[group]))) == {"name": "Анна"}


def test_typeform_without_a_response_is_a_try() -> None:
    assert client_named("typeform").recognise(hook({"event_type": "other"})) == "ping"
    assert client_named("typeform").recognise(hook(typeform_answers())) == "submission"
    assert only("typeform", {"form_response": {}}).external_id is None


def test_google_ads_in_any_case_of_its_keys() -> None:
    body = {
        "Lead_id": "g1",
        "Google_key": "former",
        "IS_TEST": True,
        "gcl_id": "click",
        "campaign_id": 7,
        "user_column_data": [
            {"column_id": "FULL_NAME", "string_value": "Ann Lee"},
            {"column_name": "Your city?", "string_value": "Riga"},
            {"string_value": None},
        ],
    }
    verify("google_ads", hook(body), KEYED)
    one = only("google_ads", body)
    assert (one.kind, one.external_id) == ("test", "g1")
    assert values(one) == {"name": "Ann Lee", "Your city?": "Riga", "campaign_id": "7"}
    assert ("gclid", "click") in one.fields
    assert "former" not in repr(one)
    for wrong in ({**body, "Google_key": "no"}, {}):
        with pytest.raises(NotAuthenticatedError):
            verify("google_ads", hook(wrong), KEYED)


def change(**value: object) -> dict[str, Any]:
    return {"field": "leadgen", "value": value}


def test_meta_sends_several_ids_at_once_and_other_news() -> None:
    body = {
        "object": "page",
        "entry": [
            {"changes": [change(leadgen_id="1", ad_id="9"), {"field": "feed", "value": {}}]},
            {"changes": [change(leadgen_id="2"), change(), {"field": "leadgen", "value": 1}]},
            {},
        ],
    }
    found = decoded("meta", body)
    assert [(one.kind, one.external_id) for one in found] == [
        ("reference", "1"),
        ("reference", "2"),
    ]
    assert found[0].fields == (("ad_id", "9"),)
    assert decoded("meta", {"entry": []}) == ()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("Анна", "submission"),
        ("<test lead: dummy data for full_name>", "test"),
        ("test@meta.com", "test"),
    ],
)
def test_meta_lead_that_a_relay_fetched(answer: str, kind: str) -> None:
    field_data = [
        {"name": "full_name", "values": [answer]},
        {"name": "phone_number", "values": ["+79161234567"]},
    ]
    one = only("meta", {"id": "m1", "field_data": field_data, "ad_name": "Осень"})
    assert (one.kind, one.external_id) == (kind, "m1")
    assert values(one) == {"name": answer, "phone": "+79161234567", "ad_name": "Осень"}


@pytest.mark.parametrize(
    ("said", "channel"),
    [
        ({"platform": "fb", "is_organic": False}, "Paid Social"),
        ({"platform": "ig", "is_organic": "true", "campaign_name": "Осень"}, "Organic Social"),
        ({"platform": "audience_network"}, "Direct"),
    ],
)
def test_meta_lead_says_where_it_comes_from(said: dict[str, Any], channel: str) -> None:
    told = {"id": "m1", "field_data": [{"name": "phone_number", "values": ["1"]}], **said}
    tags = dict(only("meta", told).fields)
    assert channel_of(read_touch(tags)).name == channel
    assert tags.get("utm_campaign") == said.get("campaign_name")
    own = {**told, "field_data": [{"name": "utm_source", "values": ["partner"]}]}
    assert dict(only("meta", own).fields)["utm_source"] == "partner"


@pytest.mark.parametrize(("action", "kind"), [("CREATED", "reference"), ("DELETED", "erasure")])
def test_linkedin_tells_what_is_to_be_fetched_or_forgotten(action: str, kind: str) -> None:
    body = {"type": "LEAD_ACTION", "leadGenFormResponse": "urn:1", "leadAction": action}
    one = only("linkedin", body)
    assert (one.kind, one.external_id) == (kind, "urn:1")
    assert decoded("linkedin", {"type": "OTHER"}) == ()


def lead_of_vk(**more: object) -> dict[str, Any]:
    lead = {
        "lead_id": 7,
        "answers": [
            {"key": "first_name", "question": "Имя", "answer": "Анна"},
            {"key": "custom_0", "question": "Ваш телефон", "answer": "+79161234567"},
            {"key": "custom_1", "question": "Какой товар?", "answer": ["Диван", "Стол"]},
        ],
    }
    return {"type": "lead_forms_new", "object": {**lead, **more}, "secret": "new"}


@pytest.mark.parametrize(("ad_id", "medium"), [(0, "social"), (12, "cpc")])
def test_vk_by_keys_and_questions(ad_id: int, medium: str) -> None:
    body = lead_of_vk(ad_id=ad_id)
    verify("vk", hook(body), KEYED)
    one = only("vk", body)
    assert one.external_id == "7"
    told = values(one)
    assert told == {
        "name": "Анна",
        "phone": "+79161234567",
        "custom_1": "Диван, Стол",
        "ad_id": str(ad_id),
    }
    assert ("utm_medium", medium) in one.fields
    assert one.body is one.body_base64 is None, "the secret stands in it"
    with pytest.raises(NotAuthenticatedError):
        verify("vk", hook({**body, "secret": "no"}), KEYED)


# --- anything at all ------------------------------------------------------------------------------

NAMES_IN_JSON = """
    payload data schema fieldName fieldType id _id form_response answers field ref type title token
    definition fields choice choices labels label other hidden user_column_data column_id
    string_value google_key is_test gcl_id lead_id entry changes value leadgen leadgen_id field_data
    name values leadGenFormResponse leadAction object key question answer ad_id secret
    confirmation lead_forms_new DELETED phone email FULL_NAME
"""
WORDS = st.sampled_from(NAMES_IN_JSON.split())
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=6) | WORDS
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(WORDS | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=14,
)
BODIES = st.binary(max_size=80) | st.dictionaries(WORDS, VALUES, max_size=6).map(
    lambda content: json.dumps(content).encode()
)
HEADERS = st.fixed_dictionaries(
    {"content_type": st.sampled_from(("application/json", URLENCODED, "text/plain", ""))},
    optional={
        name: st.text(max_size=12)
        for name in (
            "x_webflow_timestamp",
            "x_webflow_signature",
            "x_wpforms_webhook_signature",
            "typeform_signature",
            "x_hub_signature_256",
            "x_li_signature",
        )
    },
)
NAMES = ("webflow", "wpforms", "typeform", "google_ads", "meta", "linkedin", "vk")


@pytest.mark.parametrize("client", [client_named(name) for name in NAMES], ids=NAMES)
@given(body=BODIES, headers=HEADERS, keys=st.sampled_from([{}, KEYS, KEYED]))
def test_any_request_is_understood_or_refused(
    client: FormClient, body: bytes, headers: dict[str, str], keys: Keys
) -> None:
    check_any(client, form_of("generic"), body, headers, keys=keys)
