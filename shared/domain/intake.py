"""The intake: submissions that made no lead, each with its reason and a way back."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from shared.domain.instants import Instant
from shared.domain.raw_request import RawRequest
from shared.domain.submission import Decoded

IntakeKind = Literal["rejected", "quarantined", "partial", "reference", "erasure", "test"]
Settlement = Literal["admitted", "released", "dismissed"]
"""`admitted` and `released` made a lead or joined one; `dismissed` was looked at and left."""

KEPT_FOR: Mapping[IntakeKind, timedelta] = {
    "rejected": timedelta(days=30),
    "quarantined": timedelta(days=90),
    "partial": timedelta(days=30),
    "reference": timedelta(days=90),
    "erasure": timedelta(days=90),
    "test": timedelta(days=2),
}


class Kept(BaseModel):
    """One submission in the intake."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    submission_id: str
    kind: IntakeKind
    form_id: str
    received_at: Instant
    locale: str
    reasons: tuple[str, ...]
    """Codes: `phone:missing`, `malformed_request`, `honeypot`."""
    decoded: Decoded | None = None
    raw: RawRequest | None = None
    """What came in, where it could not be decoded."""
    promised_by: Instant | None = None
    """By when the visitor was told to expect a call: only of what was answered like a success."""
    settled_as: Settlement | None = None
    """None while it waits for somebody to see to it."""
    lead_id: str | None = None
    """Of the lead that it became, or joined."""
    settled_at: Instant | None = None
    settled_by: str | None = None

    @property
    def expires_at(self) -> datetime:
        return self.received_at + KEPT_FOR[self.kind]


class Admission(NamedTuple):
    """Somebody's word that a submission of the intake is a lead."""

    kept: Kept
    at: datetime
    by: str

    @property
    def settlement(self) -> Settlement:
        return "released" if self.kept.kind == "quarantined" else "admitted"


def same_id(form_id: str, *words: str) -> str:
    """An id that is the same for the same words: what is sent again takes its own place."""
    return hashlib.sha256("\n".join((form_id, *words)).encode()).hexdigest()[:32]
