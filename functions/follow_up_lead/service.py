"""What a person behind a link may see, and how what they did is recorded."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

from follow_up_lead.rights import may_see
from shared.acting import Actor, act_on_latest, terms_of, undo_on_latest
from shared.adapters.filing import ByHand
from shared.adapters.lead_table import Story
from shared.adapters.link_table import Link
from shared.adapters.receipts import Filed
from shared.domain.events import LeadCaptured, Reading
from shared.domain.lead import Change, LastAction, Lead
from shared.domain.policy import Policy
from shared.domain.roster import Rep, Roster
from shared.domain.routing import Rotation
from shared.domain.typed_action import read_action
from shared.errors import IllegalActionError, UnknownLinkError

if TYPE_CHECKING:
    # A type only: who looks at a lead has no use for what reads submissions.
    from shared.domain.submission import Submission

FORMER_LEADS_SHOWN = 3

UNDO_REFUSED = ("undo_gone", "undo_late")
"""Why something is not taken back, of a lead that may be somebody else's by now."""

_DONE_ID = re.compile(r"[0-9a-f]{32}-[a-z_]{1,20}")


class Leads(Protocol):
    def lead(self, lead_id: str) -> Lead | None: ...
    def story(self, lead_id: str) -> Story | None: ...
    def open_leads(self, team: str, rep_ids: Sequence[str | None]) -> list[Lead]: ...
    def record(self, lead: Lead, change: Change, *, actor: str, at: datetime) -> Lead: ...


class People(Protocol):
    def of_team(self, team: str) -> list[Rep]: ...
    def teams(self) -> list[str]: ...
    def rotation(self, team: str) -> Rotation: ...
    def change_rep(self, team: str, rep_id: str, change: Callable[[Rep | None], Rep]) -> Rep: ...


class Links(Protocol):
    def link(self, code: str, now: datetime) -> Link: ...
    def ask_for_link(self, team: str, rep_id: str, now: datetime) -> bool: ...


class Filing(Protocol):
    def capture(
        self, submission: "Submission", captured: LeadCaptured, *, by_hand: ByHand
    ) -> Filed: ...


class Policies(Protocol):
    def current(self) -> Policy: ...
    def version(self, number: int) -> Policy: ...


class Sending(Protocol):
    def send(self, messages: Sequence[Mapping[str, object]]) -> None: ...


class Parts(NamedTuple):
    """The parts that the rep's side needs."""

    leads: Leads
    people: People
    links: Links
    filing: Filing
    policies: Policies
    pause: Callable[[float], None]
    advance_queue: Sending
    """What is to be looked at now, because somebody has come who can be given it."""
    alert_queue: Sending
    """Who is to be sent a new link."""
    clock: Callable[[], float]
    """Seconds that pass, from any beginning."""


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
    undoes: LastAction | None = None
    """What the viewer did last, while it can be undone."""
    list_path: str | None = None
    """Where the list is that led here."""
    refusal: Refusal | None = None


class Access(NamedTuple):
    """Whose code opened which lead, and of whose list it is."""

    viewer: Rep
    roster: Roster
    lead_id: str
    list_path: str | None
    """Where the list is that led to the lead: its code has the rights of a list."""

    def sees(self, lead: Lead, parts: Parts) -> bool:
        """Whether the lead is there for them."""
        if self.list_path is None:
            return lead.team == self.viewer.team
        return may_see(lead, self.viewer, lambda lead: terms_of(lead, parts.policies))

    def actor(self, parts: Parts) -> Actor:
        """The person, as one who does something to a lead."""
        rep_id = self.viewer.rep_id
        return Actor(rep_id, rep_id, lambda lead: self.sees(lead, parts), has_answered=True)


class Acted(NamedTuple):
    """What became of an action: recorded, or `refused` with the page that says why."""

    path: str
    """Where to look at what came of it."""
    codes: Mapping[str, str | None]
    """Ids and codes, for the log."""
    refused: SeenLead | None = None


def see_lead(code: str, parts: Parts, now: datetime, lead_id: str | None = None) -> SeenLead:
    """The lead behind a code; behind that of a list, the one that `lead_id` names.

    Raises UnknownLinkError.
    """
    return _see(access(code, lead_id, parts, now), parts, now)


def access(code: str, lead_id: str | None, parts: Parts, now: datetime) -> Access:
    """What a code opens; that of a list opens no lead by itself. Raises UnknownLinkError."""
    if lead_id is None:
        link, viewer, roster = behind(code, "lead", parts.links, parts.people, now)
        return Access(viewer, roster, link.lead_id or "", None)
    _, viewer, roster = behind(code, "list", parts.links, parts.people, now)
    return Access(viewer, roster, lead_id, f"/r/{code}")


def _see(by: Access, parts: Parts, now: datetime) -> SeenLead:
    story = parts.leads.story(by.lead_id)
    if story is None or not by.sees(story.lead, parts):
        raise UnknownLinkError("no such lead")
    terms = terms_of(story.lead, parts.policies)
    clocks, call_by = terms.read(story.lead, now), terms.call_by(story.lead)
    former = tuple(_former_leads(story.lead, parts.leads))
    undoes = undoable(story.lead, by.viewer, now)
    return SeenLead(now, by.viewer, by.roster, story, clocks, call_by, former, undoes, by.list_path)


def act_on_lead(
    code: str, posted: Mapping[str, str], parts: Parts, now: datetime, lead_id: str | None = None
) -> Acted:
    """Does what a posted form says, or says why it cannot be done.

    Raises UnknownLinkError, and LeadChangedError when the lead never stood still.
    """
    by = access(code, lead_id, parts, now)
    codes: dict[str, str | None] = {"lead_id": by.lead_id, "rep_id": by.viewer.rep_id}
    path = f"{by.list_path}/{by.lead_id}" if by.list_path else f"/l/{code}"
    try:
        actor = by.actor(parts)
        if posted.get("action") == "undo":
            name = "undo"
            after = undo_on_latest(by.lead_id, _undone(posted), actor, parts, now).lead
        else:
            action = read_action(posted, by.viewer.zone, by.roster)
            name = action.name
            after = act_on_latest(by.lead_id, action, actor, parts, now).lead
    except IllegalActionError as error:
        codes |= {"refusal": error.reason}
        try:
            seen = _see(by, parts, now)
        except UnknownLinkError:
            # Whoever lost a race may not see the lead any more: then it is as absent as ever. Only
            # who did something to it is told, from where it was offered, that it stays done.
            if by.list_path is None or error.reason not in UNDO_REFUSED:
                raise
            return Acted(f"{by.list_path}?told={error.reason}", codes)
        return Acted(path, codes, seen._replace(refusal=Refusal(error.reason, posted)))
    if by.list_path and not by.sees(after, parts):
        path = f"{by.list_path}{_told_without_it(name, by.lead_id)}"
    return Acted(path, {**codes, "action": name})


def _told_without_it(action: str, lead_id: str) -> str:
    """What the list says to whom an action took the lead out of it."""
    match action:
        case "hand_over":
            return f"?told=handed_over&lead={lead_id}"
        case "undo":
            return "?told=undone"
        case _:
            return ""


def _undone(posted: Mapping[str, str]) -> str:
    """The id of what is to be taken back. Raises IllegalActionError with `stale_page`."""
    action_id = posted.get("undoes", "")
    if not _DONE_ID.fullmatch(action_id):
        raise IllegalActionError("stale_page")
    return action_id


def undoable(lead: Lead, viewer: Rep, now: datetime) -> LastAction | None:
    """What this person did last, while it can be undone."""
    last = lead.last_action
    if last is None or last.rep_id != viewer.rep_id or now > last.undoable_until:
        return None
    return last


def _former_leads(lead: Lead, leads: Leads) -> Iterator[Lead]:
    """The contact's leads before this one, of the same team."""
    for _ in range(FORMER_LEADS_SHOWN):
        former = leads.lead(lead.previous_lead_id) if lead.previous_lead_id else None
        if former is None or former.team != lead.team:
            return
        yield former
        lead = former


def behind(
    code: str, kind: str, links: Links, people: People, now: datetime
) -> tuple[Link, Rep, Roster]:
    """The link, its person and their team; whoever has left it has no access."""
    link = links.link(code, now)
    roster = Roster(people.of_team(link.team), now)
    viewer = roster.get(link.rep_id)
    if link.kind != kind or viewer is None or not viewer.active or link.is_revoked(viewer):
        raise UnknownLinkError("not for this person or this page")
    return link, viewer, roster
