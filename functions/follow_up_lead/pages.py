"""The pages of the rep's side: what stands on them, in which words, and how they are answered."""

import base64
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qsl, quote

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from follow_up_lead.service import CURRENCIES, NOTE_LENGTH, Acted, SeenLead
from shared.domain.events import Reading
from shared.domain.lead import Lead
from shared.domain.roster import Rep, Roster
from shared.errors import RetryableError, UnknownLinkError
from shared.observability import logger, report_unexpected
from shared.texts import LOCALES, figures, mark, render, translation, words
from shared.texts.pages import page_headers
from shared.texts.plain import one_line, paragraphs
from shared.texts.story import Line, lines

FORM_LENGTH = 40_000
"""More than the longest note, percent-encoded, with everything beside it."""
_NOTHING_TYPED = dict.fromkeys(
    ("action", "reason", "amount", "currency", "until", "to_rep_id", "note"), ""
)
CONFIRMED_WITHIN = timedelta(minutes=2)
"""How long a page repeats what its reader has just recorded."""

_Sentence = tuple[HTTPStatus, str, str]
"""Status, the field that a sentence is about, the sentence."""
_SHOWN: _Sentence = (HTTPStatus.OK, "", "")
REFUSALS: Mapping[str, _Sentence] = {
    "closed": (HTTPStatus.CONFLICT, "", mark("This lead is closed already.")),
    "open": (HTTPStatus.CONFLICT, "", mark("This lead is open already.")),
    "newer_lead": (
        HTTPStatus.CONFLICT,
        "",
        mark("This person has a newer lead that is open: go on with that one."),
    ),
    "taken": (HTTPStatus.CONFLICT, "", mark("Somebody else is on it already.")),
    "already_called": (HTTPStatus.CONFLICT, "", mark("Somebody has called already.")),
    "stale_page": (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "",
        mark("This page was too old. Nothing was saved: please choose again."),
    ),
    "unknown_action": (HTTPStatus.UNPROCESSABLE_ENTITY, "", mark("Choose one of the buttons.")),
    "reason_needed": (HTTPStatus.UNPROCESSABLE_ENTITY, "reason", mark("Choose a reason.")),
    "time_needed": (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "until",
        mark("Enter a time from now on, within three months."),
    ),
    "snoozed_before": (
        HTTPStatus.CONFLICT,
        "",
        mark("The first call was put off once already: please call."),
    ),
    "person_needed": (HTTPStatus.UNPROCESSABLE_ENTITY, "to_rep_id", mark("Choose a colleague.")),
    "note_needed": (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "note",
        mark("“Other” needs a few words in the note."),
    ),
    "note_too_long": (HTTPStatus.UNPROCESSABLE_ENTITY, "note", mark("The note is too long.")),
    "amount_needed": (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "amount",
        mark("Enter the amount as a number, for example 1200 or 1200.50."),
    ),
    "currency_needed": (HTTPStatus.UNPROCESSABLE_ENTITY, "currency", mark("Choose a currency.")),
}


class Clock(NamedTuple):
    """How a lead stands against its deadline: the short of it, and the long."""

    tone: Literal["waiting", "late", "met", "missed"]
    text: str
    detail: str


def lead_page(seen: SeenLead) -> Response[str]:
    """One lead with its buttons; with the reason on top when an action was refused."""
    lead, viewer, locale, now = seen.story.lead, seen.viewer, seen.viewer.locale, seen.at
    story = lines(seen.story.events, seen.story.notes, locale)
    status, field, sentence = REFUSALS[seen.refusal.reason] if seen.refusal else _SHOWN
    return page(
        "lead.html",
        status,
        locale,
        viewer=viewer,
        list_path=seen.list_path,
        lead=lead,
        person=person_of(lead, locale),
        asked=paragraphs(lead.asked or ""),
        again=_again(lead, locale),
        clock=clock_of(lead, seen.call_by, viewer, now),
        clocks=[_read(clock, viewer, now) for clock in seen.clocks],
        state=words.state(lead, locale),
        owner=seen.roster.get(lead.rep_id),
        received=figures.clock(lead.received_at, viewer.zone, now, locale),
        received_ago=figures.ago(now - lead.received_at, locale),
        story=[_told(line, seen.roster, viewer, now) for line in reversed(story)],
        confirmation=None if seen.refusal else _confirmation(story, viewer, now),
        closing=_closing(lead, locale),
        refusal=translation(locale).gettext(sentence) if sentence else None,
        refused_field=field,
        posted={**_NOTHING_TYPED, **(seen.refusal.posted if seen.refusal else {})},
        action_id=secrets.token_hex(16),
        rejection_reasons=words.rejection_reasons(locale),
        loss_reasons=words.loss_reasons(locale),
        colleagues=[
            rep
            for rep in seen.roster.people.values()
            if rep.active and rep.rep_id not in (viewer.rep_id, lead.rep_id)
        ],
        zone=viewer.zone,
        currencies=CURRENCIES,
        usual_currency="RUB" if lead.locale == "ru" else "EUR",
        note_length=NOTE_LENGTH,
    )


def answer(acted: Acted) -> Response[str]:
    """Sends the browser to the page, so that a reload records nothing again; or says why not."""
    logger.info("person acted", extra=acted.codes)
    if acted.refused is not None:
        return lead_page(acted.refused)
    return go_to(acted.path)


def go_to(path: str) -> Response[str]:
    """Sends the browser to a page of ours, to look at it."""
    headers = {**page_headers(), "Location": path}
    return Response(HTTPStatus.SEE_OTHER, headers=headers, body="")


def error_page(error: Exception) -> Response[str]:
    """The page for an error, to somebody whose language is not known.

    Wrong, expired and foreign codes get the same one: whoever tries them learns nothing.
    """
    status, template = next(page for kind, page in ERROR_PAGES.items() if isinstance(error, kind))
    headers = page_headers()
    if isinstance(error, RetryableError):
        logger.warning("page not answered", error=error.code)
        headers["Retry-After"] = "2"
    elif status == HTTPStatus.INTERNAL_SERVER_ERROR:
        report_unexpected(error)
    languages = {locale: translation(locale).gettext for locale in LOCALES}
    return Response(status, headers=headers, body=render(template, LOCALES[0], languages=languages))


ERROR_PAGES: Mapping[type[Exception], tuple[HTTPStatus, str]] = {
    UnknownLinkError: (HTTPStatus.NOT_FOUND, "link_unknown.html"),
    NotFoundError: (HTTPStatus.NOT_FOUND, "link_unknown.html"),
    RetryableError: (HTTPStatus.SERVICE_UNAVAILABLE, "try_again.html"),
    Exception: (HTTPStatus.INTERNAL_SERVER_ERROR, "try_again.html"),
}
"""An error's page is that of the first kind which it is."""


def read_form(event: APIGatewayProxyEventV2) -> dict[str, str]:
    """What a form of these pages sent; what cannot be read is left out."""
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        body = base64.b64decode(body).decode("utf-8", "replace")
    return dict(parse_qsl(body[:FORM_LENGTH], keep_blank_values=True))


def page(template: str, status: HTTPStatus, locale: str, **context: object) -> Response[str]:
    return Response(status, headers=dict(page_headers()), body=render(template, locale, **context))


def person_of(lead: Lead, locale: str) -> dict[str, str]:
    """Who sent the form and where they came from, as far as it is known."""
    return {
        "name": one_line(lead.name or ""),
        "company": one_line(lead.company or ""),
        **_reached(lead.as_said_last, locale),
        "form": one_line(lead.form_title or lead.form_id),
        "source": one_line(lead.source or lead.channel),
        "page": one_line(lead.page or ""),
    }


def _reached(lead: Lead, locale: str) -> dict[str, str]:
    """Phone and e-mail, to read and to follow."""
    return {
        "phone": figures.phone(lead.phone, lead.phone_extension, locale) if lead.phone else "",
        "tel": quote(lead.phone or "", safe="+"),
        "email": one_line(lead.email or ""),
        "mailto": quote(lead.email or "", safe="@"),
    }


def _again(lead: Lead, locale: str) -> dict[str, str] | None:
    """What the last submission asked, and where the person could be reached before it.

    None when there was one only.
    """
    last = lead.said_again
    if last is None:
        return None
    former = _reached(lead, locale)
    return {
        **former,
        "asked": paragraphs(last.asked or "") if last.asked != lead.asked else "",
        "phone": former["phone"] if last.phone not in (None, lead.phone) else "",
        "email": former["email"] if last.email not in (None, lead.email) else "",
    }


def clock_of(lead: Lead, call_by: datetime, viewer: Rep, now: datetime) -> Clock:
    """`call_by` says when the call is due that the lead awaits."""
    locale = viewer.locale
    _ = translation(locale).gettext
    due = {"time": figures.clock(lead.respond_by, viewer.zone, now, locale)}
    if lead.status == "open" and lead.snoozed_until is not None and now < lead.snoozed_until:
        agreed = {"time": figures.clock(lead.snoozed_until, viewer.zone, now, locale)}
        return Clock("waiting", _("To be called at %(time)s") % agreed, _("as agreed"))
    if lead.first_attempt_at is None:
        if lead.closed_at is not None:
            return Clock("met", _("Closed without a call"), "")
        if now < lead.respond_by:
            left = figures.time_left(lead.respond_by - now, locale)
            return Clock("waiting", _("Call by %(time)s") % due, left)
        late = figures.lateness(now - lead.respond_by, locale)
        return Clock("late", late, _("The call was due by %(time)s") % due)
    if lead.awaits_attempt:
        return _call_again(lead, call_by, viewer, now)
    called = {"time": figures.clock(lead.first_attempt_at, viewer.zone, now, locale)}
    first_call = _("First call at %(time)s") % called
    if lead.late_seconds or lead.breached_at is not None:
        late = figures.lateness(lead.first_attempt_at - lead.respond_by, locale)
        return Clock("missed", first_call, late)
    return Clock("met", first_call, _("in time"))


def _call_again(lead: Lead, call_by: datetime, viewer: Rep, now: datetime) -> Clock:
    """Of a lead that was called before, and is to be called once more."""
    locale = viewer.locale
    _ = translation(locale).gettext
    is_agreed = lead.follow_up.because == "snoozed"
    says = _("Call back, agreed for %(time)s") if is_agreed else _("Call again by %(time)s")
    moment = lead.counts_from if is_agreed else call_by
    text = says % {"time": figures.clock(moment, viewer.zone, now, locale)}
    if now >= call_by:
        return Clock("late", text, figures.lateness(now - call_by, locale))
    return Clock("waiting", text, figures.time_left(call_by - now, locale))


def _read(clock: Reading, viewer: Rep, now: datetime) -> dict[str, str]:
    """A row of the clocks: what it shows in both times, and how that compares with the target."""
    locale = viewer.locale
    _ = translation(locale).gettext
    remarks: list[str] = []
    match clock.state:
        case "met":
            remarks.append(_("in time"))
        case "late":
            remarks.append(figures.lateness(_span(clock.late_by), locale))
        case "open" if clock.due_at is not None:
            due = figures.clock(clock.due_at, viewer.zone, now, locale)
            remarks.append(_("by %(time)s") % {"time": due})
    if clock.stopped_at is None:
        remarks.append(_("still runs"))
    return {
        "name": words.clock(clock.clock, locale),
        "state": clock.state,
        "remark": ", ".join(remarks),
        "wall": figures.span(_span(clock.wall_seconds), locale),
        "business": figures.span(_span(clock.business_seconds), locale),
    }


def _span(seconds: Decimal) -> timedelta:
    return timedelta(seconds=float(seconds))


def _told(line: Line, roster: Roster, viewer: Rep, now: datetime) -> dict[str, Any]:
    """A line of the story with names and local times."""
    _ = translation(viewer.locale).gettext
    people = [roster.get(rep_id) for rep_id in line.people]
    return {
        "at": line.at.isoformat(),
        "time": figures.clock(line.at, viewer.zone, now, viewer.locale),
        "text": line.text,
        "people": [one_line(rep.name) if rep else _("a former colleague") for rep in people],
        "note": line.note,
        "is_minor": line.is_minor,
    }


def _confirmation(story: list[Line], viewer: Rep, now: datetime) -> str | None:
    """What the reader has just recorded, in the words of the story."""
    mine = [line for line in story if line.actor == viewer.rep_id and not line.note]
    if not mine or now - mine[-1].at > CONFIRMED_WITHIN:
        return None
    return mine[-1].text


def _closing(lead: Lead, locale: str) -> str:
    """What a closed lead came to."""
    if lead.amount is not None:
        return figures.money(lead.amount, lead.currency or "", locale)
    return words.reason(lead.reason, locale)
