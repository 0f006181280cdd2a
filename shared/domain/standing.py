"""What keeps somebody from being given a lead at a moment, for whoever has to say it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal, NamedTuple

from shared.domain.roster import Rep, Roster
from shared.domain.routing import Rotation

Why = Literal[
    "inactive",
    "manager",
    "unreachable",
    "off_duty",
    "suspended",
    "absent",
    "out_of_shift",
    "never_on_shift",
    "at_cap",
]


class Hindrance(NamedTuple):
    """One reason, and until when it lasts where that is known."""

    why: Why
    until: datetime | None = None


def hindrances(rep: Rep, roster: Roster, rotation: Rotation) -> Iterator[Hindrance]:
    """Every reason why the person cannot be given a lead now; none when they can."""
    now = roster.now
    if not rep.active:
        yield Hindrance("inactive")
    if rep.role == "manager":
        yield Hindrance("manager")
    if not rep.reachable:
        yield Hindrance("unreachable")
    if not rep.on_duty:
        yield Hindrance("off_duty")
    if rep.is_suspended:
        yield Hindrance("suspended")
    if (back_at := rep.back_at(now)) > now:
        yield Hindrance("absent", back_at)
    shift = roster.shift_of(rep)
    if shift is not None and not shift.is_open(now):
        opens_at = shift.due_if_ever(now, 0)
        yield Hindrance("out_of_shift", opens_at) if opens_at else Hindrance("never_on_shift")
    if not rotation.has_room(rep, now):
        yield Hindrance("at_cap")
