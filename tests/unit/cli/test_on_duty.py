"""`roster now`: who can be given a lead, and what keeps the others from it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.cli.deployment import Deployment
from infra.cli.on_duty import Duty
from infra.cli.policy_files import read_policy
from shared.adapters.people_table import PeopleTable
from shared.adapters.policy_store import PolicyStore
from shared.domain.policy import Policy, parse_document
from shared.domain.roster import MISSED_PAGES, Rep
from shared.domain.routing import Rotation
from tests.unit.cli.conftest import Run
from tests.unit.domain.samples import a_rep
from tests.unit.template import ROOT

SATURDAY = datetime(2026, 11, 28, 9, tzinfo=UTC)
CALENDARS = {
    "calendar/office": {"zone": "Europe/Berlin", "week": {"mon": ["10:00-18:00"]}},
    "calendar/never": {"zone": "UTC"},
}
PARSED = {name: parse_document(name, body) for name, body in CALENDARS.items()}
POLICY = Policy(1, PARSED.get, names=PARSED)
SAMPLE = read_policy(ROOT / "infra/policy", {"SITE": "https://ours.net"})
BOSS = a_rep("boss", role="manager", email=None)
AWAY = [{"since": "2026-11-28T08:00:00Z", "until": "2026-11-28T12:00:00Z"}]


def duty(*people: Rep, rotation: Rotation = Rotation()) -> Duty:  # noqa: B008 - it is frozen
    return Duty(people, rotation, POLICY, SATURDAY)


def given_leads(rep: Rep, leads: int) -> Rotation:
    rotation = Rotation()
    for _ in range(leads):
        rotation = rotation.after(rep, SATURDAY)
    return rotation


@pytest.mark.parametrize(
    ("fields", "says", "there_at"),
    [
        ({}, "can be given a lead", SATURDAY),
        ({"on_duty": False}, "off duty", None),
        ({"missed_pages": MISSED_PAGES}, "off duty: two alerts unanswered", None),
        ({"phone": None, "email": None}, "neither phone nor e-mail", None),
        ({"active": False}, "not active", None),
        ({"role": "manager"}, "a manager is given no leads", None),
        (
            {"absences": AWAY, "zone": "Europe/Moscow"},
            "absent until Sat 28 Nov 15:00 Europe/Moscow",
            SATURDAY + timedelta(hours=3),
        ),
        (
            {"calendar": "office"},
            "out of shift until Mon 30 Nov 09:00 UTC",
            SATURDAY + timedelta(days=2),
        ),
        ({"calendar": "never"}, "calendar/never never opens", None),
        (
            {"daily_cap": 2, "zone": "Europe/Berlin"},
            "at the daily cap of 2",
            datetime(2026, 11, 28, 23, tzinfo=UTC),
        ),
        (
            {"on_duty": False, "absences": AWAY},
            "off duty, absent until Sat 28 Nov 12:00 UTC",
            None,
        ),
        (
            {"calendar": "office", "daily_cap": 2},
            "out of shift until Mon 30 Nov 09:00 UTC, at the daily cap of 2",
            SATURDAY + timedelta(days=2),
        ),
    ],
)
def test_what_keeps_somebody_from_leads_is_said(
    fields: dict[str, Any], says: str, there_at: datetime | None
) -> None:
    rep = a_rep("anna", **fields)

    standing = duty(rep, rotation=given_leads(rep, 2)).standing(rep)

    assert str(standing) == says
    assert standing.there_at == there_at


@given(
    fields=st.fixed_dictionaries(
        {
            "on_duty": st.booleans(),
            "active": st.booleans(),
            "missed_pages": st.integers(0, 3),
            "phone": st.sampled_from([None, "+447700900001"]),
            "email": st.sampled_from([None, "anna@ours.net"]),
            "calendar": st.sampled_from([None, "office", "never", "gone"]),
            "absences": st.sampled_from([[], AWAY]),
            "daily_cap": st.sampled_from([None, 1, 2]),
            "role": st.sampled_from(["rep", "manager"]),
        }
    ),
    hours=st.integers(0, 24 * 7),
)
def test_nothing_keeps_those_whom_the_roster_gives_leads(
    fields: dict[str, Any], hours: int
) -> None:
    rep = a_rep("anna", **fields)
    rotation = given_leads(rep, 1)
    team = Duty([rep], rotation, POLICY, SATURDAY + timedelta(hours=hours))

    can_be_given = rep in team.roster.on_duty and rotation.has_room(rep, team.now)

    assert (not team.standing(rep).hindrances) == can_be_given
    assert team.is_covered == can_be_given


@pytest.mark.parametrize(
    ("people", "says"),
    [
        ([], "NOBODY IS ENTERED: `leadline roster put FILE`"),
        ([BOSS], "NOBODY CAN BE GIVEN A LEAD"),
        ([a_rep("anna", on_duty=False), BOSS], "NOBODY CAN BE GIVEN A LEAD"),
        (
            [a_rep("anna", calendar="office"), a_rep("boris", absences=AWAY)],
            "NOBODY CAN BE GIVEN A LEAD BEFORE Sat 28 Nov 12:00 UTC",
        ),
        ([a_rep("anna"), a_rep("boris", absences=AWAY), BOSS], "1 of 2 can be given a lead"),
        ([a_rep("anna"), a_rep("left", active=False)], "1 of 1 can be given a lead"),
    ],
)
def test_a_team_without_anybody_is_told_loudly(people: Sequence[Rep], says: str) -> None:
    assert duty(*people).heading == says


def test_managers_who_are_told_are_named() -> None:
    deaf = a_rep("deaf", role="manager", phone=None, email=None)

    assert duty(BOSS, deaf).managers == (
        "told when nobody can be given a lead: Boss (+447700900001)"
    )
    assert duty(deaf).managers.startswith("NO MANAGER CAN BE REACHED")


def test_a_team_is_shown_as_it_stands(stack: Deployment, leadline: Run) -> None:
    PolicyStore(stack.table).publish(SAMPLE)
    people = PeopleTable(stack.table)
    anna, boris = a_rep("anna", daily_cap=5), a_rep("boris", absences=AWAY)
    for rep in (anna, boris, BOSS):
        people.put_rep(rep)
    people.take_turn("sales", lambda rotation: (None, rotation.after(anna, SATURDAY, "everybody")))

    status, out, _ = leadline("roster", "now", "--at", "2026-11-28T09:00Z")

    assert status == 0
    assert [" ".join(line.split()) for line in out.splitlines()] == [
        "sales, 2026-11-28 09:00 UTC: 1 of 2 can be given a lead",
        "ID NAME TODAY THERE NEXT NOW",
        "anna Anna 1 of 5 now can be given a lead",
        "boris Boris 0 Sat 28 Nov 12:00 UTC absent until Sat 28 Nov 12:00 UTC",
        "told when nobody can be given a lead: Boss (+447700900001)",
        "",
    ]
    tomorrow = leadline("roster", "now", "--at", "2026-11-29T09:00Z")[1]
    assert "anna Anna 0 of 5 now" in " ".join(tomorrow.split())


def test_a_team_without_anybody_is_an_error_for_scripts(stack: Deployment, leadline: Run) -> None:
    status, _, err = leadline("roster", "now")
    assert (status, err) == (1, "error: no policy is published: name a team with --team\n")

    PolicyStore(stack.table).publish(SAMPLE)
    PeopleTable(stack.table).put_rep(a_rep("anna", team="other"))
    status, out, _ = leadline("roster", "now")
    assert status == 1
    assert "sales" in out
    assert "NOBODY IS ENTERED" in out
    assert leadline("roster", "now", "--team", "other")[0] == 0
