"""The addresses at the topic of alerts: who is asked, whose filter is mended, who is let go."""

import json

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from shared.adapters import subscriptions
from shared.adapters.subscriptions import Subscription
from tests.unit.domain.samples import a_rep

TOPIC = "arn:aws:sns:eu-central-1:123456789012:alerts"
ANNA_ARN = f"{TOPIC}:1"
ANNA = a_rep("anna", email="anna@ours.net")
FILTER = {"team": ["sales"], "rep_id": ["anna"]}
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
        known = subscriptions.of_topic(sns, TOPIC)
        stub.add_response("subscribe", {"SubscriptionArn": "pending confirmation"}, ASKED)

        assert known == [Subscription("anna@ours.net", "PendingConfirmation", {})]
        subscriptions.mend(sns, known, [ANNA], [ANNA])
        good, says = subscriptions.subscribe(sns, TOPIC, ANNA, [ANNA], known)
        assert (good, "has asked anna@ours.net" in says) == (True, True)
        stub.assert_no_pending_responses()


def test_what_has_nothing_to_do_with_one_address_is_told_as_it_is() -> None:
    sns = boto3.client("sns")
    with Stubber(sns) as stub:
        stub.add_client_error("subscribe", "AuthorizationError", "no")
        with pytest.raises(ClientError, match="AuthorizationError"):
            subscriptions.subscribe(sns, TOPIC, ANNA, [ANNA], [])


@pytest.mark.parametrize(
    ("known", "state"),
    [
        ([], "not_subscribed"),
        ([Subscription("other@ours.net", ANNA_ARN, FILTER)], "not_subscribed"),
        ([Subscription("anna@ours.net", "PendingConfirmation", {})], "not_confirmed"),
        ([Subscription("anna@ours.net", ANNA_ARN, {})], "wrong_filter"),
        ([Subscription("ANNA@ours.net", ANNA_ARN, FILTER)], "confirmed"),
    ],
)
def test_the_state_of_a_subscription(known: list[Subscription], state: str) -> None:
    assert subscriptions.state(ANNA, [ANNA], known) == state


def test_a_person_without_an_address_any_more_is_unsubscribed() -> None:
    """Subscriptions of others, such as one that somebody made by hand, stay as they are."""
    sns = boto3.client("sns")
    former = Subscription("anna@ours.net", ANNA_ARN, FILTER)
    other = Subscription("audit@ours.net", f"{TOPIC}:9", {"team": ["sales"]})
    with Stubber(sns) as stub:
        stub.add_response("unsubscribe", {}, {"SubscriptionArn": ANNA_ARN})
        rep = ANNA.model_copy(update={"email": None})

        subscriptions.mend(sns, [former, other], [rep], [rep])
        assert (
            subscriptions.subscribe(sns, TOPIC, rep, [rep], [former])[1]
            == "entered, without e-mail"
        )
        stub.assert_no_pending_responses()
