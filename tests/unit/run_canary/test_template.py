"""What the template gives the canary: its own mailbox, and nothing of anybody else's."""

from typing import Any

from run_canary.service import PATIENCE_SECONDS, REP
from tests.unit.template import expanded, template
from tests.unit.test_import_budget import is_in, loaded_by

RESOURCES = template()["Resources"]
FUNCTION = RESOURCES["RunCanaryFunction"]["Properties"]

PROBE = """
import json, sys
import run_canary.handler
print(json.dumps(sorted(sys.modules)))
"""


def statements(policy: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return found


def test_it_has_time_to_give_up() -> None:
    """The last look into the mailbox takes a second; a run that is killed could not say why."""
    assert FUNCTION["Timeout"] >= PATIENCE_SECONDS + 5


def test_its_mailbox_gets_what_its_team_is_sent_and_nothing_else() -> None:
    subscription = RESOURCES["CanarySubscription"]["Properties"]
    (statement,) = statements(RESOURCES["CanaryQueuePolicy"]["Properties"])

    assert subscription["FilterPolicy"] == {"team": [REP.team]}
    assert subscription["RawMessageDelivery"] is True
    assert subscription["TopicArn"] == {"Ref": "AlertTopic"}
    assert (
        subscription["Endpoint"] == statement["Resource"] == {"Fn::GetAtt": ["CanaryQueue", "Arn"]}
    )
    assert statement["Principal"] == {"Service": "sns.amazonaws.com"}
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Ref": "AlertTopic"}}}
    assert RESOURCES["CanaryQueuePolicy"]["Properties"]["Queues"] == [{"Ref": "CanaryQueue"}]
    assert FUNCTION["Environment"]["Variables"]["CANARY_QUEUE_URL"] == {"Ref": "CanaryQueue"}


def test_it_may_write_its_own_team_only() -> None:
    (policy,) = RESOURCES["RunCanaryRole"]["Properties"]["Policies"]
    (on_table,) = [s for s in statements(policy) if "dynamodb" in str(s["Action"])]

    assert on_table["Action"] == "dynamodb:PutItem"
    assert on_table["Condition"] == {
        "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [f"TEAM#{REP.team}"]}
    }


def test_it_posts_where_links_in_alerts_point() -> None:
    sender = RESOURCES["SendAlertFunction"]["Properties"]["Environment"]["Variables"]

    assert FUNCTION["Environment"]["Variables"]["PUBLIC_URL"] == sender["PUBLIC_URL"]


def test_how_often_it_flies_is_a_parameter_and_0_is_never() -> None:
    (schedule,) = (
        resource["Properties"]
        for name, resource in expanded().items()
        if resource["Type"] == "AWS::Scheduler::Schedule" and name.startswith("RunCanary")
    )
    assert schedule["State"] == {"Fn::If": ["HasCanary", "ENABLED", "DISABLED"]}
    condition, rate, _ = schedule["ScheduleExpression"]["Fn::If"]
    assert (condition, rate) == ("HasCanary", {"Fn::Sub": "rate(${CanaryMinutes} minutes)"})
    never = {"Fn::Not": [{"Fn::Equals": [{"Ref": "CanaryMinutes"}, 0]}]}
    assert template()["Conditions"]["HasCanary"] == never
    minutes = template()["Parameters"]["CanaryMinutes"]
    assert minutes["AllowedValues"] == [0, 5, 10, 15, 30, 60]
    assert minutes["Default"] == 5


def test_it_loads_nothing_of_those_who_read_forms_or_make_pages() -> None:
    loaded = loaded_by(PROBE)
    others = (
        "aws_lambda_powertools.event_handler",
        "email_validator",
        "jinja2",
        "multipart",
        "yaml",
    )

    assert [module for module in loaded for other in others if is_in(module, other)] == []
