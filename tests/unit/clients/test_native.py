import json
import re
from typing import Any

import pytest

from shared.clients import FormClient, Pinged, Refused, Stored, native
from shared.clients.native import idempotency_key
from shared.errors import FieldError, InvalidSubmissionError, LeadlineError, MalformedRequestError
from shared.http import HttpRequest, problem_of
from tests.unit.samples import ANSWERS, BROWSER, a_form, a_request

STORED = Stored("1" * 32, "https://landing.example/thanks")
INVALID = InvalidSubmissionError((FieldError("phone", "blank", "Enter <your> phone number."),))

client: FormClient = native


def refused(request: HttpRequest, error: LeadlineError = INVALID, **form: Any) -> Refused:
    problem = problem_of(error, str, request)
    return Refused(problem, a_form(**form), client.decode(request))


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ('"8e03978e"', "8e03978e"),
        ("8e03978e", "8e03978e"),
        (r'"a\"b\\c"', r'a"b\c'),
        ("  bare  ", "bare"),
        ('"', '"'),
        ('""', "field"),
        ("", "field"),
    ],
)
def test_a_key_may_be_quoted_or_bare(header: str, key: str) -> None:
    request = a_request(idempotency_key=header)
    assert idempotency_key(request, (("idempotency_key", " field "),)) == key


def test_without_a_key_there_is_none() -> None:
    assert idempotency_key(a_request(), (("idempotency_key", " "),)) is None


@pytest.mark.parametrize("key", ["k" * 256, "a\x00b", "a\nb"])
def test_a_key_that_is_no_key_is_refused(key: str) -> None:
    assert idempotency_key(a_request(idempotency_key="k" * 255), ()) == "k" * 255
    with pytest.raises(MalformedRequestError, match="idempotency key"):
        idempotency_key(a_request(idempotency_key=key), ())
    with pytest.raises(MalformedRequestError, match="idempotency key"):
        idempotency_key(a_request(), (("idempotency_key", key),))


def test_a_request_is_decoded_with_what_its_headers_tell() -> None:
    request = a_request(
        "name=A&_next=https://landing.example/x",
        referer="https://landing.example/?utm_source=vk",
        idempotency_key='"k"',
    )
    decoded = client.decode(request)
    assert decoded.page == "https://landing.example/?utm_source=vk"
    assert decoded.idempotency_key == "k"
    assert decoded.next_url == "https://landing.example/x"
    assert decoded.body == "name=A&_next=https://landing.example/x"
    assert decoded.somebody_waits
    assert client.recognise(request) == "submission"
    client.verify(request, a_form())


def test_a_script_gets_the_id() -> None:
    for request in (
        a_request("{}", "application/json", accept="application/json"),
        a_request("{}", "application/json", accept=BROWSER),
        a_request("a=1", accept="*/*"),
        a_request("a=1", accept=BROWSER, x_requested_with="fetch"),
        a_request("a=1"),
    ):
        reply = client.answer(STORED, request)
        assert reply.status == 201
        assert json.loads(reply.body) == {"id": "1" * 32}
        assert reply.headers["Content-Type"] == "application/json"


def test_a_browser_goes_to_the_thanks_page() -> None:
    reply = client.answer(STORED, a_request("a=1", accept=BROWSER))
    assert (reply.status, reply.headers["Location"]) == (303, "https://landing.example/thanks")


def test_without_a_thanks_page_a_browser_gets_the_id_too() -> None:
    assert client.answer(Stored("1", ""), a_request("a=1", accept=BROWSER)).status == 201


def test_a_try_out_gets_nothing() -> None:
    assert client.answer(Pinged(), a_request()).status == 204


def test_a_script_gets_problem_details() -> None:
    reply = client.answer(refused(request := a_request("phone=")), request)
    assert reply.status == 422
    assert reply.headers["Content-Type"] == "application/problem+json"
    problem = json.loads(reply.body)
    assert problem["errors"] == [
        {
            "field": "phone",
            "code": "blank",
            "detail": "Enter <your> phone number.",
            "pointer": "#/phone",
        }
    ]


def test_a_browser_gets_the_form_again_with_what_was_typed() -> None:
    sent = "name=%3Cb%3EAnn&phone=&consent=no&budget=50k&utm_source=vk&_next=n&idempotency_key=k"
    request = a_request(sent, accept=BROWSER)
    reply = client.answer(refused(request), request)
    assert reply.status == 422
    assert reply.headers["Content-Type"].startswith("text/html")
    assert "https://landing.example" in reply.headers["Content-Security-Policy"]
    page = reply.body
    assert "Enter &lt;your&gt; phone number." in page
    assert 'value="&lt;b&gt;Ann"' in page
    assert 'action="/v1/forms/demo-en/submissions"' in page
    assert "You may call me." in page
    assert " checked" not in page
    hidden = dict(re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', page))
    assert hidden == {"budget": "50k", "utm_source": "vk", "_next": "n", "idempotency_key": "k"}


def test_a_ticked_box_stays_ticked() -> None:
    request = a_request("consent=on&phone=", accept=BROWSER)
    assert " checked" in client.answer(refused(request), request).body


def test_the_page_speaks_the_visitors_language() -> None:
    request = a_request("phone=", accept=BROWSER, accept_language="ru,en;q=0.5")
    page = client.answer(refused(request), request).body
    assert '<html lang="ru">' in page


def test_a_form_that_is_sent_again_from_the_page_is_understood() -> None:
    form = a_form(mapping={"name": "fio"})
    sent = tuple({**ANSWERS, "fio": "Ann Lee"}.items())[1:]
    again = {name: form.sort(sent).values.get(name, "") for name in form.fields}
    assert form.sort(again.items()).values["name"] == "Ann Lee"


@pytest.mark.parametrize("with_form", [True, False])
def test_a_request_that_could_not_be_read_gets_a_page_too(with_form: bool) -> None:
    request = a_request("a=1", accept=BROWSER)
    problem = problem_of(MalformedRequestError("It is broken."), str, request)
    result = Refused(problem, a_form() if with_form else None)
    reply = client.answer(result, request)
    assert reply.status == 400
    assert "It is broken." in reply.body
