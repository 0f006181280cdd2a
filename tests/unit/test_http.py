import base64
import json
from typing import cast

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from hypothesis import given
from hypothesis import strategies as st

from shared import errors
from shared.errors import FieldError, InvalidSubmissionError, LeadlineError, MalformedRequestError
from shared.http import (
    STATUS,
    WORDS,
    HttpRequest,
    Reply,
    check_origin,
    cors_headers,
    http_function,
    preflight,
    problem_of,
)
from tests.unit.samples import HOST, PAGE, a_form, a_request, an_event, logged


class Context:
    aws_request_id = "lambda-1"


CONTEXT = cast("LambdaContext", Context())


def all_errors(kind: type[LeadlineError] = LeadlineError) -> list[type[LeadlineError]]:
    return [kind, *(e for child in kind.__subclasses__() for e in all_errors(child))]


# --- requests


def test_a_request_is_read_from_the_event_of_api_gateway() -> None:
    sent = a_request(b"a=\xff", accept="*/*")
    assert HttpRequest.from_event(an_event(sent)) == sent


def test_a_text_body_comes_as_text() -> None:
    event = an_event(a_request("{}", "application/json"))
    assert event["body"] == "{}"
    assert HttpRequest.from_event({**event, "body": "\ud800"}).body == b"\xed\xa0\x80"


def test_an_event_may_lack_what_it_does_not_have() -> None:
    event = an_event(a_request())
    request = HttpRequest.from_event({**event, "pathParameters": None, "headers": {"A": "b"}})
    assert (request.body, request.path_parameters, request.headers) == (b"", {}, {"a": "b"})
    assert (request.media_type, request.media_parameters, request.origin) == ("", {}, None)


def test_a_body_that_is_no_base64_is_refused() -> None:
    event = {**an_event(a_request()), "isBase64Encoded": True}
    for body in ("é", "a", "YQ==!"):
        with pytest.raises(MalformedRequestError):
            HttpRequest.from_event({**event, "body": body})


def test_a_content_type_has_parameters() -> None:
    request = a_request(content_type='Multipart/Form-Data; Boundary="a=b"; charset=UTF-8')
    assert request.media_type == "multipart/form-data"
    assert request.media_parameters == {"boundary": "a=b", "charset": "UTF-8"}


@pytest.mark.parametrize(
    ("header", "locale"),
    [
        ("", "en"),
        ("ru", "ru"),
        ("ru-RU,ru;q=0.9,en;q=0.8", "ru"),
        ("de, ru;q=0.3", "ru"),
        ("en;q=0.2, ru;q=0.3", "ru"),
        ("ru;q=0.2, en;q=0.3", "en"),
        ("ru;q=0", "en"),
        ("ru;q=oops, de", "en"),
        ("ru;v=1", "en"),
        ("rus, *", "en"),
    ],
)
def test_the_language_that_a_browser_likes_best_is_found(header: str, locale: str) -> None:
    assert a_request(accept_language=header).locale("en") == locale


def test_a_browser_that_likes_neither_gets_the_default() -> None:
    assert a_request(accept_language="de").locale("ru") == "ru"
    assert a_request(accept_language="en-GB").locale("ru") == "en"


@pytest.mark.parametrize("browsers", ["en-GB,en;q=0.9", "ru-RU", "de", ""])
def test_the_language_of_the_page_beats_that_of_the_browser(browsers: str) -> None:
    request = a_request(accept_language=browsers)
    assert request.answer_in(a_form(locale="ru")) == "ru"
    assert request.answer_in(a_form(locale="en")) == "en"


@pytest.mark.parametrize(("browsers", "locale"), [("ru-RU,en", "ru"), ("en", "en"), ("de", "en")])
def test_a_page_in_several_languages_is_answered_in_the_browsers(
    browsers: str, locale: str
) -> None:
    request = a_request(accept_language=browsers)
    assert request.answer_in(a_form(locale=None)) == locale
    assert request.answer_in(None) == locale


@given(st.text(max_size=60))
def test_any_language_header_is_understood_somehow(header: str) -> None:
    assert a_request(accept_language=header).locale("ru") in {"en", "ru"}


# --- problems


@pytest.mark.parametrize("kind", all_errors(), ids=lambda kind: kind.__name__)
def test_every_error_has_a_status_and_words(kind: type[LeadlineError]) -> None:
    error = kind(()) if kind is InvalidSubmissionError else kind("a phrase of ours")
    problem = problem_of(error, str)
    assert 400 <= problem.status < 600
    if issubclass(kind, errors.RejectedError):
        assert problem.status < 500
    if issubclass(kind, errors.RetryableError):
        assert problem.headers["Retry-After"]
    assert problem.title
    assert problem.detail
    if kind is not MalformedRequestError:
        assert "phrase" not in problem.detail


def test_no_words_are_kept_for_errors_that_do_not_exist() -> None:
    assert set(WORDS) <= {kind.code for kind in all_errors()}
    assert set(STATUS) <= set(all_errors())


def test_a_problem_is_told_as_rfc_9457_says() -> None:
    error = InvalidSubmissionError((FieldError("a/b~é", "missing", "Fill it in."),))
    reply = problem_of(error, str, a_request()).reply()
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert json.loads(reply.body) == {
        "type": "urn:problem-type:leadline:invalid_submission",
        "title": "Please check the form",
        "status": 422,
        "detail": "Some fields are missing or cannot be used.",
        "code": "invalid_submission",
        "instance": "urn:request:request-1",
        "errors": [
            {
                "field": "a/b~é",
                "code": "missing",
                "detail": "Fill it in.",
                "pointer": "#/a~1b~0%C3%A9",
            }
        ],
    }


def test_who_sends_too_much_is_told_the_limit() -> None:
    reply = problem_of(errors.BodyTooLargeError(1), str).reply()
    assert reply.status == 413
    assert json.loads(reply.body)["limit_bytes"] == 131072


def test_who_uses_the_wrong_method_is_told_the_right_ones() -> None:
    reply = problem_of(errors.WrongMethodError("GET"), str).reply()
    assert (reply.status, reply.headers["Allow"]) == (405, "POST, OPTIONS")


def test_words_are_in_the_readers_language() -> None:
    problem = problem_of(MalformedRequestError("It is broken."), str.upper)
    assert (problem.title, problem.detail) == ("THE REQUEST CANNOT BE READ", "IT IS BROKEN.")


# --- origins


@pytest.mark.parametrize("origin", [PAGE, PAGE.upper(), f"https://{HOST}", f"http://{HOST}"])
def test_pages_of_the_form_and_of_the_endpoint_may_read_the_answer(origin: str) -> None:
    request = a_request(origin=origin)
    check_origin(request, a_form())
    headers = cors_headers(request, a_form())
    assert headers["Access-Control-Allow-Origin"] == origin
    assert headers["Vary"] == "Origin"


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        f"{PAGE}.evil.example",
        f"{PAGE}:8443",
        "http://landing.example",
        f"https://{HOST}.evil.example",
        "https://",
        "evil",
        "https://a b",
    ],
)
def test_other_pages_may_not(origin: str) -> None:
    request = a_request(origin=origin)
    with pytest.raises(errors.OriginNotAllowedError):
        check_origin(request, a_form())
    assert cors_headers(request, a_form()) == {"Vary": "Origin"}


@pytest.mark.parametrize("headers", [{}, {"origin": "null"}])
def test_who_has_no_origin_may_send_and_gets_no_permission(headers: dict[str, str]) -> None:
    request = a_request(**headers)
    check_origin(request, a_form())
    assert cors_headers(request, a_form()) == {"Vary": "Origin"}


def test_an_unknown_form_allows_nobody() -> None:
    assert cors_headers(a_request(origin=PAGE), None) == {"Vary": "Origin"}


def test_a_browser_learns_what_it_may_send() -> None:
    reply = preflight()
    assert (reply.status, reply.body) == (204, "")
    assert reply.headers["Access-Control-Allow-Headers"] == (
        "content-type, idempotency-key, x-requested-with, hx-boosted, hx-current-url, hx-prompt, "
        "hx-request, hx-request-type, hx-source, hx-target, hx-trigger, hx-trigger-name"
    )
    assert reply.headers["Access-Control-Max-Age"] == "7200"


# --- functions


def test_a_function_answers_events(capsys: pytest.CaptureFixture[str]) -> None:
    handler = http_function(lambda request: Reply(200, {"A": "b"}, request.method))
    answer = handler(an_event(a_request()), CONTEXT)
    assert answer == {"statusCode": 200, "headers": {"A": "b"}, "body": "POST"}
    assert capsys.readouterr().out == ""


def test_a_request_that_cannot_be_read_at_all_is_a_problem() -> None:
    handler = http_function(lambda _: Reply(200))
    event = {**an_event(a_request()), "isBase64Encoded": True, "body": "é"}
    answer = handler(event, CONTEXT)
    assert answer["statusCode"] == 400
    assert "base64" in json.loads(answer["body"])["detail"]


def test_what_nobody_expected_is_a_plain_500_and_a_line_without_a_visitors_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(request: HttpRequest) -> Reply:
        raise KeyError(request.body.decode())

    with logged() as lines:
        answer = http_function(broken)(an_event(a_request("name=Ann+Canary")), CONTEXT)
    assert answer["statusCode"] == 500
    assert "Canary" not in answer["body"]
    assert "KeyError" not in answer["body"]
    (log,) = lines
    assert "Canary" not in json.dumps(log)
    assert (log["level"], log["message"]) == ("ERROR", "unexpected error")
    assert (log["error"], log["request_id"]) == ("KeyError", "lambda-1")
    assert log["where"][-1].endswith(" broken")
    assert json.loads(capsys.readouterr().out)["UnexpectedError"] == [1.0]


def test_a_mistake_in_the_policy_is_named_in_the_log() -> None:
    def broken(_: HttpRequest) -> Reply:
        raise errors.PolicyError("chain/x is named and not published")

    with logged() as lines:
        assert http_function(broken)(an_event(a_request()), CONTEXT)["statusCode"] == 500
    assert lines[0]["detail"] == "chain/x is named and not published"


def test_base64_is_what_api_gateway_makes_of_a_form() -> None:
    event = an_event(a_request("a=1"))
    assert (event["isBase64Encoded"], base64.b64decode(event["body"])) == (True, b"a=1")
