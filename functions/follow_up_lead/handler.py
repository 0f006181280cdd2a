"""The rep's side: `/l/{code}` shows one lead, `/r/{code}` a person's open leads; POST records."""

import time
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from follow_up_lead import pages, service, team_routes
from shared.adapters import dynamodb, queues
from shared.adapters.filing import Filing
from shared.adapters.lead_table import LeadTable
from shared.adapters.link_table import LinkTable
from shared.adapters.people_table import PeopleTable
from shared.adapters.policy_store import PolicyStore
from shared.observability import reactor
from shared.settings import settings

app = APIGatewayHttpResolver()
app.include_router(team_routes.router)
app.exception_handler(list(pages.ERROR_PAGES))(pages.error_page)


@cache
def parts() -> service.Parts:
    table = dynamodb.Table(dynamodb.client(), settings().table_name)
    leads, people = LeadTable(table), PeopleTable(table)
    links, filing = LinkTable(table), Filing(table)
    urls = settings().advance_queue_url, settings().alert_queue_url
    advance, alert = (queues.Queue(queues.client(), url) for url in urls)
    return service.Parts(
        leads, people, links, filing, PolicyStore(table), time.sleep, advance, alert, time.monotonic
    )


@app.route("/l/<code>", method=["GET", "HEAD"])
def show_lead(code: str) -> Response[str]:
    return pages.lead_page(service.see_lead(code, parts(), datetime.now(UTC)))


@app.post("/l/<code>")
def act_on_lead(code: str) -> Response[str]:
    posted = pages.read_form(app.current_event)
    return pages.answer(service.act_on_lead(code, posted, parts(), datetime.now(UTC)))


@reactor
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    app.context["parts"] = parts()
    return app.resolve(event, context)
