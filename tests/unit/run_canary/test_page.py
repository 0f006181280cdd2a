"""The canary's page: what it sends, and what it makes of each answer."""

import http.client
import json
from typing import Any

import pytest

from run_canary import page
from run_canary.page import Answer, Page


class FakeResponse:
    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self._body = body

    def read(self) -> bytes:
        return self._body


class FakeConnection:
    """Remembers the request and gives `answer`, or fails with it."""

    answer: FakeResponse | Exception
    opened: "list[FakeConnection]"

    def __init__(self, address: str, timeout: float) -> None:
        self.address = address
        self.timeout = timeout
        self.is_open = True
        self.opened.append(self)

    def request(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> None:
        self.method, self.path, self.headers = method, path, headers
        self.fields = json.loads(body)

    def getresponse(self) -> FakeResponse:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def close(self) -> None:
        self.is_open = False


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[FakeConnection]:
    """The connections that were opened, which all answer 201."""
    FakeConnection.answer = FakeResponse(201, b'{"id": "s"}')
    FakeConnection.opened = []

    def plain(*_: Any, **__: Any) -> None:
        raise AssertionError("the address is https")

    monkeypatch.setattr(page, "HTTPSConnection", FakeConnection)
    monkeypatch.setattr(page, "HTTPConnection", plain)
    return FakeConnection.opened


def send(url: str = "https://go.example.com") -> Answer:
    return Page(url).send("canary", {"name": "Canary 1"}, "key-1")


def test_it_posts_json_with_a_key_to_the_public_address(opened: list[FakeConnection]) -> None:
    assert send() == Answer(201)

    (connection,) = opened
    assert connection.address == "go.example.com"
    assert connection.timeout == page.TIMEOUT_SECONDS
    assert (connection.method, connection.path) == ("POST", "/v1/forms/canary/submissions")
    assert connection.headers["Content-Type"] == "application/json"
    assert connection.headers["Idempotency-Key"] == "key-1"
    assert connection.fields == {"name": "Canary 1"}
    assert not connection.is_open


def test_a_laptops_address_is_plain_http(
    opened: list[FakeConnection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "HTTPConnection", FakeConnection)

    assert send("http://127.0.0.1:8080").status == 201
    assert opened[0].address == "127.0.0.1:8080"


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (404, b'{"status": 404, "code": "unknown_form"}', "unknown_form"),
        (404, b'{"message":"Not Found"}', None),
        (502, b"<html>Bad Gateway</html>", None),
        (502, b"\xff", None),
        (500, b'["code"]', None),
        (500, b'{"code": {"name": "Ada"}}', None),
        (204, b"", None),
    ],
)
@pytest.mark.usefixtures("opened")
def test_an_answer_is_its_status_and_our_code(status: int, body: bytes, code: str | None) -> None:
    FakeConnection.answer = FakeResponse(status, body)

    assert send() == Answer(status, code)


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (TimeoutError("timed out"), "TimeoutError"),
        (ConnectionRefusedError(111, "refused"), "ConnectionRefusedError"),
        (http.client.RemoteDisconnected("closed"), "RemoteDisconnected"),
        (http.client.BadStatusLine("?"), "BadStatusLine"),
    ],
)
def test_no_answer_is_the_kind_of_failure(
    failure: Exception, kind: str, opened: list[FakeConnection]
) -> None:
    FakeConnection.answer = failure

    assert send() == Answer(None, kind)
    assert not opened[0].is_open
