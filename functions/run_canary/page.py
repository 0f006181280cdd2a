"""Sends a form as a landing page does: over HTTP, to the address that visitors use."""

import json
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import NamedTuple
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 15
"""submit_form has no longer either."""


class Answer(NamedTuple):
    """What a page learns of what it sent. Without a status nobody answered."""

    status: int | None
    code: str | None = None
    """The code of an answer that is an error of ours; the kind of the failure without an answer."""


class Page:
    """A page that posts to the API at `url`."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)

    def send(self, form_id: str, fields: Mapping[str, str], idempotency_key: str) -> Answer:
        """One post, tried once: a visitor who had to try again is news, too."""
        kind = HTTPSConnection if self._url.scheme == "https" else HTTPConnection
        connection = kind(self._url.netloc, timeout=TIMEOUT_SECONDS)
        try:
            connection.request(
                "POST",
                f"{self._url.path}/v1/forms/{form_id}/submissions",
                json.dumps(fields).encode(),
                {
                    "Accept": "application/json",
                    "Content-Type": "application/json",
                    "Idempotency-Key": idempotency_key,
                    "User-Agent": "leadline-canary",
                },
            )
            return _answer(connection.getresponse())
        except (OSError, HTTPException) as error:
            return Answer(None, type(error).__name__)
        finally:
            connection.close()


def _answer(response: HTTPResponse) -> Answer:
    try:
        content = json.loads(response.read())
    except ValueError:
        content = None
    code = content.get("code") if isinstance(content, dict) else None
    return Answer(response.status, code if isinstance(code, str) else None)
