"""Requests as they came in, for what could not be decoded or could not be stored."""

import base64

from pydantic import BaseModel, ConfigDict

from shared.domain.instants import Instant
from shared.domain.suspicion import Signal


class RawRequest(BaseModel):
    """A request as it came in, without cookies and without the key of its address.

    Google and VK put their key into the body: there it stays.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    method: str
    query: dict[str, str]
    raw_query: str = ""
    headers: dict[str, str]
    body_base64: str

    @property
    def body(self) -> bytes:
        return base64.b64decode(self.body_base64)


class Spilled(BaseModel):
    """A message of the spill queue: a request that the table could not take when it came in."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    submission_id: str
    received_at: Instant
    form_id: str
    source_ip: str
    signals: tuple[Signal, ...] = ()
    """What was suspicious of it and could be seen then only."""
    raw: RawRequest
    """With all its headers: what proves where it comes from is looked at when it is replayed."""
