"""The page of open leads."""

from datetime import datetime, timedelta
from http import HTTPStatus
from itertools import groupby
from typing import Any

from aws_lambda_powertools.event_handler import Response

from follow_up_lead.pages import clock_of, page, person_of
from follow_up_lead.team import Listed, SeenList
from shared.domain.roster import Rep, Roster
from shared.texts import figures, translation, words
from shared.texts.plain import one_line


def list_page(seen: SeenList) -> Response[str]:
    """The open leads, in groups by urgency."""
    viewer, locale, now = seen.viewer, seen.viewer.locale, seen.at
    rows = [_row(listed, seen.roster, viewer, now) for listed in seen.leads]
    return page(
        "leads.html",
        HTTPStatus.OK,
        locale,
        viewer=viewer,
        groups=[(stage, list(group)) for stage, group in groupby(rows, lambda row: row["stage"])],
        count=len(rows),
        as_of=figures.clock(now, viewer.zone, now, locale),
    )


def _row(listed: Listed, roster: Roster, viewer: Rep, now: datetime) -> dict[str, Any]:
    lead = listed.lead
    owner = roster.get(lead.rep_id)
    return {
        "stage": listed.stage,
        "person": person_of(lead, viewer.locale),
        "asked": one_line(lead.asked or ""),
        "clock": clock_of(lead, listed.call_by, viewer, now),
        "state": words.state(lead, viewer.locale),
        "owner": one_line(owner.name) if owner else "",
        "is_mine": lead.rep_id == viewer.rep_id,
        "since": _since(listed, viewer, now),
    }


def _since(listed: Listed, viewer: Rep, now: datetime) -> str:
    """How long ago the lead came or began anew, in all and in opening hours."""
    locale, lead = viewer.locale, listed.lead
    _ = translation(locale).gettext
    is_waiting = lead.awaits_attempt and lead.counts_from <= now
    says = _("waiting %(span)s") if is_waiting else _("received %(span)s ago")
    since = says % {"span": figures.span(now - listed.since, locale)}
    if listed.business_seconds is None:
        return since
    business = figures.span(timedelta(seconds=listed.business_seconds), locale)
    return f"{since}, {_('%(span)s in opening hours') % {'span': business}}"
