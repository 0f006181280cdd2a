"""The open leads behind the code of a list: a rep's own and those that are free to take, or for a
manager those of the team. From here a person goes on and off duty, and takes a lead.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple, get_args

from follow_up_lead.rights import is_free, may_see
from follow_up_lead.service import Access, Parts, behind, read_action, record_action, terms_of
from shared.domain.lead import Lead
from shared.domain.roster import Rep, Roster
from shared.domain.standing import Hindrance, hindrances
from shared.duty import switched, waiting_for_somebody
from shared.errors import IllegalActionError, PolicyError, UnknownLinkError

Stage = Literal["late", "free", "waiting", "called", "talked"]
"""Where an open lead stands, the most urgent first: the call is overdue; it is for whoever takes
it; the call is awaited; nobody has talked to the person; nobody knows what came of it."""


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
    is_free: bool
    """Whether anybody of the team may take it."""


class Member(NamedTuple):
    """Somebody of the team at a moment."""

    rep: Rep
    hindrances: tuple[Hindrance, ...]
    """Why they cannot be given a lead; none when they can."""
    leads: int
    """Their open ones."""
    late: int


class SeenList(NamedTuple):
    """Open leads, as a person sees them at a moment."""

    at: datetime
    viewer: Rep
    roster: Roster
    path: str
    """Where this list is."""
    leads: list[Listed]
    members: list[Member]
    """For a manager everybody of the team; for a rep themselves."""
    refusal: str | None = None
    """Why the last action was not recorded."""


class ActedOnList(NamedTuple):
    """What became of an action: recorded, or `refused` with the list that says why."""

    path: str
    codes: Mapping[str, str | None]
    """Ids and codes, for the log."""
    refused: SeenList | None = None


def see_list(code: str, parts: Parts, now: datetime) -> SeenList:
    """The open leads behind a code, the most urgent first. Raises UnknownLinkError."""
    _, viewer, roster = behind(code, "list", parts.leads, now)
    everybodys = parts.leads.open_leads(viewer.team, [None, *roster.people])
    leads = [
        _listed(lead, viewer, parts, now)
        for lead in everybodys
        if may_see(lead, viewer, lambda lead: terms_of(lead, parts))
    ]
    members = _members(viewer, roster, leads, parts)
    return SeenList(now, viewer, roster, f"/r/{code}", sorted(leads, key=_urgency), members)


def act_on_list(code: str, posted: Mapping[str, str], parts: Parts, now: datetime) -> ActedOnList:
    """Does what a posted form says, or says why it cannot be done. Raises UnknownLinkError."""
    _, viewer, roster = behind(code, "list", parts.leads, now)
    action, path = posted.get("action"), f"/r/{code}"
    codes = {"rep_id": viewer.rep_id, "action": action}
    reason = "unknown_action"
    match action:
        case "duty_on" | "duty_off" if viewer.role == "rep":
            switch_duty(viewer, parts, on=action == "duty_on")
            return ActedOnList(path, codes)
        case "take":
            try:
                lead = _take(path, viewer, roster, posted, parts, now)
            except IllegalActionError as error:
                reason = error.reason
            else:
                codes["lead_id"] = lead.lead_id
                return ActedOnList(f"{path}/{lead.lead_id}", codes)
    codes = {"rep_id": viewer.rep_id, "refusal": reason}
    return ActedOnList(path, codes, see_list(code, parts, now)._replace(refusal=reason))


def switch_duty(viewer: Rep, parts: Parts, *, on: bool) -> None:
    """Puts somebody on duty, or off it; whoever comes is given what nobody has within seconds."""
    after = parts.leads.change_rep(
        viewer.team, viewer.rep_id, lambda latest: switched(latest or viewer, on=on)
    )
    waiting = waiting_for_somebody(after, parts.leads)
    parts.advance_queue.send([{"lead_id": lead.lead_id} for lead in waiting])


def _take(
    path: str, viewer: Rep, roster: Roster, posted: Mapping[str, str], parts: Parts, now: datetime
) -> Lead:
    """Says "I'm on it" of a lead: the first who does has it.

    Raises IllegalActionError with the same reason for one that a colleague has and for one that
    there never was.
    """
    by = Access(viewer, roster, posted.get("lead_id", ""), path)
    said = {"action": "acknowledge", "action_id": posted.get("action_id", "")}
    action = read_action(said, viewer.zone, roster)
    try:
        return record_action(by, action, parts, now)
    except (UnknownLinkError, IllegalActionError) as error:
        raise IllegalActionError("not_free") from error


def _members(viewer: Rep, roster: Roster, leads: list[Listed], parts: Parts) -> list[Member]:
    try:
        shift = parts.policies.current().shift
    except PolicyError:
        team = roster
    else:
        team = Roster(roster.people.values(), roster.now, shift)
    rotation = parts.leads.rotation(viewer.team)
    found = []
    for rep in team.people.values():
        theirs = [listed for listed in leads if listed.lead.rep_id == rep.rep_id]
        is_of_interest = theirs or (rep.active and rep.role == "rep")
        if rep == viewer if viewer.role == "rep" else is_of_interest:
            late = sum(listed.stage == "late" for listed in theirs)
            why = tuple(hindrances(rep, team, rotation))
            found.append(Member(rep, why, len(theirs), late))
    return found


def _listed(lead: Lead, viewer: Rep, parts: Parts, now: datetime) -> Listed:
    """A lead as it stands now; also when its policy cannot be read, for the sake of the others."""
    is_again = lead.awaits_attempt and lead.first_attempt_at is not None
    since = lead.counts_from if is_again and lead.counts_from <= now else lead.received_at
    try:
        terms = terms_of(lead, parts)
    except PolicyError:
        call_by, business_seconds = lead.snoozed_until or lead.respond_by, None
    else:
        call_by, business_seconds = terms.call_by(lead), terms.calendar.elapsed(since, now)
    free = is_free(lead, lambda lead: terms_of(lead, parts)) and lead.rep_id != viewer.rep_id
    # What was offered and has an owner is theirs to a manager, who looks for who is late.
    to_take = free and (viewer.role == "rep" or lead.rep_id is None)
    stage = "free" if to_take else _stage(lead, call_by, now)
    return Listed(lead, stage, call_by, since, business_seconds, free)


def _stage(lead: Lead, call_by: datetime, now: datetime) -> Stage:
    if lead.awaits_attempt:
        return "late" if now >= call_by else "waiting"
    return "called" if lead.contacted_at is None else "talked"


def _urgency(listed: Listed) -> tuple[int, datetime]:
    """By stage; then the call that is due first, or who came first."""
    moment = listed.call_by if listed.lead.awaits_attempt else listed.lead.received_at
    return get_args(Stage).index(listed.stage), moment
