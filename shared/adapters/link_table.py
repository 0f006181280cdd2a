"""Links in the table: what the code in an SMS opens, and who asked for a new one.

A code is kept nowhere: its hash is the key, so that whoever reads the table can open nothing.
"""

import secrets
import string
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from shared.adapters import keys
from shared.adapters.dynamodb import Refusal, Table
from shared.domain.instants import iso
from shared.domain.roster import Rep
from shared.errors import UnknownLinkError

if TYPE_CHECKING:
    # A type only: nothing of the SDK's types is loaded where it runs.
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

LINK_LIFE = timedelta(days=14)
LEASE = timedelta(seconds=30)
"""Longer than `send_alert` can run: a lease that ran out means that its holder died."""
ASKS_FOR_LINK_AFTER = timedelta(minutes=10)
"""Within this somebody is sent no second link that they asked for."""
ASKED_KEPT = timedelta(days=1)
MOST_LINKS_AN_HOUR = 60
"""Links that are asked for cost an SMS each: so many in an hour, whoever asks."""
CODE_LETTERS = string.ascii_letters + string.digits


class Link(BaseModel):
    """What a code in an SMS opens: one lead, or the list of a person."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: Literal["lead", "list"]
    team: str
    rep_id: str
    lead_id: str | None = None
    expires_at: int

    def is_revoked(self, rep: Rep) -> bool:
        """Whether the person's links were revoked since it was made, or within that second."""
        revoked_at = rep.links_revoked_at
        return revoked_at is not None and self.expires_at <= (revoked_at + LINK_LIFE).timestamp()


class LinkTable:
    """Links to one lead, and to the list of a person."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def make_link(self, link: Link) -> str:
        """Stores a link and returns its code, which is kept nowhere."""
        code, opening = new_link(self._table, link)
        self._table.transact([opening])
        return code

    def link(self, code: str, now: datetime) -> Link:
        """What a code opens. Raises UnknownLinkError for a wrong, expired or revoked one alike."""
        item = self._table.get(keys.link(code))
        if item is None or int(item["expires_at"]) <= now.timestamp():
            raise UnknownLinkError("unknown link")
        return Link.model_validate(item)

    def revoke_link(self, code: str, team: str, rep_id: str) -> bool:
        """Ends one link of a person at once; False when they have no such link."""
        ended = self._table.update(
            keys.link(code),
            "SET expires_at = :past",
            "team = :team AND rep_id = :rep",
            past=0,
            team=team,
            rep=rep_id,
        )
        try:
            self._table.transact([ended])
        except Refusal:
            return False
        return True

    def ask_for_link(self, team: str, rep_id: str, now: datetime) -> bool:
        """Notes that somebody wants a new link. False when they wanted one a little while ago, or
        when so many were asked for in this hour that somebody must be playing.
        """
        hour_is_over = int(now.timestamp()) // 3600 * 3600 + 3600
        mark = self._table.put(
            {
                **keys.link_asked(team, rep_id),
                "asked_at": iso(now),
                "expires_at": int((now + ASKED_KEPT).timestamp()),
            },
            "attribute_not_exists(PK) OR asked_at <= :before",
            before=iso(now - ASKS_FOR_LINK_AFTER),
        )
        count = self._table.update(
            keys.links_asked(hour_is_over),
            "SET asked = if_not_exists(asked, :none) + :one, expires_at = :over",
            "attribute_not_exists(PK) OR asked < :most",
            none=0,
            one=1,
            over=hour_is_over,
            most=MOST_LINKS_AN_HOUR,
        )
        try:
            self._table.transact([mark, count])
        except Refusal:
            return False
        return True

    def lease_link(self, asked_at: str, link: Link, now: datetime) -> str | None:
        """Takes the right to send a link that was asked for, and returns its code. None when that
        was done, or another one was asked for since.
        """
        code, opening = new_link(self._table, link)
        lease = self._table.update(
            keys.link_asked(link.team, link.rep_id),
            "SET leased_until = :until",
            "asked_at = :asked AND (attribute_not_exists(leased_until) OR leased_until < :now)",
            asked=asked_at,
            until=iso(now + LEASE),
            now=iso(now),
        )
        try:
            self._table.transact([lease, opening])
        except Refusal:
            return None
        return code


def new_link(table: Table, link: Link) -> "tuple[str, TransactWriteItemTypeDef]":
    """A new code, and what makes it open this: twelve base62 characters, 71 bits."""
    code = "".join(secrets.choice(CODE_LETTERS) for _ in range(12))
    return code, table.put({**keys.link(code), **link.model_dump(mode="json")})
