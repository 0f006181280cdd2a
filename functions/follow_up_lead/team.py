"""The open leads behind the code of a list: a rep's own and those that are free to take, or for a
manager those of the team. From here a person goes on and off duty, and takes a lead.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from follow_up_lead.rights import is_free, may_see
from follow_up_lead.service import Access, Parts, behind, undoable
from shared.acting import act_on_latest, readable_terms, terms_of
from shared.domain.lead import Lead
from shared.domain.roster import Rep, Roster
from shared.domain.standing import Hindrance, hindrances
from shared.domain.typed_action import read_action
from shared.domain.waiting import Listed, listed, urgency
from shared.duty import switched, waiting_for_somebody
from shared.errors import IllegalActionError, PolicyError, UnknownLinkError


class Member(NamedTuple):
    """Somebody of the team at a moment."""

    rep: Rep
    hindrances: tuple[Hindrance, ...]
    """Why they cannot be given a lead; none when they can."""
    leads: int
    """Their open ones."""
    late: int


class Undoable(NamedTuple):
    """What can be taken back, and of which lead."""

    lead_id: str
    action_id: str


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
    handed_over: Undoable | None = None
    """What the viewer has just handed over and has no page of, while they can take it back."""
    refusal: str | None = None
    """Why the last action was not recorded."""


class ActedOnList(NamedTuple):
    """What became of an action: recorded, or `refused` with the list that says why."""

    path: str
    codes: Mapping[str, str | None]
    """Ids and codes, for the log."""
    refused: SeenList | None = None


def see_list(code: str, parts: Parts, now: datetime, handed_over: str | None = None) -> SeenList:
    """The open leads behind a code, the most urgent first. Raises UnknownLinkError.

    `handed_over` is the id of a lead that its person may have handed over just now.
    """
    _, viewer, roster = behind(code, "list", parts.links, parts.people, now)
    everybodys = parts.leads.open_leads(viewer.team, [None, *roster.people])
    leads = [
        _listed(lead, viewer, parts, now)
        for lead in everybodys
        if may_see(lead, viewer, lambda lead: terms_of(lead, parts.policies))
    ]
    members = _members(viewer, roster, leads, parts)
    given = next((lead for lead in everybodys if lead.lead_id == handed_over), None)
    last = undoable(given, viewer, now) if given else None
    return SeenList(
        now,
        viewer,
        roster,
        f"/r/{code}",
        sorted(leads, key=urgency),
        members,
        Undoable(given.lead_id, last.action_id) if given and last else None,
    )


def act_on_list(code: str, posted: Mapping[str, str], parts: Parts, now: datetime) -> ActedOnList:
    """Does what a posted form says, or says why it cannot be done. Raises UnknownLinkError."""
    _, viewer, roster = behind(code, "list", parts.links, parts.people, now)
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
    after = parts.people.change_rep(
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
        return act_on_latest(by.lead_id, action, by.actor(parts), parts, now).lead
    except (UnknownLinkError, IllegalActionError) as error:
        raise IllegalActionError("not_free") from error


def _members(viewer: Rep, roster: Roster, leads: list[Listed], parts: Parts) -> list[Member]:
    try:
        shift = parts.policies.current().shift
    except PolicyError:
        team = roster
    else:
        team = Roster(roster.people.values(), roster.now, shift)
    rotation = parts.people.rotation(viewer.team)
    found = []
    for rep in team.people.values():
        theirs = [one for one in leads if one.lead.rep_id == rep.rep_id]
        is_of_interest = theirs or (rep.active and rep.role == "rep")
        if rep == viewer if viewer.role == "rep" else is_of_interest:
            late = sum(one.stage == "late" for one in theirs)
            why = tuple(hindrances(rep, team, rotation))
            found.append(Member(rep, why, len(theirs), late))
    return found


def _listed(lead: Lead, viewer: Rep, parts: Parts, now: datetime) -> Listed:
    one = listed(lead, readable_terms(lead, parts.policies), now)
    free = is_free(lead, lambda lead: terms_of(lead, parts.policies))
    if not free or lead.rep_id == viewer.rep_id:
        return one
    # What was offered and has an owner is theirs to a manager, who looks for who is late.
    to_take = viewer.role == "rep" or lead.rep_id is None
    return one._replace(is_free=True, stage="free" if to_take else one.stage)
