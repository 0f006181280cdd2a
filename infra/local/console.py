"""The laptop's own pages: the console, the demo landing pages, the inbox, the dashboard, the leads.

They read what is there and show it; nothing of this exists on AWS.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from infra.cli.lead_story import known_of
from infra.cli.policy_files import read_policy
from infra.local import charts, dashboard
from infra.local.inbox import Inbox
from infra.local.rendering import PAGES, locale_of, page, this_zone
from shared.acting import readable_terms
from shared.adapters.lead_table import LeadTable
from shared.adapters.link_table import LINK_LIFE, Link, LinkTable
from shared.adapters.people_table import PeopleTable
from shared.adapters.policy_store import PolicyStore
from shared.domain.calendar import HORIZON_DAYS, Calendar
from shared.domain.form import Form
from shared.domain.lead import Lead
from shared.domain.roster import Rep
from shared.domain.waiting import Listed, listed, urgency
from shared.texts import clocks, origin, words
from shared.texts.clocks import Reader
from shared.texts.promise import told
from shared.texts.whole_story import who, whole_story

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient

POLICY_FOLDER = Path(__file__).parents[1] / "policy"
DEMO_FORMS = ("demo-en", "demo-ru")
DAYS_OF_LEADS = 7
DASHBOARD_HOURS = 3
UTM_FIELDS = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")


class Running(NamedTuple):
    """What was started, for the console to name."""

    engine: str
    functions: int
    table: str
    policy_version: int
    logs: Path
    state: Path


@dataclass(frozen=True, slots=True)
class Console:
    """The pages and what they read from."""

    url: str
    team: str
    leads: LeadTable
    people: PeopleTable
    links: LinkTable
    policies: PolicyStore
    inbox: Inbox
    cloudwatch: "CloudWatchClient"
    running: Running

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/", self.home),
            Route("/people/{rep_id}/link", self.open_list, methods=["POST"]),
            *(
                Route(f"/{form_id}{suffix}", endpoint)
                for form_id in DEMO_FORMS
                for suffix, endpoint in (
                    ("", self.landing),
                    ("/plain", self.plain_landing),
                    ("/thanks", self.thanks),
                )
            ),
            Route("/inbox", self.show_inbox),
            Route("/inbox.json", self.inbox_json),
            Route("/dashboard", self.show_dashboard),
            Route("/leads", self.list_leads),
            Route("/leads/{lead_id}", self.show_lead),
            Mount("/_local/static", StaticFiles(directory=PAGES / "static")),
        ]

    # Endpoints are plain functions: Starlette runs them in a thread, where calls may block.

    def home(self, request: Request) -> Response:
        return page(request, "console.html", running=self.running, people=self._people())

    def open_list(self, request: Request) -> Response:
        """Mint a link to the person's own page, as an alert would carry it, and follow it; with
        `?lead=` to that lead on it."""
        rep_id = request.path_params["rep_id"]
        if rep_id not in {person.rep_id for person in self._people()}:
            return page(request, "missing.html", status=404)
        expires_at = int((datetime.now(UTC) + LINK_LIFE).timestamp())
        link = Link(kind="list", team=self.team, rep_id=rep_id, expires_at=expires_at)
        lead_id = request.query_params.get("lead", "")
        page_of = f"/{quote(lead_id, safe='')}" if lead_id else ""
        return RedirectResponse(f"/r/{self.links.make_link(link)}{page_of}", 303)

    # --- the landing pages ---------------------------------------------------------------------

    def landing(self, request: Request) -> Response:
        return self._landing(request, is_plain=False)

    def plain_landing(self, request: Request) -> Response:
        return self._landing(request, is_plain=True)

    def thanks(self, request: Request) -> Response:
        """Where a visitor ends; outside opening hours the address says when to expect the call."""
        form_id = demo_form_id(request)
        form, calendar = self._form(form_id)
        call_by = promised_by(request.query_params.get("call_by", ""), datetime.now(UTC))
        said = told(call_by, calendar.zone, form.language) if call_by else None
        return page(request, "thanks.html", locale=form.language, form_id=form_id, told=said)

    def _form(self, form_id: str) -> tuple[Form, Calendar]:
        policy = read_policy(POLICY_FOLDER, {"SITE": self.url})
        form = Form.model_validate(policy[f"form/{form_id}"])
        return form, Calendar.model_validate(policy[f"calendar/{form.calendar}"])

    def _landing(self, request: Request, *, is_plain: bool) -> Response:
        form, _ = self._form(demo_form_id(request))
        return page(
            request,
            "landing.html",
            locale=form.language,
            form=form,
            is_plain=is_plain,
            told=None,
            # A page without script has what its server can know.
            hidden={
                **{utm: request.query_params.get(utm, "") for utm in UTM_FIELDS},
                "referrer": request.headers.get("referer", "") if is_plain else "",
                "page_url": str(request.url) if is_plain else "",
                "idempotency_key": secrets.token_hex(16) if is_plain else "",
            },
        )

    # --- what came of it -----------------------------------------------------------------------

    def show_inbox(self, request: Request) -> Response:
        """The page, or with `?part=messages` only the list in it, which a script refreshes."""
        people = {address: rep for rep in self._people() for address in (rep.phone, rep.email)}
        chosen = request.query_params.get("person", "")
        messages = [(message, people.get(message.to)) for message in self.inbox.messages()]
        if chosen:
            messages = [(m, person) for m, person in messages if person and person.rep_id == chosen]
        is_part = request.query_params.get("part") == "messages"
        return page(
            request,
            "messages.html" if is_part else "inbox.html",
            messages=messages[::-1],
            people=self._people(),
            chosen=chosen,
        )

    def inbox_json(self, request: Request) -> Response:  # noqa: ARG002 - Starlette passes it
        return JSONResponse([message.public() for message in self.inbox.messages()])

    def show_dashboard(self, request: Request) -> Response:
        asked = request.query_params.get("hours", "")
        hours = int(asked) if asked in map(str, dashboard.PERIODS) else DASHBOARD_HOURS
        window = dashboard.Window.until(datetime.now(UTC), hours)
        return page(
            request,
            "dashboard.html",
            widgets=dashboard.read(self.cloudwatch, window, locale_of(request)),
            window=window,
            hours=hours,
            choices=dashboard.PERIODS,
            plot=charts.plot,
        )

    def list_leads(self, request: Request) -> Response:
        """The open leads by urgency, and behind them what was closed of the last days."""
        now = datetime.now(UTC)
        days = [(now - timedelta(days=back)).date().isoformat() for back in range(DAYS_OF_LEADS)]
        found = [lead for day in days for lead in reversed(self.leads.captured_on(day))]
        rows = [self._stands(lead, now) for lead in found]
        names = {person.rep_id: person.name for person in self._people()}
        return page(
            request,
            "leads.html",
            groups=[
                sorted((row for row in rows if row.lead.status == "open"), key=urgency),
                [row for row in rows if row.lead.status == "closed"],
            ],
            names=names,
            reader=reader_of(request, now),
            clocks=clocks,
            state=words.state,
            origin=origin,
            who=who,
        )

    def show_lead(self, request: Request) -> Response:
        lead_id = request.path_params["lead_id"]
        known = known_of(lead_id, self.leads, self.people, self.policies)
        if known is None:
            return page(request, "missing.html", status=404)
        return page(
            request,
            "lead.html",
            story=whole_story(known, reader_of(request, datetime.now(UTC))),
            lead_id=lead_id,
            owner=next((p for p in self._people() if p.rep_id == known.lead.rep_id), None),
            events=known.events,
            messages=[m for m in self.inbox.messages() if m.lead_id == lead_id],
        )

    def _stands(self, lead: Lead, now: datetime) -> Listed:
        return listed(lead, readable_terms(lead, self.policies), now)

    def _people(self) -> list[Rep]:
        return self.people.of_team(self.team)


def reader_of(request: Request, now: datetime) -> Reader:
    """Whoever looks at a page of this computer, in its time zone."""
    return Reader(this_zone(), now, locale_of(request))


def demo_form_id(request: Request) -> str:
    return request.url.path.split("/")[1]


def promised_by(text: str, now: datetime) -> datetime | None:
    """The moment of `2026-11-30T09:05:00Z`; None for what no calendar promises: anybody can type
    anything into an address."""
    try:
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return moment if abs(moment - now) < timedelta(days=HORIZON_DAYS) else None
