"""HTTP to payload 2.0 and back."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from infra.local.gateway import Incoming, answer_from, event_for
from infra.local.routes import Route, RouteTable

TABLE = RouteTable([Route("ANY", "/l/{code}", "Show"), Route("POST", "/forms", "Submit")])


def event(
    *,
    method: str = "POST",
    path: str = "/forms",
    query: str = "",
    headers: list[tuple[str, str]] | None = None,
    body: bytes = b"",
) -> dict[str, Any]:
    match = TABLE.match(method, path)
    assert match is not None
    incoming = Incoming(
        method=method,
        raw_path=path,
        raw_query=query,
        headers=[("Host", "127.0.0.1:8080"), *(headers or [])],
        body=body,
        client_ip="127.0.0.1",
        request_id="request=",
        received_at=datetime(2026, 11, 20, 9, 0, tzinfo=UTC),
    )
    return event_for(incoming, match)


def test_a_form_post_arrives_as_base64() -> None:
    made = event(headers=[("Content-Type", "application/x-www-form-urlencoded")], body=b"name=A")

    assert made["isBase64Encoded"] is True
    assert base64.b64decode(made["body"]) == b"name=A"


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain; charset=utf-8", "Application/JSON;v=1"]
)
def test_text_arrives_as_text(content_type: str) -> None:
    made = event(headers=[("Content-Type", content_type)], body="имя".encode())

    assert (made["body"], made["isBase64Encoded"]) == ("имя", False)


def test_text_only_by_its_name_arrives_as_base64() -> None:
    made = event(headers=[("Content-Type", "text/plain")], body=b"\xff\xfe")

    assert (made["body"], made["isBase64Encoded"]) == ("//4=", True)


def test_no_body_is_no_body() -> None:
    made = event()

    assert "body" not in made
    assert made["isBase64Encoded"] is False


def test_cookies_are_a_list_and_no_header() -> None:
    made = event(headers=[("Cookie", "a=1; b=2"), ("Cookie", "c=3")])

    assert made["cookies"] == ["a=1", "b=2", "c=3"]
    assert "cookie" not in made["headers"]


def test_repeated_headers_and_query_names_are_joined_by_commas() -> None:
    made = event(query="a=1&b=x+y&a=%D1%8F&c", headers=[("X-Tag", "1"), ("x-tag", "2")])

    assert made["headers"]["x-tag"] == "1,2"
    assert made["queryStringParameters"] == {"a": "1,я", "b": "x y", "c": ""}
    assert made["rawQueryString"] == "a=1&b=x+y&a=%D1%8F&c"


def test_an_encoded_slash_reaches_the_function_decoded() -> None:
    made = event(method="GET", path="/l/a%2Fb")

    assert made["pathParameters"] == {"code": "a/b"}
    assert made["rawPath"] == "/l/a/b"
    assert made["routeKey"] == "ANY /l/{code}"


def test_links_made_from_the_request_lead_back_here() -> None:
    headers = event()["headers"]

    assert headers["x-forwarded-proto"] == "http"
    assert headers["x-forwarded-port"] == "8080"
    assert headers["host"] == "127.0.0.1:8080"


def test_the_caller_is_added_to_who_forwarded() -> None:
    assert event()["headers"]["x-forwarded-for"] == "127.0.0.1"
    made = event(headers=[("X-Forwarded-For", "203.0.113.9")])
    assert made["headers"]["x-forwarded-for"] == "203.0.113.9, 127.0.0.1"


def test_how_a_body_was_sent_is_no_business_of_the_function() -> None:
    made = event(headers=[("Transfer-Encoding", "chunked"), ("Connection", "close")], body=b"abc")

    assert "transfer-encoding" not in made["headers"]
    assert "connection" not in made["headers"]
    assert made["headers"]["content-length"] == "3"


def test_the_context_says_when_who_and_what() -> None:
    context = event(method="GET", path="/l/abc", headers=[("User-Agent", "curl/8")])[
        "requestContext"
    ]

    assert context["http"] == {
        "method": "GET",
        "path": "/l/abc",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "curl/8",
    }
    assert context["time"] == "20/Nov/2026:09:00:00 +0000"
    assert context["timeEpoch"] == 1795165200000
    assert context["domainName"] == "127.0.0.1"


def test_a_proper_answer_keeps_status_headers_cookies_and_bytes() -> None:
    answer = answer_from(
        {
            "statusCode": "303",
            "headers": {"Location": "/thanks", "Content-Length": "99", "X-Count": 2},
            "cookies": ["a=1; Path=/", "b=2"],
            "body": base64.b64encode(b"\x00\xff").decode(),
            "isBase64Encoded": True,
        }
    )

    assert answer.status == 303
    assert answer.body == b"\x00\xff"
    assert answer.headers == [
        ("location", "/thanks"),
        ("x-count", "2"),
        ("content-type", "text/plain;charset=UTF-8"),
        ("set-cookie", "a=1; Path=/"),
        ("set-cookie", "b=2"),
    ]


@pytest.mark.parametrize(
    ("result", "body"), [({"ok": 1}, b'{"ok": 1}'), ("hello", b"hello"), (None, b"null")]
)
def test_anything_without_a_status_is_the_body_of_a_200(result: Any, body: bytes) -> None:
    answer = answer_from(result)

    assert (answer.status, answer.body) == (200, body)
    assert answer.headers == [("content-type", "application/json")]


@pytest.mark.parametrize(
    "result",
    [
        {"statusCode": "abc"},
        {"statusCode": 700},
        {"statusCode": None},
        {"statusCode": 200, "body": "not base64!", "isBase64Encoded": True},
    ],
)
def test_a_malformed_answer_is_a_500_without_details(result: dict[str, Any]) -> None:
    answer = answer_from(result)

    assert answer.status == 500
    assert json.loads(answer.body) == {"message": "Internal Server Error"}
