"""Entering people: what is wrong is said before anything is written, and twice is like once."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from infra.cli import people
from infra.cli.deployment import Deployment, OperatorError
from infra.cli.people import Subscription
from infra.cli.policy_files import read_policy
from infra.local.people import FILE
from shared.adapters.lead_table import LeadTable
from shared.adapters.policy_store import PolicyStore
from tests.unit.cli.conftest import Run
from tests.unit.domain.samples import a_rep

TOPIC = "arn:aws:sns:eu-central-1:123456789012:alerts"
ANNA_ARN = f"{TOPIC}:1"
ANNA = a_rep("anna", email="anna@ours.net")
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
    known = people.subscriptions(boto3.client("sns"), stack.resource("AlertTopic"))
    return {subscription.email: subscription.filter for subscription in known}


def test_people_are_entered_and_subscribed_once(
    stack: Deployment, leadline: Run, file: Path
) -> None:
    for _ in range(2):
        status, out, _ = leadline("people", "put", str(file))
        assert status == 0

    entered = {rep.rep_id: rep for rep in LeadTable(stack.table).people("sales")}
    assert entered["anna"].email == "Anna@ours.net"
    assert (entered["boss"].role, entered["boss"].locale) == ("manager", "ru")
    assert subscribed(stack) == {"Anna@ours.net": FILTER}
    assert "entered; Anna@ours.net is subscribed" in " ".join(out.split())
    assert "entered, without e-mail" in out


def test_a_new_address_takes_the_place_of_the_former_one(
    stack: Deployment, leadline: Run, file: Path
) -> None:
    leadline("people", "put", str(file))
    file.write_text(TWO.replace("Anna@Ours.NET", "anna@new.net"))

    leadline("people", "put", str(file))

    assert subscribed(stack) == {"anna@new.net": FILTER}


def test_an_address_follows_its_person_to_another_id(
    stack: Deployment, leadline: Run, file: Path
) -> None:
    leadline("people", "put", str(file))
    file.write_text(TWO.replace("rep_id: anna", "rep_id: anna-k"))

    status, out, _ = leadline("people", "put", str(file))

    assert status == 0
    assert "now gets this person's alerts" in " ".join(out.split())
    assert subscribed(stack) == {"Anna@ours.net": {"team": ["sales"], "rep_id": ["anna-k"]}}


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        (TWO.replace('"+447700900001"', "447700900001"), "phone: Input should be a valid string"),
        (TWO.replace("+447700900001", "07700 900001"), "phone: String should match pattern"),
        (TWO.replace("Anna@Ours.NET", "anna"), "email: Value error"),
        (TWO.replace("locale: ru", "locale: fr"), "locale: Input should be 'en' or 'ru'"),
        (TWO.replace("Europe/London", "London"), "zone: "),
        (TWO.replace("rep_id: boss", "rep_id: anna"), "rep_id anna: given twice"),
        (TWO.replace("locale: ru", "email: anna@ours.net"), "e-mail anna@ours.net: given twice"),
        (TWO.replace("role: manager", "rolle: manager"), "rolle: Extra inputs"),
        (TWO.replace('phone: "+79161234567", ', ""), "boss: neither phone nor e-mail"),
        (TWO.replace("team: sales", "crew: sales"), "team\n  Field required"),
        ("team: [", "expected"),
    ],
)
def test_a_mistake_is_said_and_nothing_is_entered(
    stack: Deployment, leadline: Run, file: Path, written: str, complaint: str
) -> None:
    file.write_text(written)

    status, _, err = leadline("people", "put", str(file))

    assert status == 1
    assert complaint in err
    assert LeadTable(stack.table).people("sales") == []
    assert subscribed(stack) == {}


def test_a_calendar_has_to_be_published_first(stack: Deployment, leadline: Run, file: Path) -> None:
    file.write_text(TWO.replace("locale: ru", "calendar: office"))

    assert "calendar office is not published" in leadline("people", "put", str(file))[2]
    PolicyStore(stack.table).publish(
        read_policy(Path("infra/policy"), {"SITE": "https://ours.net"})
    )
    assert leadline("people", "put", str(file))[0] == 0


def test_the_sample_file_can_be_entered() -> None:
    assert len(people.read_people(FILE)) == 4
    with pytest.raises(OperatorError, match="No such file"):
        people.read_people(Path("nowhere.yaml"))


def test_the_list_says_who_can_be_reached(stack: Deployment, leadline: Run, file: Path) -> None:
    leadline("people", "put", str(file))
    boss = a_rep("boss", on_duty=False, email="boss@ours.net")
    LeadTable(stack.table).put_rep(boss)
    LeadTable(stack.table).put_rep(a_rep("gone", active=False))

    out = leadline("people", "list", "--team", "sales")[1]

    rows = [" ".join(line.split()) for line in out.splitlines()]
    assert rows[1].startswith("sales anna Anna rep +447700900001 Anna@ours.net")
    assert "(confirmed)" in " ".join(rows[1:3])
    assert "boss@ours.net (not subscribed)" in " ".join(rows)
    assert "rep, off duty" in out
    assert "rep, not active" in out


def test_the_list_shows_the_teams_of_the_forms(
    stack: Deployment, leadline: Run, file: Path
) -> None:
    leadline("people", "put", str(file))
    assert "no policy is published" in leadline("people", "list")[2]
    PolicyStore(stack.table).publish(
        read_policy(Path("infra/policy"), {"SITE": "https://ours.net"})
    )
    assert "anna" in leadline("people", "list")[1]


def test_a_subscription_that_waits_for_its_person_is_asked_again() -> None:
    sns = boto3.client("sns")
    with Stubber(sns) as stub:
        listed = {
            "SubscriptionArn": "PendingConfirmation",
            "Protocol": "email",
            "Endpoint": "anna@ours.net",
        }
        queue = {"SubscriptionArn": f"{TOPIC}:2", "Protocol": "sqs", "Endpoint": "arn:q"}
        stub.add_response("list_subscriptions_by_topic", {"Subscriptions": [listed, queue]})
        known = people.subscriptions(sns, TOPIC)
        stub.add_response(
            "subscribe",
            {"SubscriptionArn": "pending confirmation"},
            {
                "TopicArn": TOPIC,
                "Protocol": "email",
                "Endpoint": "anna@ours.net",
                "Attributes": {"FilterPolicy": json.dumps(FILTER)},
            },
        )

        assert known == [Subscription("anna@ours.net", "PendingConfirmation", None)]
        assert "has asked anna@ours.net" in people.subscribe(sns, TOPIC, ANNA, known)
        stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("known", "state"),
    [
        ([], "not subscribed"),
        ([Subscription("other@ours.net", ANNA_ARN, FILTER)], "not subscribed"),
        ([Subscription("anna@ours.net", "PendingConfirmation", None)], "not confirmed"),
        ([Subscription("anna@ours.net", ANNA_ARN, None)], "wrong filter"),
        ([Subscription("ANNA@ours.net", ANNA_ARN, FILTER)], "confirmed"),
    ],
)
def test_the_state_of_a_subscription(known: list[Subscription], state: str) -> None:
    assert people.state(ANNA, known) == state


def test_a_person_without_an_address_any_more_is_unsubscribed() -> None:
    sns = boto3.client("sns")
    former = Subscription("anna@ours.net", ANNA_ARN, FILTER)
    with Stubber(sns) as stub:
        stub.add_response("unsubscribe", {}, {"SubscriptionArn": ANNA_ARN})
        rep = ANNA.model_copy(update={"email": None})

        assert people.subscribe(sns, TOPIC, rep, [former]) == "entered, without e-mail"
        stub.assert_no_pending_responses()
