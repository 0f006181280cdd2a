"""Who may do what behind which code: every cell of the table, and nothing changes on a refusal."""

import re
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from shared.adapters.dynamodb import Table
from shared.domain.events import LeadAssigned
from shared.domain.lead import Change
from tests.unit.adapters.samples import a_submission, captured
from tests.unit.domain.samples import ANNA, BORIS, MARIA, a_rep, at
from tests.unit.follow_up_lead.site import Site

SAM = a_rep("sam", team="support")
IDA = a_rep("ida", active=False)
WHO = {"owner": ANNA, "former": BORIS, "manager": MARIA, "stranger": SAM, "inactive": IDA}
COLUMNS = ("visitor", *WHO)
ACTION_ID = "5e" * 16

MATRIX = """
                            visitor owner former manager stranger inactive
GET  l/anna's                 404    200    200    200     404      404
POST l/anna's                 404    303    303    303     404      404
GET  r                        404    200    200    200     200      404
POST r duty_off               404    303    303    422     303      404
POST r duty_on                404    303    303    422     303      404
POST r nonsense               404    422    422    422     422      404
POST r take anna's            404    303    409    303     409      404
POST r take nobody's          404    303    303    303     409      404
POST r take support's         404    409    409    409     303      404
POST r take absent            404    409    409    409     409      404
GET  r/anna's                 404    200    404    200     404      404
GET  r/nobody's               404    200    200    200     404      404
GET  r/support's              404    404    404    404     200      404
GET  r/absent                 404    404    404    404     404      404
POST r/anna's                 404    303    404    303     404      404
POST r/nobody's               404    303    303    303     404      404
POST r/support's              404    404    404    404     303      404
POST r/absent                 404    404    404    404     404      404
GET  r/new                    404    200    200    200     200      404
POST r/new                    404    303    303    303     422      404
POST r/new blank              404    422    422    422     422      404
"""
"""Statuses. What somebody may not see has no status of its own: it is absent."""

CELLS = [
    (line[:28].strip(), column, int(status))
    for line in MATRIX.strip("\n").splitlines()[1:]
    for column, status in zip(COLUMNS, line[28:].split(), strict=True)
]


class Team(Site):
    """Anna's lead, which was Boris's; one that nobody has; one of another team; and everybody with
    a code of each kind.
    """

    def __init__(self, table: Table) -> None:
        super().__init__(table)
        for rep in (SAM, IDA):
            self.people.put_rep(rep)
        self.ids = {"anna's": self.lead_id, "absent": "ab" * 16}
        for number, (name, team) in enumerate((("nobody's", "sales"), ("support's", "support")), 2):
            submission = a_submission(number)
            filed = self.filing.capture(submission, captured(submission, team=team))
            self.ids[name] = filed.lead_id
        for name, rep_id in (("anna's", "boris"), ("anna's", "anna"), ("support's", "sam")):
            lead = self.leads.lead(self.ids[name])
            assert lead is not None
            assigned = LeadAssigned(rep_id=rep_id, rule="everybody")
            self.leads.record(lead, Change((assigned,)), actor="test", at=at(1))
        self.codes = {("l", "visitor"): "x" * 12, ("r", "visitor"): "x" * 12}
        for column, rep in WHO.items():
            link = {"team": rep.team, "rep_id": rep.rep_id}
            lead_link = self.link(lead_id=self.lead_id, **link)
            self.codes["l", column] = self.links.make_link(lead_link)
            self.codes["r", column] = self.links.make_link(self.link(kind="list", **link))

    def ask(self, cell: str, column: str, method: str = "") -> dict[str, Any]:
        """Does what a line of the matrix says."""
        verb, where, *words = cell.split()
        kind, _, what = where.partition("/")
        path = f"/{kind}/{self.codes[kind, column]}"
        if kind == "r" and what:
            path += f"/{self.ids.get(what, what)}"
        form = {"action_id": ACTION_ID, "action": "no_answer"}
        match words:
            case ["take", name]:
                form |= {"action": "take", "lead_id": self.ids[name]}
            case [action]:
                form["action"] = action
        if what == "new" and not words:
            form |= {"came": "phone", "phone": "+44 7700 900777", "then": "team"}
            form["form_id"] = "demo-en"
        return self.send(method or verb, path, urlencode(form) if verb == "POST" else None)


@pytest.fixture
def team(table: Table, monkeypatch: pytest.MonkeyPatch) -> Team:
    team = Team(table)
    monkeypatch.setattr("follow_up_lead.handler.parts", lambda: team.parts)
    return team


def test_the_matrix_is_whole() -> None:
    assert MATRIX.split()[: len(COLUMNS)] == [*COLUMNS]
    assert len(CELLS) == 21 * 6


@pytest.mark.parametrize("column", COLUMNS)
def test_looking_and_what_is_refused_change_nothing(team: Team, column: str) -> None:
    before, absent = team.everything(), team.send("GET", "/l/xxxxxxxxxxxx")

    for cell, of, status in CELLS:
        if of != column or status == 303:
            continue
        answer = team.ask(cell, column)
        assert answer["statusCode"] == status, cell
        if status == 404:
            assert (answer["body"], answer["headers"]) == (absent["body"], absent["headers"])
        if cell.startswith("GET"):
            head = team.ask(cell, column, "HEAD")
            assert (head["statusCode"], head["headers"]) == (status, answer["headers"])
        assert team.everything() == before, cell
    assert (team.advance_queue.messages, team.alert_queue.messages) == ([], [])


@pytest.mark.parametrize(("cell", "column"), [cell[:2] for cell in CELLS if cell[2] == 303])
def test_what_is_declared_is_done(team: Team, cell: str, column: str) -> None:
    before = team.everything()

    answer = team.ask(cell, column)

    assert (answer["statusCode"], answer["body"]) == (303, "")
    assert re.fullmatch(r"/[lr]/\w{12}(/\w{32}|\?told=given)?", answer["headers"]["Location"])
    assert team.everything() != before or cell == "POST r duty_on"


def test_a_lead_that_may_not_be_taken_looks_like_one_that_never_was(team: Team) -> None:
    def told(name: str) -> str:
        body = team.ask(f"POST r take {name}", "former")["body"]
        return re.sub(r"[0-9a-f]{32}", "", body)

    assert told("anna's") == told("support's") == told("absent")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/r", "/r/{r}", "/r/{r}/new", "/r/{r}/{lead}", "/l/{l}"])
def test_another_method_opens_nothing(team: Team, method: str, path: str) -> None:
    before = team.everything()
    codes = {"r": team.codes["r", "owner"], "l": team.codes["l", "owner"], "lead": team.lead_id}

    answer = team.send(method, path.format(**codes), urlencode({"action": "duty_off"}))

    assert answer["statusCode"] == 404
    assert answer["body"] == team.send("GET", "/l/x")["body"]
    assert team.everything() == before


def test_no_flipped_bit_of_a_code_is_accepted(team: Team) -> None:
    before, absent = team.everything(), team.send("GET", "/l/x")["body"]
    for kind in ("l", "r"):
        code = team.codes[kind, "owner"].encode()
        flipped = [
            code[:place] + bytes([code[place] ^ 1 << bit]) + code[place + 1 :]
            for place in range(len(code))
            for bit in range(8)
        ]
        for wrong in (*flipped, code[:-1], code + b"a", code.swapcase(), code + b"\0"):
            text = wrong.decode("latin-1")
            for path in (f"/{kind}/{text}", f"/{kind}/{quote(wrong)}"):
                if path == f"/{kind}/{code.decode()}":
                    continue
                answer = team.send("GET", path)
                assert (answer["statusCode"], answer["body"]) == (404, absent), path
    assert team.everything() == before


def test_whoever_has_left_has_no_access_from_that_moment(team: Team) -> None:
    assert team.ask("GET r", "owner")["statusCode"] == 200

    team.people.change_rep("sales", "anna", lambda _: ANNA.model_copy(update={"active": False}))

    for cell in ("GET r", "GET l/anna's", "POST l/anna's", "GET r/anna's", "POST r duty_on"):
        assert team.ask(cell, "owner")["statusCode"] == 404
