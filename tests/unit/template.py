"""The template as AWS would see it, for tests: parsed, and expanded from SAM to CloudFormation."""

import copy
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parents[2]
Resources = dict[str, dict[str, Any]]


@cache
def template() -> dict[str, Any]:
    """template.yaml with its intrinsic functions as `{"Fn::GetAtt": …}`."""
    parsed: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
    return parsed


class _NoManagedPolicies:
    def load(self) -> dict[str, str]:
        return {}


@cache
def expanded() -> Resources:
    """The CloudFormation resources that SAM makes of it."""
    source = copy.deepcopy(template())
    for resource in source["Resources"].values():
        # The translator checks that code was packaged; where it lies does not matter here.
        if resource["Type"] == "AWS::Serverless::StateMachine":
            resource["Properties"]["DefinitionUri"] = "s3://bucket/machine"
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            resource["Properties"]["ContentUri"] = "s3://bucket/layer"
    source["Globals"]["Function"]["CodeUri"] = "s3://bucket/code"
    result: dict[str, Any] = transform(source, {}, _NoManagedPolicies())
    resources: Resources = result["Resources"]
    return resources


@cache
def machine() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load(
        (ROOT / "infra/statemachines/escalation.asl.yaml").read_text()
    )
    return parsed


def of_type(resources: Resources, kind: str) -> Resources:
    return {name: r for name, r in resources.items() if r["Type"] == kind}


def statements_of(role: str) -> list[dict[str, Any]]:
    """Everything that a role of the template allows, by its own policies and the template's."""
    properties = expanded()[role]["Properties"]
    documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
    documents += [
        # By their names in this template: one of AWS's own is a KeyError.
        expanded()[policy["Ref"]]["Properties"]["PolicyDocument"]
        for policy in properties.get("ManagedPolicyArns", [])
    ]
    found = [document["Statement"] for document in documents]
    return [one for some in found for one in (some if isinstance(some, list) else [some])]


def role_of(function: str) -> str:
    name: str = expanded()[function]["Properties"]["Role"]["Fn::GetAtt"][0]
    return name
