import json
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.clients import FormClient, Pinged, Refused, Stored, client_named, tilda
from shared.clients.tilda import visit
from shared.domain.submission import Submission, accept
from shared.errors import InvalidSubmissionError, PolicyError
from shared.http import problem_of
from tests.unit.samples import CASES, a_form, a_request, case_form, case_request

client: FormClient = tilda


def case(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(
        (CASES / "tilda" / name / "request.json").read_text("utf-8")
    )
    return content


def accepted(case: dict[str, Any]) -> Submission:
    form, request = case_form(case), case_request(case)
    client.verify(request, form)
    assert client.recognise(request) == "submission"
    return accept(client.decode(request), form, "0" * 32, datetime.now(UTC), form.locale, str)


def test_the_try_out_is_no_submission() -> None:
    wanted = case("test-ping")
    request = case_request(wanted)
    assert client.recognise(request) == "ping"
    assert client.answer(Pinged(), request).status in wanted["expected"]["response"]["status"]


def test_a_webhook_with_the_visit_in_its_cookies() -> None:
    wanted = case("webhook-cookies-utm")
    submission = accepted(wanted)
    (lead,) = wanted["expected"]["leads"]
    contact, touch = submission.contact, submission.touch
    assert contact.name == lead["name"]["full"]
    assert (contact.given_name, contact.family_name) == (
        lead["name"]["given"],
        lead["name"]["family"],
    )
    assert (contact.phone, contact.email) == (lead["phone"], lead["email"])
    assert submission.message == lead["message"]
    assert {part: getattr(touch, part) for part in lead["utm"]} == lead["utm"]
    assert {kind: getattr(touch, kind) for kind in lead["client_ids"]} == lead["client_ids"]
    assert submission.external_id == lead["external_id"]
    assert submission.consent is lead["consent"]
    assert submission.channel == lead["channel"]
    assert "COOKIES" not in submission.values
    for secret in ("COOKIES", "tildauid", "previousUrl", "1795160000000"):
        assert secret not in submission.model_dump_json()


def test_a_delivery_that_is_repeated_is_the_same_submission() -> None:
    wanted = case("webhook-retry-same-tranid")
    first, *others = [accepted(wanted) for _ in range(wanted["repeat"])]
    assert first.contact.phone == wanted["expected"]["leads"][0]["phone"]
    for other in others:
        assert (other.receipt_key, other.content_hash) == (first.receipt_key, first.content_hash)


def test_another_tranid_is_another_submission() -> None:
    wanted = case("webhook-retry-same-tranid")
    other = json.loads(json.dumps(wanted).replace("1111111%3A6161583731", "1111111%3A9"))
    assert accepted(other).receipt_key != accepted(wanted).receipt_key


def test_the_marketplace_sends_json() -> None:
    body = '{"Name":"Иван Иванов","tranid":"1:2","utm_source":"telegram","COOKIES":"_ym_uid=7"}'
    decoded = client.decode(a_request(body, "application/json"))
    assert decoded.external_id == "1:2"
    assert dict(decoded.fields) == {
        "Name": "Иван Иванов",
        "utm_source": "telegram",
        "_ym_uid": "7",
    }
    assert (decoded.body, decoded.body_base64) == (None, None)


def test_tags_that_were_sent_beat_those_of_the_cookies() -> None:
    decoded = client.decode(a_request("utm_source=sent&COOKIES=TILDAUTM%3Dutm_source%253Dcookie"))
    assert decoded.fields == (("utm_source", "sent"),)
    assert decoded.body == "utm_source=sent"


@pytest.mark.parametrize(
    ("cookies", "tags"),
    [
        ("TILDAUTM=utm_source%3Da%7C%7C%7Camp;utm_medium%3Db%7C%7C%7C", (("utm_source", "a"),)),
        (
            "TILDAUTM=utm_source%3Da%7C%7C%7Camp%3Butm_medium%3Db%7C%7C%7C",
            (("utm_source", "a"), ("utm_medium", "b")),
        ),
        ("TILDAUTM=PHPSESSID%3Dsecret%7C%7C%7Cutm_source", ()),
        ("PHPSESSID=secret; _ga=GA1.2.3.4", (("_ga", "GA1.2.3.4"),)),
        ("", ()),
    ],
)
def test_only_the_visit_is_taken_from_cookies(
    cookies: str, tags: tuple[tuple[str, str], ...]
) -> None:
    assert visit(cookies) == tags


def test_fields_of_tildas_own_scripts_are_no_answers() -> None:
    decoded = client.decode(a_request("Name=A&tildaspec-cookie=x&form-spec-comments=&formid=form1"))
    assert decoded.fields == (("Name", "A"),)


def test_tilda_wants_exactly_200() -> None:
    assert client.answer(Stored("1", ""), a_request(accept="text/html")).status == 200


def test_tilda_is_told_why_something_was_refused() -> None:
    request = a_request("Name=A")
    problem = problem_of(InvalidSubmissionError(()), str, request)
    assert client.answer(Refused(problem, a_form()), request).status == 422


def test_a_client_that_does_not_exist_is_a_mistake_in_the_policy() -> None:
    assert client_named("tilda") is tilda
    with pytest.raises(PolicyError, match="fax"):
        client_named("fax")
