"""Each handler with an input as AWS sends it, over moto.

The files in events/ also serve `sam local invoke`.
"""

import importlib
import json
import traceback
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from infra.cli.policy_files import read_policy
from run_canary.page import Answer
from shared.adapters import alerts, dynamodb, escalation, event_bus, keys, mailbox, queues
from shared.adapters.dynamodb import Table
from shared.adapters.filing import Filing
from shared.adapters.lead_table import LeadTable
from shared.adapters.link_table import Link, LinkTable
from shared.adapters.people_table import PeopleTable
from shared.adapters.policy_store import PolicyStore
from shared.domain.lead import Lead
from shared.errors import LeadlineError
from shared.settings import settings
from tests.unit.adapters.samples import a_submission, captured
from tests.unit.domain.samples import ANNA, BORIS, MARIA
from tests.unit.samples import logged
from tests.unit.template import ROOT

LEAD_ID = "0f" * 16
CODE = "aB3dE5gH7jK9"
EVENTS = ROOT / "events"
OURS = sorted(path for path in EVENTS.rglob("*.json") if path.parent.name != "submit_form")


class Context:
    function_name = "function"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:function"
    aws_request_id = "52fdfc07-2182-154f-163f-5f0f9a621d72"

    def get_remaining_time_in_millis(self) -> int:
        return 9000


class Clients:
    """The AWS that the functions see."""

    def __init__(self) -> None:
        self.sqs = boto3.client("sqs")
        self.sns = boto3.client("sns")
        self.events = boto3.client("events")
        self.stepfunctions = boto3.client("stepfunctions")

    def bodies(self, url: str) -> list[dict[str, Any]]:
        answer = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


class PageAndAlerts:
    """The way from a page to the canary's mailbox, without what lies between."""

    def __init__(self, url: str) -> None:
        assert url == "https://go.example.com"

    def send(self, form_id: str, fields: dict[str, str], _: str) -> Answer:
        for headline in ("New lead", "Not called yet"):
            text = f"{headline}\n\nForm: {form_id}\nName: {fields['name']}"
            mailbox.client().send_message(QueueUrl=settings().canary_queue_url, MessageBody=text)
        return Answer(201)


@pytest.fixture
def aws(table: Table, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    clients = Clients()
    role = "arn:aws:iam::123456789012:role/machine"
    machine = clients.stepfunctions.create_state_machine(
        name="escalation",
        roleArn=role,
        definition='{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}',
    )
    clients.events.create_event_bus(Name="events")
    environment = {
        "TABLE_NAME": table.name,
        "BUS_NAME": "events",
        "ALERT_TOPIC_ARN": clients.sns.create_topic(Name="alerts")["TopicArn"],
        "STATE_MACHINE_ARN": machine["stateMachineArn"],
        "PUBLIC_URL": "https://go.example.com",
        **{
            name: clients.sqs.create_queue(QueueName=name)["QueueUrl"]
            for name in (
                "ADVANCE_QUEUE_URL",
                "ALERT_QUEUE_URL",
                "PARKING_QUEUE_URL",
                "CANARY_QUEUE_URL",
            )
        },
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("run_canary.handler.Page", PageAndAlerts)
    forget()
    yield clients
    forget()


def forget() -> None:
    """Containers begin anew: what they keep is forgotten."""
    settings.cache_clear()
    for module in (alerts, dynamodb, escalation, event_bus, mailbox, queues):
        module.client.cache_clear()
    for path in EVENTS.iterdir():
        module = handler_of(path.name)
        for name in ("parts", "leads", "policies"):
            part = getattr(module, name, None)
            if part is not None:
                part.cache_clear()


@cache
def handler_of(function: str) -> ModuleType:
    return importlib.import_module(f"{function}.handler")


@pytest.fixture
def leads(table: Table, aws: Clients, monkeypatch: pytest.MonkeyPatch) -> LeadTable:
    """The sample policy, three people, a lead and a link, by the ids that stand in events/."""
    PolicyStore(table).publish(read_policy(ROOT / "infra/policy", {"SITE": "https://example.com"}))
    leads = LeadTable(table)
    people = PeopleTable(table)
    filing = Filing(table)
    for rep in (ANNA, BORIS, MARIA):
        people.put_rep(rep)
    monkeypatch.setattr("secrets.token_hex", lambda _: LEAD_ID)
    now = datetime.now(UTC)
    submission = a_submission(received_at=now)
    filing.capture(submission, captured(submission, respond_by=now + timedelta(minutes=5)))
    link = Link(kind="lead", team="sales", rep_id="anna", lead_id=LEAD_ID, expires_at=2**40)
    table.transact([table.put({**keys.link(CODE), **link.model_dump()})])
    return leads


def invoke(function: str, case: str) -> Any:
    event = json.loads((EVENTS / function / f"{case}.json").read_text())
    return handler_of(function).handler(event, Context())


def metrics_in(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines() if '"_aws"' in line]


def the_lead(leads: LeadTable) -> Lead:
    lead = leads.lead(LEAD_ID)
    assert lead is not None
    return lead


CASES: list[tuple[str, str]] = []


def case(function: str, name: str) -> pytest.MarkDecorator:
    """Marks the test of one file, so that a file without a test is found."""
    CASES.append((function, name))
    return pytest.mark.usefixtures("leads")


def test_every_file_in_events_has_a_test() -> None:
    assert sorted(CASES) == [(path.parent.name, path.stem) for path in OURS]


@case("publish_events", "captured")
def test_publish_events(aws: Clients) -> None:
    url = aws.sqs.create_queue(QueueName="seen")["QueueUrl"]
    arn = "arn:aws:sqs:eu-central-1:123456789012:seen"
    aws.events.put_rule(Name="all", EventBusName="events", EventPattern='{"source":["leadline"]}')
    aws.events.put_targets(Rule="all", EventBusName="events", Targets=[{"Id": "q", "Arn": arn}])

    invoke("publish_events", "captured")

    (message,) = aws.bodies(url)
    assert message["detail-type"] == "LeadCaptured"
    assert message["detail"]["lead_id"] == LEAD_ID


@case("advance_follow_up", "captured")
def test_advance_follow_up_for_an_event(aws: Clients, leads: LeadTable) -> None:
    assert invoke("advance_follow_up", "captured") == {"batchItemFailures": []}

    assert the_lead(leads).rep_id == "anna"
    machine = settings().state_machine_arn
    (execution,) = aws.stepfunctions.list_executions(stateMachineArn=machine)["executions"]
    assert execution["name"] == f"{LEAD_ID}-{the_lead(leads).follow_up.run}"
    assert aws.bodies(settings().alert_queue_url) == []


@case("advance_follow_up", "swept")
def test_advance_follow_up_for_the_sweeper(aws: Clients, leads: LeadTable) -> None:
    invoke("advance_follow_up", "swept")

    queued = {message["alert_id"] for message in aws.bodies(settings().alert_queue_url)}
    assert queued == set(the_lead(leads).open_alerts)
    assert queued


@pytest.mark.usefixtures("leads")
def test_what_the_sweeper_found_missed_is_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    invoke("advance_follow_up", "swept")
    assert capsys.readouterr().out == "", "the lead came this moment"
    invoke("advance_follow_up", "captured")
    # Alerts that were asked for a moment ago are late now.
    monkeypatch.setattr("shared.domain.lead.MISSED_AFTER", timedelta())

    invoke("advance_follow_up", "captured")
    assert capsys.readouterr().out == "", "nobody missed an event of the queue"
    invoke("advance_follow_up", "swept")
    assert '"WakeUpMissed":[1.0]' in capsys.readouterr().out


@case("advance_follow_up", "woken")
def test_advance_follow_up_for_the_machine(leads: LeadTable) -> None:
    superseded = invoke("advance_follow_up", "woken")

    assert superseded == {
        "lead_id": LEAD_ID,
        "run": 1,
        "wake_at": None,
        "done": True,
        "missed": False,
    }
    assert the_lead(leads).rep_id is None


@case("send_alert", "requested")
@case("send_alert", "swept")
@pytest.mark.parametrize("name", ["requested", "swept"])
def test_send_alert(leads: LeadTable, name: str) -> None:
    invoke("advance_follow_up", "captured")
    asked = set(the_lead(leads).open_alerts)
    assert "1-new-anna-sms" in asked

    assert invoke("send_alert", name) == {"batchItemFailures": []}

    assert set(the_lead(leads).open_alerts) == asked - {"1-new-anna-sms"}


def test_a_message_that_fails_is_tried_again_and_the_others_are_not(leads: LeadTable) -> None:
    invoke("advance_follow_up", "captured")
    event = json.loads((EVENTS / "send_alert" / "requested.json").read_text())
    broken = {**event["Records"][0], "messageId": "broken", "body": '{"lead_id": "x"}'}
    event["Records"].append(broken)

    answer = handler_of("send_alert").handler(event, Context())

    assert answer == {"batchItemFailures": [{"itemIdentifier": "broken"}]}
    assert "1-new-anna-sms" not in the_lead(leads).open_alerts


@pytest.mark.usefixtures("leads")
def test_a_bug_is_counted_in_every_function(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a batch by message, elsewhere by call; in one series, so that one alarm sees it."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(PERSONAL)

    for owner, name in (
        (PolicyStore, "current"),
        (LeadTable, "lead"),
        (LinkTable, "link"),
        (LeadTable, "overdue"),
        (PeopleTable, "of_team"),
        (PeopleTable, "put_rep"),
        (event_bus.EventBus, "publish"),
    ):
        monkeypatch.setattr(owner, name, broken)
    for path in OURS:
        with suppress(LeadlineError):
            invoke(path.parent.name, path.stem)
        counted = [
            blob for blob in metrics_in(capsys.readouterr().out) if "UnexpectedError" in blob
        ]
        assert [blob["UnexpectedError"] for blob in counted] == [[1.0]], path
        assert counted[0]["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service"]]


@case("measure_events", "captured_and_alerted")
def test_measure_events(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke("measure_events", "captured_and_alerted") == {"batchItemFailures": []}

    documents = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    counted = {
        document.get("form") or document.get("channel"): sorted(
            metric["Name"] for metric in document["_aws"]["CloudWatchMetrics"][0]["Metrics"]
        )
        for document in documents
    }
    assert counted == {
        None: ["AlertSent", "LeadCaptured", "TimeToAlert"],
        "demo-en": ["LeadCaptured", "TimeToAlert"],
        "Direct": ["LeadCaptured"],
    }


@case("sweep_follow_ups", "every_minute")
def test_sweep_follow_ups(
    aws: Clients, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    invoke("sweep_follow_ups", "every_minute")
    assert aws.bodies(settings().advance_queue_url) == []
    assert '"LeadsSwept":[0.0]' in capsys.readouterr().out, "a heartbeat"
    # The lead came this moment: let no grace pass.
    monkeypatch.setattr("sweep_follow_ups.service.OVERDUE", timedelta())

    invoke("sweep_follow_ups", "every_minute")

    assert aws.bodies(settings().advance_queue_url) == [{"lead_id": LEAD_ID, "swept": True}]
    assert '"LeadsSwept":[1.0]' in capsys.readouterr().out


@case("run_canary", "scheduled")
def test_run_canary(
    aws: Clients, leads: LeadTable, table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    invoke("run_canary", "scheduled")

    (blob,) = metrics_in(capsys.readouterr().out)
    (metric,) = blob["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    assert metric == {"Name": "CanaryArrived", "Unit": "Seconds"}
    assert 0 <= blob["CanaryArrived"][0] < 5
    (rep,) = PeopleTable(table).of_team("canary")
    assert (rep.phone, rep.role) == (None, "rep"), "nobody is texted, no manager is told"
    assert aws.bodies(settings().canary_queue_url) == []


def test_a_canary_that_is_lost_counts_nothing_and_says_where(
    aws: Clients, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PageAndAlerts, "send", lambda *_: Answer(404, "unknown_form"))

    with logged() as lines:
        invoke("run_canary", "scheduled")

    assert metrics_in(capsys.readouterr().out) == []
    (line,) = [line for line in lines if line["level"] == "ERROR"]
    assert line["message"] == "canary did not arrive"
    assert (line["form_id"], line["status"], line["code"]) == ("canary", 404, "unknown_form")
    assert line["missing"] == ["submission"]


@case("follow_up_lead", "show")
@case("follow_up_lead", "no_answer")
def test_follow_up_lead_shows_and_acts(leads: LeadTable) -> None:
    shown = invoke("follow_up_lead", "show")
    assert shown["statusCode"] == 200
    assert "A machine that calculates" in shown["body"]
    assert the_lead(leads).attempts == 0

    for _ in range(2):
        answer = invoke("follow_up_lead", "no_answer")
        assert answer["statusCode"] == 303
    assert the_lead(leads).attempts == 1


@case("follow_up_lead", "list")
def test_follow_up_lead_lists(table: Table) -> None:
    assert invoke("follow_up_lead", "list")["statusCode"] == 404, "a link of another kind"
    link = Link(kind="list", team="sales", rep_id="maria", expires_at=2**40)
    table.transact([table.put({**keys.link(CODE), **link.model_dump()})])

    shown = invoke("follow_up_lead", "list")

    assert shown["statusCode"] == 200
    assert "A machine that calculates" in shown["body"]


@case("follow_up_lead", "ask_for_link")
@case("send_alert", "link_asked")
def test_a_link_that_is_asked_for_goes_by_the_alert_queue(
    aws: Clients, leads: LeadTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("follow_up_lead.new_link.ANSWERED_AFTER_SECONDS", 0)
    assert invoke("follow_up_lead", "ask_for_link")["statusCode"] == 200
    # Everybody of the sample has this number.
    messages = aws.bodies(settings().alert_queue_url)
    assert [message["rep_id"] for message in messages] == ["anna", "boris", "maria"]

    with logged() as lines:
        assert invoke("send_alert", "link_asked") == {"batchItemFailures": []}

    assert [line["outcome"] for line in lines] == ["dropped"], "it was asked for at another time"


def test_nothing_of_a_person_reaches_the_logs(
    capsys: pytest.CaptureFixture[str], leads: LeadTable
) -> None:
    with logged() as lines:
        for path in OURS:
            invoke(path.parent.name, path.stem)

    written = json.dumps(lines, ensure_ascii=False) + capsys.readouterr().out
    assert LEAD_ID in written
    for secret in ("Анна", "447700900001", "7700 900001", "anna1@example.com", "calculates", CODE):
        assert secret not in written


PERSONAL = "Анна +447700900001 anna1@example.com calculates"


@pytest.mark.usefixtures("leads")
@pytest.mark.parametrize("path", OURS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_nothing_of_a_person_reaches_the_logs_when_everything_goes_wrong(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """AWS's own error texts quote what was sent; Lambda logs whatever leaves a handler."""

    def refuse(self: object, operation: str, arguments: object) -> None:
        answer: Any = {"Error": {"Code": "ValidationException", "Message": PERSONAL}}
        raise ClientError(answer, operation)

    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", refuse)
    left = ""
    with logged() as lines:
        try:
            invoke(path.parent.name, path.stem)
        except LeadlineError as error:
            left = "".join(traceback.format_exception(error))

    written = json.dumps(lines, ensure_ascii=False) + capsys.readouterr().out + left
    for secret in (*PERSONAL.split(), CODE):
        assert secret not in written
    if path.parent.name != "measure_events":
        assert any(line.get("error") for line in lines), "it is logged by its kind"


def test_a_person_sees_a_page_when_something_breaks(
    leads: LeadTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError(PERSONAL)

    monkeypatch.setattr(LeadTable, "story", broken)
    answer = invoke("follow_up_lead", "show")

    assert answer["statusCode"] == 500
    assert answer["body"].startswith("<!doctype html>")
    assert "Анна" not in answer["body"]


@case("replay_spill", "waited")
def test_replay_spill(leads: LeadTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda _: "1e" * 16)
    for _ in range(2):
        assert invoke("replay_spill", "waited") == {"batchItemFailures": []}

    lead = leads.lead("1e" * 16)
    assert lead is not None
    assert (lead.name, lead.submissions) == ("Grace Hopper", 1)
    assert lead.received_at == lead.clock_started_at == datetime(2026, 11, 20, 9, tzinfo=UTC)
