"""A deployment as CloudFormation knows it: what its parts are really called."""

from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import ClientError

from shared.adapters import dynamodb
from shared.adapters.dynamodb import Table
from shared.adapters.timeouts import SHORT

if TYPE_CHECKING:
    from types_boto3_cloudformation.client import CloudFormationClient

STACK = "leadline"


class OperatorError(Exception):
    """What stands in the operator's way: a sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One stack: its parameters and outputs by name, its resources by logical id."""

    name: str
    region: str
    status: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]
    resources: Mapping[str, str]

    def resource(self, logical_id: str) -> str:
        """The physical id: a queue's URL, a topic's ARN, a table's name."""
        if logical_id not in self.resources:
            raise OperatorError(f"the stack {self.name} has no {logical_id}: deploy this version")
        return self.resources[logical_id]

    @property
    def table(self) -> Table:
        return Table(dynamodb.client(), self.resource("LeadTable"))


def add_stack(parser: ArgumentParser) -> None:
    parser.add_argument("--stack", default=STACK, help=f"the stack's name ({STACK})")


def find(name: str) -> Deployment:
    """The deployment in the region of the terminal. Raises OperatorError when there is none."""
    cloudformation = boto3.client("cloudformation", config=SHORT)
    region = cloudformation.meta.region_name
    try:
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":  # how it says: does not exist
            raise
        raise OperatorError(
            f"there is no stack {name} in {region}: deploy it, or choose with --stack and --region"
        ) from error
    return Deployment(
        name=stack["StackName"],
        region=region,
        status=stack["StackStatus"],
        parameters={
            parameter.get("ParameterKey", ""): parameter.get("ParameterValue", "")
            for parameter in stack.get("Parameters", [])
        },
        outputs={
            output.get("OutputKey", ""): output.get("OutputValue", "")
            for output in stack.get("Outputs", [])
        },
        resources=resources(cloudformation, name),
    )


def resources(cloudformation: "CloudFormationClient", stack: str, kind: str = "") -> dict[str, str]:
    """Physical ids of a stack's resources by logical id; of one type only, when it is given."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    return {
        resource["LogicalResourceId"]: resource.get("PhysicalResourceId", "")
        for page in pages
        for resource in page["StackResourceSummaries"]
        if kind in {"", resource["ResourceType"]}
    }
