"""The stream is not read for 25 hours, longer than it keeps its records: the sweeper carries on."""

from datetime import datetime, timedelta
from functools import partial

import pytest

from tests.crash.clients import Outside
from tests.crash.oracle import Oracle
from tests.crash.scenarios import ADA, PEOPLE, PUBLISHER, SCENARIOS
from tests.crash.world import START, World

OUTAGE = timedelta(hours=25)
AT_MOST_LATE = timedelta(minutes=3)
HOP_SECONDS = 2
"""How long a message or a wake-up is under way: on a slow day, twice as long as AWS says."""
CAME_AFTER = [timedelta(minutes=minutes, seconds=minutes % 60) for minutes in range(0, 1500, 181)]
"""Spread over the outage, and over the seconds of the sweeper's minute."""
MANY = (
    *(rep for rep in PEOPLE if rep.role == "manager"),
    *(
        PEOPLE[0].model_copy(update={"rep_id": f"rep{n:02}", "phone": f"+4477009003{n:02}"})
        for n in range(3 * len(CAME_AFTER))
    ),
)
"""So many that nobody is put off duty for not answering: nobody ever does here."""


def test_every_step_is_told_at_most_three_minutes_late() -> None:
    chain = SCENARIOS["escalates"].chain
    with World(
        {"chain/default": chain},
        MANY,
        sweeper=True,
        off=frozenset({PUBLISHER}),
        hop_seconds=HOP_SECONDS,
    ) as world:
        outside = Outside(world)
        oracle = Oracle(world, outside, chain, MANY, len(CAME_AFTER))
        for number, after in enumerate(CAME_AFTER):
            somebody = {
                **ADA,
                "phone": f"+4477009001{number:02d}",
                "email": f"ada{number}@example.com",
            }
            world.at(START + after, partial(outside.post, somebody, f"ada {number}"))
        world.run(START + OUTAGE)
        during = len(world.outbox)
        world.switch_on(PUBLISHER)
        world.run(START + OUTAGE + timedelta(hours=2))

    assert not oracle.judge([])
    assert oracle.second_messages == 0
    late = oracle.lateness()
    print(f"{len(CAME_AFTER)} leads, {during} alerts during the outage, at most {max(late)} late")
    assert during > 4 * len(CAME_AFTER)
    assert max(late) <= AT_MOST_LATE


@pytest.mark.parametrize("second", range(0, 60, 12))
def test_it_does_not_matter_when_in_the_sweepers_minute_a_lead_came(second: int) -> None:
    chain = SCENARIOS["escalates"].chain
    policy = {"chain/default": chain}
    off = frozenset({PUBLISHER})
    with World(policy, PEOPLE, sweeper=True, off=off, hop_seconds=HOP_SECONDS) as world:
        outside = Outside(world)
        oracle = Oracle(world, outside, chain, PEOPLE, 1)
        came = datetime.fromisoformat("2026-11-20T10:00:00Z") + timedelta(seconds=second)
        world.at(came, partial(outside.post, ADA, "ada"))
        world.run(came + timedelta(hours=1))
        world.switch_on(PUBLISHER)
        world.run(came + timedelta(hours=2))

    assert not oracle.judge([])
    assert max(oracle.lateness()) <= AT_MOST_LATE
