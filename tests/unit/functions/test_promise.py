"""Who comes while nobody is there is told when to expect the call, and only who will get one."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from infra.cli.policy_files import read_policy
from replay_spill.service import replay
from shared.adapters.dynamodb import Table
from shared.adapters.lead_table import LeadTable
from shared.adapters.policy_store import PolicyStore
from shared.domain.events import LeadAttempted, LeadCaptured, LeadResubmitted
from shared.domain.lead import Change, Lead
from shared.errors import SecretUnavailableError, StorageUnavailableError
from shared.http import HttpRequest
from submit_form.service import Answered, Parts, Received, submission_id_of, submit_form
from tests.unit.functions.fakes import FakeQueue, parts_on
from tests.unit.samples import ANSWERS, BROWSER, PAGE, a_request

POLICY = read_policy(Path(__file__).parents[3] / "infra/policy", {"SITE": PAGE})
DEMO = cast("dict[str, Any]", POLICY["form/demo-en"]) | {"calendar": "office"}
FORMS: Mapping[str, dict[str, Any]] = {
    "night": {"thanks_url": f"{PAGE}/thanks?a=1#top"},
    "keyed": {"secrets": {"key": "k"}},
    "left": {"partials": "always"},
    "tilda": {"client": "tilda"},
    "anybody": {"fields": {"name": {"type": "text"}}},
    "russian": {"locale": "ru"},
    "both": {"locale": None},
}
"""The demo form with office hours in Berlin, and its variations."""

NIGHT = datetime(2026, 11, 27, 19, tzinfo=UTC)
"""A Friday, 20:00 in Berlin."""
DAY = datetime(2026, 11, 27, 12, tzinfo=UTC)
BY = datetime(2026, 11, 30, 9, 5, tzinfo=UTC)
TOLD = {
    "call_by": "2026-11-30T09:05:00Z",
    "message": "We are closed now. We will call you on Monday, 30 November, by 10:05 "
    "(Berlin time).",
}
NOTHING: dict[str, str] = {}
FILLED_IN = "name=Ann+Lee&phone=020+7946+0958&consent=on"
TRAP = {"_gotcha": "https://spam.example"}


@pytest.fixture
def parts(table: Table) -> Parts:
    parts = parts_on(table)
    forms = {f"form/{name}": {**DEMO, "form_id": name, **more} for name, more in FORMS.items()}
    cast("PolicyStore", parts.policies).publish({**POLICY, **forms})
    return parts


def post(
    parts: Parts,
    answers: Mapping[str, object] | None = None,
    at: datetime = NIGHT,
    form_id: str = "night",
    **headers: str,
) -> Answered:
    body = json.dumps({**ANSWERS, **(answers or {})})
    return send(parts, a_request(body, "application/json", form_id=form_id, **headers), at)


def send(parts: Parts, request: HttpRequest, at: datetime = NIGHT) -> Answered:
    return submit_form(request, parts, Received(at, submission_id_of(request)))


def told(answered: Answered) -> dict[str, str]:
    """What the answer says beside the id."""
    content: dict[str, str] = json.loads(answered.reply.body)
    assert content.pop("id")
    return content


def lead_of(table: Table, answered: Answered) -> Lead:
    story = LeadTable(table).story(answered.lead_id or "")
    assert story is not None
    return story.lead


def last_event(table: Table, answered: Answered) -> object:
    story = LeadTable(table).story(answered.lead_id or "")
    assert story is not None
    return story.events[-1].event


def test_at_night_the_visitor_is_told_when_to_expect_the_call(parts: Parts, table: Table) -> None:
    answered = post(parts)

    assert (answered.reply.status, told(answered)) == (201, TOLD)
    lead = lead_of(table, answered)
    assert lead.promised_by == lead.respond_by == BY
    event = last_event(table, answered)
    assert isinstance(event, LeadCaptured)
    assert event.promised_by == BY


@pytest.mark.parametrize(
    ("form_id", "browsers"), [("russian", "en-GB,en"), ("both", "ru-RU,en;q=0.5")]
)
def test_the_visitor_is_told_in_the_language_of_the_page(
    parts: Parts, form_id: str, browsers: str
) -> None:
    message = told(post(parts, form_id=form_id, accept_language=browsers))["message"]

    assert message.endswith("в понедельник, 30 ноября, до 10:05 (по берлинскому времени).")


def test_in_opening_hours_nothing_more_is_told(parts: Parts, table: Table) -> None:
    answered = post(parts, at=DAY)

    assert told(answered) == NOTHING
    assert lead_of(table, answered).promised_by is None


def test_a_browser_takes_the_promise_along_to_the_thanks_page(parts: Parts) -> None:
    answered = send(parts, a_request(FILLED_IN, form_id="night", accept=BROWSER))

    assert answered.reply.status == 303
    assert (
        answered.reply.headers["Location"] == f"{PAGE}/thanks?a=1&call_by=2026-11-30T09:05:00Z#top"
    )


def test_a_vendors_answer_stays_and_its_lead_is_promised_the_same(
    parts: Parts, table: Table
) -> None:
    answered = send(parts, a_request(FILLED_IN, form_id="tilda"))

    assert (answered.reply.status, answered.reply.body) == (200, "ok")
    assert lead_of(table, answered).promised_by == BY


# --- the same answer again


def test_a_retry_is_promised_what_the_first_one_was_whenever_it_comes(parts: Parts) -> None:
    first = post(parts, idempotency_key="k")
    later = post(parts, idempotency_key="k", at=BY + timedelta(days=1))

    assert told(first) == TOLD
    assert (later.outcome, later.reply) == ("repeated", first.reply)


def test_a_retry_at_night_of_what_came_by_day_is_promised_nothing(parts: Parts) -> None:
    post(parts, at=DAY, idempotency_key="k")

    assert told(post(parts, idempotency_key="k")) == NOTHING


def test_a_promise_costs_no_round_trip(parts: Parts, table: Table) -> None:
    made: list[str] = []
    post(parts, {"phone": "020 7946 0000"})  # reads the policy
    table.dynamodb.meta.events.register(
        "before-call.dynamodb", lambda model, **_: made.append(model.name)
    )

    for answers, trips in (({}, 1), ({}, 1), ({"message": "Are you there?"}, 3)):
        made.clear()
        assert told(post(parts, answers)) == TOLD
        assert len(made) == trips


# --- a robot, and who is not called


def test_a_robot_is_told_the_same_first_and_again(parts: Parts) -> None:
    honest = post(parts, idempotency_key="a")
    robot = post(parts, {**TRAP, "phone": "020 7946 0000"}, idempotency_key="b")
    again = post(parts, {**TRAP, "phone": "020 7946 0000"}, idempotency_key="b", at=DAY)

    assert (honest.outcome, robot.outcome, again.outcome) == ("created", "quarantined", "repeated")
    assert told(honest) == told(robot) == told(again) == TOLD
    assert replace(honest.reply, body="") == replace(robot.reply, body="")


@pytest.mark.parametrize("sent", [{}, TRAP])
def test_a_call_that_nobody_will_make_is_promised_to_nobody(
    parts: Parts, sent: dict[str, str]
) -> None:
    answered = send(
        parts, a_request(json.dumps({"name": "Ann", **sent}), "application/json", form_id="anybody")
    )

    assert (answered.reply.status, told(answered)) == (201, NOTHING)


def test_what_is_unfinished_or_wrong_is_promised_nothing(parts: Parts) -> None:
    unfinished = post(parts, {"event": "abandon"}, form_id="left")
    wrong = post(parts, {"phone": "1"})

    assert (unfinished.outcome, told(unfinished)) == ("partial", NOTHING)
    assert wrong.outcome == "rejected"
    assert "call_by" not in wrong.reply.body


# --- a further submission


def test_who_joins_a_lead_that_awaits_its_call_is_promised_it(parts: Parts, table: Table) -> None:
    post(parts, at=DAY)
    joined = post(parts, {"message": "Are you there?"}, idempotency_key="k")

    assert (joined.outcome, told(joined)) == ("joined", TOLD)
    assert lead_of(table, joined).promised_by == BY
    event = last_event(table, joined)
    assert isinstance(event, LeadResubmitted)
    assert event.promised_by == BY
    assert told(post(parts, {"message": "Are you there?"}, idempotency_key="k", at=DAY)) == TOLD


def test_who_joins_a_lead_that_was_called_is_promised_nothing(parts: Parts, table: Table) -> None:
    leads = LeadTable(table)
    first = post(parts, at=DAY)
    called = Change((LeadAttempted(rep_id="anna", result="no_answer"),))
    leads.record(lead_of(table, first), called, actor="anna", at=DAY + timedelta(minutes=1))

    joined = post(parts, {"message": "I missed your call"}, idempotency_key="k")

    assert (joined.outcome, told(joined)) == ("joined", NOTHING)
    assert lead_of(table, joined).promised_by is None
    again = post(parts, {"message": "I missed your call"}, idempotency_key="k")
    assert (again.outcome, told(again)) == ("repeated", NOTHING)


# --- an outage


class Refusing:
    """A table that takes nothing, secrets that nobody tells."""

    def _refuse(self, *_: object) -> Any:
        raise StorageUnavailableError("ThrottlingException")

    def of(self, *_: object) -> Any:
        raise SecretUnavailableError("ThrottlingException")

    capture = keep = quarantine = _refuse


@pytest.mark.parametrize(("sent", "outcome"), [({}, "created"), (TRAP, "quarantined")])
def test_what_is_promised_in_an_outage_is_promised_when_it_is_filed(
    parts: Parts, table: Table, sent: dict[str, str], outcome: str
) -> None:
    refusing = cast("Any", Refusing())
    answered = post(parts._replace(filing=refusing, intake=refusing), sent)
    assert (answered.reply.status, told(answered)) == (202, TOLD)

    (message,) = cast("FakeQueue", parts.spill).messages
    filed = replay(message, parts)

    assert (filed.outcome, told(filed)) == (outcome, TOLD)
    if outcome == "created":
        assert lead_of(table, filed).promised_by == BY


@pytest.mark.parametrize(
    ("answers", "form_id"),
    [
        pytest.param({"phone": "1"}, "night", id="a mistake"),
        pytest.param({"event": "abandon"}, "left", id="unfinished"),
    ],
)
def test_what_only_waits_to_be_set_aside_is_promised_nothing(
    parts: Parts, answers: dict[str, str], form_id: str
) -> None:
    answered = post(parts._replace(intake=cast("Any", Refusing())), answers, form_id=form_id)

    assert (answered.outcome, told(answered)) == ("spilled", NOTHING)


def test_other_answers_under_a_used_key_are_promised_nothing(parts: Parts) -> None:
    post(parts, idempotency_key="k")
    refusing = parts._replace(intake=cast("Any", Refusing()))

    other = post(refusing, {"message": "And one more thing"}, idempotency_key="k")

    assert (other.outcome, told(other)) == ("spilled", NOTHING)


def test_what_nobody_could_read_yet_is_promised_nothing(parts: Parts) -> None:
    answered = post(parts._replace(secrets=cast("Any", Refusing())), form_id="keyed")

    assert (answered.outcome, told(answered)) == ("spilled", NOTHING)
