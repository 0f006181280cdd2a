"""A form, and requests to it, as the capture side meets them."""

import base64
import io
import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from shared.domain.form import Form
from shared.http import Event, HttpRequest
from shared.observability import logger

DATA = Path(__file__).parent / "data"
CASES = Path(__file__).parents[1] / "cases"
EVENTS = Path(__file__).parents[2] / "events" / "submit_form"

HOST = "api.example.com"
PAGE = "https://landing.example"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
URLENCODED = "application/x-www-form-urlencoded"


def rows(name: str) -> list[dict[str, Any]]:
    """The vectors of `tests/cases/_vectors/<name>.json`."""
    text = (CASES / "_vectors" / f"{name}.json").read_text("utf-8")
    return cast("list[dict[str, Any]]", json.loads(text))


def a_form(**fields: Any) -> Form:
    return Form.model_validate(
        {
            "form_id": "demo-en",
            "team": "sales",
            "title": "Free consultation",
            "default_region": "GB",
            "origins": [PAGE],
            "thanks_url": f"{PAGE}/thanks",
            "fields": {
                "name": {"type": "text", "required": True},
                "phone": {"type": "phone", "required": True},
                "email": {"type": "email"},
                "company": {},
                "message": {"max_length": 40},
                "consent": {"type": "consent", "required": True},
            },
            "consent_text": "You may call me.",
            "consent_version": "2026-11",
            **fields,
        }
    )


ANSWERS = {"name": "Ann Lee", "phone": "020 7946 0958", "consent": "on"}


def a_request(
    body: bytes | str = b"",
    content_type: str | None = URLENCODED,
    *,
    method: str = "POST",
    form_id: str = "demo-en",
    **headers: str,
) -> HttpRequest:
    """Headers are named as in Python: `idempotency_key`."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if content_type is not None:
        sent["content-type"] = content_type
    return HttpRequest(
        method=method,
        path=f"/v1/forms/{form_id}/submissions",
        path_parameters={"form_id": form_id},
        headers={"host": HOST, **sent},
        body=body.encode() if isinstance(body, str) else body,
        source_ip="203.0.113.10",
        request_id="request-1",
    )


def an_event(request: HttpRequest) -> Event:
    """The request as API Gateway hands it over: text for a few types, base64 for the others."""
    text = request.media_type.startswith("text/") or request.media_type == "application/json"
    body = request.body.decode() if text else base64.b64encode(request.body).decode()
    return {
        "version": "2.0",
        "rawPath": request.path,
        "rawQueryString": "",
        "headers": dict(request.headers),
        "pathParameters": dict(request.path_parameters),
        "requestContext": {
            "requestId": request.request_id,
            "http": {"method": request.method, "sourceIp": request.source_ip},
        },
        "isBase64Encoded": bool(request.body) and not text,
        **({"body": body} if body else {}),
    }


def case_request(case: Mapping[str, Any]) -> HttpRequest:
    """The request of a case in `tests/cases`."""
    sent = case["request"]
    form_id = sent["path"].split("/")[3]
    return HttpRequest(
        method=sent["method"],
        path=sent["path"],
        path_parameters={"form_id": form_id},
        headers={"host": HOST, **{name.lower(): v for name, v in sent["headers"].items()}},
        body=sent["body"].encode(),
    )


def case_form(case: Mapping[str, Any]) -> Form:
    """The form settings that a case assumes."""
    wanted = case["form"]
    required = set(wanted["required"])
    mapping = {"consent": wanted["consent_field"]} if "consent_field" in wanted else {}
    return a_form(
        form_id=wanted["id"],
        client=wanted["adapter"],
        default_region=wanted["default_region"],
        mapping=mapping,
        fields={
            "name": {"required": "name" in required},
            "phone": {"type": "phone", "required": "phone" in required},
            "email": {"type": "email", "required": "email" in required},
            "message": {},
            "consent": {"type": "consent"},
        },
    )


@contextmanager
def logged() -> Iterator[list[dict[str, Any]]]:
    """The log lines of the block, as they were written."""
    handler = cast("logging.StreamHandler[io.TextIOBase]", logger.registered_handler)
    written = io.StringIO()
    before = handler.setStream(written)
    lines: list[dict[str, Any]] = []
    try:
        yield lines
    finally:
        if before is not None:
            handler.setStream(before)
        lines += map(json.loads, written.getvalue().splitlines())
