"""What a person behind a link may see, and how what they did is recorded."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple, Protocol, get_args
from zoneinfo import ZoneInfo

from shared.adapters.lead_table import Link, Story
from shared.domain.actions import Action, ActionName, act
from shared.domain.clocks import Terms
from shared.domain.events import Reading
from shared.domain.lead import Change, Lead
from shared.domain.policy import Policy
from shared.domain.roster import Rep, Roster
from shared.errors import IllegalActionError, UnknownLinkError
from shared.races import on_latest_lead

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
    refusal: Refusal | None = None


class Acted(NamedTuple):
    """What became of an action: recorded, or `refused` with the page that says why."""

    code: str
    codes: Mapping[str, str | None]
    """Ids and codes, for the log."""
    refused: SeenLead | None = None


def see_lead(code: str, parts: Parts, now: datetime) -> SeenLead:
    """The lead behind a code. Raises UnknownLinkError."""
    link, viewer, roster = behind(code, "lead", parts.leads, now)
    story = parts.leads.story(link.lead_id or "")
    if story is None or story.lead.team != link.team:
        raise UnknownLinkError("no such lead")
    terms = terms_of(story.lead, parts)
    clocks, call_by = terms.read(story.lead, now), terms.call_by(story.lead)
    return SeenLead(now, viewer, roster, story, clocks, call_by)


def act_on_lead(code: str, posted: Mapping[str, str], parts: Parts, now: datetime) -> Acted:
    """Does what a posted form says, or says why it cannot be done.

    Raises UnknownLinkError, and LeadChangedError when the lead never stood still.
    """
    link, viewer, roster = behind(code, "lead", parts.leads, now)
    codes = {"lead_id": link.lead_id, "rep_id": viewer.rep_id}
    try:
        action = read_action(posted, viewer.zone, roster)
        _record(link, viewer, action, parts, now)
    except IllegalActionError as error:
        seen = see_lead(code, parts, now)._replace(refusal=Refusal(error.reason, posted))
        return Acted(code, {**codes, "refusal": error.reason}, seen)
    return Acted(code, {**codes, "action": action.name})


def _record(link: Link, viewer: Rep, action: Action, parts: Parts, now: datetime) -> None:
    """Records an action once, however often its form is sent.

    When somebody writes the lead in the same moment it is read again and judged again, so that a
    person never loses to a machine.
    """

    def record(lead: Lead | None) -> None:
        if lead is None or lead.team != link.team:
            raise UnknownLinkError("no such lead")
        change = act(lead, action, viewer.rep_id, now, terms_of(lead, parts))
        if change is not None:
            change = change._replace(answered_by=viewer.rep_id)
            parts.leads.record(lead, change, actor=viewer.rep_id, at=now)

    on_latest_lead(link.lead_id or "", parts.leads, record, parts.pause)


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
    if link.kind != kind or viewer is None or not viewer.active:
        raise UnknownLinkError("not for this person or this page")
    return link, viewer, roster
