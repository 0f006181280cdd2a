"""The sample chain on the running system, with seconds for minutes: to its very end, and what
people do about it on the way.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.domain.events import AlertRequested
from shared.domain.lead import Lead
from shared.domain.roster import Rep
from tests.integration.conftest import CHAIN_TEAM, World, act, until
from tests.integration.test_first_lead import a_person, link_in

pytestmark = pytest.mark.integration

TEAM = (
    Rep(rep_id="ann", team=CHAIN_TEAM, name="Ann", phone="+447700900201"),
    Rep(rep_id="bob", team=CHAIN_TEAM, name="Bob", phone="+447700900202"),
    Rep(rep_id="cyd", team=CHAIN_TEAM, name="Cyd", phone="+447700900203"),
    Rep(rep_id="max", team=CHAIN_TEAM, name="Max", phone="+447700900209", role="manager"),
)


@pytest.fixture(autouse=True)
def team(world: World) -> Iterator[None]:
    """People who are all on duty and have missed nothing."""
    for rep in TEAM:
        world.people.put_rep(rep)
    yield
    for rep in TEAM:
        world.people.put_rep(rep.model_copy(update={"active": False}))


def lead_of(world: World, person: dict[str, Any], form_id: str) -> str:
    """The lead that a person's post opened, as soon as somebody was told of it."""
    world.post(form_id, person)
    return str(world.alerts(person["phone"], "sms")[0]["lead_id"])


def the_lead(world: World, lead_id: str) -> Lead:
    return world.story(lead_id).lead


def told(world: World, lead_id: str) -> list[tuple[str, str]]:
    """Who was alerted of what, in the order of the story."""
    events = [recorded.event for recorded in world.story(lead_id).events]
    return [
        (getattr(event, "kind", ""), getattr(event, "rep_id", ""))
        for event in events
        if event.type == "AlertRequested"
    ]


def page_of(world: World, person: dict[str, Any], rep: Rep) -> str:
    """The link that somebody got about a person."""

    def arrived() -> list[str]:
        return [m["text"] for m in world.messages(person["phone"]) if m["to"] == rep.phone]

    return link_in(until(arrived, f"a message to {rep.name}")[0])


def test_the_sample_chain_to_its_end_while_nobody_reacts(world: World) -> None:
    lead_of(world, a_person(400), "demo-en")  # whoever comes first waits for cold starts
    person = a_person(401)
    lead_id = lead_of(world, person, "chain")

    def ended() -> bool:
        return any(getattr(e.event, "ends_chain", False) for e in world.story(lead_id).events)

    until(ended, "the end of the chain", 60)

    alerts = told(world, lead_id)
    owner, successor = alerts[0][1], alerts[2][1]
    assert alerts == [
        ("new", owner),
        ("repeat", owner),  # by SMS, the other channel that policy names does not reach them
        ("backup", successor),
        ("reminder", owner),
        ("breach", "max"),
        ("reassigned", successor),
        *(("offer", rep_id) for rep_id in ("ann", "bob", "cyd")),
    ]
    assert owner != successor
    events = world.events(lead_id)
    assert (events.count("ResponseBreached"), events.count("LeadReassigned")) == (1, 1)
    lead = the_lead(world, lead_id)
    assert (lead.status, lead.rep_id, lead.due_at) == ("open", successor, None)
    missed = {rep.rep_id: rep.missed_pages for rep in world.people.of_team(CHAIN_TEAM)}
    assert missed[owner] == 1


def test_of_a_team_the_first_to_accept_an_offer_has_the_lead(world: World) -> None:
    person = a_person(402)
    lead_id = lead_of(world, person, "chain")
    offered = until(
        lambda: (
            len([kind for kind, _ in told(world, lead_id) if kind == "offer"]) == 3
            and not the_lead(world, lead_id).open_alerts
        ),
        "the offer",
        60,
    )
    assert offered
    first, second = (rep for rep in TEAM[:3] if rep.rep_id != the_lead(world, lead_id).rep_id)

    accepted = act(world, page_of(world, person, first), "acknowledge")
    refused = act(world, page_of(world, person, second), "acknowledge")

    assert (accepted.status_code, refused.status_code) == (303, 409)
    assert "Somebody else is on it already." in refused.text
    assert the_lead(world, lead_id).rep_id == first.rep_id
    act(world, page_of(world, person, first), "talked")
    until(lambda: the_lead(world, lead_id).due_at is None, "the end of the follow-up")


def test_who_says_that_they_are_on_it_and_does_not_call_has_it_no_more(world: World) -> None:
    person = a_person(403)
    lead_id = lead_of(world, person, "chain")
    owner = next(rep for rep in TEAM if rep.rep_id == the_lead(world, lead_id).rep_id)

    act(world, page_of(world, person, owner), "acknowledge")

    until(lambda: "AcknowledgementExpired" in world.events(lead_id), "the end of it", 60)
    lead = the_lead(world, lead_id)
    assert lead.acknowledged_at is None
    assert lead.readings["acknowledge"].state == "met"
    assert lead.first_attempt_at is None


def test_at_an_agreed_time_the_owner_is_told_and_not_before(world: World) -> None:
    person = a_person(404)
    lead_id = lead_of(world, person, "chain")
    owner = next(rep for rep in TEAM if rep.rep_id == the_lead(world, lead_id).rep_id)
    link = page_of(world, person, owner)
    wanted = datetime.now(ZoneInfo(owner.zone)) + timedelta(seconds=15)

    answer = act(world, link, "snooze", until=f"{wanted:%Y-%m-%dT%H:%M:%S}")

    assert answer.status_code == 303
    agreed = re.search(r"Call agreed for [^<]*?(\d\d:\d\d)", world.http.get(link).text)
    assert agreed is not None
    assert agreed[1] == f"{wanted:%H:%M}"
    until(lambda: ("callback", owner.rep_id) in told(world, lead_id), "the agreed time", 60)
    story = world.story(lead_id)
    reminded = [e.at for e in story.events if getattr(e.event, "kind", "") == "callback"]
    assert reminded[0] >= wanted.replace(microsecond=0)
    events = [recorded.event for recorded in story.events]
    snoozed = next(place for place, e in enumerate(events) if e.type == "LeadSnoozed")
    asked = [e for e in events[snoozed:] if isinstance(e, AlertRequested)]
    assert asked[0].kind == "callback", "nobody was alerted until then"


def test_who_is_handed_a_lead_hears_of_it_and_the_former_owner_sees_who_has_it(
    world: World,
) -> None:
    person = a_person(405)
    lead_id = lead_of(world, person, "chain")
    owner = next(rep for rep in TEAM if rep.rep_id == the_lead(world, lead_id).rep_id)
    other = next(rep for rep in TEAM[:3] if rep != owner)
    link = page_of(world, person, owner)

    assert act(world, link, "hand_over", to_rep_id=other.rep_id).status_code == 303

    until(lambda: ("handed_over", other.rep_id) in told(world, lead_id), "the alert")
    assert f"Now in the hands of: <bdi>{other.name}</bdi>" in world.http.get(link).text
    act(world, link, "reject", reason="data.test")
    assert act(world, link, "reopen").status_code == 303
    assert the_lead(world, lead_id).acknowledged_by == owner.rep_id, "they are on it"
    before = len(told(world, lead_id))
    until(lambda: ("reminder", owner.rep_id) in told(world, lead_id)[before:], "the reminder")
