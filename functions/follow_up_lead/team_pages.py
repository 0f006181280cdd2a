"""The pages of a person's list: the open leads, entering one by hand, and asking for a new link."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from itertools import groupby
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from follow_up_lead.entry import FIELDS, Entered, SeenEntry
from follow_up_lead.pages import REFUSALS, go_to, page, person_of, reader_of
from follow_up_lead.service import UNDO_REFUSED
from follow_up_lead.team import ActedOnList, Member, SeenList
from shared.domain.form import max_length
from shared.domain.roster import Rep, Roster
from shared.domain.waiting import Listed
from shared.http import HttpRequest
from shared.observability import logger
from shared.texts import LOCALES, clocks, figures, mark, refusals, translation, words
from shared.texts.plain import one_line

NOT_FREE = mark("This lead is not free any more: a colleague has it, or it is closed.")
TOLD: Mapping[str | None, str] = {
    "handed_over": mark("Saved: handed over."),
    "undone": mark("Undone. The lead is not in your list any more."),
    "given": mark("Saved: given to the team."),
    "added": mark("Saved. The person has an open lead already: it was added there."),
    "joined": mark(
        "Saved. The person has an open lead already, which a colleague has: it was added there."
    ),
}
"""What a list says of what was just done and is not in it, by the word in its address."""
ON_PAGE = ("came", *FIELDS, "form_id", "then")
"""The fields of the page to enter a lead on, in their order."""
_NOTHING_TYPED = dict.fromkeys(ON_PAGE, "")


def list_page(seen: SeenList, told: str | None = None) -> Response[str]:
    """The open leads, in groups by urgency; with the reason on top when an action was refused."""
    viewer, locale, now = seen.viewer, seen.viewer.locale, seen.at
    _ = translation(locale).gettext
    rows = [_row(listed, seen.roster, viewer, now) for listed in seen.leads]
    # A rep's are the others; a manager's are all of the team.
    free = sum(row["is_free"] for row in rows) if viewer.role == "rep" else 0
    status, refusal = HTTPStatus.OK, ""
    if seen.refusal == "not_free":
        status, refusal = HTTPStatus.CONFLICT, NOT_FREE
    elif seen.refusal:
        status, refusal = REFUSALS[seen.refusal][0], refusals.REFUSALS[seen.refusal]
    elif told in UNDO_REFUSED:
        refusal = refusals.REFUSALS[told]
    confirmation = "" if refusal else TOLD.get(told, "")
    return page(
        "leads.html",
        status,
        locale,
        viewer=viewer,
        path=seen.path,
        groups=[(stage, list(group)) for stage, group in groupby(rows, lambda row: row["stage"])],
        count=len(rows) - free,
        free=free,
        as_of=figures.clock(now, viewer.zone, now, locale),
        members=[_member(member, viewer, now) for member in seen.members],
        action_id=secrets.token_hex(16),
        refusal=_(refusal) if refusal else "",
        confirmation=_(confirmation) if confirmation else "",
        handed_over=seen.handed_over if told == "handed_over" else None,
    )


def list_answer(acted: ActedOnList) -> Response[str]:
    """Sends the browser to look at what came of it; or says why nothing did."""
    logger.info("person acted", extra=acted.codes)
    return list_page(acted.refused) if acted.refused else go_to(acted.path)


def entry_page(seen: SeenEntry) -> Response[str]:
    """The form for a lead that came by phone or through the door, as it was typed."""
    locale = seen.viewer.locale
    found = {error.field: error.detail for error in reversed(seen.errors)}
    errors = {name: found[name] for name in ON_PAGE if name in found}
    return page(
        "enter.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK,
        locale,
        viewer=seen.viewer,
        list_path=seen.path,
        forms=[{"form_id": form.form_id, "title": one_line(form.title)} for form in seen.forms],
        lengths={name: max_length(rule, name) for name, rule in FIELDS.items()},
        posted={**_NOTHING_TYPED, **seen.posted},
        errors=errors,
        action_id=seen.posted.get("action_id") or secrets.token_hex(16),
    )


def entry_answer(entered: Entered) -> Response[str]:
    """Sends the browser to the lead; or says what is to be mended."""
    logger.info("lead entered", extra=entered.codes)
    return entry_page(entered.refused) if entered.refused else go_to(entered.path)


def asking_page(event: APIGatewayProxyEventV2) -> Response[str]:
    """Where somebody whose link opens nothing any more asks for a new one."""
    return page("ask_link.html", HTTPStatus.OK, _asked_in(event), is_asked=False)


def asked_page(event: APIGatewayProxyEventV2) -> Response[str]:
    """The one answer, whoever asked."""
    return page("ask_link.html", HTTPStatus.OK, _asked_in(event), is_asked=True)


def _asked_in(event: APIGatewayProxyEventV2) -> str:
    """The language of the page that led here, or else the browser's: whose it is we do not know."""
    led_from = event.query_string_parameters.get("lang")
    if led_from in LOCALES:
        return led_from
    headers = {name.lower(): text for name, text in event.headers.items()}
    return HttpRequest("GET", "/r", headers=headers).locale("en")


def _row(listed: Listed, roster: Roster, viewer: Rep, now: datetime) -> dict[str, Any]:
    lead, reader = listed.lead, reader_of(viewer, now)
    owner = roster.get(lead.rep_id)
    return {
        "lead_id": lead.lead_id,
        "stage": listed.stage,
        "person": person_of(lead, viewer.locale),
        "asked": one_line(lead.as_said_last.asked or ""),
        "clock": clocks.stands(lead, listed.call_by, reader),
        "state": words.state(lead, viewer.locale),
        "owner": one_line(owner.name) if owner else "",
        "is_mine": lead.rep_id == viewer.rep_id,
        "is_free": listed.is_free,
        "since": clocks.since(listed, reader),
    }


def _member(member: Member, viewer: Rep, now: datetime) -> dict[str, Any]:
    """Somebody of the team: whether they are given leads, and what they have."""
    rep = member.rep
    say = words.own_hindrance if viewer.role == "rep" else words.hindrance
    why = (say(one, viewer.zone, now, viewer.locale) for one in member.hindrances)
    return {
        "name": one_line(rep.name),
        "is_there": not member.hindrances,
        "is_on_duty": rep.on_duty and not rep.is_suspended,
        "why": [says for says in why if says],
        "leads": member.leads,
        "late": member.late,
    }
