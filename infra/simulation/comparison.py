"""What is said of a simulation: its figures, and those of another beside them."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from infra.simulation.play import FIVE_MINUTES, Outcome
from infra.simulation.words import length

SAME = "="


class Figures(NamedTuple):
    """Of the leads that policy follows up. Seconds are wall time; infinite for never."""

    leads: int
    median_seconds: float
    """To the first call. Leads that are never called are among those that wait longest."""
    p90_seconds: float
    p95_seconds: float
    within_five_minutes: float
    """A share, like the next one."""
    in_time: float
    """By the clock of the form's calendar: what comes at night may be called in the morning."""
    never_called: int
    breached: int
    nobody: int
    """How often there was nobody who could be given a lead."""
    sms: float
    """A lead, to whomever; like the next one."""
    emails: float


class Paired(NamedTuple):
    """The same leads, one by one: how many are called sooner, and later, on the other side."""

    sooner: int
    same: int
    later: int


def figures(outcomes: Sequence[Outcome]) -> Figures:
    followed = [outcome for outcome in outcomes if outcome.is_followed]
    waits = sorted(map(waited_seconds, followed))
    of = max(1, len(followed))
    return Figures(
        leads=len(followed),
        median_seconds=quantile(waits, 0.5),
        p90_seconds=quantile(waits, 0.9),
        p95_seconds=quantile(waits, 0.95),
        within_five_minutes=sum(map(is_fast, followed)) / of,
        in_time=sum(outcome.in_time for outcome in followed) / of,
        never_called=waits.count(math.inf),
        breached=sum(outcome.breached for outcome in followed),
        nobody=sum(outcome.unassigned for outcome in followed),
        sms=sum(outcome.sms for outcome in followed) / of,
        emails=sum(outcome.emails for outcome in followed) / of,
    )


def waited_seconds(outcome: Outcome) -> float:
    return outcome.waited.total_seconds() if outcome.waited is not None else math.inf


def is_fast(outcome: Outcome) -> bool:
    return outcome.waited is not None and outcome.waited <= FIVE_MINUTES


def quantile(waits: Sequence[float], share: float) -> float:
    """The wait that this share of leads does not exceed (nearest rank); 0 of none."""
    return waits[math.ceil(share * len(waits)) - 1] if waits else 0.0


def paired(one: Sequence[Outcome], other: Sequence[Outcome]) -> Paired:
    """Leads that both sides follow up."""
    signs: Counter[int] = Counter()
    for before, after in zip(one, other, strict=True):
        if before.is_followed and after.is_followed:
            waits = waited_seconds(before), waited_seconds(after)
            signs[(waits[1] > waits[0]) - (waits[1] < waits[0])] += 1
    return Paired(signs[-1], signs[0], signs[1])


def table(one: Figures, other: Figures) -> Iterator[tuple[str, str, str, str]]:
    """Rows: what is measured, as it is, as it could be, and the difference."""
    yield ("", "AS IT IS", "AS IT COULD BE", "DIFFERENCE")
    yield _counted("leads", one.leads, other.leads)
    yield _lasting("half are called within", one.median_seconds, other.median_seconds)
    yield _lasting("nine of ten within", one.p90_seconds, other.p90_seconds)
    yield _lasting("95 of 100 within", one.p95_seconds, other.p95_seconds)
    yield _share("called within five minutes", one.within_five_minutes, other.within_five_minutes)
    yield _share("called in time, by the calendar", one.in_time, other.in_time)
    yield _counted("never called", one.never_called, other.never_called)
    yield _counted("deadline passed without a call", one.breached, other.breached)
    yield _counted("nobody was there to be given one", one.nobody, other.nobody)
    yield _each("SMS a lead", one.sms, other.sms)
    yield _each("e-mails a lead", one.emails, other.emails)


def _counted(what: str, one: int, other: int) -> tuple[str, str, str, str]:
    return what, f"{one}", f"{other}", f"{other - one:+}" if one != other else SAME


def _lasting(what: str, one: float, other: float) -> tuple[str, str, str, str]:
    gap = 0.0 if one == other else other - one
    if math.isinf(gap):
        return what, length(one), length(other), ""
    signed = f"{'-' if gap < 0 else '+'}{length(abs(gap))}" if abs(gap) >= 1 else SAME
    return what, length(one), length(other), signed


def _share(what: str, one: float, other: float) -> tuple[str, str, str, str]:
    points = round((other - one) * 100, 1)
    return what, f"{one:.1%}", f"{other:.1%}", f"{points:+} points" if points else SAME


def _each(what: str, one: float, other: float) -> tuple[str, str, str, str]:
    more = round(other - one, 2)
    return what, f"{one:.2f}", f"{other:.2f}", f"{more:+.2f}" if more else SAME
