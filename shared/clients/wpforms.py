"""WPForms for WordPress: its Webhooks addon, as JSON or as a form.

Keys are the owner's own; the answers of a list are joined with `||`. The signature is over the time
and the body; of a form, over the JSON that PHP would make of its fields.
"""

import json
from datetime import datetime

from shared.clients import About, FormClient, native
from shared.clients.encodings import URLENCODED, read_body
from shared.clients.signatures import is_fresh, verify_signature
from shared.domain.form import Form, Keys
from shared.domain.submission import Decoded
from shared.errors import NotAuthenticatedError
from shared.http import HttpRequest

BETWEEN = "||"


def verify(request: HttpRequest, form: Form, keys: Keys, now: datetime) -> None:
    header = request.headers.get("x-wpforms-webhook-signature", "")
    parts = dict(part.strip().partition("=")[::2] for part in header.split(","))
    stamp, signature = parts.get("t", ""), parts.get("v", "")
    start = f"{stamp}.".encode("utf-8", "replace")
    messages = [start + request.body]
    if request.media_type == URLENCODED and "signing" in keys:
        messages.append(start + _as_php_signs(request, form))
    verify_signature(request, form, keys, now, signature, *messages)
    if signature and "signing" in keys and not is_fresh(stamp, now):
        raise NotAuthenticatedError("an old signature")


def _as_php_signs(request: HttpRequest, form: Form) -> bytes:
    fields = dict(read_body(request, form.legacy_charset).fields)
    return json.dumps(fields, separators=(",", ":")).replace("/", "\\/").encode()


def decode(request: HttpRequest, form: Form) -> tuple[Decoded, ...]:
    body = read_body(request, form.legacy_charset)
    decoded = Decoded(
        client="wpforms",
        fields=tuple((key, part) for key, text in body.fields for part in text.split(BETWEEN)),
        content_type=request.headers.get("content-type", "")[:255],
        body=body.text,
        body_base64=body.base64,
        idempotency_key=native.idempotency_key(request, body.fields),
        files=body.files,
        somebody_waits=False,
    )
    return (decoded,)


CLIENT = FormClient(
    about=(
        About(
            "WPForms (Webhooks addon)",
            "Form > Settings > Webhooks: the form's address, format JSON, and a secret.",
            "`X-WPForms-Webhook-Signature`: time and HMAC, five minutes; the secret `signing`.",
            "Source of the addon: signature, `||` between answers; status ignored, no retries.",
        ),
    ),
    decode=decode,
    verify=verify,
    signs=True,
)
