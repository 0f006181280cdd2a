"""The table and the policy behind the rep's pages, in memory."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import BaseModel

from follow_up_lead.service import Parts
from infra.cli.policy_files import read_policy
from shared.adapters.lead_table import Story
from shared.adapters.link_table import Link
from shared.adapters.receipts import Filed
from shared.domain.calendar import Calendar
from shared.domain.events import VISITOR, LeadCaptured, LeadEvent, RecordedEvent
from shared.domain.lead import Change, Lead, Note
from shared.domain.policy import Policy, parse_document
from shared.domain.projection import apply
from shared.domain.roster import Rep
from shared.domain.routing import Rotation
from shared.errors import LeadChangedError, UnknownLinkError
from tests.unit.domain.samples import ALWAYS, ANNA, BORIS, MARIA, RECEIVED, SAMPLE_CHAIN
from tests.unit.functions.fakes import FakeQueue
from tests.unit.samples import a_form
from tests.unit.template import ROOT

DEFINITION = parse_document(
    "definition/default",
    read_policy(ROOT / "infra/policy", {"SITE": "https://ours.net"})["definition/default"],
)
LEAD_CODE = "Anna00000001"
LIST_CODE = "Anna00000002"


class FakePolicies:
    """One form with the sample chain, on this calendar, in every version."""

    def __init__(self, calendar: Calendar = ALWAYS) -> None:
        form = a_form(calendar="hours")
        self.documents: Mapping[str, BaseModel] = {
            f"form/{form.form_id}": form,
            f"chain/{form.chain}": SAMPLE_CHAIN,
            f"calendar/{form.calendar}": calendar,
            f"definition/{form.definition}": DEFINITION,
        }

    def current(self) -> Policy:
        return self.version(1)

    def version(self, number: int) -> Policy:
        return Policy(number, self.documents.get, names=self.documents)


class FakeLeads:
    """One table with its leads, people and links. `before_record` may write first, as a rival."""

    def __init__(self, *people: Rep) -> None:
        self.reps: tuple[Rep, ...] = people or (ANNA, BORIS, MARIA)
        self.stories: dict[str, Story] = {}
        self.links: dict[str, Link] = {}
        self.rotations: dict[str, Rotation] = {}
        self.writes = 0
        self.changes: list[Change] = []
        self.before_record: Callable[[], None] = lambda: None

    def add(self, lead: Lead) -> Lead:
        """A lead as its capture leaves it."""
        captured = LeadCaptured(
            submission_id="s" * 32,
            form_id=lead.form_id,
            channel=lead.channel,
            team=lead.team,
            verdict=lead.verdict,
            policy_version=lead.policy_version,
            respond_by=lead.respond_by,
        )
        event = self._recorded(lead, 1, captured, VISITOR, lead.received_at)
        self.stories[lead.lead_id] = Story(lead, [event], [])
        return lead

    def link_to(self, code: str, rep: Rep, lead: Lead | None = None) -> str:
        """A link that this person got; to their list without a lead."""
        self.links[code] = Link(
            kind="lead" if lead else "list",
            team=rep.team,
            rep_id=rep.rep_id,
            lead_id=lead.lead_id if lead else None,
            expires_at=int((RECEIVED + timedelta(days=14)).timestamp()),
        )
        return code

    def happen(
        self, lead: Lead, at: datetime, *events: LeadEvent, actor: str = "advance_follow_up"
    ) -> Lead:
        """Events that the machine or a colleague records."""
        return self._write(self.stories[lead.lead_id].lead, Change(events), actor, at)

    def capture(self, *_: object, **__: object) -> Filed:
        raise NotImplementedError("entering a lead is tested on the table")

    def ask_for_link(self, *_: object) -> bool:
        raise NotImplementedError("asking for a link is tested on the table")

    def change_rep(self, team: str, rep_id: str, change: Callable[[Rep | None], Rep]) -> Rep:
        known = {(rep.team, rep.rep_id): rep for rep in self.reps}
        known[team, rep_id] = change(known.get((team, rep_id)))
        self.reps = (*known.values(),)
        return known[team, rep_id]

    def rotation(self, team: str) -> Rotation:
        return self.rotations.get(team, Rotation())

    def link(self, code: str, now: datetime) -> Link:
        found = self.links.get(code)
        if found is None or found.expires_at <= now.timestamp():
            raise UnknownLinkError("unknown link")
        return found

    def lead(self, lead_id: str) -> Lead | None:
        story = self.stories.get(lead_id)
        return story.lead if story else None

    def story(self, lead_id: str) -> Story | None:
        return self.stories.get(lead_id)

    def teams(self) -> list[str]:
        raise NotImplementedError("asking for a link is tested on the table")

    def of_team(self, team: str) -> list[Rep]:
        return [rep for rep in self.reps if rep.team == team]

    def open_leads(self, team: str, rep_ids: Sequence[str | None]) -> list[Lead]:
        leads = [story.lead for story in self.stories.values()]
        return [
            lead
            for lead in leads
            if lead.team == team and lead.status == "open" and lead.rep_id in rep_ids
        ]

    def record(self, lead: Lead, change: Change, *, actor: str, at: datetime) -> Lead:
        self.before_record()
        if self.stories[lead.lead_id].lead.version != lead.version:
            raise LeadChangedError(lead.lead_id)
        self.changes.append(change)
        return self._write(lead, change, actor, at)

    def _write(self, lead: Lead, change: Change, actor: str, at: datetime) -> Lead:
        after = apply(lead, change, at)
        story = self.stories[lead.lead_id]
        recorded = [
            self._recorded(lead, number, event, actor, at)
            for number, event in enumerate(change.events, start=lead.sequence + 1)
        ]
        notes: list[Note] = [*story.notes, *change.notes]
        self.stories[lead.lead_id] = Story(after, [*story.events, *recorded], notes)
        self.writes += 1
        return after

    def _recorded(
        self, lead: Lead, sequence: int, event: LeadEvent, actor: str, at: datetime
    ) -> RecordedEvent:
        return RecordedEvent(
            lead_id=lead.lead_id,
            sequence=sequence,
            at=at,
            actor=actor,
            form_id=lead.form_id,
            channel=lead.channel,
            event=event,
        )


def parts_on(
    leads: FakeLeads,
    calendar: Calendar = ALWAYS,
    pause: Callable[[float], None] = lambda _: None,
) -> Parts:
    """What the rep's side works with."""
    policies = FakePolicies(calendar)
    return Parts(leads, leads, leads, leads, policies, pause, FakeQueue(), FakeQueue(), lambda: 0.0)
