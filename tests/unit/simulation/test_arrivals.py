"""Leads by chance: as many as asked for, when the profile says, and the same for the same seed."""

from collections import Counter
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from infra.simulation.arrivals import BY_HOUR, BY_WEEKDAY, drawn, stored
from infra.simulation.stage import Arrival
from shared.domain.policy import Policy
from shared.domain.routing import Facts
from tests.unit.domain.samples import a_lead
from tests.unit.simulation.scene import a_form, a_lead_at, a_policy

BERLIN = ZoneInfo("Europe/Berlin")
POLICY = a_policy(
    form_ru=a_form("ru", locale="ru", default_region="RU", calendar="berlin"),
    calendar_berlin={"zone": "Europe/Berlin", "always": True},
)


def leads(policy: Policy, *form_ids: str, days: int = 28, seed: int = 1) -> list[Arrival]:
    forms = [form for form in policy.forms if form.form_id in form_ids]
    return drawn(policy, forms, 200, date(2026, 3, 2), days, seed)


def test_the_profile_changes_no_total() -> None:
    assert sum(BY_WEEKDAY) / 7 == pytest.approx(1)


def test_leads_come_in_order_as_often_as_asked_for_in_the_forms_days() -> None:
    found = leads(POLICY, "fast", "ru")
    moments = [lead.at for lead in found]
    assert moments == sorted(moments)
    assert len(found) / 28 == pytest.approx(200, rel=0.05)
    of_ru = [lead.at for lead in found if lead.facts.form_id == "ru"]
    assert len(of_ru) / len(found) == pytest.approx(0.5, abs=0.03), "the same share each"
    assert min(of_ru) >= datetime(2026, 3, 1, 23, tzinfo=UTC), "midnight in Berlin"
    assert max(of_ru) < datetime(2026, 3, 29, 22, tzinfo=UTC), "and after the clocks changed"


def test_leads_come_when_people_are_awake() -> None:
    found = leads(POLICY, "ru")
    by_hour = Counter(lead.at.astimezone(BERLIN).hour for lead in found)
    by_day = Counter(lead.at.astimezone(BERLIN).weekday() for lead in found)
    for hour, busy in enumerate(BY_HOUR):
        expected = 28 * 200 * busy / sum(BY_HOUR)
        # Four deviations of a Poisson count, which one in 16,000 exceeds.
        assert abs(by_hour[hour] - expected) < 4 * expected**0.5
    assert by_day[1] / by_day[6] == pytest.approx(BY_WEEKDAY[1] / BY_WEEKDAY[6], rel=0.15)


def test_a_day_on_which_the_clocks_change_has_an_hour_less() -> None:
    """On 29 March 2026 there is no hour from two to three in Berlin."""
    found = [lead.at.astimezone(BERLIN) for lead in leads(POLICY, "ru")]
    last = [local for local in found if local.date() == date(2026, 3, 29)]
    assert {local.hour for local in last} >= {0, 9, 10, 20}
    assert 2 not in {local.hour for local in last}


def test_what_rules_know_is_the_forms() -> None:
    assert {lead.facts[1:] for lead in leads(POLICY, "ru", days=2)} == {("Direct", "ru", "RU")}


def test_the_same_seed_draws_the_same_and_another_something_else() -> None:
    assert leads(POLICY, "fast") == leads(POLICY, "fast")
    assert leads(POLICY, "fast") != leads(POLICY, "fast", seed=2)


def test_of_a_lead_that_came_only_the_moment_and_the_facts_are_kept() -> None:
    lead = a_lead(form_id="fast", country="GB", received_at=a_lead_at(0).at)
    assert stored([lead]) == [a_lead_at(0)]
    later = a_lead(verdict="raw", locale="ru", channel="Paid Search")
    facts = Facts("demo-en", "Paid Search", "ru", None)
    assert stored([later]) == [Arrival(later.received_at, facts, "raw")]
