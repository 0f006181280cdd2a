"""A person's action on a lead, recorded once, whoever else writes the lead in the same moment."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, Protocol

from shared.domain.actions import Action, act, undo
from shared.domain.clocks import Terms
from shared.domain.lead import Change, Lead
from shared.domain.policy import Policy
from shared.errors import PolicyError, UnknownLinkError
from shared.races import on_latest_lead


class Leads(Protocol):
    def lead(self, lead_id: str) -> Lead | None: ...
    def record(self, lead: Lead, change: Change, *, actor: str, at: datetime) -> Lead: ...


class Policies(Protocol):
    def version(self, number: int) -> Policy: ...


class Parts(Protocol):
    """The parts that recording needs."""

    @property
    def leads(self) -> Leads: ...
    @property
    def policies(self) -> Policies: ...
    @property
    def pause(self) -> Callable[[float], None]: ...


class Actor(NamedTuple):
    """Whose action it is, and who recorded it."""

    team: str
    rep_id: str
    recorded_by: str
    """The person themselves, or an operator in their name."""
    has_answered: bool
    """Whether it shows that the person is there: alerts without an answer count from zero then."""


def act_on_latest(
    lead_id: str, action: Action, actor: Actor, parts: Parts, now: datetime
) -> Lead | None:
    """Records an action once, however often it is sent: the lead after it, None when it was done.

    Raises IllegalActionError for what cannot be done, UnknownLinkError for a lead of another team,
    LeadChangedError when it never stood still.
    """

    def decide(lead: Lead) -> Change | None:
        return act(lead, action, actor.rep_id, now, terms_of(lead, parts.policies))

    return _on_latest(lead_id, decide, actor, parts, now)


def undo_on_latest(
    lead_id: str, action_id: str, actor: Actor, parts: Parts, now: datetime
) -> Lead | None:
    """Takes back once what the person did last. Raises the same."""
    return _on_latest(
        lead_id, lambda lead: undo(lead, action_id, actor.rep_id, now), actor, parts, now
    )


def _on_latest(
    lead_id: str,
    decide: Callable[[Lead], Change | None],
    actor: Actor,
    parts: Parts,
    now: datetime,
) -> Lead | None:
    """When somebody writes the lead in the same moment it is read again and judged again, so that a
    person never loses to a machine.
    """

    def record(lead: Lead | None) -> Lead | None:
        if lead is None or lead.team != actor.team:
            raise UnknownLinkError("no such lead")
        change = decide(lead)
        if change is None:
            return None
        if actor.has_answered:
            change = change._replace(answered_by=actor.rep_id)
        return parts.leads.record(lead, change, actor=actor.recorded_by, at=now)

    return on_latest_lead(lead_id, parts.leads, record, parts.pause)


def terms_of(lead: Lead, policies: Policies) -> Terms:
    """What the policy says that the lead follows. Raises PolicyError when it cannot be read."""
    return Terms.of(policies.version(lead.policy_version), lead)


def readable_terms(lead: Lead, policies: Policies) -> Terms | None:
    """The same; None when it cannot be read, for a look at many leads."""
    try:
        return terms_of(lead, policies)
    except PolicyError:
        return None
