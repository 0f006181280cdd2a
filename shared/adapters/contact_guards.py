"""Contact guards: at most one open lead for each phone and each e-mail.

A guard names the lead of its contact, and for a while also the last one that was closed.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.adapters import keys
from shared.adapters.dynamodb import Table
from shared.domain.lead import Lead

if TYPE_CHECKING:
    # A type only: nothing of the SDK's types is loaded where it runs.
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

MOST_GUARDS = 20
"""Of one lead: all are released in the transaction that closes it."""
CLOSED_CONTACT_KEPT = timedelta(days=400)
"""How long a contact remembers its last lead after that lead was closed."""


def claim(table: Table, guard: str, lead_id: str, closed: str | None) -> "TransactWriteItemTypeDef":
    """Makes the contact this lead's, unless it has another one than the closed one we know."""
    return table.update(
        keys.contact(guard),
        "SET lead_id = :lead, is_open = :yes REMOVE expires_at",
        "attribute_not_exists(PK) OR (is_open = :no AND lead_id = :closed)",
        closed=closed or "",
        lead=lead_id,
        yes=True,
        no=False,
    )


def take_back(table: Table, guard: str, lead_id: str) -> "TransactWriteItemTypeDef":
    """Makes the contact this lead's again, unless another open lead has it."""
    return table.update(
        keys.contact(guard),
        "SET lead_id = :lead, is_open = :yes REMOVE expires_at",
        "attribute_not_exists(PK) OR is_open = :no",
        lead=lead_id,
        yes=True,
        no=False,
    )


def release(table: Table, guard: str, lead: Lead) -> "TransactWriteItemTypeDef":
    """Lets the contact open a new lead; the former one is remembered for a while."""
    kept_until = (lead.closed_at or lead.received_at) + CLOSED_CONTACT_KEPT
    return table.update(
        keys.contact(guard),
        "SET is_open = :no, expires_at = :kept",
        "lead_id = :lead",
        no=False,
        kept=int(kept_until.timestamp()),
        lead=lead.lead_id,
    )
