"""HTTP -> the event that API Gateway gives a function (payload 2.0), and its answer -> HTTP.

Pure. Checked against the documented format and the public integrations named in the tests; where a
laptop cannot be like AWS, the line says so.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, unquote_plus

from infra.local.routes import Match

TEXT = re.compile(r"text/.*|application/(json|xml|javascript)")
"""Bodies of these types reach the function as text, all others as base64."""
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "upgrade"}


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request as it came over the wire; `raw_path` and `raw_query` are still encoded."""

    method: str
    raw_path: str
    raw_query: str
    headers: list[tuple[str, str]]
    body: bytes
    client_ip: str
    request_id: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Outgoing:
    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    @classmethod
    def message(cls, status: HTTPStatus, text: str) -> "Outgoing":
        """What API Gateway itself says, for example `{"message":"Not Found"}`."""
        body = json.dumps({"message": text}, separators=(",", ":")).encode()
        return cls(status, [("content-type", "application/json")], body)


def internal_error() -> Outgoing:
    """A failed function looks like this from outside: no trace, no reason."""
    return Outgoing.message(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error")


def joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Repeated names become one value with commas."""
    values: dict[str, str] = {}
    for name, value in pairs:
        values[name] = f"{values[name]},{value}" if name in values else value
    return values


def event_for(request: Incoming, match: Match) -> dict[str, Any]:
    named = [(name.lower(), value) for name, value in request.headers]
    cookies = [
        cookie.strip() for name, value in named if name == "cookie" for cookie in value.split(";")
    ]
    headers = joined(
        (name, value) for name, value in named if name != "cookie" and name not in HOP_BY_HOP
    )
    host = headers.get("host", "127.0.0.1")
    forwarded = headers.get("x-forwarded-for")
    headers |= {
        "content-length": str(len(request.body)),
        "x-forwarded-for": f"{forwarded}, {request.client_ip}" if forwarded else request.client_ip,
        # AWS says https and 443. Here a link or a redirect made from these must lead back to us.
        "x-forwarded-proto": "http",
        "x-forwarded-port": host.rpartition(":")[2] if ":" in host else "80",
        "x-amzn-trace-id": f"Root=1-{int(request.received_at.timestamp()):08x}-{'0' * 24}",
    }
    path = unquote(request.raw_path)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": match.route.key,
        "rawPath": path,
        "rawQueryString": request.raw_query,
        "headers": headers,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": host.partition(":")[0],
            "domainPrefix": host.partition(".")[0],
            "http": {
                "method": request.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": request.client_ip,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": request.request_id,
            "routeKey": match.route.key,
            "stage": "$default",
            "time": request.received_at.astimezone(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(request.received_at.timestamp() * 1000),
        },
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = cookies
    if request.raw_query:
        pairs = (pair.partition("=") for pair in request.raw_query.split("&") if pair)
        event["queryStringParameters"] = joined(
            (unquote_plus(name), unquote_plus(value)) for name, _, value in pairs
        )
    if match.path_parameters:
        event["pathParameters"] = dict(match.path_parameters)
    if request.body:
        event["body"], event["isBase64Encoded"] = body_text(
            request.body, headers.get("content-type", "")
        )
    return event


def body_text(body: bytes, content_type: str) -> tuple[str, bool]:
    """The body as a string, and whether it is base64."""
    if TEXT.fullmatch(content_type.partition(";")[0].strip().lower()):
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass  # text only by its name
    return base64.b64encode(body).decode(), True


def answer_from(result: Any) -> Outgoing:
    """Read what a function returned, as API Gateway does."""
    if not isinstance(result, Mapping) or "statusCode" not in result:
        # "Inferred": whatever else a function returns is the body of a 200.
        text = result if isinstance(result, str) else json.dumps(result)
        return Outgoing(HTTPStatus.OK, [("content-type", "application/json")], text.encode())
    try:
        status = int(result["statusCode"])
        body = body_bytes(result.get("body"), encoded=bool(result.get("isBase64Encoded")))
    except (TypeError, ValueError, binascii.Error):
        return internal_error()
    if not 100 <= status <= 599:
        return internal_error()
    headers = {
        str(name).lower(): str(value) for name, value in (result.get("headers") or {}).items()
    }
    headers.pop("content-length", None)
    headers.setdefault("content-type", "text/plain;charset=UTF-8")
    cookies = [("set-cookie", str(cookie)) for cookie in result.get("cookies") or []]
    return Outgoing(status, [*headers.items(), *cookies], body)


def body_bytes(body: Any, *, encoded: bool) -> bytes:
    if body is None:
        return b""
    text = body if isinstance(body, str) else json.dumps(body)
    return base64.b64decode(text, validate=True) if encoded else text.encode()
