"""A lead on its way through the sample chain: woken, alerted, acted on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from shared.domain import events as happened
from shared.domain.actions import Action, act
from shared.domain.calendar import Calendar
from shared.domain.chain import Chain
from shared.domain.clocks import Terms
from shared.domain.follow_up import needs_rep, plan
from shared.domain.lead import Change, Lead
from shared.domain.projection import apply
from shared.domain.roster import Rep, Roster
from shared.domain.routing import EVERYBODY, Facts, Rotation, Routing, choose
from tests.unit.domain.samples import ALWAYS, SAMPLE_CHAIN, TEAM, TERMS

DEMO = Facts("demo-en", "Direct", "en", "GB")


def a_terms(
    chain: Chain = SAMPLE_CHAIN,
    calendar: Calendar = ALWAYS,
    routing: Routing = EVERYBODY,
    version: int = 1,
) -> Terms:
    return Terms(chain, calendar, "always", routing.matching(DEMO), version)


def planned(
    lead: Lead,
    now: datetime,
    people: Sequence[Rep] = TEAM,
    terms: Terms = TERMS,
    *,
    new_run: bool = False,
) -> Change | None:
    """What is due now, with the first turn of a fresh rotation."""
    roster = Roster(people, now)
    turn = None
    if needs_rep(lead, terms, roster):
        turn, _ = choose(terms.rules, roster, Rotation())
    return plan(lead, terms, roster, turn=turn, new_run=new_run)


def advance(
    lead: Lead, now: datetime, people: Sequence[Rep] = TEAM, terms: Terms = TERMS
) -> tuple[Lead, list[str]]:
    """One advance: the lead after it, and what happened, in short words."""
    change = planned(lead, now, people, terms)
    if change is None:
        return lead, []
    return apply(lead, change, now), [short(event) for event in change.events]


def short(event: happened.LeadEvent) -> str:
    match event:
        case happened.AlertRequested(kind=kind, rep_id=rep_id, via=via):
            return f"{kind} {rep_id} {via}"
        case happened.LeadAssigned(rep_id=rep_id):
            return f"assign {rep_id}"
        case happened.LeadReassigned(to_rep_id=rep_id):
            return f"reassign {rep_id}"
        case happened.LeadEscalated(to=to, ends_chain=ends_chain):
            return "end" if ends_chain else f"escalate {to}"
        case happened.ResponseBreached(step=step):
            return f"ResponseBreached {step}"
        case _:
            return event.type


def settle_alerts(lead: Lead, now: datetime) -> Lead:
    """The lead once all its alerts went out."""
    sent = tuple(
        happened.AlertSent(alert_id=alert_id, rep_id=alert.rep_id, via=alert.via, message_id="m")
        for alert_id, alert in lead.open_alerts.items()
    )
    return apply(lead, Change(sent), now)


def rep_does(
    lead: Lead, name: str, now: datetime, rep_id: str = "anna", terms: Terms = TERMS, **fields: Any
) -> Lead:
    """The lead after somebody did something."""
    action = Action.model_validate({"name": name, "action_id": f"{name}{now}", **fields})
    change = act(lead, action, rep_id, now, terms)
    assert change is not None
    return apply(lead, change, now)


def run_through(
    lead: Lead, people: Sequence[Rep] = TEAM, terms: Terms = TERMS, most: int = 60
) -> dict[datetime, list[str]]:
    """What happens at each moment while nobody reacts and every alert goes out at once."""
    told: dict[datetime, list[str]] = {}
    for _ in range(most):
        now = lead.due_at
        if now is None:
            return told
        lead, told[now] = advance(lead, now, people, terms)
        lead = settle_alerts(lead, now)
    raise AssertionError("it never ends")
