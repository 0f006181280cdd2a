"""What AWS knows against the addresses of people, asked for all of them at once."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from shared.adapters import reachability, ses, subscriptions
from shared.adapters.ses import Ses
from shared.adapters.timeouts import SHORT
from shared.domain.channels import Problem
from shared.domain.roster import Rep
from shared.errors import ChannelsNotCheckedError

if TYPE_CHECKING:
    from types_boto3_sns.client import SNSClient

Check = Callable[[Sequence[Rep]], list[Problem]]


def channels(topic_arn: str, email_from: str = "") -> "Channels":
    """The checks of this deployment: those of SES where it sends the e-mail."""
    by_ses = ses.client() if email_from else None
    return Channels(boto3.client("sns", config=SHORT), topic_arn, by_ses)


class Channels:
    """Each check raises ChannelsNotCheckedError when AWS does not answer."""

    def __init__(self, sns: "SNSClient", topic_arn: str, by_ses: Ses | None = None) -> None:
        self._sns = sns
        self._topic_arn = topic_arn
        self._ses = by_ses

    @property
    def checks(self) -> tuple[Check, ...]:
        """They ask about different things, so that one without an answer spoils no other."""
        return (self.emails, self.opt_outs, self.sandbox)

    def emails(self, people: Sequence[Rep]) -> list[Problem]:
        """Whose address is not subscribed as it should be; by SES, to whom nothing is sent."""
        reached = [rep for rep in people if rep.email]
        with _asking("email"):
            if (by_ses := self._ses) is not None:
                return [
                    Problem(rep, "email", "suppressed")
                    for rep in reached
                    if ses.is_suppressed(by_ses, rep.email or "")
                ]
            known = subscriptions.of_topic(self._sns, self._topic_arn)
        states = [(rep, subscriptions.state(rep, people, known)) for rep in reached]
        return [Problem(rep, "email", state) for rep, state in states if state != "confirmed"]

    def opt_outs(self, people: Sequence[Rep]) -> list[Problem]:
        """Who answered STOP."""
        with _asking("opt_out"):
            return [
                Problem(rep, "sms", "opted_out")
                for rep in people
                if rep.phone and reachability.is_opted_out(self._sns, rep.phone)
            ]

    def sandbox(self, people: Sequence[Rep]) -> list[Problem]:
        """Whose number was not verified while the account is in the sandbox of SMS."""
        with _asking("sandbox"):
            verified = reachability.verified_in_sandbox(self._sns)
        if verified is None:
            return []
        return [
            Problem(rep, "sms", "not_verified")
            for rep in people
            if rep.phone and rep.phone not in verified
        ]

    def sms_limit(self) -> float:
        """After how many dollars a month SMS stop."""
        with _asking("spend"):
            return reachability.sms_spend_limit(self._sns)


@contextmanager
def _asking(about: str) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise ChannelsNotCheckedError(about) from error
