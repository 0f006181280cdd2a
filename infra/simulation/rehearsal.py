"""A dry run: one lead from the moment it comes until it is called, or its chain has ended.

At each moment at which the lead is due the planner decides what happens. What stands here is who
acts in between, and who was there.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from infra.cli.on_duty import Duty
from infra.simulation import telling
from infra.simulation.stage import Arrival, Stage
from infra.simulation.telling import Line
from infra.simulation.words import length
from shared.domain.actions import ActionName
from shared.domain.events import Via
from shared.domain.follow_up import plan
from shared.domain.lead import Change
from shared.domain.roster import Rep, Roster
from shared.domain.routing import Chosen, Nobody, Rule
from shared.texts.promise import told


class Person(BaseModel):
    """Somebody of the team, in the moment in which the lead is to be given to somebody."""

    model_config = ConfigDict(frozen=True)

    rep_id: str
    name: str
    role: str
    via: tuple[Via, ...]
    """How they can be reached."""
    hindrances: tuple[str, ...]
    """Why they cannot be given the lead; none when they can."""


class AskedRule(BaseModel):
    """A rule that the lead matches."""

    model_config = ConfigDict(frozen=True)

    rule: str
    pool: tuple[str, ...]
    """Ids of those whom it gives leads to."""
    decides: bool
    says: str


class Rehearsal(BaseModel):
    """A dry run as data. Moments are those of the calendar's zone."""

    model_config = ConfigDict(frozen=True)

    form_id: str
    form_title: str
    channel: str
    language: str
    country: str | None
    verdict: str
    previous_owner: str | None
    policy_version: int
    """0 for a folder that is not published."""
    at: datetime
    zone: str
    calendar: str
    is_open: bool
    changes_at: datetime | None
    """When it closes or opens next; None for one that is always open."""
    respond_by: datetime | None
    """When the first call is due; None for one that policy does not follow up."""
    promise: str | None
    """What the visitor reads who comes when nobody is there to call."""
    chain: str
    rounds: int
    rules: tuple[AskedRule, ...] = ()
    people_at: datetime | None = None
    """When somebody is to be given the lead for the first time; None when nobody ever is."""
    people: tuple[Person, ...] = ()
    lines: tuple[Line, ...] = ()
    end: str = ""


class WhatIf(NamedTuple):
    """Whoever has the lead does something, so long after it came; None is never."""

    acknowledged_after: timedelta | None = None
    called_after: timedelta | None = None

    def deeds(self, start: datetime) -> list[tuple[datetime, ActionName]]:
        """What is done when, in the order of time."""
        deeds: tuple[tuple[timedelta | None, ActionName], ...] = (
            (self.acknowledged_after, "acknowledge"),
            (self.called_after, "talked"),
        )
        return sorted((start + after, name) for after, name in deeds if after is not None)


def rehearse(
    stage: Stage, arrival: Arrival, what_if: WhatIf, previous_owner: str | None = None
) -> Rehearsal:
    """What will happen to such a lead. The stage is used up by it.

    Raises PolicyError for a form that there is not.
    """
    return _Run(stage, arrival, what_if, previous_owner).rehearsal()


class _Run:
    def __init__(
        self, stage: Stage, arrival: Arrival, what_if: WhatIf, previous_owner: str | None
    ) -> None:
        self.stage = stage
        self.deeds = what_if.deeds(arrival.at)
        self.previous_owner = previous_owner
        self.lead = stage.captured(arrival, "rehearsed")
        self.terms = stage.terms(self.lead)
        self.zone = ZoneInfo(self.terms.calendar.zone)
        self.lines: list[Line] = []
        self.scene = _Scene()

    def rehearsal(self) -> Rehearsal:
        before = self._before()
        self._play()
        return before.model_copy(
            update={**self.scene._asdict(), "lines": tuple(self.lines), "end": self._end()}
        )

    def _before(self) -> Rehearsal:
        """What is known when the lead comes."""
        lead, calendar = self.lead, self.terms.calendar
        at = lead.received_at
        is_open = calendar.is_open(at)
        opening, closing = next(calendar.windows(at), (None, None))
        changes_at = None if calendar.always else closing if is_open else opening
        return Rehearsal(
            form_id=lead.form_id,
            form_title=lead.form_title,
            channel=lead.channel,
            language=lead.locale,
            country=lead.country,
            verdict=lead.verdict,
            previous_owner=self.previous_owner,
            policy_version=lead.policy_version,
            at=self._local(at),
            zone=calendar.zone,
            calendar=self.terms.calendar_name,
            is_open=is_open,
            changes_at=changes_at and self._local(changes_at),
            respond_by=self._local(lead.respond_by) if self._is_followed else None,
            promise=self._promise(),
            chain=self.stage.chain_name(lead),
            rounds=self.terms.chain.rounds,
        )

    def _promise(self) -> str | None:
        promised_by = self.lead.promised_by
        return told(promised_by, self.zone.key, self.lead.locale) if promised_by else None

    @property
    def _is_followed(self) -> bool:
        return self.lead.verdict in self.terms.chain.follow

    def _local(self, at: datetime) -> datetime:
        return at.astimezone(self.zone)

    def _play(self) -> None:
        while True:
            due_at = self.lead.due_at
            # Who acts at the moment of a step is taken to be faster than whatever wakes the lead.
            if self.deeds and (due_at is None or self.deeds[0][0] <= due_at):
                self._act(*self.deeds.pop(0))
            elif due_at is not None:
                self._advance(due_at)
            else:
                return

    def _act(self, at: datetime, name: ActionName) -> None:
        page = telling.Page(self.lead, self.terms, self._roster(at), self.zone)
        if self.lead.rep_id is None:
            self.lines.append(page.not_done(name))
            return
        self.lead, change = self.stage.act(self.lead, name, self.lead.rep_id, at)
        self.lines += page.acted(change)

    def _advance(self, at: datetime) -> None:
        page = telling.Page(self.lead, self.terms, self._roster(at), self.zone)
        rotation = self.stage.rotation(self.lead.team)
        advanced = self.stage.advance(self.lead, at, self.previous_owner)
        if advanced.turn is not None and self.scene.people_at is None:
            people = [*page.roster.people.values()]
            cast = _Cast(Duty(people, rotation, self.stage.policy, at), self.zone)
            self.scene = cast.scene(self.terms.rules, advanced.turn, self.previous_owner)
        self.lines += page.advanced(advanced, self._wanted(page, advanced.turn))
        self.lead = advanced.lead

    def _wanted(self, page: telling.Page, turn: Chosen | Nobody | None) -> Change:
        """What the planner would do if everybody had a phone and a mailbox: so it is the planner
        who tells which message does not go out for want of one.
        """
        people = map(_with_every_channel, page.roster.people.values())
        roster = Roster(people, page.roster.now, self.stage.shift)
        if isinstance(turn, Chosen):
            turn = turn._replace(rep=roster.people[turn.rep.rep_id])
        return plan(page.lead, page.terms, roster, turn=turn) or Change(())

    def _roster(self, at: datetime) -> Roster:
        return self.stage.roster(self.lead.team, at)

    def _end(self) -> str:
        lead = self.lead
        if not self._is_followed:
            return f"Policy follows up no {lead.verdict} lead: nobody is told."
        if lead.first_attempt_at is None:
            ended_at = self.lines[-1].wall_seconds if self.lines else 0
            return (
                f"Nobody called. The last thing happened {length(ended_at)} after the lead came; "
                "it stays in the manager's list."
            )
        waited = (lead.first_attempt_at - lead.received_at).total_seconds()
        late = lead.late_seconds
        verdict = f"{length(late)} late" if late else "in time"
        return f"Called {length(waited)} after it came, {verdict}."


def _with_every_channel(rep: Rep) -> Rep:
    """Not somebody whom nothing reaches: nobody would give them a lead."""
    if not rep.reachable and rep.role == "rep":
        return rep
    return rep.model_copy(update={"phone": rep.phone or "none", "email": rep.email or "none"})


class _Scene(NamedTuple):
    """Who is there when the lead is to be given to somebody, and what the rules say."""

    rules: tuple[AskedRule, ...] = ()
    people_at: datetime | None = None
    people: tuple[Person, ...] = ()


class _Cast(NamedTuple):
    """A team in the moment in which a lead is to be given to somebody."""

    duty: Duty
    zone: ZoneInfo

    def scene(
        self, rules: tuple[Rule, ...], turn: Chosen | Nobody, previous_owner: str | None
    ) -> _Scene:
        return _Scene(
            tuple(self._asked(rules, turn, previous_owner)),
            self.duty.now.astimezone(self.zone),
            tuple(map(self._person, self.duty.roster.people.values())),
        )

    def _asked(
        self, rules: tuple[Rule, ...], turn: Chosen | Nobody, previous_owner: str | None
    ) -> Iterator[AskedRule]:
        for rule in rules:
            pool = rule.pool(self.duty.reps)
            if not rule.is_of_a_pool:
                pool = tuple(rep for rep in self.duty.reps if rep.rep_id == previous_owner)
            decides = turn.rule == rule.rule
            yield AskedRule(
                rule=rule.rule,
                pool=tuple(rep.rep_id for rep in pool),
                decides=decides,
                says=_says(rule, pool, turn if decides else None),
            )
            if decides and isinstance(turn, Chosen):
                return

    def _person(self, rep: Rep) -> Person:
        standing = self.duty.standing(rep)
        return Person(
            rep_id=rep.rep_id,
            name=rep.name,
            role=rep.role,
            via=tuple(via for via in telling.CHANNELS if rep.reachable_by(via)),
            hindrances=standing.hindrances,
        )


def _says(rule: Rule, pool: tuple[Rep, ...], turn: Chosen | Nobody | None) -> str:
    """What came of a rule; `turn` of the one that decides."""
    whom = f" with skill {rule.skill}" if rule.skill else ""
    match turn:
        case Chosen(rep=rep) if not rule.is_of_a_pool:
            return f"{rep.name} had the contact's last lead"
        case Chosen(rep=rep):
            return f"the turn of {rep.name}" + (f", of those{whom}" if whom else "")
        case Nobody():
            return f"nobody{whom} can take it: managers are told"
        case None if not rule.is_of_a_pool:
            known = pool[0].name if pool else ""
            return f"{known} cannot take it" if known else "nobody had a lead of the contact"
        case None:
            return f"nobody{whom} can take it: the next rule"
