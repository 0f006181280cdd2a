"""Ringing in the table: what somebody was texted lately, so that a burst rings once."""

from datetime import datetime

from shared.adapters import keys
from shared.adapters.dynamodb import Refusal, Table
from shared.domain.ringing import Ring, Ringing, ring
from shared.domain.roster import Rep

RING_TRIES = 4


class RingingTable:
    """One item for each person who is texted."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def ring(self, rep: Rep, lead_id: str, alert_id: str, now: datetime) -> Ring:
        """How the SMS of an alert goes to somebody, by what else was texted to them lately.

        When others are faster again and again it goes by itself: too many rather than none.
        """
        key = keys.ringing(rep.team, rep.rep_id)
        for failures in range(RING_TRIES):
            self._table.pause(failures)
            before = Ringing.model_validate(self._table.get(key) or {})
            decided, after = ring(before, lead_id, alert_id, now)
            if after == before or self._note_ringing(key, before, after):
                return decided
        return "alone"

    def stop_ringing(self, rep: Rep, lead_id: str, alert_id: str) -> None:
        """Forgets the SMS that was to stand for all leads of a burst: it did not go out."""
        key = keys.ringing(rep.team, rep.rep_id)
        for failures in range(RING_TRIES):
            self._table.pause(failures)
            before = Ringing.model_validate(self._table.get(key) or {})
            after = before.without(lead_id, alert_id)
            if after == before or self._note_ringing(key, before, after):
                return

    def _note_ringing(self, key: keys.Key, before: Ringing, after: Ringing) -> bool:
        noted = self._table.put(
            {**key, **after.model_dump(mode="json"), "expires_at": after.kept_until},
            "attribute_not_exists(version) OR version = :read",
            read=before.version,
        )
        try:
            self._table.transact([noted])
        except Refusal:
            return False
        return True
