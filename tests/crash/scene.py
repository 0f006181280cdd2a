"""One lead and those who act on it: the services over the template's table, on a stage."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from botocore.client import BaseClient

from advance_follow_up import service as advancing
from follow_up_lead import service as following
from follow_up_lead.team import ActedOnList, act_on_list
from infra.cli.policy_files import read_policy
from infra.cli.replan import move
from send_alert import service as sending
from shared.adapters import alerts, dynamodb, escalation
from shared.adapters.alert_table import AlertTable
from shared.adapters.dynamodb import Table
from shared.adapters.filing import Filing
from shared.adapters.lead_table import LeadTable
from shared.adapters.link_table import Link, LinkTable
from shared.adapters.people_table import PeopleTable
from shared.adapters.policy_store import PolicyStore
from shared.adapters.ringing_table import RingingTable
from shared.domain.actions import Action, ActionName, act
from shared.domain.clocks import Terms
from shared.domain.events import LeadRejected
from shared.domain.lead import Change
from shared.domain.roster import Rep
from shared.http import HttpRequest
from submit_form.service import Answered, Received, submission_id_of, submit_form
from sweep_follow_ups.service import sweep
from tests.crash.database import Database
from tests.crash.promises import BEFORE
from tests.unit.domain.samples import ANNA, BORIS, MARIA
from tests.unit.functions.fakes import FakeQueue, parts_on
from tests.unit.samples import a_request
from tests.unit.template import ROOT, expanded

TABLE = "leads"
TEAM = (ANNA, BORIS, MARIA)
VISITOR = {
    "name": "Ada Lovelace",
    "phone": "+44 7700 900123",
    "email": "ada@example.com",
    "message": "A machine that calculates",
    "consent": "yes",
}


class PatientTable(Table):
    """Makes room for others without sleeping: the schedule says who is next."""

    def pause(self, failures: int) -> None:
        """Nothing to do: whoever calls waits for a turn anyway."""


class Queue:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.messages: list[Mapping[str, object]] = []

    def send(self, messages: Sequence[Mapping[str, object]]) -> None:
        self.messages += messages


class Aws:
    """What the actors call: a table, and as much of SNS and Step Functions as they use."""

    def __init__(self) -> None:
        self.database = Database(TABLE, expanded()["LeadTable"]["Properties"])
        self.executions: dict[str, str] = {}
        """Their inputs, by name."""

    def remember(self) -> Callable[[], None]:
        """What brings this moment back."""
        database, executions = self.database, self.executions

        def bring_back() -> None:
            self.database, self.executions = database.twin(), dict(executions)

        return bring_back

    def answer(self, client: BaseClient, operation: str, parameters: dict[str, Any]) -> object:
        match operation:
            case "Publish":
                return {"MessageId": "message"}
            case "StartExecution":
                name, wanted = parameters["name"], parameters["input"]
                if self.executions.setdefault(name, wanted) != wanted:
                    exceptions = cast("Any", client).exceptions
                    raise exceptions.ExecutionAlreadyExists(
                        {
                            "Error": {"Code": "ExecutionAlreadyExists"},
                            "ResponseMetadata": {"HTTPStatusCode": 400},
                        },
                        operation,
                    )
                return {}
            case _:
                answer, _ = self.database.perform(operation, parameters)
                return answer


class Scene:
    """What actors can do, each by the service that does it in production."""

    def __init__(self, kind: type[Table] = PatientTable) -> None:
        self.table = kind(dynamodb.client(), TABLE)
        self.policies = PolicyStore(self.table, clock=lambda: 0.0)
        self.leads = LeadTable(self.table)
        self.people, self.links = PeopleTable(self.table), LinkTable(self.table)
        self.filing = Filing(self.table)
        self.lead_id = ""
        self.other_id = ""
        self.codes: dict[str, str] = {}
        self.lists: dict[str, str] = {}
        self.advancing = advancing.Parts(
            self.leads,
            self.people,
            self.policies,
            escalation.Escalation(escalation.client(), "arn:aws:states:::machine"),
            Queue(),
            lambda _: None,
        )
        self.following = following.Parts(
            self.leads,
            self.people,
            self.links,
            self.filing,
            self.policies,
            lambda _: None,
            FakeQueue(),
            FakeQueue(),
            lambda: 0.0,
        )
        self.sending = sending.Parts(
            self.leads,
            self.people,
            AlertTable(self.table),
            RingingTable(self.table),
            self.links,
            alerts.AlertSender(alerts.client(), "arn:aws:sns:::alerts"),
            "https://go.example.com",
            lambda _: None,
            lambda: datetime.now(UTC),
        )

    def furnish(self) -> None:
        """Policy and people, whom nobody changes while actors act."""
        self.policies.publish(read_policy(ROOT / "infra/policy", {"SITE": "https://example.com"}))
        for person in TEAM:
            self.people.put_rep(person)

    def post(self, key: str, now: datetime, **fields: str) -> Answered:
        """A visitor's page sends its form."""
        body = json.dumps({**VISITOR, **fields})
        request = a_request(body, "application/json", idempotency_key=key.ljust(32, "0"))
        return self.take(request, now)

    def take(self, request: HttpRequest, now: datetime) -> Answered:
        received = Received(now, submission_id_of(request))
        return submit_form(request, parts_on(self.table, self.policies), received)

    def arrive(self, now: datetime) -> None:
        """The lead of this scene comes, and everybody of the team has a link to it."""
        self.lead_id = self.post("first", now).lead_id or ""
        for rep in TEAM:
            link = Link(
                kind="lead",
                team=rep.team,
                rep_id=rep.rep_id,
                lead_id=self.lead_id,
                expires_at=2**40,
            )
            self.codes[rep.rep_id] = self.links.make_link(link)
            own = link.model_copy(update={"kind": "list", "lead_id": None})
            self.lists[rep.rep_id] = self.links.make_link(own)

    def another_arrives(self, now: datetime) -> None:
        """A second lead, of somebody else."""
        fields = {"phone": "+44 7700 900456", "email": "grace@example.com"}
        self.other_id = self.post("second", now, **fields).lead_id or ""

    def close(self, now: datetime) -> None:
        """Somebody has rejected the lead before anybody acts."""
        lead = self.leads.lead(self.lead_id)
        assert lead is not None
        rejected = Change((LeadRejected(rep_id=MARIA.rep_id, reason="data.spam"),))
        self.leads.record(lead, rejected, actor=BEFORE, at=now)

    def has_acted(self, name: ActionName, now: datetime, **fields: str) -> None:
        """Anna has done something before anybody acts, and may still take it back."""
        lead = self.leads.lead(self.lead_id)
        assert lead is not None
        terms = Terms.of(self.policies.version(lead.policy_version), lead)
        action = Action.model_validate({"name": name, "action_id": f"{'0' * 32}-done", **fields})
        change = act(lead, action, ANNA.rep_id, now, terms)
        assert change is not None
        self.leads.record(lead, change, actor=BEFORE, at=now)

    def undo(self, rep: Rep, now: datetime) -> following.Acted:
        """A person takes back what was done before."""
        form = {"action": "undo", "undoes": f"{'0' * 32}-done"}
        return following.act_on_lead(self.codes[rep.rep_id], form, self.following, now)

    def publish_slower(self) -> None:
        """Another version of the policy is in force, under which no lead was captured yet."""
        documents = read_policy(ROOT / "infra/policy", {"SITE": "https://example.com"})
        chain = cast("dict[str, Any]", documents["chain/default"])
        self.policies.publish({**documents, "chain/default": {**chain, "rounds": 2}})

    def replan(self, now: datetime) -> None:
        """An operator puts the lead under the policy in force."""
        policy = self.policies.version(2)
        move(self.lead_id, self.leads, self.policies, policy, now, lambda _: None)

    def advance_other(self, now: datetime) -> advancing.Advanced:
        return advancing.advance(self.other_id, self.advancing, now)

    def advance(self, now: datetime, run: int | None = None) -> advancing.Advanced:
        return advancing.advance(self.lead_id, self.advancing, now, run=run)

    def sweep(self, now: datetime) -> list[advancing.Advanced]:
        """The sweeper's message is taken off the queue as soon as it is on it."""
        queue = Queue()
        sweep(self.leads, queue, now)
        return [
            advancing.advance(str(message["lead_id"]), self.advancing, now, swept=True)
            for message in queue.messages
        ]

    def send(self, alert_id: str, now: datetime) -> str:
        return sending.send(self.lead_id, alert_id, self.sending._replace(clock=lambda: now), now)

    def take_from_list(self, rep: Rep, now: datetime) -> ActedOnList:
        """Somebody takes the lead from their own page."""
        action_id = rep.rep_id.encode().hex().ljust(32, "0")
        form = {"action": "take", "action_id": action_id, "lead_id": self.lead_id}
        return act_on_list(self.lists[rep.rep_id], form, self.following, now)

    def act(self, rep: Rep, action: str, now: datetime, **posted: str) -> following.Acted:
        """A person presses a button on a page of their own."""
        action_id = rep.rep_id.encode().hex().ljust(32, "0")
        form = {"action_id": action_id, **posted, "action": action}
        return following.act_on_lead(self.codes[rep.rep_id], form, self.following, now)
