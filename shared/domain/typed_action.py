"""What a person types when they act on a lead, on a page or in a terminal, read into an action."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import get_args
from zoneinfo import ZoneInfo

from shared.domain.actions import Action, ActionName
from shared.domain.roster import Roster
from shared.errors import IllegalActionError

NOTE_LENGTH = 2000
SUM_DIGITS = 12
CURRENCIES = ("EUR", "USD", "GBP", "RUB", "KZT", "BYN")
_CURRENCY_OF = {"BY": "BYN", "GB": "GBP", "KZ": "KZT", "RU": "RUB", "US": "USD"}

_ACTION_ID = re.compile(r"[0-9a-f]{32}")
# Three digits after a point or a comma are thousands: nobody writes a tenth of a cent.
_SUM = re.compile(
    r"(?P<whole>[1-9][0-9]{0,2}(?P<gap>[.,])[0-9]{3}(?:(?P=gap)[0-9]{3})*|[0-9]+)"
    r"(?:[.,](?P<cents>[0-9]{1,2}))?"
)


def usual_currency(country: str | None, locale: str) -> str:
    """In which currency somebody of a country most likely pays; where that is not known, somebody
    of a language.
    """
    if country is None:
        return "RUB" if locale == "ru" else "EUR"
    return _CURRENCY_OF.get(country, "EUR")


def read_action(posted: Mapping[str, str], zone: str, roster: Roster) -> Action:
    """The action that a posted form says; times in it are those of a zone.

    Raises IllegalActionError with `stale_page`, `unknown_action`, `currency_needed`,
    `person_needed` or `note_too_long`; `shared.domain.actions.act` knows the other reasons.
    """
    action_id = posted.get("action_id", "")
    if not _ACTION_ID.fullmatch(action_id):
        raise IllegalActionError("stale_page")
    name = next((name for name in get_args(ActionName) if name == posted.get("action")), None)
    if name is None:
        raise IllegalActionError("unknown_action")
    # Browsers send a line break as two letters, and count it as one.
    note = posted.get("note", "").replace("\r\n", "\n").strip()
    if len(note) > NOTE_LENGTH:
        raise IllegalActionError("note_too_long")
    currency = posted.get("currency")
    if name == "win" and currency not in CURRENCIES:
        raise IllegalActionError("currency_needed")
    colleague = roster.get(posted.get("to_rep_id")) if name == "hand_over" else None
    if name == "hand_over" and (colleague is None or not colleague.active):
        raise IllegalActionError("person_needed")
    return Action(
        name=name,
        # Another button of the same form, on a page that the browser kept, is another action.
        action_id=f"{action_id}-{name}",
        reason=posted.get("reason") or None,
        amount=read_sum(posted.get("amount", "")) if name == "win" else None,
        currency=currency if name == "win" else None,
        until=read_time(posted.get("until", ""), zone) if name == "snooze" else None,
        to_rep_id=colleague.rep_id if colleague else None,
        note=note or None,
    )


def read_time(text: str, zone: str) -> datetime | None:
    """A local time as browsers send it, `2026-11-30T10:00`; None for anything else."""
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        return None
    return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) if local.tzinfo is None else None


def read_sum(text: str) -> Decimal | None:
    """A sum as people type it: `1200`, `1 200,50`, `1,200.50`, `1.200`; None for anything else."""
    match = _SUM.fullmatch(re.sub(r"[\s'’]", "", text))
    if match is None:
        return None
    whole = re.sub(r"[.,]", "", match["whole"])
    return Decimal(f"{whole}.{match['cents'] or '00'}") if len(whole) <= SUM_DIGITS else None
