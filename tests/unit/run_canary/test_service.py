"""The canary's trip: what it waits for, what it calls missing, and that policy sends just that."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import pytest

from advance_follow_up import service as advancing
from infra.cli.policy_files import read_policy
from run_canary.page import Answer
from run_canary.service import EXPECTED, PATIENCE_SECONDS, REP, Parts, Trip, run_canary
from send_alert import service as sending
from shared.adapters.alert_table import AlertTable
from shared.adapters.dynamodb import Table
from shared.adapters.lead_table import LeadTable
from shared.adapters.link_table import LinkTable
from shared.adapters.people_table import PeopleTable
from shared.adapters.policy_store import PolicyStore
from shared.adapters.ringing_table import RingingTable
from shared.domain.lead import Lead
from shared.domain.roster import Rep
from submit_form.service import Received, submit_form
from sweep_follow_ups.service import OVERDUE
from tests.unit.domain.samples import at
from tests.unit.functions.fakes import FakeEscalation, FakeQueue, FakeSender, parts_on
from tests.unit.samples import a_request

POLICY = Path(__file__).parents[3] / "infra/policy"
TOKEN = "0123456789abcdef"
FIRST = f"New lead\nCall by 12:05.\n\nName: Canary {TOKEN}\n"
LATER = f"Not called yet\nCall by 12:05.\n\nName: Canary {TOKEN}\n"
TAKEN = Answer(201)


class FakePage:
    """Gets one answer, a second later."""

    def __init__(self, answer: Answer, clock: "FakeClock") -> None:
        self.answer = answer
        self.clock = clock
        self.sent: list[tuple[str, Mapping[str, str], str]] = []

    def send(self, form_id: str, fields: Mapping[str, str], idempotency_key: str) -> Answer:
        self.sent.append((form_id, fields, idempotency_key))
        self.clock.now += 1
        return self.answer


class FakeMailbox:
    """Messages by when they come, seconds after the start; `wait` is what it was asked for."""

    def __init__(self, messages: Sequence[tuple[float, str]], clock: "FakeClock") -> None:
        self.messages = sorted(messages)
        self.clock = clock
        self.waits: list[int] = []

    def take(self, wait_seconds: int) -> list[str]:
        self.waits.append(wait_seconds)
        next_at = self.messages[0][0] if self.messages else float("inf")
        self.clock.now += min(max(0.0, next_at - self.clock.now), wait_seconds, 10)
        taken = [text for at, text in self.messages if at <= self.clock.now]
        self.messages = self.messages[len(taken) :]
        return taken


class FakePeople:
    def __init__(self) -> None:
        self.people: list[Rep] = []

    def put_rep(self, rep: Rep) -> None:
        self.people.append(rep)


class FakeClock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now + 1000


class Scene:
    """A trip with an answer of the page and messages in the mailbox."""

    def __init__(self, *messages: tuple[float, str], answer: Answer = TAKEN) -> None:
        self.clock = FakeClock()
        self.page = FakePage(answer, self.clock)
        self.mailbox = FakeMailbox(messages, self.clock)
        self.people = FakePeople()

    def trip(self) -> Trip:
        return run_canary(Parts(self.people, self.page, self.mailbox, self.clock), TOKEN)


def test_it_arrives_with_the_last_alert() -> None:
    scene = Scene((2.5, FIRST), (12.25, LATER))

    trip = scene.trip()

    assert (trip.seconds, trip.missing) == (12.25, ())
    assert scene.people.people == [REP], "whoever is told is there before anything is sent"
    ((form_id, fields, key),) = scene.page.sent
    assert (form_id, key) == ("canary", TOKEN)
    assert TOKEN in fields["name"]


def test_the_order_of_alerts_does_not_matter() -> None:
    assert Scene((3, LATER), (4, FIRST)).trip().missing == ()
    assert Scene((3, LATER), (3, FIRST)).trip().missing == ()


@pytest.mark.parametrize(
    ("messages", "missing"),
    [
        ((), ("new", "reminder")),
        (((2, FIRST),), ("reminder",)),
        (((2, FIRST), (3, FIRST)), ("reminder",)),
        (((12, LATER),), ("new",)),
    ],
    ids=["none", "no later one", "the first one twice", "no first one"],
)
def test_what_does_not_come_is_named_in_time(
    messages: tuple[tuple[float, str], ...], missing: tuple[str, ...]
) -> None:
    scene = Scene(*messages)

    trip = scene.trip()

    assert trip.missing == missing
    assert trip.facts()["missing"] == missing
    assert PATIENCE_SECONDS <= trip.seconds < PATIENCE_SECONDS + 1
    assert all(wait >= 1 for wait in scene.mailbox.waits), "it never spins"


def test_messages_of_other_trips_are_thrown_away_and_prove_nothing() -> None:
    late = FIRST.replace(TOKEN, "fedcba9876543210"), LATER.replace(TOKEN, "fedcba9876543210")
    scene = Scene((0, late[0]), (0, late[1]), (2, FIRST))

    assert scene.trip().missing == ("reminder",)
    assert scene.mailbox.messages == []


@pytest.mark.parametrize(
    "answer",
    [
        Answer(404, "unknown_form"),
        Answer(503, "storage_unavailable"),
        Answer(200),
        Answer(None, "TimeoutError"),
    ],
)
def test_a_submission_that_is_not_taken_is_not_waited_for(answer: Answer) -> None:
    scene = Scene((0, FIRST), (0, LATER), answer=answer)

    trip = scene.trip()

    assert trip.missing == ("submission",)
    assert (trip.facts()["status"], trip.facts()["code"]) == answer
    assert scene.mailbox.waits == []


def test_what_the_sweeper_mended_is_not_arrived() -> None:
    assert OVERDUE.total_seconds() > PATIENCE_SECONDS


def test_policy_sends_just_what_is_waited_for_and_ends_by_itself(table: Table) -> None:
    """The real form, chain and texts: what the page sends comes back as the two alerts."""
    store = PolicyStore(table)
    store.publish(read_policy(POLICY, {"SITE": "https://example.com"}))
    leads, people, page = LeadTable(table), PeopleTable(table), FakePage(TAKEN, FakeClock())
    escalation, sender = FakeEscalation(), FakeSender()
    run_canary(Parts(people, page, FakeMailbox([], page.clock), page.clock), TOKEN)
    ((form_id, fields, key),) = page.sent
    request = a_request(
        json.dumps(fields), "application/json", form_id=form_id, idempotency_key=key
    )

    answered = submit_form(request, parts_on(table, store), Received(at(0), "1" * 32))

    assert answered.reply.status == 201
    lead_id = answered.lead_id or ""

    def lead() -> Lead:
        found = leads.lead(lead_id)
        assert found is not None
        return found

    assert lead().is_test
    parts = advancing.Parts(leads, people, store, escalation, FakeQueue(), lambda _: None)
    texts = []
    for second, run in ((1, None), (10, 1), (11, 1)):
        advanced = advancing.advance(lead_id, parts, at(second), run=run)
        for alert_id in lead().open_alerts:
            post = sending.Parts(
                leads,
                people,
                AlertTable(table),
                RingingTable(table),
                LinkTable(table),
                sender,
                "https://go.example.com",
                lambda _: None,
                partial(at, second),
            )
            assert sending.send(lead_id, alert_id, post, at(second)) == "sent"
        texts.append([text.partition("\n")[2] for _, _, text in sender.outbox])

    assert [len(sent) for sent in texts] == [1, 2, 2], "one at once, one by Step Functions"
    assert advanced.done
    assert lead().due_at is None, "nothing is left for the sweeper"
    assert list(escalation.started) == [f"{lead_id}-1"]
    assert {(via, to) for via, to, _ in sender.outbox} == {("email", "canary")}
    arrived = Scene((1, texts[-1][0]), (10, texts[-1][1])).trip()
    assert arrived.missing == ()
    assert len(texts[-1]) == len(EXPECTED)
