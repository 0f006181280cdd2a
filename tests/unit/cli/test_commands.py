"""The command line itself: finding a deployment, publishing policy, saying what went wrong."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import NoCredentialsError
from botocore.stub import Stubber

from infra.cli import deployment
from infra.cli.__main__ import main
from infra.cli.commands import lines
from infra.cli.deployment import Deployment, OperatorError
from shared.adapters.people_table import PeopleTable
from shared.adapters.policy_store import PolicyStore
from shared.errors import PolicyError
from tests.unit.cli.conftest import Run
from tests.unit.domain.samples import a_rep
from tests.unit.template import ROOT, template

DESCRIBED = {
    "StackName": "ours",
    "StackStatus": "CREATE_COMPLETE",
    "CreationTime": "2026-11-20T09:00:00Z",
    "Parameters": [{"ParameterKey": "CanaryMinutes", "ParameterValue": "5"}],
    "Outputs": [{"OutputKey": "ApiUrl", "OutputValue": "https://api.test"}],
}
SITE = "SITE=https://ours.net"


def resource(logical: str, kind: str) -> dict[str, Any]:
    return {
        "LogicalResourceId": logical,
        "PhysicalResourceId": logical.lower(),
        "ResourceType": kind,
        "LastUpdatedTimestamp": "2026-11-20T09:00:00Z",
        "ResourceStatus": "CREATE_COMPLETE",
    }


@pytest.fixture
def cloudformation(monkeypatch: pytest.MonkeyPatch) -> Stubber:
    client = boto3.client("cloudformation")
    monkeypatch.setattr(boto3, "client", lambda *_, **__: client)
    return Stubber(client)


def test_a_deployment_is_found_by_its_name(cloudformation: Stubber) -> None:
    cloudformation.add_response("describe_stacks", {"Stacks": [DESCRIBED]}, {"StackName": "ours"})
    summaries = [
        resource("LeadTable", "AWS::DynamoDB::Table"),
        resource("AlertQueue", "AWS::SQS::Queue"),
    ]
    cloudformation.add_response("list_stack_resources", {"StackResourceSummaries": summaries})
    with cloudformation:
        found = deployment.find("ours")

    assert found.parameters == {"CanaryMinutes": "5"}
    assert found.outputs == {"ApiUrl": "https://api.test"}
    assert found.resource("AlertQueue") == "alertqueue"
    assert (found.region, found.status) == ("eu-central-1", "CREATE_COMPLETE")
    with pytest.raises(OperatorError, match="has no LeadEvents: deploy this version"):
        found.resource("LeadEvents")


def test_a_deployment_that_is_not_there_is_said(cloudformation: Stubber, leadline: Run) -> None:
    cloudformation.add_client_error("describe_stacks", "ValidationError", "does not exist")
    with cloudformation:
        status, _, err = leadline("redrive")

    assert status == 1
    assert err.startswith("error: there is no stack leadline in eu-central-1: ")


def test_other_refusals_are_told_as_they_are(cloudformation: Stubber, leadline: Run) -> None:
    cloudformation.add_client_error("describe_stacks", "ExpiredToken", "log in again")
    with cloudformation:
        status, _, err = leadline("redrive")

    assert status == 1
    assert "ExpiredToken" in err


def test_missing_credentials_are_an_error_not_a_trace(
    monkeypatch: pytest.MonkeyPatch, leadline: Run
) -> None:
    def find(name: str) -> Deployment:
        raise NoCredentialsError

    monkeypatch.setattr(deployment, "find", find)

    status, _, err = leadline("redrive")

    assert status == 1
    assert err.splitlines()[0] == "error: Unable to locate credentials"
    assert "AWS_PROFILE" in err


def test_policy_is_checked_without_an_account(leadline: Run, tmp_path: Path) -> None:
    assert leadline("policy", "check", "--set", SITE) == (
        0,
        f"{len(list((ROOT / 'infra/policy').rglob('*.yaml')))} documents, no problem found\n",
        "",
    )
    (tmp_path / "form").mkdir()
    (tmp_path / "form/a.yaml").write_text("form_id: b")
    status, _, err = leadline("policy", "check", str(tmp_path))
    assert status == 1
    assert "form/a" in err
    assert leadline("policy", "publish", str(tmp_path))[0] == 1
    assert "give one with --set" in leadline("policy", "check")[2]


def test_the_script_works_from_any_folder(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()  # a package of the same name must not be taken for ours
    (tmp_path / "shared/__init__.py").touch()
    answer = subprocess.run(
        [ROOT / "leadline", "policy", "check", "--set", SITE],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.stderr == ""
    assert answer.stdout.endswith("documents, no problem found\n")


def test_policy_is_published_to_the_stack_or_to_a_table(stack: Deployment, leadline: Run) -> None:
    assert leadline("policy", "publish", "--set", SITE)[1] == (
        "note: team sales: nobody is entered: `leadline roster put FILE`\nversion 1 is in force\n"
    )
    assert leadline("policy", "publish", "--set", SITE, "--table", stack.table.name)[0] == 0
    policy = PolicyStore(stack.table).current()
    assert policy.version == 1
    assert "demo-en" in [form.form_id for form in policy.forms]


PEOPLE = """
team: sales
people:
  - {rep_id: anna, name: Anna, email: anna@ours.net, skills: [ru]}
  - {rep_id: boss, name: Boss, email: boss@ours.net, role: manager}
"""


@pytest.mark.parametrize(
    ("people", "status", "says"),
    [
        (PEOPLE, 0, "10 documents, no problem found\n"),
        (PEOPLE.replace("role: manager", ""), 1, "team sales: no manager can be reached"),
        (PEOPLE.replace("skills: [ru]", "skills: []"), 0, "note: routing/default: russian: nobody"),
        (PEOPLE.replace("skills: [ru]", "calendar: night"), 1, "calendar/night does not exist"),
        (PEOPLE.replace("sales", "sale"), 0, "note: team sales: nobody is entered"),
        (PEOPLE.replace("email:", "e-mail:"), 1, "e-mail: Extra inputs"),
    ],
)
def test_policy_is_checked_against_the_people_of_a_file(
    leadline: Run, tmp_path: Path, people: str, status: int, says: str
) -> None:
    file = tmp_path / "people.yaml"
    file.write_text(people)

    came, out, err = leadline("policy", "check", "--set", SITE, "--people", str(file))

    assert came == status
    assert says in (err if status else out)


def test_a_chain_whose_alerts_reach_nobody_is_said(leadline: Run, tmp_path: Path) -> None:
    folder, file = tmp_path / "policy", tmp_path / "people.yaml"
    shutil.copytree(ROOT / "infra/policy", folder)
    chain = folder / "chain/default.yaml"
    chain.write_text(re.sub(r"via: \[.*?\]", "via: [sms]", chain.read_text()))
    file.write_text(PEOPLE)

    status, out, err = leadline(
        "policy", "check", str(folder), "--set", SITE, "--people", str(file)
    )

    assert (status, out) == (1, "")
    assert err.splitlines() == [
        "sales/anna: no alert of a new lead arrives: chain/default sends it by sms only",
        "team sales: no alert to a manager arrives: chain/default sends it by sms only",
    ]


def test_each_team_has_a_file_of_its_own(leadline: Run, tmp_path: Path) -> None:
    files = [tmp_path / "anna.yaml", tmp_path / "boss.yaml"]
    for file, person in zip(files, PEOPLE.splitlines()[3:], strict=True):
        file.write_text(f"team: sales\npeople:\n{person}\n")

    both = ["--people", str(files[0]), "--people", str(files[1])]

    assert leadline("policy", "check", "--set", SITE, *both)[0] == 0
    assert leadline("policy", "check", "--set", SITE, *both[:2])[0] == 1


def test_policy_that_leaves_leads_to_nobody_is_not_published(
    stack: Deployment, leadline: Run
) -> None:
    PeopleTable(stack.table).put_rep(a_rep("anna", calendar="night"))

    status, out, err = leadline("policy", "publish", "--set", SITE)

    assert (status, out) == (1, "")
    assert [line.partition(":")[0] for line in err.splitlines()] == ["team sales", "sales/anna"]
    with pytest.raises(PolicyError, match="no policy is published"):
        PolicyStore(stack.table).current()

    for rep in (a_rep("anna", skills=["ru"]), a_rep("boss", role="manager")):
        PeopleTable(stack.table).put_rep(rep)
    assert leadline("policy", "publish", "--set", SITE)[:2] == (0, "version 1 is in force\n")


def test_a_region_can_be_given(
    stack: Deployment, leadline: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")  # put back after the test

    leadline("--region", "eu-west-1", "redrive")

    assert boto3.client("sns").meta.region_name == "eu-west-1"


def test_the_last_column_is_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    text = lines([("a", "word " * 30), ("bbb", "x")])

    assert max(map(len, text.splitlines())) <= 72
    assert text.splitlines()[0].startswith("a    word")
    assert text.splitlines()[1].startswith("     word")
    assert text.splitlines()[-1] == "bbb  x"


def test_a_row_without_a_last_column_keeps_the_others() -> None:
    assert lines([("a", "b", ""), ("aaa", "b", "c")]).splitlines() == ["a    b", "aaa  b  c"]


def test_the_deployment_has_what_the_commands_ask_for() -> None:
    wanted = {"LeadTable", "AlertTopic", "LeadEvents", "Monitoring"}

    assert wanted <= set(template()["Resources"])
    assert {"CanaryMinutes", "OpsEmail", "PublicDomain", "PublicUrl", "SmsMonthlyBudgetUsd"} <= set(
        template()["Parameters"]
    )
    assert {"ApiUrl", "PublicDomainTarget"} <= set(template()["Outputs"])


OF_A_DEVELOPER = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_DYNAMODB")
"""What must lead no command for the laptop to a real account."""


def test_a_command_can_be_run_against_the_laptop(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: dict[str, str | None] = {}

    def find(_: str) -> None:
        names = ("AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", *OF_A_DEVELOPER)
        seen.update({name: os.environ.get(name) for name in names})
        raise OperatorError("seen enough")

    theirs = dict.fromkeys(OF_A_DEVELOPER, "https://real.example")
    monkeypatch.setattr(os, "environ", {**os.environ, **theirs, "PORT": "8090"})
    monkeypatch.setattr("infra.cli.deployment.find", find)

    assert main(["--local", "roster", "list"]) == 1
    assert "seen enough" in capsys.readouterr().err
    assert seen == {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:8091",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        **dict.fromkeys(OF_A_DEVELOPER),
    }


def test_whoever_has_read_enough_of_a_command_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_: object) -> int:
        raise BrokenPipeError

    monkeypatch.setattr("infra.cli.roster.run_list", run)
    monkeypatch.setattr("os.dup2", lambda *_: None)

    assert main(["roster", "list"]) == 1
