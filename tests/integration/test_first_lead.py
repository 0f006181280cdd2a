"""The first lead, end to end: from a post to a rep's phone and back."""

import json
import re
import secrets
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest

from shared.domain.events import AlertSent
from tests.integration.conftest import World, act, until

pytestmark = pytest.mark.integration

NAME = "Анна-Мария О'Нил 👋"


def a_person(number: int, **fields: Any) -> dict[str, Any]:
    """Somebody whom no other test knows: their phone stands in every message about them."""
    return {
        "name": f"{NAME} {number}",
        "phone": f"+44 7911 {number:06d}",
        "email": f"person{number}@example.com",
        "message": f"Request number {number}",
        "consent": "yes",
        "utm_source": "newsletter",
        "utm_medium": "email",
        **fields,
    }


def sms_about(world: World, person: dict[str, Any]) -> dict[str, Any]:
    """The first SMS about a person."""
    messages = world.alerts(person["phone"], "sms")
    return next(message for message in messages if message["channel"] == "sms")


def lead_of(world: World, person: dict[str, Any]) -> str:
    return str(sms_about(world, person)["lead_id"])


def link_in(text: str, kind: str = "l") -> str:
    found = re.search(rf"/{kind}/\w{{12}}", text)
    assert found is not None, text
    return found[0]


def test_a_post_becomes_an_sms_and_an_e_mail(world: World) -> None:
    person = a_person(1, name="Anna O'Neil")

    answer = world.post("demo-en", person)

    assert answer.status_code == 201
    assert set(answer.json()) == {"id"}
    alerts = world.alerts(person["phone"], "sms", "email")
    assert sorted(alert["channel"] for alert in alerts) == ["email", "sms"]
    sms = next(alert for alert in alerts if alert["channel"] == "sms")
    assert "Anna O'Neil" in sms["text"]
    assert person["message"] in sms["text"]
    assert "+44 7911 000001" in sms["text"]
    # With the source, where there is room: a deadline of tomorrow says the day, too.
    assert "\nFree consultation" in sms["text"]
    assert link_in(sms["text"])
    email = next(alert for alert in alerts if alert["channel"] == "email")
    assert person["message"] in email["text"]
    assert "newsletter" in email["text"]
    assert "@" in email["to"]
    until(lambda: not world.story(sms["lead_id"]).lead.open_alerts, "both confirmed")
    assert world.events(sms["lead_id"])[:4] == [
        "LeadCaptured",
        "LeadAssigned",
        "AlertRequested",
        "AlertRequested",
    ]


def test_the_link_shows_the_lead_changes_nothing_and_a_post_acts(world: World) -> None:
    person = a_person(2)
    world.post("demo-en", person)
    sms = sms_about(world, person)
    lead_id, link = sms["lead_id"], link_in(sms["text"])
    until(lambda: not world.story(lead_id).lead.open_alerts, "both confirmed")
    before = world.story(lead_id)

    for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE"):
        world.http.request(method, link)
    page = world.http.get(link)
    assert page.status_code == 200
    assert person["message"] in page.text
    assert 'href="tel:+447911000002"' in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert world.story(lead_id) == before

    action_id = re.search(r'name="action_id" value="(\w+)"', page.text)
    assert action_id is not None
    posted = {"action": "no_answer", "action_id": action_id[1]}
    for _ in range(2):
        answer = world.http.post(link, data=posted)
        assert (answer.status_code, answer.headers["location"]) == (303, link)
    lead = world.story(lead_id).lead
    assert lead.attempts == 1, "a form sent twice counts once"
    assert lead.first_attempt_at is not None
    assert lead.due_at is None


def test_while_nobody_reacts_the_chain_goes_on_to_its_end(world: World) -> None:
    person = a_person(3)
    world.post("quick", person)
    lead_id = lead_of(world, person)

    until(lambda: "LeadEscalated" in world.events(lead_id)[-1:] or None, "the end of the chain")
    story = world.story(lead_id)
    assert story.lead.status == "open"
    assert story.lead.breached_at is not None
    assert story.lead.due_at is None
    escalated = [e.event for e in story.events if e.event.type == "LeadEscalated"]
    assert [getattr(event, "to", "") for event in escalated] == ["backup", "manager", "manager"]
    kinds = [getattr(e.event, "kind", "") for e in story.events if e.event.type == "AlertRequested"]
    assert kinds == ["new", "new", "repeat", "backup", "reminder", "breach", "breach"]
    until(lambda: not world.story(lead_id).lead.open_alerts, "all confirmed")
    sent = [e for e in world.story(lead_id).events if e.event.type == "AlertSent"]
    assert len(sent) == len(kinds)
    execution = execution_of(world, lead_id, 1)
    until(lambda: execution()["status"] == "SUCCEEDED", "the machine's end")
    assert set(json.loads(execution()["input"])) == {"lead_id", "run", "wake_at"}

    manager = [m for m in world.messages(person["phone"]) if "/r/" in m["text"]]
    team = world.http.get(link_in(manager[0]["text"], "r"))
    assert team.status_code == 200
    assert person["message"] in team.text
    assert lead_id in team.text, "it leads to the lead's page"


def test_a_call_stops_the_chain(world: World) -> None:
    person = a_person(4)
    world.post("quick", person)
    sms = sms_about(world, person)
    page = world.http.get(link_in(sms["text"]))
    action_id = re.search(r'name="action_id" value="(\w+)"', page.text)
    assert action_id is not None
    world.http.post(link_in(sms["text"]), data={"action": "talked", "action_id": action_id[1]})

    execution = execution_of(world, sms["lead_id"], 1)
    until(lambda: execution()["status"] == "SUCCEEDED", "the machine's end")
    events = world.events(sms["lead_id"])
    assert "LeadContacted" in events
    assert "ResponseBreached" not in events


def execution_of(world: World, lead_id: str, run: int) -> Any:
    arn = world.outputs["EscalationArn"].replace(":stateMachine:", ":execution:")
    client = boto3.client("stepfunctions")
    return lambda: client.describe_execution(executionArn=f"{arn}:{lead_id}-{run}")


def test_a_burst_of_200_people_makes_200_leads_and_few_texts(world: World) -> None:
    """Each is alerted once per channel; by SMS three one by one, the others by one that leads to
    the list."""
    people = [a_person(number, message=f"burst {number:03d}.") for number in range(1000, 1200)]
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda person: world.post("demo-en", person), people))

    assert [answer.status_code for answer in answers] == [201] * 200

    def all_mailed() -> list[dict[str, Any]] | None:
        found = [m for m in world.messages("+44 7911 001") if m["channel"] == "email"]
        return found if len(found) >= 200 else None

    def sent(lead_id: str) -> list[AlertSent]:
        events = [recorded.event for recorded in world.story(lead_id).events]
        return [e for e in events if isinstance(e, AlertSent) and e.alert_id.startswith("1-new-")]

    mails = until(all_mailed, "200 e-mails", 120)
    lead_ids = {m["lead_id"] for m in mails}
    assert len(mails) == len(lead_ids) == 200
    until(lambda: all(len(sent(lead_id)) >= 2 for lead_id in lead_ids), "all alerts", 60)
    rang = Counter(alert.rang for lead_id in lead_ids for alert in sent(lead_id))
    assert rang.total() == 400, "once per channel"
    alone = [m for m in world.messages("+44 7911 001") if m["channel"] == "sms"]
    assert len(alone) == rang[None] - 200
    assert 9 <= len(alone) <= 30, "three of each of three reps, in each two minutes"
    assert 3 <= rang["together"] <= 9
    running = boto3.client("stepfunctions").get_paginator("list_executions")
    names = {
        execution["name"]
        for page in running.paginate(
            stateMachineArn=world.outputs["EscalationArn"], statusFilter="RUNNING"
        )
        for execution in page["executions"]
    }
    assert {f"{lead_id}-1" for lead_id in lead_ids} <= names


def test_many_at_once_with_one_contact_make_one_lead(world: World) -> None:
    person = a_person(5)
    barrier = threading.Barrier(8)

    def post(number: int) -> int:
        barrier.wait()
        return world.post("demo-en", {**person, "message": f"same person {number}"}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(post, range(8))) == [201] * 8

    lead_id = lead_of(world, person)
    until(lambda: world.story(lead_id).lead.submissions == 8, "all eight on one lead")
    assert world.events(lead_id).count("LeadCaptured") == 1


def test_personal_data_stays_where_it_belongs(world: World) -> None:
    """A word of this run, typed wherever somebody can type, is in the table and in what people are
    sent, and nowhere else: no log, metric, event, execution, queue, address or error page.
    """
    canary = f"quetzal{secrets.token_hex(6)}"
    said = {name: f"{name} {canary}" for name in ("name", "company", "message")}
    person = a_person(6, **said, email=f"{canary}@example.com")
    world.post("demo-en", person)
    world.post("demo-en", {**person, "phone": f"not a phone of {canary}"})
    thanks = world.http.post("/v1/forms/demo-en/submissions", data={**person, "message": canary})
    lead_id = lead_of(world, person)
    execution = until(execution_of(world, lead_id, 1), "the machine")
    link = link_in(sms_about(world, person)["text"])
    done: tuple[tuple[str, dict[str, str]], ...] = (
        ("acknowledge", {}),
        ("reject", {"reason": canary, "note": canary}),
        ("win", {"amount": canary, "currency": "EUR"}),
        ("talked", {"note": f"They said {canary}"}),
        (canary, {}),
    )
    for action, fields in done:
        assert act(world, link, action, **fields).status_code in {303, 422}
    unknown = world.http.get(f"{link[:-1]}{'A' if link[-1] != 'A' else 'B'}")

    def logged() -> str | None:
        text = (world.logs / "functions.log").read_text()
        return text if text.count(lead_id) > 3 else None

    logs = until(logged, "the lead in the logs")
    phone = re.sub(r"\D", "", person["phone"])
    for secret in (canary, phone, phone[2:], person["phone"]):
        assert secret not in logs
        assert secret not in execution["input"]
        assert secret not in thanks.headers.get("location", "")
        assert secret not in unknown.text
    calls = [json.loads(line) for line in world.calls.read_text().splitlines()]
    told = {(c["service"], c["operation"]) for c in calls if canary in json.dumps(c["params"])}
    assert told <= {("dynamodb", "TransactWriteItems"), ("sns", "Publish")}
    assert len(told) == 2
