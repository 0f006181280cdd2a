"""Cloudflare Turnstile, for forms that have its secret: asks whether a visitor is a robot.

Answers of its API: developers.cloudflare.com/turnstile/get-started/server-side-validation.
"""

import hashlib
import json
from typing import TYPE_CHECKING, Literal

from shared.domain.form import Keys
from shared.domain.submission import Decoded
from shared.observability import logger

if TYPE_CHECKING:
    from urllib3 import PoolManager

ADDRESS = "https://challenges.cloudflare.com/turnstile/v0/siteverify"
FIELD = "cf-turnstile-response"
MAX_TOKEN_LENGTH = 2048
SECONDS = 2.0


class Turnstile:
    """Whoever it cannot vouch for is looked at by a person, and not refused."""

    def __init__(self, address: str = ADDRESS) -> None:
        self._address = address
        self._pool: PoolManager | None = None

    def signal(self, decoded: Decoded, keys: Keys, source_ip: str) -> Literal["turnstile"] | None:
        """The signal for a missing or wrong token, and when Cloudflare does not answer in time."""
        token = next((text for key, text in decoded.fields if key == FIELD), "")
        if not 0 < len(token) <= MAX_TOKEN_LENGTH:
            return "turnstile"
        passed = any(self._passes(token, secret, source_ip) for secret in keys["turnstile"])
        return None if passed else "turnstile"

    def _passes(self, token: str, secret: str, source_ip: str) -> bool:
        from uuid import UUID  # noqa: PLC0415 - as below

        from urllib3 import PoolManager  # noqa: PLC0415 - most forms never ask
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        self._pool = self._pool or PoolManager(timeout=SECONDS, retries=False)
        # A token is good for one question. With the same key it may be asked again: a visitor whose
        # form could not be stored sends the same one.
        digest = hashlib.sha256(f"{secret}:{token}".encode("utf-8", "ignore")).hexdigest()
        key = str(UUID(digest[:32]))
        fields = {
            "secret": secret,
            "response": token,
            "remoteip": source_ip,
            "idempotency_key": key,
        }
        try:
            answer = self._pool.request("POST", self._address, json=fields)
            content = json.loads(answer.data)
        except (HTTPError, ValueError):
            logger.warning("turnstile did not answer")
            return False
        return isinstance(content, dict) and content.get("success") is True
