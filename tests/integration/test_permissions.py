"""Least privilege, proved: what each function did here, against what its role allows on AWS.

While the tests run, functions write down each call (`infra/local/lambda_main.py`). A call that no
policy allows, an allowed call that nobody makes, and a key outside the conditions all fail here:
the engine enforces the policies, but of their conditions it does not know the leading keys.
"""

import contextlib
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

import boto3
import pytest
from botocore.exceptions import ClientError

from shared.adapters import keys
from shared.adapters.dynamodb import to_wire
from shared.domain.instants import iso
from shared.domain.lead import OpenAlert
from tests.integration.conftest import DEAF_TEAM, World, until
from tests.integration.test_channels import deaf_team
from tests.integration.test_spill import locked
from tests.integration.test_team_page import enter, link_by_sms, press, somebody
from tests.unit.template import expanded, of_type, role_of, statements_of, template

pytestmark = pytest.mark.integration

PHONE = "a phone number"
"""What the topics' NotResource leaves."""
SECRETS = "secrets of forms"

BY_LAMBDA = {
    "logs:CreateLogStream": "logs",
    "logs:PutLogEvents": "logs",
    "xray:PutTraceSegments": "traces",
    "xray:PutTelemetryRecords": "traces",
    "sqs:ReceiveMessage": "source",
    "sqs:DeleteMessage": "source",
    "sqs:GetQueueAttributes": "source",
    "dynamodb:DescribeStream": "source",
    "dynamodb:GetRecords": "source",
    "dynamodb:GetShardIterator": "source",
    "dynamodb:ListStreams": "source",
}
"""What Lambda does under a function's role, and no code of ours: on its own log group, on
everything (traces have no ARN), and on the queue or stream that feeds it."""

MEMBERS = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem"}
"""IAM knows no transactions: each member needs what it would need alone."""


class Right(NamedTuple):
    """One action on one thing; `keys` are the patterns of leading keys, where there are any."""

    function: str
    action: str
    target: str
    keys: tuple[str, ...] | None


class Use(NamedTuple):
    """One call, or one item of one; `key` is the partition key that it names."""

    function: str
    action: str
    target: str
    key: str | None

    def is_allowed_by(self, right: Right) -> bool:
        if self[:3] != right[:3]:
            return False
        return right.keys is None or any(self.names(pattern) for pattern in right.keys)

    def names(self, pattern: str) -> bool:
        return self.key is not None and fnmatchcase(self.key, pattern)


# ---- What is allowed -----------------------------------------------------------------------------


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def named(resource: Any) -> str:
    """A resource of a policy by its logical id: `LeadTable/index/due`."""
    match resource:
        case "*":
            return "*"
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), "Arn"]}:
            return name
        case {"Fn::GetAtt": ["Monitoring", "Outputs.OpsTopicArn"]}:
            return "OpsTopic"
        case {"Fn::GetAtt": ["LeadTable", "StreamArn"]}:
            return "LeadTable/stream"
        case {"Fn::Sub": str(text)}:
            machine = expanded()["Escalation"]["Properties"]["StateMachineName"]["Fn::Sub"]
            if text.endswith(f":stateMachine:{machine}"):
                return "Escalation"
            if text.endswith(":parameter/${AWS::StackName}/forms/*"):
                return SECRETS
            return re.sub(r"\$\{(\w+)\.Arn\}", r"\1", text)
    raise AssertionError(f"a policy names {resource}")


def patterns(statement: dict[str, Any]) -> tuple[str, ...] | None:
    condition = statement.get("Condition")
    if condition is None:
        return None
    ((operator, expected),) = condition.items()
    assert operator in {"ForAllValues:StringLike", "ForAllValues:StringEquals"}
    assert list(expected) == ["dynamodb:LeadingKeys"]
    return tuple(as_list(expected["dynamodb:LeadingKeys"]))


def allowed() -> set[Right]:
    rights = set()
    for function in of_type(template()["Resources"], "AWS::Serverless::Function"):
        for statement in statements_of(role_of(function)):
            targets = (
                [PHONE]
                if statement.get("NotResource") == {"Fn::Sub": "arn:${AWS::Partition}:sns:*:*:*"}
                else [named(resource) for resource in as_list(statement["Resource"])]
            )
            rights |= {
                Right(function, action, target, patterns(statement))
                for action in as_list(statement["Action"])
                for target in targets
            }
    return rights


def fed_by(function: str) -> set[str]:
    """The queue or stream of a function."""
    properties = template()["Resources"][function]["Properties"]
    sources = [event["Properties"] for event in properties.get("Events", {}).values()]
    feeding = [s[kind] for s in sources for kind in ("Queue", "Stream") if kind in s]
    return {named(resource) for resource in feeding}


def is_lambdas_own(right: Right) -> bool:
    match BY_LAMBDA.get(right.action):
        case "logs":
            properties = template()["Resources"][right.function]["Properties"]
            return bool(properties["LoggingConfig"]["LogGroup"] == {"Ref": right.target})
        case "traces":
            return right.target == "*"
        case "source":
            return right.target in fed_by(right.function)
    return False


# ---- What was done -------------------------------------------------------------------------------


def logical_ids() -> dict[str, str]:
    found = boto3.client("cloudformation").describe_stack_resources(StackName="leadline")
    return {r["PhysicalResourceId"]: r["LogicalResourceId"] for r in found["StackResources"]}


def done(world: World) -> set[Use]:
    names = {**logical_ids(), world.outputs["OpsTopicArn"]: "OpsTopic"}
    uses = set()
    for line in world.calls.read_text().splitlines():
        call = json.loads(line)
        function = names[call["function"]]
        for action, thing, key in read_call(call["service"], call["operation"], call["params"]):
            name, _, index = thing.partition("/index/")
            target = thing if thing in {PHONE, SECRETS, "*"} else names[name]
            uses.add(Use(function, action, f"{target}/index/{index}" if index else target, key))
    return uses


def read_call(
    service: str, operation: str, params: dict[str, Any]
) -> Iterator[tuple[str, str, str | None]]:
    """A call as IAM sees it: action, what it is done to, and the partition key."""
    match service:
        case "dynamodb":
            yield from read_table_call(operation, params)
        case "sqs":
            yield f"sqs:{operation.removesuffix('Batch')}", params["QueueUrl"], None
        case "sns":
            thing = params.get("TopicArn") or (PHONE if "PhoneNumber" in params else "*")
            yield f"sns:{operation}", thing, None
        case "events":
            for entry in params["Entries"]:
                yield f"events:{operation}", entry["EventBusName"], None
        case "ssm":
            assert params["Name"].startswith("/leadline/forms/")
            yield f"ssm:{operation}", SECRETS, None
        case "stepfunctions":
            yield f"states:{operation}", params["stateMachineArn"], None
        case _:
            raise AssertionError(f"{service} is new: say what it needs")


def read_table_call(
    operation: str, params: dict[str, Any]
) -> Iterator[tuple[str, str, str | None]]:
    match operation:
        case "TransactWriteItems":
            for item in params["TransactItems"]:
                ((member, write),) = item.items()
                key = write["Item"] if member == "Put" else write["Key"]
                yield f"dynamodb:{MEMBERS[member]}", write["TableName"], key["PK"]["S"]
        case "BatchGetItem":
            for table, request in params["RequestItems"].items():
                for key in request["Keys"]:
                    yield "dynamodb:BatchGetItem", table, key["PK"]["S"]
        case "Query":
            asked = re.match(r"\w+ = (:\w+)", params["KeyConditionExpression"])
            assert asked is not None
            table = params["TableName"]
            thing = f"{table}/index/{params['IndexName']}" if "IndexName" in params else table
            yield "dynamodb:Query", thing, params["ExpressionAttributeValues"][asked[1]]["S"]
        case _:
            yield f"dynamodb:{operation}", params["TableName"], params["Key"]["PK"]["S"]


# ---- Everything that functions do ----------------------------------------------------------------

PERSON = {"name": "Ada", "phone": "+44 7914 000001", "email": "ada@example.com", "consent": "yes"}


def drive(world: World) -> None:
    """One lead from its first submission to its end, and the ways off that road."""
    with ThreadPoolExecutor(1) as pool:
        canary = pool.submit(invoke, "RunCanaryFunction")
        overdue_lead(world)
        what_is_no_event(world)
        spilled(world)
        assert world.post("demo-en", {}).status_code == 422
        invoke("SweepFollowUpsFunction")
        with deaf_team(world):
            # Whatever another test has told today is told once more.
            forget_warnings(world)
            invoke("CheckChannelsFunction")
        world.post("quick", {**PERSON, "message": "first"})
        sms = next(
            m for m in world.alerts(PERSON["phone"], "sms", "email") if m["channel"] == "sms"
        )
        world.post("quick", {**PERSON, "message": "second, joins"})
        until(lambda: "LeadEscalated" in world.events(sms["lead_id"])[-1:], "the end of the chain")
        to_manager = next(m for m in world.messages(PERSON["phone"]) if "/r/" in m["text"])
        assert world.http.get(link_in(to_manager["text"])).status_code == 200
        close(world, link_in(sms["text"]))
        own_page(world)
        canary.result()


def own_page(world: World) -> None:
    """Somebody asks for a link, comes on duty while a lead waits, and enters another."""
    rep = somebody(world, 90, on_duty=False)
    world.post("desk", {**PERSON, "phone": "+44 7914 000004", "email": "four@example.com"})
    link = link_by_sms(world, rep)
    assert press(world, link, "duty_on").status_code == 303
    walk_in = {**PERSON, "phone": "+44 7914 000005", "email": "five@example.com", "message": "?"}
    assert enter(world, link, walk_in, "talked").status_code == 303


def invoke(function: str) -> None:
    physical = {logical: name for name, logical in logical_ids().items()}[function]
    answer = boto3.client("lambda").invoke(FunctionName=physical, Payload=b"{}")
    assert "FunctionError" not in answer, answer["Payload"].read()


def forget_warnings(world: World) -> None:
    key = to_wire(keys.channels(DEAF_TEAM))
    boto3.client("dynamodb").delete_item(TableName=world.outputs["TableName"], Key=key)


def overdue_lead(world: World) -> None:
    """A lead whose alert and wake-up were lost: it is in the table, and no event tells of it."""
    world.post("demo-en", {**PERSON, "phone": "+44 7914 000002", "email": "two@example.com"})
    (sms, *_) = world.alerts("+44 7914 000002", "sms")
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    lead = world.story(sms["lead_id"]).lead
    alert = OpenAlert(rep_id=str(lead.rep_id), via="sms", kind="new", requested_at=hour_ago)
    lost = lead.model_copy(update={"lead_id": "f" * 32, "open_alerts": {"1-lost": alert}})
    item = {
        **keys.lead(lost.lead_id),
        **lost.model_dump(mode="json"),
        "due_shard": keys.due_shard("f"),
        "due_at": iso(hour_ago),
    }
    boto3.client("dynamodb").put_item(TableName=world.outputs["TableName"], Item=to_wire(item))


def spilled(world: World) -> None:
    """A form whose key cannot be read takes a new lead, more of the same contact, and a mistake."""
    with locked(world, "locked-too") as spill:
        for answers in ({}, {"message": "more"}, {"phone": "none"}):
            person = {**PERSON, "phone": "+44 7914 000003", "email": "three@example.com"}
            assert spill.post({**person, **answers}).status_code == 200
    until(spill.is_empty, "the end of what was spilled")


def what_is_no_event(world: World) -> None:
    item = to_wire({"PK": "LEAD#nobody", "SK": "EVENT#000001"})
    boto3.client("dynamodb").put_item(TableName=world.outputs["TableName"], Item=item)


def close(world: World, link: str) -> None:
    page = world.http.get(link)
    action_id = re.search(r'name="action_id" value="(\w+)"', page.text)
    assert action_id is not None
    posted = {"action": "reject", "reason": "data.spam", "action_id": action_id[1]}
    assert world.http.post(link, data=posted).status_code == 303


def link_in(text: str) -> str:
    found = re.search(r"/[lr]/\w{12}", text)
    assert found is not None, text
    return found[0]


IN_THE_SANDBOX = "sns:ListSMSSandboxPhoneNumbers"
"""Done by accounts that are in it, which the engine's is not."""


def is_needed(right: Right, uses: set[Use]) -> bool:
    """Its action is done, and each of its patterns is of a key that the function works on."""
    if right.action == IN_THE_SANDBOX:
        return True
    its_own = {use for use in uses if (use.function, use.target) == (right.function, right.target)}
    return any(use.is_allowed_by(right) for use in its_own) and all(
        any(use.names(pattern) for use in its_own) for pattern in right.keys or ()
    )


@pytest.mark.parametrize("function", of_type(template()["Resources"], "AWS::Serverless::Function"))
def test_lambda_may_log_trace_and_read_what_feeds_a_function(function: str) -> None:
    rights = {right for right in allowed() if right.function == function}
    own = {right.action for right in rights if is_lambdas_own(right)}

    needed = {action for action, thing in BY_LAMBDA.items() if thing != "source"}
    for source in fed_by(function):
        kind = "dynamodb" if source.startswith("LeadTable") else "sqs"
        needed |= {a for a, thing in BY_LAMBDA.items() if thing == "source" and kind in a}
    assert own == needed


def test_functions_use_every_right_they_have_and_no_other(world: World) -> None:
    drive(world)
    rights = {right for right in allowed() if not is_lambdas_own(right)}

    def unused() -> list[Right]:
        """Actions that nobody does, and those whose role names keys that nobody works on."""
        uses = done(world)
        return sorted((r for r in rights if not is_needed(r, uses)), key=str)

    # Some follow a moment later.
    with contextlib.suppress(AssertionError):
        until(lambda: not unused(), "a call for every right")
    assert unused() == []
    missing = [use for use in done(world) if not any(map(use.is_allowed_by, rights))]
    assert sorted(missing, key=str) == []


def test_the_engine_refuses_what_the_template_does_not_allow(world: World) -> None:
    physical = {logical: name for name, logical in logical_ids().items()}
    role = boto3.client("iam").get_role(RoleName=physical["MeasureEventsRole"])["Role"]["Arn"]
    assumed = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    intruder = boto3.client(
        "dynamodb",
        aws_access_key_id=assumed["AccessKeyId"],
        aws_secret_access_key=assumed["SecretAccessKey"],
        aws_session_token=assumed["SessionToken"],
    )

    with pytest.raises(ClientError, match="AccessDenied"):
        intruder.scan(TableName=world.outputs["TableName"])
