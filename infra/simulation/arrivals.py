"""Leads to play with: drawn by chance, or those that came."""

import random
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from infra.simulation.stage import Arrival, facts_of
from shared.domain.calendar import first_moment
from shared.domain.form import Form
from shared.domain.instants import to_millisecond
from shared.domain.lead import Lead
from shared.domain.policy import Policy
from shared.domain.routing import Facts

BY_WEEKDAY = (1.15, 1.20, 1.20, 1.15, 1.00, 0.65, 0.65)
"""How busy Monday to Sunday are, beside a day like all others."""
BY_HOUR = (
    *(0.2, 0.1, 0.1, 0.1, 0.1, 0.2, 0.4, 0.7),
    *(1.2, 1.8, 2.2, 2.2, 1.9, 1.9, 2.0, 1.9),
    *(1.7, 1.4, 1.2, 1.2, 1.2, 1.1, 0.7, 0.4),
)
"""How busy each hour is, by the clock of the form's calendar: office hours, and an evening.

Both are made up, to be plausible; `--stored` has what really comes.
"""
DIRECT = "Direct"


def drawn(
    policy: Policy, forms: Iterable[Form], per_day: float, start: date, days: int, seed: int
) -> list[Arrival]:
    """Leads by a Poisson process, in the order of time; forms have the same share each.

    A lead comes from a direct visit, in the form's language and from its country.
    """
    wanted = list(forms)
    found: list[Arrival] = []
    for form in wanted:
        draw = random.Random(f"{seed} {form.form_id}")  # noqa: S311 - chance, not a secret
        zone = ZoneInfo(policy.calendar(form.calendar).zone)
        facts = Facts(form.form_id, DIRECT, form.language, form.default_region)
        for hour, ends_at in _hours(start, days, zone):
            local = hour.astimezone(zone)
            busy = BY_WEEKDAY[local.weekday()] * BY_HOUR[local.hour] / sum(BY_HOUR)
            at = hour
            while busy and (at := at + _gap(draw, per_day * busy / len(wanted))) < ends_at:
                found.append(Arrival(to_millisecond(at), facts))
    return sorted(found)


def _gap(draw: random.Random, per_hour: float) -> timedelta:
    return timedelta(hours=draw.expovariate(per_hour))


def _hours(start: date, days: int, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """The hours of some local dates, of which a day has 23 or 25 when the clocks change."""
    for number in range(days):
        day = start + timedelta(days=number)
        hour = first_moment(day, time(), zone)
        end = first_moment(day + timedelta(days=1), time(), zone)
        while hour < end:
            yield hour, min(hour + timedelta(hours=1), end)
            hour += timedelta(hours=1)


def stored(leads: Iterable[Lead]) -> list[Arrival]:
    """The leads that came: when, and what rules know of them."""
    return [Arrival(lead.received_at, facts_of(lead), lead.verdict) for lead in leads]
