"""How soon leads would be called by these people, under this policy: events in the order of time.

People are a model, the follow-up is not: turns, caps, steps of the chain, and who is put off duty
come from the planner. A person who is alerted of a lead calls after a while, if they are there and
on no other call by then; of several leads the one that is due first. A call counts from when it
begins. Whoever comes first has the lead. Somebody put off duty says that they are back as they
would have called. Nobody says "I'm on it", managers do not call, nobody is called twice.
"""

import heapq
import itertools
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import NormalDist
from typing import NamedTuple

from infra.simulation.stage import Advanced, Arrival, Stage
from shared.domain import events as happened
from shared.domain.lead import Change, Lead

SPREAD = 1.0
"""Sigma of the reaction: one in ten takes 3.6 times as long as the median, one in a hundred ten."""
GIVEN_UP_AFTER = timedelta(days=14)
"""What nobody has called so long after the last lead came counts as never called."""
FIVE_MINUTES = timedelta(minutes=5)


class Chance(NamedTuple):
    """What is drawn for one lead. The same on every stage, whoever gets it."""

    call: timedelta
    """How long its call takes."""
    reactions: Iterator[timedelta]
    """From an alert to the call, for each time that somebody is alerted of it."""


Chances = Callable[[int], Chance]
"""The chance of a lead by its number; asked again, it begins anew."""


class Habits(NamedTuple):
    """How people behave."""

    reaction_seconds: float = 60
    """The median of a lognormal."""
    call_seconds: float = 240
    """The mean of an exponential: many calls are short because nobody answers."""

    @property
    def slow_seconds(self) -> float:
        """One reaction in ten takes longer."""
        return math.exp(NormalDist(math.log(self.reaction_seconds), SPREAD).inv_cdf(0.9))

    def chances(self, seed: int) -> Chances:
        """Draws that depend on the seed and the lead's number alone."""

        def chance(number: int) -> Chance:
            draw = random.Random(f"{seed}/{number}")  # noqa: S311 - chance, not a secret
            call = draw.expovariate(1 / self.call_seconds)
            middle = math.log(self.reaction_seconds)
            reactions = (draw.lognormvariate(middle, SPREAD) for _ in itertools.count())
            return Chance(_length(call), map(_length, reactions))

        return chance


def _length(seconds: float) -> timedelta:
    return timedelta(milliseconds=round(seconds * 1000))


@dataclass
class Outcome:
    """What became of one lead."""

    arrival: Arrival
    is_followed: bool = True
    """False where policy leaves its verdict alone."""
    called_at: datetime | None = None
    called_by: str | None = None
    call_ends_at: datetime | None = None
    in_time: bool = False
    """By the form's calendar."""
    breached: bool = False
    unassigned: int = 0
    """How often there was nobody who could be given it."""
    sms: int = 0
    emails: int = 0

    @property
    def waited(self) -> timedelta | None:
        """Wall time until somebody called."""
        return self.called_at - self.arrival.at if self.called_at else None


@dataclass
class _Caller:
    """A person with one phone, also where they are in two teams."""

    free_at: datetime
    waiting: dict[int, datetime] = field(default_factory=dict)
    """When they would call, by the number of a lead that they were alerted of."""
    back: dict[str, datetime] = field(default_factory=dict)
    """When they would say that they are back, by team."""


def played(stage: Stage, arrivals: Sequence[Arrival], chances: Chances) -> list[Outcome]:
    """What becomes of each lead, in the order of `arrivals`. The stage is used up by it."""
    return _Play(stage, arrivals, chances).outcomes()


class _Play:
    """One run. Of what happens at the same moment people's deeds come first: who calls at the
    deadline is in time.
    """

    def __init__(self, stage: Stage, arrivals: Sequence[Arrival], chances: Chances) -> None:
        self.stage = stage
        self.results = [Outcome(arrival) for arrival in arrivals]
        self.leads = [
            stage.captured(arrival, f"{number}") for number, arrival in enumerate(arrivals)
        ]
        self.chances = [chances(number) for number in range(len(arrivals))]
        self.callers: dict[str, _Caller] = {}
        self.agenda: list[tuple[datetime, int, int, str | int]] = []
        self.count = itertools.count()
        self.orphans: set[int] = set()
        """Leads that nobody has and somebody should."""
        self.looks: set[tuple[str, datetime]] = set()

    def outcomes(self) -> list[Outcome]:
        for number, lead in enumerate(self.leads):
            self._plan_to_wake(number, lead)
        end = max((lead.received_at for lead in self.leads), default=None)
        while self.agenda:
            now, _, _, who = heapq.heappop(self.agenda)
            if end is None or now > end + GIVEN_UP_AFTER:
                break
            if isinstance(who, str):
                self._look(who, now)
            elif self.leads[who].due_at == now:
                self._wake(who, now)
        return self.results

    def _plan_to_wake(self, number: int, lead: Lead) -> None:
        self.leads[number] = lead
        if lead.assignment_failed_at is not None:
            self.orphans.add(number)
        else:
            self.orphans.discard(number)
        if lead.due_at is not None:
            heapq.heappush(self.agenda, (lead.due_at, 1, next(self.count), number))

    def _plan_to_look(self, rep_id: str, at: datetime) -> None:
        if (rep_id, at) not in self.looks:
            self.looks.add((rep_id, at))
            heapq.heappush(self.agenda, (at, 0, next(self.count), rep_id))

    def _wake(self, number: int, now: datetime) -> None:
        advanced = self.stage.advance(self.leads[number], now)
        self._plan_to_wake(number, advanced.lead)
        result = self.results[number]
        result.is_followed = not advanced.lead.follow_up.is_idle
        self._note(result, advanced.change)
        for alert in advanced.sent:
            result.sms += alert.via == "sms"
            result.emails += alert.via == "email"
        self._page(number, advanced, now)

    def _note(self, result: Outcome, change: Change) -> None:
        for event in change.events:
            match event:
                case happened.ResponseBreached():
                    result.breached = True
                case happened.AssignmentFailed():
                    result.unassigned += 1
                case happened.LeadAttempted(in_time=in_time):
                    result.in_time = bool(in_time)

    def _page(self, number: int, advanced: Advanced, now: datetime) -> None:
        """People hear of a lead: once, where an SMS and an e-mail come together."""
        team = advanced.lead.team
        for rep_id, is_off_duty in dict.fromkeys(
            (alert.rep_id, alert.kind == "off_duty") for alert in advanced.sent
        ):
            if self.stage.people[team][rep_id].role == "manager":
                continue
            caller = self.callers.setdefault(rep_id, _Caller(now))
            ready_at = now + next(self.chances[number].reactions)
            if is_off_duty:
                caller.back[team] = ready_at
            else:
                caller.waiting[number] = min(ready_at, caller.waiting.get(number, ready_at))
            self._plan_to_look(rep_id, max(ready_at, caller.free_at))

    def _look(self, rep_id: str, now: datetime) -> None:
        """Somebody looks at their phone, and calls if there is whom to call."""
        self.looks.discard((rep_id, now))
        caller = self.callers[rep_id]
        if now < caller.free_at:
            return
        there = {team for team in self.stage.teams_of(rep_id) if self._is_there(rep_id, team, now)}
        for team in [team for team, at in caller.back.items() if at <= now and team in there]:
            self._is_back(rep_id, team, now)
        caller.waiting = {
            number: at for number, at in caller.waiting.items() if self.leads[number].awaits_attempt
        }
        ready = [
            number
            for number, at in caller.waiting.items()
            if at <= now and self.leads[number].team in there
        ]
        if ready:
            self._call(rep_id, min(ready, key=lambda n: (self.leads[n].respond_by, n)), now)

    def _is_back(self, rep_id: str, team: str, now: datetime) -> None:
        """Somebody is put on duty again, with which the leads that nobody has are looked at."""
        del self.callers[rep_id].back[team]
        self.stage.is_back(team, rep_id)
        for number in sorted(self.orphans):
            if self.leads[number].team == team:
                self._wake(number, now)

    def _call(self, rep_id: str, number: int, now: datetime) -> None:
        lead, change = self.stage.act(self.leads[number], "talked", rep_id, now)
        self._plan_to_wake(number, lead)
        result, caller = self.results[number], self.callers[rep_id]
        self._note(result, change)
        caller.free_at = now + self.chances[number].call
        caller.back.pop(lead.team, None)
        result.called_at, result.called_by, result.call_ends_at = now, rep_id, caller.free_at
        self._plan_to_look(rep_id, caller.free_at)

    def _is_there(self, rep_id: str, team: str, now: datetime) -> bool:
        """Whether somebody could call; who could not looks again when they are there."""
        at = self.stage.there_at(team, rep_id, now)
        if at is not None and at > now:
            self._plan_to_look(rep_id, at)
        return at == now
