"""Who follows up: the people of a team, and who of them is there at a moment."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.domain.calendar import Calendar, Windows, Zone, first_moment
from shared.domain.events import Via
from shared.domain.instants import Instant
from shared.domain.names import Name

Role = Literal["rep", "manager"]

CANARY_TEAM = "canary"
"""Nobody's team: what it is sent arrives in a queue."""

MISSED_PAGES = 2
"""So many alerts in a row without an answer put somebody off duty."""

SHORTEST_NUMBER = 8
"""Fewer digits say too little of whose phone it is."""
LONG_NUMBER = 11
"""Of a Russian number as it is dialled at home."""


class Absence(BaseModel):
    """A stretch of time in which somebody is away, to the moment of `until`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    since: Instant
    until: Instant

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.until <= self.since:
            raise ValueError("an absence ends after it begins")
        return self


class Rep(BaseModel):
    """A person of a team. People are records, never policy: they change without a new version."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    rep_id: str
    team: str
    name: str
    role: Role = "rep"
    phone: str | None = None
    """E.164. SMS go to numbers of the roster only, never to one that came with a form."""
    email: str | None = None
    locale: str = "en"
    zone: Zone = "UTC"
    calendar: str | None = None
    """The calendar of the person's shift; without one the switch alone decides."""
    active: bool = True
    on_duty: bool = True
    weight: Annotated[int, Field(ge=1, le=10)] = 1
    """Of two people, one of weight 2 gets twice the leads of one of weight 1."""
    daily_cap: Annotated[int, Field(ge=1)] | None = None
    """The most new leads on a day of the person's zone."""
    skills: tuple[Name, ...] = ()
    """What rules may ask for, such as `ru` or `enterprise`."""
    quiet: Windows = ()
    """Hours of the person's zone in which no SMS wakes them: alerts come by e-mail only."""
    absences: tuple[Absence, ...] = ()
    missed_pages: int = 0
    """Leads in a row that were alerted, not answered and taken away again."""
    answered_at: Instant | None = None
    """When the person last did something about any lead."""
    links_revoked_at: Instant | None = None
    """What was sent until then opens nothing any more."""

    def reachable_by(self, via: Via) -> bool:
        """Whether an alert through this channel could arrive."""
        return bool(self.phone if via == "sms" else self.email)

    def takes(self, via: Via, now: datetime) -> bool:
        """Whether an alert should come through this channel now. Who has no e-mail hears of a lead
        at quiet hours too.
        """
        is_quiet = via == "sms" and self.email is not None and self.is_quiet(now)
        return self.reachable_by(via) and not is_quiet

    def is_quiet(self, now: datetime) -> bool:
        """Whether the person wants no SMS now."""
        wall = now.astimezone(ZoneInfo(self.zone)).time()
        return any(window.holds(wall) for window in self.quiet)

    @property
    def reachable(self) -> bool:
        """Whether any alert could arrive."""
        return self.reachable_by("sms") or self.reachable_by("email")

    @property
    def is_suspended(self) -> bool:
        """Put off duty for not answering, until they answer or say that they are back."""
        return self.missed_pages >= MISSED_PAGES

    @property
    def takes_leads(self) -> bool:
        """Whether the person is given leads at all, as soon as their time comes."""
        switched_on = self.active and self.on_duty and not self.is_suspended
        return self.role == "rep" and switched_on and self.reachable

    def has_number(self, typed: str) -> bool:
        """Whether somebody means the person's phone, with or without what stands before a number
        within its country: `07700 900101` and `8 916 …` are numbers without their country.
        """
        digits = "".join(letter for letter in typed if letter in "0123456789").lstrip("0")
        if len(digits) == LONG_NUMBER and digits.startswith("8"):
            digits = digits[1:]
        return len(digits) >= SHORTEST_NUMBER and (self.phone or "").endswith(digits)

    def back_at(self, now: datetime) -> datetime:
        """When an absence is over: `now` for somebody who is not away."""
        for absence in sorted(self.absences, key=lambda absence: absence.since):
            if absence.since <= now < absence.until:
                now = absence.until
        return now

    def today(self, now: datetime) -> date:
        """The date where the person is."""
        return now.astimezone(ZoneInfo(self.zone)).date()

    def tomorrow(self, now: datetime) -> datetime:
        """When the person's day is over, in UTC."""
        return first_moment(self.today(now) + timedelta(days=1), time(), ZoneInfo(self.zone))


def _no_shift(rep: Rep) -> Calendar | None:  # noqa: ARG001 - a default for whoever has no shifts
    return None


class Roster:
    """The people of one team at one moment. `shift` gives the calendar of a person's shift, None
    for those who have none.
    """

    def __init__(
        self,
        people: Iterable[Rep],
        now: datetime,
        shift: Callable[[Rep], Calendar | None] = _no_shift,
    ) -> None:
        self.now = now
        self.people = {rep.rep_id: rep for rep in sorted(people, key=lambda rep: rep.rep_id)}
        self._shift = shift
        self.reps = tuple(rep for rep in self.people.values() if rep.takes_leads)
        """Those who are given leads, now or later, by id."""
        self.on_duty = tuple(rep for rep in self.reps if self.is_there(rep))
        """Those who can be given a lead now, by id."""

    def get(self, rep_id: str | None) -> Rep | None:
        """The person, whether or not on duty, and whether or not they have left."""
        return self.people.get(rep_id) if rep_id else None

    def active(self, rep_id: str | None) -> Rep | None:
        """The person, whether or not on duty; None for one who has left."""
        rep = self.get(rep_id)
        return rep if rep and rep.active else None

    @property
    def managers(self) -> tuple[Rep, ...]:
        """Those who are told when the team does not react."""
        return tuple(rep for rep in self.people.values() if rep.role == "manager" and rep.active)

    def shift_of(self, rep: Rep) -> Calendar | None:
        """The calendar of somebody's shift; None for those who have none."""
        return self._shift(rep)

    def is_there(self, rep: Rep) -> bool:
        """Whether somebody is neither away nor out of their shift."""
        shift = self._shift(rep)
        is_away = rep.back_at(self.now) > self.now
        return not is_away and (shift is None or shift.is_open(self.now))

    def there_at(self, rep: Rep, *, rested: bool = False) -> datetime | None:
        """When somebody is there next; None when that cannot be foreseen.

        `rested` wants a new day of theirs: today they have had enough.
        """
        at = rep.tomorrow(self.now) if rested else self.now
        shift = self._shift(rep)
        for _ in range(1 + len(rep.absences)):
            at = rep.back_at(at)
            try:
                opens_at = at if shift is None else shift.due(at, 0)
            except ValueError:
                return None
            if rep.back_at(opens_at) == opens_at:
                return opens_at
            at = opens_at
        return None

    def next_after(self, rep_id: str | None, pool: Iterable[Rep] | None = None) -> Rep | None:
        """The next person on duty after this one, of a pool if there is one; None when there is
        nobody else.
        """
        people = self.on_duty if pool is None else tuple(pool)
        others = [rep for rep in people if rep.rep_id != rep_id]
        return next((rep for rep in others if rep.rep_id > (rep_id or "")), None) or next(
            iter(others), None
        )
