"""Receipts: what makes a submission that is sent again find its first answer."""

from datetime import datetime
from typing import TYPE_CHECKING, Literal, NamedTuple

from shared.adapters import keys
from shared.adapters.dynamodb import Item, Table
from shared.domain.instants import iso
from shared.errors import IdempotencyConflictError

if TYPE_CHECKING:
    # Types only: who plans or sweeps leads has no use for what reads submissions.
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from shared.domain.submission import Submission

NOT_THERE_OR_OVER = (
    "attribute_not_exists(PK) OR expires_at < :now"
    " OR (repeats_until < :now AND submission_id <> :own)"
)
"""A queue may bring a submission again long after the same words would be a new wish: its own
receipt stays in force for it."""
KEPT_SECONDS = 7 * 86_400
"""As long as any submission is told from a new wish, or waits in a queue to be replayed."""
OR_ITS_OWN = " OR (submission_id = :own AND attribute_not_exists(lead_id))"


class Filed(NamedTuple):
    """What became of a submission. `submission_id` is the first one's when this was a retry."""

    submission_id: str
    outcome: Literal["created", "joined", "quarantined", "repeated"]
    lead_id: str
    """Empty while it is quarantined."""
    promised_by: datetime | None = None
    """By when the visitor is told to expect a call; the first one's when this was a retry."""


def receipt(
    table: Table,
    submission: "Submission",
    lead_id: str | None,
    now: datetime,
    token: str,
    promised_by: datetime | None,
    *,
    from_intake: bool = False,
) -> "TransactWriteItemTypeDef":
    """Writes the receipt, unless there is one. What comes from the intake may have its own.

    The token says who wrote it; `promised_by` is part of the answer that a retry gets, too.
    """
    seconds = int(now.timestamp())
    condition = NOT_THERE_OR_OVER
    if from_intake:
        condition += OR_ITS_OWN
    return table.put(
        {
            **keys.receipt(submission.form_id, submission.receipt_key),
            "submission_id": submission.submission_id,
            "lead_id": lead_id,
            "content_hash": submission.content_hash,
            "token": token,
            "promised_by": iso(promised_by) if promised_by else None,
            "repeats_until": seconds + submission.receipt_seconds,
            "expires_at": seconds + KEPT_SECONDS,
        },
        condition,
        now=seconds,
        own=submission.submission_id,
    )


def first_answer(former: Item, submission: "Submission", token: str) -> Filed:
    """What the first one was answered, by its receipt.

    Raises IdempotencyConflictError when the key was used for other content.
    """
    if former["content_hash"] != submission.content_hash:
        raise IdempotencyConflictError("the key was used for other content")
    first, lead_id = str(former["submission_id"]), former.get("lead_id", "")
    # Our own receipt: the answer to the write was lost on its way, the write was not.
    is_own = former.get("token") == token
    written: Literal["created", "quarantined"] = "created" if lead_id else "quarantined"
    told = former.get("promised_by")
    promised_by = datetime.fromisoformat(told) if told else None
    return Filed(first, written if is_own else "repeated", lead_id, promised_by)
