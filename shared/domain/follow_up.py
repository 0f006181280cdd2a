"""The planner: what is due for a lead now, and when to look again. Pure: data, policy and a moment
in, events and a bookmark out. Whoever calls it, however often and however late, each step is done
once.
"""

from datetime import datetime, timedelta

from shared.domain import events as happened
from shared.domain.chain import Audience, Step
from shared.domain.clocks import Terms
from shared.domain.events import AlertKind, LeadEvent, Via
from shared.domain.lead import (
    ALONE,
    Change,
    FollowUp,
    Lead,
    Message,
    Missed,
    Reminded,
    Unheard,
)
from shared.domain.roster import MISSED_PAGES, Rep, Roster
from shared.domain.routing import Chosen, Nobody

LOOK_AGAIN_AFTER = timedelta(minutes=15)
LOOKED_AFTER_FOR = timedelta(days=7)
"""How often, and for how long, somebody is looked for whom to give a lead that nobody has."""

EVERY_CHANNEL: tuple[Via, ...] = ("sms", "email")
REMINDED_AT_MOST_EVERY = timedelta(minutes=2)
"""A step that reminds, and an "I'm on it" that ends, often come within the same seconds."""
EXPIRED = "expired"
TO_MANAGERS: tuple[AlertKind, ...] = ("breach", "unassigned", "off_duty")
"""Alerts that are a manager's business: where one cannot be reached, another is told first."""


def plan(
    lead: Lead,
    terms: Terms,
    roster: Roster,
    *,
    turn: Chosen | Nobody | None = None,
    new_run: bool = False,
) -> Change | None:
    """The change that is due for this lead at the moment of the roster; None when nothing is.

    `turn` is who gets the lead, for one that `needs_rep`. `new_run` gives up the execution that
    should have woken the lead and did not.
    """
    if lead.status == "closed":
        return None
    draft = _Draft(lead, terms, roster, turn)
    if draft.owner is None:
        draft.assign()
    is_agreed = lead.snoozed_until is not None
    if draft.tells_owner and not is_agreed:
        draft.tell_owner(draft.of_a_lead_that_is_theirs)
    if draft.is_followed:
        follow_up = _walk(draft, new_run=new_run)
    else:
        # Whoever waits for a call and is not followed up has a verdict that policy leaves alone.
        is_idle = lead.awaits_attempt or lead.follow_up.is_idle
        update = {"wake_at": draft.tells_owner_at, "planned": True, "is_idle": is_idle}
        follow_up = lead.follow_up.model_copy(update=update)
    if draft.tells_owner and is_agreed and not draft.has_told_owner:
        # Outside opening hours the chain says nothing; what was agreed stands.
        draft.tell_owner("callback")
    if lead.submissions > lead.follow_up.told_submissions:
        follow_up = _tell_again(draft, follow_up)
    for unheard in lead.unheard:
        draft.take_up(unheard)
    follow_up = follow_up.model_copy(
        update={
            "tell_owner": draft.tells_owner_at is not None,
            "reminded": draft.reminded,
            "knows": draft.knows or (follow_up.knows and not draft.has_told_owner),
        }
    )
    if not draft.events and follow_up == lead.follow_up:
        return None
    return Change(tuple(draft.events), follow_up, missed_by=draft.missed_by)


def needs_rep(lead: Lead, terms: Terms, roster: Roster) -> bool:
    """Whether the next plan may assign the lead, and so wants a turn of the rotation.

    Where nobody could be found, nobody is looked for again before it opens.
    """
    if lead.status == "closed" or roster.active(lead.rep_id):
        return False
    if lead.assignment_failed_at is not None and not terms.calendar.is_open(roster.now):
        return False
    if _is_followed(lead, terms):
        return _has_begun(lead, terms, roster.now)
    # Whoever had it has left, and there is news.
    return lead.rep_id is not None and lead.submissions > lead.follow_up.told_submissions


def _is_followed(lead: Lead, terms: Terms) -> bool:
    return lead.awaits_attempt and lead.verdict in terms.chain.follow


def _has_begun(lead: Lead, terms: Terms, now: datetime) -> bool:
    """Whether the first step has come: outside opening hours nobody is told."""
    starts_at = terms.calendar.due_if_ever(lead.counts_from, terms.chain.offset_seconds(1, 0))
    return starts_at is not None and starts_at <= now


def _walk(draft: "_Draft", *, new_run: bool) -> FollowUp:
    """Does what is due, in the order of time, and returns the bookmark before what is not.

    Beside the steps these are the deadline, which passes whether or not a step says so, and the
    end of an acknowledgement without a call.
    """
    lead, chain, calendar, now = draft.lead, draft.chain, draft.terms.calendar, draft.now
    before = lead.follow_up
    if draft.is_assigned and before.round > chain.rounds:
        # The chain ended while nobody had the lead: it begins anew for whoever has it now.
        before = draft.begin_anew(before.restarted(now, "reassigned"))
    elif draft.is_assigned and _has_left_the_first_step(before, chain.steps[0]):
        # Nobody has told them yet what the steps to come remind of.
        draft.tell_owner("new" if lead.rep_id is None else "reassigned")
    origin = before.counts_from or lead.clock_started_at
    round_number, number = before.round, before.step
    while True:
        has_ended = round_number > chain.rounds
        offset = chain.offset_seconds(round_number, number)
        step_at = None if has_ended else calendar.due_if_ever(origin, offset)
        breach_at = lead.respond_by if draft.may_breach else None
        ends_at = draft.acknowledgement_ends_at
        later = (draft.somebody_there_at(), draft.tells_owner_at)
        wake_at = min(filter(None, (step_at, breach_at, ends_at, *later)), default=None)
        if wake_at is None or wake_at > now:
            break
        if wake_at == ends_at:
            draft.expire(round_number)
        elif wake_at == step_at and number < len(chain.steps):
            if not _is_passed(before, round_number, number, chain.steps[number]):
                draft.do(chain.steps[number], round_number, wake_at)
            number += 1
            if draft.is_stopped:
                round_number, number = chain.rounds + 1, 0
        elif wake_at == breach_at:
            draft.breach("deadline")
        elif wake_at == step_at:
            round_number, number = round_number + 1, 0
            if round_number > chain.rounds:
                end = happened.LeadEscalated(step="end", to="manager", ends_chain=True)
                draft.events.append(end)
    return before.model_copy(
        update={
            "round": round_number,
            "step": number,
            "run": _run(before, wake_at, new_run=new_run),
            "wake_at": wake_at,
            "planned": True,
            "is_idle": False,
            "passed": before.passed if _is_before(before, round_number, number) else None,
            "paged_at": None if draft.missed_by else before.paged_at,
            "missed_by": (
                *before.missed_by,
                *((draft.missed_by.rep_id,) if draft.missed_by else ()),
            ),
        }
    )


def _has_left_the_first_step(follow_up: FollowUp, first: Step) -> bool:
    """Whether the first step was done already, or had its time: for whoever had the lead then."""
    return (follow_up.round, follow_up.step) != (1, 0) or _is_passed(follow_up, 1, 0, first)


def _is_before(follow_up: FollowUp, round_number: int, number: int) -> bool:
    """Whether the chain had come further than this, before something was undone."""
    passed = follow_up.passed
    return passed is not None and (round_number, number) < (passed.round, passed.step)


def _is_passed(follow_up: FollowUp, round_number: int, number: int, step: Step) -> bool:
    """Whether a step was done, or had its time, before something was undone."""
    if follow_up.passed is None or not _is_before(follow_up, round_number, number):
        return False
    return step.when in (None, follow_up.passed.when)


def _run(before: FollowUp, wake_at: datetime | None, *, new_run: bool) -> int:
    """The execution that wakes the lead.

    One that waits for a later time is left to end by itself.
    """
    if wake_at is None:
        return before.run
    wakes_in_time = before.wake_at is not None and before.wake_at <= wake_at
    return before.run if wakes_in_time and not new_run else before.run + 1


def _tell_again(draft: "_Draft", follow_up: FollowUp) -> FollowUp:
    """The owner hears of further submissions, also after the first call; many at once are one.

    Whoever is on duty gets a lead that nobody had; while nobody is, it stays due.
    """
    lead, now = draft.lead, draft.now
    if draft.owner is None:
        if draft.turn is not None:
            return follow_up
        # Nobody follows this lead up, or its first alert is still to come and will do.
        return follow_up.model_copy(update={"told_submissions": lead.submissions})
    if now < follow_up.may_tell_again_at:
        return follow_up
    opens_at = draft.terms.calendar.due_if_ever(now, 0)
    if opens_at is not None and opens_at > now:
        return follow_up.model_copy(update={"quiet_until": opens_at})
    prefix = f"again{lead.submissions}"
    draft.alert(draft.owner, "again", EVERY_CHANNEL, prefix, "again", follow_up.round)
    return follow_up.model_copy(update={"told_submissions": lead.submissions, "told_again_at": now})


class _Draft:
    """The events of one plan, and who owns the lead after them."""

    def __init__(
        self, lead: Lead, terms: Terms, roster: Roster, turn: Chosen | Nobody | None
    ) -> None:
        self.lead = lead
        self.terms = terms
        self.chain = terms.chain
        self.roster = roster
        self.now = roster.now
        self.turn = turn
        self.is_followed = _is_followed(lead, terms)
        self.owner = roster.active(lead.rep_id)
        tells_at = lead.tells_owner_at
        self.tells_owner = tells_at is not None and tells_at <= self.now
        self.tells_owner_at = None if self.tells_owner else tells_at
        self.events: list[LeadEvent] = []
        self.missed_by: Missed | None = None
        self.is_assigned = False
        self.is_reassigned = False
        self.is_stopped = False
        self.may_breach = lead.breached_at is None and lead.first_attempt_at is None
        self.is_acknowledged = lead.acknowledged_at is not None
        self.acknowledgement_ends_at = lead.acknowledgement_ends_at
        self.cycle, self.because = lead.follow_up.cycle, lead.follow_up.because
        # When several steps are due at once (after an outage) one message per person and channel is
        # enough.
        self.told: set[tuple[str, Via]] = set()
        self.reminded = lead.follow_up.reminded
        self.knows = False

    def begin_anew(self, follow_up: FollowUp) -> FollowUp:
        """Goes on by another bookmark: the steps of a new cycle are others than those before."""
        self.cycle, self.because = follow_up.cycle, follow_up.because
        return follow_up

    def do(self, step: Step, round_number: int, at: datetime) -> None:
        """Adds the events of a step whose time has come."""
        acknowledged = "acknowledged" if self.is_acknowledged else "not_acknowledged"
        if step.when not in (None, acknowledged):
            return
        if step.breach and at >= self.lead.respond_by:
            self.breach(step.step)
        self._look_for_an_answer(step, at)
        if step.reassign:
            self._reassign()
        for audience in step.alert:
            people = self._people(audience)
            if people and audience.who != "owner":
                self.events.append(happened.LeadEscalated(step=step.step, to=audience.who))
                if audience.who == "team":
                    self._free()
            prefix = f"{self._round(round_number)}-{step.step}"
            for rep in people:
                if audience.kind == "new" and self._knows(rep):
                    self.knows = True
                    continue
                kind = self._worded(audience.kind, rep, round_number)
                self.alert(rep, kind, audience.via, prefix, step.step, round_number)
        if step.stop:
            self.is_stopped = True
            self.events.append(
                happened.LeadEscalated(step=step.step, to="manager", ends_chain=True)
            )

    def breach(self, step: str) -> None:
        """Adds that the deadline has passed: once per lead."""
        if self.may_breach:
            self.events.append(self.lead.breached(step))
            self.may_breach = False

    def expire(self, round_number: int) -> None:
        """Ends the acknowledgement and reminds the owner."""
        self._free()
        rep_id = self.lead.acknowledged_by or ""
        self.events.append(happened.AcknowledgementExpired(rep_id=rep_id))
        if self.owner is not None:
            prefix = f"{EXPIRED}{self.lead.sequence}"
            self.alert(self.owner, "reminder", EVERY_CHANNEL, prefix, EXPIRED, round_number)

    def assign(self) -> None:
        """Gives the lead to whose turn it is; else the manager is told, once."""
        match self.turn:
            case Chosen(rep=rep) if self.lead.rep_id is not None:
                self.owner, self.is_assigned = rep, True
                left = happened.LeadReassigned(
                    from_rep_id=self.lead.rep_id, to_rep_id=rep.rep_id, reason="left"
                )
                self.events.append(left)
            case Chosen(rep=rep, rule=rule, passed_over=passed_over):
                self.owner, self.is_assigned = rep, True
                assigned = happened.LeadAssigned(
                    rep_id=rep.rep_id, rule=rule, passed_over=passed_over or None
                )
                self.events.append(assigned)
            case Nobody(rule=rule, reason=reason) if self.lead.assignment_failed_at is None:
                self.events.append(happened.AssignmentFailed(reason=reason, rule=rule))
                for manager in self.roster.managers:
                    self.alert(manager, "unassigned", EVERY_CHANNEL, "unassigned", "unassigned", 1)

    def somebody_there_at(self) -> datetime | None:
        """When a lead that nobody could be given should be tried again."""
        if self.owner is not None or not _has_begun(self.lead, self.terms, self.now):
            return None
        again_at = self.turn.again_at if isinstance(self.turn, Nobody) else self.now
        if again_at is None and self.now < self.lead.counts_from + LOOKED_AFTER_FOR:
            # Everybody is switched off: nobody knows until when.
            again_at = self.now + LOOK_AGAIN_AFTER
        if again_at is None:
            return None
        opens_at = self.terms.calendar.due_if_ever(again_at, 0)
        return opens_at if opens_at is not None and opens_at > self.now else None

    @property
    def has_told_owner(self) -> bool:
        """Whether any alert of this plan goes to whoever has the lead."""
        return any(self.owner and rep_id == self.owner.rep_id for rep_id, _ in self.told)

    def tell_owner(self, kind: AlertKind) -> None:
        """Tells whoever has the lead now that they have it."""
        if self.owner is None:
            return
        prefix = f"{kind}{self.lead.sequence}"
        self.alert(self.owner, kind, EVERY_CHANNEL, prefix, kind, self.lead.follow_up.round)

    def _worded(self, kind: AlertKind, rep: Rep, round_number: int) -> AlertKind:
        """Nothing is new that somebody else had before, that has waited for a whole round, or that
        begins anew.
        """
        lead = self.lead
        if kind != "new":
            return kind
        is_owner = self.owner is not None and rep.rep_id == self.owner.rep_id
        if is_owner and lead.rep_id not in (None, rep.rep_id):
            return "reassigned"
        if self.is_assigned or lead.assigned_at is None:
            return kind
        if round_number > 1:
            return "repeat"
        if is_owner and lead.handed_by is not None:
            return "reassigned"
        words: dict[str, AlertKind] = {
            "snoozed": "callback",
            "reopened": "reopened",
            "reassigned": "reassigned",
        }
        return words.get(self.because, kind)

    @property
    def of_a_lead_that_is_theirs(self) -> AlertKind:
        """In which words its owner is told who was not told before."""
        if self.owner is None or self.lead.handed_by is not None:
            return "handed_over"
        return self._worded("new", self.owner, self.lead.follow_up.round)

    def _knows(self, rep: Rep) -> bool:
        """Whether they have just said that they are on it, and so need not be told of it. Who said
        so on Friday evening is told on Monday.
        """
        said_at = self.lead.acknowledged_at
        if not self.is_acknowledged or said_at is None or rep.rep_id != self.lead.acknowledged_by:
            return False
        return self.now < said_at + timedelta(seconds=self.chain.acknowledgement_lasts_seconds)

    def _round(self, round_number: int) -> str:
        """Tells the alerts of one cycle of the chain from those of the next."""
        return f"{self.cycle}.{round_number}" if self.cycle else f"{round_number}"

    def _look_for_an_answer(self, step: Step, at: datetime) -> None:
        """Notes that the owner was alerted and has not answered by the time to call.

        Not before the lead is taken from them, or their own time is over: who is on the phone may
        answer late.
        """
        paged_at, owner = self.lead.follow_up.paged_at, self.owner
        if owner is None or paged_at is None or self.missed_by or self.is_acknowledged:
            return
        if owner.rep_id in self.lead.follow_up.missed_by:
            return
        if owner.answered_at is not None and owner.answered_at >= paged_at:
            return  # they were there, and busy with another lead
        seconds = self.chain.respond_within_seconds
        own_time_ends = self.terms.calendar.due_if_ever(paged_at, seconds)
        is_taken = step.reassign and not self._has_just_got_it()
        if not is_taken and (own_time_ends is None or at < own_time_ends):
            return
        self.missed_by = Missed(owner.rep_id, owner.missed_pages)
        if owner.role == "rep" and owner.missed_pages + 1 == MISSED_PAGES:
            prefix = f"off_duty{self.lead.sequence}"
            for person in (owner, *self.roster.managers):
                self.alert(
                    person, "off_duty", EVERY_CHANNEL, prefix, "off_duty", 1, about=owner.rep_id
                )

    def _reassign(self) -> None:
        successor = self._next_after_owner()
        if self.owner is None or successor is None or self._has_just_got_it():
            return
        self.events.append(
            happened.LeadReassigned(
                from_rep_id=self.owner.rep_id, to_rep_id=successor.rep_id, reason="no_reaction"
            )
        )
        self.owner, self.is_reassigned = successor, True
        self._free()

    def _has_just_got_it(self) -> bool:
        """Whether the owner has had no time to react yet: then it is not taken from them."""
        since = self.lead.follow_up.paged_at or self.lead.assigned_at
        if self.is_assigned or self.is_reassigned or since is None:
            return True
        seconds = self.chain.acknowledge_within_seconds
        reacts_by = self.terms.calendar.due_if_ever(since, seconds)
        return reacts_by is None or reacts_by > self.now

    def _free(self) -> None:
        """Nobody is on it any more: whoever says so first has it."""
        self.is_acknowledged, self.acknowledgement_ends_at = False, None

    def _next_after_owner(self) -> Rep | None:
        """Somebody else whom the lead could have been given to, by the first rule that has one."""
        if self.owner is None:
            return None
        pools = [rule.pool(self.roster.on_duty) for rule in self.terms.rules if rule.is_of_a_pool]
        successors = (self.roster.next_after(self.owner.rep_id, pool) for pool in pools)
        return next(filter(None, successors), None)

    def _people(self, audience: Audience) -> tuple[Rep, ...]:
        match audience.who:
            case "owner":
                return (self.owner,) if self.owner else ()
            case "backup":
                backup = self._next_after_owner()
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
        *,
        about: str | None = None,
    ) -> None:
        """Adds a message for each channel that reaches the person now, one each in a plan; where
        none of these does, for each that does.

        No message about the lead stands for one about a colleague. An "I'm on it" that ends does
        not ring once more where a step has just reminded them, nor the other way round.
        """
        if not any(rep.takes(via, self.now) for via in channels):
            channels = EVERY_CHANNEL
        taken = [
            via
            for via in channels
            if rep.takes(via, self.now) and (about or (rep.rep_id, via) not in self.told)
        ]
        if kind == "reminder" and "sms" in taken:
            if self._has_just_reminded(rep, step):
                taken.remove("sms")
            else:
                self.reminded = Reminded(rep.rep_id, self.now, step)
        for via in taken:
            self._ask(
                rep,
                via,
                Message(prefix, kind),
                (step, round_number),
                about=about,
                by_email_too=via == "sms" and "email" in taken,
            )
        if not about:
            self.told.update((rep.rep_id, via) for via in taken)

    def _has_just_reminded(self, rep: Rep, step: str) -> bool:
        last = self.reminded
        if last is None or last.rep_id != rep.rep_id:
            return False
        is_other = (last.step == EXPIRED) != (step == EXPIRED)
        return is_other and self.now < last.at + REMINDED_AT_MOST_EVERY

    def _ask(
        self,
        rep: Rep,
        via: Via,
        message: Message,
        place: tuple[str, int],
        *,
        about: str | None = None,
        by_email_too: bool = False,
        instead_of: tuple[str, ...] | None = None,
    ) -> None:
        """`place` is the name of the step, and its round."""
        alert_id = f"{message.prefix}-{rep.rep_id}-{via}"
        if alert_id in self.lead.settled_alerts:
            # Another SMS stood for this one, and the e-mail beside it did not arrive.
            alert_id += ALONE
        self.events.append(
            happened.AlertRequested(
                alert_id=alert_id,
                step=place[0],
                round=place[1],
                kind=message.kind,
                rep_id=rep.rep_id,
                via=via,
                about=about,
                by_email_too=by_email_too or None,
                instead_of=instead_of,
            )
        )

    # --- when a channel failed -------------------------------------------------------------------

    def take_up(self, unheard: Unheard) -> None:
        """Takes the next channel of a person for a message that none took so far; where they have
        no other, the next in line is told.

        Each alert has an id of its own that follows from the one that failed, so that this too is
        done once.
        """
        failed, message = unheard.alert, unheard.message
        place = (failed.step, failed.round)
        owner_id = self.owner.rep_id if self.owner else None
        if failed.rep_id == self.lead.rep_id and owner_id not in (None, failed.rep_id):
            return  # it is another's now, who is told
        rep = self.roster.active(failed.rep_id)
        others = (via for via in EVERY_CHANNEL if via not in unheard.tried)
        via = next((via for via in others if rep and rep.reachable_by(via)), None)
        if rep is not None and via is not None:
            about, instead_of = failed.about, failed.instead_of
            self._ask(rep, via, message, place, about=about, instead_of=instead_of)
            return
        is_on_it = self.is_acknowledged and failed.rep_id == self.lead.acknowledged_by
        stand_in, is_told = (None, False) if is_on_it else self._stand_in(unheard)
        self.events.append(
            happened.RepNotReached(
                rep_id=failed.rep_id,
                alert_ids=unheard.alert_ids,
                step=failed.step,
                instead_rep_id=stand_in.rep_id if stand_in else None,
            )
        )
        if stand_in is None or is_told:
            return
        instead = Message(f"{message.prefix}-for.{failed.rep_id}", self._in_place(failed.kind))
        tried = (*(failed.instead_of or ()), failed.rep_id)
        channels = [via for via in EVERY_CHANNEL if stand_in.takes(via, self.now)]
        for each in channels:
            self._ask(
                stand_in,
                each,
                instead,
                place,
                about=failed.about,
                by_email_too=each == "sms" and "email" in channels,
                instead_of=tried,
            )

    def _in_place(self, kind: AlertKind) -> AlertKind:
        """What a stand-in is told; what goes to managers is the same for each of them."""
        if kind in TO_MANAGERS:
            return kind
        return "backup" if self.lead.awaits_attempt else "unreachable"

    def _stand_in(self, unheard: Unheard) -> tuple[Rep | None, bool]:
        """Who is told in the place of somebody, and whether they get the same message anyway."""
        failed = unheard.alert
        for key, alert in (*self.lead.open_alerts.items(), *self.lead.settled_alerts.items()):
            is_same = alert.message(key) == unheard.message and alert.rep_id != failed.rep_id
            arrives = getattr(alert, "failed", None) is None
            if is_same and arrives and (mate := self.roster.active(alert.rep_id)):
                return mate, True
        passed_over = {failed.rep_id, failed.about, *(failed.instead_of or ())}
        reps = self._in_line(failed.rep_id)
        managers = self.roster.managers
        if failed.kind == "off_duty":
            line = managers
        elif failed.kind in TO_MANAGERS:
            line = (*managers, *reps)
        else:
            passed_over |= {self.owner.rep_id} if self.owner else set()
            line = (*reps, *managers)
        return next((r for r in line if r.reachable and r.rep_id not in passed_over), None), False

    def _in_line(self, rep_id: str) -> tuple[Rep, ...]:
        """Those on duty in the order of turns, beginning after somebody; those of the first rule
        that has any come first.
        """
        pools = [rule.pool(self.roster.on_duty) for rule in self.terms.rules if rule.is_of_a_pool]
        found: dict[str, Rep] = {}
        for pool in pools:
            for rep in sorted(pool, key=lambda rep: (rep.rep_id <= rep_id, rep.rep_id)):
                found.setdefault(rep.rep_id, rep)
        return tuple(found.values())
