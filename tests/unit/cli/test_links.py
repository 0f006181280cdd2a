"""`leadline links revoke`: what a person was sent opens nothing any more, from that moment."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from follow_up_lead.service import behind
from infra.cli.deployment import Deployment
from shared.adapters.link_table import LINK_LIFE, Link, LinkTable
from shared.adapters.people_table import PeopleTable
from shared.errors import UnknownLinkError
from tests.unit.cli.conftest import Run
from tests.unit.domain.samples import ANNA, BORIS


@pytest.fixture
def people(stack: Deployment) -> PeopleTable:
    people = PeopleTable(stack.table)
    for rep in (ANNA, BORIS):
        people.put_rep(rep)
    return people


@pytest.fixture
def links(stack: Deployment) -> LinkTable:
    return LinkTable(stack.table)


def a_link(links: LinkTable, rep_id: str = "anna") -> str:
    expires_at = int((datetime.now(UTC) + LINK_LIFE).timestamp())
    return links.make_link(Link(kind="list", team="sales", rep_id=rep_id, expires_at=expires_at))


def opens(links: LinkTable, people: PeopleTable, code: str) -> bool:
    try:
        behind(code, "list", links, people, datetime.now(UTC))
    except UnknownLinkError:
        return False
    return True


def test_all_links_of_a_person_end_at_once_and_new_ones_open(
    people: PeopleTable, links: LinkTable, leadline: Run
) -> None:
    hers, his = [a_link(links), a_link(links)], a_link(links, "boris")
    assert all(opens(links, people, code) for code in (*hers, his))

    status, out, _ = leadline("links", "revoke", "sales/anna")

    assert status == 0
    assert out.startswith("sales/anna: no link that was sent until now opens anything")
    assert [opens(links, people, code) for code in (*hers, his)] == [False, False, True]
    time.sleep(1)  # links are as old as the second that they were made in
    assert opens(links, people, a_link(links))


def test_one_link_ends_and_the_others_stay(
    people: PeopleTable, links: LinkTable, leadline: Run
) -> None:
    lost, kept = a_link(links), a_link(links)

    for code in (f"https://go.test/r/{lost}", lost):
        status, out, _ = leadline("links", "revoke", "sales/anna", "--code", code)
        assert (status, out) == (0, "sales/anna: this link opens nothing any more\n")

    assert (opens(links, people, lost), opens(links, people, kept)) == (False, True)


def test_a_link_of_somebody_else_stays(
    people: PeopleTable, links: LinkTable, leadline: Run
) -> None:
    his = a_link(links, "boris")

    for code in (his, "aaaaaaaaaaaa", "short", "https://go.test/"):
        status, _, err = leadline("links", "revoke", "sales/anna", "--code", code)
        assert (status, err) == (1, "error: sales/anna has no such link\n")

    assert opens(links, people, his)


@pytest.mark.usefixtures("people")
def test_a_stranger_has_no_links(leadline: Run) -> None:
    status, _, err = leadline("links", "revoke", "sales/eve")

    assert status == 1
    assert "sales/eve is not entered" in err


def test_what_was_revoked_stays_so_when_the_person_is_entered_again(
    people: PeopleTable, links: LinkTable, leadline: Run
) -> None:
    code = a_link(links)
    leadline("links", "revoke", "sales/anna")

    assert leadline("roster", "change", "sales/anna", "--name", "Anna Nova")[0] == 0
    assert leadline("roster", "duty", "sales/anna", "off")[0] == 0

    assert not opens(links, people, code)


def test_who_becomes_inactive_has_no_access_from_that_moment(
    people: PeopleTable, links: LinkTable, leadline: Run
) -> None:
    code = a_link(links)

    leadline("roster", "change", "sales/anna", "--inactive")

    assert not opens(links, people, code)


BOTH = """
team: sales
people:
  - {rep_id: anna, name: Anna, email: anna@ours.net, active: %s}
  - {rep_id: boris, name: Boris, email: boris@ours.net}
"""


@pytest.mark.parametrize("by_file", [False, True])
def test_who_is_back_has_none_of_the_links_from_before(
    people: PeopleTable, links: LinkTable, leadline: Run, tmp_path: Path, *, by_file: bool
) -> None:
    def enter(*, active: bool) -> None:
        file = tmp_path / "people.yaml"
        file.write_text(BOTH % str(active).lower())
        switch = "--active" if active else "--inactive"
        command = ("put", str(file)) if by_file else ("change", "sales/anna", switch)
        assert leadline("roster", *command)[0] == 0

    hers, his = a_link(links), a_link(links, "boris")
    enter(active=True)
    assert opens(links, people, hers)

    enter(active=False)
    enter(active=True)

    assert (opens(links, people, hers), opens(links, people, his)) == (False, True)
    time.sleep(1)  # links are as old as the second that they were made in
    assert opens(links, people, a_link(links))


def test_who_was_ended_before_links_were_revoked_with_it_has_none_either(
    people: PeopleTable, links: LinkTable, leadline: Run
) -> None:
    code = a_link(links)
    people.put_rep(ANNA.model_copy(update={"active": False}))

    assert leadline("roster", "change", "sales/anna", "--active")[0] == 0

    assert not opens(links, people, code)
