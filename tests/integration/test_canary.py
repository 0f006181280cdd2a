"""The canary on the running system: it arrives, and leaves no trace where people look."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config

from run_canary.service import EXPECTED
from tests.integration.conftest import World, until

pytestmark = pytest.mark.integration


def physical_id(logical_id: str) -> str:
    resource = boto3.client("cloudformation").describe_stack_resource(
        StackName="leadline", LogicalResourceId=logical_id
    )
    return str(resource["StackResourceDetail"]["PhysicalResourceId"])


def logged(world: World, message: str) -> dict[str, Any] | None:
    """The last line that run_canary logged with this message."""
    found = None
    for line in (world.logs / "functions.log").read_text().splitlines():
        if f'"{message}"' in line:
            found = json.loads(line.partition(" ")[2])
    return found


def values_of(metric: str, since: datetime) -> list[float]:
    """What a metric of the stack measured since a moment."""
    answer = boto3.client("cloudwatch").get_metric_data(
        MetricDataQueries=[
            {
                "Id": "values",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "Leadline",
                        "MetricName": metric,
                        "Dimensions": [{"Name": "service", "Value": "leadline"}],
                    },
                    "Period": 1,
                    "Stat": "Maximum",
                },
            }
        ],
        StartTime=since,
        EndTime=datetime.now(UTC) + timedelta(seconds=5),
    )
    return answer["MetricDataResults"][0]["Values"]


def test_the_canary_arrives_and_nobody_sees_it(world: World) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    # Longer than the function may take.
    functions = boto3.client("lambda", config=Config(read_timeout=70, retries={"max_attempts": 0}))

    answer = functions.invoke(FunctionName=physical_id("RunCanaryFunction"), Payload=b"{}")

    assert "FunctionError" not in answer, answer["Payload"].read()
    line = until(lambda: logged(world, "canary arrived"), "the canary")
    assert line["missing"] == []
    assert 10 <= line["seconds"] < 45, "one of its alerts is due after ten seconds"

    def arrived() -> bool:
        return line["seconds"] in values_of("CanaryArrived", before)

    until(arrived, "the metric")

    (lead,) = world.leads.open_leads("canary", ["canary"])
    lead_id = lead.lead_id
    until(lambda: world.events(lead_id)[-1:] == ["LeadEscalated"] or None, "the chain's end")
    ended = world.story(lead_id)
    assert [event.event.type for event in ended.events].count("AlertSent") == len(EXPECTED)
    assert ended.lead.due_at is None

    assert lead_id not in {shown.lead_id for shown in world.leads.captured_on(world.today())}
    assert world.messages("Canary") == [], "nobody's inbox has it"
    assert "Canary" not in world.http.get("/leads").text
    for counted in ("SubmissionAccepted", "LeadCaptured", "TimeToAlert"):
        assert values_of(counted, before) == [], "in no figure"
    queue = physical_id("CanaryQueue")
    attributes = boto3.client("sqs").get_queue_attributes(
        QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"]
    )["Attributes"]
    assert attributes["ApproximateNumberOfMessages"] == "0"


def test_on_the_laptop_it_flies_only_when_called(world: World) -> None:
    schedules = boto3.client("scheduler")
    states = {
        schedule["State"]
        for schedule in schedules.list_schedules()["Schedules"]
        if "RunCanary" in schedule["Target"]["Arn"]
    }
    assert states == {"DISABLED"}
