"""Entering people: what is wrong is said before anything is written, and twice is like once."""

from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from infra.cli import people_files
from infra.cli.deployment import Deployment, OperatorError
from infra.cli.policy_files import read_policy
from infra.local.people import FILE
from shared.adapters import subscriptions
from shared.adapters.people_table import PeopleTable
from shared.adapters.policy_store import PolicyStore
from tests.unit.cli.conftest import Run
from tests.unit.domain.samples import a_rep

FILTER = {"team": ["sales"], "rep_id": ["anna"]}
TWO = """
team: sales
people:
  - {rep_id: anna, name: Anna, phone: "+447700900001", email: Anna@Ours.NET, zone: Europe/London}
  - {rep_id: boss, name: Boss, role: manager, phone: "+79161234567", locale: ru}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "people.yaml"
    path.write_text(TWO)
    return path


def subscribed(stack: Deployment) -> dict[str, Any]:
    """Filters by address."""
    known = subscriptions.of_topic(boto3.client("sns"), stack.resource("AlertTopic"))
    return {subscription.email: subscription.filter for subscription in known}


def test_people_are_entered_and_subscribed_once(
    stack: Deployment, leadline: Run, file: Path
) -> None:
    for _ in range(2):
        status, out, _ = leadline("roster", "put", str(file))
        assert status == 0

    entered = {rep.rep_id: rep for rep in PeopleTable(stack.table).of_team("sales")}
    assert entered["anna"].email == "Anna@ours.net"
    assert (entered["boss"].role, entered["boss"].locale) == ("manager", "ru")
    assert subscribed(stack) == {"Anna@ours.net": FILTER}
    assert "entered; Anna@ours.net is subscribed" in " ".join(out.split())
    assert "entered, without e-mail" in out


def test_a_new_address_takes_the_place_of_the_former_one(
    stack: Deployment, leadline: Run, file: Path
) -> None:
    leadline("roster", "put", str(file))
    file.write_text(TWO.replace("Anna@Ours.NET", "anna@new.net"))

    leadline("roster", "put", str(file))

    assert subscribed(stack) == {"anna@new.net": FILTER}


def test_an_address_of_two_teams_gets_the_alerts_of_both(
    stack: Deployment, leadline: Run, file: Path
) -> None:
    """SNS keeps one subscription of an address, whichever file it was in."""
    leadline("roster", "put", str(file))
    other = file.with_name("support.yaml")
    other.write_text(TWO.replace("sales", "support").replace("Anna@Ours.NET", "anna@ours.net"))

    for put, also in ((other, "sales/anna"), (file, "support/anna")):
        status, out, _ = leadline("roster", "put", str(put))
        assert status == 0
        assert f"is subscribed, also for {also}" in " ".join(out.split())
        assert list(subscribed(stack).values()) == [
            {"team": ["sales", "support"], "rep_id": ["anna"]}
        ]
    assert "(confirmed)" in " ".join(leadline("roster", "list", "--team", "support")[1].split())

    other.write_text(other.read_text().replace("rep_id: anna", "active: false, rep_id: anna"))
    leadline("roster", "put", str(other))
    assert list(subscribed(stack).values()) == [FILTER]


def test_an_address_that_would_hear_of_anothers_leads_is_refused(
    stack: Deployment, leadline: Run, file: Path
) -> None:
    """As anna of one team and boss of the other it would get what both get in both."""
    file.write_text(TWO.replace("locale: ru", "email: boss@ours.net"))
    leadline("roster", "put", str(file))
    file.write_text(
        "{team: support, people: [{rep_id: boss, name: Anna Smith, email: Anna@ours.net}]}"
    )

    status, _, err = leadline("roster", "put", str(file))

    assert status == 1
    assert "anna@ours.net belongs to sales/anna and support/boss, and would get" in err
    assert "the alerts of sales/boss (Boss), too" in err
    assert PeopleTable(stack.table).of_team("support") == []
    assert subscribed(stack)["Anna@ours.net"] == FILTER


def test_who_is_not_active_any_more_is_unsubscribed(
    stack: Deployment, leadline: Run, file: Path
) -> None:
    leadline("roster", "put", str(file))
    file.write_text(TWO.replace("rep_id: anna", "active: false, rep_id: anna"))

    status, out, _ = leadline("roster", "put", str(file))

    assert status == 0
    assert "entered, not active: no alerts" in out
    assert subscribed(stack) == {}
    row = next(line for line in leadline("roster", "list", "--team", "sales")[1].splitlines()[1:])
    assert row.endswith("Anna@ours.net"), "nothing is said of a subscription that must not be"


def test_an_address_goes_on_to_the_one_who_comes_after(
    stack: Deployment, leadline: Run, file: Path
) -> None:
    leadline("roster", "put", str(file))
    file.write_text(
        TWO.replace("rep_id: anna", "active: false, rep_id: anna").replace(
            "locale: ru", "email: anna@ours.net"
        )
    )

    assert leadline("roster", "put", str(file))[0] == 0
    assert subscribed(stack) == {"Anna@ours.net": {"team": ["sales"], "rep_id": ["boss"]}}


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        (TWO.replace('"+447700900001"', "447700900001"), "phone: Input should be a valid string"),
        (TWO.replace("+447700900001", "07700 900001"), "phone: String should match pattern"),
        (TWO.replace("Anna@Ours.NET", "anna"), "email: An email address must have an @-sign"),
        (TWO.replace("locale: ru", "locale: fr"), "locale: Input should be 'en' or 'ru'"),
        (TWO.replace("Europe/London", "London"), "zone: "),
        (TWO.replace("rep_id: boss", "rep_id: anna"), "rep_id anna: given twice"),
        (TWO.replace("locale: ru", "email: anna@ours.net"), "e-mail anna@ours.net: given twice"),
        (TWO.replace("role: manager", "rolle: manager"), "rolle: Extra inputs"),
        (TWO.replace('phone: "+79161234567", ', ""), "person 2 (boss): neither phone nor e-mail"),
        (TWO.replace("team: sales", "crew: sales"), "team\n  Field required"),
        ("team: [", "expected"),
    ],
)
def test_a_mistake_is_said_and_nothing_is_entered(
    stack: Deployment, leadline: Run, file: Path, written: str, complaint: str
) -> None:
    file.write_text(written)

    status, _, err = leadline("roster", "put", str(file))

    assert status == 1
    assert complaint in err
    assert PeopleTable(stack.table).of_team("sales") == []
    assert subscribed(stack) == {}


def test_a_calendar_has_to_be_published_first(stack: Deployment, leadline: Run, file: Path) -> None:
    file.write_text(TWO.replace("locale: ru", "calendar: office"))

    assert "calendar office is not published" in leadline("roster", "put", str(file))[2]
    PolicyStore(stack.table).publish(
        read_policy(Path("infra/policy"), {"SITE": "https://ours.net"})
    )
    assert leadline("roster", "put", str(file))[0] == 0


def test_the_sample_file_can_be_entered() -> None:
    assert len(people_files.read_people(FILE)) == 4
    with pytest.raises(OperatorError, match="No such file"):
        people_files.read_people(Path("nowhere.yaml"))


def test_the_list_says_who_can_be_reached(stack: Deployment, leadline: Run, file: Path) -> None:
    leadline("roster", "put", str(file))
    boss = a_rep("boss", on_duty=False, email="boss@ours.net")
    PeopleTable(stack.table).put_rep(boss)
    PeopleTable(stack.table).put_rep(a_rep("gone", active=False))

    out = leadline("roster", "list", "--team", "sales")[1]

    rows = [" ".join(line.split()) for line in out.splitlines()]
    assert rows[1].startswith("sales anna Anna rep +447700900001 Anna@ours.net")
    assert "(confirmed)" in " ".join(rows[1:3])
    assert "boss@ours.net (not subscribed)" in " ".join(rows)
    assert "rep, off duty" in out
    assert "rep, not active" in out


def test_the_list_shows_the_teams_that_forms_or_filters_name(
    stack: Deployment, leadline: Run, file: Path
) -> None:
    assert "no policy is published" in leadline("roster", "list")[2]
    leadline("roster", "put", str(file))
    assert "anna" in leadline("roster", "list")[1], "a filter names her team"
    PeopleTable(stack.table).put_rep(a_rep("canary", team="canary", email="canary@x.invalid"))
    PolicyStore(stack.table).publish(
        read_policy(Path("infra/policy"), {"SITE": "https://ours.net"})
    )
    out = leadline("roster", "list")[1]
    assert "boss" in out
    assert "canary" not in out


PENDING = {
    "SubscriptionArn": "PendingConfirmation",
    "Protocol": "email",
    "Endpoint": "anna@ours.net",
}


def test_an_address_that_aws_refuses_keeps_nobody_else_from_being_asked(
    stack: Deployment, leadline: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(TWO.replace("locale: ru", "email: boss@ours.net"))
    sns, create = boto3.client("sns"), boto3.client
    monkeypatch.setattr(
        boto3, "client", lambda name, **more: sns if name == "sns" else create(name, **more)
    )
    with Stubber(sns) as stub:
        stub.add_response("list_subscriptions_by_topic", {"Subscriptions": [PENDING]})
        message = "Subscription already exists with different attributes"
        stub.add_client_error("subscribe", "InvalidParameter", message)
        stub.add_response("subscribe", {"SubscriptionArn": "pending confirmation"})

        status, out, _ = leadline("roster", "put", str(file))
        stub.assert_no_pending_responses()

    said = " ".join(out.split())
    assert status == 1
    assert f"AWS does not take Anna@ours.net ({message}): if it was asked before, follow" in said
    assert "AWS has asked boss@ours.net" in said
    assert {rep.rep_id for rep in PeopleTable(stack.table).of_team("sales")} == {"anna", "boss"}


# --- what the table knows and a file does not say ------------------------------------------------


def test_a_file_leaves_duty_absences_and_missed_alerts_alone(
    stack: Deployment, leadline: Run, file: Path
) -> None:
    away = {"since": "2030-12-24T00:00:00Z", "until": "2030-12-27T00:00:00Z"}
    standing = a_rep("anna", on_duty=False, absences=[away], missed_pages=2, skills=["ru"])
    PeopleTable(stack.table).put_rep(standing)

    leadline("roster", "put", str(file))

    anna, _ = PeopleTable(stack.table).of_team("sales")
    assert (anna.on_duty, anna.absences, anna.missed_pages) == (False, standing.absences, 2)
    assert (anna.zone, anna.skills) == ("Europe/London", ()), "the file says all the rest"


def test_a_file_that_speaks_of_duty_is_heeded(stack: Deployment, leadline: Run, file: Path) -> None:
    PeopleTable(stack.table).put_rep(a_rep("anna", missed_pages=1))
    file.write_text(TWO.replace("rep_id: anna", "on_duty: false, rep_id: anna"))

    leadline("roster", "put", str(file))

    anna, _ = PeopleTable(stack.table).of_team("sales")
    assert (anna.on_duty, anna.missed_pages) == (False, 1)


def test_the_list_says_what_decides_about_leads(
    stack: Deployment, leadline: Run, file: Path
) -> None:
    away = [
        {"since": "2020-01-01T00:00:00Z", "until": "2020-01-02T00:00:00Z"},
        {"since": "2030-12-24T00:00:00Z", "until": "2030-12-25T00:00:00Z"},
    ]
    fields: dict[str, Any] = {"weight": 2, "daily_cap": 5, "skills": ["ru", "vip"]}
    fields |= {"calendar": "office", "absences": away}
    for rep in (a_rep("anna", **fields), a_rep("boris"), a_rep("clara", missed_pages=2)):
        PeopleTable(stack.table).put_rep(rep)

    out = leadline("roster", "list", "--team", "sales")[1]

    table, more = out.split("\n\n")
    assert " ".join(more.split()) == (
        "sales/anna weight 2, at most 5 a day, skills ru vip, shift office, "
        "away Tue 24 Dec 00:00-24:00 UTC"
    )
    clara = next(line for line in table.splitlines() if "clara" in line)
    assert "rep, off duty: two alerts unanswered" in clara
