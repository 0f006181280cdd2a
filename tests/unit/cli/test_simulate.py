"""`leadline simulate`: what is printed for known leads, kept as files and compared exactly.

`REWRITE_GOLDEN=1 pytest tests/unit/cli/test_simulate.py` writes the files anew: then read what
changed in them before you keep it.
"""

import os
import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.cli.deployment import Deployment
from infra.cli.policy_files import read_policy
from infra.simulation.rehearsal import Rehearsal
from shared.adapters.filing import Filing
from shared.adapters.people_table import PeopleTable
from shared.adapters.policy_store import PolicyStore
from shared.domain.roster import Rep
from tests.unit.adapters.samples import a_submission, captured
from tests.unit.cli.conftest import Run
from tests.unit.domain.samples import MARIA, a_rep
from tests.unit.template import ROOT

DATA = ROOT / "tests/unit/data/simulate"
POLICY = DATA / "policy"
PEOPLE = DATA / "people"
DOCS = ROOT / "docs/simulate.md"
REWRITE = bool(os.environ.get("REWRITE_GOLDEN"))

GOLDEN = {
    "nobody-reacts": "office-en team 2026-11-25T11:00",
    "acknowledged-not-called": "office-en team 2026-11-25T11:00 --acknowledged 60",
    "called-in-time": "office-en team 2026-11-25T11:00 --acknowledged 60 --called 200",
    "called-late": "office-en team 2026-11-25T11:00 --called 400",
    "friday-evening": "office-en team 2026-11-27T19:30 --acknowledged 60",
    "half-day-open": "office-en team 2026-12-24T12:55",
    "half-day-at-closing": "office-en team 2026-12-24T13:00",
    "spring-forward": "night-en night 2026-03-29T01:57",
    "fall-back": "night-en night 2026-10-25T02:57",
    "nobody-there-at-night": "always-en shifts 2026-11-25T03:00",
    "russian-speaker": "office-ru team 2026-11-25T11:00 --called 330",
    "no-russian-speaker": "office-ru reasons 2026-11-25T11:00 --called 330",
    "returning": "office-en team 2026-11-25T11:00 --previous-owner clara --called 90",
    "returning-owner-away": "office-en reasons 2026-11-25T11:00 --previous-owner boris --called 90",
    "email-only": "office-en email 2026-11-25T11:00",
    "not-followed": "office-en team 2026-11-25T11:00 --verdict non_target",
}
"""Form, people and moment, and what else is asked."""


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")


def dry_run(form: str, people: str, at: str, *more: str) -> tuple[str, ...]:
    where = ("--policy", str(POLICY), "--people", str(PEOPLE / f"{people}.yaml"))
    return ("simulate", "lead", "--form", form, "--at", at, *where, *more)


def is_golden(path: Path, printed: str) -> None:
    """Compares, or writes."""
    if REWRITE:
        path.write_text(printed, "utf-8")
    assert printed == path.read_text("utf-8")


@pytest.mark.parametrize("name", GOLDEN)
def test_a_dry_run_says_what_it_said(leadline: Run, name: str) -> None:
    status, printed, _ = leadline(*dry_run(*shlex.split(GOLDEN[name])))
    assert status == 0
    is_golden(DATA / f"{name}.txt", printed)


def test_every_golden_file_is_compared() -> None:
    assert {path.stem for path in DATA.glob("*.txt")} == set(GOLDEN)


def test_as_data_it_is_the_same(leadline: Run) -> None:
    asked = dry_run("office-en", "email", "2026-11-25T11:00")
    told = Rehearsal.model_validate_json(leadline(*asked, "--json")[1])
    rows = leadline(*asked)[1].split("\n\n")[2].splitlines()[1:]
    printed = [row[24:].split("  ")[0] for row in rows if row[24:25].strip()]
    assert [line.what for line in told.lines] == printed
    assert told.lines[1].model_dump(mode="json") == {
        "at": "2026-11-25T11:00:00+01:00",
        "wall_seconds": 0.0,
        "event": "AlertRequested",
        "what": "“New lead”",
        "who": "alice",
        "name": "Alice",
        "via": ["email"],
        "cannot": ["sms"],
        "why": "round 1: new (0 s), owner",
    }


def test_a_time_that_comes_twice_is_the_first_unless_its_offset_is_given(leadline: Run) -> None:
    def comes(at: str) -> str:
        return leadline(*dry_run("night-en", "night", at))[1].splitlines()[1]

    assert comes("2026-10-25T02:30").endswith("02:30:00 CEST (Europe/Berlin)")
    assert comes("2026-10-25T02:30+01:00").endswith("02:30:00 CET (Europe/Berlin)")
    assert comes("2026-03-29T02:30").endswith("03:00:00 CEST (Europe/Berlin)"), "the clock leaps"


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        (("--form", "nowhere"), "no form nowhere; there are always-en, night-en, office-en"),
        (("--previous-owner", "zoe"), "nobody called zoe"),
        (("--people", "nowhere.yaml"), "No such file"),
        (("--policy", "nowhere"), "nowhere holds no policy"),
        (("--acknowledged", "90", "--called", "60"), "after they called"),
    ],
)
def test_what_cannot_be_is_said(leadline: Run, changed: tuple[str, ...], complaint: str) -> None:
    status, _, complaints = leadline(*dry_run("office-en", "team", "2026-11-25T11:00"), *changed)
    assert status == 1
    assert complaint in complaints


@pytest.mark.parametrize(
    ("option", "complaint"),
    [
        (("--at", "noon"), "noon is no time like"),
        (("--called", "soon"), "soon is no number"),
        (("--called", "-1"), "too small"),
        (("--channel", "Papyrus"), "invalid choice"),
    ],
)
def test_what_makes_no_sense_is_refused(
    leadline: Run, capsys: pytest.CaptureFixture[str], option: tuple[str, str], complaint: str
) -> None:
    with pytest.raises(SystemExit):
        leadline(*dry_run("office-en", "team", "2026-11-25T11:00"), *option)
    assert complaint in capsys.readouterr().err


def test_a_policy_that_could_not_be_published_is_not_played(leadline: Run, tmp_path: Path) -> None:
    (tmp_path / "form").mkdir()
    (tmp_path / "form/demo.yaml").write_text((POLICY / "form/office-en.yaml").read_text("utf-8"))
    asked = dry_run("office-en", "team", "2026-11-25T11:00")
    status, _, complaints = leadline(*asked, "--policy", str(tmp_path))
    assert status == 1
    assert "form/demo: its form_id is office-en" in complaints


# --- a deployed stack ----------------------------------------------------------------------------


def deployed(stack: Deployment, *people: Rep) -> PeopleTable:
    table = PeopleTable(stack.table)
    PolicyStore(stack.table).publish(read_policy(ROOT / "infra/policy", {"SITE": "https://o.net"}))
    for rep in people:
        table.put_rep(rep)
    return table


def test_without_files_it_plays_what_is_deployed_and_changes_nothing(
    stack: Deployment, leadline: Run
) -> None:
    people = deployed(stack, a_rep("anna"), a_rep("boris"), MARIA)
    anna = a_rep("anna")
    now = datetime.now(UTC)
    people.take_turn("sales", lambda rotation: (None, rotation.after(anna, now, "everybody")))
    before = people.rotation("sales"), people.of_team("sales")

    _, printed, _ = leadline("simulate", "lead", "--form", "demo-en")

    assert "version 1; chain default" in printed
    assert re.search(r"RULE everybody +the turn of Boris", printed), "Anna had the last one"
    assert "has not answered" in printed
    assert (people.rotation("sales"), people.of_team("sales")) == before


def test_what_is_deployed_is_compared_with_other_people_by_the_leads_that_came(
    stack: Deployment, leadline: Run, tmp_path: Path
) -> None:
    deployed(stack, a_rep("anna"), MARIA)
    filing = Filing(stack.table)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    for number in range(3):
        submission = a_submission(number, received_at=yesterday)
        filing.capture(submission, captured(submission, respond_by=yesterday))
    two = tmp_path / "two.yaml"
    two.write_text("{team: sales, people: [{rep_id: a, name: A, email: a@o.net}]}")

    asked = ("simulate", "coverage", "--stored", "--days", "2", "--other-people", str(two))
    status, printed, _ = leadline(*asked)

    assert status == 0
    assert re.search(r"LEADS +3 leads that came from \S+ on, 2 days", printed)
    assert re.search(r"AS IT IS +policy version 1, people of the stack", printed)
    assert re.search(r"SMS a lead +[1-9]\S* +0.00", printed), "only A's mail is known"
    assert "no such leads" in leadline(*asked, "--form", "demo-ru")[2]


# --- coverage ------------------------------------------------------------------------------------


def coverage(*more: str) -> tuple[str, ...]:
    people = ("--people", str(PEOPLE / "office.yaml"))
    other = ("--other-people", str(PEOPLE / "shifted.yaml"))
    when = ("--start", "2026-11-02", "--days", "1")
    return ("simulate", "coverage", "--policy", str(POLICY), *people, *other, *when, *more)


def test_another_seed_draws_other_leads(leadline: Run) -> None:
    one, again, other = (leadline(*coverage("--seed", seed))[1] for seed in ("1", "1", "2"))
    assert one == again
    assert one != other


def test_another_policy_is_compared(leadline: Run, tmp_path: Path) -> None:
    """With an e-mail only there is no SMS."""
    other = tmp_path / "policy"
    for path in POLICY.rglob("*.yaml"):
        copy = other / path.relative_to(POLICY)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text("utf-8").replace("[sms, email]", "[email]"))
    _, printed, _ = leadline(*coverage("--other-policy", str(other)))
    assert re.search(r"SMS a lead +\d", printed)
    assert f"policy {other}, people" in printed.replace("\n", " ")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (coverage()[:6], "say what could be otherwise"),
        (coverage("--stored", "--synthetic"), "either --stored or --synthetic"),
        (coverage("--picture", "nowhere/coverage.svg"), "nowhere is no folder"),
        (coverage("--form", "nowhere"), "there is no form nowhere"),
        (coverage("--per-day", "0.001"), "there are no such leads"),
        (
            coverage("--other-people", str(PEOPLE / "support.yaml")),
            "no form's leads go to anybody on both sides",
        ),
    ],
)
def test_what_cannot_be_compared_is_said(
    leadline: Run, arguments: tuple[str, ...], complaint: str
) -> None:
    status, _, complaints = leadline(*arguments)
    assert status == 1
    assert complaint in complaints


@pytest.mark.parametrize("days", ["0", "367", "many"])
def test_a_play_has_a_year_at_most(leadline: Run, days: str) -> None:
    with pytest.raises(SystemExit):
        leadline(*coverage("--days", days))


# --- the documentation ---------------------------------------------------------------------------

EXAMPLE = re.compile(r"```\n\$ \./leadline (?P<command>(?:.*\\\n)*.*)\n(?s:.*?)```")
PICTURE = ROOT / "docs/pictures/coverage.svg"


def test_the_examples_of_the_documentation_are_what_is_printed(
    leadline: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The picture, too."""
    monkeypatch.chdir(ROOT)
    picture = tmp_path / "coverage.svg"

    def played(example: re.Match[str]) -> str:
        command = example["command"].replace("\\\n", " ")
        arguments = shlex.split(command.replace("docs/pictures/coverage.svg", str(picture)))
        return f"```\n$ ./leadline {example['command']}\n{leadline(*arguments)[1]}```"

    text = DOCS.read_text("utf-8")
    played_anew, examples = EXAMPLE.subn(played, text)
    if REWRITE:
        DOCS.write_text(played_anew, "utf-8")
        PICTURE.write_text(picture.read_text("utf-8"), "utf-8")
    assert examples == 2
    assert played_anew == DOCS.read_text("utf-8")
    assert picture.read_text("utf-8") == PICTURE.read_text("utf-8")
