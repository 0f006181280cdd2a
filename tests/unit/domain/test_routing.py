"""Who gets a lead: the rules in their order, and turns that are fair in any stretch of time."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.roster import Rep, Roster
from shared.domain.routing import EVERYBODY, Chosen, Facts, Nobody, Rotation, Routing, Rule, choose
from tests.unit.domain.samples import MARIA, RECEIVED, a_rep

SAMPLE = Routing.model_validate(
    yaml.safe_load((Path(__file__).parents[3] / "infra/policy/routing/default.yaml").read_text())
)
ENGLISH = Facts("demo-en", "Direct", "en", "GB")
RUSSIAN = ENGLISH._replace(language="ru")


def a_routing(*rules: dict[str, Any]) -> Routing:
    return Routing.model_validate({"rules": [*rules, {"rule": "rest"}]})


def chosen_of(
    routing: Routing,
    facts: Facts,
    *people: Rep,
    previous_owner: str | None = None,
    rotation: Rotation | None = None,
) -> Chosen | Nobody:
    roster = Roster(people, RECEIVED)
    found, _ = choose(routing.matching(facts), roster, rotation or Rotation(), previous_owner)
    return found


def turns(rules: Sequence[Rule], people: Sequence[Rep], leads: int) -> list[str]:
    """Who gets so many leads, one after the other."""
    rotation, given_to = Rotation(), []
    for _ in range(leads):
        found, rotation = choose(rules, Roster(people, RECEIVED), rotation)
        assert isinstance(found, Chosen)
        given_to.append(found.rep.rep_id)
    return given_to


@pytest.mark.parametrize(
    ("condition", "fact"),
    [
        ({"forms": ["demo-en"]}, {"form_id": "other"}),
        ({"channels": ["Direct", "Paid Search"]}, {"channel": "Referral"}),
        ({"languages": ["en"]}, {"language": "ru"}),
        ({"countries": ["GB"]}, {"country": "DE"}),
        ({"countries": ["GB"]}, {"country": None}),
    ],
)
def test_a_rule_matches_what_it_asks_for(condition: dict[str, Any], fact: dict[str, Any]) -> None:
    routing = a_routing({"rule": "asked", "skill": "special", **condition})
    people = [a_rep("anna"), a_rep("boris", skills=("special",))]

    found = chosen_of(routing, ENGLISH, *people)
    other = chosen_of(routing, ENGLISH._replace(**fact), *people)

    assert isinstance(found, Chosen)
    assert isinstance(other, Chosen)
    assert (found.rule, found.rep.rep_id) == ("asked", "boris")
    assert (other.rule, other.rep.rep_id) == ("rest", "anna")


def test_all_that_a_rule_names_must_hold() -> None:
    routing = a_routing({"rule": "both", "languages": ["en"], "countries": ["DE"]})

    assert [rule.rule for rule in routing.matching(ENGLISH)] == ["rest"]


def test_a_returning_contact_goes_to_its_previous_owner_who_is_there() -> None:
    people = [a_rep("anna"), a_rep("boris"), a_rep("zoe")]

    found = chosen_of(SAMPLE, ENGLISH, *people, previous_owner="zoe")

    assert isinstance(found, Chosen)
    assert (found.rule, found.rep.rep_id) == ("returning", "zoe")


@pytest.mark.parametrize(
    "owner", [a_rep("zoe", on_duty=False), a_rep("zoe", active=False), a_rep("zoe", missed_pages=2)]
)
def test_a_previous_owner_who_is_not_there_is_passed_over(owner: Rep) -> None:
    found = chosen_of(SAMPLE, ENGLISH, a_rep("anna"), owner, previous_owner="zoe")

    assert isinstance(found, Chosen)
    assert (found.rule, found.rep.rep_id) == ("everybody", "anna")


def test_a_manager_never_gets_a_lead_by_turns() -> None:
    assert isinstance(chosen_of(EVERYBODY, ENGLISH, MARIA), Nobody)


def test_an_empty_pool_is_said_and_never_filled_silently() -> None:
    routing = a_routing({"rule": "russian", "languages": ["ru"], "skill": "ru"})

    found = chosen_of(routing, RUSSIAN, a_rep("anna"))

    assert found == Nobody("russian", "nobody_on_duty", None)


def test_going_on_to_the_next_rule_is_agreed_and_said() -> None:
    found = chosen_of(SAMPLE, RUSSIAN, a_rep("anna"))

    assert isinstance(found, Chosen)
    assert (found.rep.rep_id, found.rule) == ("anna", "everybody")
    assert found.passed_over == ("russian",)


def test_a_rule_may_want_a_chain_of_its_own() -> None:
    routing = a_routing({"rule": "paid", "channels": ["Paid Search"], "chain": "urgent"})

    assert routing.chain(ENGLISH._replace(channel="Paid Search")) == "urgent"
    assert routing.chain(ENGLISH) is None


def test_the_rule_that_decides_says_which_chain_there_is() -> None:
    """Not a later one, though it may give the lead to somebody: the promise is made before."""
    passing = {"rule": "english", "languages": ["en"], "skill": "en", "when_empty": "next_rule"}
    paid = {"rule": "paid", "channels": ["Paid Search"], "chain": "urgent"}
    known = {"rule": "known", "to": "previous_owner"}
    english, russian = (facts._replace(channel="Paid Search") for facts in (ENGLISH, RUSSIAN))

    routing = a_routing(known, passing, paid)

    assert (routing.chain(english), routing.chain(russian)) == (None, "urgent")
    assert a_routing({**passing, "chain": "calm"}, paid).chain(english) == "calm"


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        ([{"rule": "a", "languages": ["en"]}], "the last rule must take every lead"),
        ([{"rule": "a", "to": "previous_owner"}], "the last rule must take every lead"),
        ([{"rule": "a", "when_empty": "next_rule"}], "the last rule must take every lead"),
        ([{"rule": "a"}, {"rule": "b"}], "no rule after a is ever reached"),
        ([{"rule": "a", "languages": ["en"]}, {"rule": "a"}], "same name"),
        ([{"rule": "a", "to": "previous_owner", "skill": "x"}, {"rule": "b"}], "no skill"),
        ([], "at least 1"),
    ],
)
def test_rules_that_could_leave_a_lead_without_anybody_are_refused(
    rules: list[dict[str, Any]], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        Routing.model_validate({"rules": rules})


def test_equals_take_turns_strictly() -> None:
    people = [a_rep("anna"), a_rep("boris"), a_rep("clara")]

    assert turns(EVERYBODY.rules, people, 6) == ["anna", "boris", "clara"] * 2


def test_a_weight_of_two_gets_twice_as_much() -> None:
    people = [a_rep("anna", weight=2), a_rep("boris")]

    assert Counter(turns(EVERYBODY.rules, people, 300)) == {"anna": 200, "boris": 100}


@given(
    weights=st.lists(st.integers(1, 10), min_size=2, max_size=6),
    start=st.integers(0, 120),
    length=st.integers(1, 120),
)
def test_in_any_stretch_two_people_differ_by_one_lead_per_unit_of_weight(
    weights: list[int], start: int, length: int
) -> None:
    people = [a_rep(f"rep{number}", weight=weight) for number, weight in enumerate(weights)]
    given_to = Counter(turns(EVERYBODY.rules, people, start + length)[start:])

    for one, other in combinations(people, 2):
        shares = [given_to[rep.rep_id] / rep.weight for rep in (one, other)]
        assert abs(shares[0] - shares[1]) <= 1 + 1e-9


@given(
    weights=st.lists(st.integers(1, 5), min_size=2, max_size=5),
    before=st.integers(0, 30),
    away=st.integers(1, 200),
)
def test_after_an_absence_nobody_is_flooded(weights: list[int], before: int, away: int) -> None:
    people = [a_rep(f"rep{number}", weight=weight) for number, weight in enumerate(weights)]
    rotation, back = Rotation(), people[0]

    def give(present: Sequence[Rep], leads: int) -> list[str]:
        nonlocal rotation
        given_to = []
        for _ in range(leads):
            found, rotation = choose(EVERYBODY.rules, Roster(present, RECEIVED), rotation)
            assert isinstance(found, Chosen)
            given_to.append(found.rep.rep_id)
        return given_to

    give(people, before)
    give(people[1:], away)
    after = give(people, sum(weights))

    assert 0 < after.count(back.rep_id) <= back.weight + 1


@given(
    caps=st.lists(st.none() | st.integers(1, 4), min_size=1, max_size=4), leads=st.integers(1, 40)
)
def test_caps_hold_and_end_with_the_persons_day(caps: list[int | None], leads: int) -> None:
    people = [
        a_rep(f"rep{number}", daily_cap=cap, zone="Asia/Kathmandu")
        for number, cap in enumerate(caps)
    ]
    rotation, given_to = Rotation(), Counter[str]()
    for _ in range(leads):
        found, rotation = choose(EVERYBODY.rules, Roster(people, RECEIVED), rotation)
        if isinstance(found, Nobody):
            assert all(rep.daily_cap == given_to[rep.rep_id] for rep in people)
            assert found.reason == "all_at_their_cap"
            assert found.again_at == datetime(2026, 11, 20, 18, 15, tzinfo=UTC), "midnight there"
            tomorrow, _ = choose(EVERYBODY.rules, Roster(people, found.again_at), rotation)
            assert isinstance(tomorrow, Chosen)
            return
        given_to[found.rep.rep_id] += 1
    assert all(rep.daily_cap is None or given_to[rep.rep_id] <= rep.daily_cap for rep in people)


def test_what_comes_by_another_rule_counts_for_the_cap_and_not_for_the_turn() -> None:
    people = [a_rep("anna", daily_cap=2), a_rep("boris")]
    roster = Roster(people, RECEIVED)
    _, rotation = choose(SAMPLE.matching(ENGLISH), roster, Rotation(), "anna")

    found, rotation = choose(SAMPLE.matching(ENGLISH), roster, rotation)
    assert isinstance(found, Chosen)
    assert found.rep.rep_id == "anna", "it is still her turn"
    returning, _ = choose(SAMPLE.matching(ENGLISH), roster, rotation, "anna")
    assert isinstance(returning, Chosen)
    assert returning.rep.rep_id == "boris", "she has had her two"


def test_a_pool_of_its_own_does_not_disturb_the_turns_of_another() -> None:
    people = [a_rep("anna"), a_rep("boris", skills=("ru",)), a_rep("clara")]
    roster, rotation, english = Roster(people, RECEIVED), Rotation(), []
    for number in range(30):
        facts = RUSSIAN if number % 3 == 0 else ENGLISH
        found, rotation = choose(SAMPLE.matching(facts), roster, rotation)
        assert isinstance(found, Chosen)
        if facts is ENGLISH:
            english.append(found.rep.rep_id)

    assert Counter(english[:18]) == {"anna": 6, "boris": 6, "clara": 6}


def test_a_rotation_of_before_there_were_pools_is_read() -> None:
    item = {"PK": "TEAM#sales", "SK": "ROTATION", "turn": 17}

    assert Rotation.model_validate(item) == Rotation()


def test_who_is_away_is_tried_again_when_they_are_back() -> None:
    back = RECEIVED + timedelta(hours=3)
    away = a_rep("anna", absences=[{"since": RECEIVED, "until": back}])

    found = chosen_of(EVERYBODY, ENGLISH, away, a_rep("boris", on_duty=False))

    assert found == Nobody("everybody", "nobody_on_duty", back)
