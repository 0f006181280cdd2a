"""The whole story of a lead in words, for a terminal and for a page: who asked for what and where
they came from, how long things took, what happened, and who was told.

Whatever strangers typed is without anything that could turn a line or command a terminal.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.domain import events as happened
from shared.domain.alert_history import Alerted, Became, alert_history
from shared.domain.attribution import Touch
from shared.domain.clocks import Terms
from shared.domain.events import OPERATOR, LeadEvent, RecordedEvent, Verdict
from shared.domain.lead import Lead, Note
from shared.domain.submission import Submission
from shared.domain.waiting import Listed, listed
from shared.texts import channels, clocks, figures, mark, origin, translation, words
from shared.texts.alerts import HEADLINES
from shared.texts.clocks import Clock, Reader, Row
from shared.texts.plain import one_line, paragraphs
from shared.texts.story import Line, lines, what
from shared.texts.words import State


class Known(NamedTuple):
    """What is known of a lead."""

    lead: Lead
    events: Sequence[RecordedEvent]
    notes: Sequence[Note]
    submissions: Sequence[Submission]
    terms: Terms | None
    """None where the policy that the lead follows cannot be read."""
    names: Mapping[str, str]
    """Of the people of its team, by id."""

    def read_clocks(self, now: datetime) -> tuple[happened.Reading, ...]:
        """Every clock that can be read, in their order."""
        if self.terms is None:
            return tuple(self.lead.readings.values())
        return self.terms.read(self.lead, now)


class Fact(NamedTuple):
    """Something that is known, under its name."""

    name: str
    text: str


class Sent(NamedTuple):
    """One submission: the answers under the names that the form has for them."""

    time: str
    form: str
    answers: list[Fact]
    origin: list[Fact]


class Happened(NamedTuple):
    """One line of what happened, with names and local times."""

    at: datetime
    time: str
    text: str
    people: list[str]
    """Who did it, or from whom to whom it went."""
    details: list[str]
    note: str
    is_minor: bool
    is_undone: bool


class Told(NamedTuple):
    """One alert: who was told what and how, and what became of it."""

    at: datetime
    time: str
    headline: str
    person: str
    via: str
    became: Became
    says: str
    """What became of it, and why."""


class Headings(NamedTuple):
    """What the parts of a story are called."""

    sent: str
    clocks: str
    in_all: str
    in_opening_hours: str
    happened: str
    undone: str
    """What is said of a line that does not count any more."""
    told: str


class WholeStory(NamedTuple):
    """A lead with everything that can be told of it. Empty parts are those without anything."""

    headings: Headings
    title: str
    state: State
    clock: Clock
    waited: str
    facts: list[Fact]
    sent: list[Sent]
    clocks: list[Row]
    happened: list[Happened]
    told: list[Told]


_VERDICTS: Mapping[Verdict, str] = {
    "qualified": mark("Meets the definition"),
    "raw": mark("Lacks a part of the definition"),
    "non_target": mark("Not a target customer"),
}

_VIA: Mapping[happened.Via, str] = {"sms": mark("SMS"), "email": mark("E-mail")}

_REASSIGNED = {
    "no_reaction": mark("there was no reaction in time"),
    "left": mark("the owner has left"),
}


def whole_story(known: Known, reader: Reader) -> WholeStory:
    """Everything that is known of a lead, as it stands now."""
    lead = known.lead
    stands = listed(lead, known.terms, reader.now)
    _ = translation(reader.locale).gettext
    return WholeStory(
        headings=Headings(
            sent=_("What was sent"),
            clocks=_("How long it took"),
            in_all=_("in all"),
            in_opening_hours=_("in opening hours"),
            happened=_("What happened so far"),
            undone=_("undone"),
            told=_("Who was told"),
        ),
        title=who(lead) or _("No name given"),
        state=words.state(lead, reader.locale),
        clock=clocks.stands(lead, stands.call_by, reader),
        waited=clocks.since(stands, reader) if lead.status == "open" else "",
        facts=_facts(known, stands, reader),
        sent=[_sent(submission, reader) for submission in known.submissions],
        clocks=clocks.rows(known.read_clocks(reader.now), reader),
        happened=_happened(known, reader),
        told=[_told(alerted, known, reader) for alerted in alert_history(lead, known.events)],
    )


def who(lead: Lead) -> str:
    """The person's name, or how they can be reached; empty when nothing is known."""
    return one_line(lead.name or lead.phone or lead.email or "")


# --- what is known -------------------------------------------------------------------------------


def _facts(known: Known, stands: Listed, reader: Reader) -> list[Fact]:
    lead, locale = known.lead, reader.locale
    _ = translation(locale).gettext
    last = lead.as_said_last
    facts = [
        (_("Phone"), _phone(last.phone, last.phone_extension, locale)),
        (_("E-mail"), last.email),
        (_("Company"), lead.company or lead.company_domain),
        (_("Owner"), _name(lead.rep_id, known, reader) if lead.rep_id else _("Nobody yet")),
        (_("Team"), lead.team),
        (_("Form"), lead.form_title or lead.form_id),
        (_("Source"), origin.source_of(lead, locale) if lead.came else lead.source),
        (_("Channel"), origin.channel_of(lead, locale)),
        (_("Verdict"), _(_VERDICTS[lead.verdict])),
        (_("Received"), _time(lead.received_at, reader)),
        (_("Call by"), _time(stands.call_by, reader) if lead.awaits_attempt else None),
        (_("Call promised by"), _time(lead.promised_by, reader)),
        (_("Reason"), words.reason(lead.reason, locale)),
        (_("Amount"), _money(lead, locale)),
        (_("Policy"), _("version %(number)d") % {"number": lead.policy_version}),
        (_("Earlier lead"), lead.previous_lead_id),
        (_("Lead"), lead.lead_id),
    ]
    return _named(facts)


def _named(facts: Sequence[tuple[str, str | None]]) -> list[Fact]:
    """Those that say something."""
    return [Fact(name, one_line(text)) for name, text in facts if text]


def _phone(phone: str | None, extension: str | None, locale: str) -> str | None:
    return figures.phone(phone, extension, locale) if phone else None


def _money(lead: Lead, locale: str) -> str | None:
    return None if lead.amount is None else figures.money(lead.amount, lead.currency or "", locale)


def _time(moment: datetime | None, reader: Reader) -> str:
    return "" if moment is None else figures.clock(moment, reader.zone, reader.now, reader.locale)


def _name(rep_id: str, known: Known, reader: Reader) -> str:
    """A person of the team; what an operator or a machine is called stays."""
    _ = translation(reader.locale).gettext
    name = known.names.get(rep_id)
    return one_line(name) if name else _("%(rep_id)s, a former colleague") % {"rep_id": rep_id}


# --- what was sent -------------------------------------------------------------------------------


def _sent(submission: Submission, reader: Reader) -> Sent:
    _ = translation(reader.locale).gettext
    labels = {
        "name": _("Name"),
        "phone": _("Phone"),
        "email": _("E-mail"),
        "company": _("Company"),
        "message": _("Message"),
        "consent": _("Consent"),
    }
    answers = [
        Fact(labels.get(key, one_line(key)), paragraphs(text))
        for key, text in submission.values.items()
        if text.strip()
    ]
    return Sent(
        _time(submission.received_at, reader),
        one_line(submission.form_title or submission.form_id),
        answers,
        _named(list(_origin(submission, reader))),
    )


def _origin(submission: Submission, reader: Reader) -> Iterator[tuple[str, str | None]]:
    """Where somebody came from, and what told it."""
    _ = translation(reader.locale).gettext
    if submission.came:
        yield _("Source"), origin.came(submission.came, reader.locale)
        yield _("Sent through"), _("entered by hand")
        return
    touch, first = submission.touch, submission.first_touch
    aliased, by_google = (
        origin.channel(name, reader.locale)
        for name in (submission.aliased_channel, submission.channel)
    )
    yield _("Channel"), _by(aliased, submission.aliased_channel_rule)
    if by_google != aliased:
        yield _("Channel by Google"), _by(by_google, submission.channel_rule)
    yield from _visit(touch, reader)
    if submission.untagged:
        yield _("Tags"), _("none, and the visit may have cost money")
    if first is not None:
        visit = ", ".join(filter(None, (first.describe(), first.landing_page)))
        yield _("First visit"), visit
    yield _("Page"), submission.page_url
    yield _("Sent through"), submission.client
    if submission.consent is not None:
        agreed = _("given") if submission.consent else _("not given")
        yield _("Consent"), " ".join(filter(None, (agreed, submission.consent_version)))
    yield _("Files, not kept"), ", ".join(file.filename for file in submission.attachments)


def _by(channel: str, rule: str) -> str:
    """A channel, and the rule that decided where one is known."""
    return f"{channel} ({rule})" if rule else channel


def _visit(touch: Touch, reader: Reader) -> Iterator[tuple[str, str | None]]:
    _ = translation(reader.locale).gettext
    yield _("Source"), touch.describe()
    yield _("Ad"), " / ".join(filter(None, (touch.content, touch.term)))
    yield _("Click id"), touch.click_id_kind
    yield _("Came from"), touch.referrer
    yield _("Landed on"), touch.landing_page


# --- what happened -------------------------------------------------------------------------------


def _happened(known: Known, reader: Reader) -> list[Happened]:
    events = {recorded.sequence: recorded.event for recorded in known.events}
    return [
        Happened(
            at=line.at,
            time=_time(line.at, reader),
            text=line.text,
            people=[_name(rep_id, known, reader) for rep_id in line.people],
            details=[*_details(events[line.sequence], reader), *_recorded_by(line, reader)],
            note=line.note,
            is_minor=line.is_minor,
            is_undone=line.is_undone,
        )
        for line in lines(known.events, known.notes, reader)
    ]


def _recorded_by(line: Line, reader: Reader) -> Iterator[str]:
    """Who did it in somebody's name."""
    if line.actor.startswith(OPERATOR):
        _ = translation(reader.locale).gettext
        who = one_line(line.actor.removeprefix(OPERATOR))
        yield _("recorded by the operator %(who)s") % {"who": who}


def _details(event: LeadEvent, reader: Reader) -> Iterator[str]:
    """What an operator asks of an event beyond its name."""
    _ = translation(reader.locale).gettext
    match event:
        case happened.LeadCaptured() | happened.LeadResubmitted():
            yield from _captured(event, reader)
        case happened.LeadAssigned(rule=rule, passed_over=passed_over) if rule != "took_over":
            yield _("by the rule %(rule)s") % {"rule": rule}
            if passed_over:
                yield _("nobody was there for %(rules)s") % {"rules": ", ".join(passed_over)}
        case happened.AssignmentFailed(reason=reason, rule=rule):
            if reason == "all_at_their_cap":
                yield _("all are at their daily cap")
            if rule:
                yield _("by the rule %(rule)s") % {"rule": rule}
        case happened.LeadReassigned(reason=reason) if reason in _REASSIGNED:
            yield _(_REASSIGNED[reason])
        case happened.LeadAcknowledged(until=until) if until:
            yield _("until %(time)s") % {"time": _time(until, reader)}
        case happened.LeadAttempted(after_seconds=after, in_time=in_time) if after is not None:
            yield _("after %(span)s") % {"span": _short(float(after), reader.locale)}
            yield _("in time") if in_time else _("late")
        case happened.ResponseBreached(promise_broken=True):
            yield _("the visitor was promised a call by then")
        case happened.LeadReplanned(former_version=former, policy_version=version):
            yield _("version %(former)d, now %(version)d") % {"former": former, "version": version}


def _captured(
    event: happened.LeadCaptured | happened.LeadResubmitted, reader: Reader
) -> Iterator[str]:
    _ = translation(reader.locale).gettext
    criteria = event.failed_criteria if isinstance(event, happened.LeadCaptured) else ()
    lacking = f" ({', '.join(criteria)})" if criteria else ""
    yield _(_VERDICTS[event.verdict]) + lacking
    if event.promised_by is not None:
        yield _("call promised by %(time)s") % {"time": _time(event.promised_by, reader)}
    if isinstance(event, happened.LeadCaptured) and event.waited_seconds is not None:
        waited = figures.span(timedelta(seconds=float(event.waited_seconds)), reader.locale)
        yield _("waited %(span)s in the intake") % {"span": waited}


def _short(seconds: float, locale: str) -> str:
    """`4 s`, `8 min`: alerts are a matter of seconds."""
    if seconds < figures.MINUTE:
        return translation(locale).gettext("%(count)d s") % {"count": int(seconds)}
    return figures.span(timedelta(seconds=seconds), locale)


# --- who was told --------------------------------------------------------------------------------


def _told(alerted: Alerted, known: Known, reader: Reader) -> Told:
    _ = translation(reader.locale).gettext
    request = alerted.request
    return Told(
        at=alerted.at,
        time=_time(alerted.at, reader),
        headline=_(HEADLINES[request.kind]),
        person=_name(request.rep_id, known, reader),
        via=_(_VIA[request.via]),
        became=alerted.became,
        says=_became(alerted, reader),
    )


def _became(alerted: Alerted, reader: Reader) -> str:
    _ = translation(reader.locale).gettext
    match alerted.because:
        case happened.AlertSent():
            passed = (alerted.settled_at or alerted.at) - alerted.at
            return _("sent after %(span)s") % {
                "span": _short(passed.total_seconds(), reader.locale)
            }
        case happened.AlertFailed(reason=reason):
            return _("refused: %(why)s") % {"why": channels.reason(reason, reader.locale)}
        case None:
            return _("not sent yet")
        case event:
            why = what(event, reader.locale)
            return _("not needed any more: %(why)s") % {"why": why or _("its reason was gone")}
