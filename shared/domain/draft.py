"""The events of one plan: who is told what, who gets the lead, and who is told in whose place."""

from datetime import datetime, timedelta

from shared.domain import events as happened
from shared.domain.chain import Audience, Step
from shared.domain.clocks import Terms
from shared.domain.events import AlertKind, LeadEvent, Via
from shared.domain.lead import ALONE, FollowUp, Lead, Message, Missed, Reminded, Unheard
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


def is_followed(lead: Lead, terms: Terms) -> bool:
    """Whether the chain runs: somebody is to call, and policy follows such a lead up."""
    return lead.awaits_attempt and lead.verdict in terms.chain.follow


def has_begun(lead: Lead, terms: Terms, now: datetime) -> bool:
    """Whether the first step has come: outside opening hours nobody is told."""
    starts_at = terms.calendar.due_if_ever(lead.counts_from, terms.chain.offset_seconds(1, 0))
    return starts_at is not None and starts_at <= now


class Draft:
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
        self.is_followed = is_followed(lead, terms)
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
        if self.owner is not None or not has_begun(self.lead, self.terms, self.now):
            return None
        opens_at = self.terms.calendar.due_if_ever(self.now, 0)
        if opens_at is not None and opens_at > self.now:
            # Until then nobody is looked for, so whoever looks now cannot know better.
            return opens_at
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

    def tell_owner(self, kind: AlertKind | None = None) -> None:
        """Tells whoever has the lead now that they have it, or something else about it."""
        if self.owner is None:
            return
        if kind is None:
            is_handed = self.owner.rep_id == self.lead.rep_id and self.lead.handed_by is not None
            round_number = self.lead.follow_up.round
            kind = "handed_over" if is_handed else self._worded("new", self.owner, round_number)
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
