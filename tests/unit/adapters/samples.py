"""A submission as the capture side makes it."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from shared.domain.attribution import Touch
from shared.domain.contact import Contact
from shared.domain.events import LeadCaptured
from shared.domain.submission import Submission
from tests.unit.domain.samples import RECEIVED, at


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def a_submission(number: int = 1, key: str = "", **fields: Any) -> Submission:
    """A submission of somebody new; `number` makes it another post of another person."""
    contact = Contact(
        name="Анна-Мария О'Нил 👋",
        phone=fields.pop("phone", f"+4477009{number:05d}"),
        email=fields.pop("email", f"anna{number}@example.com"),
    )
    return Submission.model_validate(
        {
            "submission_id": digest(f"submission {number}")[:32],
            "form_id": "demo-en",
            "form_title": "Free consultation",
            "received_at": RECEIVED,
            "client": "native",
            "locale": "en",
            "content_type": "application/json",
            "body": "{}",
            "body_base64": None,
            "values": {"message": "A machine that calculates"},
            "contact": contact,
            "touch": Touch(),
            "channel": "Direct",
            "channel_rule": "direct",
            "aliased_channel": "Direct",
            "external_id": None,
            "consent": True,
            "consent_text": "yes",
            "consent_version": "1",
            "receipt_key": digest(key or f"key {number}"),
            "receipt_seconds": 600,
            "content_hash": digest(f"content {number}"),
            **fields,
        }
    )


def captured(submission: Submission, **fields: Any) -> LeadCaptured:
    return LeadCaptured.model_validate(
        {
            "submission_id": submission.submission_id,
            "form_id": submission.form_id,
            "channel": submission.channel,
            "team": "sales",
            "verdict": "qualified",
            "policy_version": 1,
            "respond_by": at(300),
            **fields,
        }
    )


NOW = datetime(2026, 11, 20, 9, 1, tzinfo=UTC)
