"""`leadline links revoke`: what a person was sent opens nothing any more, from that moment."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from follow_up_lead.service import behind
from infra.cli.deployment import Deployment
from shared.adapters.lead_table import LeadTable
from shared.adapters.link_table import LINK_LIFE, Link
from shared.errors import UnknownLinkError
from tests.unit.cli.conftest import Run
from tests.unit.domain.samples import ANNA, BORIS


@pytest.fixture
def leads(stack: Deployment) -> LeadTable:
    leads = LeadTable(stack.table)
    for rep in (ANNA, BORIS):
        leads.put_rep(rep)
    return leads


def a_link(leads: LeadTable, rep_id: str = "anna") -> str:
    expires_at = int((datetime.now(UTC) + LINK_LIFE).timestamp())
    return leads.make_link(Link(kind="list", team="sales", rep_id=rep_id, expires_at=expires_at))


def opens(leads: LeadTable, code: str) -> bool:
    try:
        behind(code, "list", leads, datetime.now(UTC))
    except UnknownLinkError:
        return False
    return True


def test_all_links_of_a_person_end_at_once_and_new_ones_open(
    leads: LeadTable, leadline: Run
) -> None:
    hers, his = [a_link(leads), a_link(leads)], a_link(leads, "boris")
    assert all(opens(leads, code) for code in (*hers, his))

    status, out, _ = leadline("links", "revoke", "sales/anna")

    assert status == 0
    assert out.startswith("sales/anna: no link that was sent until now opens anything")
    assert [opens(leads, code) for code in (*hers, his)] == [False, False, True]
    time.sleep(1)  # links are as old as the second that they were made in
    assert opens(leads, a_link(leads))


def test_one_link_ends_and_the_others_stay(leads: LeadTable, leadline: Run) -> None:
    lost, kept = a_link(leads), a_link(leads)

    for code in (f"https://go.test/r/{lost}", lost):
        status, out, _ = leadline("links", "revoke", "sales/anna", "--code", code)
        assert (status, out) == (0, "sales/anna: this link opens nothing any more\n")

    assert (opens(leads, lost), opens(leads, kept)) == (False, True)


def test_a_link_of_somebody_else_stays(leads: LeadTable, leadline: Run) -> None:
    his = a_link(leads, "boris")

    for code in (his, "aaaaaaaaaaaa", "short", "https://go.test/"):
        status, _, err = leadline("links", "revoke", "sales/anna", "--code", code)
        assert (status, err) == (1, "error: sales/anna has no such link\n")

    assert opens(leads, his)


@pytest.mark.usefixtures("leads")
def test_a_stranger_has_no_links(leadline: Run) -> None:
    status, _, err = leadline("links", "revoke", "sales/eve")

    assert status == 1
    assert "sales/eve is not entered" in err


def test_what_was_revoked_stays_so_when_the_person_is_entered_again(
    leads: LeadTable, leadline: Run
) -> None:
    code = a_link(leads)
    leadline("links", "revoke", "sales/anna")

    assert leadline("roster", "change", "sales/anna", "--name", "Anna Nova")[0] == 0
    assert leadline("roster", "duty", "sales/anna", "off")[0] == 0

    assert not opens(leads, code)


def test_who_becomes_inactive_has_no_access_from_that_moment(
    leads: LeadTable, leadline: Run
) -> None:
    code = a_link(leads)

    leadline("roster", "change", "sales/anna", "--inactive")

    assert not opens(leads, code)


BOTH = """
team: sales
people:
  - {rep_id: anna, name: Anna, email: anna@ours.net, active: %s}
  - {rep_id: boris, name: Boris, email: boris@ours.net}
"""


@pytest.mark.parametrize("by_file", [False, True])
def test_who_is_back_has_none_of_the_links_from_before(
    leads: LeadTable, leadline: Run, tmp_path: Path, *, by_file: bool
) -> None:
    def enter(*, active: bool) -> None:
        file = tmp_path / "people.yaml"
        file.write_text(BOTH % str(active).lower())
        switch = "--active" if active else "--inactive"
        command = ("put", str(file)) if by_file else ("change", "sales/anna", switch)
        assert leadline("roster", *command)[0] == 0

    hers, his = a_link(leads), a_link(leads, "boris")
    enter(active=True)
    assert opens(leads, hers)

    enter(active=False)
    enter(active=True)

    assert (opens(leads, hers), opens(leads, his)) == (False, True)
    time.sleep(1)  # links are as old as the second that they were made in
    assert opens(leads, a_link(leads))


def test_who_was_ended_before_links_were_revoked_with_it_has_none_either(
    leads: LeadTable, leadline: Run
) -> None:
    code = a_link(leads)
    leads.put_rep(ANNA.model_copy(update={"active": False}))

    assert leadline("roster", "change", "sales/anna", "--active")[0] == 0

    assert not opens(leads, code)
