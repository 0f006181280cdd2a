"""What a person behind a link may see, and how what they did is recorded."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple, Protocol, get_args
from zoneinfo import ZoneInfo

from follow_up_lead.rights import may_see
from shared.adapters.lead_table import ByHand, Link, Story
from shared.adapters.receipts import Filed
from shared.domain.actions import Action, ActionName, act
from shared.domain.clocks import Terms
from shared.domain.events import LeadCaptured, Reading
from shared.domain.lead import Change, Lead
from shared.domain.policy import Policy
from shared.domain.roster import Rep, Roster
from shared.domain.routing import Rotation
from shared.errors import IllegalActionError, UnknownLinkError
from shared.races import on_latest_lead

if TYPE_CHECKING:
    # A type only: who looks at a lead has no use for what reads submissions.
    from shared.domain.submission import Submission

NOTE_LENGTH = 2000
SUM_DIGITS = 12
CURRENCIES = ("EUR", "USD", "GBP", "RUB", "KZT", "BYN")

_ACTION_ID = re.compile(r"[0-9a-f]{32}")
# Three digits after a point or a comma are thousands: nobody writes a tenth of a cent.
_SUM = re.compile(
    r"(?P<whole>[1-9][0-9]{0,2}(?P<gap>[.,])[0-9]{3}(?:(?P=gap)[0-9]{3})*|[0-9]+)"
    r"(?:[.,](?P<cents>[0-9]{1,2}))?"
)


class Leads(Protocol):
    def link(self, code: str, now: datetime) -> Link: ...
    def capture(
        self, submission: "Submission", captured: LeadCaptured, *, by_hand: ByHand
    ) -> Filed: ...
    def change_rep(self, team: str, rep_id: str, change: Callable[[Rep | None], Rep]) -> Rep: ...
    def rotation(self, team: str) -> Rotation: ...
    def ask_for_link(self, team: str, rep_id: str, now: datetime) -> bool: ...
    def lead(self, lead_id: str) -> Lead | None: ...
    def story(self, lead_id: str) -> Story | None: ...
    def people(self, team: str) -> list[Rep]: ...
    def open_leads(self, team: str, rep_ids: Sequence[str | None]) -> list[Lead]: ...
    def record(self, lead: Lead, change: Change, *, actor: str, at: datetime) -> Lead: ...


class Policies(Protocol):
    def current(self) -> Policy: ...
    def version(self, number: int) -> Policy: ...


class Sending(Protocol):
    def send(self, messages: Sequence[Mapping[str, object]]) -> None: ...


class Parts(NamedTuple):
    """The parts that the rep's side needs."""

    leads: Leads
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
        return may_see(lead, self.viewer, lambda lead: terms_of(lead, parts))


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
        link, viewer, roster = behind(code, "lead", parts.leads, now)
        return Access(viewer, roster, link.lead_id or "", None)
    _, viewer, roster = behind(code, "list", parts.leads, now)
    return Access(viewer, roster, lead_id, f"/r/{code}")


def _see(by: Access, parts: Parts, now: datetime) -> SeenLead:
    story = parts.leads.story(by.lead_id)
    if story is None or not by.sees(story.lead, parts):
        raise UnknownLinkError("no such lead")
    terms = terms_of(story.lead, parts)
    clocks, call_by = terms.read(story.lead, now), terms.call_by(story.lead)
    return SeenLead(now, by.viewer, by.roster, story, clocks, call_by, by.list_path)


def act_on_lead(
    code: str, posted: Mapping[str, str], parts: Parts, now: datetime, lead_id: str | None = None
) -> Acted:
    """Does what a posted form says, or says why it cannot be done.

    Raises UnknownLinkError, and LeadChangedError when the lead never stood still.
    """
    by = access(code, lead_id, parts, now)
    codes = {"lead_id": by.lead_id, "rep_id": by.viewer.rep_id}
    path = f"{by.list_path}/{by.lead_id}" if by.list_path else f"/l/{code}"
    try:
        action = read_action(posted, by.viewer.zone, by.roster)
        after = record_action(by, action, parts, now)
    except IllegalActionError as error:
        # Whoever lost a race may not see the lead any more: then it is as absent as ever.
        seen = _see(by, parts, now)._replace(refusal=Refusal(error.reason, posted))
        return Acted(path, {**codes, "refusal": error.reason}, seen)
    # Whoever handed a lead over has it in their list no more.
    if by.list_path and not by.sees(after, parts):
        path = f"{by.list_path}?told=handed_over"
    return Acted(path, {**codes, "action": action.name})


def record_action(by: Access, action: Action, parts: Parts, now: datetime) -> Lead:
    """Records an action once, however often its form is sent; the lead after it.

    When somebody writes the lead in the same moment it is read again and judged again, so that a
    person never loses to a machine.
    """
    rep_id = by.viewer.rep_id

    def record(lead: Lead | None) -> Lead:
        if lead is None:
            raise UnknownLinkError("no such lead")
        if not by.sees(lead, parts) and action.action_id not in lead.actions:
            raise UnknownLinkError("not theirs")
        change = act(lead, action, rep_id, now, terms_of(lead, parts))
        if change is None:
            return lead
        change = change._replace(answered_by=rep_id)
        return parts.leads.record(lead, change, actor=rep_id, at=now)

    return on_latest_lead(by.lead_id, parts.leads, record, parts.pause)


def terms_of(lead: Lead, parts: Parts) -> Terms:
    return Terms.of(parts.policies.version(lead.policy_version), lead)


def read_action(posted: Mapping[str, str], zone: str, roster: Roster) -> Action:
    """The action that a posted form says; times in it are those of a zone.

    Raises IllegalActionError with `stale_page`, `unknown_action`, `currency_needed`,
    `person_needed` or `note_too_long`; `shared.domain.actions.act` knows the other reasons.
    """
    action_id = posted.get("action_id", "")
    if not _ACTION_ID.fullmatch(action_id):
        raise IllegalActionError("stale_page")
    name = next((name for name in get_args(ActionName) if name == posted.get("action")), None)
    if name is None:
        raise IllegalActionError("unknown_action")
    # Browsers send a line break as two letters, and count it as one.
    note = posted.get("note", "").replace("\r\n", "\n").strip()
    if len(note) > NOTE_LENGTH:
        raise IllegalActionError("note_too_long")
    currency = posted.get("currency")
    if name == "win" and currency not in CURRENCIES:
        raise IllegalActionError("currency_needed")
    colleague = roster.get(posted.get("to_rep_id")) if name == "hand_over" else None
    if name == "hand_over" and (colleague is None or not colleague.active):
        raise IllegalActionError("person_needed")
    return Action(
        name=name,
        # Another button of the same form, on a page that the browser kept, is another action.
        action_id=f"{action_id}-{name}",
        reason=posted.get("reason") or None,
        amount=read_sum(posted.get("amount", "")) if name == "win" else None,
        currency=currency if name == "win" else None,
        until=read_time(posted.get("until", ""), zone) if name == "snooze" else None,
        to_rep_id=colleague.rep_id if colleague else None,
        note=note or None,
    )


def read_time(text: str, zone: str) -> datetime | None:
    """A local time as browsers send it, `2026-11-30T10:00`; None for anything else."""
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        return None
    return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) if local.tzinfo is None else None


def read_sum(text: str) -> Decimal | None:
    """A sum as people type it: `1200`, `1 200,50`, `1,200.50`, `1.200`; None for anything else."""
    match = _SUM.fullmatch(re.sub(r"[\s'’]", "", text))
    if match is None:
        return None
    whole = re.sub(r"[.,]", "", match["whole"])
    return Decimal(f"{whole}.{match['cents'] or '00'}") if len(whole) <= SUM_DIGITS else None


def behind(code: str, kind: str, leads: Leads, now: datetime) -> tuple[Link, Rep, Roster]:
    """The link, its person and their team; whoever has left it has no access."""
    link = leads.link(code, now)
    roster = Roster(leads.people(link.team), now)
    viewer = roster.get(link.rep_id)
    if link.kind != kind or viewer is None or not viewer.active or link.is_revoked(viewer):
        raise UnknownLinkError("not for this person or this page")
    return link, viewer, roster
