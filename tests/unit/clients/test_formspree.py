import json
from typing import Any

import pytest
from hypothesis import given

from shared.clients import Pinged, Refused, Stored
from shared.clients.formspree import CLIENT
from shared.domain.submission import Decoded
from shared.errors import (
    FieldError,
    InvalidSubmissionError,
    LeadlineError,
    MalformedRequestError,
    OriginNotAllowedError,
    TooManyRequestsError,
)
from shared.http import HttpRequest, Reply, problem_of
from tests.unit.clients import worked_cases
from tests.unit.clients.anything import any_body, any_headers, check_any
from tests.unit.samples import BROWSER, PAGE, URLENCODED, a_form, a_request

SCRIPT = {"accept": "application/json"}


def decode(request: HttpRequest, **form: Any) -> Decoded:
    (decoded,) = CLIENT.decode(request, a_form(client="formspree", **form))
    return decoded


def refusal(request: HttpRequest, error: LeadlineError, **form: Any) -> Reply:
    known = a_form(client="formspree", **form)
    decoded = decode(request, **form)
    return CLIENT.answer(Refused(problem_of(error, str), known, decoded), request)


def wrong(field: str, code: str) -> InvalidSubmissionError:
    return InvalidSubmissionError((FieldError(field, code, "Mend it."),))


def test_what_steers_the_service_is_not_kept() -> None:
    case = worked_cases.load("formspree/ajax-formdata-success")
    decoded = worked_cases.decoded(case)
    assert {key for key, _ in decoded.fields} == {
        "name", "_replyto", "phone", "_gotcha", "message", "consent",
    }  # fmt: skip
    assert decoded.next_url == f"{PAGE}/thanks"
    assert (decoded.body, decoded.body_base64) == (None, None)


def test_the_verbatim_body_loses_only_what_is_not_kept() -> None:
    decoded = decode(a_request("name=A+B&_cc=boss%40example.com&%5Fsubject=Hi&message=x%26y"))
    assert decoded.body == "name=A+B&message=x%26y"
    assert decoded.fields == (("name", "A B"), ("message", "x&y"))


@pytest.mark.parametrize(
    ("sent", "content_type"),
    [
        ('{"name":"A","_cc":"boss@example.com"}', "application/json"),
        ('{"name":"A","_cc":"boss@example.com"}', URLENCODED),
        (f"name=A&_cc=boss&x={chr(233)}".encode("latin-1"), f"{URLENCODED}; charset=latin1"),
        ("_cc=boss", URLENCODED),
    ],
)
def test_where_it_cannot_be_cut_out_the_answers_are_kept_one_by_one(
    sent: str | bytes, content_type: str
) -> None:
    decoded = decode(a_request(sent, content_type))
    assert (decoded.body, decoded.body_base64) == (None, None)
    assert "boss" not in str(decoded)


@pytest.mark.parametrize(
    ("sent", "email"),
    [
        ("_replyto=a@example.com", "a@example.com"),
        ("_replyto=a@example.com&email=b@example.com", "b@example.com"),
        ("E-mail=b@example.com&_replyto=a@example.com", "b@example.com"),
        ("name=A", None),
    ],
)
def test_the_address_to_reply_to_is_the_visitors(sent: str, email: str | None) -> None:
    decoded = decode(a_request(sent))
    values = a_form().sort(decoded.fields, decoded.meanings).values
    assert values.get("email") == email
    assert "_replyto" not in values


def test_the_trap_needs_no_line_of_policy() -> None:
    form = a_form()
    decoded = decode(a_request("name=A&_gotcha=http://x.example"))
    assert ("_gotcha", "http://x.example") in decoded.fields
    assert form.is_trap("_gotcha")
    assert "_gotcha" not in form.sort(decoded.fields, decoded.meanings).values


def test_a_script_learns_where_to_go_next() -> None:
    request = a_request("{}", "application/json", **SCRIPT)
    reply = CLIENT.answer(Stored("1", f"{PAGE}/thanks"), request)
    assert (reply.status, json.loads(reply.body)) == (200, {"ok": True, "next": f"{PAGE}/thanks"})
    assert CLIENT.answer(Pinged(), request).status == 204


def test_a_browser_is_sent_on() -> None:
    reply = CLIENT.answer(Stored("1", f"{PAGE}/thanks"), a_request("a=1", accept=BROWSER))
    assert (reply.status, reply.headers["Location"]) == (303, f"{PAGE}/thanks")


def test_a_browser_gets_the_form_again() -> None:
    request = a_request("name=A&_replyto=a%40", accept=BROWSER)
    reply = refusal(request, wrong("email", "unusable"))
    assert reply.status == 422
    assert 'value="a@"' in reply.body


@pytest.mark.parametrize(
    ("sent", "field", "code", "wanted"),
    [
        ("_replyto=a%40", "email", "unusable", ("_replyto", "TYPE_EMAIL")),
        ("email=a%40", "email", "unusable", ("email", "TYPE_EMAIL")),
        ("name=A", "email", "missing", ("email", "REQUIRED_FIELD_MISSING")),
        ("your-tel=", "phone", "blank", ("your-tel", "REQUIRED_FIELD_EMPTY")),
        ("phone=1", "phone", "unusable", ("phone", "TYPE_TEXT")),
        ("consent=no", "consent", "unusable", ("consent", "REQUIRED_FIELD_EMPTY")),
        ("message=x", "message", "too_long", ("message", "TYPE_TEXT")),
        ("name=x", "brief", "file_not_accepted", ("brief", "NO_FILE_UPLOADS")),
    ],
)
def test_a_script_learns_what_is_wrong(
    sent: str, field: str, code: str, wanted: tuple[str, str]
) -> None:
    reply = refusal(a_request(sent, URLENCODED, **SCRIPT), wrong(field, code))
    assert reply.status == 422
    (error,) = json.loads(reply.body)["errors"]
    assert (error["field"], error["code"]) == wanted
    assert error["message"] == "Mend it."


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (OriginNotAllowedError("x"), 403, "BLOCKED"),
        (MalformedRequestError("Broken."), 400, None),
        (TooManyRequestsError("burst"), 429, None),
    ],
)
def test_a_script_learns_what_is_wrong_with_the_whole(
    error: LeadlineError, status: int, code: str | None
) -> None:
    reply = refusal(a_request("name=A", **SCRIPT), error)
    content = json.loads(reply.body)
    assert (reply.status, content["errors"][0].get("code")) == (status, code)
    assert content["errors"][0]["message"]
    assert content["error"]
    assert ("Retry-After" in reply.headers) == (status == 429)


def test_an_error_before_the_form_is_known_names_the_field_as_it_is() -> None:
    problem = problem_of(wrong("phone", "missing"), str)
    reply = CLIENT.answer(Refused(problem), a_request("", **SCRIPT))
    assert json.loads(reply.body)["errors"][0]["field"] == "phone"


@given(any_body(), any_headers())
def test_any_request_is_understood_or_refused(body: bytes, headers: dict[str, str]) -> None:
    check_any(CLIENT, a_form(client="formspree"), body, headers)
