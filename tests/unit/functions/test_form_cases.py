"""Every case of tests/cases at the handler, with its own clock; test_form_cases.py of the
integration tests sends the same over HTTP."""

import boto3
import pytest

from infra.cli.policy_files import read_policy
from shared.adapters.dynamodb import Table
from tests.form_cases.case import CASES, Case, Unreadable, read_folder
from tests.form_cases.field import Field, publish
from tests.unit.samples import PAGE
from tests.unit.template import ROOT

FOUND = read_folder(CASES)
POLICY = read_policy(ROOT / "infra/policy", {"SITE": PAGE})


def test_every_file_is_a_case() -> None:
    assert [one for one in FOUND if isinstance(one, Unreadable)] == []
    assert len(FOUND) >= 48


@pytest.mark.parametrize(
    "case", [one for one in FOUND if isinstance(one, Case)], ids=lambda case: case.name
)
def test_a_case_passes_at_the_handler(case: Case, table: Table) -> None:
    publish([case], POLICY, table)

    verdict = Field(boto3.client("dynamodb"), "leads").run(case)

    assert not verdict.differences, str(verdict)
