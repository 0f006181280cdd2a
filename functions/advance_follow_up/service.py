"""Does the step of a lead's chain that is due, if any, and says when to look again."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol, TypeVar

from shared.domain.clocks import Terms
from shared.domain.follow_up import needs_rep, plan
from shared.domain.instants import iso
from shared.domain.lead import Change, Lead
from shared.domain.policy import Policy
from shared.domain.roster import Rep, Roster
from shared.domain.routing import Chosen, Nobody, Rotation, choose
from shared.observability import Metric
from shared.races import on_latest_lead

T = TypeVar("T")

ACTOR = "advance_follow_up"
WAKE_UP_MISSED = Metric("WakeUpMissed")


class Leads(Protocol):
    def lead(self, lead_id: str) -> Lead | None: ...
    def record(self, lead: Lead, change: Change, *, actor: str, at: datetime) -> Lead: ...


class People(Protocol):
    def of_team(self, team: str) -> list[Rep]: ...
    def take_turn(self, team: str, choose: Callable[[Rotation], tuple[T, Rotation]]) -> T: ...


class Policies(Protocol):
    def current(self) -> Policy: ...
    def version(self, number: int) -> Policy: ...


class Escalation(Protocol):
    def wake(self, lead_id: str, run: int, at: datetime) -> None: ...


class AlertQueue(Protocol):
    def send(self, messages: Sequence[Mapping[str, object]]) -> None: ...


class Advanced(NamedTuple):
    """What the state machine goes on with: `done`, or the next moment to wake at."""

    lead_id: str
    run: int
    wake_at: str | None
    done: bool
    missed: bool = False
    """Whether the sweeper found something that really had been missed; a test does not count."""


class Parts(NamedTuple):
    """The parts that advancing needs."""

    leads: Leads
    people: People
    policies: Policies
    escalation: Escalation
    alert_queue: AlertQueue
    pause: Callable[[float], None]


def advance(
    lead_id: str,
    parts: Parts,
    now: datetime,
    *,
    run: int | None = None,
    swept: bool = False,
    undone: bool = False,
) -> Advanced:
    """Advances one lead. `run` is given by the state machine, `swept` when a wake-up was missed,
    `undone` when somebody took back what they did.

    The lead is read afresh and decided afresh whenever somebody else wrote it first. Raises
    LeadChangedError when that happens again and again.
    """

    def do_what_is_due(lead: Lead | None) -> Advanced:
        if lead is None or (run is not None and run != lead.follow_up.run):
            return Advanced(lead_id, run or 0, None, done=True)
        missed = swept and not lead.is_test and lead.was_missed(now)
        asked_before = lead.open_alerts
        lead = _record_what_is_due(lead, parts, now, swept=swept)
        advanced = _go_on(lead, parts, woken_by_machine=run is not None)
        if swept:
            # The stream or the bus is late: alerts do not wait for it.
            _ask_again(lead, lead.open_alerts, parts)
        elif undone:
            # What was called off waits again, and its event is long past.
            _ask_again(lead, asked_before, parts)
        return advanced._replace(missed=missed)

    return on_latest_lead(lead_id, parts.leads, do_what_is_due, parts.pause)


def _record_what_is_due(lead: Lead, parts: Parts, now: datetime, *, swept: bool) -> Lead:
    # The lead follows the policy that it was captured under, whatever was published since.
    terms = Terms.of(parts.policies.version(lead.policy_version), lead)
    # People and their shifts are what they are today.
    roster = Roster(parts.people.of_team(lead.team), now, parts.policies.current().shift)
    turn = _take_turn(lead, terms, roster, parts) if needs_rep(lead, terms, roster) else None
    change = plan(lead, terms, roster, turn=turn, new_run=swept and lead.overslept(now))
    if change is None:
        return lead
    return parts.leads.record(lead, change, actor=ACTOR, at=now)


def _take_turn(lead: Lead, terms: Terms, roster: Roster, parts: Parts) -> Chosen | Nobody:
    """Who gets a lead that nobody has; the owner of the contact's last one, where rules ask."""
    previous = None
    if lead.previous_lead_id and any(rule.to == "previous_owner" for rule in terms.rules):
        previous = parts.leads.lead(lead.previous_lead_id)
    previous_owner = previous.rep_id if previous and previous.team == lead.team else None

    def next_one(rotation: Rotation) -> tuple[Chosen | Nobody, Rotation]:
        return choose(terms.rules, roster, rotation, previous_owner)

    return parts.people.take_turn(lead.team, next_one)


def _ask_again(lead: Lead, alerts: Iterable[str], parts: Parts) -> None:
    """Has alerts sent that were asked for. The lease keeps them single."""
    waiting = [alert_id for alert_id in alerts if alert_id in lead.open_alerts]
    if waiting:
        parts.alert_queue.send([{"lead_id": lead.lead_id, "alert_id": key} for key in waiting])


def _go_on(lead: Lead, parts: Parts, *, woken_by_machine: bool) -> Advanced:
    wake_at = lead.follow_up.wake_at
    if wake_at is not None and not woken_by_machine:
        parts.escalation.wake(lead.lead_id, lead.follow_up.run, wake_at)
    return Advanced(
        lead.lead_id, lead.follow_up.run, iso(wake_at) if wake_at else None, wake_at is None
    )
