"""The handler over the template's table, as a browser meets it."""

from typing import Any, cast
from urllib.parse import urlencode

from aws_lambda_powertools.utilities.typing import LambdaContext

from follow_up_lead import handler
from follow_up_lead.service import Parts
from shared.adapters.dynamodb import Table
from shared.adapters.filing import Filing
from shared.adapters.lead_table import LeadTable
from shared.adapters.link_table import Link, LinkTable
from shared.adapters.people_table import PeopleTable
from shared.domain.lead import Lead
from tests.unit.adapters.samples import a_submission, captured
from tests.unit.domain.samples import ANNA, BORIS, MARIA
from tests.unit.follow_up_lead.fakes import FakePolicies
from tests.unit.functions.fakes import FakeQueue

FOREVER = 2**40


class Context:
    function_name = "follow_up_lead"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:follow_up_lead"
    aws_request_id = "52fdfc07-2182-154f-163f-5f0f9a621d72"


class Site:
    """Anna's lead, her links, and a browser."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.leads = LeadTable(table)
        self.people, self.links = PeopleTable(table), LinkTable(table)
        self.filing = Filing(table)
        self.policies = FakePolicies()
        self.advance_queue, self.alert_queue = FakeQueue(), FakeQueue()
        self.pauses: list[float] = []
        for rep in (ANNA, BORIS, MARIA):
            self.people.put_rep(rep)
        submission = a_submission()
        filed = self.filing.capture(submission, captured(submission))
        self.lead_id = filed.lead_id
        self.lead_code = self.links.make_link(self.link(lead_id=filed.lead_id))
        self.list_code = self.links.make_link(self.link(kind="list", rep_id="maria"))

    @property
    def parts(self) -> Parts:
        return Parts(
            self.leads,
            self.people,
            self.links,
            self.filing,
            self.policies,
            self.pauses.append,
            self.advance_queue,
            self.alert_queue,
            lambda: 100.0,
        )

    @staticmethod
    def link(**fields: Any) -> Link:
        return Link.model_validate(
            {"kind": "lead", "team": "sales", "rep_id": "anna", "expires_at": FOREVER, **fields}
        )

    def send(self, method: str, path: str, body: str | None = None, **more: Any) -> dict[str, Any]:
        event = {
            "version": "2.0",
            "routeKey": f"{method} {path}",
            "rawPath": path,
            "rawQueryString": "",
            "headers": {"content-type": "application/x-www-form-urlencoded"},
            "requestContext": {
                "http": {"method": method, "path": path},
                "stage": "$default",
                "requestId": "r",
            },
            "body": body,
            "isBase64Encoded": False,
            **more,
        }
        answer: dict[str, Any] = handler.handler(event, cast("LambdaContext", Context()))
        return answer

    def post(self, **form: str) -> dict[str, Any]:
        return self.send("POST", f"/l/{self.lead_code}", urlencode(form))

    def lead(self) -> Lead:
        lead = self.leads.lead(self.lead_id)
        assert lead is not None
        return lead

    def everything(self) -> list[Any]:
        items = self.table.dynamodb.scan(TableName=self.table.name)["Items"]
        return sorted(items, key=repr)
