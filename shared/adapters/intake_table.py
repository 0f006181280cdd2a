"""The intake in the table: how a submission that made no lead is kept and found again."""

import secrets
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared.adapters import keys
from shared.adapters.dynamodb import Refusal, Table
from shared.adapters.filing import STILL_WAITS, settled
from shared.adapters.receipts import Filed, first_answer, receipt
from shared.domain.intake import Admission, Kept
from shared.domain.submission import receipt_of
from shared.errors import AlreadySettledError

if TYPE_CHECKING:
    # Types only: who plans or sweeps leads has no use for what reads submissions.
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from shared.domain.contact import Contact
    from shared.domain.submission import Decoded, Submission


class IntakeTable:
    """Submissions that made no lead."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def keep(self, kept: Kept) -> None:
        """Keeps a submission until it expires; one with the same id takes the other's place, unless
        somebody saw to that."""
        with suppress(Refusal):
            self._table.transact([self._table.put(_item(kept), "attribute_not_exists(settled_as)")])

    def quarantine(self, kept: Kept, submission: "Submission") -> Filed:
        """Keeps a submission with a receipt, so that a repeat of it gets the same answer.

        Raises IdempotencyConflictError when the key was used for other content.
        """
        token = secrets.token_hex(16)
        at, promised_by = submission.received_at, kept.promised_by
        try:
            self._table.transact(
                [
                    receipt(self._table, submission, None, at, token, promised_by),
                    self._table.put(_item(kept)),
                ]
            )
        except Refusal as refusal:
            return first_answer(refusal.former[0], submission, token)
        return Filed(submission.submission_id, "quarantined", "", promised_by)

    def find(self, submission_id: str, today: date, days: int = 90) -> Kept | None:
        """The submission with this id of the last days; None when it expired or never was.

        What comes again on another day stands there once more: the one that waits, or the last.
        """
        wanted = [
            keys.intake((today - timedelta(days=ago)).isoformat(), submission_id)
            for ago in range(-1, days + 1)
        ]
        found = self._table.get_many(wanted)
        all_days = map(Kept.model_validate, found)
        return max(
            all_days, key=lambda kept: (kept.settled_as is None, kept.received_at), default=None
        )

    def received_on(self, day: date, now: datetime) -> Iterator[Kept]:
        """What was received on a UTC date and has not expired, in no order."""
        for shard in keys.SHARDS:
            for item in self._table.query("PK = :pk", pk=keys.intake(day.isoformat(), shard)["PK"]):
                kept = Kept.model_validate(item)
                if kept.expires_at > now:
                    yield kept

    def completed_by(
        self, form_id: str, decoded: "Decoded", contact: "Contact | None"
    ) -> str | None:
        """The lead that has the same id, the same key or the same contact."""
        receipt = receipt_of(decoded.external_id, decoded.idempotency_key, "")
        names = [keys.receipt(form_id, receipt.key)]
        names += [keys.contact(guard) for guard in (contact.guards if contact else ())]
        found = {item["PK"]: item for item in self._table.get_many(names)}
        leads = (found.get(name["PK"], {}).get("lead_id") for name in names)
        return next(filter(None, leads), None)

    def correct(self, kept: Kept) -> None:
        """Replaces what was decoded. Raises AlreadySettledError when somebody saw to it."""
        self._write_waiting(self._table.put(_item(kept), STILL_WAITS), kept)

    def settle(self, admission: Admission, lead_id: str | None) -> None:
        """Settles a submission that made no lead of its own: `lead_id` is that of the one that it
        belongs to, None for one that is dismissed. Raises AlreadySettledError.
        """
        self._write_waiting(settled(self._table, admission, lead_id), admission.kept)

    def _write_waiting(self, write: "TransactWriteItemTypeDef", kept: Kept) -> None:
        try:
            self._table.transact([write])
        except Refusal as refusal:
            raise AlreadySettledError(kept.submission_id) from refusal


def _item(kept: Kept) -> dict[str, Any]:
    return {
        **keys.intake(kept.received_at.date().isoformat(), kept.submission_id),
        **kept.model_dump(mode="json"),
        "expires_at": int(kept.expires_at.timestamp()),
    }
