"""A lead and its events as items: read as it is now, and always written together."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared.adapters import keys
from shared.adapters.dynamodb import Table
from shared.domain.events import LeadEvent, RecordedEvent
from shared.domain.instants import iso
from shared.domain.lead import Lead

if TYPE_CHECKING:
    # Types only: who plans or sweeps leads has no use for what reads submissions.
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from shared.domain.submission import Submission

TEST_KEPT = timedelta(days=2)


def read_lead(table: Table, lead_id: str) -> Lead | None:
    """The lead as it is now."""
    item = table.get(keys.lead(lead_id))
    return Lead.model_validate(item) if item else None


def lead_with_events(
    table: Table,
    before: Lead | None,
    after: Lead,
    events: Sequence[LeadEvent],
    actor: str,
    at: datetime,
) -> "list[TransactWriteItemTypeDef]":
    """The projection, conditional on the version that was read, and its new events."""
    item = {
        **keys.lead(after.lead_id),
        **after.model_dump(mode="json"),
        **_index_keys(after),
        **expiry(after),
    }
    if before is None:
        lead = table.put(item, "attribute_not_exists(PK)")
    else:
        lead = table.put(item, "version = :read", read=before.version)
    first = (before.sequence if before else 0) + 1
    recorded = [
        RecordedEvent(
            lead_id=after.lead_id,
            sequence=number,
            at=at,
            actor=actor,
            form_id=after.form_id,
            channel=after.channel,
            is_test=after.is_test,
            event=event,
        )
        for number, event in enumerate(events, start=first)
    ]
    return [
        lead,
        *(
            table.put(
                {
                    **keys.event(after.lead_id, event.sequence),
                    **event.flat(),
                    **expiry(after),
                },
                "attribute_not_exists(PK)",
            )
            for event in recorded
        ),
    ]


def expiry(of: "Submission | Lead") -> dict[str, int]:
    """What is only a test does not stay."""
    return {"expires_at": int((of.received_at + TEST_KEPT).timestamp())} if of.is_test else {}


def _index_keys(lead: Lead) -> dict[str, Any]:
    """Attributes that exist for an index only; an absent one keeps the lead out of it."""
    shard = keys.shard(lead.lead_id)
    due_at = lead.due_at
    return {
        "day_shard": None if lead.is_test else keys.day_shard(iso(lead.received_at)[:10], shard),
        "open_rep": keys.open_rep(lead.team, lead.rep_id) if lead.status == "open" else None,
        "due_shard": keys.due_shard(shard) if due_at else None,
        "due_at": iso(due_at) if due_at else None,
    }
