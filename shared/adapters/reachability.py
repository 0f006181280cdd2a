"""Whether a message can arrive, asked of AWS before it is sent.

SNS takes an e-mail for a topic whatever became of the person's subscription, and mostly an SMS to
somebody who answered STOP. What it took and nobody gets would count as sent.
"""

import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, TypeVar, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from shared.adapters import subscriptions
from shared.adapters.ses import Ses, is_suppressed
from shared.observability import logger

if TYPE_CHECKING:
    from types_boto3_sns.client import SNSClient

T = TypeVar("T")

REMEMBERED_SECONDS = 60.0
"""So long an answer is good. A person who confirms an address waits for it at most once."""


@cache
def client() -> "SNSClient":
    # A question that takes long is given up: the alert waits for the answer.
    config = Config(
        retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=1, read_timeout=1
    )
    return boto3.client("sns", config=config)


class Reachability:
    """Says why something will not arrive, by one of our codes, or None.

    Where AWS does not answer the message is sent: a question must never cost an alert.
    """

    def __init__(
        self,
        sns: "SNSClient",
        topic_arn: str,
        *,
        ses: Ses | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sns = sns
        self._topic_arn = topic_arn
        self._ses = ses
        self._clock = clock
        self._known: dict[str, tuple[float, object]] = {}

    def why_no_sms(self, phone: str) -> str | None:
        """`opted_out` for who answered STOP."""
        out = self._ask(phone, lambda: is_opted_out(self._sns, phone))
        return "opted_out" if out else None

    def why_no_email(self, address: str) -> str | None:
        """By the topic `not_subscribed` or `not_confirmed`, by SES `suppressed`."""
        if (ses := self._ses) is not None:
            return "suppressed" if self._ask(address, lambda: is_suppressed(ses, address)) else None
        # One list serves for everybody.
        everybody = self._ask("", lambda: subscriptions.listed(self._sns, self._topic_arn))
        if everybody is None:
            return None
        mine = [one for one in everybody if one.is_of(address.lower())]
        if not mine:
            return "not_subscribed"
        return None if any(one.confirmed for one in mine) else "not_confirmed"

    def _ask(self, about: str, question: Callable[[], T]) -> T | None:
        """The answer of the last minute, or a new one; None when there is none."""
        known = self._known.get(about)
        if known is None or known[0] <= self._clock():
            known = self._clock() + REMEMBERED_SECONDS, _answered(question)
            self._known[about] = known
        return cast("T | None", known[1])


def _answered(question: Callable[[], T]) -> T | None:
    try:
        return question()
    except (ClientError, BotoCoreError) as error:
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
        logger.warning("could not ask about an address", error=code or type(error).__name__)
        return None


def is_opted_out(sns: "SNSClient", phone: str) -> bool:
    """Whether somebody answered STOP to an SMS of this account."""
    return sns.check_if_phone_number_is_opted_out(phoneNumber=phone)["isOptedOut"]


def verified_in_sandbox(sns: "SNSClient") -> frozenset[str] | None:
    """The only numbers that SMS reach while the account is in the sandbox; None when it is not."""
    if not sns.get_sms_sandbox_account_status()["IsInSandbox"]:
        return None
    pages = sns.get_paginator("list_sms_sandbox_phone_numbers").paginate()
    numbers = [number for page in pages for number in page["PhoneNumbers"]]
    return frozenset(n["PhoneNumber"] for n in numbers if n.get("Status") == "Verified")


FEW_USD = 1.0
"""The quota that a new account starts with."""


def sms_spend_limit(sns: "SNSClient") -> float:
    """After how many dollars in a month SMS stop, without an error."""
    attributes = sns.get_sms_attributes(attributes=["MonthlySpendLimit"])["attributes"]
    return float(attributes.get("MonthlySpendLimit", FEW_USD))


def delivery_log_role(sns: "SNSClient") -> str | None:
    """With which role SNS logs what became of SMS; None when it does not."""
    attributes = sns.get_sms_attributes(attributes=["DeliveryStatusIAMRole"])["attributes"]
    return attributes.get("DeliveryStatusIAMRole") or None
