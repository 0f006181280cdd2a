"""How soon leads are called: small cases worked out by hand, and what must hold in all."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.simulation.play import GIVEN_UP_AFTER, Habits, Outcome, played
from infra.simulation.stage import Stage
from shared.domain.roster import Rep, Roster
from tests.unit.domain.samples import a_rep
from tests.unit.simulation.scene import (
    BOSS,
    NINE,
    OFFER,
    REASSIGN,
    a_chain,
    a_lead_at,
    a_policy,
    after,
    called,
    play,
    steady,
)

ANNA, BORIS = a_rep("anna"), a_rep("boris")


def test_whoever_is_alerted_calls_after_their_reaction() -> None:
    [lead] = play([ANNA], a_lead_at(0))
    assert called([lead]) == [("anna", 60)]
    assert lead.waited == timedelta(seconds=60)
    assert (lead.in_time, lead.breached, lead.sms, lead.emails) == (True, False, 1, 1)


def test_the_second_of_two_leads_waits_for_the_end_of_the_call() -> None:
    leads = play([ANNA], a_lead_at(0), a_lead_at(10))
    assert called(leads) == [("anna", 60), ("anna", 300)]
    assert [lead.in_time for lead in leads] == [True, True], "due at 310"


def test_two_people_share_two_leads() -> None:
    assert called(play([ANNA, BORIS], a_lead_at(0), a_lead_at(10))) == [("anna", 60), ("boris", 70)]


def test_what_is_due_first_is_called_first() -> None:
    leads = play([ANNA], a_lead_at(0), a_lead_at(10, "slow"), a_lead_at(20))
    assert called(leads) == [("anna", 60), ("anna", 540), ("anna", 300)]


def test_who_calls_at_the_deadline_is_in_time() -> None:
    [in_time] = play([ANNA], a_lead_at(0), chances={0: steady(240, 300)})
    [late] = play([ANNA], a_lead_at(0), chances={0: steady(240, 300.001)})
    assert (in_time.in_time, in_time.breached) == (True, False)
    assert (late.in_time, late.breached) == (False, True)


def test_what_begins_after_the_shift_waits_for_the_next() -> None:
    """Seven hours after nine the shift ends; the next begins 23 hours after nine."""
    anna = a_rep("anna", calendar="day")
    leads = play([anna], a_lead_at(7 * 3600 - 30), a_lead_at(7 * 3600 - 90))
    assert called(leads) == [("anna", 23 * 3600), ("anna", 7 * 3600 - 30)]


def test_a_call_goes_on_after_the_shift() -> None:
    anna = a_rep("anna", calendar="day")
    [lead] = play([anna], a_lead_at(7 * 3600 - 90))
    assert lead.call_ends_at == after(7 * 3600 + 210)


def test_who_is_away_calls_when_they_are_back() -> None:
    away = {"since": after(30), "until": after(7200)}
    assert called(play([a_rep("anna", absences=[away])], a_lead_at(0))) == [("anna", 7200)]


def test_a_lead_that_comes_when_nobody_is_there_is_given_to_whoever_comes_next() -> None:
    [lead] = play([a_rep("anna", calendar="night"), BOSS], a_lead_at(0))
    assert called([lead]) == [("anna", 13 * 3600 + 60)]
    assert lead.unassigned == 1
    assert (lead.sms, lead.emails) == (2, 2), "the manager is told, too"


def test_the_first_who_comes_has_a_lead_that_all_were_offered() -> None:
    policy = a_policy(chain_default=a_chain(OFFER))
    # The owner would call after 3,600 seconds; of the offer at 600 after 50, Boris after 40.
    chances = {0: steady(240, 3600, 50, 40)}
    [lead] = play([ANNA, BORIS], a_lead_at(0), policy=policy, chances=chances)
    assert called([lead]) == [("boris", 640)]
    assert lead.breached


def test_a_further_alert_is_one_more_chance_to_be_fast() -> None:
    policy = a_policy(chain_default=a_chain(OFFER))
    [lead] = play([ANNA], a_lead_at(0), policy=policy, chances={0: steady(240, 3600, 50)})
    assert called([lead]) == [("anna", 650)]


def test_a_further_alert_makes_nobody_slower() -> None:
    policy = a_policy(chain_default=a_chain(OFFER))
    [lead] = play([ANNA], a_lead_at(0), policy=policy, chances={0: steady(240, 700, 3600)})
    assert called([lead]) == [("anna", 700)]


def test_who_is_put_off_duty_is_given_nothing_until_they_are_back() -> None:
    """Anna is on the phone for an hour, and two leads are taken for not answered meanwhile."""
    policy = a_policy(chain_default=a_chain(REASSIGN))
    arrivals = [a_lead_at(0), a_lead_at(100), a_lead_at(200), a_lead_at(600)]
    leads = play([ANNA, BOSS], *arrivals, policy=policy, chances={0: steady(3600)})
    assert [lead.unassigned for lead in leads] == [0, 0, 0, 1]
    # Her call ends at 3,660. She is back with that, and gets the last lead as the third in line.
    assert called(leads) == [("anna", 60), ("anna", 3660), ("anna", 3900), ("anna", 4140)]


def test_a_person_of_two_teams_has_one_phone() -> None:
    people = [a_rep("anna", team=team) for team in ("sales", "support")]
    leads = play(people, a_lead_at(0), a_lead_at(10, "support"))
    assert called(leads) == [("anna", 60), ("anna", 300)]


def test_what_nobody_can_be_given_is_never_called() -> None:
    [lead] = play([a_rep("anna", on_duty=False), BOSS], a_lead_at(0))
    assert called([lead]) == [(None, None)]
    assert lead.waited is None
    assert lead.breached


def test_what_is_called_after_two_weeks_counts_as_never_called() -> None:
    away = {"since": after(30), "until": NINE + GIVEN_UP_AFTER + timedelta(seconds=1)}
    assert called(play([a_rep("anna", absences=[away])], a_lead_at(0))) == [(None, None)]


def test_what_policy_leaves_alone_is_followed_up_by_nobody() -> None:
    [lead] = play([ANNA], a_lead_at(0, verdict="non_target"))
    assert not lead.is_followed
    assert (lead.called_at, lead.sms, lead.breached) == (None, 0, False)


def test_no_leads_are_no_trouble() -> None:
    assert play([ANNA]) == []


# --- chance --------------------------------------------------------------------------------------


def draws(seed: int, number: int) -> list[timedelta]:
    chance = Habits().chances(seed)(number)
    return [chance.call, *(next(chance.reactions) for _ in range(5))]


def test_the_chance_of_a_lead_depends_on_the_seed_and_its_number_only() -> None:
    assert draws(1, 7) == draws(1, 7)
    assert draws(1, 7) != draws(1, 8)
    assert draws(1, 7) != draws(2, 7)


def test_habits_are_as_they_are_described() -> None:
    habits = Habits(reaction_seconds=90, call_seconds=300)
    chances = [habits.chances(1)(number) for number in range(4000)]
    reactions = sorted(next(chance.reactions).total_seconds() for chance in chances)
    calls = [chance.call.total_seconds() for chance in chances]
    assert reactions[2000] == pytest.approx(90, rel=0.05)
    assert reactions[3600] == pytest.approx(habits.slow_seconds, rel=0.08)
    assert sum(calls) / 4000 == pytest.approx(300, rel=0.05)


def test_a_run_is_the_same_each_time_and_another_seed_another_run() -> None:
    arrivals = [a_lead_at(200 * number) for number in range(40)]

    def run(seed: int) -> list[Outcome]:
        return played(Stage(a_policy(), [ANNA, BORIS]), arrivals, Habits().chances(seed))

    assert run(1) == run(1)
    assert run(1) != run(2)


def test_a_lead_has_the_same_chance_whoever_gets_it() -> None:
    """Nobody is busy here, so that nothing but chance decides how long each lead waits."""
    arrivals = [a_lead_at(7200 * number) for number in range(30)]
    chances = Habits().chances(1)
    one = played(Stage(a_policy(), [ANNA]), arrivals, chances)
    other = played(Stage(a_policy(), [BORIS, a_rep("clara")]), arrivals, chances)
    assert [lead.waited for lead in one] == [lead.waited for lead in other]
    assert {lead.called_by for lead in other} == {"boris", "clara"}


# --- what holds always ---------------------------------------------------------------------------

moments = st.integers(0, 3 * 86400)
spans = st.tuples(moments, st.integers(1, 86400))
reps = st.builds(
    lambda name, calendar, spans, cap: a_rep(
        name,
        calendar=calendar,
        daily_cap=cap,
        absences=[{"since": after(at), "until": after(at + length)} for at, length in spans],
    ),
    st.sampled_from(["anna", "boris", "clara", "dora"]),
    st.sampled_from([None, "day", "night"]),
    st.lists(spans, max_size=2),
    st.sampled_from([None, 1, 5]),
)


@settings(max_examples=150)
@given(
    people=st.lists(reps, min_size=1, max_size=4, unique_by=lambda rep: rep.rep_id),
    comings=st.lists(
        st.tuples(moments, st.sampled_from(["fast", "slow", "day"])), min_size=1, max_size=25
    ),
    steps=st.sampled_from([(), (OFFER,), (REASSIGN,), (REASSIGN, OFFER)]),
    seed=st.integers(0, 99),
)
def test_nobody_is_on_two_calls_or_calls_while_they_are_not_there(
    people: list[Rep], comings: list[tuple[int, str]], steps: tuple[dict[str, Any], ...], seed: int
) -> None:
    policy = a_policy(chain_default=a_chain(*steps, rounds=2))
    arrivals = [a_lead_at(at, form_id) for at, form_id in sorted(comings)]
    stage = Stage(policy, [*people, BOSS])
    outcomes = played(stage, arrivals, Habits(300, 1800).chances(seed))

    assert [outcome.arrival for outcome in outcomes] == arrivals
    calls: dict[str, list[tuple[datetime, datetime]]] = {}
    for outcome in outcomes:
        if outcome.called_at is None:
            assert outcome.called_by is None
            assert not outcome.in_time
            continue
        assert outcome.called_by is not None
        assert outcome.call_ends_at is not None
        assert outcome.called_at >= outcome.arrival.at
        assert outcome.in_time != outcome.breached, "each call is judged once"
        calls.setdefault(outcome.called_by, []).append((outcome.called_at, outcome.call_ends_at))
    for rep_id, theirs in calls.items():
        assert all(end <= begin for (_, end), (begin, _) in pairwise(sorted(theirs)))
        for begins_at, _ in theirs:
            roster = Roster(people, begins_at, policy.shift)
            assert roster.is_there(roster.people[rep_id])
