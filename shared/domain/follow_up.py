"""The planner: what is due for a lead now, and when to look again. Pure: data, policy and a moment
in, events and a bookmark out. Whoever calls it, however often and however late, each step is done
once.
"""

from datetime import datetime

from shared.domain import events as happened
from shared.domain.chain import Step
from shared.domain.clocks import Terms
from shared.domain.draft import EVERY_CHANNEL, Draft, has_begun, is_followed
from shared.domain.lead import Change, FollowUp, Lead
from shared.domain.roster import Roster
from shared.domain.routing import Chosen, Nobody


def plan(
    lead: Lead,
    terms: Terms,
    roster: Roster,
    *,
    turn: Chosen | Nobody | None = None,
    new_run: bool = False,
) -> Change | None:
    """The change that is due for this lead at the moment of the roster; None when nothing is.

    `turn` is who gets the lead, for one that `needs_rep`. `new_run` gives up the execution that
    should have woken the lead and did not.
    """
    if lead.status == "closed":
        return None
    draft = Draft(lead, terms, roster, turn)
    if draft.owner is None:
        draft.assign()
    is_agreed = lead.snoozed_until is not None
    if draft.tells_owner and not is_agreed:
        draft.tell_owner()
    if draft.is_followed:
        follow_up = _walk(draft, new_run=new_run)
    else:
        # Whoever waits for a call and is not followed up has a verdict that policy leaves alone.
        is_idle = lead.awaits_attempt or lead.follow_up.is_idle
        update = {"wake_at": draft.tells_owner_at, "planned": True, "is_idle": is_idle}
        follow_up = lead.follow_up.model_copy(update=update)
    if draft.tells_owner and is_agreed and not draft.has_told_owner:
        # Outside opening hours the chain says nothing; what was agreed stands.
        draft.tell_owner("callback")
    if lead.submissions > lead.follow_up.told_submissions:
        follow_up = _tell_again(draft, follow_up)
    for unheard in lead.unheard:
        draft.take_up(unheard)
    follow_up = follow_up.model_copy(
        update={
            "tell_owner": draft.tells_owner_at is not None,
            "reminded": draft.reminded,
            "knows": draft.knows or (follow_up.knows and not draft.has_told_owner),
        }
    )
    if not draft.events and follow_up == lead.follow_up:
        return None
    return Change(tuple(draft.events), follow_up, missed_by=draft.missed_by)


def needs_rep(lead: Lead, terms: Terms, roster: Roster) -> bool:
    """Whether the next plan may assign the lead, and so wants a turn of the rotation.

    Where nobody could be found, nobody is looked for again before it opens.
    """
    if lead.status == "closed" or roster.active(lead.rep_id):
        return False
    if lead.assignment_failed_at is not None and not terms.calendar.is_open(roster.now):
        return False
    if is_followed(lead, terms):
        return has_begun(lead, terms, roster.now)
    # Whoever had it has left, and there is news.
    return lead.rep_id is not None and lead.submissions > lead.follow_up.told_submissions


def _walk(draft: Draft, *, new_run: bool) -> FollowUp:
    """Does what is due, in the order of time, and returns the bookmark before what is not.

    Beside the steps these are the deadline, which passes whether or not a step says so, and the
    end of an acknowledgement without a call.
    """
    lead, chain, calendar, now = draft.lead, draft.chain, draft.terms.calendar, draft.now
    before = lead.follow_up
    if draft.is_assigned and before.round > chain.rounds:
        # The chain ended while nobody had the lead: it begins anew for whoever has it now.
        before = draft.begin_anew(before.restarted(now, "reassigned"))
    elif draft.is_assigned and _has_left_the_first_step(before, chain.steps[0]):
        # Nobody has told them yet what the steps to come remind of.
        draft.tell_owner()
    origin = before.counts_from or lead.clock_started_at
    round_number, number = before.round, before.step
    while True:
        has_ended = round_number > chain.rounds
        offset = chain.offset_seconds(round_number, number)
        step_at = None if has_ended else calendar.due_if_ever(origin, offset)
        breach_at = lead.respond_by if draft.may_breach else None
        ends_at = draft.acknowledgement_ends_at
        later = (draft.somebody_there_at(), draft.tells_owner_at)
        wake_at = min(filter(None, (step_at, breach_at, ends_at, *later)), default=None)
        if wake_at is None or wake_at > now:
            break
        if wake_at == ends_at:
            draft.expire(round_number)
        elif wake_at == step_at and number < len(chain.steps):
            if not _is_passed(before, round_number, number, chain.steps[number]):
                draft.do(chain.steps[number], round_number, wake_at)
            number += 1
            if draft.is_stopped:
                round_number, number = chain.rounds + 1, 0
        elif wake_at == breach_at:
            draft.breach("deadline")
        elif wake_at == step_at:
            round_number, number = round_number + 1, 0
            if round_number > chain.rounds:
                end = happened.LeadEscalated(step="end", to="manager", ends_chain=True)
                draft.events.append(end)
    return before.model_copy(
        update={
            "round": round_number,
            "step": number,
            "run": _run(before, wake_at, new_run=new_run),
            "wake_at": wake_at,
            "planned": True,
            "is_idle": False,
            "passed": before.passed if _is_before(before, round_number, number) else None,
            "paged_at": None if draft.missed_by else before.paged_at,
            "missed_by": (
                *before.missed_by,
                *((draft.missed_by.rep_id,) if draft.missed_by else ()),
            ),
        }
    )


def _has_left_the_first_step(follow_up: FollowUp, first: Step) -> bool:
    """Whether the first step was done already, or had its time: for whoever had the lead then."""
    return (follow_up.round, follow_up.step) != (1, 0) or _is_passed(follow_up, 1, 0, first)


def _is_before(follow_up: FollowUp, round_number: int, number: int) -> bool:
    """Whether the chain had come further than this, before something was undone."""
    passed = follow_up.passed
    return passed is not None and (round_number, number) < (passed.round, passed.step)


def _is_passed(follow_up: FollowUp, round_number: int, number: int, step: Step) -> bool:
    """Whether a step was done, or had its time, before something was undone."""
    if follow_up.passed is None or not _is_before(follow_up, round_number, number):
        return False
    return step.when in (None, follow_up.passed.when)


def _run(before: FollowUp, wake_at: datetime | None, *, new_run: bool) -> int:
    """The execution that wakes the lead.

    One that waits for a later time is left to end by itself.
    """
    if wake_at is None:
        return before.run
    wakes_in_time = before.wake_at is not None and before.wake_at <= wake_at
    return before.run if wakes_in_time and not new_run else before.run + 1


def _tell_again(draft: Draft, follow_up: FollowUp) -> FollowUp:
    """The owner hears of further submissions, also after the first call; many at once are one.

    Whoever is on duty gets a lead that nobody had; while nobody is, it stays due.
    """
    lead, now = draft.lead, draft.now
    if draft.owner is None:
        if draft.turn is not None:
            return follow_up
        # Nobody follows this lead up, or its first alert is still to come and will do.
        return follow_up.model_copy(update={"told_submissions": lead.submissions})
    if now < follow_up.may_tell_again_at:
        return follow_up
    opens_at = draft.terms.calendar.due_if_ever(now, 0)
    if opens_at is not None and opens_at > now:
        return follow_up.model_copy(update={"quiet_until": opens_at})
    prefix = f"again{lead.submissions}"
    draft.alert(draft.owner, "again", EVERY_CHANNEL, prefix, "again", follow_up.round)
    return follow_up.model_copy(update={"told_submissions": lead.submissions, "told_again_at": now})
