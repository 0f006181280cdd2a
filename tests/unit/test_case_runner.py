"""The runner of form clients' cases: that it tells what differs, and what a file is that is no
case."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.cli.policy_files import read_policy
from shared.adapters.dynamodb import Table
from tests.form_cases import run
from tests.form_cases.case import CASES, Case, Unreadable, read_folder
from tests.form_cases.comparing import in_answer
from tests.form_cases.field import Field, Verdict, publish
from tests.form_cases.sending import Answer
from tests.unit.samples import PAGE
from tests.unit.template import ROOT

POLICY = read_policy(ROOT / "infra/policy", {"SITE": PAGE})
TILDA = "tilda/webhook-cookies-utm"


def content_of(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((CASES / name / "request.json").read_text("utf-8"))
    return content


def written(folder: Path, content: object, name: str = "vendor/case") -> Path:
    file = folder / name / "request.json"
    file.parent.mkdir(parents=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return folder


def only_case(folder: Path) -> Case:
    (case,) = read_folder(folder)
    assert isinstance(case, Case), case
    return case


def verdict_on(case: Case, table: Table) -> Verdict:
    publish([case], POLICY, table)
    return Field(boto3.client("dynamodb"), "leads").run(case)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("name", {"family": "Иванова"}, "name.family"),
        ("name", "Анна", "name.full"),
        ("phone", "+79161234568", "phone"),
        ("phone_ext", "12", "phone_ext"),
        ("email", None, "email"),
        ("company", "ACME", "company"),
        ("message", "Хочу", "message"),
        ("consent", False, "consent"),
        ("consent", None, "consent"),
        ("consent_text", "Да", "consent_text"),
        ("external_id", "1", "external_id"),
        ("utm", {"term": None}, "utm.term"),
        ("click_ids", {"gclid": "1"}, "click_ids.gclid"),
        ("client_ids", {"ym_uid": "1"}, "client_ids.ym_uid"),
        ("channel", "Paid Social", "channel"),
        ("page_url", "https://x.example/", "page_url"),
        ("referrer", "https://x.example/", "referrer"),
        ("custom", {"Размер": ["S", "M"]}, "custom.Размер"),
        ("custom_absent", ["Phone", "NAME"], "NAME is stored"),
        ("attachments", [{"field": "brief", "filename": "a.pdf"}], "attachments"),
        ("partial", True, "partial"),
        ("spam", True, "spam"),
        ("alert", False, "alert"),
        ("fetch_required", True, "fetch_required"),
        ("is_test", True, "is_test"),
    ],
)
def test_what_differs_of_a_lead_is_told(
    key: str, value: object, words: str, table: Table, tmp_path: Path
) -> None:
    content = content_of(TILDA)
    (lead,) = content["expected"]["leads"]
    lead[key] = value

    verdict = verdict_on(only_case(written(tmp_path, content)), table)

    assert [text for text in verdict.differences if text.startswith(words)], str(verdict)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("rejected", "0 kept as rejected"),
        ("spam", "0 kept as quarantined"),
        ("partial", "0 kept as partial"),
        ("reference", "0 kept as reference"),
        ("test_ping", "1 leads and not 0"),
        ("challenge", "1 leads and not 0"),
    ],
)
def test_another_outcome_is_told(outcome: str, words: str, table: Table, tmp_path: Path) -> None:
    content = content_of(TILDA)
    content["expected"]["outcome"] = outcome

    verdict = verdict_on(only_case(written(tmp_path, content)), table)

    assert words in str(verdict)


def test_a_lead_that_is_not_expected_is_told(table: Table, tmp_path: Path) -> None:
    content = content_of("tilda/test-ping")
    content["expected"] = {**content["expected"], "outcome": "lead", "leads": [{"phone": "+7"}]}

    assert "0 leads and not 1" in str(verdict_on(only_case(written(tmp_path, content)), table))


@pytest.mark.parametrize(
    ("errors", "words"),
    [
        ([{"field": "phone", "code": "invalid"}], "phone is not found invalid"),
        ([{"field": "email", "code": "required"}], "also wrong"),
        ([{"field": "budget", "code": "required"}], "budget is not found required"),
    ],
)
def test_other_mistakes_are_told(
    errors: list[dict[str, str]], words: str, table: Table, tmp_path: Path
) -> None:
    content = content_of("html-form/missing-phone-no-js")
    content["expected"]["errors"] = errors

    assert words in str(verdict_on(only_case(written(tmp_path, content)), table))


def test_what_is_advisory_is_told_and_fails_nothing(table: Table, tmp_path: Path) -> None:
    content = content_of(TILDA)
    content["expected"]["leads"][0]["channel_advisory"] = "Referral"
    content["expected"]["leads"][0]["nobody_knows"] = "this"

    verdict = verdict_on(only_case(written(tmp_path, content)), table)

    assert not verdict.differences
    assert "passed" in str(verdict)
    assert "Referral" in str(verdict)
    assert "nobody_knows is not compared" in str(verdict)


@pytest.mark.parametrize("wrapped", [True, False], ids=["request", "plain"])
def test_what_is_sent_then_counts_too(table: Table, tmp_path: Path, *, wrapped: bool) -> None:
    content = content_of("tilda/webhook-retry-same-tranid")
    (lead,) = content["expected"]["leads"]
    second = {"body": "Name=Anna&Phone=%2B79211234568&tranid=2:2"}
    content["then"] = {"request": second, "response": {"status": 200}} if wrapped else second
    other = {"name": "Anna", "phone": "+79211234568", "external_id": "2:2"}
    content["expected"]["leads"] = [other, lead]

    verdict = verdict_on(only_case(written(tmp_path, content)), table)

    assert not verdict.differences, str(verdict)


def test_the_answer_to_what_is_sent_then_is_looked_at(table: Table, tmp_path: Path) -> None:
    content = content_of("tilda/webhook-retry-same-tranid")
    content["then"] = {"request": {"repeat": 2}, "response": {"status": [409]}}

    assert "then: status 200" in str(verdict_on(only_case(written(tmp_path, content)), table))


JSON = {"content-type": "application/json", "location": "https://evil.example/x"}


@pytest.mark.parametrize(
    ("wanted", "passes"),
    [
        ({"status": [200, 201]}, True),
        ({"status": 200}, True),
        ({"status": [201]}, False),
        ({"body": '{"ok":true,"errors":[{"a":1},{"b":2}]}'}, True),
        ({"body": "ok"}, False),
        ({"json": {"errors": [{"a": 1}, {"b": 2}], "ok": True}}, True),
        ({"json": {"ok": True}}, False),
        ({"json_subset": {"ok": True}}, True),
        ({"json_subset": {"errors": [{"b": 2}]}}, True),
        ({"json_subset": {"errors": [{"b": 3}]}}, False),
        ({"json_subset": {"errors": {"b": 3}}}, False),
        ({"json_any_key": ["next", "ok"]}, True),
        ({"json_any_key": ["next"]}, False),
        ({"content_type": ["text/html", "application/json"]}, True),
        ({"content_type": ["text/html"]}, False),
        ({"content_type_not": ["text/html"]}, True),
        ({"content_type_not": ["application/json"]}, False),
        ({"header_location": "https://evil.example/x"}, True),
        ({"header_location": "https://good.example/x"}, False),
        ({"header_location_not_host": "good.example"}, True),
        ({"header_location_not_host": "evil.example"}, False),
        ({"body_not_contains": ["<html"]}, True),
        ({"body_not_contains": ["OK"]}, False),
        ({"nobody_knows": 1}, True),
    ],
)
def test_an_answer_is_compared(wanted: Mapping[str, Any], *, passes: bool) -> None:
    answer = Answer(200, JSON, '{"ok":true,"errors":[{"a":1},{"b":2}]}')

    assert (not list(in_answer(wanted, answer))) == passes


def test_what_is_no_json_is_told() -> None:
    (difference,) = in_answer({"json": {}}, Answer(200, {}, "ok"))
    assert "no JSON" in difference


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ([], "not in the format"),
        ({"request": None}, "not in the format"),
        ({"form": {"default_region": "Russia"}}, "default_region"),
        ({"form": {"secrets": {"google_key": ""}}}, "a secret for key is empty"),
        ({"request": {"method": "POST"}}, "'path' is missing"),
        ({"expected": {"outcome": "wonder", "response": {}}}, "wonder"),
        ({"expected": {"outcome": "lead", "leads": "none"}}, "leads is no list"),
        ({"repeat": 0}, "repeat"),
        ({"now": "yesterday"}, "yesterday"),
        (
            {"request": {"method": "POST", "path": "/v1/forms/x/submissions", "body": {}}},
            "body is no text",
        ),
        (
            {"request": {"method": "POST", "path": "/v1/forms/x/submissions", "body_base64": "*"}},
            "not in the format",
        ),
    ],
)
def test_a_file_that_is_no_case_says_why(change: Any, reason: str, tmp_path: Path) -> None:
    content = {**content_of(TILDA), **change} if isinstance(change, dict) else change

    (found,) = read_folder(written(tmp_path, content))

    assert isinstance(found, Unreadable)
    assert reason in found.reason


def test_a_form_is_translated(tmp_path: Path) -> None:
    content = content_of(TILDA)
    content["form"] = {
        "id": "demo-tilda",
        "adapter": None,
        "default_region": "GB",
        "required": ["phone", "budget"],
        "consent_field": "agree",
        "mapping": {
            "name.given": "1.3",
            "utm.source": "src",
            "client_ids.ym_uid": "ym",
            "custom.size": "s",
        },
        "honeypot": "fax",
        "time_trap": {"field": "t", "min_seconds": 4},
        "partial": True,
        "allow_files": True,
        "legacy_charset": "koi8-r",
        "null_literals": ["-"],
        "allowed_redirect_hosts": ["a.example"],
        "redirect_url": "https://a.example/thanks",
        "secrets": {
            "header": "X-Token",
            "value": "word",
            "webhook_secret": ["new", "old"],
            "verify_token": "hello",
        },
    }
    case = only_case(written(tmp_path, content))
    form = case.form

    assert case.request.target == f"/v1/forms/{form.form_id}/submissions"
    assert {name for name, rule in form.fields.items() if rule.required} == {"phone", "budget"}
    assert form.mapping == {
        "given_name": "1.3",
        "utm_source": "src",
        "ym_uid": "ym",
        "size": "s",
        "consent": "agree",
    }
    assert (form.client, form.key_header, form.honeypots) == ("generic", "x-token", ("fax",))
    assert (form.time_trap_seconds, form.partials, form.allow_files) == (4, "always", True)
    assert (form.legacy_charset, form.null_literals) == ("koi8-r", ("-",))
    assert (form.redirect_hosts, form.thanks_url) == (("a.example",), "https://a.example/thanks")
    assert {use: case.secrets[name] for use, name in form.secrets.items()} == {
        "key": "word",
        "signing": "new\nold",
        "handshake": "hello",
    }
    assert case.needs_clock


@pytest.mark.parametrize(
    ("time_trap", "seconds"),
    [(5, 5), (90, 60), (True, 3), (None, 0), ({"min_ms": 2000}, 2), ({"field": "t"}, 3)],
)
def test_a_time_trap_is_translated(time_trap: object, seconds: int, tmp_path: Path) -> None:
    content = content_of(TILDA)
    content["form"]["time_trap"] = time_trap

    assert only_case(written(tmp_path, content)).form.time_trap_seconds == seconds


def test_a_form_that_nobody_published_stays_unknown(tmp_path: Path) -> None:
    content = content_of(TILDA)
    content["request"]["path"] = "/v1/forms/other/submissions"

    assert only_case(written(tmp_path, content)).request.target == "/v1/forms/other/submissions"


def test_every_case_has_a_form_of_its_own(tmp_path: Path) -> None:
    written(tmp_path, content_of(TILDA), "a/b-c")
    written(tmp_path, content_of(TILDA), "a-b/c")
    written(tmp_path, content_of(TILDA), "_tools/none")

    cases = [case for case in read_folder(tmp_path) if isinstance(case, Case)]

    assert len({case.form.form_id for case in cases}) == len(cases) == 2


def test_the_report_counts_by_client() -> None:
    verdicts = [Verdict("tilda/a", []), Verdict("tilda/b", ["x"]), Verdict("vk/a", [])]

    assert [line.split() for line in run.table_of(verdicts).splitlines()] == [
        ["client", "passed", "failed"],
        ["tilda", "1", "1"],
        ["vk", "1", "0"],
    ]
    assert str(verdicts[1]) == "tilda/b: FAILED: x"


def test_what_breaks_the_comparison_fails_one_case() -> None:
    class Broken(Field):
        def __init__(self) -> None:
            pass

        def run(self, case: Case) -> Verdict:
            raise KeyError(case.name)

    case, unreadable = read_folder(CASES)[0], Unreadable("a/b", "it is empty")

    assert "could not be compared" in str(run.verdict_of(case, Broken()))
    assert "it is empty" in str(run.verdict_of(unreadable, Broken()))


def test_a_folder_without_cases_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["make cases", str(tmp_path)])

    assert run.main() == 1
    assert capsys.readouterr().out.splitlines()[-1] == "0 passed, 0 failed"
