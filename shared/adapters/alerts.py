"""Alerts to people: SMS to a number of the roster, e-mail through the alert topic or SES.

Neither has an idempotency key, so a lease around them makes a second message possible only when the
process died in between. E-mail by the topic carries the person's team and id as attributes; each
person's subscription filters by both, so that a message reaches one inbox.
"""

from functools import cache
from typing import TYPE_CHECKING, Protocol

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from shared.adapters import reachability, ses
from shared.adapters.reachability import Reachability
from shared.adapters.ses import Ses
from shared.adapters.timeouts import ONCE
from shared.domain.roster import CANARY_TEAM, Rep
from shared.errors import AlertNotSentError

if TYPE_CHECKING:
    from types_boto3_sns.client import SNSClient

REFUSED_FOR_GOOD = {
    "InvalidParameter": "invalid_address",
    "InvalidParameterValue": "invalid_address",
    "OptedOut": "opted_out",
    "NotFound": "topic_missing",
    "BadRequestException": "invalid_address",
    "MessageRejected": "refused",
    "MailFromDomainNotVerifiedException": "sender_not_verified",
    "NotFoundException": "sender_not_verified",
    "AccountSuspendedException": "sending_paused",
    "SendingPausedException": "sending_paused",
    "LimitExceededException": "quota",
}
"""What no retry mends, in our words, by the codes of SNS and SES. All else is tried again."""


class AlertRefusedError(Exception):
    """This message will never be delivered; `reason` is one of our codes."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Mail(Protocol):
    def send(self, rep: Rep, subject: str, text: str) -> str: ...


@cache
def client() -> "SNSClient":
    return boto3.client("sns", config=ONCE)


def sender(topic_arn: str, email_from: str = "") -> "AlertSender":
    """What sends the alerts of this deployment: e-mail by SES where there is a sender's address."""
    by_ses = SesMail(ses.client(), email_from) if email_from else None
    asked = Reachability(reachability.client(), topic_arn, ses=ses.client() if email_from else None)
    return AlertSender(client(), topic_arn, asked, by_ses)


class AlertSender:
    """Sends one message and returns AWS's id of it. Asks before whether it can arrive at all."""

    def __init__(
        self,
        sns: "SNSClient",
        topic_arn: str,
        reachability: Reachability | None = None,
        mail: Mail | None = None,
    ) -> None:
        self._sns = sns
        self._topic = TopicMail(sns, topic_arn)
        self._reachability = reachability
        self._mail = mail

    def sms(self, phone: str, text: str) -> str:
        """Raises AlertRefusedError for good, AlertNotSentError for now."""
        if self._reachability and (reason := self._reachability.why_no_sms(phone)):
            raise AlertRefusedError(reason)
        try:
            answer = self._sns.publish(
                PhoneNumber=phone,
                Message=text,
                MessageAttributes={
                    "AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}
                },
            )
        except (ClientError, BotoCoreError) as error:
            raise _translated(error) from error
        return answer["MessageId"]

    def email(self, rep: Rep, subject: str, text: str) -> str:
        """Raises AlertRefusedError for good, AlertNotSentError for now."""
        if rep.team == CANARY_TEAM:
            # Its mailbox is a queue at the topic, and it has no address.
            return self._topic.send(rep, subject, text)
        if self._reachability and (reason := self._reachability.why_no_email(rep.email or "")):
            raise AlertRefusedError(reason)
        return (self._mail or self._topic).send(rep, subject, text)


class TopicMail:
    """E-mail by SNS: to whoever has subscribed with a filter on this person."""

    def __init__(self, sns: "SNSClient", topic_arn: str) -> None:
        self._sns = sns
        self._topic_arn = topic_arn

    def send(self, rep: Rep, subject: str, text: str) -> str:
        """Raises AlertRefusedError for good, AlertNotSentError for now."""
        try:
            answer = self._sns.publish(
                TopicArn=self._topic_arn,
                Subject=subject,
                Message=text,
                MessageAttributes={
                    "team": {"DataType": "String", "StringValue": rep.team},
                    "rep_id": {"DataType": "String", "StringValue": rep.rep_id},
                },
            )
        except (ClientError, BotoCoreError) as error:
            raise _translated(error) from error
        return answer["MessageId"]


class SesMail:
    """E-mail by SES, straight to the person's address; SES writes the headers."""

    def __init__(self, client: Ses, sender: str) -> None:
        self._ses = client
        self._sender = sender

    def send(self, rep: Rep, subject: str, text: str) -> str:
        """Raises AlertRefusedError for good, AlertNotSentError for now."""
        try:
            answer = self._ses.send_email(
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": [rep.email or ""]},
                Content={
                    "Simple": {
                        "Subject": {"Data": subject, "Charset": "UTF-8"},
                        "Body": {"Text": {"Data": text, "Charset": "UTF-8"}},
                        "Headers": [{"Name": "Auto-Submitted", "Value": "auto-generated"}],
                    }
                },
            )
        except (ClientError, BotoCoreError) as error:
            raise _translated(error) from error
        return answer["MessageId"]


class OpsMail:
    """Messages to whoever runs the stack."""

    def __init__(self, sns: "SNSClient", topic_arn: str) -> None:
        self._sns = sns
        self._topic_arn = topic_arn

    def send(self, subject: str, text: str) -> None:
        """Raises AlertRefusedError for good, AlertNotSentError for now."""
        try:
            self._sns.publish(TopicArn=self._topic_arn, Subject=subject, Message=text)
        except (ClientError, BotoCoreError) as error:
            raise _translated(error) from error


def _translated(error: ClientError | BotoCoreError) -> Exception:
    if isinstance(error, ClientError):
        code = error.response["Error"]["Code"]
        message = error.response["Error"].get("Message", "")
        if "opted out" in message.lower():
            return AlertRefusedError("opted_out")
        if code in REFUSED_FOR_GOOD:
            return AlertRefusedError(REFUSED_FOR_GOOD[code])
        return AlertNotSentError(code)
    return AlertNotSentError(type(error).__name__)
