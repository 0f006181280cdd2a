"""Somebody wants a new link to their list, and says their number.

Whoever asks is told the same, and as fast, whether or not the number is in a roster. What is sent
goes to the number in the roster, by `send_alert`: this function may text nobody.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import cache

from follow_up_lead.service import Parts
from shared.domain.contact import read_phone, region_of
from shared.domain.instants import iso
from shared.domain.roster import Rep
from shared.errors import PolicyError
from shared.observability import logger, report_unexpected

ANSWERED_AFTER_SECONDS = 0.5
"""Longer than finding a person and noting that they asked: how long it took tells nobody anything.
"""
MOST_PEOPLE = 3
"""Somebody may be of several teams; a number is no way to text everybody."""


def ask_for_link(number: str, parts: Parts, now: datetime) -> None:
    """Has a new link sent to whoever has this number, if somebody has and did not just ask."""
    began = parts.clock()
    means = _meaning(number)
    people = [rep for rep in everybody(parts) if rep.active and means(rep)]
    for rep in people[:MOST_PEOPLE]:
        try:
            _send(rep, parts, now)
        except Exception as error:  # noqa: BLE001 - an error page would say that the number is known
            report_unexpected(error)
    parts.pause(max(0.0, began + ANSWERED_AFTER_SECONDS - parts.clock()))


def _meaning(typed: str) -> Callable[[Rep], bool]:
    """Whether somebody means a person's phone: by its last digits, or as it is written where the
    person is from, such as `+44 (0)7700 900101`.
    """

    @cache
    def read_in(region: str) -> str | None:
        found = read_phone(typed, region)
        return found.number if found else None

    def means(rep: Rep) -> bool:
        if rep.phone is None:
            return False
        return rep.has_number(typed) or read_in(region_of(rep.phone)) == rep.phone

    return means


def _send(rep: Rep, parts: Parts, now: datetime) -> None:
    codes = {"team": rep.team, "rep_id": rep.rep_id}
    if not parts.links.ask_for_link(rep.team, rep.rep_id, now):
        logger.info("link refused: asked for too often", extra=codes)
        return
    parts.alert_queue.send([{**codes, "asked_at": iso(now)}])
    logger.info("link asked for", extra=codes)


def everybody(parts: Parts) -> Iterator[Rep]:
    """The people of every team that an operator has entered somebody in, or that a form has."""
    teams = set(parts.people.teams())
    with suppress(PolicyError):
        teams |= {form.team for form in parts.policies.current().forms}
    for team in sorted(teams):
        yield from parts.people.of_team(team)
