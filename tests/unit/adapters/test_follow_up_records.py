"""What the follow-up writes beside the lead: who did not answer, and contacts that come back to a
lead which is opened again.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.adapters import keys
from shared.adapters.dynamodb import Table
from shared.adapters.filing import Filing
from shared.adapters.lead_table import LeadTable
from shared.adapters.people_table import PeopleTable
from shared.domain.actions import Action, ActionName, act, undo
from shared.domain.events import LeadAcknowledged, LeadEvent, LeadRejected, LeadReopened
from shared.domain.lead import Change, Lead, Missed
from shared.domain.roster import Rep
from shared.errors import IllegalActionError, LeadChangedError
from tests.unit.adapters.samples import a_submission, captured
from tests.unit.domain.samples import ANNA, RECEIVED, TERMS, at


@pytest.fixture
def leads(table: Table) -> LeadTable:
    return LeadTable(table)


@pytest.fixture
def filing(table: Table) -> Filing:
    return Filing(table)


@pytest.fixture
def people(table: Table) -> PeopleTable:
    return PeopleTable(table)


def a_captured_lead(leads: LeadTable, filing: Filing, number: int = 1, **fields: Any) -> Lead:
    submission = a_submission(number, **fields)
    lead = leads.lead(filing.capture(submission, captured(submission)).lead_id)
    assert lead is not None
    return lead


def after(leads: LeadTable, lead: Lead, second: float, *events: LeadEvent, **fields: Any) -> Lead:
    change = Change(tuple(events), **fields)
    return leads.record(lead, change, actor="anna", at=at(second))


# --- alerts that nobody answered -----------------------------------------------------------------


def person(people: PeopleTable) -> Rep:
    return next(rep for rep in people.of_team("sales") if rep.rep_id == "anna")


def test_a_missed_page_is_counted_with_the_change_that_notes_it(
    leads: LeadTable, people: PeopleTable, filing: Filing
) -> None:
    people.put_rep(ANNA)
    lead = a_captured_lead(leads, filing)

    lead = after(leads, lead, 1, LeadAcknowledged(rep_id="boris"), missed_by=Missed("anna", 0))
    assert person(people).missed_pages == 1
    lead = after(leads, lead, 2, LeadAcknowledged(rep_id="boris"), missed_by=Missed("anna", 1))
    assert person(people).missed_pages == 2
    assert person(people).is_suspended
    after(leads, lead, 3, LeadAcknowledged(rep_id="anna"), answered_by="anna")
    assert person(people).missed_pages == 0
    assert person(people).answered_at == RECEIVED + timedelta(seconds=3)


def test_a_page_that_was_missed_beside_another_is_decided_anew(
    leads: LeadTable, people: PeopleTable, filing: Filing
) -> None:
    people.put_rep(ANNA.model_copy(update={"missed_pages": 1}))
    lead = a_captured_lead(leads, filing)

    with pytest.raises(LeadChangedError):
        after(leads, lead, 1, LeadAcknowledged(rep_id="boris"), missed_by=Missed("anna", 0))

    assert person(people).missed_pages == 1
    assert leads.lead(lead.lead_id) == lead


def test_who_is_in_no_roster_any_more_keeps_nobody_from_writing(
    leads: LeadTable, filing: Filing, table: Table
) -> None:
    lead = a_captured_lead(leads, filing)

    lead = after(leads, lead, 1, LeadAcknowledged(rep_id="boris"), missed_by=Missed("anna", 0))

    assert lead.version == 2
    assert table.get(keys.rep("sales", "anna")) is None


# --- opened again --------------------------------------------------------------------------------


def rejected(leads: LeadTable, lead: Lead) -> Lead:
    return after(leads, lead, 60, LeadRejected(rep_id="anna", reason="data.spam"))


def test_a_contact_comes_back_to_a_lead_that_is_opened_again(
    leads: LeadTable, filing: Filing
) -> None:
    lead = rejected(leads, a_captured_lead(leads, filing))

    lead = after(leads, lead, 90, LeadReopened(rep_id="anna"))

    again = a_submission(2, phone="+447700900001", email="anna1@example.com")
    filed = filing.capture(again, captured(again))
    assert (filed.outcome, filed.lead_id) == ("joined", lead.lead_id)


def test_a_lead_is_not_opened_again_beside_a_newer_one_of_its_contact(
    leads: LeadTable, filing: Filing
) -> None:
    old = rejected(leads, a_captured_lead(leads, filing, email="old@example.com"))
    newer = a_captured_lead(leads, filing, 2, phone=str(old.phone), email="new@example.com")

    with pytest.raises(IllegalActionError, match="newer_lead"):
        after(leads, old, 90, LeadReopened(rep_id="anna"))

    unchanged = leads.lead(old.lead_id)
    assert unchanged is not None
    assert unchanged.status == "closed"
    rejected(leads, newer)
    assert after(leads, old, 120, LeadReopened(rep_id="anna")).status == "open"


# --- undone --------------------------------------------------------------------------------------


def done(leads: LeadTable, lead: Lead, second: float, name: ActionName, **fields: Any) -> Lead:
    """The lead after something that Anna can take back."""
    action = Action.model_validate({"name": name, "action_id": f"{name}{second}", **fields})
    change = act(lead, action, "anna", at(second), TERMS)
    assert change is not None
    return leads.record(lead, change, actor="anna", at=at(second))


def undone(leads: LeadTable, lead: Lead, second: float) -> Lead:
    """As read from the table again, so that nothing depends on what is in memory."""
    stored = leads.lead(lead.lead_id)
    assert stored is not None
    assert stored.last_action is not None
    change = undo(stored, stored.last_action.action_id, "anna", at(second))
    assert change is not None
    leads.record(stored, change, actor="anna", at=at(second))
    read = leads.lead(lead.lead_id)
    assert read is not None
    return read


KEPT = {"version", "sequence", "actions", "follow_up", "last_action", "counted_in_time"}


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("talked", {"note": "Ada"}),
        ("win", {"amount": Decimal("1200.50"), "currency": "EUR"}),
        ("snooze", {"until": at(7200)}),
    ],
)
def test_what_is_undone_is_as_it_was_also_by_the_table(
    leads: LeadTable, filing: Filing, name: ActionName, fields: dict[str, Any]
) -> None:
    before = after(leads, a_captured_lead(leads, filing), 1, LeadAcknowledged(rep_id="anna"))
    acted = done(leads, before, 60, name, **fields)
    if name == "win":
        assert acted.closed_at is not None

    lead = undone(leads, acted, 90)

    assert lead.model_dump(exclude=KEPT) == before.model_dump(exclude=KEPT)
    story = leads.story(lead.lead_id)
    assert story is not None
    assert len(story.notes) == ("note" in fields), "words are kept"


def test_a_contact_comes_back_to_a_lead_whose_outcome_is_undone(
    leads: LeadTable, filing: Filing
) -> None:
    lead = done(leads, a_captured_lead(leads, filing), 60, "reject", reason="data.spam")

    lead = undone(leads, lead, 90)

    again = a_submission(2, phone="+447700900001", email="anna1@example.com")
    filed = filing.capture(again, captured(again))
    assert (filed.outcome, filed.lead_id) == ("joined", lead.lead_id)


def test_an_outcome_is_not_undone_beside_a_newer_lead(leads: LeadTable, filing: Filing) -> None:
    old = done(leads, a_captured_lead(leads, filing), 60, "reject", reason="data.spam")
    a_captured_lead(leads, filing, 2, phone=str(old.phone), email="new@example.com")

    with pytest.raises(IllegalActionError, match="newer_lead"):
        undone(leads, old, 90)


def test_a_contact_is_free_again_when_reopening_is_undone(leads: LeadTable, filing: Filing) -> None:
    old = done(leads, a_captured_lead(leads, filing), 60, "reject", reason="data.spam")
    old = undone(leads, done(leads, old, 70, "reopen"), 90)
    assert old.status == "closed"

    newer = a_captured_lead(leads, filing, 2, phone=str(old.phone), email=str(old.email))

    assert newer.previous_lead_id == old.lead_id


def test_a_story_has_everything_that_the_person_said(leads: LeadTable, filing: Filing) -> None:
    lead = a_captured_lead(leads, filing, values={"message": "First", "budget": "50 000"})
    again = a_submission(2, phone=str(lead.phone), email=str(lead.email))
    filing.capture(again, captured(again))

    story = leads.story(lead.lead_id)

    assert story is not None
    assert len(story.said) == 2
    assert story.said[0].form_title == lead.form_title
