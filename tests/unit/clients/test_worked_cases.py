"""The worked cases of the pages and services that a visitor's browser posts for."""

from pathlib import Path

import pytest

from tests.unit.clients import worked_cases
from tests.unit.clients.worked_cases import Case
from tests.unit.samples import CASES

CLIENTS = (
    "html-form",
    "fetch",
    "beacon",
    "htmx",
    "formspree",
    "netlify",
    "hubspot",
    "salesforce",
    "calltouch",
)
NAMES = sorted(
    str(found.parent.relative_to(CASES))
    for client in CLIENTS
    for found in (CASES / client).glob("*/request.json")
)


@pytest.fixture(params=NAMES)
def case(request: pytest.FixtureRequest) -> Case:
    return worked_cases.load(request.param)


def test_there_are_cases_of_every_client() -> None:
    assert {str(Path(name).parent) for name in NAMES} == set(CLIENTS)


def test_a_case_is_answered_as_its_client_expects(case: Case) -> None:
    worked_cases.check_answer(case, worked_cases.answered(case))


def test_a_case_is_understood(case: Case) -> None:
    if case["expected"]["outcome"] == "rejected":
        codes = {"missing": "required", "blank": "required", "unusable": "invalid"}
        problem = worked_cases.refused(case).problem
        found = {(error.field, codes[error.code]) for error in problem.errors}
        wanted = {(error["field"], error["code"]) for error in case["expected"].get("errors", ())}
        assert found == wanted
    elif case["expected"]["outcome"] == "partial":
        assert worked_cases.decoded(case).kind == "partial"
    else:
        worked_cases.check_lead(case, worked_cases.accepted(case))
        for lead in case["expected"]["leads"]:
            if "page_url" in lead:
                assert worked_cases.decoded(case).page == lead["page_url"]
