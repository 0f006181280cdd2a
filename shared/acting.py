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

    rep_id: str
    recorded_by: str
    """The person themselves, or an operator in their name."""
    sees: Callable[[Lead], bool]
    """Whether a lead is there for them: another is as absent as one that never was."""
    has_answered: bool
    """Whether it shows that the person is there: alerts without an answer count from zero then."""


class Recorded(NamedTuple):
    """The lead after an action, and whether that was the first time the action came."""

    lead: Lead
    is_new: bool


def act_on_latest(
    lead_id: str, action: Action, actor: Actor, parts: Parts, now: datetime
) -> Recorded:
    """Records an action once, however often it is sent.

    Raises IllegalActionError for what cannot be done, UnknownLinkError for a lead that is not there
    for the person, LeadChangedError when it never stood still.
    """

    def decide(lead: Lead) -> Change | None:
        return act(lead, action, actor.rep_id, now, terms_of(lead, parts.policies))

    return _on_latest(lead_id, action.action_id, decide, actor, parts, now)


def undo_on_latest(
    lead_id: str, action_id: str, actor: Actor, parts: Parts, now: datetime
) -> Recorded:
    """Takes back once what the person did last. Raises the same."""

    def decide(lead: Lead) -> Change | None:
        return undo(lead, action_id, actor.rep_id, now)

    return _on_latest(lead_id, action_id, decide, actor, parts, now)


def _on_latest(
    lead_id: str,
    action_id: str,
    decide: Callable[[Lead], Change | None],
    actor: Actor,
    parts: Parts,
    now: datetime,
) -> Recorded:
    """When somebody writes the lead in the same moment it is read again and judged again, so that a
    person never loses to a machine.
    """

    def record(lead: Lead | None) -> Recorded:
        # Who did it before may have handed the lead over by that.
        if lead is None or not (actor.sees(lead) or action_id in lead.actions):
            raise UnknownLinkError("no such lead")
        change = decide(lead)
        if change is None:
            return Recorded(lead, is_new=False)
        if actor.has_answered:
            change = change._replace(answered_by=actor.rep_id)
        after = parts.leads.record(lead, change, actor=actor.recorded_by, at=now)
        return Recorded(after, is_new=True)

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
