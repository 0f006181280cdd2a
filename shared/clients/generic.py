"""Whatever has no module of its own: relays, page builders, scripts, by the form's mapping.

Takes any encoding from a machine, and from a browser what a plain form sends. A machine's fields
may be in the address (GET), nested (JSON, PHP's brackets) or wrapped: `data.phone` is found.
"""

from collections.abc import Callable
from datetime import datetime

from shared.clients import About, FormClient, Result, answer_webhook, native
from shared.clients.encodings import Body, Fields, read_body, with_query, without
from shared.clients.signatures import is_key, verify_key
from shared.domain.aliases import dotted
from shared.domain.form import Form, Keys
from shared.domain.submission import Decoded
from shared.errors import NotAuthenticatedError, RejectedError
from shared.http import HttpRequest, Reply

KEY_FIELDS = frozenset({"api_key", "apikey", "api-key", "x-api-key"})
"""Where machines put a form's key if not into a header."""

BY_KEY = "Nothing by itself: add `?key=` to the address, or send the header, with the secret `key`."


def decode(request: HttpRequest, form: Form) -> tuple[Decoded, ...]:
    return (read(request, form, "generic"),)


def read(
    request: HttpRequest,
    form: Form,
    client: str,
    is_service: Callable[[str], bool] = lambda _: False,
) -> Decoded:
    """What a machine or a visitor's browser sent, without the fields that are never kept."""

    def dropped(key: str) -> bool:
        return is_service(key) or is_key_field(key, form)

    if is_browser(request):
        keys = frozenset(key for key, _ in read_body(request, form.legacy_charset).fields)
        return native.read_page(request, form, client, frozenset(filter(dropped, keys)))
    request = with_query(request)
    body = without(read_body(request, form.legacy_charset), request, dropped)
    return hooked(request, client, body, body.fields)


def hooked(request: HttpRequest, client: str, body: Body, fields: Fields) -> Decoded:
    """What a machine sent, nobody waiting."""
    return Decoded(
        client=client,
        fields=fields,
        content_type=request.headers.get("content-type", "")[:255],
        body=body.text,
        body_base64=body.base64,
        idempotency_key=native.idempotency_key(request, fields),
        files=body.files,
        somebody_waits=False,
    )


def is_browser(request: HttpRequest) -> bool:
    """Whether a visitor's browser sends it: machines name no origin and want no page."""
    return request.origin is not None or request.wants_page


def answer(result: Result, request: HttpRequest) -> Reply:
    return (native.answer if is_browser(request) else answer_webhook)(result, request)


def is_key_field(key: str, form: Form) -> bool:
    return key.lower() in KEY_FIELDS or key.lower() == form.key_header.lower()


def verify(request: HttpRequest, form: Form, keys: Keys, now: datetime) -> None:
    """Asks for the form's key, if it has one; a field of the body will do."""
    try:
        verify_key(request, form, keys, now)
    except NotAuthenticatedError:
        if not any(is_key(text, keys["key"]) for text in _sent_keys(request, form)):
            raise


def _sent_keys(request: HttpRequest, form: Form) -> list[str]:
    try:
        fields = read_body(request, form.legacy_charset).fields
    except RejectedError:
        return []
    return [text for key, text in fields if is_key_field(key, form)]


def named(form: Form, *names: str) -> str:
    """By which of its names a field goes on: that which the form maps, else the first."""
    mapped = {dotted(path) for path in form.mapping.values()}
    return next((name for name in names if dotted(name) in mapped), names[0])


CLIENT = FormClient(
    about=(
        About(
            "Anything else (generic)",
            "Send the form's address JSON, urlencoded, multipart or plain text with POST or PUT, "
            "or fields in the address with GET. Usual names are understood in English and Russian; "
            "the form's `mapping` names the others: `contact.tel`, `answers[id=tel].value`.",
            f"{BY_KEY} A field `api_key` of the body will do too.",
            "Zapier, Make and n8n send what their owner writes.",
            "Instapage, Leadpages, TikTok, VK Ads, Yandex Direct, Wufoo, Getform, Basin: no "
            "documented request was found; connect them through a relay, or with a mapping.",
        ),
    ),
    decode=decode,
    verify=verify,
    answer=answer,
    methods=("POST", "GET", "PUT"),
    in_browser=is_browser,
)
