"""The e-mail addresses at the topic of alerts, against the people who should be mailed.

An address subscribes once, so its filter names everybody who has it: a person of two teams, for
one. AWS asks each address once whether it agrees.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from botocore.exceptions import ClientError

from shared.domain.roster import Rep

if TYPE_CHECKING:
    from types_boto3_sns.client import SNSClient

State = Literal["confirmed", "not_subscribed", "not_confirmed", "wrong_filter"]
Filter = Mapping[str, Sequence[str]]
"""A message comes through when each attribute is one of those listed."""


class Subscription(NamedTuple):
    """An e-mail address at the topic. What it filters by is known once it is confirmed."""

    email: str
    arn: str
    """`PendingConfirmation` while the address has not answered: that is all AWS says then."""
    filter: Filter

    @property
    def confirmed(self) -> bool:
        return self.arn.startswith("arn:")

    def is_of(self, address: str | None) -> bool:
        return self.email.lower() == address

    def names(self, rep: Rep) -> bool:
        return rep.team in self.filter.get("team", ()) and rep.rep_id in self.filter.get(
            "rep_id", ()
        )


def address_of(rep: Rep) -> str | None:
    """Where alerts of the person are mailed, to compare with; who is not active gets none."""
    return rep.email.lower() if rep.active and rep.email else None


def filter_of(address: str | None, everyone: Collection[Rep]) -> Filter | None:
    """What lets the messages of an address through; None when nobody has it.

    `send_alert` sets both attributes.
    """
    mine = [rep for rep in everyone if address and address_of(rep) == address]
    if not mine:
        return None
    return {
        "team": sorted({rep.team for rep in mine}),
        "rep_id": sorted({rep.rep_id for rep in mine}),
    }


def overhearing(everyone: Collection[Rep]) -> Iterator[str]:
    """Addresses of several people that would get somebody else's alerts.

    A filter lets each of its ids through in each of its teams.
    """
    reached = [rep for rep in everyone if address_of(rep)]
    for address in sorted({rep.email.lower() for rep in reached if rep.email}):
        one = Subscription(address, "", filter_of(address, reached) or {})
        for rep in reached:
            if one.names(rep) and not one.is_of(address_of(rep)):
                ids = " and ".join(
                    f"{r.team}/{r.rep_id}" for r in reached if one.is_of(address_of(r))
                )
                yield (
                    f"{address} belongs to {ids}, and would get the alerts of {rep.team}/"
                    f"{rep.rep_id} ({rep.name}), too: give it one rep_id in all teams, or two "
                    "addresses"
                )


def listed(sns: "SNSClient", topic_arn: str) -> list[Subscription]:
    """The e-mail addresses that are subscribed, or were asked and have not answered, without their
    filters: a hundred by one call.
    """
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic_arn)
    return [
        Subscription(subscription["Endpoint"], subscription["SubscriptionArn"], {})
        for page in pages
        for subscription in page["Subscriptions"]
        if subscription["Protocol"] == "email"
    ]


def of_topic(sns: "SNSClient", topic_arn: str) -> list[Subscription]:
    """The same with their filters: one more call for each that is confirmed."""
    return [
        one._replace(filter=_filter_at(sns, one.arn)) if one.confirmed else one
        for one in listed(sns, topic_arn)
    ]


def _filter_at(sns: "SNSClient", arn: str) -> Filter:
    attributes = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    known: Filter | None = json.loads(attributes.get("FilterPolicy", "null"))
    return known or {}


def state(rep: Rep, everyone: Collection[Rep], known: Sequence[Subscription]) -> State:
    """What became of the person's subscription: `confirmed` is the only good answer."""
    address = address_of(rep)
    mine = [one for one in known if one.is_of(address)]
    if not mine:
        return "not_subscribed"
    if not any(one.confirmed for one in mine):
        return "not_confirmed"
    if not any(one.filter == filter_of(address, everyone) for one in mine):
        return "wrong_filter"
    return "confirmed"


def mend(
    sns: "SNSClient",
    known: Iterable[Subscription],
    people: Collection[Rep],
    everyone: Collection[Rep],
) -> None:
    """Corrects what is confirmed and has to do with these people; ends what nobody has any more."""
    for one in known:
        wanted = filter_of(one.email.lower(), everyone)
        concerned = any(one.is_of((rep.email or "").lower()) or one.names(rep) for rep in people)
        if not one.confirmed or not concerned or one.filter == wanted:
            continue
        if wanted is None:
            sns.unsubscribe(SubscriptionArn=one.arn)
        else:
            sns.set_subscription_attributes(
                SubscriptionArn=one.arn,
                AttributeName="FilterPolicy",
                AttributeValue=json.dumps(wanted),
            )


def subscribe(
    sns: "SNSClient",
    topic_arn: str,
    rep: Rep,
    everyone: Collection[Rep],
    known: Iterable[Subscription],
) -> tuple[bool, str]:
    """Asks the person's address, unless it has agreed: whether that went well, what was done."""
    address = address_of(rep)
    if rep.email is None or address is None:
        return True, "entered, without e-mail" if rep.active else "entered, not active: no alerts"
    if any(one.confirmed and one.is_of(address) for one in known):
        others = [
            f"{other.team}/{other.rep_id}"
            for other in everyone
            if address_of(other) == address and (other.team, other.rep_id) != (rep.team, rep.rep_id)
        ]
        also = f", also for {', '.join(others)}" if others else ""
        return True, f"entered; {rep.email} is subscribed{also}"
    try:
        # Asked again, an address that has not answered gets the question again.
        sns.subscribe(
            TopicArn=topic_arn,
            Protocol="email",
            Endpoint=rep.email,
            Attributes={"FilterPolicy": json.dumps(filter_of(address, everyone))},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidParameter":
            raise
        # Above all: it was asked with another filter, and nothing can be changed until it agrees.
        return False, (
            f"entered, but AWS does not take {rep.email} ({error.response['Error']['Message']}): "
            "if it was asked before, follow the link in that mail, then enter the person again"
        )
    return True, f"entered; AWS has asked {rep.email} to confirm, which holds for two days"
