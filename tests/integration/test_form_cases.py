"""Every case of tests/cases against the real endpoint, as `make cases` runs them."""

import boto3
import pytest

from tests.form_cases.case import CASES, Case, read_folder
from tests.form_cases.field import Field
from tests.integration.conftest import World

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    "case",
    [case for case in read_folder(CASES) if isinstance(case, Case)],
    ids=lambda case: case.name,
)
def test_a_case_passes_at_the_endpoint(world: World, case: Case) -> None:
    field = Field(boto3.client("dynamodb"), world.outputs["TableName"], world.url)

    verdict = field.run(case)

    assert not verdict.differences, str(verdict)
