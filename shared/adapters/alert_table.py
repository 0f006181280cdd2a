"""Alerts in the table: who may send one now, and what became of it."""

from datetime import datetime

from shared.adapters import keys
from shared.adapters.dynamodb import Refusal, Table
from shared.adapters.link_table import LEASE, LINK_LIFE, Link, new_link
from shared.domain.events import AlertFailed, AlertSent
from shared.domain.instants import iso
from shared.errors import AlertLeasedError

ALERT_KEPT = LINK_LIFE
"""How long it is known that an alert was sent: far longer than any queue may bring it again."""


class AlertTable:
    """One item for each alert, beside its lead."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def lease_alert(
        self, lead_id: str, alert_id: str, link: Link, now: datetime
    ) -> str | AlertSent | AlertFailed:
        """Takes the right to send one alert and makes the code that its text will carry.

        Returns the code; or what became of the alert, when it was settled before. Raises
        AlertLeasedError while another worker holds the lease: also one that settled the alert, and
        is about to record it.
        """
        code, opening = new_link(self._table, link)
        lease = self._table.put(
            {
                **keys.alert(lead_id, alert_id),
                "leased_until": iso(now + LEASE),
                "expires_at": int((now + ALERT_KEPT).timestamp()),
            },
            "attribute_not_exists(PK) OR (attribute_not_exists(outcome) AND leased_until < :now)",
            now=iso(now),
        )
        try:
            self._table.transact([lease, opening])
        except Refusal as refusal:
            former = refusal.former[0]
            # Who settled an alert before leases were kept left none.
            if former.get("leased_until", "") >= iso(now):
                raise AlertLeasedError(alert_id) from refusal
            outcome = former["outcome"]
            return (AlertSent if "message_id" in outcome else AlertFailed).model_validate(outcome)
        return code

    def settle_alert(self, lead_id: str, outcome: AlertSent | AlertFailed) -> None:
        """Notes what became of an alert, so that nobody ever sends it again.

        Nobody else writes this item: unlike the lead's, it is never contended, so that as little as
        can be stands between SNS's answer and the note of it.
        """
        self._table.transact(
            [
                self._table.update(
                    keys.alert(lead_id, outcome.alert_id),
                    "SET outcome = :outcome",
                    outcome=outcome.model_dump(mode="json"),
                )
            ]
        )
