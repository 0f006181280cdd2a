"""Who follows up: the people of a team, who of them is on duty, and whose turn it is."""

from collections.abc import Callable, Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict

from shared.domain.calendar import Zone
from shared.domain.events import Via


class Rep(BaseModel):
    """A person of a team. People are records, never policy: they change without a new version."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    rep_id: str
    team: str
    name: str
    role: Literal["rep", "manager"] = "rep"
    phone: str | None = None
    """E.164. SMS go to numbers of the roster only, never to one that came with a form."""
    email: str | None = None
    locale: str = "en"
    zone: Zone = "UTC"
    calendar: str | None = None
    """The calendar of the person's shift; without one the switch alone decides."""
    active: bool = True
    on_duty: bool = True

    def reachable_by(self, via: Via) -> bool:
        """Whether an alert through this channel could arrive."""
        return bool(self.phone if via == "sms" else self.email)

    @property
    def reachable(self) -> bool:
        """Whether any alert could arrive."""
        return self.reachable_by("sms") or self.reachable_by("email")


class Roster:
    """The people of one team at one moment.

    `turn` counts assignments of the team: it moves by its own atomic update before a lead is
    assigned, so that two planners never hand out the same turn; a lost turn is harmless.
    """

    def __init__(
        self,
        people: Iterable[Rep],
        *,
        in_shift: Callable[[Rep], bool] = lambda rep: True,  # noqa: ARG005
        turn: int = 0,
    ) -> None:
        self.people = {rep.rep_id: rep for rep in sorted(people, key=lambda rep: rep.rep_id)}
        self.turn = turn
        self.on_duty = tuple(
            rep
            for rep in self.people.values()
            if rep.role == "rep" and rep.active and rep.on_duty and rep.reachable and in_shift(rep)
        )
        """Those who can be given a lead now, by id."""

    def get(self, rep_id: str | None) -> Rep | None:
        """The person, whether or not on duty."""
        return self.people.get(rep_id) if rep_id else None

    @property
    def managers(self) -> tuple[Rep, ...]:
        """Those who are told when the team does not react."""
        return tuple(rep for rep in self.people.values() if rep.role == "manager" and rep.active)

    def next_in_turn(self) -> Rep | None:
        """Whose turn it is; None when nobody is on duty."""
        return self.on_duty[self.turn % len(self.on_duty)] if self.on_duty else None

    def next_after(self, rep_id: str | None) -> Rep | None:
        """The next person on duty after this one; None when there is nobody else."""
        others = [rep for rep in self.on_duty if rep.rep_id != rep_id]
        return next((rep for rep in others if rep.rep_id > (rep_id or "")), None) or next(
            iter(others), None
        )
