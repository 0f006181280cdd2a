"""SNS: alerts to people, by SMS to a number of the roster and by e-mail through the alert topic.

Publish has no idempotency key for either, so a lease around it makes a second message possible only
when the process died in between. E-mail goes to the topic with the person's team and id as
attributes; each person's subscription filters by both, so that a message reaches one inbox.
"""

from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from shared.domain.roster import Rep
from shared.errors import AlertNotSentError

if TYPE_CHECKING:
    from types_boto3_sns.client import SNSClient

REFUSED_FOR_GOOD = {
    "InvalidParameter": "invalid_address",
    "InvalidParameterValue": "invalid_address",
    "OptedOut": "opted_out",
    "NotFound": "topic_missing",
}
"""What no retry mends, in our words. Everything else is tried again."""


class AlertRefusedError(Exception):
    """SNS will never deliver this message; `reason` is one of our codes."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@cache
def client() -> "SNSClient":
    # One attempt: the queue tries again, and a message that SNS took late would go out twice.
    config = Config(
        retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=2, read_timeout=4
    )
    return boto3.client("sns", config=config)


class AlertSender:
    """Sends one message and returns SNS's id of it."""

    def __init__(self, sns: "SNSClient", topic_arn: str) -> None:
        self._sns = sns
        self._topic_arn = topic_arn

    def sms(self, phone: str, text: str) -> str:
        """Raises AlertRefusedError for good, AlertNotSentError for now."""
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
