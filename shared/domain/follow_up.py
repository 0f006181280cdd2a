"""The planner: what is due for a lead now, and when to look again. Pure: data, policy and a moment
in, events and a bookmark out. Whoever calls it, however often and however late, each step is done
once.
"""

from collections.abc import Iterator
from datetime import datetime

from shared.domain import events as happened
from shared.domain.calendar import Calendar
from shared.domain.chain import Audience, Chain, Step
from shared.domain.events import AlertKind, LeadEvent, Via
from shared.domain.lead import Change, FollowUp, Lead
from shared.domain.roster import Rep, Roster

EVERY_CHANNEL: tuple[Via, ...] = ("sms", "email")


def plan(
    lead: Lead, chain: Chain, calendar: Calendar, roster: Roster, now: datetime
) -> Change | None:
    """The change that is due for this lead; None when nothing is."""
    if lead.status == "closed":
        return None
    follow_up = lead.follow_up
    events: list[LeadEvent] = []
    if not lead.awaits_attempt or lead.verdict not in chain.follow:
        follow_up = follow_up.model_copy(update={"wake_at": None, "planned": True})
    elif not (follow_up.planned and follow_up.wake_at is None):
        draft = _Draft(lead, chain, roster)
        follow_up = _walk(draft, calendar, now)
        events = draft.events
    events += _tell_of_resubmission(lead, roster, follow_up)
    follow_up = follow_up.model_copy(update={"told_submissions": lead.submissions})
    if not events and follow_up == lead.follow_up:
        return None
    return Change(tuple(events), follow_up)


def needs_rep(lead: Lead, chain: Chain) -> bool:
    """Whether the next plan may assign the lead, and so wants a turn of the rotation."""
    return lead.awaits_attempt and lead.rep_id is None and lead.verdict in chain.follow


def _walk(draft: "_Draft", calendar: Calendar, now: datetime) -> FollowUp:
    """Does every step that is due and returns the bookmark before the first that is not."""
    lead, chain = draft.lead, draft.chain
    round_number, number = lead.follow_up.round, lead.follow_up.step
    wake_at: datetime | None = None
    while round_number <= chain.rounds:
        due = calendar.due(lead.received_at, chain.offset_seconds(round_number, number))
        if due > now:
            wake_at = due
            break
        if number < len(chain.steps):
            draft.do(chain.steps[number], round_number)
            number += 1
        else:
            round_number, number = round_number + 1, 0
    else:
        draft.events.append(
            happened.LeadEscalated(step="end", to="manager", ends_chain=True),
        )
    return FollowUp(
        round=round_number,
        step=number,
        run=_run(lead.follow_up, wake_at),
        wake_at=wake_at,
        planned=True,
    )


def _run(before: FollowUp, wake_at: datetime | None) -> int:
    """The execution that wakes the lead.

    One that waits for a later time than this is left to end by itself.
    """
    if wake_at is None:
        return before.run
    is_waiting_long_enough = before.wake_at is not None and before.wake_at <= wake_at
    return before.run if is_waiting_long_enough else before.run + 1


class _Draft:
    """The events of one plan, and who owns the lead after them."""

    def __init__(self, lead: Lead, chain: Chain, roster: Roster) -> None:
        self.lead = lead
        self.chain = chain
        self.roster = roster
        self.owner = roster.get(lead.rep_id)
        self.events: list[LeadEvent] = []
        self.is_breached = lead.breached_at is not None
        self.is_known_unassigned = lead.assignment_failed_at is not None
        # When several steps are due at once (after an outage) one message per person and channel is
        # enough.
        self.told: set[tuple[str, Via]] = set()

    def do(self, step: Step, round_number: int) -> None:
        """Adds the events of a step whose time has come."""
        acknowledged = "not_acknowledged" if self.lead.acknowledged_at is None else "acknowledged"
        if step.when not in (None, acknowledged):
            return
        if self.owner is None:
            self._assign()
        if step.breach and not self.is_breached:
            self.events.append(happened.ResponseBreached(step=step.step))
            self.is_breached = True
        if step.reassign:
            self._reassign()
        for audience in step.alert:
            people = self._people(audience)
            if people and audience.who != "owner":
                self.events.append(happened.LeadEscalated(step=step.step, to=audience.who))
            for rep in people:
                self._alert(
                    rep,
                    audience.kind,
                    audience.via,
                    f"{round_number}-{step.step}",
                    step.step,
                    round_number,
                )

    def _assign(self) -> None:
        self.owner = self.roster.next_in_turn()
        if self.owner is not None:
            self.events.append(happened.LeadAssigned(rep_id=self.owner.rep_id, rule="round_robin"))
        elif not self.is_known_unassigned:
            self.is_known_unassigned = True
            self.events.append(happened.AssignmentFailed(reason="nobody_on_duty"))
            for manager in self.roster.managers:
                self._alert(manager, "unassigned", EVERY_CHANNEL, "unassigned", "unassigned", 1)

    def _reassign(self) -> None:
        successor = self.roster.next_after(self.owner.rep_id) if self.owner else None
        if self.owner is None or successor is None:
            return
        self.events.append(
            happened.LeadReassigned(
                from_rep_id=self.owner.rep_id, to_rep_id=successor.rep_id, reason="no_reaction"
            )
        )
        self.owner = successor

    def _people(self, audience: Audience) -> tuple[Rep, ...]:
        match audience.who:
            case "owner":
                return (self.owner,) if self.owner else ()
            case "backup":
                backup = self.roster.next_after(self.owner.rep_id) if self.owner else None
                return (backup,) if backup else ()
            case "manager":
                return self.roster.managers
            case "team":
                return self.roster.on_duty

    def _alert(
        self,
        rep: Rep,
        kind: AlertKind,
        channels: tuple[Via, ...],
        prefix: str,
        step: str,
        round_number: int,
    ) -> None:
        for via in channels:
            if rep.reachable_by(via) and (rep.rep_id, via) not in self.told:
                self.told.add((rep.rep_id, via))
                self.events.append(
                    happened.AlertRequested(
                        alert_id=f"{prefix}-{rep.rep_id}-{via}",
                        round=round_number,
                        step=step,
                        kind=kind,
                        rep_id=rep.rep_id,
                        via=via,
                    )
                )


def _tell_of_resubmission(lead: Lead, roster: Roster, follow_up: FollowUp) -> Iterator[LeadEvent]:
    """The owner hears of every further submission, also after the first call."""
    owner = roster.get(lead.rep_id)
    if owner is None or lead.submissions <= lead.follow_up.told_submissions:
        return
    for via in EVERY_CHANNEL:
        if owner.reachable_by(via):
            yield happened.AlertRequested(
                alert_id=f"again{lead.submissions}-{owner.rep_id}-{via}",
                round=follow_up.round,
                step="again",
                kind="again",
                rep_id=owner.rep_id,
                via=via,
            )
