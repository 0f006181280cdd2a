"""Entering people: what is wrong is said before anything is written, and twice is like once."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
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


def test_an_address_of_two_teams_gets_the_alerts_of_both(
    stack: Deployment, leadline: Run, file: Path
) -> None:
    """SNS keeps one subscription of an address, whichever file it was in."""
    leadline("people", "put", str(file))
    other = file.with_name("support.yaml")
    other.write_text(TWO.replace("sales", "support").replace("Anna@Ours.NET", "anna@ours.net"))

    for put, also in ((other, "sales/anna"), (file, "support/anna")):
        status, out, _ = leadline("people", "put", str(put))
        assert status == 0
        assert f"is subscribed, also for {also}" in " ".join(out.split())
        assert list(subscribed(stack).values()) == [
            {"team": ["sales", "support"], "rep_id": ["anna"]}
        ]
    assert "(confirmed)" in " ".join(leadline("people", "list", "--team", "support")[1].split())

    other.write_text(other.read_text().replace("rep_id: anna", "active: false, rep_id: anna"))
    leadline("people", "put", str(other))
    assert list(subscribed(stack).values()) == [FILTER]


def test_an_address_that_would_hear_of_anothers_leads_is_refused(
    stack: Deployment, leadline: Run, file: Path
) -> None:
    """As anna of one team and boss of the other it would get what both get in both."""
    file.write_text(TWO.replace("locale: ru", "email: boss@ours.net"))
    leadline("people", "put", str(file))
    file.write_text(
        "{team: support, people: [{rep_id: boss, name: Anna Smith, email: Anna@ours.net}]}"
    )

    status, _, err = leadline("people", "put", str(file))

    assert status == 1
    assert "anna@ours.net belongs to sales/anna and support/boss, and would get" in err
    assert "the alerts of sales/boss (Boss), too" in err
    assert LeadTable(stack.table).people("support") == []
    assert subscribed(stack)["Anna@ours.net"] == FILTER


def test_who_is_not_active_any_more_is_unsubscribed(
    stack: Deployment, leadline: Run, file: Path
) -> None:
    leadline("people", "put", str(file))
    file.write_text(TWO.replace("rep_id: anna", "active: false, rep_id: anna"))

    status, out, _ = leadline("people", "put", str(file))

    assert status == 0
    assert "entered, not active: no alerts" in out
    assert subscribed(stack) == {}
    row = next(line for line in leadline("people", "list", "--team", "sales")[1].splitlines()[1:])
    assert row.endswith("Anna@ours.net"), "nothing is said of a subscription that must not be"


def test_an_address_goes_on_to_the_one_who_comes_after(
    stack: Deployment, leadline: Run, file: Path
) -> None:
    leadline("people", "put", str(file))
    file.write_text(
        TWO.replace("rep_id: anna", "active: false, rep_id: anna").replace(
            "locale: ru", "email: anna@ours.net"
        )
    )

    assert leadline("people", "put", str(file))[0] == 0
    assert subscribed(stack) == {"Anna@ours.net": {"team": ["sales"], "rep_id": ["boss"]}}


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


def test_the_list_shows_the_teams_that_forms_or_filters_name(
    stack: Deployment, leadline: Run, file: Path
) -> None:
    assert "no policy is published" in leadline("people", "list")[2]
    leadline("people", "put", str(file))
    assert "anna" in leadline("people", "list")[1], "a filter names her team"
    LeadTable(stack.table).put_rep(a_rep("canary", team="canary", email="canary@x.invalid"))
    PolicyStore(stack.table).publish(
        read_policy(Path("infra/policy"), {"SITE": "https://ours.net"})
    )
    out = leadline("people", "list")[1]
    assert "boss" in out
    assert "canary" not in out


PENDING = {
    "SubscriptionArn": "PendingConfirmation",
    "Protocol": "email",
    "Endpoint": "anna@ours.net",
}
ASKED = {
    "TopicArn": TOPIC,
    "Protocol": "email",
    "Endpoint": "anna@ours.net",
    "Attributes": {"FilterPolicy": json.dumps(FILTER)},
}


def test_a_subscription_that_waits_for_its_person_is_asked_again() -> None:
    sns = boto3.client("sns")
    with Stubber(sns) as stub:
        queue = {"SubscriptionArn": f"{TOPIC}:2", "Protocol": "sqs", "Endpoint": "arn:q"}
        stub.add_response("list_subscriptions_by_topic", {"Subscriptions": [PENDING, queue]})
        known = people.subscriptions(sns, TOPIC)
        stub.add_response("subscribe", {"SubscriptionArn": "pending confirmation"}, ASKED)

        assert known == [Subscription("anna@ours.net", "PendingConfirmation", {})]
        people.mend(sns, known, [ANNA], [ANNA])
        good, says = people.subscribe(sns, TOPIC, ANNA, [ANNA], known)
        assert (good, "has asked anna@ours.net" in says) == (True, True)
        stub.assert_no_pending_responses()


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

        status, out, _ = leadline("people", "put", str(file))
        stub.assert_no_pending_responses()

    said = " ".join(out.split())
    assert status == 1
    assert f"AWS does not take Anna@ours.net ({message}): if it was asked before, follow" in said
    assert "AWS has asked boss@ours.net" in said
    assert {rep.rep_id for rep in LeadTable(stack.table).people("sales")} == {"anna", "boss"}


def test_what_has_nothing_to_do_with_one_address_is_told_as_it_is() -> None:
    sns = boto3.client("sns")
    with Stubber(sns) as stub:
        stub.add_client_error("subscribe", "AuthorizationError", "no")
        with pytest.raises(ClientError, match="AuthorizationError"):
            people.subscribe(sns, TOPIC, ANNA, [ANNA], [])


@pytest.mark.parametrize(
    ("known", "state"),
    [
        ([], "not subscribed"),
        ([Subscription("other@ours.net", ANNA_ARN, FILTER)], "not subscribed"),
        ([Subscription("anna@ours.net", "PendingConfirmation", {})], "not confirmed"),
        ([Subscription("anna@ours.net", ANNA_ARN, {})], "wrong filter"),
        ([Subscription("ANNA@ours.net", ANNA_ARN, FILTER)], "confirmed"),
    ],
)
def test_the_state_of_a_subscription(known: list[Subscription], state: str) -> None:
    assert people.state(ANNA, [ANNA], known) == state


def test_a_person_without_an_address_any_more_is_unsubscribed() -> None:
    """Subscriptions of others, such as one that somebody made by hand, stay as they are."""
    sns = boto3.client("sns")
    former = Subscription("anna@ours.net", ANNA_ARN, FILTER)
    other = Subscription("audit@ours.net", f"{TOPIC}:9", {"team": ["sales"]})
    with Stubber(sns) as stub:
        stub.add_response("unsubscribe", {}, {"SubscriptionArn": ANNA_ARN})
        rep = ANNA.model_copy(update={"email": None})

        people.mend(sns, [former, other], [rep], [rep])
        assert people.subscribe(sns, TOPIC, rep, [rep], [former])[1] == "entered, without e-mail"
        stub.assert_no_pending_responses()
