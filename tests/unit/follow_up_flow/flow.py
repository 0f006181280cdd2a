"""advance_follow_up, send_alert and sweep_follow_ups together, over the template's table and the
sample policy; SNS, SQS and Step Functions are stand-ins."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from advance_follow_up import service as advance_service
from infra.cli.policy_files import read_policy
from send_alert import service as alert_service
from send_alert.service import send
from shared.adapters.alert_table import AlertTable
from shared.adapters.dynamodb import Table
from shared.adapters.filing import Filing
from shared.adapters.lead_table import LeadTable
from shared.adapters.link_table import LinkTable
from shared.adapters.people_table import PeopleTable
from shared.adapters.policy_store import PolicyStore
from shared.adapters.ringing_table import RingingTable
from shared.domain.actions import Action, ActionName, act
from shared.domain.clocks import Terms
from shared.domain.events import AlertSent, LeadEvent
from shared.domain.lead import Lead
from shared.domain.roster import Rep
from tests.unit.adapters.samples import a_submission, captured
from tests.unit.domain.samples import at
from tests.unit.functions.fakes import FakeEscalation, FakeQueue, FakeSender
from tests.unit.template import ROOT

POLICY = ROOT / "infra/policy"
ANNAS_PHONE = "+447700900001"


class Flow(NamedTuple):
    """A captured lead, and the parts that advance it and send its alerts."""

    lead_id: str
    leads: LeadTable
    people: PeopleTable
    filing: Filing
    links: LinkTable
    alerts: AlertTable
    advancing: advance_service.Parts
    sending: alert_service.Parts

    @property
    def lead(self) -> Lead:
        return self._lead(self.lead_id)

    def _lead(self, lead_id: str) -> Lead:
        lead = self.leads.lead(lead_id)
        assert lead is not None
        return lead

    @property
    def events(self) -> list[LeadEvent]:
        story = self.leads.story(self.lead_id)
        assert story is not None
        return [recorded.event for recorded in story.events]

    @property
    def event_types(self) -> list[str]:
        return [event.type for event in self.events]

    @property
    def waited(self) -> list[tuple[str, Decimal | None]]:
        """Who was alerted, and what the alert says of how long that took."""
        sent = [event for event in self.events if isinstance(event, AlertSent)]
        return [(alert.rep_id, alert.after_seconds) for alert in sent]

    @property
    def wakes(self) -> dict[str, Any]:
        assert isinstance(self.advancing.escalation, FakeEscalation)
        return self.advancing.escalation.started

    @property
    def queued(self) -> list[Any]:
        assert isinstance(self.advancing.alert_queue, FakeQueue)
        return self.advancing.alert_queue.messages

    @property
    def sender(self) -> FakeSender:
        assert isinstance(self.sending.sender, FakeSender)
        return self.sending.sender

    @property
    def outbox(self) -> list[tuple[str, str, str]]:
        return self.sender.outbox

    def rep_calls(self, now: datetime) -> None:
        self.rep_does("no_answer", now)

    def rep_does(
        self, name: ActionName, now: datetime, rep_id: str = "anna", **fields: Any
    ) -> None:
        lead = self.lead
        terms = Terms.of(self.advancing.policies.version(lead.policy_version), lead)
        action = Action(name=name, action_id=str(now), **fields)
        change = act(lead, action, rep_id, now, terms)
        assert change is not None
        self.leads.record(lead, change, actor=f"rep:{rep_id}", at=now)

    def another(self, number: int) -> str:
        """One more lead, of somebody else: its id."""
        submission = a_submission(number)
        return self.filing.capture(submission, captured(submission)).lead_id

    def send_all(self, lead_id: str, now: datetime) -> list[alert_service.Sent]:
        """Sends what waits to be sent about a lead: what became of each."""
        waiting = self._lead(lead_id).open_alerts
        return [send(lead_id, alert_id, self.sending, now) for alert_id in waiting]


def flow_on(table: Table, team: Iterable[Rep], sender: FakeSender) -> Flow:
    """A lead that was captured for these people."""
    policies, leads = PolicyStore(table), LeadTable(table)
    people, filing, links = PeopleTable(table), Filing(table), LinkTable(table)
    alerts = AlertTable(table)
    policies.publish(read_policy(POLICY, {"SITE": "https://example.com"}))
    for rep in team:
        people.put_rep(rep)
    submission = a_submission()
    return Flow(
        filing.capture(submission, captured(submission)).lead_id,
        leads,
        people,
        filing,
        links,
        alerts,
        advance_service.Parts(
            leads, people, policies, FakeEscalation(), FakeQueue(), lambda _: None
        ),
        alert_service.Parts(
            leads,
            people,
            alerts,
            RingingTable(table),
            links,
            sender,
            "https://go.example.com",
            lambda _: None,
            lambda: at(3.5),
        ),
    )
