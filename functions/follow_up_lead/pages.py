"""The pages of the rep's side: what stands on them, in which words, and how they are answered."""

import base64
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, quote

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from follow_up_lead.messengers import messengers
from follow_up_lead.service import Acted, SeenLead
from shared.adapters.lead_table import Words
from shared.domain.aliases import CANONICAL
from shared.domain.lead import Lead
from shared.domain.roster import Rep, Roster
from shared.domain.typed_action import CURRENCIES, NOTE_LENGTH, usual_currency
from shared.errors import RetryableError, UnknownLinkError
from shared.observability import logger, report_unexpected
from shared.texts import LOCALES, clocks, figures, origin, render, translation, words
from shared.texts.clocks import Reader
from shared.texts.pages import page_headers
from shared.texts.plain import one_line, paragraphs
from shared.texts.refusals import refusal
from shared.texts.story import Line, lines
from shared.texts.zones import zone_time

FORM_LENGTH = 40_000
"""More than the longest note, percent-encoded, with everything beside it."""
_NOTHING_TYPED = dict.fromkeys(
    ("action", "reason", "amount", "currency", "until", "to_rep_id", "note"), ""
)
SUBMISSIONS_SHOWN = 20
CONFIRMED_WITHIN = timedelta(minutes=2)
"""How long a page repeats what its reader has just recorded."""

REFUSALS: Mapping[str, tuple[HTTPStatus, str]] = {
    "closed": (HTTPStatus.CONFLICT, ""),
    "open": (HTTPStatus.CONFLICT, ""),
    "newer_lead": (HTTPStatus.CONFLICT, ""),
    "taken": (HTTPStatus.CONFLICT, ""),
    "already_called": (HTTPStatus.CONFLICT, ""),
    "undone_before": (HTTPStatus.CONFLICT, ""),
    "undo_gone": (HTTPStatus.CONFLICT, ""),
    "undo_late": (HTTPStatus.CONFLICT, ""),
    "stale_page": (HTTPStatus.UNPROCESSABLE_ENTITY, ""),
    "unknown_action": (HTTPStatus.UNPROCESSABLE_ENTITY, ""),
    "reason_needed": (HTTPStatus.UNPROCESSABLE_ENTITY, "reason"),
    "time_needed": (HTTPStatus.UNPROCESSABLE_ENTITY, "until"),
    "snoozed_before": (HTTPStatus.CONFLICT, ""),
    "person_needed": (HTTPStatus.UNPROCESSABLE_ENTITY, "to_rep_id"),
    "note_needed": (HTTPStatus.UNPROCESSABLE_ENTITY, "note"),
    "note_too_long": (HTTPStatus.UNPROCESSABLE_ENTITY, "note"),
    "amount_needed": (HTTPStatus.UNPROCESSABLE_ENTITY, "amount"),
    "currency_needed": (HTTPStatus.UNPROCESSABLE_ENTITY, "currency"),
}
"""Status of the page that refuses, and the field that it is about."""


def lead_page(seen: SeenLead) -> Response[str]:
    """One lead with its buttons; with the reason on top when an action was refused."""
    lead, viewer, locale, now = seen.story.lead, seen.viewer, seen.viewer.locale, seen.at
    reader = reader_of(viewer, now)
    story = lines(seen.story.events, seen.story.notes, reader)
    refused = seen.refusal.reason if seen.refusal else ""
    status, field = REFUSALS[refused] if refused else (HTTPStatus.OK, "")
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
        messengers=messengers(lead.as_said_last.phone, lead.as_said_last.phone_extension),
        said=[_said(words, viewer, now) for words in seen.story.said[-SUBMISSIONS_SHOWN:]],
        is_said_cut=len(seen.story.said) > SUBMISSIONS_SHOWN,
        former=[_former(former, seen.roster, viewer, now) for former in seen.former],
        promised=lead.promised_by and figures.clock(lead.promised_by, viewer.zone, now, locale),
        clock=clocks.stands(lead, seen.call_by, reader),
        clocks=clocks.rows(seen.clocks, reader),
        state=words.state(lead, locale),
        owner=seen.roster.get(lead.rep_id),
        handed=_handed(seen),
        received=figures.clock(lead.received_at, viewer.zone, now, locale),
        received_ago=figures.ago(now - lead.received_at, locale),
        story=[_told(line, seen.roster, viewer, now) for line in reversed(story)],
        saved=[] if seen.refusal else _saved(story, seen),
        closing=_closing(lead, locale),
        refusal=refusal(refused, locale) if refused else None,
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
        zone=zone_time(viewer.zone, now, locale),
        currencies=CURRENCIES,
        usual_currency=usual_currency(lead.country, lead.locale),
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


def reader_of(viewer: Rep, now: datetime) -> Reader:
    """Whoever looks at a page, for what is said of clocks."""
    return Reader(viewer.zone, now, viewer.locale)


def person_of(lead: Lead, locale: str) -> dict[str, str]:
    """Who sent the form and where they came from, as far as it is known."""
    return {
        "name": one_line(lead.name or ""),
        "company": one_line(lead.company or ""),
        **_reached(lead.as_said_last, locale),
        "form": one_line(lead.form_title or lead.form_id),
        "source": one_line(origin.source_of(lead, locale)),
        "channel": origin.channel_of(lead, locale),
        "page": one_line(lead.page or ""),
    }


def _reached(lead: Lead, locale: str) -> dict[str, str]:
    """Phone and e-mail, to read and to follow."""
    extension = f";ext={quote(lead.phone_extension, safe='')}" if lead.phone_extension else ""
    return {
        "phone": figures.phone(lead.phone, lead.phone_extension, locale) if lead.phone else "",
        # As RFC 3966 has it: phones dial the extension, or ask, once somebody answers.
        "tel": f"{quote(lead.phone or '', safe='+')}{extension}",
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


def _handed(seen: SeenLead) -> dict[str, str] | None:
    """Who gave the reader the lead, and with which words, until it is called."""
    lead, viewer = seen.story.lead, seen.viewer
    if lead.handed_by is None or viewer.rep_id != lead.rep_id or not lead.awaits_attempt:
        return None
    giver = seen.roster.get(lead.handed_by)
    note = next((note for note in seen.story.notes if note.note_id == lead.handed_with), None)
    former = translation(viewer.locale).gettext("a former colleague")
    return {
        "name": one_line(giver.name) if giver else former,
        "note": paragraphs(note.text) if note else "",
    }


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
        "is_undone": line.is_undone,
    }


def _said(said: Words, viewer: Rep, now: datetime) -> dict[str, Any]:
    """One submission, whole: what was asked, and the answers that Leadline knows nothing of."""
    return {
        "at": said.received_at.isoformat(),
        "time": figures.clock(said.received_at, viewer.zone, now, viewer.locale),
        "form": one_line(said.form_title),
        "asked": paragraphs(said.values.get("message", "")),
        "answers": [
            (one_line(key), paragraphs(text))
            for key, text in said.values.items()
            if key not in CANONICAL and text.strip()
        ],
    }


def _former(lead: Lead, roster: Roster, viewer: Rep, now: datetime) -> dict[str, str]:
    """A lead of the same contact, and what became of it."""
    locale = viewer.locale
    owner = roster.get(lead.rep_id)
    state, closing = words.state(lead, locale).text, _closing(lead, locale)
    return {
        "at": lead.received_at.isoformat(),
        "time": figures.clock(lead.received_at, viewer.zone, now, locale),
        "form": one_line(lead.form_title or lead.form_id),
        "asked": paragraphs(lead.asked or ""),
        "outcome": f"{state}: {closing}" if closing else state,
        "owner": one_line(owner.name) if owner else "",
    }


def _saved(story: list[Line], seen: SeenLead) -> list[dict[str, str]]:
    """What the reader has just recorded or taken back, in the words of the story; and what they can
    take back, where that is something else: a button stands beside what it undoes.
    """
    mine = [
        line
        for line in story
        if line.actor == seen.viewer.rep_id and not line.note and not line.is_undone
    ]
    numbers = seen.undoes.sequences if seen.undoes else ()
    recent = [line for line in mine if seen.at - line.at <= CONFIRMED_WITHIN]
    last = recent[-1:]
    # What somebody entered by hand was done with it, if anything was.
    entered = [line for line in recent if line.at == last[0].at and line.is_entry]
    undone = [line for line in mine if line.sequence in numbers][-1:]
    _ = translation(seen.viewer.locale).gettext
    told = [_entered(line, seen) for line in entered if line.sequence > 1 or line in last]
    return [{"text": text, "undoes": ""} for text in told] + [
        {
            "text": line.text if line.takes_back else _("Saved: %(what)s") % {"what": line.text},
            "undoes": seen.undoes.action_id if seen.undoes and line in undone else "",
        }
        for line in (*last, *(line for line in undone if line not in last))
        if line not in entered
    ]


def _entered(line: Line, seen: SeenLead) -> str:
    """What became of what the reader entered by hand: the lead's first line, or a further one."""
    _ = translation(seen.viewer.locale).gettext
    if line.sequence > 1:
        return _("Saved: added to the open lead that this person has")
    return _("Saved: given to the team")


def _closing(lead: Lead, locale: str) -> str:
    """What a closed lead came to."""
    if lead.amount is not None:
        return figures.money(lead.amount, lead.currency or "", locale)
    return words.reason(lead.reason, locale)
