"""The routes of a person's list, and the page on which somebody asks for a new link to theirs."""

from datetime import UTC, datetime
from typing import cast

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from follow_up_lead import entry, new_link, pages, service, team, team_pages

# Its constructor has no types.
router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]
LOOKING = ["GET", "HEAD"]


def parts() -> service.Parts:
    return cast("service.Parts", router.context["parts"])


def now() -> datetime:
    return datetime.now(UTC)


@router.route("/r", method=LOOKING)
def show_asking() -> Response[str]:
    return team_pages.asking_page(router.current_event)


@router.post("/r")
def ask_for_link() -> Response[str]:
    posted = pages.read_form(router.current_event)
    new_link.ask_for_link(posted.get("phone", ""), parts(), now())
    return team_pages.asked_page(router.current_event)


@router.route("/r/<code>", method=LOOKING)
def show_list(code: str) -> Response[str]:
    asked = router.current_event.query_string_parameters
    seen = team.see_list(code, parts(), now(), handed_over=asked.get("lead"))
    return team_pages.list_page(seen, asked.get("told"))


@router.post("/r/<code>")
def act_on_list(code: str) -> Response[str]:
    posted = pages.read_form(router.current_event)
    return team_pages.list_answer(team.act_on_list(code, posted, parts(), now()))


@router.route("/r/<code>/new", method=LOOKING)
def show_entry(code: str) -> Response[str]:
    return team_pages.entry_page(entry.see_entry(code, parts(), now()))


@router.post("/r/<code>/new")
def enter_lead(code: str) -> Response[str]:
    posted = pages.read_form(router.current_event)
    return team_pages.entry_answer(entry.enter_lead(code, posted, parts(), now()))


@router.route("/r/<code>/<lead_id>", method=LOOKING)
def show_lead(code: str, lead_id: str) -> Response[str]:
    return pages.lead_page(service.see_lead(code, parts(), now(), lead_id))


@router.post("/r/<code>/<lead_id>")
def act_on_lead(code: str, lead_id: str) -> Response[str]:
    posted = pages.read_form(router.current_event)
    return pages.answer(service.act_on_lead(code, posted, parts(), now(), lead_id))
