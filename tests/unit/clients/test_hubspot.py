import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given

from shared.clients import Pinged, Refused, Stored
from shared.clients.hubspot import CLIENT
from shared.domain.form import consent_of
from shared.domain.submission import Decoded
from shared.errors import (
    FieldError,
    InvalidSubmissionError,
    LeadlineError,
    NotAuthenticatedError,
    TooManyRequestsError,
)
from shared.http import HttpRequest, Reply, problem_of
from tests.unit.clients import worked_cases
from tests.unit.clients.anything import NOW, any_body, any_headers, check_any
from tests.unit.samples import BROWSER, PAGE, a_form, a_request

FORM = a_form(client="hubspot")


def v3(*fields: dict[str, Any], **more: Any) -> HttpRequest:
    content = {"fields": list(fields), **more}
    return a_request(json.dumps(content), "application/json", referer="https://r.example/")


def decode(request: HttpRequest) -> Decoded:
    (decoded,) = CLIENT.decode(request, FORM)
    return decoded


def values(request: HttpRequest) -> dict[str, str]:
    decoded = decode(request)
    return FORM.sort(decoded.fields, decoded.meanings).values


def field(name: str, value: Any, kind: str = "0-1") -> dict[str, Any]:
    return {"objectTypeId": kind, "name": name, "value": value}


def test_the_context_tells_of_the_visit_and_is_not_kept() -> None:
    decoded = worked_cases.decoded(worked_cases.load("hubspot/v3-submit"))
    assert decoded.page == "https://www.example.com/demo?utm_source=google&utm_medium=cpc"
    assert ("hubspotutk", "6f453d92607b8108998dc213178ad214") in decoded.fields
    told = {key for key, _ in decoded.fields}
    assert not [key for key in told if "ip" in key.lower() or key.startswith("context")]
    assert decoded.body is None
    assert decoded.somebody_waits


def test_the_context_of_v2_tells_the_same() -> None:
    decoded = worked_cases.decoded(worked_cases.load("hubspot/v2-urlencoded-hs-context"))
    assert decoded.page == "http://demo.example/contact/?utm_source=yahoo&utm_medium=organic"
    assert ("hubspotutk", "60c2ccdfe4892f0fa0593940b12c11aa") in decoded.fields
    assert decoded.body == (
        "firstname=Dana&lastname=Scully&email=dana%40acme.example&phone=6505550123"
    )


@pytest.mark.parametrize(
    "context", ["", "{", "[]", '"text"', '{"pageUrl":null}', '{"hutk":""}', '{"pageUri":{"a":1}}']
)
def test_a_damaged_context_costs_nobody_their_answers(context: str) -> None:
    request = a_request(urlencode({"email": "a@b.example", "hs_context": context}), referer=PAGE)
    decoded = decode(request)
    assert decoded.fields == (("email", "a@b.example"),)
    assert decoded.page == PAGE


def test_an_address_may_lack_its_scheme() -> None:
    decoded = decode(v3(context={"pageUri": "www.example.com/page?utm_source=x"}))
    assert decoded.page == "https://www.example.com/page?utm_source=x"


def test_without_a_context_the_request_tells_the_page() -> None:
    request = v3(field("email", "a@b.example"))
    decoded = decode(request)
    assert decoded.page == "https://r.example/"
    assert decoded.body == request.body.decode()


def test_fields_go_by_their_names() -> None:
    assert values(
        v3(
            field("firstname", "Dana"),
            field("lastname", "Scully"),
            field("name", "Acme", "0-2"),
            field("state", "VA", "0-2"),
            field("colours", ["red", "blue"]),
            field("count", 2),
            {"name": "bare", "value": True},
            field("nothing", None),
            {"value": "nameless"},
            {"name": "valueless"},
        )
    ) == {
        "name": "Dana Scully",
        "company": "Acme",
        "0-2/state": "VA",
        "colours": "red, blue",
        "count": "2",
        "bare": "true",
        "unnamed": "nameless",
    }


def test_what_is_in_no_list_is_kept_as_it_came() -> None:
    request = v3(field("email", {"deep": "x"}), submittedAt="1", utm_source="vk", note="hi")
    assert decode(request).fields == (
        ("fields.0.value.deep", "x"),
        ("utm_source", "vk"),
        ("note", "hi"),
    )


CONSENT = {"consentToProcess": True, "text": "I agree."}


@pytest.mark.parametrize(
    ("options", "consent", "text"),
    [
        ({"consent": CONSENT}, True, "I agree."),
        ({"consent": {**CONSENT, "consentToProcess": False}}, False, "I agree."),
        ({"consent": {"text": "I agree."}}, None, "I agree."),
        ({"legitimateInterest": {"value": True, "legalBasis": "LEAD", "text": "t"}}, None, None),
        ({"communications": []}, None, None),
        ({}, None, None),
        (None, None, None),
    ],
)
def test_consent_is_what_was_said_of_processing(
    options: Any, consent: bool | None, text: str | None
) -> None:
    decoded = decode(v3(legalConsentOptions=options))
    found, _, apart = FORM.sort(decoded.fields, decoded.meanings)
    assert consent_of(found.get("consent")) is consent
    assert apart.get("consent_text") == text
    assert found.get("legal_basis") == ("LEAD" if options and "legit" in str(options) else None)


def test_news_are_another_consent() -> None:
    news = [{"value": True, "subscriptionTypeId": 999, "text": "News."}, {"value": False}]
    found = values(v3(legalConsentOptions={"consent": {"communications": news}}))
    assert found == {"communications.999": "true", "communications.": "false"}


def test_the_box_of_an_embedded_form_is_consent_too() -> None:
    assert values(a_request("LEGAL_CONSENT.processing=true")) == {"consent": "true"}


def test_a_script_gets_the_answer_of_hubspot() -> None:
    request = v3()
    assert json.loads(CLIENT.answer(Stored("1", f"{PAGE}/t"), request).body) == {
        "redirectUri": f"{PAGE}/t"
    }
    reply = CLIENT.answer(Stored("1", form=FORM), request)
    assert reply.status == 200
    assert json.loads(reply.body)["inlineMessage"].startswith("Thank you")
    assert CLIENT.answer(Stored("1"), request).body == reply.body
    assert CLIENT.answer(Pinged(), request).status == 204


def test_a_browser_is_sent_on() -> None:
    reply = CLIENT.answer(Stored("1", f"{PAGE}/t"), a_request("email=", accept=BROWSER))
    assert reply.status == 303


def refusal(request: HttpRequest, error: LeadlineError) -> Reply:
    return CLIENT.answer(Refused(problem_of(error, str), FORM, decode(request)), request)


@pytest.mark.parametrize(
    ("name", "code", "error_type"),
    [
        ("email", "missing", "REQUIRED_FIELD"),
        ("email", "blank", "REQUIRED_FIELD"),
        ("email", "unusable", "INVALID_EMAIL"),
        ("phone", "unusable", "INVALID_NUMBER"),
        ("consent", "unusable", "MISSING_PROCESSING_CONSENT"),
        ("message", "too_long", "INPUT_TOO_LARGE"),
        ("brief", "file_not_accepted", "INVALID_METADATA"),
    ],
)
def test_a_script_learns_what_is_wrong(name: str, code: str, error_type: str) -> None:
    error = InvalidSubmissionError((FieldError(name, code, "Mend it."),))
    reply = refusal(v3(), error)
    assert reply.status == 400
    content = json.loads(reply.body)
    assert (content["status"], content["correlationId"]) == ("error", "request-1")
    assert content["errors"] == [
        {"message": f"Error in 'fields.{name}'. Mend it.", "errorType": error_type}
    ]


def test_an_error_names_the_field_as_the_page_does() -> None:
    error = InvalidSubmissionError((FieldError("company", "too_long", "Shorten it."),))
    reply = refusal(v3(field("name", "Acme", "0-2")), error)
    assert "'fields.0-2/name'" in json.loads(reply.body)["errors"][0]["message"]
    unknown = CLIENT.answer(Refused(problem_of(error, str)), v3())
    assert "'fields.company'" in json.loads(unknown.body)["errors"][0]["message"]


def test_other_refusals_keep_their_status() -> None:
    reply = refusal(v3(), TooManyRequestsError("burst"))
    assert (reply.status, reply.headers["Retry-After"]) == (429, "60")
    assert json.loads(reply.body)["errors"] == []


def test_a_server_can_send_a_key() -> None:
    keys = {"key": ("pat-1",)}
    CLIENT.verify(a_request(authorization="Bearer pat-1"), FORM, keys, NOW)
    with pytest.raises(NotAuthenticatedError):
        CLIENT.verify(a_request(authorization="Bearer pat-2"), FORM, keys, NOW)


@given(any_body(), any_headers())
def test_any_request_is_understood_or_refused(body: bytes, headers: dict[str, str]) -> None:
    check_any(CLIENT, FORM, body, headers)
