"""The planner: what is due for a lead now, and when to look again. Pure: data, policy and a moment
in, events and a bookmark out. Whoever calls it, however often and however late, each step is done
once.
"""

from datetime import datetime

from shared.domain import events as happened
from shared.domain.calendar import Calendar
from shared.domain.chain import Audience, Chain, Step
from shared.domain.events import AlertKind, LeadEvent, Via
from shared.domain.lead import Change, FollowUp, Lead
from shared.domain.roster import Rep, Roster

EVERY_CHANNEL: tuple[Via, ...] = ("sms", "email")


def plan(
    lead: Lead,
    chain: Chain,
    calendar: Calendar,
    roster: Roster,
    now: datetime,
    *,
    new_run: bool = False,
) -> Change | None:
    """The change that is due for this lead; None when nothing is.

    `new_run` gives up the execution that should have woken the lead and did not.
    """
    if lead.status == "closed":
        return None
    follow_up = lead.follow_up
    draft = _Draft(lead, chain, roster)
    is_followed = lead.awaits_attempt and lead.verdict in chain.follow
    if not is_followed:
        follow_up = follow_up.model_copy(update={"wake_at": None, "planned": True})
    elif not (follow_up.planned and follow_up.wake_at is None):
        follow_up = _walk(draft, calendar, now, new_run=new_run)
    if lead.submissions > lead.follow_up.told_submissions:
        follow_up = _tell_again(draft, follow_up, now, is_followed=is_followed)
    if not draft.events and follow_up == lead.follow_up:
        return None
    return Change(tuple(draft.events), follow_up)


def needs_rep(lead: Lead, chain: Chain) -> bool:
    """Whether the next plan may assign the lead, and so wants a turn of the rotation."""
    return lead.awaits_attempt and lead.rep_id is None and lead.verdict in chain.follow


def _walk(draft: "_Draft", calendar: Calendar, now: datetime, *, new_run: bool) -> FollowUp:
    """Does every step that is due and returns the bookmark before the first that is not."""
    lead, chain = draft.lead, draft.chain
    round_number, number = lead.follow_up.round, lead.follow_up.step
    wake_at: datetime | None = None
    while round_number <= chain.rounds:
        due = calendar.due(lead.clock_started_at, chain.offset_seconds(round_number, number))
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
    return lead.follow_up.model_copy(
        update={
            "round": round_number,
            "step": number,
            "run": _run(lead.follow_up, wake_at, new_run=new_run),
            "wake_at": wake_at,
            "planned": True,
        }
    )


def _run(before: FollowUp, wake_at: datetime | None, *, new_run: bool) -> int:
    """The execution that wakes the lead.

    One that waits for a later time is left to end by itself.
    """
    if wake_at is None:
        return before.run
    wakes_in_time = before.wake_at is not None and before.wake_at <= wake_at
    return before.run if wakes_in_time and not new_run else before.run + 1


def _tell_again(
    draft: "_Draft", follow_up: FollowUp, now: datetime, *, is_followed: bool
) -> FollowUp:
    """The owner hears of further submissions, also after the first call; many at once are one.

    Whoever is on duty gets a lead that nobody had; while nobody is, it stays due.
    """
    if draft.owner is None and is_followed:
        draft.assign()
    if draft.owner is None:
        if is_followed:
            return follow_up
        # Nobody follows this lead up: there is nobody to tell.
        return follow_up.model_copy(update={"told_submissions": draft.lead.submissions})
    if now < follow_up.may_tell_again_at:
        return follow_up
    draft.alert(
        draft.owner,
        "again",
        EVERY_CHANNEL,
        f"again{draft.lead.submissions}",
        "again",
        follow_up.round,
    )
    return follow_up.model_copy(
        update={"told_submissions": draft.lead.submissions, "told_again_at": now}
    )


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
            self.assign()
            tells = any(a.who == "owner" and a.kind == "new" for a in step.alert)
            if self.owner is not None and not tells:
                # Assigned late: nobody has told the owner yet what the later steps remind of.
                prefix = f"{round_number}-assigned"
                self.alert(self.owner, "new", EVERY_CHANNEL, prefix, step.step, round_number)
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
                self.alert(
                    rep,
                    audience.kind,
                    audience.via,
                    f"{round_number}-{step.step}",
                    step.step,
                    round_number,
                )

    def assign(self) -> None:
        self.owner = self.roster.next_in_turn()
        if self.owner is not None:
            self.events.append(happened.LeadAssigned(rep_id=self.owner.rep_id, rule="round_robin"))
        elif not self.is_known_unassigned:
            self.is_known_unassigned = True
            self.events.append(happened.AssignmentFailed(reason="nobody_on_duty"))
            for manager in self.roster.managers:
                self.alert(manager, "unassigned", EVERY_CHANNEL, "unassigned", "unassigned", 1)

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

    def alert(
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
