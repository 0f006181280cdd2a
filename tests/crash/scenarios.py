"""Short stories, each with its own chain, and how one is played with a plan of faults."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from infra.local.people import sample_people
from tests.crash.clients import Outside
from tests.crash.deployment import Json
from tests.crash.faults import Call, Faults, Fired, Plan
from tests.crash.oracle import Oracle
from tests.crash.world import START, World

PEOPLE = tuple(sample_people())
PUBLISHER = "PublishEventsFunction"
SWEPT_FOR = timedelta(hours=1)
"""The sweeper never ends by itself."""

ADA = {
    "name": "Ada Lovelace",
    "phone": "+447700900123",
    "email": "ada@example.com",
    "message": "A machine that calculates: 1 + 1 = ½ × 4, и так далее",
    "consent": "on",
}
GRACE_HOPPER = {**ADA, "name": "Grace Hopper", "phone": "+447700900456", "email": "g@example.com"}


def alert(who: str, kind: str, *via: str) -> Json:
    return {"who": who, "kind": kind, "via": list(via)}


NEW = {"step": "new", "after_seconds": 0, "alert": [alert("owner", "new", "sms")]}
BACKUP = {
    "step": "backup",
    "after_seconds": 120,
    "when": "not_acknowledged",
    "alert": [alert("backup", "backup", "sms")],
}
LATER = {"step": "later", "after_seconds": 1200, "alert": [alert("manager", "breach", "sms")]}

SOON = {**LATER, "step": "soon", "after_seconds": 240}
"""Before the owner's time to answer is over."""


def chain(*steps: Json, seconds: int = 1800) -> Json:
    return {"rounds": 1, "round_seconds": seconds, "steps": list(steps)}


@dataclass(frozen=True)
class Scenario:
    """What people do. `leads` is how many there must be in the end."""

    name: str
    chain: Json
    play: Callable[[World, Outside], None]
    leads: int = 1
    sweeper: bool = False
    off: frozenset[str] = frozenset()
    """Functions that do not run at first."""
    refused: tuple[tuple[str, str], ...] = ()
    """Who cannot be reached by what: the number opted out, or nobody confirmed the address."""


def escalates(world: World, outside: Outside) -> None:
    outside.post(ADA, "ada")


def retries(world: World, outside: Outside) -> None:
    outside.post(ADA, "ada")
    outside.post(ADA, "ada")
    world.after(30, lambda: outside.post(ADA, "ada"))


def quarantines(world: World, outside: Outside) -> None:
    trapped = {**ADA, "_gotcha": "https://spam.example"}
    outside.post(trapped, "ada")
    world.after(30, lambda: outside.post(trapped, "ada"))


def corrects(world: World, outside: Outside) -> None:
    wrong = {name: text for name, text in ADA.items() if name not in {"phone", "email"}}
    outside.post_with_mistake(wrong)
    world.after(90, lambda: outside.post(ADA, "ada"))


def joins(world: World, outside: Outside) -> None:
    outside.post(ADA, "ada")
    world.after(90, lambda: outside.post({**ADA, "message": "One more thing"}, "ada again"))


def acknowledges(world: World, outside: Outside) -> None:
    outside.person_acts(1, "acknowledge", after=30)
    outside.post(ADA, "ada")


def attempts(world: World, outside: Outside) -> None:
    outside.person_acts(1, "no_answer", after=600)
    outside.post(ADA, "ada")


def takes_over(world: World, outside: Outside) -> None:
    """The owner is on it, and calls in the same moment as the backup, who wins a deal at once."""
    outside.person_acts(2, "win", after=600, amount="1200", currency="EUR")
    outside.person_acts(1, "talked", after=720)
    outside.post(ADA, "ada")


def snoozes(world: World, outside: Outside) -> None:
    """Ada asked to be called tomorrow at noon; then nobody does."""
    until = f"{(START + timedelta(days=1)).date()}T12:00"
    outside.person_acts(1, "snooze", after=600, until=until)
    outside.post(ADA, "ada")


def hands_over(world: World, outside: Outside) -> None:
    """Whoever hears of the lead first hands it to a third person."""
    outside.person_acts(1, "hand_over", after=600, to_rep_id=PEOPLE[2].rep_id)
    outside.post(ADA, "ada")


def undoes(world: World, outside: Outside) -> None:
    """The owner takes the wrong button, often before the e-mail is out, and takes it back."""
    outside.person_undoes(1, "no_answer", after=1, then=20)
    outside.post(ADA, "ada")


def two_visitors(world: World, outside: Outside) -> None:
    outside.post(ADA, "ada")
    outside.post(GRACE_HOPPER, "grace")


def swept(world: World, outside: Outside) -> None:
    """The stream is not read for a while: the sweeper finds the lead and its alert."""
    outside.post(ADA, "ada")
    world.after(1200, lambda: world.switch_on(PUBLISHER))


def refuses(world: World, outside: Outside) -> None:
    """Whose turn it is cannot be reached as the chain says."""
    outside.post(ADA, "ada")


def calls_instead(world: World, outside: Outside) -> None:
    """Nobody reaches the owner, so the next in line hears of it, and calls."""
    outside.person_acts(1, "talked", after=600)
    outside.post(ADA, "ada")


SCENARIOS: Mapping[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            "escalates",
            chain(
                {**NEW, "alert": [alert("owner", "new", "sms", "email")]},
                BACKUP,
                {
                    "step": "breach",
                    "after_seconds": 300,
                    "breach": True,
                    "alert": [alert("manager", "breach", "email")],
                },
                {
                    "step": "reassign",
                    "after_seconds": 300,
                    "when": "not_acknowledged",
                    "reassign": True,
                    "alert": [alert("owner", "new", "sms")],
                },
            ),
            escalates,
        ),
        Scenario("retries", chain(NEW), retries),
        Scenario("quarantines", chain(NEW), quarantines, leads=0),
        Scenario("corrects", chain(NEW), corrects),
        Scenario("joins", chain(NEW), joins),
        Scenario(
            "acknowledges",
            chain(
                NEW,
                BACKUP,
                {
                    "step": "page_again",
                    "after_seconds": 300,
                    "when": "acknowledged",
                    "alert": [alert("owner", "reminder", "sms")],
                },
            ),
            acknowledges,
        ),
        Scenario(
            "attempts",
            chain(
                NEW,
                {
                    "step": "reminder",
                    "after_seconds": 120,
                    "alert": [alert("owner", "reminder", "sms")],
                },
                LATER,
            ),
            attempts,
        ),
        Scenario("takes_over", chain(NEW, BACKUP, LATER), takes_over),
        Scenario("snoozes", chain(NEW, BACKUP), snoozes),
        Scenario("hands_over", chain(NEW, BACKUP), hands_over),
        Scenario(
            "undoes",
            chain(
                {**NEW, "alert": [alert("owner", "new", "sms", "email")]},
                BACKUP,
                {**LATER, "after_seconds": 280},
            ),
            undoes,
        ),
        Scenario("two_visitors", chain(NEW), two_visitors, leads=2),
        Scenario(
            "sms_refused",
            chain(NEW, BACKUP),
            refuses,
            refused=(("alice", "sms"),),
        ),
        Scenario(
            "all_refused",
            chain({**NEW, "alert": [alert("owner", "new", "sms", "email")]}, BACKUP, SOON),
            refuses,
            refused=(("alice", "sms"), ("alice", "email"), ("diana", "sms")),
        ),
        Scenario(
            "calls_instead",
            chain(NEW, SOON),
            calls_instead,
            refused=(("alice", "sms"), ("alice", "email"), ("boris", "email")),
        ),
        Scenario("swept", chain(NEW, seconds=60), swept, sweeper=True, off=frozenset({PUBLISHER})),
    )
}


class Outcome(NamedTuple):
    """What a run came to."""

    broken: list[str]
    calls: list[Call]
    fired: list[Fired]
    second_messages: int


def play(scenario: Scenario, plan: Plan | None = None, *, sweeper: bool = False) -> Outcome:
    """Plays a scenario to its end, with faults, and judges it."""
    faults = Faults(plan)
    sweeper = sweeper or scenario.sweeper
    policy = {"chain/default": scenario.chain}
    people = {rep.rep_id: rep for rep in PEOPLE}
    with World(
        policy,
        PEOPLE,
        faults,
        sweeper=sweeper,
        off=scenario.off,
        opted_out=frozenset(
            people[rep_id].phone or "" for rep_id, via in scenario.refused if via == "sms"
        ),
        unconfirmed=frozenset(
            people[rep_id].email or "" for rep_id, via in scenario.refused if via == "email"
        ),
    ) as world:
        outside = Outside(world)
        oracle = Oracle(world, outside, scenario.chain, PEOPLE, scenario.leads)
        scenario.play(world, outside)
        world.run(START + SWEPT_FOR if sweeper else None)
        broken = oracle.judge(faults.fired)
    return Outcome(broken, world.calls, faults.fired, oracle.second_messages)
