"""What codes are called when a person reads them: reasons, and the state that a lead is in."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from shared.domain.actions import LOSS_REASONS, REJECTION_REASONS
from shared.domain.events import ClockName
from shared.domain.lead import Lead
from shared.domain.standing import Hindrance, Why
from shared.texts import figures, mark, translation

_REASON_GROUPS = {
    "data": mark("The data"),
    "fit": mark("The fit"),
    "reach": mark("The contact"),
    "deal": mark("The deal"),
    "timing": mark("The timing"),
    "ours": mark("Our side"),
    "other": mark("Something else"),
}

_REASONS = {
    "data.bad_phone": mark("Wrong phone number"),
    "data.duplicate": mark("Duplicate"),
    "data.spam": mark("Spam"),
    "data.test": mark("A test"),
    "fit.segment": mark("Not our kind of customer"),
    "fit.region": mark("Not our region"),
    "fit.no_need": mark("No real need"),
    "fit.job_seeker_or_vendor": mark("Job seeker or vendor"),
    "fit.freebie_only": mark("Only wanted the free offer"),
    "reach.no_answer": mark("Could not be reached"),
    "deal.price": mark("Price"),
    "deal.competitor": mark("Chose a competitor"),
    "deal.missing_feature": mark("We lack what they need"),
    "deal.no_decision_maker": mark("Never reached who decides"),
    "deal.no_budget": mark("No budget"),
    "timing.later": mark("Not now, perhaps later"),
    "ours.late": mark("We were too late"),
    "ours.no_capacity": mark("We had no capacity"),
    "ours.no_argument": mark("We had no good answer"),
    "other": mark("Other"),
}


class ReasonGroup(NamedTuple):
    """Reasons of one kind, as `(code, words)`."""

    label: str
    reasons: list[tuple[str, str]]


def reason(code: str | None, locale: str) -> str:
    """The words for a reason; a code of a newer version stays a code."""
    return translation(locale).gettext(_REASONS.get(code, code)) if code else ""


def rejection_reasons(locale: str) -> list[ReasonGroup]:
    """Why a lead is no lead, for a page to choose from."""
    return _grouped(REJECTION_REASONS, locale)


def loss_reasons(locale: str) -> list[ReasonGroup]:
    """Why a deal was lost, for a page to choose from."""
    return _grouped(LOSS_REASONS, locale)


def _grouped(codes: tuple[str, ...], locale: str) -> list[ReasonGroup]:
    groups: dict[str, ReasonGroup] = {}
    for code in codes:
        kind = code.partition(".")[0]
        label = translation(locale).gettext(_REASON_GROUPS[kind])
        group = groups.setdefault(kind, ReasonGroup(label, []))
        group.reasons.append((code, reason(code, locale)))
    return list(groups.values())


_CLOCKS: Mapping[ClockName, str] = {
    "response": mark("First call"),
    "acknowledge": mark("Somebody is on it"),
    "contact": mark("First talk"),
    "qualify": mark("Outcome"),
    "owner": mark("First call by the owner"),
}


def clock(name: ClockName, locale: str) -> str:
    """What a clock waits for."""
    return translation(locale).gettext(_CLOCKS[name])


_HINDRANCES: Mapping[Why, str] = {
    "inactive": mark("Has left the team"),
    "manager": mark("Manager: is given no leads"),
    "unreachable": mark("No phone and no e-mail"),
    "off_duty": mark("Off duty"),
    "suspended": mark("Off duty: two alerts were not answered"),
    "absent": mark("Away until %(time)s"),
    "out_of_shift": mark("Out of shift until %(time)s"),
    "never_on_shift": mark("The shift never begins"),
    "at_cap": mark("Has had all leads of the day"),
}


def hindrance(found: Hindrance, zone: str, now: datetime, locale: str) -> str:
    """What keeps somebody from being given a lead; times are those of a zone."""
    until = figures.clock(found.until, zone, now, locale) if found.until else ""
    return translation(locale).gettext(_HINDRANCES[found.why]) % {"time": until}


_OWN_HINDRANCES: Mapping[Why, str] = {
    "unreachable": mark("Your phone and e-mail are not entered: tell your manager."),
    "suspended": mark("Two alerts were not answered."),
    "absent": mark("You are away until %(time)s."),
    "out_of_shift": mark("You are out of shift until %(time)s."),
    "never_on_shift": mark("Your shift never begins: tell your manager."),
    "at_cap": mark("You have had all leads of the day."),
}
"""What the page says of the duty switch is not said once more."""


def own_hindrance(found: Hindrance, zone: str, now: datetime, locale: str) -> str:
    """The same to the person themselves; empty where whether they are on duty says it all."""
    says = _OWN_HINDRANCES.get(found.why)
    until = figures.clock(found.until, zone, now, locale) if found.until else ""
    return translation(locale).gettext(says) % {"time": until} if says else ""


Tone = Literal["new", "mine", "called", "talked", "won", "lost"]


class State(NamedTuple):
    """Where a lead stands, in a word or two."""

    tone: Tone
    text: str


def state(lead: Lead, locale: str) -> State:
    """Where the lead stands; who is on it is said elsewhere."""
    _ = translation(locale).gettext
    match lead.outcome:
        case "won":
            return State("won", _("Won"))
        case "lost":
            return State("lost", _("Lost"))
        case "rejected":
            return State("lost", _("Not a fit"))
    if lead.contacted_at is not None:
        return State("talked", _("Talked"))
    if lead.first_attempt_at is not None:
        said = _("Left a message") if lead.last_result == "voicemail" else _("No answer")
        calls = _(", calls: %(count)d") % {"count": lead.attempts} if lead.attempts > 1 else ""
        return State("called", said + calls)
    if lead.acknowledged_at is not None:
        return State("mine", _("On it"))
    if lead.snoozed_until is not None:
        return State("mine", _("Call agreed"))
    return State("new", _("New"))
