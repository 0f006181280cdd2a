"""How leads stand against their clocks, in words: with both times, and beside the targets."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple

from shared.domain.events import Reading
from shared.domain.lead import Lead
from shared.domain.waiting import Listed
from shared.texts import figures, translation, words

A_SECOND, A_MINUTE = timedelta(seconds=1), timedelta(minutes=1)


class Reader(NamedTuple):
    """Where somebody reads, when, and in which language."""

    zone: str
    now: datetime
    locale: str


class Clock(NamedTuple):
    """How a lead stands against its deadline: the short of it, and the long."""

    tone: Literal["waiting", "late", "met", "missed"]
    text: str
    detail: str


class Row(NamedTuple):
    """One clock: what it waits for, how it stands, and both of its times."""

    name: str
    state: Literal["open", "met", "late"]
    remark: str
    wall: str
    business: str
    is_all_open: bool
    """Whether both are the same time, so that it need not be said twice."""


def stands(lead: Lead, call_by: datetime, reader: Reader) -> Clock:
    """How a lead stands; `call_by` says when the call is due that it awaits."""
    zone, now, locale = reader
    _ = translation(locale).gettext
    due = {"time": figures.clock(lead.respond_by, zone, now, locale)}
    if lead.status == "open" and lead.snoozed_until is not None and now < lead.snoozed_until:
        agreed = {"time": figures.clock(lead.snoozed_until, zone, now, locale)}
        left = figures.time_left(lead.snoozed_until - now, locale)
        return Clock("waiting", _("Call agreed for %(time)s") % agreed, left)
    if lead.first_attempt_at is None:
        if lead.closed_at is not None:
            return Clock("met", _("Closed without a call"), "")
        if now < lead.respond_by:
            left = figures.time_left(lead.respond_by - now, locale)
            return Clock("waiting", _("Call by %(time)s") % due, left)
        late = figures.lateness(now - lead.respond_by, locale)
        return Clock("late", late, _("The call was due by %(time)s") % due)
    if lead.awaits_attempt:
        return _call_again(lead, call_by, reader)
    if lead.asked_again_at is not None:
        written = {"time": figures.clock(lead.asked_again_at, zone, now, locale)}
        since = figures.ago(now - lead.asked_again_at, locale)
        return Clock("waiting", _("Asked again at %(time)s") % written, since)
    called = {"time": figures.clock(lead.first_attempt_at, zone, now, locale)}
    first_call = _("First call at %(time)s") % called
    if lead.late_seconds or lead.breached_at is not None:
        late = figures.lateness(lead.first_attempt_at - lead.respond_by, locale)
        return Clock("missed", first_call, late)
    return Clock("met", first_call, _("in time"))


def _call_again(lead: Lead, call_by: datetime, reader: Reader) -> Clock:
    """Of a lead that was called before, and is to be called once more."""
    zone, now, locale = reader
    _ = translation(locale).gettext
    is_agreed = lead.follow_up.because == "snoozed"
    is_late = now >= call_by
    due = _("Another call was due by %(time)s") if is_late else _("Call again by %(time)s")
    says = _("Call back, agreed for %(time)s") if is_agreed else due
    moment = lead.counts_from if is_agreed else call_by
    text = says % {"time": figures.clock(moment, zone, now, locale)}
    if is_late:
        return Clock("late", figures.lateness(now - call_by, locale), text)
    return Clock("waiting", text, figures.time_left(call_by - now, locale))


def rows(clocks: Iterable[Reading], reader: Reader) -> list[Row]:
    """What each clock shows; the owner's only where that is something else than the customer's."""
    known = {clock.clock: clock for clock in clocks}
    response, owner = known.get("response"), known.get("owner")
    if response and owner and _is_one(response, owner):
        del known["owner"]
    return [row(clock, reader) for clock in known.values()]


def _is_one(response: Reading, owner: Reading) -> bool:
    """Whether who has the lead has had it from the start: planning takes a moment."""
    return (
        abs(owner.started_at - response.started_at) < A_MINUTE
        and owner.stopped_at == response.stopped_at
        and owner.state == response.state
    )


def row(clock: Reading, reader: Reader) -> Row:
    """A row of the clocks: what it shows in both times, and how that compares with the target."""
    zone, now, locale = reader
    _ = translation(locale).gettext
    remarks: list[str] = []
    match clock.state:
        case "met":
            remarks.append(_("in time"))
        case "late":
            remarks.append(figures.lateness(_span(clock.late_by), locale))
        case "open" if clock.due_at is not None:
            due = figures.clock(clock.due_at, zone, now, locale)
            remarks.append(_("by %(time)s") % {"time": due})
    if clock.stopped_at is None:
        remarks.append(_("running"))
    return Row(
        name=words.clock(clock.clock, locale),
        state=clock.state,
        remark=", ".join(remarks),
        wall=figures.span(_span(clock.wall_seconds), locale),
        business=figures.span(_span(clock.business_seconds), locale),
        is_all_open=_is_all(_span(clock.business_seconds), _span(clock.wall_seconds)),
    )


def _span(seconds: Decimal) -> timedelta:
    return timedelta(seconds=float(seconds))


def _is_all(business: timedelta, wall: timedelta) -> bool:
    return abs(wall - business) < A_SECOND


def since(listed: Listed, reader: Reader) -> str:
    """How long ago the lead came or began anew, in all and in opening hours."""
    _zone, now, locale = reader
    lead = listed.lead
    _ = translation(locale).gettext
    is_waiting = lead.awaits_attempt and lead.counts_from <= now
    is_waiting = is_waiting or lead.asked_again_at is not None
    says = _("waiting %(span)s") if is_waiting else _("received %(span)s ago")
    wall = now - listed.since
    received = says % {"span": figures.span(wall, locale)}
    if listed.business_seconds is None:
        return received
    business = timedelta(seconds=listed.business_seconds)
    if _is_all(business, wall):
        open_for = _("all of it in opening hours")
    else:
        open_for = _("%(span)s in opening hours") % {"span": figures.span(business, locale)}
    return f"{received}, {open_for.replace(' ', figures.NO_BREAK_SPACE)}"
