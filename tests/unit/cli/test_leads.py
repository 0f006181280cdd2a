"""Leads are listed by urgency, told as a whole, and acted on by the rules of the rep's page."""

import getpass
import io
import json
import shlex
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast, get_args

import pytest

from infra.cli import leads as command
from infra.cli.__main__ import _parser
from infra.cli.deployment import Deployment
from infra.cli.policy_files import read_policy
from shared.adapters.filing import Filing
from shared.adapters.lead_table import LeadTable, Story
from shared.adapters.people_table import PeopleTable
from shared.adapters.policy_store import PolicyStore
from shared.domain import events as happened
from shared.domain.actions import ActionName
from shared.domain.events import LeadEvent
from shared.domain.instants import iso
from shared.domain.lead import Change, Lead
from tests.unit.adapters.samples import a_submission, captured
from tests.unit.cli.conftest import Run
from tests.unit.domain.samples import a_rep
from tests.unit.template import ROOT

NAME, PHONE, EMAIL = "Анна-Мария О'Нил 👋", "+447700900001", "anna1@example.com"
POLICY = read_policy(Path(__file__).parents[3] / "infra/policy", {"SITE": "https://ours.net"})
FORM = cast("dict[str, Any]", POLICY["form/demo-en"])
TEST = {**FORM, "form_id": "test", "team": "canary", "is_test": True}


@pytest.fixture(autouse=True)
def policy(stack: Deployment) -> None:
    always = {"calendar/always": {"zone": "UTC", "always": True}}
    form = {**FORM, "calendar": "always"}
    PolicyStore(stack.table).publish({**POLICY, **always, "form/demo-en": form, "form/test": TEST})


@pytest.fixture
def people(stack: Deployment) -> PeopleTable:
    """A team of three and somebody who has left."""
    people = PeopleTable(stack.table)
    for rep in (
        a_rep("anna", zone="Europe/Berlin"),
        a_rep("boris"),
        a_rep("gone", active=False),
        a_rep("maria", role="manager"),
    ):
        people.put_rep(rep)
    return people


def ago(**time: float) -> datetime:
    return datetime.now(UTC) - timedelta(**time)


def capture(filing: Filing, number: int, at: datetime, **fields: Any) -> str:
    form_id = fields.pop("form_id", "demo-en")
    is_test = fields.pop("is_test", False)
    key = f"{number} {at}"
    submission = a_submission(number, key, received_at=at, form_id=form_id, is_test=is_test)
    event = captured(submission, respond_by=at + timedelta(minutes=5), **fields)
    return filing.capture(submission, event).lead_id


def happen(leads: LeadTable, lead_id: str, *events: LeadEvent, at: datetime | None = None) -> None:
    lead = leads.lead(lead_id)
    assert lead is not None
    leads.record(lead, Change(events), actor="advance_follow_up", at=at or datetime.now(UTC))


def the_lead(leads: LeadTable, lead_id: str) -> Lead:
    lead = leads.lead(lead_id)
    assert lead is not None
    return lead


def the_story(leads: LeadTable, lead_id: str) -> Story:
    story = leads.story(lead_id)
    assert story is not None
    return story


ASSIGNED = happened.LeadAssigned(rep_id="anna", rule="everybody")


@pytest.fixture
def lead_id(leads: LeadTable, filing: Filing) -> str:
    """A lead of Anna's that came two minutes ago."""
    lead_id = capture(filing, 1, ago(minutes=2))
    happen(leads, lead_id, ASSIGNED, at=ago(minutes=2))
    return lead_id


# --- the list ------------------------------------------------------------------------------------


@pytest.fixture
def many(leads: LeadTable, filing: Filing) -> dict[str, str]:
    """Leads by what they are."""
    ids = {
        "talked": capture(filing, 2, ago(hours=3)),
        "late": capture(filing, 3, ago(minutes=20)),
        "waiting": capture(filing, 4, ago(minutes=2)),
        "won": capture(filing, 5, ago(days=2)),
        "lost": capture(filing, 6, ago(days=1)),
        "ancient": capture(filing, 7, ago(days=9)),
        "test": capture(filing, 8, ago(minutes=1), form_id="test", is_test=True, team="canary"),
    }
    happen(
        leads,
        ids["talked"],
        ASSIGNED,
        happened.LeadAttempted(rep_id="anna", result="talked"),
        happened.LeadContacted(rep_id="anna"),
        at=ago(hours=2),
    )
    boris = happened.LeadAssigned(rep_id="boris", rule="everybody")
    won = happened.DealWon(rep_id="boris", amount=5, currency="EUR")
    happen(leads, ids["won"], boris, won)
    happen(leads, ids["lost"], boris, happened.DealLost(rep_id="boris", reason="deal.price"))
    happen(leads, ids["ancient"], happened.LeadRejected(rep_id="anna", reason="data.spam"))
    return ids


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ("", ["late", "waiting", "talked"]),
        ("--status closed", ["lost", "won"]),
        ("--status all", ["late", "waiting", "talked", "lost", "won"]),
        ("--nobody", ["late", "waiting"]),
        ("--rep sales/anna", ["talked"]),
        ("--rep sales/boris", []),
        ("--rep sales/boris --status all", ["lost", "won"]),
        ("--team sales --rep sales/anna", ["talked"]),
        ("--team support", []),
        ("--team support --status all", []),
        ("--team canary", ["test"]),
        ("--form test", ["test"]),
        ("--form demo-en --nobody --status open", ["late", "waiting"]),
    ],
)
def test_leads_are_found_by_urgency(
    many: dict[str, str], leadline: Run, options: str, found: list[str]
) -> None:
    status, out, _ = leadline("leads", "list", "--json", *options.split())

    names = {lead_id: name for name, lead_id in many.items()}
    assert status == 0
    assert [names[row["lead_id"]] for row in json.loads(out)] == found


def test_leads_are_found_by_when_they_came(many: dict[str, str], leadline: Run) -> None:
    def found(*options: str) -> set[str]:
        rows = json.loads(leadline("leads", "list", "--json", *options)[1])
        names = {lead_id: name for name, lead_id in many.items()}
        return {names[row["lead_id"]] for row in rows}

    assert found("--since", iso(ago(minutes=30))) == {"late", "waiting"}
    assert found("--since", f"{ago(days=10):%Y-%m-%d}", "--status", "closed") == {
        "won",
        "lost",
        "ancient",
    }
    assert found("--since", iso(ago(days=1, minutes=1)), "--status", "closed") == {"lost"}


@pytest.mark.parametrize(
    ("since", "says"),
    [
        ("yesterday", "is no time such as"),
        ("2026-11-20T09:00", "has no time zone"),
    ],
)
def test_a_time_that_cannot_be_looked_for_is_said(
    leadline: Run, capsys: pytest.CaptureFixture[str], since: str, says: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        leadline("leads", "list", "--since", since)
    assert says in capsys.readouterr().err


def test_closed_leads_are_looked_for_a_year_back_and_open_ones_for_ever(leadline: Run) -> None:
    options = ("leads", "list", "--since", "2020-01-01")

    assert leadline(*options) == (0, "there are no such leads\n", "")
    status, _, err = leadline(*options, "--status", "all")
    assert (status, err) == (1, "error: closed leads are looked for 400 days back at most\n")


def test_a_row_says_how_a_lead_stands_and_nobodys_name(
    filing: Filing, lead_id: str, leadline: Run
) -> None:
    late = capture(filing, 2, ago(minutes=20))
    status, out, _ = leadline("leads", "list")

    assert status == 0
    head, first, second = out.splitlines()
    assert head.split() == ["STATE", "WAITS", "OPEN", "OWNER", "FORM", "CHANNEL", "WHO", "LEAD"]
    assert first.split("  ")[0] == "New, late"
    assert "20 min  20 min  sales/-     demo-en  Direct" in first
    assert first.endswith(late)
    assert "2 min   2 min   sales/anna  demo-en  Direct" in second
    assert second.endswith(f"А… …01 a…@example.com  {lead_id}")
    for personal in (NAME, PHONE, EMAIL, "anna1"):
        assert personal not in out
        assert personal not in leadline("leads", "list", "--json")[1]


def test_a_row_as_data_has_both_clocks(lead_id: str, leadline: Run) -> None:
    (row,) = json.loads(leadline("leads", "list", "--json")[1])

    assert row == {
        "lead_id": lead_id,
        "status": "open",
        "outcome": None,
        "reason": None,
        "team": "sales",
        "rep_id": "anna",
        "form_id": "demo-en",
        "channel": "Direct",
        "verdict": "qualified",
        "received_at": row["received_at"],
        "state": "New",
        "stage": "waiting",
        "call_by": row["call_by"],
        "wall_seconds": pytest.approx(120, abs=30),
        "business_seconds": row["wall_seconds"],
        "who": "А… …01 a…@example.com",
    }
    assert row["call_by"].endswith("Z")


def test_a_lead_whose_policy_cannot_be_read_hides_no_other(
    filing: Filing, lead_id: str, leadline: Run
) -> None:
    capture(filing, 2, ago(minutes=1), form_id="never-published")

    rows = leadline("leads", "list")[1].splitlines()[1:]

    assert [row.split()[2:4] for row in rows] == [["min", "2"], ["min", "-"]]


def test_where_there_are_none_that_is_said(leads: LeadTable, leadline: Run) -> None:
    assert leadline("leads", "list") == (0, "there are no such leads\n", "")
    assert leadline("leads", "list", "--json") == (0, "[]\n", "")


def test_a_rep_of_another_team_is_a_mistake(leadline: Run) -> None:
    status, _, err = leadline("leads", "list", "--team", "support", "--rep", "sales/anna")

    assert (status, err) == (1, "error: sales/anna is not of team support\n")


# --- a story -------------------------------------------------------------------------------------


@pytest.fixture
def told(leads: LeadTable, lead_id: str) -> str:
    """A lead with alerts, a call and a note."""
    asked = [
        happened.AlertRequested(
            alert_id=via, round=1, step="new", kind="new", rep_id="anna", via=via
        )
        for via in get_args(happened.Via)
    ]
    sent = happened.AlertSent(alert_id="sms", rep_id="anna", via="sms", message_id="m")
    failed = happened.AlertFailed(alert_id="email", rep_id="anna", via="email", reason="opted_out")
    happen(leads, lead_id, *asked, at=ago(seconds=100))
    happen(leads, lead_id, sent, failed, at=ago(seconds=97))
    return lead_id


def test_a_story_has_everything(told: str, leadline: Run) -> None:
    leadline("leads", "act", told, "no_answer", "--as", "sales/anna", "--note", "One\nTwo")
    status, out, _ = leadline("leads", "show", told)

    assert status == 0
    flat = " ".join(out.split())
    for words in (
        "This is what somebody typed: personal data. Times are in UTC.",
        f"{NAME}: No answer",
        "Phone +44 7700 900001",
        "Owner Anna",
        "What was sent: ",
        "Message A machine that calculates",
        "Sent through native",
        "How long it took in all in opening hours First call 2 min 2 min in time",
        "Sent the form (Meets the definition)",
        "Assigned · Anna (by the rule everybody)",
        "E-mail could not be sent: the number answered STOP · Anna",
        "Called, no answer · Anna (after 2 min; in time; recorded by the operator",
        "| One",
        "| Two",
        "New lead Anna SMS sent after 3 s",
        "New lead Anna E-mail refused: the number answered STOP",
    ):
        assert words in flat, words


def test_a_story_is_told_in_russian(told: str, leadline: Run) -> None:
    out = leadline("leads", "show", told, "--locale", "ru")[1]

    assert "Что прислали" in out
    assert "Отправлена форма (Отвечает определению)" in out
    assert "Новый лид" in out


def test_a_story_without_submissions_clocks_and_alerts_leaves_them_out(
    filing: Filing, leadline: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead_id = capture(filing, 1, ago(minutes=1), verdict="non_target", form_id="never-published")
    monkeypatch.setattr(LeadTable, "submissions", lambda *_: [])
    out = leadline("leads", "show", lead_id)[1]

    assert "What happened so far" in out
    for heading in ("What was sent", "How long it took", "Who was told"):
        assert heading not in out


def test_a_story_as_data_has_everything(leads: LeadTable, told: str, leadline: Run) -> None:
    leadline("leads", "act", told, "talked", "--as", "sales/anna", "--note", "One")
    data = json.loads(leadline("leads", "show", told, "--json")[1])

    assert data["lead"]["name"] == NAME
    assert "guards" not in data["lead"]
    assert data["state"] == "Talked"
    (sent,) = data["submissions"]
    assert sent["values"] == {"message": "A machine that calculates"}
    assert "body" not in sent
    assert [clock["clock"] for clock in data["clocks"]] == list(get_args(happened.ClockName))
    assert data["clocks"][0]["state"] == "met"
    assert [event["type"] for event in data["events"]] == [
        event.event.type for event in the_story(leads, told).events
    ]
    assert data["story"][0]["text"] == "Sent the form"
    assert [(a["alert_id"], a["became"], a["because"], a["says"]) for a in data["alerts"]] == [
        ("sms", "sent", "AlertSent", "sent after 3 s"),
        ("email", "failed", "AlertFailed", "refused: the number answered STOP"),
    ]
    (note,) = data["notes"]
    assert (note["author"], note["text"]) == ("anna", "One")


@pytest.mark.parametrize("lead_id", ["", "0" * 32])
def test_a_lead_that_is_not_there_is_said(leadline: Run, lead_id: str) -> None:
    assert leadline("leads", "show", lead_id) == (1, "", f"error: there is no lead {lead_id}\n")


def test_what_strangers_typed_commands_no_terminal(filing: Filing, leadline: Run) -> None:
    submission = a_submission(9, values={"message": "\x1b]0;pwned\x07\u202e", "\x1b[2J": "x\x00"})
    submission = submission.model_copy(
        update={"contact": submission.contact.model_copy(update={"name": "\x1b[31mEve"})}
    )
    lead_id = filing.capture(submission, captured(submission)).lead_id

    for arguments in (("show", lead_id), ("show", lead_id, "--json"), ("list", "--nobody")):
        out = leadline("leads", *arguments)[1]
        assert [letter for letter in out if letter in "\x1b\x07\x00"] == []


def test_json_refuses_what_it_has_no_word_for() -> None:
    with pytest.raises(TypeError, match="set is no JSON"):
        command._print_json({"a": set()})


# --- acting --------------------------------------------------------------------------------------

NEXT_WEEK = f"{datetime.now(UTC) + timedelta(days=7):%Y-%m-%dT10:00}"
CLOSING = {"reject": "rejected", "win": "won", "lose": "lost"}
OPTIONS: dict[ActionName, str] = {
    "snooze": f"--until {NEXT_WEEK}",
    "hand_over": "--to boris",
    "reject": "--reason data.spam",
    "win": "--amount 1.200,50 --currency rub",
    "lose": "--reason deal.price",
}


@pytest.mark.parametrize("action", get_args(ActionName))
def test_whatever_a_rep_can_do_an_operator_records_in_their_name(
    leads: LeadTable, lead_id: str, leadline: Run, action: ActionName
) -> None:
    if action == "reopen":
        happen(leads, lead_id, happened.LeadRejected(rep_id="anna", reason="data.spam"))
    before = the_lead(leads, lead_id)
    status, out, err = leadline(
        "leads", "act", lead_id, action, "--as", "sales/anna", *OPTIONS.get(action, "").split()
    )

    assert (status, err) == (0, "")
    assert out.startswith(f"{lead_id}: recorded; ")
    after, story = the_lead(leads, lead_id), the_story(leads, lead_id)
    new = story.events[before.sequence :]
    assert new
    assert {event.actor for event in new} == {f"operator {getpass.getuser()}"}
    assert {getattr(event.event, "rep_id", "anna") for event in new} == {"anna"}
    assert after.outcome == CLOSING.get(action)
    assert after.rep_id == ("boris" if action == "hand_over" else "anna")
    if action == "win":
        assert (str(after.amount), after.currency) == ("1200.50", "RUB")
    if action == "snooze":
        # Ten o'clock where Anna is.
        assert after.snoozed_until is not None
        assert after.snoozed_until.hour in (8, 9)


def test_who_acts_owns_the_lead_and_who_records_it_can_be_said(
    leads: LeadTable, lead_id: str, leadline: Run
) -> None:
    status, out, _ = leadline(
        "leads", "act", lead_id, "talked", "--as", "sales/boris", "--by", "olga"
    )

    assert status == 0
    assert out == f"{lead_id}: recorded; Talked, in the hands of sales/boris\n"
    events = the_story(leads, lead_id).events[-3:]
    assert [event.event.type for event in events] == [
        "LeadReassigned",
        "LeadAttempted",
        "LeadContacted",
    ]
    assert {event.actor for event in events} == {"operator olga"}


def test_it_is_no_sign_that_the_person_is_there(
    people: PeopleTable, lead_id: str, leadline: Run
) -> None:
    people.put_rep(a_rep("anna", missed_pages=1))
    leadline("leads", "act", lead_id, "talked", "--as", "sales/anna")

    (anna,) = [rep for rep in people.of_team("sales") if rep.rep_id == "anna"]
    assert (anna.missed_pages, anna.answered_at) == (1, None)


def test_a_note_may_come_from_stdin(
    leads: LeadTable, lead_id: str, leadline: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("First\nsecond\n"))
    leadline("leads", "act", lead_id, "talked", "--as", "sales/anna", "--note", "-")

    (note,) = the_story(leads, lead_id).notes
    assert (note.text, note.author) == ("First\nsecond", "anna")


def test_what_was_said_before_changes_nothing(
    leads: LeadTable, lead_id: str, leadline: Run
) -> None:
    deed = ("leads", "act", lead_id, "acknowledge", "--as", "sales/anna")
    leadline(*deed)
    version = the_lead(leads, lead_id).version

    assert leadline(*deed)[:2] == (
        0,
        f"{lead_id}: known already, nothing changed; On it, in the hands of sales/anna\n",
    )
    data = json.loads(leadline(*deed, "--json")[1])
    assert (data["recorded"], data["state"], data["lead_id"]) == (False, "On it", lead_id)
    assert the_lead(leads, lead_id).version == version


def test_a_lead_that_nobody_has_stays_so(leads: LeadTable, filing: Filing, leadline: Run) -> None:
    lead_id = capture(filing, 1, ago(minutes=1))
    happen(leads, lead_id, happened.LeadRejected(rep_id="anna", reason="data.spam"))
    out = leadline("leads", "act", lead_id, "reopen", "--as", "sales/maria")[1]

    assert out == f"{lead_id}: recorded; New, in the hands of nobody\n"


@pytest.mark.parametrize(
    ("deed", "says"),
    [
        ("reopen", "This lead is open already."),
        ("reject", "Choose a reason. --reason data.bad_phone, "),
        ("lose --reason data.spam", "Choose a reason. --reason deal.price, "),
        ("lose --reason other", "“Other” needs a few words in the note. --note"),
        (
            "snooze --until 2020-01-01T10:00",
            "within three months. --until 2026-12-24T10:00, by the",
        ),
        ("snooze", "by the clock of Europe/Berlin"),
        ("hand_over", "Choose a colleague. --to boris, maria"),
        ("hand_over --to gone", "Choose a colleague."),
        ("hand_over --to anna", "Choose a colleague."),
        ("win --amount 5", "Choose a currency. --currency EUR, "),
        ("win --amount 5 --currency XXX", "Choose a currency."),
        ("win --amount much --currency EUR", "Enter the amount as a number, "),
        (f"talked --note {'x' * 2001}", "The note is too long. --note"),
        ("talked --reason data.spam --to boris", "talked has no --to, --reason"),
    ],
)
def test_what_the_page_refuses_is_refused_in_its_words(
    leads: LeadTable, lead_id: str, leadline: Run, deed: str, says: str
) -> None:
    before = the_story(leads, lead_id)
    status, out, err = leadline("leads", "act", lead_id, *deed.split(), "--as", "sales/anna")

    assert (status, out) == (1, "")
    assert err.startswith("error: ")
    assert says in err
    assert the_story(leads, lead_id) == before


def test_refusals_that_hang_on_the_lead_are_said_too(
    leads: LeadTable, filing: Filing, lead_id: str, leadline: Run
) -> None:
    def refused(action: str, rep_id: str) -> str:
        status, _, err = leadline("leads", "act", lead_id, action, "--as", f"sales/{rep_id}")
        return err.strip() if status else ""

    assert refused("acknowledge", "anna") == ""
    assert refused("acknowledge", "boris") == "error: Somebody else is on it already."
    assert refused("talked", "anna") == ""
    assert refused("acknowledge", "anna") == "error: Somebody has called already."
    happen(leads, lead_id, happened.LeadRejected(rep_id="anna", reason="data.spam"))
    assert refused("talked", "anna") == "error: This lead is closed already."
    capture(filing, 1, ago(minutes=1))
    assert refused("reopen", "anna").startswith("error: This person has a newer lead")


@pytest.mark.parametrize(
    ("who", "says"),
    [
        ("sales/nobody", "sales/nobody is not entered, or not active"),
        ("sales/gone", "sales/gone is not entered, or not active"),
        ("support/anna", "team support has no lead"),
    ],
)
def test_only_people_of_the_leads_team_act(
    leads: LeadTable, people: PeopleTable, lead_id: str, leadline: Run, who: str, says: str
) -> None:
    people.put_rep(a_rep("anna", team="support"))
    version = the_lead(leads, lead_id).version
    status, _, err = leadline("leads", "act", lead_id, "talked", "--as", who)

    assert status == 1
    assert says in err
    assert the_lead(leads, lead_id).version == version


def test_a_lead_that_was_erased_cannot_be_acted_on(leads: LeadTable, leadline: Run) -> None:
    status, _, err = leadline("leads", "act", "0" * 32, "talked", "--as", "sales/anna")

    assert (status, err) == (1, f"error: team sales has no lead {'0' * 32}\n")


def test_who_writes_at_the_same_time_is_waited_for(
    leads: LeadTable, lead_id: str, leadline: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, pauses = LeadTable.record, list[float]()

    def machine_first(table: LeadTable, lead: Lead, change: Change, **how: Any) -> Lead:
        monkeypatch.setattr(LeadTable, "record", real)
        happen(leads, lead_id, happened.ResponseBreached(step="breach"))
        return real(table, lead, change, **how)

    monkeypatch.setattr(LeadTable, "record", machine_first)
    monkeypatch.setattr(time, "sleep", pauses.append)

    assert leadline("leads", "act", lead_id, "talked", "--as", "sales/anna")[0] == 0
    assert len(pauses) == 1
    assert [event.event.type for event in the_story(leads, lead_id).events][-3:] == [
        "ResponseBreached",
        "LeadAttempted",
        "LeadContacted",
    ]


@pytest.mark.parametrize("name", ["list", "show", "act"])
def test_each_command_says_how_it_is_used(
    capsys: pytest.CaptureFixture[str], leadline: Run, name: str
) -> None:
    with pytest.raises(SystemExit, match="0"):
        leadline("leads", name, "--help")
    assert f"usage: leadline leads {name}" in capsys.readouterr().out


DOCS = (ROOT / "docs/leads.md").read_text("utf-8")


@pytest.mark.parametrize(
    "line", [line for line in DOCS.splitlines() if line.startswith("./leadline leads")]
)
def test_the_documented_commands_are_understood(line: str) -> None:
    words = shlex.split(line.partition("#")[0])[1:]

    assert _parser().parse_args(words).run in (
        command.run_list,
        command.run_show,
        command.run_act,
    )
