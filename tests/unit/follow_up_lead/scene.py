"""What the tests of the pages look at: one lead's page, and a list."""

from typing import Any

from follow_up_lead import pages
from follow_up_lead.service import act_on_lead, see_lead
from follow_up_lead.team import see_list
from follow_up_lead.team_pages import list_page
from shared.adapters.lead_table import Words
from shared.domain import events as happened
from shared.domain.calendar import Calendar
from shared.domain.lead import Lead
from shared.domain.roster import Rep
from tests.unit.domain.samples import ALWAYS, MARIA, a_lead, a_rep, at
from tests.unit.follow_up_lead.fakes import LEAD_CODE, LIST_CODE, FakeLeads, parts_on
from tests.unit.texts.skeleton import text_of

ANNA = a_rep("anna", name="Anna Novak", zone="Europe/Berlin")
BORIS = a_rep("boris", name="Boris Weber")
FULL: dict[str, Any] = {
    "company": "Analytical Engines",
    "source": "google / cpc / autumn",
    "page": "https://example.com/demo-en",
}


class Scene:
    """A lead of Anna's and the page that she gets."""

    def __init__(self, viewer: Rep = ANNA, calendar: Calendar = ALWAYS, **fields: Any) -> None:
        self.leads = FakeLeads(viewer, BORIS, MARIA)
        self.parts = parts_on(self.leads, calendar)
        self.lead: Lead = self.leads.add(a_lead(**{**FULL, **fields}))
        self.leads.link_to(LEAD_CODE, viewer, self.lead)
        self.happen(1, happened.LeadAssigned(rep_id=viewer.rep_id, rule="round_robin"))

    def happen(self, seconds: float, *events: happened.LeadEvent) -> None:
        self.leads.happen(self.lead, at(seconds), *events)

    def act(self, seconds: float, action: str, **posted: str) -> Any:
        form = {"action": action, "action_id": f"{int(seconds):032x}", **posted}
        return pages.answer(act_on_lead(LEAD_CODE, form, self.parts, at(seconds)))

    def html(self, seconds: float = 60) -> str:
        answer = pages.lead_page(see_lead(LEAD_CODE, self.parts, at(seconds)))
        assert answer.status_code == 200
        return str(answer.body)

    def text(self, seconds: float = 60) -> str:
        return text_of(self.html(seconds))


def listed(viewer: Rep = MARIA, name: str = "Ada", **fields: Any) -> str:
    leads = FakeLeads(ANNA, BORIS, viewer)
    for lead_id, received, rep_id, more in (
        ("1", -720, "anna", {}),
        ("2", -60, None, {"company": None}),
        ("3", -7200, "boris", {"first_attempt_at": at(-7100), "attempts": 2}),
        ("4", -7300, "anna", {"first_attempt_at": at(-6000), "contacted_at": at(-6000)}),
    ):
        base = {"name": name, "received_at": at(received), "respond_by": at(received + 300)}
        leads.add(a_lead(lead_id=lead_id, rep_id=rep_id, **{**FULL, **base, **more, **fields}))
    leads.link_to(LIST_CODE, viewer)
    return str(list_page(see_list(LIST_CODE, parts_on(leads), at(0))).body)


def callbacks(viewer: Rep = ANNA, calendar: Calendar = ALWAYS, seconds: float = 4000) -> str:
    """The list of three: talked to, to be called back since 10:00, and talked to again."""
    leads = FakeLeads(ANNA, BORIS, MARIA, viewer)
    for number in range(3):
        lead = leads.add(a_lead(lead_id=f"{number}", rep_id="anna", received_at=at(number)))
        contacted = happened.LeadContacted(rep_id="anna")
        leads.happen(
            lead, at(60), happened.LeadAttempted(rep_id="anna", result="talked"), contacted
        )
        if number == 1:
            leads.happen(lead, at(90), happened.LeadSnoozed(rep_id="anna", until=at(3600)))
    leads.link_to(LIST_CODE, viewer)
    page = list_page(see_list(LIST_CODE, parts_on(leads, calendar), at(seconds)))
    return str(page.body)


def say(scene: Scene, *said: Words) -> None:
    story = scene.leads.stories[scene.lead.lead_id]
    scene.leads.stories[scene.lead.lead_id] = story._replace(said=said)
