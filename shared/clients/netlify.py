"""Netlify Forms: its outgoing webhook, and a static form that is sent to us instead.

The webhook is the submission as JSON, signed with a JWS (RFC 7515) that holds the SHA-256 of the
body. The form is a browser's: it has no signature and waits for a page.
"""

import base64
import hashlib
import hmac
import json
from datetime import datetime

from shared.clients import About, FormClient, Result, answer_webhook, native
from shared.clients.encodings import read_body
from shared.clients.signatures import is_signature, verify_key
from shared.domain.form import Form, Keys
from shared.domain.submission import Decoded
from shared.errors import NotAuthenticatedError
from shared.http import HttpRequest, Reply

SIGNATURE = "x-webhook-signature"
DATA = "data."
SERVICE_KEYS = frozenset(
    {"form-name", "subject-prefix", "ip", "user_agent", "g-recaptcha-response"}
)


def is_static_form(request: HttpRequest) -> bool:
    """Whether a browser sends it: the webhook is always JSON, a static form never."""
    return SIGNATURE not in request.headers and request.media_type != "application/json"


def verify(request: HttpRequest, form: Form, keys: Keys, now: datetime) -> None:
    if "signing" not in keys:
        verify_key(request, form, keys, now)
    elif not _is_signed(request.headers.get(SIGNATURE, ""), request.body, keys["signing"]):
        raise NotAuthenticatedError("wrong or missing signature")


def _is_signed(jws: str, body: bytes, known: tuple[str, ...]) -> bool:
    """Nothing of the JWS is believed, or even parsed, before its own signature is right."""
    message, _, signature = jws.rpartition(".")
    head, _, payload = message.partition(".")
    try:
        if not is_signature(_bytes(signature).hex(), message.encode(), known):
            return False
        header, claims = json.loads(_bytes(head)), json.loads(_bytes(payload))
    except (ValueError, RecursionError):
        return False
    if not (isinstance(header, dict) and isinstance(claims, dict)):
        return False
    digest = str(claims.get("sha256")).encode("utf-8", "replace")
    return (
        header.get("alg") == "HS256"
        and claims.get("iss") == "netlify"
        and hmac.compare_digest(digest, hashlib.sha256(body).hexdigest().encode())
    )


def _bytes(text: str) -> bytes:
    """What base64url without padding stands for. Raises ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def decode(request: HttpRequest, form: Form) -> tuple[Decoded, ...]:
    if is_static_form(request):
        return (native.read_page(request, form, "netlify", SERVICE_KEYS),)
    body = read_body(request, form.legacy_charset)
    mapped = frozenset(form.mapping.values())
    sent = tuple(
        (key if key in mapped else key.removeprefix(DATA), text)
        for key, text in body.fields
        if key.startswith(DATA)
    )
    decoded = Decoded(
        client="netlify",
        fields=tuple((key, text) for key, text in sent if key not in {*SERVICE_KEYS, "referrer"}),
        content_type=request.headers.get("content-type", "")[:255],
        page=native.first(sent, "referrer"),
        external_id=native.first(body.fields, "id") or None,
        somebody_waits=False,
    )
    return (decoded,)


def answer(result: Result, request: HttpRequest) -> Reply:
    return (native.answer if is_static_form(request) else answer_webhook)(result, request)


CLIENT = FormClient(
    about=(
        About(
            "Netlify outgoing webhook",
            "Project configuration > Notifications > HTTP POST request on a new form submission: "
            "the form's address, with a JWS secret token, which is the form's secret `signing`.",
            "`X-Webhook-Signature`: a JWS (HS256 only) with the SHA-256 of the body.",
            "docs.netlify.com, payload signature: `iss` = `netlify`, `sha256`.",
            "The submission object: as public receivers see it. No retries are documented.",
        ),
        About(
            "Netlify-style static form",
            "Put the form's address into `action`; `bot-field` stays the honeypot.",
            native.BY_ORIGIN,
            "docs.netlify.com/forms: `form-name`, `netlify-honeypot`.",
        ),
    ),
    decode=decode,
    verify=verify,
    signs=True,
    answer=answer,
    in_browser=is_static_form,
)
