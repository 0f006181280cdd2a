"""The stage does to a lead what the functions do."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from advance_follow_up import service as advancing
from infra.cli.policy_files import read_policy
from infra.simulation.stage import Arrival, Stage
from send_alert import service as sending
from shared.adapters.alert_table import AlertTable
from shared.adapters.dynamodb import Table
from shared.adapters.filing import Filing
from shared.adapters.lead_table import LeadTable
from shared.adapters.link_table import LinkTable
from shared.adapters.people_table import PeopleTable
from shared.adapters.policy_store import PolicyStore
from shared.adapters.ringing_table import RingingTable
from shared.domain import capture
from shared.domain.events import LeadEvent
from shared.domain.lead import Lead
from shared.domain.roster import Rep
from shared.domain.routing import Facts
from shared.errors import PolicyError
from tests.unit.adapters.samples import a_submission, captured
from tests.unit.domain.samples import MARIA, RECEIVED, a_lead, a_rep
from tests.unit.functions.fakes import FakeEscalation, FakeQueue, FakeSender
from tests.unit.simulation.scene import NINE, a_lead_at, a_policy

POLICY = Path(__file__).parents[3] / "infra/policy"
PEOPLE = (a_rep("anna", missed_pages=1), a_rep("boris", email=None), a_rep("clara"), MARIA)
LATE_SHIFT = tuple(rep.model_copy(update={"calendar": "office"}) for rep in PEOPLE)


def told(events: list[LeadEvent]) -> list[dict[str, Any]]:
    """What happened, without what only SNS and clocks know."""
    unknown = {"message_id", "after_seconds"}
    return [{"type": event.type, **event.model_dump(exclude=unknown)} for event in events]


def by_functions(
    table: Table, received_at: datetime
) -> tuple[list[dict[str, Any]], dict[str, Rep], object]:
    """A lead that nobody calls, through the functions: its events, people and turns after it."""
    leads, people, policies = LeadTable(table), PeopleTable(table), PolicyStore(table)
    submission = a_submission(received_at=received_at)
    due = captured(submission).respond_by + (received_at - RECEIVED)
    lead_id = Filing(table).capture(submission, captured(submission, respond_by=due)).lead_id
    planner = advancing.Parts(
        leads, people, policies, FakeEscalation(), FakeQueue(), lambda _: None
    )
    while (lead := leads.lead(lead_id)) and (now := lead.due_at):
        advancing.advance(lead_id, planner, now)
        sender = sending.Parts(
            leads,
            people,
            AlertTable(table),
            RingingTable(table),
            LinkTable(table),
            FakeSender(),
            "https://go.example.com",
            lambda _: None,
            lambda: now,
        )
        advanced = leads.lead(lead_id)
        for alert_id in advanced.open_alerts if advanced else ():
            sending.send(lead_id, alert_id, sender, now)
    story = leads.story(lead_id)
    assert story is not None
    after = {rep.rep_id: rep for rep in people.of_team("sales")}
    events = [recorded.event for recorded in story.events[1:]]
    return told(events), after, people.rotation("sales")


@pytest.mark.parametrize("people", [PEOPLE, LATE_SHIFT], ids=["there", "there later"])
def test_a_lead_that_nobody_calls_goes_the_way_that_it_goes_by_the_functions(
    table: Table, people: tuple[Rep, ...]
) -> None:
    """From six in the morning in Berlin; the office opens at ten. One round is like three."""
    at = RECEIVED.replace(hour=5)
    store = PolicyStore(table)
    documents = read_policy(POLICY, {"SITE": "https://ours.net"}, at.date())
    documents["chain/default"] |= {"rounds": 1}  # type: ignore[operator]  # documents are any JSON
    store.publish(documents)
    for rep in people:
        PeopleTable(table).put_rep(rep)
    events, people_after, rotation = by_functions(table, at)

    stage = Stage(store.current(), people)
    lead = stage.captured(Arrival(at, Facts("demo-en", "Direct", "en", "GB")), "played")
    played: list[LeadEvent] = []
    while now := lead.due_at:
        advanced = stage.advance(lead, now)
        lead = advanced.lead
        played += [*advanced.change.events, *advanced.outcomes]

    assert told(played) == events
    assert stage.people["sales"] == people_after
    assert stage.rotation("sales") == rotation


def test_a_captured_lead_is_due_by_the_calendar_and_the_chain_of_its_form() -> None:
    policy = a_policy(calendar_day={"zone": "UTC", "week": {"thu": ["08:00-16:00"]}})
    lead = Stage(policy, []).captured(a_lead_at(0, "day"), "1")
    assert lead.respond_by == datetime.fromisoformat("2026-11-26T08:05Z")
    assert (lead.team, lead.form_title) == ("sales", "Free consultation")


@pytest.mark.parametrize("hour", [3, 9])
def test_what_is_promised_is_what_capture_promises(hour: int) -> None:
    named = {"id": "named", "check": "named", "otherwise": "raw"}
    policy = a_policy(definition_default={"title": "A lead", "criteria": [named]})
    at = NINE.replace(hour=hour)
    form = policy.form("day")
    assert form is not None
    submission = a_submission(form_id="day", received_at=at)
    event = capture.captured(submission, form, policy, at)

    lead = Stage(policy, []).captured(Arrival(at, Facts("day", "Direct", "en", None)), "1")

    assert (lead.respond_by, lead.promised_by) == (event.respond_by, event.promised_by)
    assert (lead.promised_by is None) == (hour == 9)


def test_an_unknown_form_is_said() -> None:
    with pytest.raises(PolicyError, match="no form gone"):
        Stage(a_policy(), []).captured(a_lead_at(0, "gone"), "1")


def test_a_lead_after_the_last_day_of_a_fair_is_due_never() -> None:
    policy = a_policy(
        calendar_day={"zone": "UTC", "week": {}, "exceptions": {"2026-11-24": ["08:00-16:00"]}}
    )
    with pytest.raises(PolicyError, match="calendar/day does not open any more"):
        Stage(policy, []).captured(a_lead_at(0, "day"), "1")


def test_who_acts_has_answered() -> None:
    stage = Stage(a_policy(), [a_rep("anna", missed_pages=2)])
    lead: Lead = a_lead(form_id="fast", rep_id="anna", assigned_at=RECEIVED)
    stage.act(lead, "acknowledge", "anna", RECEIVED)
    assert stage.people["sales"]["anna"].missed_pages == 0
