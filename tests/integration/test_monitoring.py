"""What is seen of real traffic: what alarms watch, the dashboard, an alarm that is told."""

import json
import re
from typing import Any

import boto3
import pytest

from tests.integration.conftest import World, until
from tests.unit.monitoring import alarms

pytestmark = pytest.mark.integration

ONLY_WHEN_BAD = {
    "CanaryMissing": "no canary flies on the laptop; test_canary.py sends one",
    "SubmissionsNotStored": "the table would have to fail; the unit test raises it from the code",
    "UnexpectedErrors": "a bug would be needed; the unit test raises it from the code",
    "WakeUpsMissed": "an event would have to be lost; the unit test raises it from the code",
    "AlertsRefused": "the engine's SNS refuses nothing; the unit test raises it from the code",
}
"""Alarms on metrics of our own that healthy traffic does not write, and where they are tested."""


def a_person(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "name": f"Measured {number}",
        "phone": f"+44 7911 3{number:05d}",
        "message": f"Measured request {number}",
        "consent": "yes",
        "utm_source": "newsletter",
        "utm_medium": "email",
        **fields,
    }


def measured() -> set[tuple[str, str, frozenset[tuple[str, str]]]]:
    """Every series that the engine has a value of."""
    pages = boto3.client("cloudwatch").get_paginator("list_metrics").paginate()
    return {
        (
            metric["Namespace"],
            metric["MetricName"],
            frozenset((d["Name"], d["Value"]) for d in metric["Dimensions"]),
        )
        for page in pages
        for metric in page["Metrics"]
    }


def wait_for(name: str, **dimensions: str) -> None:
    series = ("Leadline", name, frozenset({"service": "leadline", **dimensions}.items()))
    until(lambda: series in measured(), f"{name} {dimensions}", 120)


def act(world: World, person: dict[str, Any], *actions: dict[str, str]) -> None:
    """What the rep does on the page of the link."""
    alert = world.alerts(person["phone"], "sms")[0]
    link = re.search(r"/l/\w{12}", alert["text"])
    assert link is not None
    for action in actions:
        page = world.http.get(link[0])
        action_id = re.search(r'name="action_id" value="(\w+)"', page.text)
        assert action_id is not None
        answer = world.http.post(link[0], data={**action, "action_id": action_id[1]})
        assert answer.status_code == 303, answer.text


@pytest.fixture(scope="module")
def traffic(world: World) -> None:
    """A lead that is called, one that nobody calls, a mistake, and one for nobody."""
    world.post("demo-en", a_person(1))
    world.post("quick", a_person(2))
    assert world.post("demo-en", a_person(3, phone="no number")).status_code == 422
    world.post("unmanned", a_person(4))
    act(world, a_person(1), {"action": "talked"})
    for name in ("LeadCaptured", "TimeToFirstAttempt", "RespondedInTime"):
        wait_for(name, form="demo-en")
        wait_for(name, channel="Email")
    wait_for("ResponseBreached")
    wait_for("SubmissionRejected", form="demo-en")
    wait_for("SubmissionRejected", reason="phone:unusable")


@pytest.mark.usefixtures("traffic")
def test_each_alarm_on_a_metric_of_ours_watches_a_series_that_is_written(world: World) -> None:
    own = {name: a for name, a in alarms().items() if a["Namespace"] == "Leadline"}
    deployed = {
        alarm["AlarmName"].removeprefix("leadline-"): alarm
        for page in boto3.client("cloudwatch").get_paginator("describe_alarms").paginate()
        for alarm in page["MetricAlarms"]
    }

    assert set(deployed) == set(alarms()) - {"CanaryMissing"}, "no canary on the laptop"
    assert set(ONLY_WHEN_BAD) < set(own)
    for name in set(own) - set(ONLY_WHEN_BAD):
        dimensions = {d["Name"]: d["Value"] for d in deployed[name]["Dimensions"]}
        assert dimensions.pop("service") == "leadline"
        wait_for(deployed[name]["MetricName"], **dimensions)


@pytest.mark.usefixtures("traffic")
def test_the_dashboard_shows_the_traffic_in_words(world: World) -> None:
    english = world.http.get("/dashboard?lang=en").text

    def section(title: str) -> str:
        return english.split(f"<h3>{title}</h3>")[1].split("</section>")[0]

    assert "demo-en" in section("Leads by form")
    assert "Email" in section("Leads by channel, where the visitor came from")
    assert "phone:unusable" in section("Forms sent back, by field and reason")
    assert "five minutes" in section("Wait for the first call")
    assert "<polyline" in section("Share of leads that were called in time") or (
        'class="dot' in section("Share of leads that were called in time")
    )
    figures = dict(
        re.findall(r"<dt>([^<]+)</dt>\s*<dd>([^<]+)</dd>", section("In the chosen time"))
    )
    assert int(figures["Leads"]) >= 3
    assert int(figures["Nobody called in time"]) >= 1
    assert 0 < float(figures["Called in time, % of leads"]) < 100
    assert float(figures["Half waited less than, seconds"]) >= 0
    assert "Measured" not in english, "a person's data"


@pytest.mark.parametrize("hours", ["1", "3", "24", "168", "5", "x"])
def test_the_dashboard_speaks_the_readers_language_for_any_time(world: World, hours: str) -> None:
    russian = world.http.get("/dashboard", params={"hours": hours, "lang": "ru"})

    assert russian.status_code == 200
    assert '<html lang="ru">' in russian.text
    assert "Лиды по формам" in russian.text
    assert "Leads by form" not in russian.text


def test_nobody_on_duty_raises_an_alarm_that_reaches_the_operator(world: World) -> None:
    sqs, sns = boto3.client("sqs"), boto3.client("sns")
    mailbox = sqs.create_queue(QueueName="operator")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=mailbox, AttributeNames=["QueueArn"])
    topic = world.outputs["OpsTopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["Attributes"]["QueueArn"])
    topics_may_send = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn["Attributes"]["QueueArn"],
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [topics_may_send]})
    sqs.set_queue_attributes(QueueUrl=mailbox, Attributes={"Policy": policy})
    cloudwatch = boto3.client("cloudwatch")
    # Whatever raised it before: only a change is told.
    cloudwatch.set_alarm_state(
        AlarmName="leadline-NobodyOnDuty", StateValue="OK", StateReason="a test begins"
    )

    world.post("unmanned", a_person(5))

    def mails() -> list[dict[str, Any]]:
        answer = sqs.receive_message(QueueUrl=mailbox, MaxNumberOfMessages=10)
        messages = [
            json.loads(json.loads(m["Body"])["Message"]) for m in answer.get("Messages", [])
        ]
        return [m for m in messages if m["NewStateValue"] == "ALARM"]

    (mail,) = until(mails, "the alarm", 60)
    assert mail["AlarmName"] == "leadline-NobodyOnDuty"
    assert mail["AlarmDescription"].endswith("Runbook: NobodyOnDuty.")
    page = world.http.get("/dashboard?lang=en").text
    assert re.search(r'state alarm">alarm</span> NobodyOnDuty', page)
