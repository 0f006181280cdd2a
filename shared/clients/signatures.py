"""What proves that a request comes from a form's own client: signatures over the bytes, and keys.

Everything is compared in constant time. A secret may have two values while it is rotated.
"""

import base64
import binascii
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Literal

from shared.domain.form import Form, Keys
from shared.errors import NotAuthenticatedError
from shared.http import HttpRequest

FRESH = timedelta(minutes=5)
"""How far a signed time may be from ours."""


def verify_key(request: HttpRequest, form: Form, keys: Keys, now: datetime) -> None:  # noqa: ARG001 - a key has no time
    """Asks for the form's key, if it has one: in a header, or in the query as `key`."""
    if "key" not in keys:
        return
    bearer = request.headers.get("authorization", "")
    sent = (
        request.headers.get(form.key_header.lower(), ""),
        bearer.removeprefix("Bearer "),
        request.query.get("key", ""),
    )
    if not any(is_key(text, keys["key"]) for text in sent):
        raise NotAuthenticatedError("wrong or missing key")


def verify_signature(
    request: HttpRequest,
    form: Form,
    keys: Keys,
    now: datetime,
    signature: str,
    *messages: bytes,
    encoding: Literal["hex", "base64"] = "hex",
) -> None:
    """Asks for the signature of one of the messages, if the form has the secret `signing`; else,
    and from a relay that cannot sign, for the form's key.
    """
    if "signing" not in keys or ("key" in keys and not signature):
        verify_key(request, form, keys, now)
    elif not any(
        is_signature(signature, message, keys["signing"], encoding=encoding) for message in messages
    ):
        raise NotAuthenticatedError("wrong or missing signature")


def is_key(sent: str, known: tuple[str, ...]) -> bool:
    """Whether a text is one of the values of a secret."""
    given = sent.encode("utf-8", "surrogatepass")
    return sum(hmac.compare_digest(given, key.encode()) for key in known if key) > 0


def is_signature(
    signature: str,
    message: bytes,
    known: tuple[str, ...],
    *,
    encoding: Literal["hex", "base64"] = "hex",
) -> bool:
    """Whether `signature` is the HMAC-SHA256 of the message under one of the values of a secret."""
    try:
        given = (
            bytes.fromhex(signature)
            if encoding == "hex"
            else base64.b64decode(signature, validate=True)
        )
    except (ValueError, binascii.Error):
        return False
    return sum(hmac.compare_digest(given, mac(key, message)) for key in known if key) > 0


def mac(key: str, message: bytes) -> bytes:
    """HMAC-SHA256."""
    return hmac.new(key.encode(), message, hashlib.sha256).digest()


def is_fresh(seconds: str, now: datetime) -> bool:
    """Whether a signed Unix time, in seconds, is near enough: an old request may be a replay."""
    if not (seconds.isascii() and seconds.isdecimal() and len(seconds) < 12):
        return False
    return abs(int(seconds) - now.timestamp()) <= FRESH.total_seconds()
