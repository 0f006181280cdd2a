"""The page builder Tilda: a webhook per form, urlencoded, or JSON from its marketplace.

Connect it in Tilda under Forms > Webhook with the form's address. Documented at
help-ru.tilda.cc/formsscript: a try-out `test=test` when the webhook is added; 200 within 5 seconds
or two more tries, a minute apart; `tranid` names the submission. Nothing authenticates a request.
"""

from http import HTTPStatus
from urllib.parse import unquote, unquote_plus

from shared.clients import Kind, Pinged, Refused, Result, Stored
from shared.clients.encodings import URLENCODED, Body, Fields, read_body
from shared.domain.form import Form
from shared.domain.submission import Decoded
from shared.http import HttpRequest, Reply

COOKIES = "cookies"
PING = b"test=test"
SERVICE_KEYS = frozenset({COOKIES, "tranid", "formid", "form-spec-comments"})
KEPT_COOKIES = ("_ga", "_ym_uid")
UTM_COOKIE = "TILDAUTM"


def recognise(request: HttpRequest) -> Kind:
    return "ping" if request.body.strip() == PING else "submission"


def verify(request: HttpRequest, form: Form) -> None:
    """Classic webhooks are neither signed nor keyed: the address is all that is known."""


def decode(request: HttpRequest) -> Decoded:
    body = read_body(request)
    cookies = "; ".join(text for key, text in body.fields if key.lower() == COOKIES)
    answers = [(key, text) for key, text in body.fields if not _is_service(key)]
    sent = {key.lower() for key, _ in answers}
    return Decoded(
        client="tilda",
        fields=(*answers, *(pair for pair in visit(cookies) if pair[0] not in sent)),
        content_type=request.headers.get("content-type", "")[:255],
        body=_without_cookies(body, request),
        body_base64=None if cookies else body.base64,
        external_id=next((v for key, v in body.fields if key == "tranid" and v), None),
        files=body.files,
        somebody_waits=False,
    )


def answer(result: Result, request: HttpRequest) -> Reply:  # noqa: ARG001 - Tilda reads the status only
    match result:
        case Stored() | Pinged():
            return Reply(HTTPStatus.OK, {"Content-Type": "text/plain; charset=utf-8"}, "ok")
        case Refused(problem=problem):
            return problem.reply()


def visit(cookies: str) -> Fields:
    """What the visitor's cookies tell of the visit; nothing else of them is ever kept."""
    pairs = (cookie.strip().partition("=") for cookie in cookies.split(";"))
    jar = {name: value for name, _, value in pairs}
    tags = [(name, jar[name]) for name in KEPT_COOKIES if jar.get(name)]
    for part in unquote(jar.get(UTM_COOKIE, "")).split("|||"):
        key, equals, value = part.removeprefix("amp;").partition("=")
        if equals and key.startswith("utm_"):
            tags.append((key, value))
    return tuple(tags)


def _is_service(key: str) -> bool:
    return key.lower() in SERVICE_KEYS or key.startswith("tildaspec-")


def _without_cookies(body: Body, request: HttpRequest) -> str | None:
    if not any(key.lower() == COOKIES for key, _ in body.fields):
        return body.text
    if body.text is None or request.media_type != URLENCODED:
        return None  # the answers are kept one by one
    return "&".join(
        pair
        for pair in body.text.split("&")
        if unquote_plus(pair.partition("=")[0]).lower() != COOKIES
    )
