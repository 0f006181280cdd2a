"""Leads in the table, over the template's own table definition."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from shared.adapters import keys
from shared.adapters.contact_guards import MOST_GUARDS
from shared.adapters.dynamodb import Item, Table
from shared.adapters.filing import Filing
from shared.adapters.lead_table import LeadTable
from shared.domain import events as happened
from shared.domain.actions import Action, act
from shared.domain.lead import Change, Lead
from shared.errors import (
    IdempotencyConflictError,
    LeadChangedError,
    StorageUnavailableError,
)
from tests.unit.adapters.samples import a_submission, captured
from tests.unit.domain.following import planned
from tests.unit.domain.samples import (
    RECEIVED,
    TERMS,
    at,
)


@pytest.fixture
def leads(table: Table) -> LeadTable:
    return LeadTable(table)


@pytest.fixture
def filing(table: Table) -> Filing:
    return Filing(table)


class Calls:
    """Counts the requests that really go out, by operation."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def __call__(self, model: Any, **_: Any) -> None:
        self.made.append(model.name)


@pytest.fixture
def calls(table: Table) -> Calls:
    counter = Calls()
    table.dynamodb.meta.events.register("before-call.dynamodb", counter)
    return counter


def close(leads: LeadTable, lead: Lead, second: float = 60) -> Lead:
    action = Action(name="reject", action_id="x", reason="data.test")
    change = act(lead, action, "anna", at(second), TERMS)
    assert change is not None
    return leads.record(lead, change, actor="rep:anna", at=at(second))


def the_lead(leads: LeadTable, lead_id: str) -> Lead:
    lead = leads.lead(lead_id)
    assert lead is not None
    return lead


def test_a_new_lead_takes_one_round_trip(leads: LeadTable, filing: Filing, calls: Calls) -> None:
    submission = a_submission()

    filed = filing.capture(submission, captured(submission))

    assert calls.made == ["TransactWriteItems"]
    assert (filed.outcome, filed.submission_id) == ("created", submission.submission_id)
    lead = the_lead(leads, filed.lead_id)
    assert (lead.name, lead.phone) == ("Анна-Мария О'Нил 👋", "+447700900001")
    assert lead.due_at == RECEIVED, "the sweeper finds it though no event was ever published"
    story = leads.story(filed.lead_id)
    assert story is not None
    assert [event.event.type for event in story.events] == ["LeadCaptured"]


def test_a_retry_gets_the_first_answer_in_one_round_trip(filing: Filing, calls: Calls) -> None:
    first = a_submission()
    filed = filing.capture(first, captured(first))
    retry = a_submission(submission_id="f" * 32)
    calls.made.clear()

    again = filing.capture(retry, captured(retry))

    assert calls.made == ["TransactWriteItems"]
    assert (again.outcome, again.submission_id) == ("repeated", first.submission_id)
    assert again.lead_id == filed.lead_id


def test_the_same_key_with_other_content_is_refused(filing: Filing) -> None:
    first, other = a_submission(1, key="k"), a_submission(2, key="k")
    filing.capture(first, captured(first))

    with pytest.raises(IdempotencyConflictError):
        filing.capture(other, captured(other))


def test_a_receipt_that_ran_out_counts_no_more_even_if_it_is_still_there(filing: Filing) -> None:
    first = a_submission()
    filing.capture(first, captured(first))
    later = a_submission(submission_id="f" * 32, received_at=at(601))

    assert filing.capture(later, captured(later)).outcome == "joined"


def test_a_contact_with_an_open_lead_joins_it_in_three_round_trips(
    leads: LeadTable, filing: Filing, calls: Calls
) -> None:
    first = a_submission(1)
    filed = filing.capture(first, captured(first))
    second = a_submission(2, phone=first.contact.phone)
    calls.made.clear()

    joined = filing.capture(second, captured(second))

    assert calls.made == ["TransactWriteItems", "GetItem", "TransactWriteItems"]
    assert (joined.outcome, joined.lead_id) == ("joined", filed.lead_id)
    lead = the_lead(leads, filed.lead_id)
    assert lead.submissions == 2
    assert len(lead.guards) == 3, "the e-mail that it brought is guarded too"
    third = a_submission(3, email=second.contact.email)
    assert filing.capture(third, captured(third)).lead_id == filed.lead_id


def test_the_phone_of_one_lead_with_the_e_mail_of_another(leads: LeadTable, filing: Filing) -> None:
    first, second = a_submission(1), a_submission(2)
    lead_id = filing.capture(first, captured(first)).lead_id
    other_id = filing.capture(second, captured(second)).lead_id
    both = a_submission(3, phone=first.contact.phone, email=second.contact.email)

    assert filing.capture(both, captured(both)).lead_id == lead_id
    story = leads.story(lead_id)
    assert story is not None
    event = story.events[-1].event
    assert isinstance(event, happened.LeadResubmitted)
    assert event.other_lead_id == other_id


def test_a_contact_whose_lead_was_closed_opens_a_new_one_that_remembers_it(
    leads: LeadTable, filing: Filing, table: Table
) -> None:
    first = a_submission(1)
    old_id = filing.capture(first, captured(first)).lead_id
    close(leads, the_lead(leads, old_id))
    guard = the_lead(leads, old_id).guards[0]
    released = table.get(keys.contact(guard))
    assert released is not None
    assert (released["is_open"], released["lead_id"]) == (False, old_id)
    assert released["expires_at"] > RECEIVED.timestamp() + 300 * 86400

    second = a_submission(1, key="later", submission_id="e" * 32)
    filed = filing.capture(second, captured(second))

    assert filed.outcome == "created"
    taken = table.get(keys.contact(guard))
    assert taken is not None
    assert taken["is_open"]
    assert taken["lead_id"] == filed.lead_id
    assert the_lead(leads, filed.lead_id).previous_lead_id == old_id
    story = leads.story(filed.lead_id)
    assert story is not None
    assert isinstance(story.events[0].event, happened.LeadCaptured)
    assert story.events[0].event.previous_lead_id == old_id
    assert "expires_at" not in taken


def test_closing_releases_only_the_guards_that_still_name_the_lead(
    leads: LeadTable, filing: Filing, table: Table
) -> None:
    submission = a_submission()
    lead = the_lead(leads, filing.capture(submission, captured(submission)).lead_id)
    foreign = table.update(keys.contact(lead.guards[0]), "SET lead_id = :other", other="b" * 32)
    table.transact([foreign])

    assert close(leads, lead).status == "closed"
    kept, released = (table.get(keys.contact(guard)) for guard in lead.guards)
    assert kept is not None
    assert released is not None
    assert (kept["is_open"], released["is_open"]) == (True, False)


def test_what_was_missing_is_filled_in_and_nothing_is_overwritten(
    leads: LeadTable, filing: Filing
) -> None:
    first = a_submission(1, email=None)
    lead_id = filing.capture(first, captured(first)).lead_id
    second = a_submission(2, phone=first.contact.phone, values={"message": "More words"})
    filing.capture(second, captured(second))

    lead = the_lead(leads, lead_id)
    assert (lead.email, lead.asked) == (second.contact.email, "A machine that calculates")
    assert lead.said_again is not None
    assert lead.said_again.asked == "More words"


def test_everything_that_was_sent_is_read_back_in_order(leads: LeadTable, filing: Filing) -> None:
    first = a_submission(1, values={"message": "First", "budget": "10"})
    again = a_submission(2, phone=first.contact.phone, received_at=at(60))
    lead_id = filing.capture(first, captured(first)).lead_id
    filing.capture(again, captured(again))
    other = a_submission(3)
    filing.capture(other, captured(other))

    assert leads.submissions(lead_id) == [first, again]
    assert leads.submissions("0" * 32) == []


def test_a_lead_with_more_contacts_than_a_transaction_may_release_can_be_closed(
    leads: LeadTable,
    filing: Filing,
) -> None:
    for number in range(MOST_GUARDS + 10):
        submission = a_submission(number, phone="+447700900001")
        lead_id = filing.capture(submission, captured(submission)).lead_id
    lead = the_lead(leads, lead_id)

    assert lead.submissions == MOST_GUARDS + 10
    assert len(lead.guards) == MOST_GUARDS
    assert close(leads, lead).status == "closed"


def test_whoever_read_an_older_version_writes_nothing(leads: LeadTable, filing: Filing) -> None:
    submission = a_submission()
    lead = the_lead(leads, filing.capture(submission, captured(submission)).lead_id)
    assigned = Change((happened.LeadAssigned(rep_id="anna", rule="round_robin"),))
    leads.record(lead, assigned, actor="one", at=at(1))

    with pytest.raises(LeadChangedError):
        leads.record(lead, assigned, actor="two", at=at(1))
    story = leads.story(lead.lead_id)
    assert story is not None
    assert [event.actor for event in story.events] == ["visitor", "one"]


def test_events_and_bookmark_are_written_together(leads: LeadTable, filing: Filing) -> None:
    submission = a_submission()
    lead = the_lead(leads, filing.capture(submission, captured(submission)).lead_id)
    change = planned(lead, at(0))
    assert change is not None

    after = leads.record(lead, change, actor="advance_follow_up", at=at(0))

    assert the_lead(leads, lead.lead_id) == after
    story = leads.story(lead.lead_id)
    assert story is not None
    assert [event.sequence for event in story.events] == [1, 2, 3, 4]
    assert [lead.lead_id for lead in leads.open_leads("sales", ["anna"])] == [lead.lead_id]
    assert leads.open_leads("sales", [None, "boris"]) == []


def test_a_lead_that_changes_hands_while_a_list_is_read_is_listed_once(
    leads: LeadTable, filing: Filing, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission = a_submission()
    lead = the_lead(leads, filing.capture(submission, captured(submission)).lead_id)
    assigned = happened.LeadAssigned(rep_id="anna", rule="everybody")
    lead = leads.record(lead, Change((assigned,)), actor="planner", at=at(1))
    moved = [happened.LeadReassigned(from_rep_id="anna", to_rep_id="boris", reason="no_reaction")]
    query = table.query

    def query_while_it_moves(*condition: str, **values: Any) -> list[Item]:
        found = [*query(*condition, **values)]
        if found and moved:
            leads.record(lead, Change((moved.pop(),)), actor="planner", at=at(300))
        return found

    monkeypatch.setattr(table, "query", query_while_it_moves)

    assert [one.rep_id for one in leads.open_leads("sales", ["anna", "boris"])] == ["boris"]


def test_what_clocks_showed_is_kept_on_the_lead_and_with_the_event(
    leads: LeadTable, filing: Filing
) -> None:
    submission = a_submission()
    lead = the_lead(leads, filing.capture(submission, captured(submission)).lead_id)
    change = act(lead, Action(name="voicemail", action_id="v"), "anna", at(400.5), TERMS)
    assert change is not None
    after = leads.record(lead, change, actor="anna", at=at(400.5))

    story = leads.story(lead.lead_id)
    assert story is not None
    assert story.lead == after
    assert story.events[-1].event.clocks == tuple(after.readings.values())
    assert after.readings["response"].late_by == Decimal("100.5")


def test_overdue_leads_are_found_by_time(leads: LeadTable, filing: Filing) -> None:
    ids = set()
    for number in range(20):
        submission = a_submission(number)
        ids.add(filing.capture(submission, captured(submission)).lead_id)

    assert set(leads.overdue(at(1))) == ids
    assert list(leads.overdue(at(0))) == []
    close(leads, the_lead(leads, next(iter(ids))))
    assert len(list(leads.overdue(at(1)))) == 19
    assert len(leads.captured_on("2026-11-20")) == 20
    assert leads.captured_on("2026-11-21") == []


# --- a DynamoDB in trouble: what moto never does ------------------------------------------------


def refusing(code: str, reasons: list[str] | None = None) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": "…"},
            "CancellationReasons": [{"Code": reason} for reason in reasons or []],
        },
        "TransactWriteItems",
    )


@pytest.fixture
def trouble(table: Table, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Exception]]:
    """Makes the next transactions fail with these errors, before or after they were written."""

    def prepare(*errors: Exception, after: bool = False) -> list[Exception]:
        waiting = list(errors)
        real = table.dynamodb.transact_write_items

        def call(**arguments: Any) -> object:
            if waiting:
                error = waiting.pop(0)
                if after:
                    real(**arguments)
                raise error
            return real(**arguments)

        monkeypatch.setattr(table.dynamodb, "transact_write_items", call)
        monkeypatch.setattr("time.sleep", lambda _: None)
        return waiting

    return prepare


def test_a_conflict_is_retried_and_never_taken_for_a_repeat(
    filing: Filing, trouble: Callable[..., list[Exception]]
) -> None:
    conflict = refusing("TransactionCanceledException", ["TransactionConflict", "None"])
    waiting = trouble(conflict, conflict)
    submission = a_submission()

    assert filing.capture(submission, captured(submission)).outcome == "created"
    assert waiting == []


def test_a_lost_answer_is_no_second_lead(
    leads: LeadTable, filing: Filing, trouble: Callable[..., list[Exception]]
) -> None:
    submission = a_submission()
    conflict = refusing("TransactionCanceledException", ["TransactionConflict"])
    trouble(conflict, after=True)

    filed = filing.capture(submission, captured(submission))

    assert filed.submission_id == submission.submission_id
    assert filed.outcome == "created"
    assert len(leads.captured_on("2026-11-20")) == 1


@pytest.mark.parametrize(
    "error",
    [
        refusing("ThrottlingException"),
        refusing("InternalServerError"),
        ReadTimeoutError(endpoint_url="https://dynamodb"),
    ],
)
def test_a_table_that_will_not_take_it_is_said_to_be_unavailable(
    filing: Filing, trouble: Callable[..., list[Exception]], error: Exception
) -> None:
    trouble(*[error] * 10)
    submission = a_submission()

    with pytest.raises(StorageUnavailableError):
        filing.capture(submission, captured(submission))


def test_endless_conflicts_end(filing: Filing, trouble: Callable[..., list[Exception]]) -> None:
    trouble(*[refusing("TransactionCanceledException", ["TransactionConflict"])] * 10)
    submission = a_submission()

    with pytest.raises(StorageUnavailableError):
        filing.capture(submission, captured(submission))


def test_a_missing_right_is_no_passing_trouble(
    filing: Filing, trouble: Callable[..., list[Exception]]
) -> None:
    trouble(refusing("AccessDeniedException"))
    submission = a_submission()

    with pytest.raises(ClientError, match="AccessDenied"):
        filing.capture(submission, captured(submission))


def test_no_float_reaches_the_table(table: Table) -> None:
    for poison in (0.5, float("nan"), float("inf")):
        with pytest.raises(TypeError, match=r"[Ff]loat"):
            table.put({"PK": "x", "SK": "y", "value": poison})


def test_a_lead_that_closes_while_somebody_joins_is_not_joined(
    leads: LeadTable, filing: Filing, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = a_submission(1)
    old_id = filing.capture(first, captured(first)).lead_id
    second = a_submission(2, phone=first.contact.phone)
    real = table.get

    def closes_after_it_was_read(key: Mapping[str, str]) -> Item | None:
        item = real(key)
        if key == keys.lead(old_id) and item is not None and item["status"] == "open":
            close(leads, Lead.model_validate(item))
        return item

    monkeypatch.setattr(table, "get", closes_after_it_was_read)
    filed = filing.capture(second, captured(second))

    assert filed.outcome == "created"
    assert filed.lead_id != old_id
    assert the_lead(leads, old_id).submissions == 1


def test_a_test_lead_touches_no_contact_no_list_and_does_not_stay(
    leads: LeadTable, filing: Filing, table: Table
) -> None:
    real, test = a_submission(1), a_submission(2, phone="+447700900001", is_test=True)
    filed = filing.capture(real, captured(real))

    tested = filing.capture(test, captured(test))
    lead = leads.lead(tested.lead_id)
    assert lead is not None
    close(leads, lead)

    assert tested.outcome == "created"
    assert [lead.lead_id for lead in leads.captured_on("2026-11-20")] == [filed.lead_id]
    assert list(leads.overdue(at(3600))) == [filed.lead_id]
    kept = list(table.query("PK = :pk", pk=keys.lead(tested.lead_id)["PK"]))
    two_days = int(RECEIVED.timestamp()) + 2 * 86_400
    assert {item["SK"].partition("#")[0] for item in kept} == {"LEAD", "EVENT", "SUBMISSION"}
    assert {int(item["expires_at"]) for item in kept} == {two_days}
    story = leads.story(tested.lead_id)
    assert story is not None
    assert all(event.is_test and event.flat()["is_test"] for event in story.events)
    others = leads.story(filed.lead_id)
    assert others is not None
    assert "is_test" not in others.events[0].flat()


def test_a_test_lead_that_waits_is_swept_like_any_other(leads: LeadTable, filing: Filing) -> None:
    test = a_submission(is_test=True)

    filed = filing.capture(test, captured(test))

    assert list(leads.overdue(at(60))) == [filed.lead_id]
