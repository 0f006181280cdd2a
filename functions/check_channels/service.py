"""Looks every day whether alerts would reach the people of each team, and tells its managers whom
they would not: a lead is no way to find that out.

One message a day and team at most, whatever is tried again; none when nothing is wrong.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import NamedTuple, Protocol

from shared.adapters.alerts import AlertRefusedError
from shared.adapters.reachability import FEW_USD
from shared.domain.channels import Problem, without_channel, working
from shared.domain.policy import Policy
from shared.domain.roster import Rep
from shared.errors import ChannelsNotCheckedError
from shared.observability import logger
from shared.texts import channels as texts

OPS_LOCALE = "en"


class People(Protocol):
    def of_team(self, team: str) -> list[Rep]: ...
    def channels_told_on(self, team: str) -> date | None: ...
    def note_channels_told(self, team: str, on: date) -> None: ...


class Policies(Protocol):
    def current(self) -> Policy: ...


class Channels(Protocol):
    @property
    def checks(self) -> Sequence[Callable[[Sequence[Rep]], list[Problem]]]: ...
    def sms_limit(self) -> float: ...


class Sender(Protocol):
    def sms(self, phone: str, text: str) -> str: ...
    def email(self, rep: Rep, subject: str, text: str) -> str: ...


class Ops(Protocol):
    def send(self, subject: str, text: str) -> None: ...


class Parts(NamedTuple):
    """The parts that checking needs."""

    people: People
    policies: Policies
    channels: Channels
    sender: Sender
    ops: Ops


class Found(NamedTuple):
    """How many people were looked at, what was wrong with them, and how many teams were told."""

    people: int
    problems: int
    teams_told: int


def check(parts: Parts, now: datetime) -> Found:
    """Tells of each team whom alerts do not reach, and counts what was found.

    Raises ChannelsNotCheckedError after all that could be told, when AWS did not say everything.
    """
    policy = parts.policies.current()
    teams = sorted({form.team for form in policy.forms if not form.is_test})
    by_team = {team: [rep for rep in parts.people.of_team(team) if rep.active] for team in teams}
    # All together: an address may belong to people of two teams.
    people = [rep for reps in by_team.values() for rep in reps]
    problems, limit, unanswered = _ask(parts.channels, people)
    told = 0
    for team, reps in by_team.items():
        found = [problem for problem in problems if problem.rep.team == team]
        is_short = limit is not None and limit <= FEW_USD and any(rep.phone for rep in reps)
        if (found or is_short) and parts.people.channels_told_on(team) != now.date():
            warning = texts.Warning(team, tuple(found), limit if is_short else None)
            _tell(parts, warning, reps)
            parts.people.note_channels_told(team, now.date())
            told += 1
    if unanswered:
        raise ChannelsNotCheckedError(", ".join(unanswered))
    return Found(len(people), len(problems), told)


def _ask(
    channels: Channels, people: Sequence[Rep]
) -> tuple[list[Problem], float | None, list[str]]:
    """What is wrong, the limit of SMS, and what AWS did not answer."""
    problems, limit, unanswered = without_channel(people), None, []
    for one in channels.checks:
        try:
            problems += one(people)
        except ChannelsNotCheckedError as error:
            unanswered.append(str(error))
    try:
        limit = channels.sms_limit()
    except ChannelsNotCheckedError as error:
        unanswered.append(str(error))
    return problems, limit, unanswered


def _tell(parts: Parts, warning: texts.Warning, reps: Sequence[Rep]) -> None:
    """Each manager by the first channel that works, and whoever runs the stack."""
    for manager in (rep for rep in reps if rep.role == "manager"):
        for via in working(manager, warning.problems):
            try:
                _send(parts.sender, manager, via, warning)
            except AlertRefusedError as error:
                logger.warning("manager not warned", rep_id=manager.rep_id, reason=error.reason)
            else:
                break
    message = texts.email(warning, OPS_LOCALE)
    parts.ops.send(message.subject, message.text)


def _send(sender: Sender, manager: Rep, via: str, warning: texts.Warning) -> None:
    if via == "sms":
        sender.sms(manager.phone or "", texts.sms(warning, manager.locale))
    else:
        message = texts.email(warning, manager.locale)
        sender.email(manager, message.subject, message.text)
