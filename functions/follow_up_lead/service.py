"""What a person behind a link may see, and how what they did is recorded."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal, NamedTuple, Protocol, get_args
from zoneinfo import ZoneInfo

from shared.adapters.lead_table import Link, Story
from shared.domain.actions import Action, ActionName, act, undo
from shared.domain.clocks import Terms
from shared.domain.events import Reading
from shared.domain.lead import Change, Lead
from shared.domain.policy import Policy
from shared.domain.roster import Rep, Roster
from shared.errors import IllegalActionError, PolicyError, UnknownLinkError
from shared.races import on_latest_lead

NOTE_LENGTH = 2000
SUM_DIGITS = 12
CURRENCIES = ("EUR", "USD", "GBP", "RUB", "KZT", "BYN")

FORMER_LEADS_SHOWN = 3

_ACTION_ID = re.compile(r"[0-9a-f]{32}")
_DONE_ID = re.compile(r"[0-9a-f]{32}-[a-z_]{1,20}")
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
    former: tuple[Lead, ...] = ()
    """The contact's last leads before this one, the latest first."""
    undoes: str | None = None
    """The id of what the viewer did last, while it can be undone."""
    refusal: Refusal | None = None


Stage = Literal["late", "waiting", "called", "talked"]
"""Where an open lead stands, the most urgent first: the call is overdue; it is awaited; nobody has
talked to the person; nobody knows what came of it."""


class Listed(NamedTuple):
    """An open lead in a list."""

    lead: Lead
    stage: Stage
    call_by: datetime
    """When the call is due that the lead awaits."""
    since: datetime
    """When the lead came, or began anew."""
    business_seconds: float | None
    """From then to now; None when its policy cannot be read."""


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
    terms = _terms(story.lead, parts)
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
    found = [_listed(lead, parts, now) for lead in parts.leads.open_leads(viewer.team, rep_ids)]
    return SeenList(now, viewer, roster, sorted(found, key=_urgency))


def act_on_lead(code: str, posted: Mapping[str, str], parts: Parts, now: datetime) -> Acted:
    """Does what a posted form says, or says why it cannot be done.

    Raises UnknownLinkError, and LeadChangedError when the lead never stood still.
    """
    link, viewer, roster = _behind(code, "lead", parts.leads, now)
    codes = {"lead_id": link.lead_id, "rep_id": viewer.rep_id}
    try:
        if posted.get("action") == "undo":
            name, decide = "undo", _undoing(posted, viewer, now)
        else:
            action = read_action(posted, viewer.zone, roster)
            name, decide = action.name, _acting(action, viewer, parts, now)
        _record(link, viewer, decide, parts, now)
    except IllegalActionError as error:
        seen = see_lead(code, parts, now)._replace(refusal=Refusal(error.reason, posted))
        return Acted(code, {**codes, "refusal": error.reason}, seen)
    return Acted(code, {**codes, "action": name})


Decide = Callable[[Lead], Change | None]
"""The change that somebody wants to make; None when it was made already."""


def _acting(action: Action, viewer: Rep, parts: Parts, now: datetime) -> Decide:
    return lambda lead: act(lead, action, viewer.rep_id, now, _terms(lead, parts))


def _undoing(posted: Mapping[str, str], viewer: Rep, now: datetime) -> Decide:
    """Taking back what the page said was done. Raises IllegalActionError with `stale_page`."""
    action_id = posted.get("undoes", "")
    if not _DONE_ID.fullmatch(action_id):
        raise IllegalActionError("stale_page")
    return lambda lead: undo(lead, action_id, viewer.rep_id, now)


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


def _record(link: Link, viewer: Rep, decide: Decide, parts: Parts, now: datetime) -> None:
    """Records what somebody did once, however often its form is sent.

    When somebody writes the lead in the same moment it is read again and judged again, so that a
    person never loses to a machine.
    """

    def record(lead: Lead | None) -> None:
        if lead is None or lead.team != link.team:
            raise UnknownLinkError("no such lead")
        change = decide(lead)
        if change is not None:
            change = change._replace(answered_by=viewer.rep_id)
            parts.leads.record(lead, change, actor=viewer.rep_id, at=now)

    on_latest_lead(link.lead_id or "", parts.leads, record, parts.pause)


def _terms(lead: Lead, parts: Parts) -> Terms:
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


def _behind(code: str, kind: str, leads: Leads, now: datetime) -> tuple[Link, Rep, Roster]:
    """The link, its person and their team; whoever has left it has no access."""
    link = leads.link(code, now)
    roster = Roster(leads.people(link.team), now)
    viewer = roster.get(link.rep_id)
    if link.kind != kind or viewer is None or not viewer.active:
        raise UnknownLinkError("not for this person or this page")
    return link, viewer, roster


def _listed(lead: Lead, parts: Parts, now: datetime) -> Listed:
    """A lead as it stands now; also when its policy cannot be read, for the sake of the others."""
    is_again = lead.awaits_attempt and lead.first_attempt_at is not None
    since = lead.counts_from if is_again and lead.counts_from <= now else lead.received_at
    try:
        terms = _terms(lead, parts)
    except PolicyError:
        call_by, business_seconds = lead.snoozed_until or lead.respond_by, None
    else:
        call_by, business_seconds = terms.call_by(lead), terms.calendar.elapsed(since, now)
    return Listed(lead, _stage(lead, call_by, now), call_by, since, business_seconds)


def _stage(lead: Lead, call_by: datetime, now: datetime) -> Stage:
    if lead.awaits_attempt:
        return "late" if now >= call_by else "waiting"
    return "called" if lead.contacted_at is None else "talked"


def _urgency(listed: Listed) -> tuple[int, datetime]:
    """By stage; then the call that is due first, or who came first."""
    moment = listed.call_by if listed.lead.awaits_attempt else listed.lead.received_at
    return get_args(Stage).index(listed.stage), moment
