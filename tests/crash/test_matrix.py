"""The crash matrix: every call of every scenario goes wrong in every way, alone and in pairs.

A failure prints the plan that replays it:
`pytest tests/crash --scenario escalates --plan '{"12": "kill_after"}'`.
"""

import json
import random
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from tests.crash.faults import MODES, Call, Plan, modes_of
from tests.crash.scenarios import SCENARIOS, Outcome, Scenario, play

PAIRED = ("retries", "attempts")
"""Scenarios of which `--pairs all` plays every pair."""
PAIRS_IN_A_TEST = 25

Note = Callable[[str, object], None]


@cache
def calls_of(name: str) -> tuple[Call, ...]:
    """The calls of a scenario in which nothing goes wrong."""
    return tuple(play(SCENARIOS[name]).calls)


def chosen(config: pytest.Config) -> list[str]:
    return config.getoption("--scenario", None) or list(SCENARIOS)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    config, names = metafunc.config, metafunc.fixturenames
    is_replay = config.getoption("--plan", None) is not None
    pairs = str(config.getoption("--pairs", "100"))
    if "scenario" in names:
        metafunc.parametrize("scenario", [] if is_replay else chosen(config))
    if "call" in names:
        calls = [] if is_replay else [(n, call) for n in chosen(config) for call in calls_of(n)]
        ids = [f"{n}-{c.number}-{c.operation}-{c.function}" for n, c in calls]
        metafunc.parametrize(("name", "call"), calls, ids=ids)
    if "draw" in names:
        number = 0 if is_replay or pairs == "all" else -(-int(pairs) // PAIRS_IN_A_TEST)
        metafunc.parametrize("draw", range(number))
    if "first" in names:
        wanted = [n for n in config.getoption("--scenario", None) or PAIRED if pairs == "all"]
        firsts = [] if is_replay else [(n, call) for n in wanted for call in calls_of(n)]
        ids = [f"{n}-{c.number}-{c.operation}" for n, c in firsts]
        metafunc.parametrize(("name", "first"), firsts, ids=ids)
    if "replayed" in names:
        metafunc.parametrize("replayed", chosen(config) if is_replay else [])


class Runs:
    """The runs of one test, and what they came to."""

    def __init__(self) -> None:
        self.runs = 0
        self.faults = 0
        self.second_messages = 0
        self.wrong: list[str] = []

    def play(self, scenario: Scenario, plan: Plan, *, must_fire: bool = True) -> Outcome:
        outcome = play(scenario, plan)
        if len(outcome.fired) < len(plan):
            # It proves nothing: such a pair is drawn anew, in all other cases it is a mistake.
            assert not must_fire, f"not every fault fired: {plan}"
            return outcome
        self.runs += 1
        self.faults += len(plan)
        self.second_messages += outcome.second_messages
        if outcome.broken:
            replay = f"--scenario {scenario.name} --plan '{json.dumps(plan)}'"
            where = ", ".join(f"{f.call.operation} of {f.call.function}" for f in outcome.fired)
            self.wrong.append(f"{'; '.join(outcome.broken)}\n    {where}: {replay}")
        return outcome


@pytest.fixture
def runs(record_property: Note) -> Iterator[Runs]:
    done = Runs()
    yield done
    for name in ("runs", "faults", "second_messages"):
        record_property(name, getattr(done, name))


def report(runs: Runs) -> None:
    assert not runs.wrong, "broken promises:\n" + "\n".join(runs.wrong)


def test_a_scenario_without_faults_keeps_every_promise(scenario: str) -> None:
    outcome = play(SCENARIOS[scenario])

    assert not outcome.broken
    assert outcome.second_messages == 0


def test_one_fault_breaks_no_promise(name: str, call: Call, runs: Runs) -> None:
    for mode in modes_of(call.operation):
        runs.play(SCENARIOS[name], {call.number: mode})
    report(runs)


def test_two_faults_break_no_promise(draw: int, runs: Runs, pytestconfig: pytest.Config) -> None:
    """A sample of all pairs, the same for the same seed."""
    chance = random.Random(f"{pytestconfig.getoption('--seed', 1)} {draw}")
    while runs.runs < PAIRS_IN_A_TEST:
        name = chance.choice(chosen(pytestconfig))
        first, second = sorted(chance.sample(range(len(calls_of(name))), 2))
        plan = {first: chance.choice(MODES), second: chance.choice(MODES)}
        runs.play(SCENARIOS[name], plan, must_fire=False)
    report(runs)


def test_no_pair_of_faults_breaks_a_promise(name: str, first: Call, runs: Runs) -> None:
    """All of them: the second fault befalls each call that there is after the first."""
    for mode in MODES:
        calls = play(SCENARIOS[name], {first.number: mode}).calls
        for second in calls[first.number + 1 :]:
            for other in MODES:
                runs.play(SCENARIOS[name], {first.number: mode, second.number: other})
    report(runs)


def test_a_plan_is_replayed(replayed: str, pytestconfig: pytest.Config) -> None:
    plan = {int(number): str(mode) for number, mode in pytestconfig.getoption("--plan").items()}
    outcome = play(SCENARIOS[replayed], plan)
    for fault in outcome.fired:
        print(f"{fault.call.operation} of {fault.call.function}: {fault.mode}")
    assert not outcome.broken
