"""What is wrong with the ways by which people are to hear of leads."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from shared.domain.events import Via
from shared.domain.roster import Rep

ProblemCode = Literal[
    "no_channel",
    "opted_out",
    "not_verified",
    "not_subscribed",
    "not_confirmed",
    "wrong_filter",
    "suppressed",
]


class Problem(NamedTuple):
    """One channel of a person that carries nothing; None for somebody who has no channel at all."""

    rep: Rep
    via: Via | None
    code: ProblemCode


def without_channel(people: Iterable[Rep]) -> list[Problem]:
    """Who has neither a phone nor an address."""
    return [Problem(rep, None, "no_channel") for rep in people if not rep.reachable]


def working(rep: Rep, problems: Iterable[Problem]) -> list[Via]:
    """The channels of a person that nothing is known against, the e-mail first."""
    broken = {problem.via for problem in problems if problem.rep == rep}
    channels: tuple[Via, ...] = ("email", "sms")
    return [via for via in channels if rep.reachable_by(via) and via not in broken]
