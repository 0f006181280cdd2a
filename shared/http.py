"""HTTP at the edge: the request as a function sees it, the answer, problem details, origins.

One table says which error of ours is which status; one place writes problem details (RFC 9457).
"""

import base64
import binascii
import json
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace
from functools import wraps
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, unquote_plus, urlencode

from shared.domain.form import Form, Gettext, Locale
from shared.domain.hostnames import web_address
from shared.domain.raw_request import RawRequest
from shared.errors import (
    BodyTooLargeError,
    FieldError,
    IdempotencyConflictError,
    IllegalActionError,
    InvalidSubmissionError,
    LeadlineError,
    MalformedRequestError,
    NotAuthenticatedError,
    OriginNotAllowedError,
    RejectedError,
    RetryableError,
    TooManyRequestsError,
    UnknownFormError,
    UnknownLinkError,
    WrongMethodError,
)
from shared.observability import logger, report_unexpected
from shared.texts import mark, translation

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

Event = dict[str, Any]
"""An API Gateway HTTP API event, payload 2.0."""

MAX_BODY_BYTES = 128 * 1024
METHODS = "POST, OPTIONS"
ALLOWED_HEADERS = (
    "content-type, idempotency-key, x-requested-with, "
    "hx-boosted, hx-current-url, hx-prompt, hx-request, hx-request-type, hx-source, hx-target, "
    "hx-trigger, hx-trigger-name"
)
"""What scripts add to their posts, htmx most of all: a browser sends only what is allowed here."""
PREFLIGHT_SECONDS = 7200
RETRY_AFTER_SECONDS = 5
BURST_SECONDS = 60
"""How long to wait after a burst."""

STATUS: Mapping[type[LeadlineError], HTTPStatus] = {
    MalformedRequestError: HTTPStatus.BAD_REQUEST,
    UnknownFormError: HTTPStatus.NOT_FOUND,
    WrongMethodError: HTTPStatus.METHOD_NOT_ALLOWED,
    OriginNotAllowedError: HTTPStatus.FORBIDDEN,
    NotAuthenticatedError: HTTPStatus.UNAUTHORIZED,
    TooManyRequestsError: HTTPStatus.TOO_MANY_REQUESTS,
    BodyTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    InvalidSubmissionError: HTTPStatus.UNPROCESSABLE_ENTITY,
    IdempotencyConflictError: HTTPStatus.UNPROCESSABLE_ENTITY,
    UnknownLinkError: HTTPStatus.NOT_FOUND,
    IllegalActionError: HTTPStatus.CONFLICT,
    RejectedError: HTTPStatus.BAD_REQUEST,
    RetryableError: HTTPStatus.SERVICE_UNAVAILABLE,
    LeadlineError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""An error's status, or that of its nearest ancestor."""

WORDS: Mapping[str, tuple[str, str]] = {
    "malformed_request": (
        mark("The request cannot be read"),
        mark("Send the fields of a form, as JSON, urlencoded or multipart."),
    ),
    "unknown_form": (
        mark("There is no such form"),
        mark("Check the address that the page sends the form to."),
    ),
    "wrong_method": (
        mark("This address takes forms"),
        mark("Send the form with POST to this address."),
    ),
    "origin_not_allowed": (
        mark("This page may not send this form"),
        mark("Add the page's origin to the form's allowed origins."),
    ),
    "not_authenticated": (
        mark("The request does not prove where it comes from"),
        mark("Send the form's key, or sign the request with its secret."),
    ),
    "too_many_requests": (
        mark("Too many forms at once"),
        mark("Please wait a minute and send the form again."),
    ),
    "body_too_large": (
        mark("The form is too large"),
        mark("Send at most 128 KB (131072 bytes), without files."),
    ),
    "invalid_submission": (
        mark("Please check the form"),
        mark("Some fields are missing or cannot be used."),
    ),
    "idempotency_conflict": (
        mark("This form was sent already, with other answers"),
        mark("It is safe with us. To add what you changed, send the form once more."),
    ),
    "unknown_link": (
        mark("This link is not valid"),
        mark("It may have expired. Ask for a new one."),
    ),
    "illegal_action": (
        mark("This is not possible any more"),
        mark("Open the page again to see how things stand."),
    ),
    "try_again": (
        mark("We cannot take your form right now"),
        mark("Please send it again in a few seconds."),
    ),
    "internal_error": (
        mark("Something went wrong on our side"),
        mark("Please send it again later."),
    ),
}
"""Title and detail by an error's code, or by that of its nearest ancestor."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What came in. Header names are in lower case, the body is bytes."""

    method: str
    path: str
    path_parameters: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    raw_query: str = ""
    """The same as it was sent: its bytes may be in a charset of the page's."""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    source_ip: str = ""
    request_id: str = ""

    @classmethod
    def from_event(cls, event: Event) -> "HttpRequest":
        """Raises MalformedRequestError for a body that says it is base64 and is not."""
        context = event["requestContext"]
        return cls(
            method=context["http"]["method"],
            path=event["rawPath"],
            path_parameters=event.get("pathParameters") or {},
            query=event.get("queryStringParameters") or {},
            raw_query=event.get("rawQueryString") or "",
            headers={name.lower(): value for name, value in event.get("headers", {}).items()},
            body=_body(event),
            source_ip=context["http"].get("sourceIp", ""),
            request_id=context.get("requestId", ""),
        )

    @classmethod
    def from_raw(cls, raw: RawRequest, form_id: str, source_ip: str = "") -> "HttpRequest":
        """A request to a form, as it came in once."""
        return cls(
            method=raw.method,
            path=f"/v1/forms/{form_id}/submissions",
            path_parameters={"form_id": form_id},
            query=raw.query,
            raw_query=raw.raw_query,
            headers=raw.headers,
            body=raw.body,
            source_ip=source_ip,
        )

    def raw(self, headers: Container[str]) -> RawRequest:
        """The request as it is kept, with these of its headers."""
        return RawRequest(
            method=self.method,
            query=dict(self.query),
            raw_query=self.raw_query,
            headers={name: text for name, text in self.headers.items() if name in headers},
            body_base64=base64.b64encode(self.body).decode("ascii"),
        )

    def query_without(self, name: str) -> str:
        """The query as it was sent, without one of its fields."""
        sent = self.raw_query or urlencode(self.query, errors="ignore")
        pairs = [pair for pair in sent.split("&") if unquote_plus(pair.partition("=")[0]) != name]
        return "&".join(filter(None, pairs))

    @property
    def media_type(self) -> str:
        """The content type without parameters, in lower case; empty when there is none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def media_parameters(self) -> dict[str, str]:
        """The content type's parameters, such as `charset` and `boundary`."""
        pairs = self.headers.get("content-type", "").split(";")[1:]
        named = (pair.partition("=") for pair in pairs)
        return {name.strip().lower(): value.strip().strip('"') for name, _, value in named}

    @property
    def origin(self) -> str | None:
        """The page's origin; None for no origin, which a sandboxed page calls `null`."""
        origin = self.headers.get("origin", "")
        return None if origin in {"", "null"} else origin

    @property
    def wants_page(self) -> bool:
        """Whether a person's browser shows the answer, rather than a script reading it."""
        return (
            "text/html" in self.headers.get("accept", "").lower()
            and "json" not in self.media_type
            and "x-requested-with" not in self.headers
        )

    def answer_in(self, form: Form | None) -> Locale:
        """The language to answer in: that of the page that was filled in, whatever the browser
        likes better; the browser's where policy names none."""
        return form.locale if form and form.locale else self.locale("en")

    def locale(self, default: Locale) -> Locale:
        """The language asked for, if it is one that Leadline speaks."""
        best, best_weight = default, 0.0
        for part in self.headers.get("accept-language", "")[:500].split(","):
            tag, _, weight_text = part.partition(";")
            language = tag.strip().lower().partition("-")[0]
            weight = _weight(weight_text)
            if language in {"en", "ru"} and weight > best_weight:
                best, best_weight = cast("Locale", language), weight
        return best


def _body(event: Event) -> bytes:
    text = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        # JSON can carry half a character and UTF-8 cannot: the decoder refuses it.
        return cast("str", text).encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedRequestError(mark("The body is not valid base64.")) from error


def _weight(text: str) -> float:
    """The quality of `q=0.8`; 1 when none is given, 0 when it makes no sense."""
    name, _, value = text.strip().partition("=")
    if not name:
        return 1.0
    whole, _, fraction = value.strip().partition(".")
    digits = whole.isdecimal() and (fraction.isdecimal() or not fraction) and len(value) < 8
    return float(value) if name.strip() == "q" and digits and value.isascii() else 0.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes out."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""

    def with_headers(self, headers: Mapping[str, str]) -> "Reply":
        return replace(self, headers={**self.headers, **headers})

    def to_event(self) -> Event:
        """As API Gateway wants it."""
        return {"statusCode": int(self.status), "headers": dict(self.headers), "body": self.body}


def json_reply(status: int, content: object, media_type: str = "application/json") -> Reply:
    body = json.dumps(content, ensure_ascii=False)
    return Reply(status, {"Content-Type": media_type, "Cache-Control": "no-store"}, body)


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as its reader sees it: RFC 9457, in the reader's language."""

    status: int
    code: str
    title: str
    detail: str
    errors: tuple[FieldError, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, object] = field(default_factory=dict)
    instance: str = ""

    def reply(self) -> Reply:
        """As problem+json."""
        content: dict[str, object] = {
            "type": f"urn:problem-type:leadline:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            **({"instance": self.instance} if self.instance else {}),
            **self.more,
        }
        if self.errors:
            content["errors"] = [
                {**error._asdict(), "pointer": _pointer(error.field)} for error in self.errors
            ]
        reply = json_reply(self.status, content, "application/problem+json")
        return reply.with_headers(self.headers)


def _pointer(name: str) -> str:
    """Where a field is in a JSON body: RFC 6901, as a fragment."""
    return "#/" + quote(name.replace("~", "~0").replace("/", "~1"), safe="~")


def problem_of(
    error: LeadlineError, gettext: Gettext, request: HttpRequest | None = None
) -> Problem:
    """What to tell of an error. Only malformed requests bring a sentence of their own."""
    kinds = cast("list[type[LeadlineError]]", type(error).__mro__[:-3])
    title, detail = next(WORDS[kind.code] for kind in kinds if kind.code in WORDS)
    if isinstance(error, MalformedRequestError) and error.args:
        detail = str(error)
    headers: dict[str, str] = {}
    more: dict[str, object] = {}
    if isinstance(error, WrongMethodError):
        headers["Allow"] = METHODS
    if isinstance(error, RetryableError):
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    if isinstance(error, TooManyRequestsError):
        headers["Retry-After"] = str(BURST_SECONDS)
    if isinstance(error, BodyTooLargeError):
        more["limit_bytes"] = MAX_BODY_BYTES
    return Problem(
        status=next(STATUS[kind] for kind in kinds if kind in STATUS),
        code=error.code,
        title=gettext(title),
        detail=gettext(detail),
        errors=error.errors if isinstance(error, InvalidSubmissionError) else (),
        headers=headers,
        more=more,
        instance=f"urn:request:{request.request_id}" if request and request.request_id else "",
    )


def gettext_in(locale: Locale) -> Gettext:
    """Says sentences in a language. Its catalogue is read with the first sentence, not before."""
    return lambda sentence: translation(locale).gettext(sentence)


# --- origins --------------------------------------------------------------------------------------


def check_origin(request: HttpRequest, form: Form) -> None:
    """Raises OriginNotAllowedError for a page that the form does not know.

    This is no protection: who is no browser sends any origin, or none. It tells an owner at once
    that a page is not listed, where a browser would only hide the answer.
    """
    if request.origin and not _allows(request, form):
        raise OriginNotAllowedError(request.origin)


def cors_headers(request: HttpRequest, form: Form | None) -> dict[str, str]:
    """What lets the page's script read the answer."""
    headers = {"Vary": "Origin"}
    if form is not None and request.origin and _allows(request, form):
        headers["Access-Control-Allow-Origin"] = request.origin
        headers["Access-Control-Expose-Headers"] = "Retry-After"
    return headers


def preflight() -> Reply:
    """The answer to a browser that asks before it posts; `cors_headers` say whether it may."""
    headers = {
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Allow-Headers": ALLOWED_HEADERS,
        "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
        "Allow": METHODS,
    }
    return Reply(HTTPStatus.NO_CONTENT, headers)


def _allows(request: HttpRequest, form: Form) -> bool:
    origin = web_address(request.origin)
    if origin is None or request.origin is None:
        return False
    host = request.headers.get("host", "").lower()
    return origin.netloc.lower() == host or form.allows(request.origin)


# --- functions ------------------------------------------------------------------------------------


def http_function(
    answer: Callable[[HttpRequest], Reply],
) -> "Callable[[Event, LambdaContext], Event]":
    """Makes a Lambda handler: event in, answer out, and never a traceback for the caller.

    What nobody expected becomes a plain 500 and a log line that names the kind of error and the
    lines of code, not its message: that could quote what a person typed.
    """

    @wraps(answer)
    def handler(event: Event, context: "LambdaContext") -> Event:
        with logger.append_context_keys(request_id=context.aws_request_id):
            try:
                reply = answer(HttpRequest.from_event(event))
            except (RejectedError, RetryableError) as error:
                reply = problem_of(error, gettext_in("en")).reply()
            except Exception as error:  # noqa: BLE001 - the edge: the caller gets an answer
                reply = _unexpected(error)
        return reply.to_event()

    return handler


def _unexpected(error: Exception) -> Reply:
    report_unexpected(error)
    return problem_of(LeadlineError(), gettext_in("en")).reply()
