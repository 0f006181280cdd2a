"""What happened to a lead, as lines that a person reads."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from shared.domain import events as happened
from shared.domain.events import LeadEvent, RecordedEvent
from shared.domain.lead import Note
from shared.texts import channels, mark, translation
from shared.texts.clocks import Reader
from shared.texts.figures import clock, money
from shared.texts.plain import paragraphs
from shared.texts.words import reason

_WORDS = {
    "LeadCaptured": mark("Sent the form"),
    "LeadCaptured phone": mark("Entered by hand"),
    "LeadCaptured walk-in": mark("Entered by hand"),
    "LeadResubmitted": mark("Sent a form again"),
    "LeadResubmitted phone": mark("Asked again, entered by hand"),
    "LeadResubmitted walk-in": mark("Asked again, entered by hand"),
    "LeadAssigned": mark("Assigned"),
    "LeadAssigned took_over": mark("Taken"),
    "AssignmentFailed": mark("Nobody was on duty"),
    "AlertSent together": mark("Alert by SMS, with other leads"),
    "AlertSent covered": mark("Several leads at once: one SMS leads to all of them"),
    "AlertSent sms": mark("Alert by SMS"),
    "AlertSent email": mark("Alert by e-mail"),
    "AlertFailed sms": mark("SMS could not be sent"),
    "AlertFailed email": mark("E-mail could not be sent"),
    "RepNotReached": mark("Reached by no channel, somebody else is told"),
    "RepNotReached nobody": mark("Reached by no channel, and nobody is left to tell"),
    "LeadAcknowledged": mark("On it"),
    "AcknowledgementExpired": mark("On it, and no call: free again"),
    "LeadAttempted talked": mark("Called, talked"),
    "LeadAttempted no_answer": mark("Called, no answer"),
    "LeadAttempted voicemail": mark("Called, left a message"),
    "ResponseBreached": mark("Time ran out, nobody had called"),
    "LeadEscalated backup": mark("A second person was told"),
    "LeadEscalated manager": mark("The manager was told"),
    "LeadEscalated team": mark("Offered to the whole team"),
    "LeadReassigned": mark("Reassigned"),
    "LeadReassigned took_over": mark("Taken over"),
    "LeadReassigned handed_over": mark("Handed over"),
    "LeadSnoozed": mark("To be called at an agreed time"),
    "LeadReopened": mark("Opened again"),
    "LeadReplanned": mark("Goes by newer rules"),
    "LeadRejected": mark("Not a fit"),
    "DealWon": mark("Won"),
    "DealLost": mark("Lost"),
    "NoteAdded": mark("Note"),
    "ActionUndone": mark("Undone"),
}
"""By the event's name, with the field that tells its variants apart where it has one. What is not
here matters to the machinery only."""

AGREED = mark("Call agreed for %(time)s")
_VARIANT_FIELDS = ("rang", "via", "result", "to", "rule", "reason", "came")
_PEOPLE_FIELDS = ("from_rep_id", "to_rep_id", "rep_id", "instead_rep_id")


class Line(NamedTuple):
    """One line of a story. `people` are rep ids: who did it, or from whom to whom it went."""

    at: datetime
    actor: str
    text: str
    people: tuple[str, ...] = ()
    note: str = ""
    is_minor: bool = False
    sequence: int = 0
    """Number of the event; of several that are one thing to tell, the first."""
    is_undone: bool = False
    takes_back: bool = False
    """Whether it says that something else does not count any more."""
    is_entry: bool = False
    """Whether somebody of the team entered by hand what a person wants."""


def lines(recorded: Iterable[RecordedEvent], notes: Iterable[Note], reader: Reader) -> list[Line]:
    """The story, in order."""
    locale = reader.locale
    _ = translation(locale).gettext
    written = {note.note_id: note for note in notes}
    told: list[Line] = []
    places: dict[int, int] = {}
    entered_at: datetime | None = None
    for event in recorded:
        line = _line(event, written, reader)
        if line is None:
            continue
        if line.is_entry:
            entered_at = event.at
        elif event.at == entered_at and isinstance(event.event, happened.LeadAttempted):
            # Whoever enters it talked to somebody who called or came: nobody was called.
            line = line._replace(text=_("Talked"))
        if isinstance(event.event, happened.ActionUndone):
            line = line._replace(takes_back=True)
            undone = [places[number] for number in event.event.sequences if number in places]
            for place in undone:
                told[place] = told[place]._replace(is_undone=True)
            what = [told[place].text for place in undone if not told[place].note]
            if what:
                line = line._replace(text=_("Undone: %(what)s") % {"what": what[-1]})
        places[event.sequence] = len(told)
        if told and _is_same_alert(told[-1], line, locale):
            told[-1] = told[-1]._replace(text=_("Alert by SMS and e-mail"))
        else:
            told.append(line)
    return told


def _line(recorded: RecordedEvent, notes: Mapping[str, Note], reader: Reader) -> Line | None:
    event, locale = recorded.event, reader.locale
    said = what(event, locale)
    if said is None:
        return None
    people = tuple(filter(None, (getattr(event, field, None) for field in _PEOPLE_FIELDS)))
    line = Line(recorded.at, recorded.actor, said, people, sequence=recorded.sequence)
    match event:
        case happened.LeadRejected(reason=code) | happened.DealLost(reason=code):
            return line._replace(text=f"{said}: {reason(code, locale)}")
        case happened.DealWon(amount=amount, currency=currency):
            return line._replace(text=f"{said}: {money(amount, currency, locale)}")
        case happened.LeadSnoozed(until=until):
            agreed = {"time": clock(until, reader.zone, reader.now, locale)}
            return line._replace(text=translation(locale).gettext(AGREED) % agreed)
        case happened.NoteAdded(note_id=note_id):
            # An operator may have typed in what somebody else says.
            note = notes.get(note_id)
            author, text = (note.author, paragraphs(note.text)) if note else (recorded.actor, "")
            return line._replace(people=(author,), note=text)
        case happened.LeadCaptured(came=str()) | happened.LeadResubmitted(came=str()):
            return line._replace(people=(recorded.actor,), is_entry=True)
        case happened.AlertSent():
            return line._replace(is_minor=True)
        case happened.AlertFailed(reason=code):
            why = channels.reason(code, locale)
            return line._replace(text=f"{said}: {why}", is_minor=True)
        case _:
            return line


def what(event: LeadEvent, locale: str) -> str | None:
    """What an event is called; None for one that matters to the machinery only."""
    words = _words(event)
    return None if words is None else translation(locale).gettext(words)


def _words(event: LeadEvent) -> str | None:
    if isinstance(event, happened.LeadEscalated) and event.ends_chain:
        return mark("No more alerts, the manager's list keeps it")
    if isinstance(event, happened.RepNotReached) and event.instead_rep_id is None:
        return _WORDS["RepNotReached nobody"]
    variants = (f"{event.type} {getattr(event, field, '')}" for field in _VARIANT_FIELDS)
    return next((_WORDS[name] for name in (*variants, event.type) if name in _WORDS), None)


def _is_same_alert(before: Line, line: Line, locale: str) -> bool:
    """An SMS and an e-mail to one person within a minute are one thing to tell."""
    _ = translation(locale).gettext
    return (
        {before.text, line.text} == {_("Alert by SMS"), _("Alert by e-mail")}
        and before.people == line.people
        and (line.at - before.at).total_seconds() < 60
    )
