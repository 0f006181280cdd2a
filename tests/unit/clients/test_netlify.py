import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clients import Refused, Stored
from shared.clients.netlify import CLIENT
from shared.domain.form import Keys
from shared.errors import InvalidSubmissionError, NotAuthenticatedError
from shared.http import HttpRequest, problem_of
from tests.unit.clients import worked_cases
from tests.unit.clients.anything import any_body, any_headers, check_any
from tests.unit.samples import BROWSER, PAGE, a_form, a_request

NOW = datetime(2026, 11, 24, tzinfo=UTC)
FORM = a_form(client="netlify")
KEYS: Keys = {"signing": ("new_secret", "nl_secret")}
BODY = b'{"id":"1","data":{"name":"Ann"}}'
HEADER = {"alg": "HS256", "typ": "JWT"}
CLAIMS = {"iss": "netlify", "sha256": hashlib.sha256(BODY).hexdigest()}


def part(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def jws(header: object, claims: object, key: str = "nl_secret") -> str:
    message = f"{part(header)}.{part(claims)}"
    mac = hmac.new(key.encode(), message.encode(), hashlib.sha256).digest()
    return f"{message}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def hook(body: bytes | str = BODY, signature: str = "", **headers: str) -> HttpRequest:
    signed = {"x_webhook_signature": signature} if signature else {}
    return a_request(body, "application/json", **signed, **headers)


@pytest.mark.parametrize("key", KEYS["signing"])
def test_a_signed_webhook_is_believed(key: str) -> None:
    CLIENT.verify(hook(signature=jws(HEADER, CLAIMS, key)), FORM, KEYS, NOW)


GOOD = jws(HEADER, CLAIMS)
HEAD, PAYLOAD, MAC = GOOD.split(".")


@pytest.mark.parametrize(
    "signature",
    [
        pytest.param("", id="none at all"),
        pytest.param("garbage", id="no JWS"),
        pytest.param("é.ü.ß", id="no ASCII"),
        pytest.param(f"{part({'alg': 'none'})}.{PAYLOAD}.", id="alg none"),
        pytest.param(jws({"alg": "none"}, CLAIMS), id="alg none, and yet signed"),
        pytest.param(jws({"alg": "HS512"}, CLAIMS), id="another alg"),
        pytest.param(jws({"alg": ["HS256"]}, CLAIMS), id="alg is a list"),
        pytest.param(jws({}, CLAIMS), id="no alg"),
        pytest.param(jws([], CLAIMS), id="the header is a list"),
        pytest.param(jws(HEADER, "netlify"), id="the claims are a text"),
        pytest.param(jws(HEADER, CLAIMS, "wrong"), id="another secret"),
        pytest.param(jws(HEADER, CLAIMS, ""), id="no secret"),
        pytest.param(jws(HEADER, {**CLAIMS, "iss": "evil"}), id="another issuer"),
        pytest.param(jws(HEADER, {"sha256": CLAIMS["sha256"]}), id="no issuer"),
        pytest.param(jws(HEADER, {"iss": "netlify"}), id="no digest"),
        pytest.param(jws(HEADER, {**CLAIMS, "sha256": "\ud800"}), id="half a letter"),
        pytest.param(jws(HEADER, {**CLAIMS, "sha256": "0" * 64}), id="of another body"),
        pytest.param(f"{HEAD}.{PAYLOAD}", id="two parts"),
        pytest.param(f"{GOOD}.{MAC}", id="four parts"),
        pytest.param(f"{HEAD}.{PAYLOAD}.{MAC[:-4]}", id="cut"),
        pytest.param(f"{HEAD}.{PAYLOAD}.{MAC}!", id="no base64"),
        pytest.param(f"{HEAD}.{part({**CLAIMS, 'x': 1})}.{MAC}", id="changed claims"),
    ],
)
def test_anything_else_is_not_believed(signature: str) -> None:
    with pytest.raises(NotAuthenticatedError):
        CLIENT.verify(hook(signature=signature), FORM, KEYS, NOW)


@pytest.mark.parametrize("raw", [b"{", b"\xff", b"[" * 20_000])
def test_a_signed_header_that_is_no_json_is_not_believed(raw: bytes) -> None:
    head = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    message = f"{head}.{PAYLOAD}".encode()
    mac = base64.urlsafe_b64encode(hmac.new(b"nl_secret", message, hashlib.sha256).digest())
    with pytest.raises(NotAuthenticatedError):
        CLIENT.verify(hook(signature=f"{message.decode()}.{mac.decode()}"), FORM, KEYS, NOW)


@pytest.mark.parametrize("body", [BODY + b" ", BODY.replace(b"Ann", b"Eve"), b""])
def test_a_body_that_was_changed_is_not_believed(body: bytes) -> None:
    with pytest.raises(NotAuthenticatedError):
        CLIENT.verify(hook(body, GOOD), FORM, KEYS, NOW)


def test_a_form_with_a_signing_secret_takes_nothing_unsigned() -> None:
    with pytest.raises(NotAuthenticatedError):
        CLIENT.verify(a_request("name=Ann", origin=PAGE), FORM, KEYS, NOW)


def test_without_a_signing_secret_a_key_will_do() -> None:
    keys = {"key": ("k",)}
    CLIENT.verify(hook(x_api_key="k"), FORM, keys, NOW)
    with pytest.raises(NotAuthenticatedError):
        CLIENT.verify(hook(), FORM, keys, NOW)
    CLIENT.verify(hook(), FORM, {}, NOW)


def test_the_webhook_says_which_submission_of_which_page() -> None:
    decoded = worked_cases.decoded(worked_cases.load("netlify/outgoing-webhook-jws"))
    assert decoded.external_id == "66f1c0ffee0001"
    assert decoded.page == "https://site.example/contact?utm_source=bing&utm_medium=cpc&msclkid=ms1"
    assert dict(decoded.fields) == {
        "name": "Emma Stone",
        "email": "emma@corp.example",
        "phone": "020 7946 0958",
        "message": "Demo please",
        "consent": "on",
    }
    assert (decoded.body, decoded.somebody_waits) == (None, False)


def test_several_answers_to_one_question() -> None:
    body = {"data": {"interests": ["a", "b"], "address": {"city": "Hull"}, "none": None}}
    (decoded,) = CLIENT.decode(hook(json.dumps(body)), FORM)
    assert decoded.fields == (("interests", "a"), ("interests", "b"), ("address.city", "Hull"))
    assert decoded.external_id is None


def test_a_mapping_may_name_the_whole_path() -> None:
    form = a_form(client="netlify", mapping={"name": "data.who", "phone": "call"})
    (decoded,) = CLIENT.decode(hook('{"data":{"who":"Ann","call":"1"}}'), form)
    assert form.sort(decoded.fields).values == {"name": "Ann", "phone": "1"}


def test_a_machine_gets_a_plain_answer() -> None:
    request = hook()
    assert not CLIENT.comes_from_browser(request)
    assert CLIENT.answer(Stored("1", f"{PAGE}/thanks"), request).status == 200
    problem = problem_of(InvalidSubmissionError(()), str)
    reply = CLIENT.answer(Refused(problem, FORM), request)
    assert reply.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("headers", [{"accept": BROWSER}, {"accept": "*/*"}])
def test_a_static_form_is_a_browsers(headers: Mapping[str, str]) -> None:
    sent = "form-name=contact&bot-field=&name=Emma&subject=Hi"
    request = a_request(sent, **headers)
    assert CLIENT.comes_from_browser(request)
    (decoded,) = CLIENT.decode(request, FORM)
    assert decoded.client == "netlify"
    assert decoded.body == "bot-field=&name=Emma&subject=Hi"
    assert FORM.sort(decoded.fields).values == {"name": "Emma", "subject": "Hi"}
    assert decoded.somebody_waits
    wanted = 303 if headers["accept"] == BROWSER else 201
    assert CLIENT.answer(Stored("1", f"{PAGE}/thanks"), request).status == wanted


def test_the_trap_of_a_static_form_needs_no_line_of_policy() -> None:
    (decoded,) = CLIENT.decode(a_request("name=Emma&bot-field=x"), FORM)
    assert [key for key, _ in decoded.fields if FORM.is_trap(key)] == ["bot-field"]


@given(any_body(), any_headers(), st.sampled_from(({}, KEYS)))
def test_any_request_is_understood_or_refused(
    body: bytes, headers: dict[str, str], keys: Keys
) -> None:
    check_any(CLIENT, FORM, body, headers, keys=keys)


@given(any_body())
def test_any_signed_body_is_understood_or_refused(body: bytes) -> None:
    signature = jws(HEADER, {"iss": "netlify", "sha256": hashlib.sha256(body).hexdigest()})
    CLIENT.verify(hook(body, signature), FORM, KEYS, NOW)
    headers = {"content_type": "application/json", "x_webhook_signature": signature}
    check_any(CLIENT, FORM, body, headers, keys=KEYS)
