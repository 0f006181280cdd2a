"""What made no lead is found, mended and made one, once; and lists tell nobody's name."""

import io
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from infra.cli import intake
from infra.cli.deployment import Deployment
from infra.cli.policy_files import read_policy
from shared.adapters.filing import Filing
from shared.adapters.intake_table import IntakeTable
from shared.adapters.lead_table import LeadTable
from shared.adapters.policy_store import PolicyStore
from shared.domain.contact import Contact
from shared.domain.intake import Admission
from shared.domain.lead import Lead
from shared.errors import AlreadySettledError
from shared.http import HttpRequest
from submit_form.service import Answered, Received, submission_id_of, submit_form
from tests.unit.cli.conftest import Run
from tests.unit.functions.fakes import FakeSecrets, parts_on
from tests.unit.samples import ANSWERS, PAGE, a_request

POLICY = read_policy(Path(__file__).parents[3] / "infra/policy", {"SITE": PAGE})
DEMO = cast("dict[str, Any]", POLICY["form/demo-en"])
FORMS: dict[str, dict[str, Any]] = {
    "left": {"partials": "always"},
    "ads": {"client": "meta", "fields": {"phone": {"type": "phone"}}},
    "keyed": {"client": "generic", "secrets": {"key": "k"}},
}
TRAP = {"_gotcha": "https://spam.example"}
EARLIER = datetime.now(UTC) - timedelta(hours=2)


@pytest.fixture(autouse=True)
def policy(stack: Deployment) -> None:
    forms = {f"form/{name}": {**DEMO, "form_id": name, **more} for name, more in FORMS.items()}
    PolicyStore(stack.table).publish({**POLICY, **forms})


def send(stack: Deployment, request: HttpRequest, at: datetime = EARLIER) -> Answered:
    parts = parts_on(stack.table)._replace(secrets=FakeSecrets(key="k"))
    return submit_form(request, parts, Received(at, submission_id_of(request)))


def post(
    stack: Deployment,
    answers: dict[str, Any] | None = None,
    form_id: str = "demo-en",
    at: datetime = EARLIER,
    **headers: str,
) -> Answered:
    body = json.dumps({**ANSWERS, **(answers or {})})
    return send(stack, a_request(body, "application/json", form_id=form_id, **headers), at)


def ids(leadline: Run, *options: str) -> list[str]:
    _, out, _ = leadline("intake", "list", *options)
    return [line.split()[4] for line in out.splitlines()[1:] if line[:2] == "20"]


def leads(stack: Deployment) -> list[Lead]:
    found = stack.table.dynamodb.scan(TableName=stack.table.name)["Items"]
    names = [item["PK"]["S"].removeprefix("LEAD#") for item in found if item["SK"]["S"] == "LEAD"]
    table = LeadTable(stack.table)
    return [lead for name in names if (lead := table.lead(name))]


def test_an_empty_intake_says_so(leadline: Run) -> None:
    assert leadline("intake", "list") == (0, "nothing waits\n", "")


def test_the_list_is_masked_and_newest_first(stack: Deployment, leadline: Run) -> None:
    post(stack, {"phone": "1", "email": "ann@acme.example"}, at=EARLIER - timedelta(days=1))
    post(stack, TRAP)
    status, out, _ = leadline("intake", "list")
    assert status == 0
    head, newer, older = out.splitlines()
    assert head.split() == ["RECEIVED", "KIND", "FORM", "ID", "WHO", "WHY"]
    assert "quarantined" in newer
    assert newer.split()[5:] == ["A…", "…58", "honeypot"]
    assert older.split()[5:] == ["A…", "a…@acme.example", "phone:unusable"]
    for secret in ("Ann", "7946", "ann@"):
        assert secret not in out
    assert len(ids(leadline, "--kind", "rejected")) == len(ids(leadline, "--days", "0")) == 1
    assert ids(leadline, "--form", "demo-ru") == []


@pytest.mark.parametrize(
    ("contact", "shown"),
    [(None, "-"), (Contact(), "-"), (Contact(name="Ян", phone="+79161234567"), "Я… …67")],
)
def test_a_mask_tells_people_apart(contact: Contact | None, shown: str) -> None:
    assert intake.masked(contact) == shown


def test_show_says_that_it_is_personal(stack: Deployment, leadline: Run) -> None:
    post(stack, {"phone": "1"})
    (one,) = ids(leadline)
    status, out, _ = leadline("intake", "show", one)
    assert status == 0
    assert out.startswith("This is what somebody typed: personal data.\n")
    assert "Ann Lee" in out
    assert "phone:unusable" in out
    assert leadline("intake", "show", "f" * 32)[0] == 1


# --- admit and release


def test_what_was_rejected_is_corrected_and_admitted(stack: Deployment, leadline: Run) -> None:
    post(stack, {"phone": "1"})
    (one,) = ids(leadline)
    status, _, err = leadline("intake", "admit", one)
    assert status == 1
    assert "phone: Check the phone number" in err
    assert leads(stack) == []

    assert leadline("intake", "correct", one, "phone=020 7946 0958", "budget=9")[0] == 0
    before = datetime.now(UTC)
    status, out, _ = leadline("intake", "admit", one, "--by", "maria")
    assert (status, out.startswith(f"{one}: a new lead, ")) == (0, True)
    (lead,) = leads(stack)
    assert (lead.name, lead.phone) == ("Ann Lee", "+442079460958")
    assert lead.received_at < EARLIER + timedelta(seconds=1)
    assert lead.clock_started_at >= before - timedelta(seconds=1)
    assert (lead.respond_by - lead.clock_started_at).total_seconds() == pytest.approx(300, abs=1)
    story = LeadTable(stack.table).story(lead.lead_id)
    assert story is not None
    (event,) = story.events
    assert event.actor == "operator maria"
    waited = lead.clock_started_at - lead.received_at
    assert float(getattr(event.event, "waited_seconds", 0)) == waited.total_seconds() > 7000

    status, _, err = leadline("intake", "admit", one)
    assert (status, err) == (1, f"error: admitted by operator maria: lead {lead.lead_id}\n")
    assert ids(leadline) == []
    assert ids(leadline, "--all") == [one]
    assert len(leads(stack)) == 1


def test_what_was_quarantined_is_released_once(stack: Deployment, leadline: Run) -> None:
    first = post(stack, TRAP, idempotency_key="k")
    (one,) = ids(leadline)
    assert leadline("intake", "admit", one)[0] == 1, "it is to be released"
    assert leadline("intake", "release", one)[0] == 0
    assert leadline("intake", "release", one)[0] == 1
    assert len(leads(stack)) == 1
    again = post(stack, TRAP, idempotency_key="k")
    assert (again.outcome, again.reply.body) == ("repeated", first.reply.body)
    assert again.lead_id == leads(stack)[0].lead_id


OFFICE = {**DEMO, "calendar": "office"}
FRIDAY_NIGHT = datetime(2026, 11, 27, 19, tzinfo=UTC)


@pytest.fixture
def night_desk(stack: Deployment) -> intake.Desk:
    """The demo form has office hours, and somebody looks at the intake on the next Tuesday."""
    policies = PolicyStore(stack.table)
    policies.publish({**POLICY, "form/demo-en": OFFICE})
    tuesday = FRIDAY_NIGHT + timedelta(days=4)
    table = IntakeTable(stack.table)
    return intake.Desk(
        policies.current(), table, LeadTable(stack.table), Filing(stack.table), tuesday
    )


def waiting(
    stack: Deployment, desk: intake.Desk, answers: dict[str, str], **headers: str
) -> Admission:
    post(stack, answers, at=FRIDAY_NIGHT, **headers)
    (kept,) = desk.intake.received_on(FRIDAY_NIGHT.date(), desk.now)
    return Admission(kept, desk.now, "operator a")


def test_what_is_released_is_promised_what_its_visitor_was_told(
    stack: Deployment, night_desk: intake.Desk
) -> None:
    intake.admitted(night_desk, waiting(stack, night_desk, TRAP))

    (lead,) = leads(stack)
    assert lead.promised_by == datetime(2026, 11, 30, 9, 5, tzinfo=UTC), "though that is past"
    assert lead.respond_by == datetime(2026, 12, 2, 9, 5, tzinfo=UTC)
    again = post(stack, TRAP, at=FRIDAY_NIGHT)
    assert (again.outcome, json.loads(again.reply.body)["call_by"]) == (
        "repeated",
        "2026-11-30T09:05:00Z",
    )


def test_who_was_shown_an_error_was_promised_nothing(
    stack: Deployment, night_desk: intake.Desk
) -> None:
    intake.admitted(night_desk, waiting(stack, night_desk, {}, origin="https://evil.example"))

    (lead,) = leads(stack)
    assert lead.promised_by is None


def test_two_operators_at_once_make_one_lead(stack: Deployment, leadline: Run) -> None:
    post(stack, TRAP)
    (one,) = ids(leadline)
    now = datetime.now(UTC)
    table = IntakeTable(stack.table)
    kept = table.find(one, now.date())
    assert kept is not None
    desk = intake.Desk(
        PolicyStore(stack.table).current(), table, LeadTable(stack.table), Filing(stack.table), now
    )
    admission = Admission(kept, now, "operator a")
    intake.admitted(desk, admission)
    with pytest.raises(AlreadySettledError):
        intake.admitted(desk, admission)
    with pytest.raises(AlreadySettledError):
        table.correct(kept)
    assert len(leads(stack)) == 1


def test_a_contact_with_an_open_lead_joins_it(stack: Deployment, leadline: Run) -> None:
    post(stack, {"message": "The first"})
    post(stack, {**TRAP, "message": "The second"})
    (one,) = ids(leadline)
    status, out, _ = leadline("intake", "release", one)
    assert (status, "joined the contact's open lead" in out) == (0, True)
    (lead,) = leads(stack)
    assert (lead.submissions, lead.asked) == (2, "The first")
    assert leadline("intake", "release", one)[0] == 1


def test_what_was_sent_again_and_accepted_is_no_second_lead(
    stack: Deployment, leadline: Run
) -> None:
    post(stack, {"phone": "1"}, idempotency_key="k")
    (one,) = ids(leadline)
    post(stack, idempotency_key="k")
    assert leadline("intake", "correct", one, "phone=020 7946 0958")[0] == 0
    (lead,) = leads(stack)
    listed = " ".join(leadline("intake", "list")[1].split())
    assert f"since then lead {lead.lead_id}" in listed
    status, _, err = leadline("intake", "admit", one)
    assert (status, lead.lead_id in err, "--anyway" in err) == (1, True, True)
    status, out, _ = leadline("intake", "admit", one, "--anyway")
    assert (status, "had been sent again" in out) == (0, True)
    (lead,) = leads(stack)
    assert lead.submissions == 1
    assert ids(leadline) == []


def test_the_one_that_is_released_is_a_lead_though_its_like_was_dismissed(
    stack: Deployment, leadline: Run
) -> None:
    now = datetime.now(UTC)
    post(stack, TRAP, at=now - timedelta(minutes=15))
    (older,) = ids(leadline)
    post(stack, TRAP, at=now - timedelta(minutes=1))
    (newer,) = set(ids(leadline)) - {older}
    assert leadline("intake", "dismiss", newer)[0] == 0
    assert leadline("intake", "release", older)[0] == 0
    (lead,) = leads(stack)
    assert lead.submissions == 1


def test_what_was_seen_to_stays_so_when_it_comes_again(stack: Deployment, leadline: Run) -> None:
    post(stack, {"phone": "1"})
    (one,) = ids(leadline)
    assert leadline("intake", "dismiss", one)[0] == 0
    post(stack, {"phone": "1"})
    assert ids(leadline) == []
    tomorrow = EARLIER + timedelta(days=1)
    kept = IntakeTable(stack.table).find(one, tomorrow.date())
    assert kept is not None
    IntakeTable(stack.table).keep(
        kept.model_copy(update={"received_at": tomorrow, "settled_as": None})
    )
    again = IntakeTable(stack.table).find(one, tomorrow.date())
    assert again is not None
    assert again.settled_as is None


def test_what_strangers_wrote_commands_no_terminal(stack: Deployment, leadline: Run) -> None:
    post(stack, {"phone": "1", "message": "a\x1b[2Jb\nc"})
    (one,) = ids(leadline)
    out = leadline("intake", "show", one)[1]
    assert "\x1b" not in out
    assert "a\\x1b[2Jb c" in out
    assert leadline("intake", "show", "")[0] == 1


def test_other_answers_under_a_used_key_are_not_lost(stack: Deployment, leadline: Run) -> None:
    post(stack, idempotency_key="k")
    post(stack, {"message": "And one more thing"}, idempotency_key="k")
    (one,) = ids(leadline)
    assert leadline("intake", "admit", one)[0] == 0
    (lead,) = leads(stack)
    assert lead.submissions == 2
    assert lead.said_again is not None
    assert lead.said_again.asked == "And one more thing"


def test_dismissed_is_seen_to(stack: Deployment, leadline: Run) -> None:
    post(stack, TRAP)
    (one,) = ids(leadline)
    assert leadline("intake", "dismiss", one) == (0, f"{one}: dismissed\n", "")
    assert leadline("intake", "dismiss", one)[0] == 1
    assert leadline("intake", "release", one)[0] == 1
    assert leads(stack) == []


def test_an_unknown_form_is_read_once_it_is_published(stack: Deployment, leadline: Run) -> None:
    post(stack, form_id="new-form")
    (one,) = ids(leadline)
    assert "is not published" in leadline("intake", "admit", one)[2]
    assert "Ann Lee" in leadline("intake", "show", one)[1], "as it was sent"
    PolicyStore(stack.table).publish({**POLICY, "form/new-form": {**DEMO, "form_id": "new-form"}})
    assert "correct" in leadline("intake", "admit", one)[2]
    assert leadline("intake", "correct", one)[0] == 0
    assert leadline("intake", "admit", one)[0] == 0
    assert leads(stack)[0].name == "Ann Lee"


def test_an_old_charset_is_read_once_policy_names_it(stack: Deployment, leadline: Run) -> None:
    body = "name=Анна&phone=020+7946+0958&consent=on".encode("cp1251")
    send(stack, a_request(body))
    (one,) = ids(leadline)
    assert "still cannot be read" in leadline("intake", "correct", one)[2]
    PolicyStore(stack.table).publish(
        {**POLICY, "form/demo-en": {**DEMO, "legacy_charset": "windows-1251"}}
    )
    assert leadline("intake", "correct", one)[0] == 0
    assert leadline("intake", "admit", one)[0] == 0
    assert leads(stack)[0].name == "Анна"


def test_fields_may_be_entered_for_what_cannot_be_read(
    stack: Deployment, leadline: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(stack, a_request("[1", "application/json"))
    (one,) = ids(leadline)
    typed = "name=Анна-Мария О'Нил 👋\n\nphone=020 7946 0958\nconsent=yes\n"
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    assert leadline("intake", "correct", one, "-")[0] == 0
    assert leadline("intake", "correct", one, "nonsense")[0] == 1
    assert leadline("intake", "admit", one)[0] == 0
    assert leads(stack)[0].name == "Анна-Мария О'Нил 👋"


def test_what_was_read_needs_fields_to_correct(stack: Deployment, leadline: Run) -> None:
    post(stack, {"phone": "1"})
    (one,) = ids(leadline)
    assert "name the fields" in leadline("intake", "correct", one)[2]


def test_a_key_that_was_wrong_is_not_looked_at_again(stack: Deployment, leadline: Run) -> None:
    post(stack, form_id="keyed", x_api_key="wrong")
    (one,) = ids(leadline)
    assert leadline("intake", "correct", one)[0] == 0
    assert leadline("intake", "admit", one)[0] == 0
    assert len(leads(stack)) == 1


# --- unfinished and to be fetched


def test_what_was_left_unfinished_is_completed_by_a_later_submission(
    stack: Deployment, leadline: Run
) -> None:
    post(stack, {"event": "abandon"}, "left")
    (one,) = ids(leadline)
    assert "completed" not in leadline("intake", "show", one)[1]
    post(stack, form_id="left", at=EARLIER + timedelta(minutes=1))
    (lead,) = leads(stack)
    assert f"completed by lead  {lead.lead_id}" in leadline("intake", "show", one)[1]


def test_an_earlier_lead_completes_nothing(stack: Deployment, leadline: Run) -> None:
    post(stack, form_id="left", at=EARLIER - timedelta(minutes=1))
    post(stack, {"event": "abandon"}, "left")
    (one,) = ids(leadline)
    assert "completed" not in leadline("intake", "show", one)[1]


def test_a_reference_is_completed_by_its_id(stack: Deployment, leadline: Run) -> None:
    change = {"field": "leadgen", "value": {"leadgen_id": "77"}}
    notice = json.dumps({"entry": [{"changes": [change]}]})
    send(stack, a_request(notice, "application/json", form_id="ads"))
    (one,) = ids(leadline)
    assert "external_id" in leadline("intake", "show", one)[1]
    assert leadline("intake", "admit", one)[0] == 1, "it has no answers"
    fetched = {"id": "77", "field_data": [{"name": "phone_number", "values": ["020 7946 0958"]}]}
    later = EARLIER + timedelta(minutes=1)
    send(stack, a_request(json.dumps(fetched), "application/json", form_id="ads"), later)
    assert "completed by lead" in leadline("intake", "show", one)[1]


# --- audit


def test_the_audit_says_what_became_of_what_was_held_back(stack: Deployment, leadline: Run) -> None:
    post(stack, {"phone": "1"})
    post(stack, TRAP)
    post(stack, {**TRAP, "phone": "020 7946 0001"})
    post(stack, {"event": "abandon", "phone": "020 7946 0002"}, "left")
    released = ids(leadline, "--kind", "quarantined")[0]
    leadline("intake", "release", released)
    status, out, _ = leadline("intake", "audit")
    assert status == 0
    counted = dict(line.rsplit("  ", 1) for line in out.splitlines())
    counted = {name.strip(): number.strip() for name, number in counted.items()}
    assert counted == {
        "WHAT": "HOW MANY",
        "rejected": "1",
        "demo-en: phone:unusable": "1",
        "quarantined": "2",
        "demo-en: honeypot": "2",
        "released": "1",
        "and then open": "1",
        "partial": "1",
        "completed by a later submission": "0",
        "reference": "0",
        "erasure": "0",
        "test": "0",
    }
