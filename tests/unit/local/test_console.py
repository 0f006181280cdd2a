"""The laptop's own pages, as a browser gets them."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import boto3
import httpx
import pytest
from starlette.applications import Starlette

from infra.cli.lead_story import as_text, known_of
from infra.cli.policy_files import read_policy
from infra.local.console import POLICY_FOLDER, Console, Running
from infra.local.inbox import Inbox
from infra.local.people import sample_people, seed
from infra.local.rendering import this_zone
from shared.adapters.dynamodb import Table
from shared.adapters.filing import Filing
from shared.adapters.lead_table import LeadTable
from shared.adapters.link_table import LinkTable
from shared.adapters.people_table import PeopleTable
from shared.adapters.policy_store import PolicyStore
from shared.domain.events import (
    ActionUndone,
    AlertRequested,
    LeadAcknowledged,
    LeadAssigned,
    LeadEvent,
    LeadRejected,
)
from shared.domain.lead import Change
from shared.texts.clocks import Reader
from shared.texts.whole_story import whole_story
from tests.unit.adapters.samples import a_submission, captured
from tests.unit.aws import in_moto
from tests.unit.texts.skeleton import HOSTILE, skeleton, text_of

TEXT = "Новый лид: <b>Мария</b>\n+7 916 123-45-67\nhttp://127.0.0.1:8080/l/aB3dE6gH9jK2"


class Browser:
    """Asks the application in this process."""

    def __init__(self, app: Starlette) -> None:
        self._app = app

    def get(self, path: str, **headers: str) -> httpx.Response:
        return anyio.run(self._send, "GET", path, headers)

    def post(self, path: str) -> httpx.Response:
        return anyio.run(self._send, "POST", path, {})

    async def _send(self, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return await client.request(method, path, headers=named)


@pytest.fixture
def browser(table: Table, tmp_path: Path) -> Browser:
    people, sample = PeopleTable(table), sample_people()
    seed(people, sample)
    inbox = Inbox(tmp_path / "inbox.jsonl", sample, lambda _: "lead-1")
    inbox.take_sms("m1", "+70000000102", TEXT)
    inbox.take_email("m2", "alice", "New lead: Bob", "Open http://127.0.0.1:8080/l/aB3dE6gH9jK2")
    with in_moto():
        console = Console(
            url="http://127.0.0.1:8080",
            team="sales",
            leads=LeadTable(table),
            people=people,
            links=LinkTable(table),
            policies=PolicyStore(table),
            inbox=inbox,
            cloudwatch=boto3.client("cloudwatch"),
            running=Running("http://127.0.0.1:8081", 7, "leads", 1, tmp_path, tmp_path),
        )
    return Browser(Starlette(routes=console.routes()))


@pytest.mark.parametrize("path", ["/", "/inbox", "/leads"])
def test_the_console_speaks_the_readers_language(browser: Browser, path: str) -> None:
    assert '<html lang="en">' in browser.get(path).text
    russian = browser.get(path, accept_language="ru-RU,en;q=0.5")
    assert '<html lang="ru">' in russian.text
    chosen = browser.get(f"{path}?lang=en", accept_language="ru")
    assert '<html lang="en">' in chosen.text
    assert chosen.headers["content-security-policy"].startswith("default-src 'self'")


@pytest.mark.parametrize("form_id", ["demo-en", "demo-ru"])
def test_a_landing_page_posts_to_its_form_in_its_own_language(
    browser: Browser, form_id: str
) -> None:
    text = browser.get(f"/{form_id}", accept_language="de").text

    assert f'action="/v1/forms/{form_id}/submissions"' in text
    assert f'<html lang="{form_id[-2:]}">' in text
    assert "<script" in text


def test_a_plain_page_needs_no_script_and_has_a_key_of_its_own(browser: Browser) -> None:
    path = "/demo-en/plain?utm_source=google"
    first, second = (browser.get(path).text for _ in range(2))

    assert "<script" not in first
    assert 'name="utm_source" value="google"' in first
    assert 'name="page_url" value="http://here/demo-en/plain?utm_source=google"' in first
    assert first != second


@pytest.mark.parametrize(
    ("form_id", "said", "usual"),
    [
        ("demo-en", "We will call you on ", "within five minutes"),
        ("demo-ru", "Позвоним вам ", "за пять минут"),
    ],
)
def test_the_thanks_page_says_without_a_script_when_to_expect_a_call(
    browser: Browser, form_id: str, said: str, usual: str
) -> None:
    tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"

    promised = browser.get(f"/{form_id}/thanks?call_by={tomorrow}").text
    assert said in promised
    assert usual not in promised
    assert "<script" not in promised
    for nothing in (
        "",
        "?call_by=",
        "?call_by=soon",
        "?call_by=<b>",
        "?call_by=9999-12-31T23:59:59Z",
    ):
        text = browser.get(f"/{form_id}/thanks{nothing}").text
        assert usual in text
        assert said not in text


def test_the_inbox_shows_messages_newest_first_and_as_text(browser: Browser) -> None:
    text = browser.get("/inbox").text

    assert text.index("New lead: Bob") < text.index("Новый лид")
    assert "&lt;b&gt;Мария&lt;/b&gt;" in text
    assert '<a href="http://127.0.0.1:8080/l/aB3dE6gH9jK2">' in text


def test_the_inbox_of_one_person_has_only_theirs(browser: Browser) -> None:
    part = browser.get("/inbox?person=boris&part=messages").text

    assert "Новый лид" in part
    assert "New lead: Bob" not in part
    assert "<html" not in part


def test_the_inbox_as_data(browser: Browser) -> None:
    sms, email = browser.get("/inbox.json").json()

    assert sms == {
        "channel": "sms",
        "to": "+70000000102",
        "subject": None,
        "text": TEXT,
        "at": sms["at"],
        "lead_id": "lead-1",
    }
    assert (email["channel"], email["to"]) == ("email", "alice@example.com")


def test_a_persons_page_is_opened_by_a_link_of_their_own(browser: Browser) -> None:
    opened = browser.post("/people/diana/link")

    assert opened.status_code == 303
    assert opened.headers["location"].startswith("/r/")
    assert browser.post("/people/nobody/link").status_code == 404


def test_a_lead_is_opened_as_its_rep_sees_it(table: Table, browser: Browser) -> None:
    publish(table)
    lead_id = capture(table, 1, 3)
    way = f"/people/boris/link?lead={lead_id}"
    assert way not in browser.get(f"/leads/{lead_id}").text, "while nobody has it"
    happen(table, lead_id, LeadAssigned(rep_id="boris", rule="everybody"))

    assert f'<form method="post" action="{way}">' in browser.get(f"/leads/{lead_id}").text
    assert re.fullmatch(rf"/r/\w+/{lead_id}", browser.post(way).headers["location"])
    elsewhere = browser.post("/people/boris/link?lead=../../x?y").headers["location"]
    assert re.fullmatch(r"/r/\w+/\.\.%2F\.\.%2Fx%3Fy", elsewhere)


@pytest.mark.parametrize("path", ["/", "/inbox", "/leads"])
def test_every_page_leads_to_those_of_the_reps(browser: Browser, path: str) -> None:
    assert 'href="/#people"' in browser.get(path).text
    home = browser.get("/").text
    assert 'id="people"' in home
    assert 'href="/r"' in home


def test_the_list_says_how_somebody_came_in_the_readers_language(
    table: Table, browser: Browser
) -> None:
    publish(table)
    capture(table, 1, 1, came="walk-in", channel="Unassigned")
    capture(table, 2, 2)

    english, russian = (text_of(browser.get(f"/leads?lang={at}").text) for at in ("en", "ru"))

    assert "demo-en Walk-in" in english
    assert "demo-en Direct" in english
    assert "demo-en Личный визит" in russian
    assert "demo-en Прямой заход" in russian


# --- the leads -----------------------------------------------------------------------------------


def capture(table: Table, number: int, minutes_ago: float, **fields: Any) -> str:
    at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    submission = a_submission(number, received_at=at, **fields)
    event = captured(submission, respond_by=at + timedelta(minutes=5))
    return Filing(table).capture(submission, event).lead_id


def happen(table: Table, lead_id: str, *events: LeadEvent, actor: str = "alice") -> None:
    leads = LeadTable(table)
    lead = leads.lead(lead_id)
    assert lead is not None
    leads.record(lead, Change(events), actor=actor, at=datetime.now(UTC))


def publish(table: Table) -> None:
    PolicyStore(table).publish(read_policy(POLICY_FOLDER, {"SITE": "https://ours.net"}))


def test_the_list_has_open_leads_by_urgency_and_then_the_closed(
    table: Table, browser: Browser
) -> None:
    publish(table)
    waiting, closed, late = (capture(table, n, ago) for n, ago in ((1, 1), (2, 2), (3, 30)))
    happen(table, closed, LeadRejected(rep_id="alice", reason="data.spam"))

    page = browser.get("/leads").text

    skeleton(page)
    assert page.index(late) < page.index(waiting) < page.index(closed)
    text = text_of(page)
    assert "25 minutes late waiting 30 min, " in text
    assert "in opening hours" in text
    assert "Закрытые 1" in text_of(browser.get("/leads?lang=ru").text)


@pytest.mark.parametrize("locale", ["en", "ru"])
def test_a_page_tells_what_the_command_tells(table: Table, browser: Browser, locale: str) -> None:
    publish(table)
    lead_id = capture(table, 1, 3)
    request = AlertRequested(
        alert_id="1", round=1, step="new", kind="new", rep_id="boris", via="sms"
    )
    happen(table, lead_id, LeadAssigned(rep_id="alice", rule="everybody"), request)
    on_it = LeadAcknowledged(rep_id="alice", until=datetime.now(UTC) + timedelta(minutes=5))
    happen(table, lead_id, on_it, actor="operator olga")
    acknowledged = LeadTable(table).lead(lead_id)
    assert acknowledged is not None
    undone = ActionUndone(
        rep_id="alice",
        action_id="1",
        sequences=(acknowledged.sequence,),
        undone=("LeadAcknowledged",),
    )
    happen(table, lead_id, undone)
    known = known_of(lead_id, LeadTable(table), PeopleTable(table), PolicyStore(table))
    assert known is not None
    story = whole_story(known, Reader(this_zone(), datetime.now(UTC), locale))

    page = browser.get(f"/leads/{lead_id}?lang={locale}").text

    skeleton(page)
    for told in (text_of(page), " ".join("\n".join(as_text(story)).split())):
        for part in (
            story.title,
            story.clock.text,
            *story.headings,
            *(f"{fact.name} {fact.text}" for fact in story.facts),
            *(f"{fact.name} {fact.text}" for sent in story.sent for fact in sent.answers),
            *(f"{fact.name} {fact.text}" for sent in story.sent for fact in sent.origin),
            *(word for row in story.clocks for word in (row.name, row.remark, row.business)),
            *(f"{line.time} {line.text}" for line in story.happened),
            *(detail for line in story.happened for detail in line.details),
            *(line.says for line in story.told),
        ):
            assert part in told, part
    (line,) = (line for line in story.happened if line.is_undone)
    assert f"<s>{line.text}</s> <small>{story.headings.undone}</small>" in page
    assert any(
        told.endswith(f"({story.headings.undone})") and line.text in told for told in as_text(story)
    )


@pytest.mark.parametrize("words", HOSTILE)
def test_strangers_words_change_no_pages_structure(
    table: Table, browser: Browser, words: str
) -> None:
    publish(table)
    plain = capture(table, 1, 1, values={"message": "words", "key": "words"}, form_title="words")
    hostile = capture(table, 2, 1, values={"message": words, words: words}, form_title=words)

    assert skeleton(browser.get(f"/leads/{hostile}").text) == skeleton(
        browser.get(f"/leads/{plain}").text
    )


def test_a_lead_without_submissions_or_policy_is_told_all_the_same(
    table: Table, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead_id = capture(table, 1, 1, form_id="never-published")
    monkeypatch.setattr(LeadTable, "submissions", lambda *_: [])

    text = text_of(browser.get(f"/leads/{lead_id}").text)

    assert "The table has no submission of this lead." in text
    assert "Nobody yet." in text
    assert text_of(browser.get("/leads").text)


def test_a_lead_that_does_not_exist_is_missed(browser: Browser) -> None:
    assert browser.get("/leads/nothing").status_code == 404
