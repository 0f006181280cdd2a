"""template.yaml -> a running stack on the local engine, straight from the source tree.

Nothing is built or copied: saving a file is deploying it. What our copy of the template has
different, and why:

- Functions run in `provided.al2023` with a bootstrap that starts AWS's runtime client on the source
  tree: the engine's own Python worker loses exception types, which retries depend on.
- Layers are dropped: the interpreter of `.local/runtime` has what the layer has, and nothing else.
- The state machine's YAML is inlined: the engine cannot read it from S3.
- The right to mail by SES is one on everything: the engine knows neither identities nor
  `ses:FromAddress`.
- Nested stacks are read from the engine's S3, where `sam deploy` would put them.
- The API has no body, which the engine cannot read either: its routes become an output of the
  stack, and the front door does the routing.
"""

import hashlib
import io
import json
import shlex
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import yaml
from botocore.exceptions import ClientError
from samtranslator.translator.transform import transform as sam_transform
from samtranslator.yaml_helper import yaml_parse

from infra.local.errors import LaptopError
from infra.local.routes import Route

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_cloudformation.type_defs import StackTypeDef

ARTIFACTS = "artifacts"
DIGEST_OUTPUT, ROUTES_OUTPUT = "LocalDigest", "LocalRoutes"
REPOSITORY = Path(__file__).resolve().parents[2]
LAMBDA_MAIN = Path(__file__).with_name("lambda_main.py")
RUNTIME_PYTHON = REPOSITORY / ".local" / "runtime" / "bin" / "python"

BOOTSTRAP = """#!/bin/sh
# One function on the source tree, with the variables that Lambda sets.
export PYTHONPATH={functions}:{root} PYTHONPYCACHEPREFIX={pycache} PYTHONUNBUFFERED=1
export LAMBDA_TASK_ROOT={functions} AWS_EXECUTION_ENV=AWS_Lambda_{runtime} TZ=:UTC
export AWS_LAMBDA_LOG_GROUP_NAME="/aws/lambda/$AWS_LAMBDA_FUNCTION_NAME"
export AWS_LAMBDA_INITIALIZATION_TYPE=on-demand
cd {functions} && exec {python} -P {lambda_main} "$_HANDLER"
"""


@dataclass(frozen=True, slots=True)
class Stack:
    """What was deployed: physical ids by logical id, the template's outputs, the API's routes."""

    resources: Mapping[str, str]
    outputs: Mapping[str, str]
    routes: tuple[Route, ...]
    functions: tuple[str, ...]
    """Physical names of the functions."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """The SAM template as the engine can take it, and what was taken out of it."""

    template: dict[str, Any]
    routes: tuple[Route, ...]
    """With logical ids of functions."""
    runtime: str


def deploy(
    parameters: Mapping[str, str], *, root: Path = REPOSITORY, stack_name: str = "leadline"
) -> Stack:
    """Create the stack, update it, or leave it if nothing it is made from has changed.

    The SDK must point at the engine already (`Engine.point_sdk_here`).
    """
    cloudformation = boto3.client("cloudformation")
    digest = source_digest(root, parameters)
    stack = existing_stack(cloudformation, stack_name)
    if stack is None or digest not in outputs_of(stack).values():
        stack = put_stack(cloudformation, stack_name, root, parameters, digest)
    return describe(cloudformation, stack)


def source_digest(root: Path, parameters: Mapping[str, str]) -> str:
    """Changes with whatever the stack is made from; function code is not part of it."""
    digest = hashlib.sha256(json.dumps(dict(parameters), sort_keys=True).encode())
    parts = sorted([*root.glob("infra/statemachines/*.yaml"), *root.glob("infra/*.yaml")])
    for file in [root / "template.yaml", *parts, Path(__file__)]:
        digest.update(file.read_bytes())
    digest.update(str(root).encode())
    return digest.hexdigest()


def prepare(
    template: dict[str, Any], definitions: Mapping[str, Any], code_uri: str, files_url: str
) -> Prepared:
    """Change a SAM template as the module says.

    `definitions` are the state machines' documents by their `DefinitionUri`. Below `files_url` are
    the templates of nested stacks.
    """
    function_defaults = template.get("Globals", {}).get("Function", {})
    for name in ("CodeUri", "Layers"):
        function_defaults.pop(name, None)
    runtime = function_defaults.pop("Runtime", "")
    routes = []
    resources = {}
    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        match resource["Type"]:
            case "AWS::Serverless::LayerVersion":
                continue
            case "AWS::Serverless::Function":
                runtime = properties.pop("Runtime", runtime)
                properties.pop("Layers", None)
                properties |= {"Runtime": "provided.al2023", "CodeUri": code_uri}
                routes += routes_of(name, properties)
            case "AWS::Serverless::StateMachine" if "DefinitionUri" in properties:
                properties["Definition"] = definitions[properties.pop("DefinitionUri")]
            case "AWS::IAM::Policy":
                for statement in properties["PolicyDocument"]["Statement"]:
                    if statement["Action"] == "ses:SendEmail":
                        statement.pop("Condition")
                        statement["Resource"] = "*"
            case "AWS::CloudFormation::Stack":
                properties["TemplateURL"] = f"{files_url}/{properties['TemplateURL']}"
            case _:
                pass
        resources[name] = resource
    return Prepared(template | {"Resources": resources}, tuple(routes), runtime)


def routes_of(function: str, properties: Mapping[str, Any]) -> list[Route]:
    events = [
        event["Properties"]
        for event in properties.get("Events", {}).values()
        if event["Type"] == "HttpApi"
    ]
    return [
        Route(event.get("Method", "ANY").upper(), event.get("Path", "$default"), function)
        for event in events
    ]


class NoManagedPolicies:
    """The translator would ask AWS for the ARNs of managed policies; we name none."""

    def load(self) -> dict[str, str]:
        return {}


def transform(template: dict[str, Any]) -> dict[str, Any]:
    """SAM to CloudFormation."""
    translated: dict[str, Any] = sam_transform(template, {}, NoManagedPolicies())
    for resource in translated["Resources"].values():
        if resource["Type"] == "AWS::ApiGatewayV2::Api":
            resource["Properties"] = {"Name": "leadline", "ProtocolType": "HTTP"}
    return translated


def read_template(root: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The template and the state machines' documents it names."""
    template: dict[str, Any] = yaml_parse((root / "template.yaml").read_text(encoding="utf-8"))
    uris = [
        resource["Properties"]["DefinitionUri"]
        for resource in template["Resources"].values()
        if "DefinitionUri" in resource.get("Properties", {})
    ]
    documents = {uri: yaml.safe_load((root / uri).read_text(encoding="utf-8")) for uri in uris}
    return template, documents


def code_archive(root: Path, runtime: str) -> bytes:
    """The zip that a function's code is here: only the bootstrap."""
    script = BOOTSTRAP.format(
        root=shlex.quote(str(root)),
        functions=shlex.quote(str(root / "functions")),
        pycache=shlex.quote(str(REPOSITORY / ".local" / "pycache")),
        python=shlex.quote(str(RUNTIME_PYTHON)),
        lambda_main=shlex.quote(str(LAMBDA_MAIN)),
        runtime=runtime,
    )
    bootstrap = zipfile.ZipInfo("bootstrap", (2020, 1, 1, 0, 0, 0))
    bootstrap.external_attr = 0o755 << 16
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(bootstrap, script)
    return archive.getvalue()


def existing_stack(cloudformation: "CloudFormationClient", name: str) -> "StackTypeDef | None":
    """The stack if it can be updated; one that was never created is removed."""
    try:
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":  # how it says: does not exist
            raise
        return None
    if stack["StackStatus"] in {"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"}:
        cloudformation.delete_stack(StackName=name)
        cloudformation.get_waiter("stack_delete_complete").wait(
            StackName=name, WaiterConfig={"Delay": 1}
        )
        return None
    return stack


def put_stack(
    cloudformation: "CloudFormationClient",
    name: str,
    root: Path,
    parameters: Mapping[str, str],
    digest: str,
) -> "StackTypeDef":
    s3 = boto3.client("s3")
    code_key = f"bootstrap-{digest[:12]}.zip"
    # New content has a new address: the engine updates a nested stack for nothing else.
    files_url = f"{s3.meta.endpoint_url}/{ARTIFACTS}/{digest[:12]}"
    template, definitions = read_template(root)
    prepared = prepare(template, definitions, f"s3://{ARTIFACTS}/{code_key}", files_url)
    translated = transform(prepared.template)
    translated.setdefault("Outputs", {}).update(
        {
            DIGEST_OUTPUT: {"Value": digest},
            ROUTES_OUTPUT: {"Value": json.dumps([route.to_list() for route in prepared.routes])},
        }
    )
    s3.create_bucket(Bucket=ARTIFACTS)
    for file in root.glob("infra/*.yaml"):
        key = f"{digest[:12]}/{file.relative_to(root)}"
        s3.put_object(Bucket=ARTIFACTS, Key=key, Body=file.read_bytes())
    s3.put_object(Bucket=ARTIFACTS, Key=code_key, Body=code_archive(root, prepared.runtime))
    s3.put_object(Bucket=ARTIFACTS, Key="template.json", Body=json.dumps(translated).encode())

    exists = existing_stack(cloudformation, name) is not None
    put = cloudformation.update_stack if exists else cloudformation.create_stack
    put(
        StackName=name,
        TemplateURL=f"{s3.meta.endpoint_url}/{ARTIFACTS}/template.json",
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
        ],
    )
    stack = settled(cloudformation, name)
    if stack["StackStatus"] not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        reasons = [
            f"{event.get('LogicalResourceId')}: {event.get('ResourceStatusReason')}"
            for page in cloudformation.get_paginator("describe_stack_events").paginate(
                StackName=name
            )
            for event in page["StackEvents"]
            if "FAILED" in event.get("ResourceStatus", "")
        ]
        raise LaptopError(f"template.yaml could not be deployed: {'; '.join(reasons)}")
    return stack


def settled(cloudformation: "CloudFormationClient", name: str) -> "StackTypeDef":
    while True:
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            return stack
        time.sleep(0.05)


def describe(cloudformation: "CloudFormationClient", stack: "StackTypeDef") -> Stack:
    resources = {}
    functions = []
    for resource in cloudformation.describe_stack_resources(StackName=stack["StackName"])[
        "StackResources"
    ]:
        resources[resource["LogicalResourceId"]] = resource.get("PhysicalResourceId", "")
        if resource["ResourceType"] == "AWS::Lambda::Function":
            functions.append(resource.get("PhysicalResourceId", ""))
    outputs = outputs_of(stack)
    logical_routes = json.loads(outputs.pop(ROUTES_OUTPUT))
    outputs.pop(DIGEST_OUTPUT)
    routes = (Route(*route) for route in logical_routes)
    return Stack(
        resources,
        outputs,
        tuple(route.with_function(resources[route.function]) for route in routes),
        tuple(functions),
    )


def outputs_of(stack: "StackTypeDef") -> dict[str, str]:
    return {
        output.get("OutputKey", ""): output.get("OutputValue", "")
        for output in stack.get("Outputs", [])
    }
