"""Who gets a lead: agreed rules, read from the top, and a fair turn among those who are there.

The rules are policy. Whose turn it is stands in the team's rotation, which is a record: each pool
of people has a count of its own, in which everybody moves on by one share of their weight with
each lead. Whoever is furthest behind is next, so that in any stretch of time two people who were
both there differ by one lead per unit of weight at the most. Who was away comes back level with
the others: nothing is owed to them.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.domain.names import Name

if TYPE_CHECKING:
    # Types only: capture reads rules, and has no use for people.
    from shared.domain.roster import Rep, Roster

Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
"""By ISO 3166-1, as the phone number tells it."""

SHARE = 2520
"""What a lead counts in a pool, divided by the weight of whoever gets it: every weight divides it.
"""


class Facts(NamedTuple):
    """What rules may ask about a lead; all of it is known when it is captured."""

    form_id: str
    channel: str
    language: str
    country: str | None


class Rule(BaseModel):
    """One line of the rules. It matches when everything that it names does."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: Name
    forms: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    languages: tuple[Literal["en", "ru"], ...] = ()
    countries: tuple[Country, ...] = ()
    to: Literal["rotation", "previous_owner"] = "rotation"
    """`previous_owner` matches only a contact whose last owner is there; else the next rule."""
    skill: Name | None = None
    """Only people who have it."""
    chain: Name | None = None
    """The follow-up chain, instead of the form's, of the leads that the rule decides about; also
    of those that go on to the next rule.
    """
    when_empty: Literal["tell_manager", "next_rule"] = "tell_manager"
    """When nobody of the pool is there. Going on to the next rule is said in the assignment."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.to == "previous_owner" and (self.skill or self.chain):
            raise ValueError("a rule for the previous owner has no skill and no chain")
        return self

    @property
    def is_of_a_pool(self) -> bool:
        """Whether people take turns in it."""
        return self.to == "rotation"

    @property
    def is_catch_all(self) -> bool:
        """Whether it takes every lead that comes to it."""
        asks = (self.forms, self.channels, self.languages, self.countries)
        return self.is_of_a_pool and not any(asks)

    def matches(self, facts: Facts) -> bool:
        """Whether these facts are what the rule asks for."""
        asked = (
            (self.forms, facts.form_id),
            (self.channels, facts.channel),
            (self.languages, facts.language),
            (self.countries, facts.country),
        )
        return all(not wanted or fact in wanted for wanted, fact in asked)

    def pool(self, people: "Iterable[Rep]") -> "tuple[Rep, ...]":
        """Who of these the rule could give a lead to."""
        return tuple(rep for rep in people if self.skill is None or self.skill in rep.skills)


class Routing(BaseModel):
    """A policy document: ordered rules, the first that matches decides, the last takes the rest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: Annotated[tuple[Rule, ...], Field(min_length=1, max_length=50)]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if len({rule.rule for rule in self.rules}) < len(self.rules):
            raise ValueError("two rules have the same name")
        *others, last = self.rules
        if not last.is_catch_all or last.when_empty == "next_rule":
            raise ValueError("the last rule must take every lead: no condition, no next rule")
        if unreachable := next(
            (r for r in others if r.is_catch_all and r.when_empty == "tell_manager"), None
        ):
            raise ValueError(f"no rule after {unreachable.rule} is ever reached: it takes all")
        return self

    def matching(self, facts: Facts) -> tuple[Rule, ...]:
        """The rules that could decide about such a lead, in order; the last one is of a pool."""
        found: list[Rule] = []
        for rule in self.rules:
            if rule.matches(facts):
                found.append(rule)
                if rule.is_of_a_pool and rule.when_empty == "tell_manager":
                    break
        return tuple(found)

    def chain(self, facts: Facts) -> str | None:
        """The chain that the rule which decides wants, if it wants one.

        That is the first with a pool, whether or not anybody of it is there: the chain says what is
        promised when the lead comes, and is no other one later.
        """
        return next(rule.chain for rule in self.matching(facts) if rule.is_of_a_pool)


EVERYBODY = Routing(rules=(Rule(rule="everybody"),))
"""For policy that says nothing of routing."""


class Given(BaseModel):
    """How many leads somebody was given on a day of theirs."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    day: date
    leads: int


class Pool(BaseModel):
    """How far everybody of a pool has come, in shares."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    reached: int = 0
    """Where the last one stood who was given a lead. Nobody is further behind."""
    places: dict[str, int] = {}


class Rotation(BaseModel):
    """A team's record of whose turn it is."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: int = 0
    pools: dict[str, Pool] = {}
    """By rule."""
    given: dict[str, Given] = {}

    def given_on(self, rep: "Rep", now: datetime) -> int:
        """The leads that somebody was given today."""
        given = self.given.get(rep.rep_id)
        return given.leads if given and given.day == rep.today(now) else 0

    def has_room(self, rep: "Rep", now: datetime) -> bool:
        """Whether somebody takes one more today."""
        return rep.daily_cap is None or self.given_on(rep, now) < rep.daily_cap

    def next_of(self, rule: str, people: "Sequence[Rep]") -> "Rep":
        """Whose turn it is of some people, at least one: the furthest behind, the first by id."""
        pool = self.pools.get(rule, Pool())
        return min(people, key=lambda rep: (_place(pool, rep), rep.rep_id))

    def after(self, rep: "Rep", now: datetime, rule: str | None = None) -> "Rotation":
        """The record once somebody was given a lead; by a rule whose rotation that moves."""
        given = Given(day=rep.today(now), leads=self.given_on(rep, now) + 1)
        pools: Mapping[str, Pool] = self.pools
        if rule is not None:
            pool = pools.get(rule, Pool())
            place = _place(pool, rep)
            places = {**pool.places, rep.rep_id: place + SHARE // rep.weight}
            pools = {**pools, rule: Pool(reached=place, places=places)}
        return self.model_copy(
            update={
                "version": self.version + 1,
                "pools": pools,
                "given": {**self.given, rep.rep_id: given},
            }
        )


def _place(pool: Pool, rep: "Rep") -> int:
    return max(pool.reached, pool.places.get(rep.rep_id, 0))


class Chosen(NamedTuple):
    """Who gets a lead, and why."""

    rep: "Rep"
    rule: str
    passed_over: tuple[str, ...] = ()
    """Rules that matched first and had nobody."""


class Nobody(NamedTuple):
    """Nobody can be given a lead, by which rule, and when that may be different."""

    rule: str
    reason: Literal["nobody_on_duty", "all_at_their_cap"]
    again_at: datetime | None


def choose(
    rules: Sequence[Rule], roster: "Roster", rotation: Rotation, previous_owner: str | None = None
) -> tuple[Chosen | Nobody, Rotation]:
    """Who gets a lead that these rules match, by `Routing.matching`; and the rotation after that.

    `previous_owner` had the contact's last lead.
    """
    passed_over: tuple[str, ...] = ()
    for rule in rules:
        if not rule.is_of_a_pool:
            known = [rep for rep in roster.on_duty if rep.rep_id == previous_owner]
            if known and rotation.has_room(known[0], roster.now):
                chosen = Chosen(known[0], rule.rule, passed_over)
                return chosen, rotation.after(known[0], roster.now)
            continue
        free = [rep for rep in rule.pool(roster.on_duty) if rotation.has_room(rep, roster.now)]
        if free:
            rep = rotation.next_of(rule.rule, free)
            chosen = Chosen(rep, rule.rule, passed_over)
            return chosen, rotation.after(rep, roster.now, rule.rule)
        passed_over = (*passed_over, rule.rule)
    return _nobody(rules, roster, rotation), rotation


def _nobody(rules: Sequence[Rule], roster: "Roster", rotation: Rotation) -> Nobody:
    pools = [rule for rule in rules if rule.is_of_a_pool]
    capped = any(pool for rule in pools if (pool := rule.pool(roster.on_duty)))
    moments = [
        at
        for rule in pools
        for rep in rule.pool(roster.reps)
        if (at := roster.there_at(rep, rested=not rotation.has_room(rep, roster.now)))
    ]
    reason: Literal["nobody_on_duty", "all_at_their_cap"] = (
        "all_at_their_cap" if capped else "nobody_on_duty"
    )
    return Nobody(pools[-1].rule, reason, min(moments, default=None))
