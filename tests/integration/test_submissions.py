"""The public endpoint over real HTTP: what browsers, scripts and webhooks send and are told."""

import json
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from tests.integration.conftest import World

pytestmark = pytest.mark.integration

BROWSER = {"Accept": "text/html,application/xhtml+xml"}


def someone(number: int, **fields: str) -> dict[str, str]:
    return {
        "name": "Ольга Иванова",
        "phone": f"+44 7912 {number:06d}",
        "email": f"olga{number}@example.com",
        "message": f"Submission {number}",
        "consent": "on",
        **fields,
    }


def submit(world: World, form_id: str = "demo-en", **request: Any) -> httpx.Response:
    return world.http.post(f"/v1/forms/{form_id}/submissions", **request)


def leads_with(world: World, number: int) -> list[Any]:
    """The leads of one person, through the index by day."""
    return [
        lead
        for lead in world.leads.captured_on(world.today())
        if lead.phone == f"+447912{number:06d}"
    ]


def test_a_page_without_scripts_is_sent_to_its_thanks(world: World) -> None:
    answer = submit(world, data=someone(1), headers=BROWSER)

    assert answer.status_code == 303
    assert answer.headers["location"] == f"{world.url}/demo-en/thanks"
    (lead,) = leads_with(world, 1)
    assert lead.name == "Ольга Иванова"


def test_a_page_without_scripts_gets_back_what_was_typed_with_what_is_wrong(world: World) -> None:
    typed = someone(2, phone="call me", message="<b>Keep & show</b>")

    answer = submit(world, data=typed, headers={**BROWSER, "Accept-Language": "ru"})

    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("text/html")
    assert "Ольга Иванова" in answer.text
    assert "call me" in answer.text
    assert "&lt;b&gt;Keep &amp; show&lt;/b&gt;" in answer.text
    assert "<b>Keep" not in answer.text
    assert 'lang="en"' in answer.text, "as the page that was filled in"


def test_a_script_gets_one_entry_per_wrong_field(world: World) -> None:
    answer = submit(world, json={"name": " ", "phone": "12", "email": "x@"})

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert {"type", "title", "status", "detail", "errors"} <= set(problem)
    codes = {error["field"]: error["code"] for error in problem["errors"]}
    assert codes == {
        "name": "blank",
        "phone": "unusable",
        "email": "unusable",
        "consent": "missing",
    }
    assert problem["errors"][0]["pointer"] == "#/name"
    assert all(error["detail"] for error in problem["errors"])


@pytest.mark.parametrize("browsers", ["en-GB,en;q=0.9", "ru", ""])
def test_a_russian_page_is_answered_and_routed_as_such_in_any_browser(
    world: World, browsers: str
) -> None:
    headers = {"Accept-Language": browsers}
    number = 40 + len(browsers)

    script = submit(world, "demo-ru", json={"name": "Ольга"}, headers=headers).json()
    page = submit(world, "demo-ru", data={"name": "Ольга"}, headers={**BROWSER, **headers})
    submit(world, "demo-ru", data=someone(number), headers={**BROWSER, **headers})

    assert script["errors"][0]["detail"] == "Укажите номер телефона."
    assert '<html lang="ru">' in page.text
    (lead,) = leads_with(world, number)
    assert lead.locale == "ru"


@pytest.mark.parametrize("key", ['"6f1c-quoted"', "6f1c-bare"])
def test_a_retry_with_a_key_gets_the_first_answer(world: World, key: str) -> None:
    number = 10 + len(key)
    answers = [
        submit(world, json=someone(number), headers={"Idempotency-Key": key}) for _ in range(3)
    ]

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(leads_with(world, number)) == 1


def test_the_same_key_with_other_content_is_refused(world: World) -> None:
    headers = {"Idempotency-Key": "one-key"}
    assert submit(world, json=someone(30), headers=headers).status_code == 201

    answer = submit(world, json=someone(31), headers=headers)

    assert answer.status_code == 422
    assert answer.json()["code"] == "idempotency_conflict"
    assert leads_with(world, 31) == []


def test_a_double_click_without_scripts_makes_one_lead(world: World) -> None:
    hidden = {**someone(32), "idempotency_key": "page-view-1"}
    assert [submit(world, data=hidden, headers=BROWSER).status_code for _ in range(2)] == [303, 303]
    assert [submit(world, data=someone(33)).status_code for _ in range(2)] == [201, 201]

    (first,) = leads_with(world, 32)
    (second,) = leads_with(world, 33)
    assert (first.submissions, second.submissions) == (1, 1)


def test_who_goes_back_and_corrects_a_form_without_scripts_gets_it_sent(world: World) -> None:
    first = {**someone(34), "idempotency_key": "page-view-2"}
    assert submit(world, data=first, headers=BROWSER).status_code == 303
    changed = {**first, "message": "What I meant to say"}

    page = submit(world, data=changed, headers={**BROWSER, "Accept-Language": "en"})

    assert page.status_code == 422
    assert "sent already" in page.text
    assert "Nothing has been sent" not in page.text
    assert "page-view-2" not in page.text, "with the old key it would be refused for ever"
    again = {name: text for name, text in changed.items() if name != "idempotency_key"}
    assert submit(world, data=again, headers=BROWSER).status_code == 303
    (lead,) = leads_with(world, 34)
    assert lead.said_again is not None
    assert lead.said_again.asked == "What I meant to say"


def test_multipart_beacons_and_odd_content_types_are_understood(world: World) -> None:
    fields = someone(40)
    parts = {name: (None, value) for name, value in fields.items()}
    assert submit(world, files=parts).status_code == 201
    fields = someone(41)
    beacon = {"Content-Type": "text/plain;charset=UTF-8"}
    assert submit(world, content=json.dumps(fields), headers=beacon).status_code == 200
    fields = someone(42)
    assert submit(world, content=urlencode(fields)).status_code == 201, "no content type at all"
    for number in (40, 41, 42):
        (lead,) = leads_with(world, number)
        assert lead.name == "Ольга Иванова"


def test_a_file_is_named_and_refused(world: World) -> None:
    parts = {name: (None, value) for name, value in someone(43).items()}
    answer = submit(world, files={**parts, "cv": ("резюме.pdf", b"%PDF", "application/pdf")})

    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["field"], error["code"]) == ("cv", "file_not_accepted")
    assert "резюме.pdf" in error["detail"]


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        ({"content": b'{"name": ', "headers": {"Content-Type": "application/json"}}, 400, None),
        ({"content": b"[1]", "headers": {"Content-Type": "application/json"}}, 400, None),
        ({"json": {"name": "x" * 140_000}}, 413, "body_too_large"),
        (
            {"content": b'{"budget": NaN}', "headers": {"Content-Type": "application/json"}},
            400,
            None,
        ),
        ({"json": {}, "headers": {"Origin": "https://evil.example"}}, 403, "origin_not_allowed"),
    ],
)
def test_bad_requests_get_a_clear_answer(
    world: World, request_: dict[str, Any], status: int, code: str | None
) -> None:
    answer = submit(world, **request_)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert code in (None, problem["code"])
    if status == 413:
        assert problem["limit_bytes"] == 131072


def test_an_unknown_form_and_a_wrong_method_say_so(world: World) -> None:
    assert submit(world, "no-such-form", json=someone(50)).status_code == 404
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        answer = world.http.request(method, "/v1/forms/demo-en/submissions")
        assert answer.status_code == 405
        assert "POST" in answer.headers["allow"]


def test_cors_is_answered_per_form(world: World) -> None:
    def preflight(origin: str) -> httpx.Response:
        return world.http.request(
            "OPTIONS",
            "/v1/forms/demo-en/submissions",
            headers={"Origin": origin, "Access-Control-Request-Method": "POST"},
        )

    known = preflight(world.url)
    assert known.status_code == 204
    assert known.headers["access-control-allow-origin"] == world.url
    assert "idempotency-key" in known.headers["access-control-allow-headers"].lower()
    assert "origin" in known.headers["vary"].lower()
    assert "access-control-allow-origin" not in preflight("https://evil.example").headers
    answer = submit(world, json=someone(51), headers={"Origin": world.url})
    assert answer.headers["access-control-allow-origin"] == world.url


def test_a_number_that_no_table_can_hold_is_kept_as_text(world: World) -> None:
    body = json.dumps(someone(52))[:-1] + ', "budget": 1.5, "big": 123456789012345678901234567890}'
    answer = submit(world, content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 201
    assert len(leads_with(world, 52)) == 1
