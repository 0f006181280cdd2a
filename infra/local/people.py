"""The sample people: put into the table once, and subscribed to alerts by e-mail.

On AWS a person's address subscribes to the alert topic with a filter on the person's team and id.
Here the address does too, and the engine throws its mail away; what is read is our inbox, a
subscriber by HTTP with the same filter.
"""

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from infra.local.errors import LaptopError
from shared.adapters.people_table import PeopleTable
from shared.domain.roster import Rep

if TYPE_CHECKING:
    from types_boto3_sns import SNSClient

FILE = Path(__file__).with_name("people.yaml")
MAILBOXES = "/_local/mail/"
CONFIRMED_SECONDS = 10


def sample_people(file: Path = FILE) -> list[Rep]:
    sample = yaml.safe_load(file.read_text(encoding="utf-8"))
    return [Rep(team=sample["team"], **person) for person in sample["people"]]


def seed(table: PeopleTable, people: Iterable[Rep]) -> None:
    """Add those who are not there: what was changed since stays changed."""
    for person in people:
        if person.rep_id not in {rep.rep_id for rep in table.of_team(person.team)}:
            table.put_rep(person)


def subscribe(sns: "SNSClient", topic_arn: str, people: Iterable[Rep], url: str) -> None:
    """Have the e-mail of each person delivered to `<url>/_local/mail/<rep_id>`, and the address
    confirmed.

    The inbox must be listening: it confirms the subscriptions. Those of an earlier run at another
    port are removed.
    """
    wanted = {f"{url}{MAILBOXES}{rep.rep_id}": rep for rep in people if rep.email}
    for endpoint, arn in mailboxes(sns, topic_arn).items():
        if endpoint not in wanted or not is_confirmed(sns, arn):
            sns.unsubscribe(SubscriptionArn=arn)
    for endpoint, rep in wanted.items():
        policy = json.dumps({"team": [rep.team], "rep_id": [rep.rep_id]})
        for protocol, address in (("http", endpoint), ("email", rep.email or "")):
            # Does nothing for an endpoint that is subscribed.
            sns.subscribe(
                TopicArn=topic_arn,
                Protocol=protocol,
                Endpoint=address,
                Attributes={"FilterPolicy": policy},
            )
    deadline = time.monotonic() + CONFIRMED_SECONDS
    while not all(is_confirmed(sns, arn) for arn in mailboxes(sns, topic_arn).values()):
        if time.monotonic() > deadline:
            raise LaptopError("the inbox was not subscribed to e-mail alerts: start again")
        time.sleep(0.05)


def mailboxes(sns: "SNSClient", topic_arn: str) -> dict[str, str]:
    """The ARNs of our subscriptions to the topic, by endpoint."""
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic_arn)
    return {
        subscription["Endpoint"]: subscription["SubscriptionArn"]
        for page in pages
        for subscription in page["Subscriptions"]
        if MAILBOXES in subscription["Endpoint"]
    }


def is_confirmed(sns: "SNSClient", arn: str) -> bool:
    attributes = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    return attributes["PendingConfirmation"] == "false"
