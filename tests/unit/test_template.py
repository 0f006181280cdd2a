"""Conventions of the template that no linter knows, and permissions that the local engine does not
check.
"""

import importlib
import inspect
import json
import re
from typing import Any

import pytest

from shared import errors
from shared.domain.events import LeadEvent
from tests.unit.template import (
    ROOT,
    expanded,
    machine,
    of_type,
    role_of,
    statements_of,
    template,
)

FUNCTIONS = of_type(template()["Resources"], "AWS::Serverless::Function")
DEFAULTS = template()["Globals"]["Function"]
each_function = pytest.mark.parametrize("name", FUNCTIONS)


def statements(policy: Any) -> list[dict[str, Any]]:
    found = policy["Statement"]
    return found if isinstance(found, list) else [found]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@each_function
def test_a_function_is_called_as_its_folder(name: str) -> None:
    folder = FUNCTIONS[name]["Properties"]["Handler"].split(".")[0]

    assert name == "".join(part.title() for part in folder.split("_")) + "Function"
    assert (ROOT / "functions" / folder / "handler.py").is_file()


def test_every_folder_of_functions_is_deployed() -> None:
    folders = {path.parent.name for path in (ROOT / "functions").glob("*/handler.py")}

    assert folders == {f["Properties"]["Handler"].split(".")[0] for f in FUNCTIONS.values()}


@each_function
def test_a_handler_can_be_imported_and_is_short(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    module_name, _, attribute = FUNCTIONS[name]["Properties"]["Handler"].rpartition(".")
    module = importlib.import_module(module_name)

    assert callable(getattr(module, attribute))
    source = inspect.getsource(module)
    assert sum(bool(line.strip()) for line in source.splitlines()) <= 40
    assert not re.search(r"^\s*try:", source, re.MULTILINE)


@each_function
def test_a_function_has_its_own_log_group_with_retention(name: str) -> None:
    group = FUNCTIONS[name]["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]

    assert template()["Resources"][group]["Properties"]["RetentionInDays"]


def test_a_queue_hides_a_message_for_six_timeouts_and_keeps_what_failed() -> None:
    for function in FUNCTIONS.values():
        for event in function["Properties"].get("Events", {}).values():
            if event["Type"] != "SQS":
                continue
            queue = template()["Resources"][event["Properties"]["Queue"]["Fn::GetAtt"][0]]
            timeout = function["Properties"].get("Timeout", DEFAULTS["Timeout"])
            assert queue["Properties"]["VisibilityTimeout"] >= 6 * timeout
            assert queue["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]
            assert event["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_no_batching_window_where_a_person_waits() -> None:
    for name in ("AdvanceFollowUpFunction", "SendAlertFunction"):
        queue = FUNCTIONS[name]["Properties"]["Events"]["Queue"]["Properties"]
        assert "MaximumBatchingWindowInSeconds" not in queue


def test_every_rule_may_write_to_its_queue_and_to_its_dead_letters() -> None:
    allowed = set()
    for policy in of_type(expanded(), "AWS::SQS::QueuePolicy").values():
        for statement in statements(policy["Properties"]["PolicyDocument"]):
            if statement["Principal"] == {"Service": "sns.amazonaws.com"}:
                continue  # the canary's mailbox, which has a test of its own
            assert statement["Principal"] == {"Service": "events.amazonaws.com"}
            queue = statement["Resource"]["Fn::GetAtt"][0]
            assert {"Ref": queue} in policy["Properties"]["Queues"]
            for rule in as_list(statement["Condition"]["ArnEquals"]["aws:SourceArn"]):
                allowed.add((rule["Fn::GetAtt"][0], queue))
    for name, rule in of_type(expanded(), "AWS::Events::Rule").items():
        for target in rule["Properties"]["Targets"]:
            assert (name, target["Arn"]["Fn::GetAtt"][0]) in allowed
            assert (name, target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0]) in allowed
            assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] == 86400


def test_what_can_bring_a_step_forward_wakes_the_planner() -> None:
    """Above all an acknowledgement, which may end before the next step is due."""
    pattern = template()["Resources"]["AdvanceRule"]["Properties"]["EventPattern"]

    assert {*pattern["detail-type"]} <= {*LeadEvent.registry}
    assert {*pattern["detail-type"]} == {
        "LeadCaptured",
        "LeadResubmitted",
        "LeadAcknowledged",
        "LeadReassigned",
        "LeadReopened",
        "LeadReplanned",
        "LeadSnoozed",
        "ActionUndone",
        "AlertFailed",
    }


def test_the_machine_may_invoke_its_function_and_knows_our_errors() -> None:
    properties = template()["Resources"]["Escalation"]["Properties"]
    text = json.dumps(machine())

    assert set(re.findall(r"\$\{(\w+)\}", text)) == set(properties["DefinitionSubstitutions"])
    role = properties["Role"]["Fn::GetAtt"][0]
    function = properties["DefinitionSubstitutions"]["AdvanceFollowUpFunctionArn"]
    assert {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": function} in (
        statements_of(role)
    )
    retried = [
        name
        for retry in machine()["States"]["AdvanceFollowUp"]["Retry"]
        for name in retry["ErrorEquals"]
        if not name.startswith("States.")
    ]
    assert retried
    assert all(issubclass(getattr(errors, name), errors.RetryableError) for name in retried)


def test_the_functions_name_of_the_machine_is_the_machines() -> None:
    name = template()["Resources"]["Escalation"]["Properties"]["Name"]["Fn::Sub"]
    environment = FUNCTIONS["AdvanceFollowUpFunction"]["Properties"]["Environment"]["Variables"]

    assert environment["STATE_MACHINE_ARN"]["Fn::Sub"].endswith(f":stateMachine:{name}")


TRACES = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
SAMPLING = {"xray:GetSamplingRules", "xray:GetSamplingTargets"}
"""Traces have no ARN, nor have the rules of which calls are traced."""


NUMBERS = {
    "sns:CheckIfPhoneNumberIsOptedOut",
    "sns:GetSMSAttributes",
    "sns:GetSMSSandboxAccountStatus",
    "sns:GetSubscriptionAttributes",
    "sns:ListSMSSandboxPhoneNumbers",
}
"""Numbers, settings of the account and subscriptions have no ARN that IAM knows. All read."""


def test_roles_allow_single_actions_on_single_resources() -> None:
    """With what is declared here, and nothing else, on everything."""
    for role in of_type(expanded(), "AWS::IAM::Role"):
        for statement in statements_of(role):
            actions = as_list(statement["Action"])
            assert all("*" not in action for action in actions)
            if "NotResource" in statement:
                # A phone number has no ARN: everything that is no topic.
                assert role in {"SendAlertRole", "CheckChannelsRole"}
                assert actions == ["sns:Publish"]
                assert statement["NotResource"]["Fn::Sub"].endswith(":sns:*:*:*")
            elif statement["Resource"] == "*":
                assert (
                    set(actions) == TRACES
                    or (role, set(actions)) == ("EscalationRole", SAMPLING)
                    or (role in {"SendAlertRole", "CheckChannelsRole"} and set(actions) <= NUMBERS)
                )
            elif actions == ["ssm:GetParameter"]:
                # Forms and their secrets are policy: the template does not know their names.
                assert statement["Resource"]["Fn::Sub"].endswith("${AWS::StackName}/forms/*")
            else:
                assert "*" not in json.dumps(statement["Resource"])


def test_ses_may_be_used_from_one_address_and_only_where_it_was_chosen() -> None:
    policy = template()["Resources"]["SesPolicy"]
    send, ask = policy["Properties"]["PolicyDocument"]["Statement"]

    assert policy["Condition"] == "MailsBySes"
    assert send["Action"] == "ses:SendEmail"
    assert send["Condition"] == {"StringEquals": {"ses:FromAddress": {"Ref": "AlertEmailFrom"}}}
    assert (ask["Action"], ask["Resource"]) == ("ses:GetSuppressedDestination", "*")
    assert template()["Parameters"]["EmailSender"]["Default"] == "sns"


def test_whoever_touches_the_table_says_which_items() -> None:
    for role in of_type(expanded(), "AWS::IAM::Role"):
        for statement in statements_of(role):
            touched = json.dumps(statement.get("Resource", ""))
            if "LeadTable" in touched and "StreamArn" not in touched:
                ((_, condition),) = statement["Condition"].items()
                patterns = as_list(condition["dynamodb:LeadingKeys"])
                assert all(re.fullmatch(r"[A-Z]+(#\*|#[a-z]+)?", pattern) for pattern in patterns)


@each_function
def test_a_function_has_a_role_of_its_own_and_is_traced(name: str) -> None:
    """SAM would add AWS's managed policies, which allow the function's actions on everything."""
    assert role_of(name) == name.removesuffix("Function") + "Role"
    assert expanded()[name]["Properties"]["TracingConfig"] == {"Mode": "Active"}


@each_function
def test_nothing_switches_compiled_modules_off(name: str) -> None:
    """With PYTHONOPTIMIZE Python looks for other ones than those that ship, and starts slowly."""
    variables = expanded()[name]["Properties"]["Environment"]["Variables"]

    assert not any(variable.startswith("PYTHON") for variable in variables)


def test_the_table_cannot_be_lost_by_accident() -> None:
    table = template()["Resources"]["LeadTable"]
    properties = table["Properties"]

    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert properties["DeletionProtectionEnabled"]
    assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert properties["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}


def test_access_logs_never_hold_a_path() -> None:
    text = template()["Resources"]["Api"]["Properties"]["AccessLogSettings"]["Format"]

    assert "$context.routeKey" in text
    assert not re.search(r"\$context\.(path|http|identity|authorizer|domain)", text)


def test_the_template_stays_readable() -> None:
    text = (ROOT / "template.yaml").read_text()

    assert len(text.splitlines()) <= 900
