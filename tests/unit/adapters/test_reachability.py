"""Whether a message can arrive: asked first, remembered for a minute, and never in the way."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws
from moto.ses.models import ses_backends

from shared.adapters import reachability, ses
from shared.adapters.alerts import AlertRefusedError, AlertSender, OpsMail, SesMail, sender
from shared.adapters.channels import Channels, channels
from shared.adapters.reachability import Reachability
from shared.domain.channels import Problem
from shared.domain.roster import CANARY_TEAM
from shared.errors import AlertNotSentError, ChannelsNotCheckedError
from tests.unit.domain.samples import a_rep

TOPIC = "arn:aws:sns:eu-central-1:123456789012:alerts"
ANNA = a_rep("anna", email="Anna@ours.net", phone="+447700900101")
BORIS = a_rep("boris", email="boris@ours.net", phone="+447700900199")
"""moto takes numbers that end in 99 for opted out."""


def subscription(email: str, arn: str = f"{TOPIC}:1") -> dict[str, str]:
    return {"Protocol": "email", "Endpoint": email, "SubscriptionArn": arn}


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


# --- before an alert ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("listed", "reason"),
    [
        ([subscription("anna@ours.net")], None),
        ([subscription("anna@ours.net", "PendingConfirmation")], "not_confirmed"),
        ([subscription("boris@ours.net")], "not_subscribed"),
        ([], "not_subscribed"),
        (
            [{"Protocol": "sqs", "Endpoint": "anna@ours.net", "SubscriptionArn": "x"}],
            "not_subscribed",
        ),
    ],
)
def test_an_e_mail_arrives_where_its_person_has_confirmed(
    listed: list[dict[str, str]], reason: str | None
) -> None:
    client = boto3.client("sns")
    with Stubber(client) as stub:
        stub.add_response("list_subscriptions_by_topic", {"Subscriptions": listed})

        assert Reachability(client, TOPIC).why_no_email("Anna@ours.net") == reason


def test_every_page_of_subscriptions_is_read_and_one_list_serves_everybody_for_a_minute() -> None:
    client, clock = boto3.client("sns"), Clock()
    asked = Reachability(client, TOPIC, clock=clock)
    with Stubber(client) as stub:
        first = {"Subscriptions": [subscription("anna@ours.net")], "NextToken": "more"}
        stub.add_response("list_subscriptions_by_topic", first, {"TopicArn": TOPIC})
        second = {"Subscriptions": [subscription("boris@ours.net")]}
        expected = {"TopicArn": TOPIC, "NextToken": "more"}
        stub.add_response("list_subscriptions_by_topic", second, expected)

        assert asked.why_no_email("anna@ours.net") is None
        clock.seconds = 59
        assert asked.why_no_email("boris@ours.net") is None
        stub.assert_no_pending_responses()

        clock.seconds = 60
        stub.add_response("list_subscriptions_by_topic", {"Subscriptions": []})
        assert asked.why_no_email("anna@ours.net") == "not_subscribed"


def test_who_answered_stop_gets_no_sms() -> None:
    with mock_aws():
        asked = Reachability(boto3.client("sns"), TOPIC)

        assert asked.why_no_sms("+447700900199") == "opted_out"
        assert asked.why_no_sms("+447700900101") is None


def test_a_question_without_an_answer_costs_no_alert(caplog: pytest.LogCaptureFixture) -> None:
    client, clock = boto3.client("sns"), Clock()
    asked = Reachability(client, TOPIC, clock=clock)
    with Stubber(client) as stub:
        stub.add_client_error("check_if_phone_number_is_opted_out", "Throttled")
        stub.add_client_error("list_subscriptions_by_topic", "InternalError")

        assert asked.why_no_sms("+447700900199") is None
        assert asked.why_no_email("anna@ours.net") is None
        # Not asked again at once either.
        assert asked.why_no_sms("+447700900199") is None
    assert "+447700900199" not in caplog.text


def test_a_refusal_is_found_before_anything_is_published() -> None:
    client = boto3.client("sns")
    alerts = AlertSender(client, TOPIC, Reachability(client, TOPIC))
    with Stubber(client) as stub:
        stub.add_response("check_if_phone_number_is_opted_out", {"isOptedOut": True})
        stub.add_response("list_subscriptions_by_topic", {"Subscriptions": []})

        with pytest.raises(AlertRefusedError, match="opted_out"):
            alerts.sms("+447700900199", "text")
        with pytest.raises(AlertRefusedError, match="not_subscribed"):
            alerts.email(ANNA, "subject", "text")


def test_the_canarys_mail_goes_to_its_queue_whatever_sends_the_others() -> None:
    client = boto3.client("sns")
    alerts = AlertSender(
        client, TOPIC, Reachability(client, TOPIC), SesMail(ses.client(), "a@ours.net")
    )
    with Stubber(client) as stub:
        stub.add_response("publish", {"MessageId": "m"})

        assert alerts.email(a_rep("canary", team=CANARY_TEAM), "subject", "text") == "m"


# --- SES ------------------------------------------------------------------------------------------


def test_ses_sends_to_the_persons_address_with_headers_of_its_own_making() -> None:
    with mock_aws():
        client = boto3.client("sesv2")
        client.create_email_identity(EmailIdentity="ours.net")
        subject = "Новый лид: Анна-Мария О'Нил 👋"

        SesMail(client, "alerts@ours.net").send(ANNA, subject, "Строка\nи ещё одна")

        (sent,) = messages_of_ses()
        assert sent.destinations["ToAddresses"] == ["Anna@ours.net"]
        assert sent.source == "alerts@ours.net"
        assert sent.subject == subject
        assert sent.body == "Строка\nи ещё одна"


def messages_of_ses() -> list[Any]:

    return list(ses_backends["123456789012"]["eu-central-1"].sent_messages)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("MessageRejected", "refused"),
        ("MailFromDomainNotVerifiedException", "sender_not_verified"),
        ("AccountSuspendedException", "sending_paused"),
        ("SendingPausedException", "sending_paused"),
        ("LimitExceededException", "quota"),
    ],
)
def test_what_ses_never_sends_is_refused_with_a_reason(code: str, reason: str) -> None:
    client = boto3.client("sesv2")
    with Stubber(client) as stub:
        stub.add_client_error("send_email", code)

        with pytest.raises(AlertRefusedError, match=reason):
            SesMail(client, "alerts@ours.net").send(ANNA, "s", "t")


def test_what_ses_may_take_later_is_tried_again() -> None:
    client = boto3.client("sesv2")
    with Stubber(client) as stub:
        stub.add_client_error("send_email", "TooManyRequestsException")

        with pytest.raises(AlertNotSentError):
            SesMail(client, "alerts@ours.net").send(ANNA, "s", "t")


@pytest.mark.parametrize(
    ("code", "reason"), [(None, "suppressed"), ("NotFoundException", None), ("Throttled", None)]
)
def test_ses_is_asked_whether_it_sends_to_an_address_at_all(
    code: str | None, reason: str | None
) -> None:
    client = boto3.client("sesv2")
    asked = Reachability(boto3.client("sns"), TOPIC, ses=client)
    with Stubber(client) as stub:
        if code:
            stub.add_client_error("get_suppressed_destination", code)
        else:
            stub.add_response("get_suppressed_destination", suppressed("anna@ours.net"))

        assert asked.why_no_email("anna@ours.net") == reason


def suppressed(address: str) -> dict[str, object]:
    return {
        "SuppressedDestination": {
            "EmailAddress": address,
            "Reason": "BOUNCE",
            "LastUpdateTime": 1_700_000_000,
        }
    }


def test_the_deployment_decides_what_mails() -> None:
    for made in (sender(TOPIC), sender(TOPIC, "alerts@ours.net")):
        assert isinstance(made, AlertSender)
    by_sns, by_ses = channels(TOPIC), channels(TOPIC, "alerts@ours.net")
    assert len(by_sns.checks) == len(by_ses.checks) == 3
    assert reachability.client() is reachability.client()


def test_whoever_runs_the_stack_is_mailed_or_it_is_tried_again() -> None:
    client = boto3.client("sns")
    with Stubber(client) as stub:
        expected = {"TopicArn": TOPIC, "Subject": "s", "Message": "t"}
        stub.add_response("publish", {"MessageId": "m"}, expected)
        OpsMail(client, TOPIC).send("s", "t")
        stub.add_client_error("publish", "InternalError")
        with pytest.raises(AlertNotSentError):
            OpsMail(client, TOPIC).send("s", "t")


# --- once a day -----------------------------------------------------------------------------------


def test_the_channels_of_a_team_are_looked_through() -> None:
    with mock_aws():
        client = boto3.client("sns")
        topic = client.create_topic(Name="alerts")["TopicArn"]
        client.subscribe(
            TopicArn=topic,
            Protocol="email",
            Endpoint="anna@ours.net",
            Attributes={"FilterPolicy": '{"team": ["sales"], "rep_id": ["anna"]}'},
        )
        checked = Channels(client, topic)
        people = [ANNA, BORIS, a_rep("nobody", email=None, phone=None)]

        assert checked.emails(people) == [Problem(BORIS, "email", "not_subscribed")]
        assert checked.opt_outs(people) == [Problem(BORIS, "sms", "opted_out")]
        assert checked.sms_limit() == 1


def test_in_the_sandbox_only_verified_numbers_are_reached() -> None:
    client = boto3.client("sns")
    with Stubber(client) as stub:
        stub.add_response("get_sms_sandbox_account_status", {"IsInSandbox": True})
        verified = [{"PhoneNumber": ANNA.phone, "Status": "Verified"}]
        verified.append({"PhoneNumber": BORIS.phone, "Status": "Pending"})
        stub.add_response("list_sms_sandbox_phone_numbers", {"PhoneNumbers": verified})

        found = Channels(client, TOPIC).sandbox([ANNA, BORIS])
        assert found == [Problem(BORIS, "sms", "not_verified")]

        stub.add_response("get_sms_sandbox_account_status", {"IsInSandbox": False})
        assert Channels(client, TOPIC).sandbox([ANNA, BORIS]) == []


def test_by_ses_subscriptions_do_not_matter_and_suppression_does() -> None:
    client = boto3.client("sesv2")
    with Stubber(client) as stub:
        stub.add_response("get_suppressed_destination", suppressed("anna@ours.net"))
        stub.add_client_error("get_suppressed_destination", "NotFoundException")

        found = Channels(boto3.client("sns"), TOPIC, client).emails([ANNA, BORIS])

    assert found == [Problem(ANNA, "email", "suppressed")]


def test_a_check_without_an_answer_says_which() -> None:
    client = boto3.client("sns")
    with Stubber(client) as stub:
        for operation, what in (
            ("list_subscriptions_by_topic", "email"),
            ("check_if_phone_number_is_opted_out", "opt_out"),
            ("get_sms_sandbox_account_status", "sandbox"),
            ("get_sms_attributes", "spend"),
        ):
            stub.add_client_error(operation, "AuthorizationError")
            checked = Channels(client, TOPIC)
            calls = {
                "email": lambda c=checked: c.emails([ANNA]),
                "opt_out": lambda c=checked: c.opt_outs([ANNA]),
                "sandbox": lambda c=checked: c.sandbox([ANNA]),
                "spend": lambda c=checked: c.sms_limit(),
            }
            with pytest.raises(ChannelsNotCheckedError, match=what):
                calls[what]()
