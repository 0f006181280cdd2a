"""Webflow: the webhook `form_submission`, version 2, and what version 1 sent.

Documented at developers.webflow.com/data/docs/working-with-webhooks. A field comes by the label
that its owner gave it; a phone may come as a number.
"""

from datetime import datetime

from shared.clients import About, FormClient, acknowledge
from shared.clients.encodings import flat, objects_in, read_json, verbatim
from shared.clients.signatures import is_fresh, verify_signature
from shared.domain.form import Form, Keys
from shared.domain.submission import Decoded
from shared.errors import MalformedRequestError, NotAuthenticatedError
from shared.http import HttpRequest
from shared.texts import mark

NO_DATA = mark("The webhook has no form data.")
TYPES = {"email": "email", "phone": "phone", "tel": "phone"}


def verify(request: HttpRequest, form: Form, keys: Keys, now: datetime) -> None:
    stamp = request.headers.get("x-webflow-timestamp", "")
    signature = request.headers.get("x-webflow-signature", "")
    message = f"{stamp}:".encode("utf-8", "replace") + request.body
    verify_signature(request, form, keys, now, signature, message)
    # Milliseconds.
    if signature and "signing" in keys and not is_fresh(stamp[:-3], now):
        raise NotAuthenticatedError("an old signature")


def decode(request: HttpRequest, form: Form) -> tuple[Decoded, ...]:  # noqa: ARG001 - labels say it all
    content = read_json(request)
    payload = content.get("payload", content)
    data = payload.get("data") if isinstance(payload, dict) else None
    if not isinstance(data, dict):
        raise MalformedRequestError(NO_DATA)
    number = payload.get("id") or payload.get("_id")
    text, base64 = verbatim(request.body)
    decoded = Decoded(
        client="webflow",
        fields=flat(data),
        meanings=_meanings(payload.get("schema")),
        content_type=request.headers.get("content-type", "")[:255],
        body=text,
        body_base64=base64,
        external_id=number if isinstance(number, str) and number else None,
        somebody_waits=False,
    )
    return (decoded,)


def _meanings(schema: object) -> tuple[tuple[str, str], ...]:
    """What the types of fields tell, `FormEmailInput` or `email`."""
    told = (
        (str(field.get("fieldName", "")), name)
        for field in objects_in(schema)
        for word, name in TYPES.items()
        if word in str(field.get("fieldType", "")).lower()
    )
    return tuple(told)


CLIENT = FormClient(
    about=(
        About(
            "Webflow",
            "Make a webhook `form_submission` through the API, or in the project's settings.",
            "`X-Webflow-Signature`: HMAC of the time and the body, five minutes, with the secret "
            "`signing`. A webhook from the settings may be unsigned: use `key`.",
            "developers.webflow.com: payload, signature, three tries, no redirects.",
            "Whether webhooks made in the dashboard are signed.",
        ),
    ),
    decode=decode,
    verify=verify,
    signs=True,
    answer=acknowledge,
)
