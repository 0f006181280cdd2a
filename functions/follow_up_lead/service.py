"""What a person behind a link may see, and how what they did is recorded."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from shared.acting import Actor, act_on_latest, readable_terms, terms_of, undo_on_latest
from shared.adapters.lead_table import Link, Story
from shared.domain.events import Reading
from shared.domain.lead import Change, Lead
from shared.domain.policy import Policy
from shared.domain.roster import Rep, Roster
from shared.domain.typed_action import read_action
from shared.domain.waiting import Listed, listed, urgency
from shared.errors import IllegalActionError, UnknownLinkError

FORMER_LEADS_SHOWN = 3

_DONE_ID = re.compile(r"[0-9a-f]{32}-[a-z_]{1,20}")


class Leads(Protocol):
    def link(self, code: str, now: datetime) -> Link: ...
    def lead(self, lead_id: str) -> Lead | None: ...
    def story(self, lead_id: str) -> Story | None: ...
    def people(self, team: str) -> list[Rep]: ...
    def open_leads(self, team: str, rep_ids: Sequence[str | None]) -> list[Lead]: ...
    def record(self, lead: Lead, change: Change, *, actor: str, at: datetime) -> Lead: ...


class Policies(Protocol):
    def version(self, number: int) -> Policy: ...


class Parts(NamedTuple):
    """The parts that the rep's side needs."""

    leads: Leads
    policies: Policies
    pause: Callable[[float], None]


class Refusal(NamedTuple):
    """Why an action was not recorded, and what had been typed."""

    reason: str
    posted: Mapping[str, str]


class SeenLead(NamedTuple):
    """One lead, as a person of its team sees it at a moment."""

    at: datetime
    viewer: Rep
    roster: Roster
    story: Story
    clocks: tuple[Reading, ...]
    call_by: datetime
    """When the call is due that the lead awaits."""
    former: tuple[Lead, ...] = ()
    """The contact's last leads before this one, the latest first."""
    undoes: str | None = None
    """The id of what the viewer did last, while it can be undone."""
    refusal: Refusal | None = None


class SeenList(NamedTuple):
    """Open leads: a rep's own, or for a manager those of the team."""

    at: datetime
    viewer: Rep
    roster: Roster
    leads: list[Listed]


class Acted(NamedTuple):
    """What became of an action: recorded, or `refused` with the page that says why."""

    code: str
    codes: Mapping[str, str | None]
    """Ids and codes, for the log."""
    refused: SeenLead | None = None


def see_lead(code: str, parts: Parts, now: datetime) -> SeenLead:
    """The lead behind a code. Raises UnknownLinkError."""
    link, viewer, roster = _behind(code, "lead", parts.leads, now)
    story = parts.leads.story(link.lead_id or "")
    if story is None or story.lead.team != link.team:
        raise UnknownLinkError("no such lead")
    terms = terms_of(story.lead, parts.policies)
    clocks, call_by = terms.read(story.lead, now), terms.call_by(story.lead)
    former = tuple(_former_leads(story.lead, parts.leads))
    return SeenLead(
        now, viewer, roster, story, clocks, call_by, former, _undoable(story.lead, viewer, now)
    )


def see_list(code: str, parts: Parts, now: datetime) -> SeenList:
    """The open leads behind a code, the most urgent first. Raises UnknownLinkError."""
    _, viewer, roster = _behind(code, "list", parts.leads, now)
    rep_ids: list[str | None] = [viewer.rep_id]
    if viewer.role == "manager":
        rep_ids = [None, *roster.people]
    found = [
        listed(lead, readable_terms(lead, parts.policies), now)
        for lead in parts.leads.open_leads(viewer.team, rep_ids)
    ]
    return SeenList(now, viewer, roster, sorted(found, key=urgency))


def act_on_lead(code: str, posted: Mapping[str, str], parts: Parts, now: datetime) -> Acted:
    """Does what a posted form says, or says why it cannot be done.

    Raises UnknownLinkError, and LeadChangedError when the lead never stood still.
    """
    link, viewer, roster = _behind(code, "lead", parts.leads, now)
    codes = {"lead_id": link.lead_id, "rep_id": viewer.rep_id}
    try:
        actor = Actor(link.team, viewer.rep_id, viewer.rep_id, has_answered=True)
        if posted.get("action") == "undo":
            name = "undo"
            undo_on_latest(link.lead_id or "", _undone(posted), actor, parts, now)
        else:
            action = read_action(posted, viewer.zone, roster)
            name = action.name
            act_on_latest(link.lead_id or "", action, actor, parts, now)
    except IllegalActionError as error:
        seen = see_lead(code, parts, now)._replace(refusal=Refusal(error.reason, posted))
        return Acted(code, {**codes, "refusal": error.reason}, seen)
    return Acted(code, {**codes, "action": name})


def _undone(posted: Mapping[str, str]) -> str:
    """The id of what is to be taken back. Raises IllegalActionError with `stale_page`."""
    action_id = posted.get("undoes", "")
    if not _DONE_ID.fullmatch(action_id):
        raise IllegalActionError("stale_page")
    return action_id


def _undoable(lead: Lead, viewer: Rep, now: datetime) -> str | None:
    last = lead.last_action
    if last is None or last.rep_id != viewer.rep_id or now > last.undoable_until:
        return None
    return last.action_id


def _former_leads(lead: Lead, leads: Leads) -> Iterator[Lead]:
    """The contact's leads before this one, of the same team."""
    for _ in range(FORMER_LEADS_SHOWN):
        former = leads.lead(lead.previous_lead_id) if lead.previous_lead_id else None
        if former is None or former.team != lead.team:
            return
        yield former
        lead = former


def _behind(code: str, kind: str, leads: Leads, now: datetime) -> tuple[Link, Rep, Roster]:
    """The link, its person and their team; whoever has left it has no access."""
    link = leads.link(code, now)
    roster = Roster(leads.people(link.team), now)
    viewer = roster.get(link.rep_id)
    if link.kind != kind or viewer is None or not viewer.active:
        raise UnknownLinkError("not for this person or this page")
    return link, viewer, roster
