"""The handler over the template's table: what an HTTP client gets, and what it can change."""

import base64
from typing import Any
from urllib.parse import urlencode

import pytest

from follow_up_lead import handler
from shared.errors import StorageUnavailableError
from shared.settings import settings
from tests.unit.follow_up_lead.site import Site

ACTION = {"action": "no_answer", "action_id": "5e" * 16}

SECURITY = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Content-Type": "text/html; charset=utf-8",
}


def assert_safe(answer: dict[str, Any]) -> None:
    assert SECURITY.items() <= answer["headers"].items()
    policy = answer["headers"]["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "form-action 'self'; base-uri 'none'; frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_the_table_is_the_one_that_the_template_names(monkeypatch: pytest.MonkeyPatch) -> None:
    handler.parts.cache_clear()
    settings.cache_clear()
    monkeypatch.setenv("TABLE_NAME", "leads")

    assert handler.parts() is handler.parts()

    handler.parts.cache_clear()
    settings.cache_clear()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_shows_and_changes_nothing(site: Site, method: str) -> None:
    before = site.everything()

    lead = site.send(method, f"/l/{site.lead_code}")
    listed = site.send(method, f"/r/{site.list_code}")

    assert (lead["statusCode"], listed["statusCode"]) == (200, 200)
    assert "A machine that calculates" in lead["body"]
    assert "A machine that calculates" in listed["body"]
    assert_safe(lead)
    assert_safe(listed)
    assert site.everything() == before


def test_a_post_is_answered_with_the_page_to_look_at(site: Site) -> None:
    answer = site.post(**ACTION)

    assert answer["statusCode"] == 303
    assert answer["headers"]["Location"] == f"/l/{site.lead_code}"
    assert_safe(answer)
    assert site.lead().attempts == 1


def test_a_post_sent_twice_is_one_event(site: Site) -> None:
    first, second = site.post(**ACTION), site.post(**ACTION)

    assert (first["statusCode"], second["statusCode"]) == (303, 303)
    assert site.lead().attempts == 1


def test_a_body_may_come_as_base64(site: Site) -> None:
    form = urlencode({**ACTION, "note": "Перезвонить в 11"})
    body = base64.b64encode(form.encode()).decode()

    site.send("POST", f"/l/{site.lead_code}", body, isBase64Encoded=True)

    story = site.leads.story(site.lead_id)
    assert story is not None
    assert [note.text for note in story.notes] == ["Перезвонить в 11"]


def test_a_refusal_is_a_page_with_its_status(site: Site) -> None:
    before = site.everything()

    answer = site.post(**{**ACTION, "action": "win", "amount": "x", "currency": "EUR"})

    assert answer["statusCode"] == 422
    assert "Enter the amount" in answer["body"]
    assert_safe(answer)
    assert site.everything() == before


@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        "%",
        "&&&=",
        "action=%ff%fe&action_id=%00",
        '{"action": "talked"}',
        "action=talked&action=win&action_id=" + "5" * 100_000,
        "a=b&" * 9_000,
    ],
)
def test_a_body_that_says_nothing_changes_nothing(site: Site, body: str | None) -> None:
    before = site.everything()

    answer = site.send("POST", f"/l/{site.lead_code}", body)

    assert answer["statusCode"] == 422
    assert site.everything() == before


def test_wrong_expired_foreign_and_revoked_codes_look_the_same(site: Site) -> None:
    expired = site.links.make_link(site.link(lead_id=site.lead_id, expires_at=1))
    stranger = site.links.make_link(site.link(lead_id=site.lead_id, rep_id="gone"))
    elsewhere = site.links.make_link(site.link(lead_id=site.lead_id, team="support"))
    erased = site.links.make_link(site.link(lead_id="e" * 32))
    before = site.everything()

    codes = ["x", expired, stranger, elsewhere, erased, site.list_code]
    answers = [site.send("GET", f"/l/{code}") for code in codes]
    answers += [site.send("POST", f"/l/{code}", urlencode(ACTION)) for code in codes]
    answers += [site.send("GET", f"/r/{code}") for code in ("x", site.lead_code)]
    answers += [site.send("GET", "/"), site.send("DELETE", f"/l/{site.lead_code}")]
    answers += [site.send("POST", f"/r/{code}", urlencode(ACTION)) for code in ("x", expired)]
    answers += [site.send("GET", f"/r/{code}/new") for code in ("x", site.lead_code)]

    assert {answer["statusCode"] for answer in answers} == {404}
    assert len({answer["body"] for answer in answers}) == 1
    assert len({repr(sorted(answer["headers"].items())) for answer in answers}) == 1
    assert_safe(answers[0])
    assert site.everything() == before


def test_a_table_that_does_not_answer_asks_to_try_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StorageUnavailableError("throttled")

    monkeypatch.setattr(site.leads, "lead", fail)

    answer = site.post(**ACTION)

    assert answer["statusCode"] == 503
    assert answer["headers"]["Retry-After"] == "2"
    assert "That did not work" in answer["body"]
    assert_safe(answer)
