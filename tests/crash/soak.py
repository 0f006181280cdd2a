"""A soak: thousands of submissions while a tenth of all calls to AWS fails, and what is left of it.

Run `python -m tests.crash.soak` for the figures of docs/reliability.md, `--size` and `--seed` to
play another one. The suite plays a short one.
"""

import argparse
import io
import random
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import redirect_stdout
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

import tests.conftest  # noqa: F401 - an AWS account that does not exist
from tests.crash.clients import Outside
from tests.crash.database import without_repetition
from tests.crash.faults import Call, Cut, Faults, Fired, modes_of
from tests.crash.scenarios import ADA, BACKUP, LATER, NEW, PEOPLE, alert, chain
from tests.crash.world import START, World

SECONDS_APART = 4
"""Between two submissions: more than three people can call, so that alerts go out by list, too."""
AGAIN_EVERY = 10
"""So often somebody sends a second form."""
RECOVERS_WITHIN = timedelta(minutes=30)
CHAIN = chain({**NEW, "alert": [alert("owner", "new", "sms", "email")]}, BACKUP, LATER)

Item = dict[str, Any]


class Weather(Faults):
    """Strikes at random, a share of all calls, until it is over."""

    def __init__(self, share: float, seed: int) -> None:
        super().__init__()
        self.share = share
        self.random = random.Random(seed)
        self.calls = 0

    def __call__(self, call: Call, cut: Cut) -> Any:
        self.calls += 1
        if self.random.random() < self.share:
            self.plan[call.number] = self.random.choice(modes_of(call.operation))
        return super().__call__(call, cut)


class Soaked(NamedTuple):
    """What came of it. Everything in `wrong` must not be."""

    submissions: int
    leads: int
    messages: int
    calls: int
    faults: int
    killed: int
    """Invocations that died or failed."""
    second_messages: int
    """All of them after a fault in the invocation that had sent the first."""
    wrong: list[str]


def soak(size: int, seed: int, share: float = 0.1) -> Soaked:
    """Plays it to its end: the weather until all is sent, then calm, and the sweeper's time."""
    weather = Weather(share, seed)
    with World({"chain/default": CHAIN}, PEOPLE, weather, sweeper=True, seed=seed) as world:
        outside = Outside(world)
        # Or people who answer nothing go off duty, and after them there is nobody to alert.
        outside.everybody_calls(after=60)
        for number in range(size):
            person = number - 1 if number % AGAIN_EVERY == AGAIN_EVERY - 1 else number
            fields = {
                **ADA,
                "name": f"Visitor {person}",
                "phone": f"+4477{person:08}"[:13],
                "email": f"visitor{person}@example.com",
                "message": f"Submission {number}",
            }
            world.after(number * SECONDS_APART, partial(outside.post, fields, f"key {number}"))
        over = START + timedelta(seconds=size * SECONDS_APART)
        world.run(over)
        stormy = weather.calls
        weather.share = 0
        world.run(over + RECOVERS_WITHIN)
        wrong, seconds = _judged(world, outside, size, weather.fired)
    return Soaked(
        submissions=size,
        leads=size - size // AGAIN_EVERY,
        messages=len(world.outbox),
        calls=stormy,
        faults=len(weather.fired),
        killed=len(world.crashes),
        second_messages=seconds,
        wrong=wrong,
    )


def _judged(world: World, outside: Outside, size: int, fired: list[Fired]) -> tuple[list[str], int]:
    wrong = [f"never answered: {what}" for what in outside.given_up]
    items = world.database.items()
    stored = [item for item in items if str(item["SK"]).startswith("SUBMISSION#")]
    leads = {str(item["lead_id"]): item for item in items if item["SK"] == "LEAD"}
    told = {one.submission_id for one in outside.told}
    kept = Counter(str(item["submission_id"]) for item in stored)
    wrong += [f"lost: submission {one}" for one in told if not kept[one]]
    wrong += [f"doubled: submission {one}" for one, times in kept.items() if times > 1]
    if len({one.key for one in outside.told}) != size or len(kept) != size:
        wrong.append(f"{size} were sent, {len(told)} answered, {len(kept)} stored")
    phones = Counter(str(lead["phone"]) for lead in leads.values())
    wrong += [f"doubled: {times} leads of {phone}" for phone, times in phones.items() if times > 1]
    if len(phones) != size - size // AGAIN_EVERY:
        wrong.append(f"{len(phones)} people have leads")
    reps = {rep.rep_id for rep in PEOPLE if rep.role == "rep"}
    phone_of = {rep.phone: rep.rep_id for rep in PEOPLE}
    heard = {m.lead_id for m in world.outbox if phone_of.get(m.to, m.to) in reps}
    called = {lead_id for lead_id, lead in leads.items() if lead.get("first_attempt_at")}
    wrong += [f"without alert: lead {one}" for one in leads.keys() - heard - called]
    missing = [one.action_id for one in outside.acted if not _stands(one.action_id, leads)]
    wrong += [f"lost: action {one}" for one in missing]
    wrong += [
        f"open alerts: lead {lead_id}" for lead_id, lead in leads.items() if lead["open_alerts"]
    ]
    return wrong, _second_messages(world, fired, wrong)


def _stands(action_id: str, leads: Mapping[str, Item]) -> bool:
    """Whether an action that was told recorded is; a lead knows its last ones."""
    kept = [str(action) for lead in leads.values() for action in lead["actions"]]
    return any(action.startswith(action_id) for action in kept)


def _second_messages(world: World, fired: list[Fired], wrong: list[str]) -> int:
    """Messages that were sent again: only where the first sender did not live to note it."""
    struck = {fault.call.invocation for fault in fired}
    invocation_of = {call.number: call.invocation for call in world.calls}
    first: dict[tuple[str, str, str], int] = {}
    seconds = 0
    for message in world.outbox:
        key = (message.lead_id, message.alert_id, message.via)
        if key in first:
            seconds += 1
            if invocation_of[first[key]] not in struck:
                wrong.append(f"doubled: {message.alert_id} of {message.lead_id}")
        first[key] = message.call
    return seconds


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash.soak", description=__doc__)
    parser.add_argument("--size", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with redirect_stdout(io.StringIO()), without_repetition():  # metrics are lines of output
        soaked = soak(options.size, options.seed)
    for name, figure in soaked._asdict().items():
        if name != "wrong":
            print(f"{figure:>8}  {name.replace('_', ' ')}")
    for kind in ("lost", "doubled", "without alert", "open alerts"):
        print(f"{sum(one.startswith(kind) for one in soaked.wrong):>8}  {kind}")
    print("\n".join(soaked.wrong[:20]))
    return 1 if soaked.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
