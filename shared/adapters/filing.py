"""Files submissions: each once, as a new lead or with the open lead of its contact."""

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from shared.adapters import keys
from shared.adapters.contact_guards import MOST_GUARDS, claim
from shared.adapters.dynamodb import Refusal, Table
from shared.adapters.lead_items import expiry, lead_with_events, read_lead
from shared.adapters.receipts import Filed, first_answer, receipt
from shared.domain.events import VISITOR, LeadCaptured, LeadEvent, LeadResubmitted
from shared.domain.instants import iso
from shared.domain.lead import Change, Lead, Said
from shared.domain.projection import apply
from shared.errors import AlreadySettledError, StorageUnavailableError

if TYPE_CHECKING:
    # Types only: who plans or sweeps leads has no use for what reads submissions.
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from shared.domain.intake import Admission
    from shared.domain.submission import Submission

CAPTURE_TRIES = 5
STILL_WAITS = "attribute_exists(PK) AND attribute_not_exists(settled_as)"


class ByHand(NamedTuple):
    """Who enters a submission, and what they have done about its lead already: None for nothing."""

    rep_id: str
    done: Callable[[Lead], Change | None]


class Filing:
    """The one door through which a submission becomes a lead, or part of one."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def capture(
        self,
        submission: "Submission",
        captured: LeadCaptured,
        admission: "Admission | None" = None,
        by_hand: ByHand | None = None,
    ) -> Filed:
        """Files a submission in one transaction: as a new lead, or with its contact's open lead.

        One round trip for a new lead and for a retry, two for one of a contact whose lead is
        closed, which it remembers; three when the contact has an open lead.
        An admission settles the submission's place in the intake in the same transaction, so that
        it happens once; so is what was done about the lead by whoever entered it by hand. Raises
        IdempotencyConflictError when the key was used for other content, AlreadySettledError when
        the intake has the submission no more, StorageUnavailableError when nothing could be stored.
        """
        at = admission.at if admission else submission.received_at
        token = secrets.token_hex(16)
        closed: dict[str, str] = {}
        for number in range(CAPTURE_TRIES):
            self._table.pause(number)
            opened = captured.model_copy(
                update={"previous_lead_id": next(iter(closed.values()), None)}
            )
            lead = Lead.opened_by(submission, opened, token, at)
            lead, events = _and_done(lead, [opened], by_hand, at)
            writes = [
                receipt(
                    self._table,
                    submission,
                    lead.lead_id,
                    at,
                    token,
                    opened.promised_by,
                    from_intake=bool(admission),
                ),
                *lead_with_events(self._table, None, lead, events, _actor(admission, by_hand), at),
                self._submission(submission, lead.lead_id),
                *(
                    claim(self._table, guard, lead.lead_id, closed.get(guard))
                    for guard in lead.guards
                ),
            ]
            first_guard = len(writes) - len(lead.guards)
            try:
                self._table.transact([*writes, *self._settled(admission, lead.lead_id)])
            except Refusal as refusal:
                if filed := self._filed_before(refusal, submission, len(writes), token):
                    return filed
                known = {
                    guard: refusal.former[place]
                    for place, guard in enumerate(lead.guards, start=first_guard)
                    if place in refusal.former
                }
                held = {g: str(item["lead_id"]) for g, item in known.items() if item["is_open"]}
                closed |= {g: str(item["lead_id"]) for g, item in known.items() if g not in held}
                if not held:
                    continue
                joined = self._join(submission, captured, held, closed, admission, token, by_hand)
                if joined is not None:
                    return joined
            else:
                return Filed(submission.submission_id, "created", lead.lead_id, opened.promised_by)
        raise StorageUnavailableError("the contact's lead never stood still")

    def _settled(
        self, admission: "Admission | None", lead_id: str
    ) -> "list[TransactWriteItemTypeDef]":
        return [settled(self._table, admission, lead_id)] if admission else []

    def _filed_before(
        self, refusal: Refusal, submission: "Submission", place_of_admission: int, token: str
    ) -> Filed | None:
        """What the submission became when it was filed first, if that is why it was refused."""
        if place_of_admission in refusal.former:
            raise AlreadySettledError(submission.submission_id)
        return first_answer(refusal.former[0], submission, token) if 0 in refusal.former else None

    def _join(
        self,
        submission: "Submission",
        captured: LeadCaptured,
        held: Mapping[str, str],
        closed: Mapping[str, str],
        admission: "Admission | None",
        token: str,
        by_hand: ByHand | None,
    ) -> Filed | None:
        """Adds a submission to its contact's open lead; None when that lead has just changed."""
        lead_id, *others = dict.fromkeys(held.values())
        lead = read_lead(self._table, lead_id)
        if lead is None or lead.status == "closed":
            return None
        resubmitted = LeadResubmitted(
            submission_id=submission.submission_id,
            form_id=submission.form_id,
            channel=submission.channel,
            verdict=captured.verdict,
            respond_by=captured.respond_by,
            # After the first call nobody looks whether there is another.
            promised_by=captured.promised_by if lead.awaits_attempt else None,
            other_lead_id=others[0] if others else None,
            came=submission.came,
        )
        # All guards are released in the transaction that closes the lead, so they are few.
        room = MOST_GUARDS - len(lead.guards)
        new = [guard for guard in submission.contact.guards if guard not in held][: max(0, room)]
        at = admission.at if admission else submission.received_at
        joined = apply(lead, Change((resubmitted,)), at)
        # What waited in a queue or in the intake may be older than what the lead was told since.
        is_last = submission.received_at >= (lead.resubmitted_at or lead.received_at)
        joined = joined.told_by(Said.of(submission), is_last=is_last).model_copy(
            update={"guards": (*lead.guards, *new)}
        )
        joined, events = _and_done(joined, [resubmitted], by_hand, at)
        writes = [
            receipt(
                self._table,
                submission,
                lead_id,
                at,
                token,
                resubmitted.promised_by,
                from_intake=bool(admission),
            ),
            *lead_with_events(self._table, lead, joined, events, _actor(admission, by_hand), at),
            self._submission(submission, lead_id),
            *(claim(self._table, guard, lead_id, closed.get(guard)) for guard in new),
        ]
        try:
            self._table.transact([*writes, *self._settled(admission, lead_id)])
        except Refusal as refusal:
            return self._filed_before(refusal, submission, len(writes), token)
        return Filed(submission.submission_id, "joined", lead_id, resubmitted.promised_by)

    def _submission(self, submission: "Submission", lead_id: str) -> "TransactWriteItemTypeDef":
        return self._table.put(
            {
                **keys.submission(lead_id, submission.submission_id),
                **submission.model_dump(mode="json"),
                **expiry(submission),
            }
        )


def settled(
    table: Table, admission: "Admission", lead_id: str | None
) -> "TransactWriteItemTypeDef":
    """Settles a submission, if it still waits for somebody to see to it."""
    kept = admission.kept
    return table.update(
        keys.intake(kept.received_at.date().isoformat(), kept.submission_id),
        "SET settled_as = :settled, lead_id = :lead, settled_at = :at, settled_by = :by",
        STILL_WAITS,
        settled=admission.settlement if lead_id else "dismissed",
        lead=lead_id,
        at=iso(admission.at),
        by=admission.by,
    )


def _and_done(
    lead: Lead, events: list[LeadEvent], by_hand: ByHand | None, at: datetime
) -> tuple[Lead, list[LeadEvent]]:
    """The lead and its events with what was done about it in the moment it was filed."""
    change = by_hand.done(lead) if by_hand else None
    if change is None:
        return lead, events
    return apply(lead, change, at), [*events, *change.events]


def _actor(admission: "Admission | None", by_hand: ByHand | None) -> str:
    if by_hand:
        return by_hand.rep_id
    return admission.by if admission else VISITOR
