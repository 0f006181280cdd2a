"""The words of an alert: an SMS of one or two segments, and an e-mail as SNS takes it.

Whatever a visitor typed can neither begin a line of its own, nor reach a header, nor push out the
phone, the deadline or the link.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from shared.domain.events import AlertKind
from shared.domain.lead import Lead
from shared.domain.roster import Rep
from shared.texts import mark, translation
from shared.texts.figures import ago, clock, lateness, phone, time_left
from shared.texts.origin import source_of
from shared.texts.plain import cut, one_line, paragraphs

HEADLINES: dict[AlertKind, str] = {
    "new": mark("New lead"),
    "reassigned": mark("Now yours, nobody called"),
    "repeat": mark("Still waiting"),
    "backup": mark("Please step in"),
    "reminder": mark("Not called yet"),
    "breach": mark("Nobody called in time"),
    "offer": mark("Free to take"),
    "unassigned": mark("Nobody on duty"),
    "again": mark("Asked again"),
    "handed_over": mark("Handed over to you"),
    "callback": mark("Time to call, as agreed"),
    "reopened": mark("Open again"),
    "unreachable": mark("Please see to it: the owner cannot be reached"),
    "off_duty": mark("Off duty: alerts were not answered"),
}

SUBJECT_LENGTH = 99
"""SNS takes fewer than 100 characters of UTF-8 text, and no line break or control character."""


class Colleague(NamedTuple):
    """Who gave the lead to its owner, with their words; or who has it, to anybody else."""

    name: str
    note: str | None = None


class Email(NamedTuple):
    """A plain-text message; the subject is one line that SNS accepts."""

    subject: str
    text: str


# --- SMS -----------------------------------------------------------------------------------------

GSM_LETTERS = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_ESCAPED_LETTERS = frozenset("\f^{}\\[~]|€")
"""They take two places."""
GSM_ALPHABET = GSM_LETTERS | GSM_ESCAPED_LETTERS
GSM_SEGMENTS = (160, 153)
UCS2_SEGMENTS = (70, 67)
"""Places in a message of one segment, and in each segment of a longer one."""
SEGMENTS = 2

TYPEWRITTEN = str.maketrans(
    {
        **dict.fromkeys("“”„«»", '"'),
        **dict.fromkeys("‘’‚`´", "'"),
        **dict.fromkeys("‐‑‒–—−", "-"),
        "…": "...",
        "\u00a0": " ",
        "\u202f": " ",
    }
)
"""One typographic quote would turn a Latin text into UCS-2, at half the room."""


LONGEST = {"name": 40, "colleague": 120, "origin": 48, "asked": 220}
CUTS = (
    ("asked", 48),
    ("origin", 16),
    ("origin", 0),
    ("asked", 24),
    ("colleague", 64),
    ("asked", 0),
    ("colleague", 0),
    ("name", 0),
)
"""What gives way first in a text that is too long, and down to how much of it."""
FRAME_CUTS = ("email", "headline", "deadline")
"""What goes, whole, when not even the rest fits: never the phone, never the link."""
WORTH_SAYING = 12
SHORTEST_NAME = 8
"""Less than this of a cut text, or of a name, says nothing and is left out."""


def segments(text: str) -> int:
    """How many SMS a text is billed and sent as. No segment ends within a letter."""
    if _is_gsm(text):
        places = [2 if letter in GSM_ESCAPED_LETTERS else 1 for letter in text]
        alone, each = GSM_SEGMENTS
    else:
        places = [2 if ord(letter) > 0xFFFF else 1 for letter in text]
        alone, each = UCS2_SEGMENTS
    if sum(places) <= alone:
        return 1
    count, taken = 1, 0
    for place in places:
        if taken + place > each:
            count, taken = count + 1, 0
        taken += place
    return count


def _is_gsm(text: str) -> bool:
    return GSM_ALPHABET.issuperset(text)


def sms(
    lead: Lead,
    alert_kind: AlertKind,
    reader: Rep,
    link: str,
    now: datetime,
    colleague: Colleague | None = None,
) -> str:
    """The text message. Too long, it loses of what was asked, of the origin, of what a colleague
    says, and of the name.
    """
    lead, locale, zone = _as_told(lead, alert_kind), reader.locale, reader.zone
    frame = {
        "headline": translation(locale).gettext(headline(lead, alert_kind, reader)),
        "phone": _phone(lead, locale),
        "email": "" if lead.phone else one_line(lead.email or ""),
        "deadline": _deadline_in_short(lead, locale, zone, now),
    }
    said = {
        "name": _typewritten(lead.name),
        "colleague": _typewritten(_colleague(colleague, alert_kind, locale)),
        "origin": _typewritten(_origin(lead, locale)),
        "asked": _typewritten(lead.asked),
    }
    dots = ".." if _is_gsm("".join((*frame.values(), *said.values()))) else "…"

    def message(lengths: Mapping[str, int]) -> str:
        name, of_colleague, origin, asked = (
            _worth_saying(part, text, cut(text, lengths[part], dots)) for part, text in said.items()
        )
        first = ": ".join(filter(None, (frame["headline"], name)))
        contact = frame["phone"] or frame["email"]
        facts = (first, contact, of_colleague, asked, origin, frame["deadline"], link)
        return "\n".join(filter(None, facts))

    def fits(lengths: Mapping[str, int]) -> bool:
        return segments(message(lengths)) <= SEGMENTS

    for piece in FRAME_CUTS:
        if not fits(dict.fromkeys(said, 0)):
            frame[piece] = ""
    most = {part: min(len(text), LONGEST[part]) for part, text in said.items()}
    return message(_fitted(most, fits))


def _fitted(most: Mapping[str, int], fits: Callable[[Mapping[str, int]], bool]) -> dict[str, int]:
    """Lengths with which a text fits: each as long as it can be, once the later cuts are made."""
    lengths = dict(most)

    def longest(part: str, least: int, length: int) -> int:
        return _longest(least, length, lambda tried: fits({**lengths, part: tried}))

    for part, least in CUTS:
        lengths[part] = longest(part, least, lengths[part])
    for part in ("name", "colleague", "asked", "origin"):
        lengths[part] = longest(part, lengths[part], most[part])
    return lengths


def _longest(least: int, most: int, fits: Callable[[int], bool]) -> int:
    """The greatest length up to `most` that fits, or `least` if none above it does.

    A text that is cut takes the more room the longer it is. A whole one may take less than when it
    is cut, since the dots of a cut can turn a Latin text into UCS-2: so that is tried first.
    """
    if most <= least or fits(most):
        return most
    shorter = range(least + 1, most)
    return least + bisect_left(shorter, x=True, key=lambda length: not fits(length))


def _worth_saying(part: str, text: str, shortened: str) -> str:
    least = SHORTEST_NAME if part == "name" else WORTH_SAYING
    return shortened if shortened == text or len(shortened) >= least else ""


def _typewritten(text: str | None) -> str:
    return one_line(text or "").translate(TYPEWRITTEN)


def _deadline_in_short(lead: Lead, locale: str, zone: str, now: datetime) -> str:
    if not _has_deadline(lead):
        return ""
    _ = translation(locale).gettext
    time = clock(lead.respond_by, zone, now, locale)
    late = now >= lead.respond_by
    return (_("call was due %(time)s") if late else _("call by %(time)s")) % {"time": time}


def together_sms(rep: Rep, link: str) -> str:
    """The one message for all further leads of a burst: it leads to the list."""
    said = translation(rep.locale).gettext("Several leads at once. All of them:")
    return f"{said}\n{link}"


def _has_deadline(lead: Lead) -> bool:
    """Only the first call has one that the lead knows: of a later one the page tells."""
    return lead.awaits_attempt and lead.first_attempt_at is None


def headline(lead: Lead, kind: AlertKind, reader: Rep) -> str:
    """What an alert says first, in English. A lead that was called before was not simply left
    alone, and nobody is offered what they have.
    """
    if kind == "offer" and reader.rep_id == lead.rep_id:
        return HEADLINES["repeat"]
    if kind == "breach" and lead.first_attempt_at is not None:
        return mark("Not called again")
    if kind == "reassigned" and lead.first_attempt_at is not None:
        return mark("Now yours")
    return HEADLINES[kind]


# --- e-mail --------------------------------------------------------------------------------------


def email(
    lead: Lead,
    alert_kind: AlertKind,
    reader: Rep,
    link: str,
    now: datetime,
    colleague: Colleague | None = None,
) -> Email:
    """The e-mail, with everything that the reader needs for the call. A list is a rep's own, or the
    team's.
    """
    lead, locale, zone = _as_told(lead, alert_kind), reader.locale, reader.zone
    _ = translation(locale).gettext
    heading = _(headline(lead, alert_kind, reader))
    name = one_line(lead.name or "")
    subject = ", ".join(
        filter(None, (name, one_line(lead.company or ""), one_line(lead.form_title)))
    )
    is_list = link.rsplit("/", 2)[-2:-1] == ["r"]
    lists = {"rep": _("Your open leads:"), "manager": _("The team's open leads:")}
    open_link = lists[reader.role] if is_list else _("Open the lead and say how the call went:")
    note = colleague.note if colleague else None
    about_colleague = None if note else _colleague(colleague, alert_kind, locale, in_full=True)
    facts = [
        (_("Name"), name),
        (_("Phone"), _phone_with_link(lead, locale)),
        (_("E-mail"), one_line(lead.email or "")),
        (_("Company"), one_line(lead.company or "")),
        (_("Form"), one_line(lead.form_title or lead.form_id)),
        (_("Source"), one_line(source_of(lead, locale))),
        (_("Page"), one_line(lead.page or "")),
        (
            _("Received"),
            f"{clock(lead.received_at, zone, now, locale)}, {ago(now - lead.received_at, locale)}",
        ),
    ]
    blocks = [
        "\n".join(filter(None, (heading, _deadline(lead, locale, zone, now), about_colleague))),
        _quoted(_("Note from %(name)s") % {"name": one_line(colleague.name)}, note)
        if colleague and note
        else "",
        "\n".join(f"{label}: {value}" for label, value in facts if value),
        _quoted(_("What was asked"), lead.asked),
        f"{open_link}\n{link}",
    ]
    return Email(
        subject_line(f"{heading}: {subject}" if subject else heading),
        "\n\n".join(filter(None, blocks)) + "\n",
    )


def subject_line(text: str) -> str:
    """As much of one line as SNS takes for a subject, in UTF-16 should it count that."""
    astral = sum(ord(letter) > 0xFFFF for letter in text[:SUBJECT_LENGTH])
    return cut(text, SUBJECT_LENGTH - astral)


def _phone_with_link(lead: Lead, locale: str) -> str:
    """The phone, with a link that starts the call."""
    return f"{_phone(lead, locale)} (tel:{one_line(lead.phone)})" if lead.phone else ""


def _deadline(lead: Lead, locale: str, zone: str, now: datetime) -> str:
    if not _has_deadline(lead):
        return ""
    _ = translation(locale).gettext
    time = clock(lead.respond_by, zone, now, locale)
    if now < lead.respond_by:
        due, distance = _("Call by %(time)s"), time_left(lead.respond_by - now, locale)
    else:
        due, distance = _("The call was due by %(time)s"), lateness(now - lead.respond_by, locale)
    return f"{due % {'time': time}}. {distance}."


def _quoted(heading: str, text: str | None) -> str:
    """A visitor's lines, marked as such: none can pass for one of ours."""
    lines = paragraphs(text or "").splitlines()
    return "\n".join([f"{heading}:", *(f"> {line}".rstrip() for line in lines)]) if lines else ""


# --- about a colleague ----------------------------------------------------------------------------


def off_duty_sms(who: Rep, reader: Rep, link: str) -> str:
    """That somebody gets no more leads, because they did not answer: to them, or to a manager."""
    _ = translation(reader.locale).gettext
    if who == reader:
        said = _("You are off duty now: two alerts were not answered. To be back, open this:")
        return f"{said}\n{link}"
    name, said = _typewritten(who.name), _("%(name)s is off duty: two alerts unanswered.")
    dots = ".." if _is_gsm(said + name) else "…"

    def message(length: int) -> str:
        return f"{said % {'name': cut(name, length, dots)}}\n{link}"

    most = min(len(name), LONGEST["name"])
    return message(
        _longest(SHORTEST_NAME, most, lambda tried: segments(message(tried)) <= SEGMENTS)
    )


def off_duty_email(who: Rep, reader: Rep, link: str) -> Email:
    """The same in more words."""
    _ = translation(reader.locale).gettext
    if who == reader:
        return Email(
            _("You are off duty now"),
            _(
                "You did not answer the alerts about two leads in a row, so new ones go to others"
                " for the time being.\n\nRecord what you did about this lead, or ask your manager,"
                " and you are back on duty:"
            )
            + f"\n{link}\n",
        )
    name = {"name": one_line(who.name)}
    return Email(
        subject_line(_("%(name)s is off duty now") % name),
        _(
            "%(name)s did not answer the alerts about two leads in a row. New leads go to others,"
            " until %(name)s acts on one or is put on duty again.\n\nThe team's open leads:"
        )
        % name
        + f"\n{link}\n",
    )


# --- what somebody asked for ----------------------------------------------------------------------


def new_link_sms(locale: str, link: str) -> str:
    """The link to the reader's list, which somebody asked for on their number."""
    said = translation(locale).gettext("Your open leads. If you did not ask for this, ignore it.")
    return f"{said}\n{link}"


# --- both ----------------------------------------------------------------------------------------


def _colleague(
    colleague: Colleague | None, kind: AlertKind, locale: str, *, in_full: bool = False
) -> str:
    """Who gives the lead, with what they say; or who has it, to anybody else."""
    if colleague is None:
        return ""
    _ = translation(locale).gettext
    said = _("From %(name)s")
    if kind != "handed_over":
        # Who has it now need not be who did not call.
        said = _("Now with %(name)s") if in_full else _("With %(name)s")
    name = one_line(colleague.name)
    return ": ".join(filter(None, (said % {"name": name}, one_line(colleague.note or ""))))


def _phone(lead: Lead, locale: str) -> str:
    return one_line(phone(lead.phone, lead.phone_extension, locale)) if lead.phone else ""


def _origin(lead: Lead, locale: str) -> str:
    source = source_of(lead, locale) if lead.came or lead.source else None
    return ", ".join(filter(None, (lead.form_title or lead.form_id, source)))


def _as_told(lead: Lead, alert_kind: AlertKind) -> Lead:
    """Who asks again may leave another number and other words: those are the news."""
    return lead.as_said_last if alert_kind == "again" else lead
