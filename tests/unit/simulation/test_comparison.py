"""Figures of a few leads, worked out by hand."""

import math

import pytest

from infra.simulation.comparison import Paired, figures, paired, quantile, table
from infra.simulation.play import Outcome
from tests.unit.simulation.scene import a_lead_at, after


def waited(*seconds: float | None) -> list[Outcome]:
    """Leads that came at nine and waited so long; None was never called."""
    return [
        Outcome(
            a_lead_at(0),
            called_at=None if one is None else after(one),
            in_time=one is not None and one <= 300,
            breached=one is None or one > 300,
            unassigned=int(one is None),
            sms=2,
            emails=1,
        )
        for one in seconds
    ]


def test_who_is_never_called_waits_longest() -> None:
    told = figures(waited(10, 300, 301, None))
    assert (told.median_seconds, told.p90_seconds) == (300, math.inf)
    assert (told.within_five_minutes, told.in_time) == (0.5, 0.5)
    assert (told.leads, told.never_called, told.breached, told.nobody) == (4, 1, 2, 1)
    assert (told.sms, told.emails) == (2, 1)


@pytest.mark.parametrize(("share", "wait"), [(0.5, 5), (0.9, 9), (0.91, 10), (0.95, 10), (1, 10)])
def test_a_share_of_leads_waits_no_longer_than_its_quantile(share: float, wait: int) -> None:
    assert quantile(range(1, 11), share) == wait


def test_what_policy_leaves_alone_is_in_no_figure() -> None:
    left_alone = Outcome(a_lead_at(0), is_followed=False)
    assert figures([*waited(10), left_alone]) == figures(waited(10))
    assert figures([left_alone]).leads == 0


def test_leads_are_compared_one_by_one() -> None:
    left_alone = Outcome(a_lead_at(0), is_followed=False)
    one = [*waited(10, 20, 30, None, None, 5), left_alone]
    other = [*waited(5, 20, 40, 60, None, None), *waited(1)]
    assert paired(one, other) == Paired(sooner=2, same=2, later=2)


def test_the_table_says_what_differs() -> None:
    rows = {row[0]: row[1:] for row in table(figures(waited(60, None)), figures(waited(45, 90)))}
    assert rows["half are called within"] == ("1 min", "45 s", "-15 s")
    assert rows["nine of ten within"] == ("never", "1 min 30 s", "")
    assert rows["called within five minutes"] == ("50.0%", "100.0%", "+50.0 points")
    assert rows["never called"] == ("1", "0", "-1")
    assert rows["SMS a lead"] == ("2.00", "2.00", "=")


def test_what_is_the_same_is_said_to_be() -> None:
    same = figures(waited(60, 400))
    assert {row[3] for row in table(same, same)} == {"DIFFERENCE", "="}
