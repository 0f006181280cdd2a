"""Who can be given a lead at a moment, and what keeps the others from it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from infra.cli.commands import lines
from shared.domain.calendar import Calendar
from shared.domain.coverage import moment
from shared.domain.policy import Policy
from shared.domain.roster import Rep, Roster
from shared.domain.routing import Rotation
from shared.domain.standing import Hindrance, Why, hindrances

SUSPENDED = "off duty: two alerts unanswered"


class Standing(NamedTuple):
    """How somebody stands at a moment."""

    hindrances: tuple[str, ...]
    """Why they cannot be given a lead; none when they can."""
    there_at: datetime | None
    """When they can be given one next; None when that cannot be foreseen."""

    def __str__(self) -> str:
        return ", ".join(self.hindrances) or "can be given a lead"


class Duty:
    """A team at a moment: its people, their shifts, and the leads they were given that day."""

    def __init__(
        self, people: Sequence[Rep], rotation: Rotation, policy: Policy | None, now: datetime
    ) -> None:
        self.now = now
        self._rotation = rotation
        self._policy = policy
        self.roster = Roster(people, now, self._shift)

    @property
    def reps(self) -> list[Rep]:
        """Those who would be given leads, by id."""
        return [rep for rep in self.roster.people.values() if rep.active and rep.role == "rep"]

    def standing(self, rep: Rep) -> Standing:
        """How one of the team stands."""
        found = hindrances(rep, self.roster, self._rotation)
        rested = not self._rotation.has_room(rep, self.now)
        there_at = self.roster.there_at(rep, rested=rested) if rep.takes_leads else None
        return Standing(tuple(_said(hindrance, rep) for hindrance in found), there_at)

    @property
    def table(self) -> str:
        """Everybody who would be given leads, a line each."""
        rows = [("ID", "NAME", "TODAY", "THERE NEXT", "NOW")]
        for rep in self.reps:
            standing = self.standing(rep)
            given = str(self._rotation.given_on(rep, self.now))
            at = "-" if standing.there_at is None else shown(standing.there_at, rep)
            there_next = at if standing.hindrances else "now"
            most = f" of {rep.daily_cap}" if rep.daily_cap else ""
            rows.append((rep.rep_id, rep.name, f"{given}{most}", there_next, str(standing)))
        return lines(rows)

    @property
    def heading(self) -> str:
        """How many can be given a lead; when nobody can, so that it is not overlooked."""
        if not self.roster.people:
            return "NOBODY IS ENTERED: `leadline roster put FILE`"
        standings = [self.standing(rep) for rep in self.reps]
        able = sum(not standing.hindrances for standing in standings)
        if able:
            return f"{able} of {len(standings)} can be given a lead"
        moments = [standing.there_at for standing in standings if standing.there_at]
        until = f" BEFORE {moment(min(moments), ZoneInfo('UTC'))} UTC" if moments else ""
        return f"NOBODY CAN BE GIVEN A LEAD{until}"

    @property
    def managers(self) -> str:
        """Who is told when nobody can."""
        told = [
            f"{rep.name} ({', '.join(filter(None, (rep.phone, rep.email)))})"
            for rep in self.roster.managers
            if rep.reachable
        ]
        if not told:
            return "NO MANAGER CAN BE REACHED: nobody learns of a lead that nobody has"
        return f"told when nobody can be given a lead: {', '.join(told)}"

    @property
    def is_covered(self) -> bool:
        """Whether a lead would be given to somebody at once."""
        return any(not self.standing(rep).hindrances for rep in self.reps)

    def _shift(self, rep: Rep) -> Calendar | None:
        return self._policy.shift(rep) if self._policy else None


WORDS: Mapping[Why, str] = {
    "inactive": "not active",
    "manager": "a manager is given no leads",
    "unreachable": "neither phone nor e-mail",
    "off_duty": "off duty",
    "suspended": SUSPENDED,
    "absent": "absent until {until}",
    "out_of_shift": "out of shift until {until}",
    "never_on_shift": "calendar/{rep.calendar} never opens",
    "at_cap": "at the daily cap of {rep.daily_cap}",
}


def _said(hindrance: Hindrance, rep: Rep) -> str:
    until = shown(hindrance.until, rep) if hindrance.until else ""
    return WORDS[hindrance.why].format(until=until, rep=rep)


def shown(at: datetime, rep: Rep) -> str:
    """A moment where the person is."""
    return f"{moment(at, ZoneInfo(rep.zone))} {rep.zone}"
