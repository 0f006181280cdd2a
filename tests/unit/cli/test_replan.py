"""Open leads go under another version of the policy, and their planner hears of it."""

from typing import Any

import pytest

from infra.cli.deployment import Deployment
from shared.adapters.filing import Filing
from shared.adapters.lead_table import LeadTable
from shared.adapters.policy_store import PolicyStore
from shared.domain.form import Form
from shared.domain.lead import Lead
from tests.unit.adapters.samples import a_submission, captured
from tests.unit.cli.conftest import Run
from tests.unit.samples import a_form

CHAIN = {"steps": [{"step": "new", "after_seconds": 0}]}
ALWAYS = {"zone": "UTC", "always": True}


def publish(
    stack: Deployment, form: Form | None = None, *, respond_within_seconds: int = 300
) -> int:
    return PolicyStore(stack.table).publish(
        {
            "form/demo-en": (form or a_form()).model_dump(mode="json"),
            "chain/default": {**CHAIN, "respond_within_seconds": respond_within_seconds},
            "calendar/always": ALWAYS,
            "definition/default": {},
        }
    )


def open_lead(stack: Deployment, **fields: Any) -> str:
    submission = a_submission()
    return Filing(stack.table).capture(submission, captured(submission, **fields)).lead_id


def the_lead(stack: Deployment, lead_id: str) -> Lead:
    lead = LeadTable(stack.table).lead(lead_id)
    assert lead is not None
    return lead


@pytest.fixture
def lead_id(stack: Deployment) -> str:
    """One open lead under version 1, while version 2 is in force."""
    publish(stack)
    lead_id = open_lead(stack)
    publish(stack, respond_within_seconds=600)
    return lead_id


def test_open_leads_go_under_the_version_in_force(
    stack: Deployment, leadline: Run, lead_id: str
) -> None:
    status, out, _ = leadline("replan")

    assert status == 0
    assert out.splitlines()[1].split() == ["demo-en", "1", "2", "1"]
    lead = the_lead(stack, lead_id)
    assert lead.policy_version == 2
    story = LeadTable(stack.table).story(lead_id)
    assert story is not None
    assert story.events[-1].event.type == "LeadReplanned"
    assert story.events[-1].actor.startswith("operator ")
    assert leadline("replan") == (0, "all open leads follow version 2\n", "")


def test_a_dry_run_changes_nothing(stack: Deployment, leadline: Run, lead_id: str) -> None:
    status, out, _ = leadline("replan", "--dry-run")

    assert status == 0
    assert out.endswith("Nothing was changed.\n")
    assert the_lead(stack, lead_id).policy_version == 1


@pytest.mark.parametrize(
    ("options", "version"),
    [
        (("--form", "demo-en"), 2),
        (("--form", "other"), 1),
        (("--team", "sales"), 2),
        (("--team", "support"), 1),
        (("--version", "1"), 1),
    ],
)
def test_only_what_was_named_is_moved(
    stack: Deployment, leadline: Run, lead_id: str, options: tuple[str, ...], version: int
) -> None:
    assert leadline("replan", *options)[0] == 0

    assert the_lead(stack, lead_id).policy_version == version


def test_one_lead_is_moved_by_its_id(stack: Deployment, leadline: Run, lead_id: str) -> None:
    assert leadline("replan", "--lead", lead_id)[0] == 0

    assert the_lead(stack, lead_id).policy_version == 2
    again = leadline("replan", "--lead", lead_id)
    assert again == (0, f"lead {lead_id} follows version 2\n", "")
    for options, of in (
        (("0" * 32,), ""),
        ((lead_id, "--form", "other"), " of form other"),
        ((lead_id, "--team", "support"), " of team support"),
    ):
        status, _, complained = leadline("replan", "--lead", *options)
        assert (status, complained) == (1, f"error: there is no open lead {options[0]}{of}\n")


def test_leads_of_a_team_that_has_no_form_any_more_are_found(
    stack: Deployment, leadline: Run, lead_id: str
) -> None:
    assert publish(stack, a_form(team="support"), respond_within_seconds=600) == 3

    assert leadline("replan")[0] == 0

    assert the_lead(stack, lead_id).policy_version == 3


def test_versions_since_the_target_are_looked_at_too(stack: Deployment, leadline: Run) -> None:
    """Who goes back to an older version has leads of newer teams."""
    publish(stack, a_form(team="support"))
    publish(stack)
    lead_id = open_lead(stack, policy_version=2)

    assert leadline("replan", "--version", "1")[0] == 0

    assert the_lead(stack, lead_id).policy_version == 1


@pytest.mark.usefixtures("lead_id")
@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "all open leads follow version 2"),
        (("--form", "demo-en"), "all open leads of form demo-en follow version 2"),
        (("--team", "sales"), "all open leads of team sales follow version 2"),
        (
            ("--team", "sales", "--form", "demo-en"),
            "all open leads of team sales and form demo-en follow version 2",
        ),
        (("--team", "slaes"), "there are no open leads of team slaes"),
        (("--form", "other"), "there are no open leads of form other"),
    ],
)
def test_what_is_said_is_said_of_those_that_were_looked_at(
    leadline: Run, options: tuple[str, ...], says: str
) -> None:
    leadline("replan")

    assert leadline("replan", *options) == (0, f"{says}\n", "")


def test_without_open_leads_there_are_none(stack: Deployment, leadline: Run) -> None:
    publish(stack)

    assert leadline("replan") == (0, "there are no open leads\n", "")


def test_a_version_without_the_form_takes_none_of_its_leads(
    stack: Deployment, leadline: Run, lead_id: str
) -> None:
    PolicyStore(stack.table).publish(
        {
            "form/new": a_form(form_id="new").model_dump(mode="json"),
            "chain/default": CHAIN,
            "calendar/always": ALWAYS,
            "definition/default": {},
        }
    )

    status, _, complained = leadline("replan")

    assert status == 1
    assert "version 3 has no form demo-en" in complained
    assert the_lead(stack, lead_id).policy_version == 1
