"""The template as the engine can take it."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from infra.local.deploy import REPOSITORY, prepare, read_template, source_digest, transform
from infra.local.routes import Route


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    """Our template, transformed as it is deployed to the engine."""
    read, definitions = read_template(REPOSITORY)
    prepared = prepare(read, definitions, "s3://artifacts/bootstrap.zip", "http://engine/files")
    return transform(prepared.template)


def of_type(template: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [r["Properties"] for r in template["Resources"].values() if r["Type"] == kind]


def test_every_function_runs_from_the_source_tree(template: dict[str, Any]) -> None:
    functions = of_type(template, "AWS::Lambda::Function")

    assert functions
    for function in functions:
        assert function["Runtime"] == "provided.al2023"
        assert function["Code"] == {"S3Bucket": "artifacts", "S3Key": "bootstrap.zip"}
        assert "Layers" not in function
    assert not of_type(template, "AWS::Lambda::LayerVersion")


def test_every_function_keeps_its_own_role(template: dict[str, Any]) -> None:
    roles = [str(function["Role"]) for function in of_type(template, "AWS::Lambda::Function")]

    assert len(set(roles)) == len(roles)


def test_the_machine_is_inlined(template: dict[str, Any]) -> None:
    (machine,) = of_type(template, "AWS::StepFunctions::StateMachine")

    assert "DefinitionString" in machine
    assert "DefinitionS3Location" not in machine


def test_a_nested_stack_is_read_from_the_engine(template: dict[str, Any]) -> None:
    (nested,) = of_type(template, "AWS::CloudFormation::Stack")

    assert nested["TemplateURL"] == "http://engine/files/infra/monitoring.yaml"


def test_the_api_has_no_body(template: dict[str, Any]) -> None:
    (api,) = of_type(template, "AWS::ApiGatewayV2::Api")

    assert "Body" not in api


def test_routes_are_those_of_the_functions_events() -> None:
    prepared = prepare(
        {
            "Globals": {"Function": {"Runtime": "python3.13"}},
            "Resources": {
                "ShowFunction": {
                    "Type": "AWS::Serverless::Function",
                    "Properties": {
                        "Events": {
                            "Show": {
                                "Type": "HttpApi",
                                "Properties": {"Method": "get", "Path": "/l/{code}"},
                            },
                            "Rest": {"Type": "HttpApi", "Properties": {}},
                            "Queue": {"Type": "SQS", "Properties": {}},
                        }
                    },
                }
            },
        },
        {},
        "s3://b/k",
        "http://engine/files",
    )

    assert prepared.runtime == "python3.13"
    assert prepared.routes == (
        Route("GET", "/l/{code}", "ShowFunction"),
        Route("ANY", "$default", "ShowFunction"),
    )


def test_the_stack_is_deployed_again_for_what_it_is_made_from_and_not_for_code(
    tmp_path: Path,
) -> None:
    machines = tmp_path / "infra/statemachines"
    shutil.copytree(REPOSITORY / "infra/statemachines", machines)
    shutil.copy(REPOSITORY / "template.yaml", tmp_path)
    before = source_digest(tmp_path, {"PublicUrl": "http://a"})

    (tmp_path / "functions").mkdir()
    (tmp_path / "functions/new.py").write_text("")
    assert source_digest(tmp_path, {"PublicUrl": "http://a"}) == before
    assert source_digest(tmp_path, {"PublicUrl": "http://b"}) != before
    (tmp_path / "infra/monitoring.yaml").write_text("Resources: {}")
    with_nested = source_digest(tmp_path, {"PublicUrl": "http://a"})
    assert with_nested != before
    with (machines / "escalation.asl.yaml").open("a") as machine:
        machine.write("# changed\n")
    assert source_digest(tmp_path, {"PublicUrl": "http://a"}) not in {before, with_nested}
