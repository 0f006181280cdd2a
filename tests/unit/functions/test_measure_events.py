"""measure_events: what events are counted as, each of them once."""

import json
from datetime import datetime
from typing import Any

import pytest

from measure_events import handler as function
from measure_events.service import CATALOGUE, Flat, labelling, measure
from shared.adapters.dynamodb import Table
from shared.adapters.policy_store import PolicyStore
from shared.domain import events as happened
from shared.domain.actions import Action, act, undo
from shared.domain.events import LeadEvent, RecordedEvent
from shared.domain.instants import seconds_between
from shared.domain.lead import Change, Lead
from shared.domain.policy import Policy
from shared.domain.projection import apply, settled
from shared.errors import PolicyError, StorageUnavailableError
from tests.unit.domain.samples import TERMS, a_lead, at
from tests.unit.functions.test_handlers import Context
from tests.unit.samples import logged

Values = list[tuple[str, float, str]]


def flat(event: LeadEvent, **envelope: Any) -> Flat:
    recorded = RecordedEvent.model_validate(
        {
            "lead_id": "a" * 32,
            "sequence": 2,
            "at": at(0),
            "actor": "anna",
            "form_id": "demo-en",
            "channel": "Direct",
            "event": event,
            **envelope,
        }
    )
    # As the bus carries it.
    read: Flat = json.loads(json.dumps(recorded.flat()))
    return read


def values(*flats: Flat) -> Values:
    """What was measured: name, value, and by what (`demo-en/Direct`)."""
    return [
        (one.metric.name, one.value, "/".join(v for d, v in one.labels if d in one.metric.by))
        for event in flats
        for one in measure(event, str)
    ]


CAPTURED = happened.LeadCaptured(
    submission_id="s",
    form_id="demo-en",
    channel="Direct",
    team="sales",
    verdict="qualified",
    policy_version=1,
    respond_by=at(300),
)


def test_each_event_measures_what_its_rules_say() -> None:
    assert values(flat(CAPTURED)) == [("LeadCaptured", 1, "demo-en/Direct")]
    escalated = happened.LeadEscalated(step="breach", to="manager")
    assert values(flat(escalated)) == [("LeadEscalated", 1, "breach")]
    rejected = happened.LeadRejected(rep_id="anna", reason="data.spam")
    assert values(flat(rejected)) == [("LeadRejected", 1, "Direct")]


def test_every_rule_is_of_an_event_that_there_is() -> None:
    assert {rule.event for rule in CATALOGUE} <= LeadEvent.registry.keys()


def test_what_is_asked_for_is_not_counted_as_done() -> None:
    asked = happened.AlertRequested(
        alert_id="1-new-anna-sms", round=1, step="new", kind="new", rep_id="anna", via="sms"
    )
    assert values(flat(asked), flat(happened.LeadAssigned(rep_id="anna", rule="took_over"))) == []


def test_a_test_lead_is_in_no_figure() -> None:
    assert values(flat(CAPTURED, is_test=True)) == []


def test_an_event_of_an_earlier_version_counts_without_the_figures_that_it_lacks() -> None:
    attempted = happened.LeadAttempted(rep_id="anna", result="talked")
    sent = happened.AlertSent(alert_id="a", rep_id="anna", via="sms", message_id="m")

    assert values(flat(attempted)) == []
    assert values(flat(sent)) == [("AlertSent", 1, "")]


# --- a lead from capture to call


def story(*steps: tuple[float, str]) -> Values:
    """The figures of a lead to which things happen at seconds after its capture."""
    lead, flats = a_lead(rep_id="anna"), [flat(CAPTURED)]
    for second, what in steps:
        moment = at(second)
        change = Change((one(lead, what, moment),)) if what != "call" else a_call(lead, moment)
        lead = apply(lead, change, moment)
        flats += [flat(event) for event in change.events]
    return values(*flats)


def one(lead: Lead, what: str, moment: datetime) -> LeadEvent:
    if what == "breach":
        return happened.ResponseBreached(step="breach")
    waited = seconds_between(lead.clock_started_at, moment) if what == "alert" else None
    sent = happened.AlertSent(
        alert_id="a", rep_id="anna", via="sms", message_id="m", after_seconds=waited
    )
    return settled(lead, sent)


def a_call(lead: Lead, moment: datetime) -> Change:
    action = Action(name="no_answer", action_id=str(moment))
    change = act(lead, action, "anna", moment, TERMS)
    assert change is not None
    return change


def of(metric: str, measured: Values) -> list[float]:
    return [value for name, value, _ in measured if name == metric]


def test_the_first_alert_of_a_lead_to_a_rep_says_how_long_it_took() -> None:
    measured = story((0.5, "manager"), (1.25, "alert"), (2, "alert"), (300, "alert"))

    assert of("AlertSent", measured) == [1, 1, 1, 1]
    assert of("TimeToAlert", measured) == [1.25]


@pytest.mark.parametrize(
    ("steps", "in_time", "seconds", "breaches"),
    [
        ([(60, "call")], [100], [60], 0),
        ([(300, "call")], [100], [300], 0),
        ([(60, "call"), (400, "call")], [100], [60], 0),
        # The planner noticed first, or at all.
        ([(300, "breach"), (420, "call")], [0], [420], 1),
        ([(300, "breach")], [0], [], 1),
        # The call was first to notice: stopped machine, or a chain that has no breach.
        ([(420, "call"), (500, "call")], [0], [420], 1),
        # The call began before the deadline and was recorded after the breach: once is enough.
        ([(300, "breach"), (299.9, "call")], [0], [299.9], 1),
    ],
)
def test_each_lead_is_judged_once(
    steps: list[tuple[float, str]], in_time: list[float], seconds: list[float], breaches: int
) -> None:
    measured = story(*steps)

    assert of("RespondedInTime", measured) == in_time
    assert of("TimeToFirstAttempt", measured) == seconds
    assert len(of("ResponseBreached", measured)) == breaches


# --- what is undone


def undoing(*steps: str) -> Values:
    """The figures of a lead of Anna's: actions, each a second after the other, and `undo`."""
    lead, found = a_lead(rep_id="anna", promised_by=at(300)), []
    for second, name in enumerate(steps):
        change: Change | None
        if name == "undo":
            assert lead.last_action is not None
            change = undo(lead, lead.last_action.action_id, "anna", at(second))
        else:
            fields = {"reason": "other", "note": "x", "amount": 1, "currency": "EUR"}
            action = Action.model_validate({"name": name, "action_id": f"{second}", **fields})
            change = act(lead, action, "anna", at(second), TERMS)
        assert change is not None
        lead = apply(lead, change, at(second))
        found += [flat(event) for event in change.events]
    return values(*found)


@pytest.mark.parametrize(
    ("action", "metrics"),
    [
        ("acknowledge", ["LeadAcknowledged"]),
        ("no_answer", ["PromiseKept"]),
        ("talked", ["LeadContacted", "PromiseKept"]),
        ("reject", ["LeadRejected"]),
        ("win", ["DealWon", "LeadContacted", "PromiseKept"]),
        ("lose", ["DealLost", "LeadContacted", "PromiseKept"]),
    ],
)
def test_what_is_undone_is_taken_off_again_and_what_is_done_again_counts_once(
    action: str, metrics: list[str]
) -> None:
    undone, again = undoing(action, "undo"), undoing(action, "undo", action)
    counted = {name for name, _, _ in undone} - {"TimeToFirstAttempt", "RespondedInTime"}

    assert sorted(counted) == metrics
    for metric in metrics:
        assert of(metric, undone) == [1, -1]
        assert sum(of(metric, again)) == 1
        labels = {by for name, _, by in undone if name == metric}
        assert len(labels) == 1, "of the same series"


def test_a_first_call_that_is_made_again_is_judged_once() -> None:
    measured = undoing("talked", "undo", "no_answer")

    assert of("RespondedInTime", measured) == [100]
    assert len(of("TimeToFirstAttempt", measured)) == 1


def test_a_promise_that_was_broken_by_a_call_is_not_broken_by_it_any_more() -> None:
    undone = happened.ActionUndone(
        rep_id="anna",
        action_id="a",
        sequences=(2,),
        undone=("LeadAttempted",),
        promise_kept=False,
    )

    assert values(flat(undone)) == [("PromiseBroken", -1, "")]


# --- names of forms


class NoPolicies:
    def __init__(self, error: Exception) -> None:
        self.error = error

    def current(self) -> Policy:
        raise self.error


@pytest.mark.parametrize(
    "error", [PolicyError("none"), StorageUnavailableError("busy"), KeyError("documents")]
)
def test_without_a_policy_everything_counts_as_other(error: Exception) -> None:
    with logged() as lines:
        name_of = labelling(NoPolicies(error))

    assert name_of("demo-en") == "other"
    assert lines, "somebody can see why"


# --- the handler


@pytest.fixture
def form_is_measured(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    store = PolicyStore(table)
    form = {
        "form_id": "demo-en",
        "team": "sales",
        "title": "T",
        "default_region": "GB",
        "thanks_url": "https://example.com",
        "fields": {},
        "metrics": True,
    }
    store.publish({"form/demo-en": form})
    monkeypatch.setattr(function, "policies", lambda: store)


def invoke(*bodies: object, capsys: pytest.CaptureFixture[str]) -> tuple[Any, list[dict[str, Any]]]:
    """The answer, and what was emitted."""
    records = [
        {"messageId": f"m{number}", "body": json.dumps(body), "eventSource": "aws:sqs"}
        for number, body in enumerate(bodies)
    ]
    answer = function.handler({"Records": records}, Context())  # type: ignore[arg-type] # enough
    return answer, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def emitted(documents: list[dict[str, Any]], metric: str) -> dict[str, float]:
    """The sum of a metric by its own dimension; `` is the series with `service` alone."""
    sums: dict[str, float] = {}
    for document in documents:
        if metric in document:
            ((names),) = document["_aws"]["CloudWatchMetrics"][0]["Dimensions"]
            assert document["service"] == "leadline"
            label = "".join(document[name] for name in names if name != "service")
            sums[label] = sums.get(label, 0) + sum(document[metric])
    return sums


@pytest.mark.usefixtures("form_is_measured")
def test_a_batch_is_one_line_per_dimension(capsys: pytest.CaptureFixture[str]) -> None:
    stranger = {**flat(CAPTURED, channel="Email"), "form_id": "stranger", "channel": "Email"}
    answer, documents = invoke(flat(CAPTURED), flat(CAPTURED), stranger, capsys=capsys)

    assert answer == {"batchItemFailures": []}
    assert emitted(documents, "LeadCaptured") == {
        "": 3,
        "demo-en": 2,
        "other": 1,
        "Direct": 2,
        "Email": 1,
    }
    assert len(documents) == 5


@pytest.mark.usefixtures("form_is_measured")
@pytest.mark.parametrize(
    "poison",
    [
        {},
        "text",
        {"type": "AlertSent"},
        {**flat(CAPTURED), "type": "AlertSent", "after_seconds": "soon"},
    ],
)
def test_a_message_that_makes_no_sense_comes_back_alone(
    poison: object, capsys: pytest.CaptureFixture[str]
) -> None:
    answer, documents = invoke(flat(CAPTURED), poison, flat(CAPTURED), capsys=capsys)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert emitted(documents, "LeadCaptured") == {"": 2, "demo-en": 2, "Direct": 2}
    assert emitted(documents, "AlertSent") == {}, "not even half of it"
    assert emitted(documents, "UnexpectedError") == {"": 1}


@pytest.mark.usefixtures("form_is_measured")
@pytest.mark.parametrize("events", [99, 100, 101, 250])
def test_many_values_of_one_metric_are_all_written(
    events: int, capsys: pytest.CaptureFixture[str]
) -> None:
    _, documents = invoke(*[flat(CAPTURED)] * events, capsys=capsys)

    assert emitted(documents, "LeadCaptured") == {"": events, "demo-en": events, "Direct": events}
