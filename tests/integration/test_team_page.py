"""A person's own page on the running system: a link by SMS, duty, taking, entering by hand."""

import re
from typing import Any

import httpx
import pytest

from shared.adapters.link_table import Link
from shared.domain.lead import Lead
from shared.domain.roster import Rep
from tests.integration.conftest import DESK_TEAM, World, until
from tests.integration.test_first_lead import NAME, a_person

pytestmark = pytest.mark.integration

BOSS = Rep(rep_id="max", team=DESK_TEAM, name="Max", phone="+447700900309", role="manager")


def somebody(world: World, number: int, **fields: Any) -> Rep:
    """A rep whom no other test knows."""
    rep = Rep(
        rep_id=f"rep{number}", team=DESK_TEAM, name=NAME, phone=f"+4477009003{number:02d}", **fields
    )
    for other in world.people.of_team(DESK_TEAM):
        world.people.put_rep(other.model_copy(update={"active": False}))
    world.people.put_rep(BOSS)
    world.people.put_rep(rep)
    return rep


def link_by_sms(world: World, rep: Rep) -> str:
    """Asks for a link with the number as it is dialled at home, and waits for the SMS."""
    local = (rep.phone or "").replace("+44", "0")
    assert world.http.post("/r", data={"phone": local}).status_code == 200

    def arrived() -> list[str]:
        found = world.messages("Your open leads.")
        return [message["text"] for message in found if message["to"] == rep.phone]

    (text,) = until(arrived, "the SMS with the link")
    link = re.search(r"/r/\w{12}", text)
    assert link is not None
    return link[0]


def press(world: World, link: str, action: str, **fields: str) -> httpx.Response:
    """Presses a button of the list."""
    page = world.http.get(link)
    action_id = re.search(r'name="action_id" value="(\w+)"', page.text)
    form = {"action": action, "action_id": action_id[1] if action_id else "0" * 32, **fields}
    return world.http.post(link, data=form)


def enter(world: World, link: str, person: dict[str, Any], then: str) -> httpx.Response:
    page = world.http.get(f"{link}/new")
    action_id = re.search(r'name="action_id" value="(\w+)"', page.text)
    assert action_id is not None
    typed = {name: person[name] for name in ("name", "phone", "email", "message")}
    choices = {"came": "walk-in", "form_id": "desk", "then": then, "action_id": action_id[1]}
    return world.http.post(f"{link}/new", data={**typed, **choices})


def only_lead(world: World, rep_id: str | None, phone: str) -> Lead:
    def found() -> Lead | None:
        leads = world.leads.open_leads(DESK_TEAM, [rep_id])
        wanted = "+" + re.sub(r"\D", "", phone)
        return next((lead for lead in leads if lead.phone == wanted), None)

    return until(found, f"a lead of {rep_id}")


def test_a_link_comes_by_sms_to_the_number_in_the_roster_once(world: World) -> None:
    rep = somebody(world, 1)

    link = link_by_sms(world, rep)

    page = world.http.get(link)
    assert page.status_code == 200
    assert "My open leads" in page.text
    answers = [world.http.post("/r", data={"phone": phone}) for phone in (rep.phone, "+4470000000")]
    assert answers[0].text == answers[1].text
    assert len([m for m in world.messages("Your open leads.") if m["to"] == rep.phone]) == 1, (
        "once in ten minutes"
    )
    assert world.http.head("/r").status_code == 200


def test_who_comes_on_duty_is_given_what_nobody_has(world: World) -> None:
    rep = somebody(world, 2, on_duty=False)
    person = a_person(702)
    assert world.post("desk", person).status_code == 201
    lead = only_lead(world, None, person["phone"])
    link = link_by_sms(world, rep)
    assert "Go on duty" in world.http.get(link).text

    answer = press(world, link, "duty_on")

    assert (answer.status_code, answer.headers["location"]) == (303, link)
    until(lambda: world.story(lead.lead_id).lead.rep_id == rep.rep_id, "the lead is hers")
    assert "Go off duty" in world.http.get(link).text
    press(world, link, "duty_off")
    assert not next(r for r in world.people.of_team(DESK_TEAM) if r.rep_id == rep.rep_id).on_duty


def test_what_nobody_has_is_taken_and_called_from_the_list(world: World) -> None:
    rep = somebody(world, 3, on_duty=False)
    person = a_person(703)
    world.post("desk", person)
    lead = only_lead(world, None, person["phone"])
    link = link_by_sms(world, rep)
    assert f"{link}/{lead.lead_id}" in world.http.get(link).text

    taken = press(world, link, "take", lead_id=lead.lead_id)

    assert (taken.status_code, taken.headers["location"]) == (303, f"{link}/{lead.lead_id}")
    assert world.story(lead.lead_id).lead.acknowledged_by == rep.rep_id
    called = press(world, f"{link}/{lead.lead_id}", "talked")
    assert called.status_code == 303
    assert world.story(lead.lead_id).lead.contacted_at is not None
    handed = press(world, f"{link}/{lead.lead_id}", "hand_over", to_rep_id="max")
    assert handed.headers["location"] == f"{link}?told=handed_over&lead={lead.lead_id}"
    assert "Undo" in world.http.get(handed.headers["location"]).text
    assert world.http.get(f"{link}/{lead.lead_id}").status_code == 404, "a colleague's"


@pytest.mark.parametrize(("number", "then"), [(4, "call"), (5, "talked")])
def test_a_walk_in_is_entered_and_is_that_of_whoever_enters_it(
    world: World, number: int, then: str
) -> None:
    rep = somebody(world, number)
    link, person = link_by_sms(world, rep), a_person(700 + number)

    refused = enter(world, link, {**person, "phone": "none", "email": ""}, then)
    assert refused.status_code == 422
    assert "Check the phone number" in refused.text
    answer = enter(world, link, person, then)

    assert answer.status_code == 303
    lead_id = answer.headers["location"].rpartition("/")[2]
    lead = world.story(lead_id).lead
    assert (lead.rep_id, lead.source, lead.name) == (
        rep.rep_id,
        "walk-in / offline",
        person["name"],
    )
    assert (lead.contacted_at is not None) == (then == "talked")
    until(lambda: world.story(lead_id).lead.follow_up.planned, "the planner has seen it")
    assert world.story(lead_id).lead.rep_id == rep.rep_id


def test_what_is_given_to_the_team_goes_to_whoever_is_next(world: World) -> None:
    rep = somebody(world, 6)
    of_boss = Link(kind="list", team=DESK_TEAM, rep_id=BOSS.rep_id, expires_at=2**40)
    boss = world.links.make_link(of_boss)
    person = a_person(706)

    answer = enter(world, f"/r/{boss}", person, "team")

    lead_id = answer.headers["location"].rpartition("/")[2]
    until(lambda: world.story(lead_id).lead.rep_id == rep.rep_id, "the lead is hers")
    page = world.http.get(f"/r/{boss}")
    assert "Open leads of the team" in page.text
    assert "1 open lead" in page.text
