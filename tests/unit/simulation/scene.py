"""A small policy, people and chance, so that what comes of them can be worked out by hand."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.simulation.play import Chance, Outcome, played
from infra.simulation.stage import Arrival, Stage
from shared.domain.policy import Policy, parse_document
from shared.domain.roster import Rep
from shared.domain.routing import Facts
from tests.unit.domain.samples import a_rep

NINE = datetime(2026, 11, 25, 9, tzinfo=UTC)
"""A Wednesday."""
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
BOSS = a_rep("boss", role="manager")


def a_form(form_id: str, **fields: Any) -> dict[str, Any]:
    return {
        "form_id": form_id,
        "team": "sales",
        "title": "Free consultation",
        "default_region": "GB",
        "thanks_url": "https://ours.net/thanks",
        "fields": {"phone": {"type": "phone"}},
        **fields,
    }


def hours(window: str) -> dict[str, Any]:
    """The same window on every day."""
    return {"zone": "UTC", "week": dict.fromkeys(DAYS, (window,))}


def a_chain(*steps: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The owner is told at once, then come these steps."""
    new = {
        "step": "new",
        "after_seconds": 0,
        "alert": [{"who": "owner", "kind": "new", "via": ["sms", "email"]}],
    }
    return {"steps": [new, *steps], **fields}


OFFER = {
    "step": "offer",
    "after_seconds": 600,
    "alert": [{"who": "team", "kind": "offer", "via": ["sms"]}],
}
REASSIGN = {"step": "reassign", "after_seconds": 300, "reassign": True}
DOCUMENTS: dict[str, object] = {
    "form/fast": a_form("fast"),
    "form/slow": a_form("slow", chain="slow"),
    "form/day": a_form("day", calendar="day"),
    "form/support": a_form("support", team="support"),
    "calendar/always": {"zone": "UTC", "always": True},
    "calendar/day": hours("08:00-16:00"),
    "calendar/night": hours("22:00-06:00"),
    "chain/default": a_chain(),
    "chain/slow": a_chain(respond_within_seconds=3600),
}


def a_policy(**changed: object) -> Policy:
    """`chain_default=` changes the document `chain/default`."""
    documents = {
        **DOCUMENTS,
        **{name.replace("_", "/"): body for name, body in changed.items()},
    }
    parsed = {name: parse_document(name, body) for name, body in documents.items()}
    return Policy(1, parsed.get, names=parsed)


def after(seconds: float) -> datetime:
    return NINE + timedelta(seconds=seconds)


def a_lead_at(seconds: float, form_id: str = "fast", **fields: Any) -> Arrival:
    return Arrival(after(seconds), Facts(form_id, "Direct", "en", "GB"), **fields)


def steady(call: float = 240, *reactions: float) -> Chance:
    """Always the same call and, after those given, reactions of a minute."""
    others = itertools.chain(reactions, itertools.repeat(60))
    return Chance(timedelta(seconds=call), (timedelta(seconds=reaction) for reaction in others))


def play(
    people: list[Rep],
    *arrivals: Arrival,
    policy: Policy | None = None,
    chances: dict[int, Chance] | None = None,
) -> list[Outcome]:
    """Calls of four minutes after reactions of one, where a lead has no chance of its own."""
    stage = Stage(policy or a_policy(), people)
    return played(stage, arrivals, lambda number: (chances or {}).get(number) or steady())


def called(outcomes: list[Outcome]) -> list[tuple[str | None, float | None]]:
    """By whom and when, in seconds after nine."""
    return [
        (one.called_by, (one.called_at - NINE).total_seconds() if one.called_at else None)
        for one in outcomes
    ]
