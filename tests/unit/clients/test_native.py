import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given

from shared.clients import Handshake, Pinged, Promise, Refused, Stored
from shared.clients.native import CLIENT, errors_as_sent, idempotency_key
from shared.domain.form import Form
from shared.domain.submission import Decoded, accept
from shared.domain.suspicion import started_token
from shared.errors import (
    FieldError,
    IdempotencyConflictError,
    InvalidSubmissionError,
    LeadlineError,
    MalformedRequestError,
    TooManyRequestsError,
    WrongMethodError,
)
from shared.http import HttpRequest, problem_of
from tests.unit.clients.anything import any_body, any_headers, check_any
from tests.unit.samples import ANSWERS, BROWSER, PAGE, URLENCODED, a_form, a_request

NOW = datetime(2026, 11, 24, tzinfo=UTC)
STORED = Stored("1" * 32, "https://landing.example/thanks", form=a_form())
INVALID = InvalidSubmissionError((FieldError("phone", "blank", "Enter <your> phone number."),))


def decode(request: HttpRequest, **form: Any) -> Decoded:
    (decoded,) = CLIENT.decode(request, a_form(**form))
    return decoded


def refused(request: HttpRequest, error: LeadlineError = INVALID, **form: Any) -> Refused:
    problem = problem_of(error, str, request)
    return Refused(problem, a_form(**form), decode(request, **form))


def hidden_in(page: str) -> dict[str, str]:
    found = re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', page)
    return {unescape(name): unescape(value) for name, value in found}


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
    decoded = decode(request)
    assert decoded.page == "https://landing.example/?utm_source=vk"
    assert decoded.idempotency_key == "k"
    assert decoded.next_url == "https://landing.example/x"
    assert decoded.body == "name=A&_next=https://landing.example/x"
    assert decoded.somebody_waits
    assert CLIENT.recognise(request) == "submission"
    CLIENT.verify(request, a_form(), {}, NOW)
    assert CLIENT.comes_from_browser(request)


def test_a_script_gets_the_id() -> None:
    for request in (
        a_request("{}", "application/json", accept="application/json"),
        a_request("{}", "application/json", accept=BROWSER),
        a_request("a=1", accept="*/*"),
        a_request("a=1", accept=BROWSER, x_requested_with="fetch"),
        a_request("a=1"),
    ):
        reply = CLIENT.answer(STORED, request)
        assert reply.status == 201
        assert json.loads(reply.body) == {"id": "1" * 32}
        assert reply.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("media_type", [URLENCODED, "text/plain"])
def test_a_beacon_gets_what_it_takes_for_a_success(media_type: str) -> None:
    request = a_request("a=1", f"{media_type};charset=UTF-8", accept="*/*")
    assert CLIENT.answer(STORED, request).status == 200


def test_a_browser_goes_to_the_thanks_page() -> None:
    reply = CLIENT.answer(STORED, a_request("a=1", accept=BROWSER))
    assert (reply.status, reply.headers["Location"]) == (303, "https://landing.example/thanks")


@pytest.mark.parametrize("form", [a_form(locale="ru"), None])
def test_without_a_thanks_page_a_browser_gets_one_of_ours(form: Form | None) -> None:
    reply = CLIENT.answer(Stored("1", "", form=form), a_request("a=1", accept=BROWSER))
    assert reply.status == 200
    assert reply.headers["Content-Type"].startswith("text/html")
    assert f'<html lang="{"ru" if form else "en"}">' in reply.body


MONDAY = Promise(datetime(2026, 11, 30, 9, 5, tzinfo=UTC), "Europe/Berlin")


def test_a_script_is_told_when_to_expect_a_call_and_in_which_words() -> None:
    request = a_request("{}", "application/json", accept_language="ru")
    told = json.loads(CLIENT.answer(replace(STORED, promise=MONDAY), request).body)
    assert told["call_by"] == "2026-11-30T09:05:00Z"
    assert told["message"].startswith("Сейчас мы не работаем. Позвоним вам в понедельник")


@pytest.mark.parametrize(
    ("thanks", "location"),
    [
        (f"{PAGE}/thanks", f"{PAGE}/thanks?call_by=2026-11-30T09:05:00Z"),
        (f"{PAGE}/?page=a+b%26c", f"{PAGE}/?page=a+b%26c&call_by=2026-11-30T09:05:00Z"),
        (f"{PAGE}/t#done", f"{PAGE}/t?call_by=2026-11-30T09:05:00Z#done"),
        (f"{PAGE}/t?call%5Fby=now&x", f"{PAGE}/t?x&call_by=2026-11-30T09:05:00Z"),
    ],
)
def test_the_thanks_page_is_told_and_keeps_its_own_query(thanks: str, location: str) -> None:
    stored = Stored("1", thanks, form=a_form(), promise=MONDAY)
    reply = CLIENT.answer(stored, a_request("a=1", accept=BROWSER))
    assert (reply.status, reply.headers["Location"]) == (303, location)


@pytest.mark.parametrize("headers", [{"accept": BROWSER}, {"hx_request": "true"}])
@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        (a_form(), "We will call you on Monday, 30 November, by 10:05 (Berlin time)."),
        (a_form(locale="ru"), "Позвоним вам в понедельник, 30 ноября, до 10:05"),
    ],
)
def test_our_own_pages_say_when_to_expect_a_call(
    form: Form, sentence: str, headers: dict[str, str]
) -> None:
    request = a_request("a=1", **headers)
    promised = CLIENT.answer(Stored("1", form=form, promise=MONDAY), request).body
    assert sentence in promised
    assert "get in touch" not in promised
    assert sentence not in CLIENT.answer(Stored("1", form=form), request).body


def test_a_try_out_gets_nothing() -> None:
    assert CLIENT.answer(Pinged(), a_request(accept=BROWSER)).status == 204


@pytest.mark.parametrize(
    "stored",
    [Stored("1", f"{PAGE}/thanks", spilled=True), Stored("1", f"{PAGE}/thanks", partial=True)],
)
def test_what_waits_is_accepted(stored: Stored) -> None:
    assert CLIENT.answer(stored, a_request("{}", "application/json")).status == 202
    assert CLIENT.answer(stored, a_request("a=1", accept=BROWSER)).status == 303


def test_a_script_gets_problem_details() -> None:
    reply = CLIENT.answer(refused(request := a_request("phone=")), request)
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
    reply = CLIENT.answer(refused(request), request)
    assert reply.status == 422
    assert reply.headers["Content-Type"].startswith("text/html")
    assert "https://landing.example" in reply.headers["Content-Security-Policy"]
    page = reply.body
    assert "Enter &lt;your&gt; phone number." in page
    assert 'value="&lt;b&gt;Ann"' in page
    assert 'action="/v1/forms/demo-en/submissions"' in page
    assert "You may call me." in page
    assert " checked" not in page
    kept = {"budget": "50k", "utm_source": "vk", "_next": "n", "idempotency_key": "k"}
    assert hidden_in(page) == kept


def test_a_ticked_box_stays_ticked() -> None:
    request = a_request("consent=on&phone=", accept=BROWSER)
    assert " checked" in CLIENT.answer(refused(request), request).body


def test_the_page_speaks_the_visitors_language() -> None:
    request = a_request("phone=", accept=BROWSER, accept_language="ru,en;q=0.5")
    page = CLIENT.answer(refused(request), request).body
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
    reply = CLIENT.answer(result, request)
    assert reply.status == 400
    assert "It is broken." in reply.body


def test_a_form_sent_again_from_the_page_says_the_same_of_the_visit() -> None:
    form = a_form(mapping={"external_id": "order"}, redirect_hosts=["landing.example"])
    sent = "name=Ann&phone=&consent=on&order=7&consent_text=Call+me&_next=/done&_charset_=utf-8"
    page = f"{PAGE}/?utm_source=vk&utm_medium=cpc"
    request = a_request(sent, accept=BROWSER, referer=page, origin=PAGE)
    decoded = decode(request, mapping=form.mapping)
    problem = problem_of(INVALID, str, request)
    hidden = hidden_in(CLIENT.answer(Refused(problem, form, decoded), request).body)
    assert hidden == {
        "order": "7",
        "consent_text": "Call me",
        "page_url": page,
        "_next": f"{PAGE}/done",
    }
    ours = "https://api.example.com"
    again = urlencode({**hidden, "name": "Ann", "phone": "020 7946 0958", "consent": "yes"})
    (second,) = CLIENT.decode(a_request(again, accept=BROWSER, origin=ours), form)
    submission = accept(second, form, "0" * 32, NOW, "en", str)
    assert form.thanks_for(second.next_url) == f"{PAGE}/done"
    assert (submission.external_id, submission.consent_text) == ("7", "Call me")
    assert (submission.touch.source, submission.touch.medium) == ("vk", "cpc")


def test_a_key_that_stood_for_other_answers_is_not_sent_again() -> None:
    request = a_request("name=Ann&idempotency_key=k", accept=BROWSER)
    page = CLIENT.answer(refused(request, IdempotencyConflictError("k")), request).body
    assert hidden_in(page) == {}


@pytest.mark.parametrize(
    ("wanted", "origin", "referer", "target"),
    [
        ("/thanks", PAGE, "", f"{PAGE}/thanks"),
        ("/thanks", "", f"{PAGE}/page?q=1", f"{PAGE}/thanks"),
        ("/thanks", "null", "", "/thanks"),
        ("https://evil.example/", PAGE, "", "https://evil.example/"),
        ("//evil.example/", PAGE, "", "//evil.example/"),
        ("/\\evil.example/", PAGE, "", f"{PAGE}/\\evil.example/"),
        ("javascript:alert(1)", PAGE, "", "javascript:alert(1)"),
    ],
)
def test_where_a_page_wants_its_visitor_to_go(
    wanted: str, origin: str, referer: str, target: str
) -> None:
    request = a_request(urlencode({"_next": wanted}), origin=origin, referer=referer)
    form = a_form(redirect_hosts=["landing.example"])
    assert decode(request).next_url == target
    assert form.thanks_for(target).startswith(f"{PAGE}/")


def test_lists_as_php_calls_them_lose_the_brackets() -> None:
    sent = "interests[]=a&interests[]=b&tags%5B%5D=c"
    mapping = {"company": "tags[]"}
    form = a_form(mapping=mapping)
    sorted_ = form.sort(decode(a_request(sent), mapping=mapping).fields)
    assert sorted_.values == {"interests": "a, b", "company": "c"}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ('{"event":"abandon","phone":"+7916"}', "text/plain;charset=UTF-8"),
        ("event=pagehide&phone=%2B7916", "application/x-www-form-urlencoded;charset=UTF-8"),
        (
            '--b\r\nContent-Disposition: form-data; name="_partial"\r\n\r\n1\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
        ),
    ],
)
def test_what_a_visitor_leaves_unfinished_says_so_in_any_encoding(
    body: str, content_type: str
) -> None:
    assert decode(a_request(body, content_type)).kind == "partial"


@pytest.mark.parametrize("body", ['{"partial":true}', '{"event":"PageHide"}', '{"_partial":1}'])
def test_a_page_may_say_so_in_several_ways(body: str) -> None:
    assert decode(a_request(body, "application/json"), partials="always").kind == "partial"


@pytest.mark.parametrize("body", ["event=abandon", "partial=on", "event=leave"])
def test_a_field_of_the_form_says_nothing_of_leaving(body: str) -> None:
    fields = {"event": {"type": "text"}, "partial": {"type": "text"}}
    assert decode(a_request(body), partials="always", fields=fields).kind == "submission"
    assert body == "event=abandon" or decode(a_request(body)).kind == "submission"


def test_nobody_waits_for_the_answer_to_a_beacon() -> None:
    assert not decode(a_request("a=1", sec_fetch_mode="no-cors")).somebody_waits
    assert decode(a_request("a=1", sec_fetch_mode="cors")).somebody_waits


@pytest.mark.parametrize("body", ["event=submit", "_partial=", "partial=false", "partial=half"])
def test_anything_else_is_finished(body: str) -> None:
    assert decode(a_request(body)).kind == "submission"


HTMX = {"hx_request": "true", "accept": "*/*"}


def test_htmx_tells_the_page_better_than_the_referrer() -> None:
    request = a_request("a=1", referer=f"{PAGE}/", hx_current_url=f"{PAGE}/?utm_source=vk", **HTMX)
    assert decode(request).page == f"{PAGE}/?utm_source=vk"


@pytest.mark.parametrize(("language", "thanks"), [("en", "Thank you"), ("ru", "Спасибо")])
def test_htmx_gets_a_piece_of_a_page(language: str, thanks: str) -> None:
    reply = CLIENT.answer(STORED, a_request("a=1", accept_language=language, **HTMX))
    assert reply.status == 200
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    assert thanks in reply.body
    assert "<html" not in reply.body
    assert "Location" not in reply.headers


def test_htmx_gets_the_errors_by_the_pages_own_names() -> None:
    request = a_request("name=A&your-tel=&%3Cb%3E=", **HTMX)
    error = InvalidSubmissionError(
        (*INVALID.errors, FieldError("company", "missing", "Enter the company."))
    )
    reply = CLIENT.answer(refused(request, error), request)
    assert reply.status == 422
    assert "<html" not in reply.body
    assert '<li data-field="your-tel">Enter &lt;your&gt; phone number.</li>' in reply.body
    assert '<li data-field="company">Enter the company.</li>' in reply.body


def test_htmx_is_told_what_is_wrong_with_the_whole_request() -> None:
    request = a_request("a=1", **HTMX)
    problem = problem_of(TooManyRequestsError("burst"), str)
    reply = CLIENT.answer(Refused(problem), request)
    assert (reply.status, reply.headers["Retry-After"]) == (429, "60")
    assert "Please wait a minute" in reply.body


def test_what_a_page_calls_a_field() -> None:
    names = ("name", "email", "company", "phone")
    error = InvalidSubmissionError(tuple(FieldError(name, "blank", "") for name in names))
    result = refused(
        a_request("fio=A&first_name=B&mail=&code=7"), error, mapping={"company": "code"}
    )
    assert [error.field for error in errors_as_sent(result)] == ["fio", "mail", "code", "phone"]
    assert errors_as_sent(replace(result, decoded=None)) == list(error.errors)


@given(any_body(), any_headers())
def test_any_request_is_understood_or_refused(body: bytes, headers: dict[str, str]) -> None:
    check_any(CLIENT, a_form(), body, headers)


def test_a_page_may_ask_when_it_was_opened() -> None:
    form = a_form(time_trap_seconds=3, secrets={"time_trap": "t"})
    keys = {"time_trap": ("new", "former")}
    request = a_request(method="GET", content_type=None)
    CLIENT.verify(request, form, keys, NOW)
    assert CLIENT.recognise(request) == "handshake"
    reply = CLIENT.answer(Handshake(keys, NOW), request)
    assert json.loads(reply.body) == {"_started": started_token("demo-en", NOW, "new")}
    assert reply.headers["Cache-Control"] == "no-store"
    for other, known in ((a_form(), keys), (form, {})):
        with pytest.raises(WrongMethodError):
            CLIENT.verify(request, other, known, NOW)
