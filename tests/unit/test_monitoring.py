"""Alarms that can fire, say what to do and cover what goes wrong; a dashboard in two languages."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import pytest

import measure_events.service
import submit_form.service
from advance_follow_up.service import WAKE_UP_MISSED
from infra.local import dashboard
from run_canary.handler import ARRIVED
from shared.observability import UNEXPECTED_ERROR, Metric
from sweep_follow_ups.service import LEADS_SWEPT, OVERDUE
from tests.unit.domain.samples import a_lead
from tests.unit.monitoring import (
    LANGUAGES,
    alarms,
    dashboard_body,
    judged,
    minutes_to_alarm,
    monitoring,
    widgets,
)
from tests.unit.template import ROOT, of_type, template

OWN: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        *(rule.metric for rule in measure_events.service.CATALOGUE),
        *submit_form.service.CATALOGUE.values(),
        UNEXPECTED_ERROR,
        WAKE_UP_MISSED,
        LEADS_SWEPT,
        ARRIVED,
    )
}
"""Every metric of ours, as the code measures it."""

QUEUE = ("QueueName", "AWS::SQS::Queue", "QueueName")
API = ("ApiId", "AWS::Serverless::HttpApi", None)

AWS_METRICS: Mapping[tuple[str, str], tuple[str, str, str | None] | None] = {
    # API Gateway Developer Guide, "Monitor CloudWatch metrics for HTTP APIs": names in lower case.
    ("AWS/ApiGateway", "4xx"): API,
    ("AWS/ApiGateway", "5xx"): API,
    # DynamoDB Developer Guide, "DynamoDB metrics and dimensions".
    ("AWS/DynamoDB", "WriteThrottleEvents"): ("TableName", "AWS::DynamoDB::Table", None),
    # Lambda Developer Guide, "Types of metrics": of functions that read a stream.
    ("AWS/Lambda", "IteratorAge"): ("FunctionName", "AWS::Serverless::Function", None),
    # SNS Developer Guide, "Monitoring topics using CloudWatch": spending has no dimension.
    ("AWS/SNS", "NumberOfNotificationsFailed"): ("TopicName", "AWS::SNS::Topic", "TopicName"),
    ("AWS/SNS", "SMSMonthToDateSpentUSD"): None,
    # SQS Developer Guide, "Available CloudWatch metrics for Amazon SQS".
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): QUEUE,
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): QUEUE,
    # Step Functions Developer Guide, "Execution metrics".
    ("AWS/States", "ExecutionsFailed"): (
        "StateMachineArn",
        "AWS::Serverless::StateMachine",
        None,
    ),
}
"""Metrics of AWS that are used: their dimension, what it names, and the attribute that is its
value; None is what `Ref` gives."""

PASSED = template()["Resources"]["Monitoring"]["Properties"]["Parameters"]
each_alarm = pytest.mark.parametrize("name", alarms())
each_language = pytest.mark.parametrize("language", LANGUAGES)


# --- alarms ---------------------------------------------------------------------------------------


@each_alarm
def test_an_alarm_says_what_to_do_and_tells_somebody(name: str) -> None:
    alarm = alarms()[name]

    assert alarm["AlarmName"] == {"Fn::Sub": f"${{Service}}-{name}"}
    assert alarm["AlarmDescription"].endswith(f" Runbook: {name}.")
    assert 60 < len(alarm["AlarmDescription"]) < 400
    assert alarm["AlarmActions"] == [{"Ref": "OpsTopic"}]
    # With `ignore` an end would be told months later, or never.
    assert ("OKActions" in alarm) == (alarm["TreatMissingData"] in {"breaching", "notBreaching"})
    assert alarm.get("OKActions", alarm["AlarmActions"]) == alarm["AlarmActions"]


def test_each_alarm_has_a_heading_in_the_runbook_and_each_such_heading_an_alarm() -> None:
    text = (ROOT / "docs/runbook.md").read_text()
    headings = re.findall(r"^## ([A-Z][a-z]+(?:[A-Z0-9][A-Za-z]*)+)$", text, re.MULTILINE)

    assert sorted(headings) == sorted(alarms())


@each_alarm
def test_an_alarm_watches_a_metric_that_exists(name: str) -> None:
    alarm = alarms()[name]
    dimensions = {d["Name"]: d["Value"] for d in alarm.get("Dimensions", [])}

    if alarm["Namespace"] == "Leadline":
        assert alarm["MetricName"] in OWN
        assert dimensions == {"service": {"Ref": "Service"}}
    else:
        check_aws_metric(alarm["Namespace"], alarm["MetricName"], dimensions)


def check_aws_metric(namespace: str, name: str, dimensions: Mapping[str, Any]) -> None:
    known = AWS_METRICS[namespace, name]
    if known is None:
        assert not dimensions
        return
    dimension, kind, attribute = known
    assert set(dimensions) == {dimension}
    match PASSED[dimensions[dimension]["Ref"]]:
        case {"Ref": resource}:
            assert attribute is None
        case {"Fn::GetAtt": [resource, used]}:
            assert used == attribute
        case other:
            raise AssertionError(f"no resource: {other}")
    assert template()["Resources"][resource]["Type"] == kind


def test_every_parameter_of_the_nested_stack_is_given_and_used() -> None:
    text = json.dumps(monitoring()["Resources"]) + json.dumps(monitoring()["Conditions"])

    assert set(PASSED) == set(monitoring()["Parameters"])
    assert PASSED["Service"] == {"Ref": "AWS::StackName"}
    unused = {n for n in PASSED if f'"Ref": "{n}"' not in text and f"${{{n}}}" not in text}
    assert not unused


def test_what_a_function_counts_as_its_service_is_the_name_of_the_stack() -> None:
    variables = template()["Globals"]["Function"]["Environment"]["Variables"]

    assert variables["POWERTOOLS_SERVICE_NAME"] == PASSED["Service"]


def test_a_queue_has_an_alarm_of_its_age_or_when_no_function_empties_it_of_any_message() -> None:
    functions = of_type(template()["Resources"], "AWS::Serverless::Function").values()
    text = json.dumps([function["Properties"].get("Events", {}) for function in functions])
    queues = set(of_type(template()["Resources"], "AWS::SQS::Queue"))
    emptied = {queue for queue in queues if f'["{queue}", "Arn"]' in text}

    assert emptied
    assert queues_watched_by("ApproximateAgeOfOldestMessage") == emptied
    # The canary empties its own, and its absence alarms.
    assert queues_watched_by("ApproximateNumberOfMessagesVisible") == (
        queues - emptied - {"CanaryQueue"}
    )


def queues_watched_by(metric: str) -> set[str]:
    return {
        PASSED[alarm["Dimensions"][0]["Value"]["Ref"]]["Fn::GetAtt"][0]
        for alarm in alarms().values()
        if alarm["MetricName"] == metric
    }


@pytest.mark.parametrize("minutes", [5, 10, 15, 30, 60])
def test_the_canary_may_be_away_for_the_time_of_two_flights(minutes: int) -> None:
    alarm = alarms()["CanaryMissing"]
    flown = {minute: [40.0] for minute in range(0, 600, minutes)}

    assert minutes in template()["Parameters"]["CanaryMinutes"]["AllowedValues"]
    assert alarm["EvaluationPeriods"] == {"Ref": "CanaryMinutes"}
    alarm = alarm | {"EvaluationPeriods": minutes}
    assert minutes_to_alarm(alarm, flown, 600) is None
    assert minutes_to_alarm(alarm, {}, 600) == 2 * minutes


def test_a_time_without_sms_changes_nothing_about_their_budget() -> None:
    alarm = resolved("SmsBudget")
    budget = alarm["Threshold"]

    def stands(data: Mapping[int, Sequence[float]]) -> list[bool]:
        return [stands for _, stands in judged(alarm, data, 40)]

    assert stands({7: [budget - 1], 27: [budget]}) == [False] * 5 + [True] * 3
    assert stands({7: [budget]}) == [False] + [True] * 7
    assert stands({7: [budget], 27: [0]}) == [False] + [True] * 4 + [False] * 3, "a new month"


def test_alarms_may_publish_to_their_topic() -> None:
    """An alarm cannot use the key of alias/aws/sns, and says nothing of it when it fails."""
    topic = monitoring()["Resources"]["OpsTopic"]

    assert "KmsMasterKeyId" not in topic.get("Properties", {})


# --- what can go wrong, and which alarm tells -----------------------------------------------------


def of_event(kind: str) -> str:
    """The metric of an event, by the code that measures it."""
    rules = measure_events.service.CATALOGUE
    return next(rule.metric.name for rule in rules if rule.event == kind)


ALWAYS = range(-30, 90)
HEALTHY: Mapping[str, Mapping[int, Sequence[float]]] = {
    "LeadsSwept": {minute: [0] for minute in ALWAYS},
    "CanaryArrived": {minute: [40] for minute in ALWAYS if minute % 5 == 1},
    "LeadCaptured": {minute: [1] for minute in ALWAYS},
    "IteratorAge": {minute: [200] for minute in ALWAYS},
    "ApproximateAgeOfOldestMessage": {minute: [0, 1] for minute in ALWAYS},
    "ApproximateNumberOfMessagesVisible": {minute: [0] for minute in ALWAYS},
    "NumberOfNotificationsFailed": {minute: [0] for minute in ALWAYS if minute % 5 == 0},
    "4xx": {minute: [0, 1] for minute in ALWAYS},
    "5xx": {minute: [0, 0] for minute in ALWAYS},
}


class Fault(NamedTuple):
    """Something that goes wrong in minute 0, and what is measured from then on."""

    what: str
    alarm: str
    metric: str
    data: Mapping[int, Sequence[float]]
    within: int = 5


def once(value: float = 1) -> Mapping[int, Sequence[float]]:
    return {0: [value]}


def from_now(*values: float) -> Mapping[int, Sequence[float]]:
    return dict.fromkeys(range(90), values)


def growing(seconds: float = 60) -> Mapping[int, Sequence[float]]:
    return {minute: [(minute + 1) * seconds] for minute in range(90)}


def found_missed() -> Mapping[int, Sequence[float]]:
    """What the sweeper, every minute, finds of a lead whose event nobody published."""
    lead = a_lead()
    start = lead.received_at - timedelta(seconds=30)
    runs = {minute: start + timedelta(minutes=minute) for minute in range(90)}
    found = next(m for m, now in runs.items() if lead.due_at and lead.due_at <= now - OVERDUE)
    # Found once: the lead is planned by it.
    return {found: [1]} if lead.was_missed(runs[found]) else {}


FAULTS = (
    Fault(
        "the table does not answer, or conflicts do not end",
        "SubmissionsNotStored",
        submit_form.service.CATALOGUE["not_stored"].name,
        once(),
    ),
    Fault("a bug while taking a submission", "UnexpectedErrors", UNEXPECTED_ERROR.name, once()),
    Fault("no policy is published", "UnexpectedErrors", UNEXPECTED_ERROR.name, once()),
    Fault(
        "a function cannot start, or is throttled, or runs out of time", "ApiErrors", "5xx", once()
    ),
    Fault("a right is missing for a function that visitors reach", "ApiErrors", "5xx", once()),
    Fault("a flood throttles real visitors", "RequestsRefused", "4xx", from_now(*[1.0] * 200)),
    Fault(
        "a busy page posts what its form refuses", "RequestsRefused", "4xx", from_now(*[1.0] * 25)
    ),
    Fault("writes are throttled", "TableThrottled", "WriteThrottleEvents", from_now(5)),
    Fault(
        "an event of the stream cannot be published, or the bus is down",
        "EventsDelayed",
        "IteratorAge",
        growing(60_000),
    ),
    Fault("the stream is not read at all", "WakeUpsMissed", WAKE_UP_MISSED.name, found_missed()),
    Fault("an alert is lost between queue and SNS", "WakeUpsMissed", WAKE_UP_MISSED.name, once()),
    Fault("a wake-up is lost", "WakeUpsMissed", WAKE_UP_MISSED.name, once()),
    Fault(
        "a record is no event of ours",
        "ParkedRecords",
        "ApproximateNumberOfMessagesVisible",
        once(),
    ),
    Fault(
        "a rule may not write to its queue",
        "UndeliveredEvents",
        "ApproximateNumberOfMessagesVisible",
        from_now(1),
    ),
    Fault(
        "a lead cannot be advanced: poison, bug, missing right",
        "AdvanceDeadLetters",
        "ApproximateNumberOfMessagesVisible",
        from_now(1),
    ),
    Fault(
        "an alert cannot be sent: SNS down, bug, missing right",
        "AlertDeadLetters",
        "ApproximateNumberOfMessagesVisible",
        from_now(1),
    ),
    Fault(
        "an event cannot be measured",
        "MeasureDeadLetters",
        "ApproximateNumberOfMessagesVisible",
        from_now(1),
    ),
    Fault(
        "the table does not answer for ten minutes, or capture has a bug",
        "SpillWaiting",
        "ApproximateAgeOfOldestMessage",
        from_now(600),
    ),
    Fault(
        "a spilled request cannot be filed for a day",
        "SpillDeadLetters",
        "ApproximateNumberOfMessagesVisible",
        from_now(1),
    ),
    Fault(
        "advancing is slower than leads come",
        "AdvancesDelayed",
        "ApproximateAgeOfOldestMessage",
        growing(),
    ),
    Fault(
        "measure_events stops",
        "FiguresDelayed",
        "ApproximateAgeOfOldestMessage",
        growing(),
        within=10,
    ),
    Fault("SNS answers slowly", "AlertsDelayed", "ApproximateAgeOfOldestMessage", growing()),
    Fault("an execution fails after its retries", "ExecutionsFailed", "ExecutionsFailed", once()),
    Fault("the sweeper does not run", "SweeperSilent", LEADS_SWEPT.name, {}),
    Fault("nobody is on duty", "NobodyOnDuty", of_event("AssignmentFailed"), once()),
    Fault(
        "a person opted out, or has no address", "AlertsRefused", of_event("AlertFailed"), once()
    ),
    Fault(
        "a mailbox refuses, or a subscription is gone",
        "EmailsUndelivered",
        "NumberOfNotificationsFailed",
        once(),
    ),
    Fault(
        "SMS near the quota, at which they stop silently",
        "SmsBudget",
        "SMSMonthToDateSpentUSD",
        once(25),
    ),
    # Two flights of five minutes; whatever is broken between a form and its alerts.
    Fault(
        "a success is answered and nothing comes of it",
        "CanaryMissing",
        ARRIVED.name,
        {},
        within=10,
    ),
    Fault(
        "figures stop: no metric of ours comes in any more", "SweeperSilent", LEADS_SWEPT.name, {}
    ),
)


def resolved(name: str) -> Mapping[str, Any]:
    """An alarm with the sample's numbers in place of parameters."""
    alarm = alarms()[name]
    if name == "CanaryMissing":
        return alarm | {"EvaluationPeriods": template()["Parameters"]["CanaryMinutes"]["Default"]}
    if name == "SmsBudget":
        return alarm | {"Threshold": template()["Parameters"]["SmsMonthlyBudgetUsd"]["Default"]}
    return alarm


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.what for fault in FAULTS])
def test_a_fault_raises_its_alarm_in_time(fault: Fault) -> None:
    alarm = resolved(fault.alarm)

    assert alarm["MetricName"] == fault.metric
    raised = minutes_to_alarm(alarm, fault.data, 60)
    assert raised is not None
    assert raised <= fault.within


def test_every_alarm_is_raised_by_a_fault() -> None:
    assert {fault.alarm for fault in FAULTS} == set(alarms())


@each_alarm
def test_an_hour_in_which_all_is_well_raises_nothing(name: str) -> None:
    alarm = resolved(name)

    assert minutes_to_alarm(alarm, HEALTHY.get(alarm["MetricName"], {}), 60) is None


# --- the dashboard --------------------------------------------------------------------------------


@each_language
@pytest.mark.parametrize("has_canary", [True, False])
def test_the_dashboard_is_json_in_every_language(language: str, has_canary: bool) -> None:
    body = json.loads(dashboard_body(language, has_canary=has_canary))

    assert body["start"] == "-P7D"
    listed = [a for w in body["widgets"] for a in w["properties"].get("alarms", [])]
    names = {arn.rpartition(":leadline-")[2] for arn in listed}
    assert names == set(alarms()) - (set() if has_canary else {"CanaryMissing"})


def test_every_phrase_is_in_every_language_and_used() -> None:
    phrases = monitoring()["Mappings"]["Phrases"]
    _, given = monitoring()["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    body = monitoring()["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"][0]

    assert (
        set(phrases)
        == set(LANGUAGES)
        == set(monitoring()["Parameters"]["DashboardLanguage"]["AllowedValues"])
    )
    assert set(phrases["en"]) == set(phrases["ru"]) == set(given) - {"CanaryMissingArn"}
    for name in phrases["en"]:
        # Whole: so the laptop can exchange them, and a translator sees what is read together.
        assert f'"${{{name}}}"' in body
        assert not re.search("[а-яА-Я]", phrases["en"][name])
        assert re.search("[а-яА-Я]", phrases["ru"][name])


def test_what_reads_the_same_in_english_reads_the_same_in_russian() -> None:
    """Or the laptop, which exchanges phrases by their text, would show one of them twice."""
    phrases = monitoring()["Mappings"]["Phrases"]
    both = {(phrases["en"][name], phrases["ru"][name]) for name in phrases["en"]}

    assert len(both) == len({english for english, _ in both}) == len({r for _, r in both})


@each_language
def test_the_laptop_shows_each_language_as_aws_would(language: str) -> None:
    for deployed in LANGUAGES:
        shown = dashboard.translated(json.loads(dashboard_body(deployed)), language)

        assert shown == json.loads(dashboard_body(language))


def test_a_tile_has_a_title_and_an_axis_in_words() -> None:
    for widget in widgets():
        properties = widget["properties"]
        assert properties.get("title") or properties["markdown"]
        if properties.get("view") in {"bar", "timeSeries"}:
            assert properties["yAxis"]["left"]["label"]


def test_tiles_lie_side_by_side() -> None:
    taken: set[tuple[int, int]] = set()
    for widget in widgets():
        columns = range(widget["x"], widget["x"] + widget["width"])
        rows = range(widget["y"], widget["y"] + widget["height"])
        cells = {(x, y) for x in columns for y in rows}
        assert not cells & taken
        taken |= cells
    height = max(y for _, y in taken) + 1
    assert taken == {(x, y) for x in range(24) for y in range(height)}, "no holes"


def test_the_dashboard_shows_metrics_that_exist() -> None:
    for widget in widgets():
        for *path, options in widget["properties"].get("metrics", []):
            if path and path[0] != "Leadline":
                namespace, name, dimension, value = path
                check_aws_metric(namespace, name, {dimension: {"Ref": value.removeprefix("the ")}})
            elif path:
                assert path[1] in OWN
                assert path[2:] == ["service", "leadline"]
            else:
                search = dashboard.SEARCH.fullmatch(options["expression"])
                assert search is not None
                terms = dict(dashboard.TERM.findall(search["terms"]))
                assert terms.keys() == {"MetricName", "service"}
                namespace, service, label = search["schema"].split(",")
                assert (namespace, service) == ("Leadline", "service")
                assert label in OWN[terms["MetricName"]].by
                assert options["label"] == f"${{PROP('Dim.{label}')}}"


def test_percentiles_are_asked_of_times_and_averages_of_shares() -> None:
    stats = {
        (path[1], options["stat"])
        for widget in widgets()
        for *path, options in widget["properties"].get("metrics", [])
        if path and path[0] == "Leadline"
    }

    for name, stat in stats:
        assert (
            OWN[name].unit.value
            == {
                "Sum": "Count",
                "Average": "Percent",
                "p50": "Seconds",
                "p90": "Seconds",
                "p99": "Seconds",
                "Maximum": "Seconds",
            }[stat]
        )
