"""`leadline people`: enters people, subscribes their e-mail addresses, and lists them.

A person's address subscribes to the alert topic with a filter on the person's team and id, so that
one address belongs to one person. AWS asks each address once whether it agrees.
"""

import json
from argparse import Namespace
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import boto3
import yaml
from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from infra.cli import deployment
from infra.cli.commands import Commands, lines
from infra.cli.deployment import Deployment, OperatorError
from shared.adapters.lead_table import LeadTable
from shared.adapters.policy_store import PolicyStore
from shared.adapters.timeouts import SHORT
from shared.domain.form import Locale, Name
from shared.domain.policy import Policy
from shared.domain.roster import Rep
from shared.errors import PolicyError

if TYPE_CHECKING:
    from types_boto3_sns.client import SNSClient


def _address(text: str) -> str:
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise ValueError(str(error)) from error


class Person(Rep):
    """A person as an operator writes one: a mistake is refused, not ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rep_id: Name
    team: Name
    name: Annotated[str, Field(min_length=1, max_length=100)]
    phone: Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")] | None = None
    email: Annotated[str, AfterValidator(_address)] | None = None
    locale: Locale = "en"


class File(BaseModel):
    """A team, and its people without the team."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    team: Name
    people: Annotated[list[dict[str, Any]], Field(min_length=1)]


class Subscription(NamedTuple):
    """An e-mail address at the topic. What it filters by is known once it is confirmed."""

    email: str
    arn: str
    """`PendingConfirmation` while the address has not answered: that is all AWS says then."""
    filter: object

    @property
    def confirmed(self) -> bool:
        return self.arn.startswith("arn:")


def add_commands(areas: Commands) -> None:
    people = areas.add_parser("people", help="those who are alerted")
    commands = people.add_subparsers(required=True, metavar="COMMAND")
    put = commands.add_parser("put", help="enter the people of a file, or change them")
    put.add_argument("file", type=Path, help="like infra/local/people.yaml")
    put.set_defaults(run=run_put)
    listing = commands.add_parser("list", help="show who is entered, and who can be reached")
    listing.add_argument("--team", help="one team only; else every team that a form names")
    listing.set_defaults(run=run_list)
    for command in (put, listing):
        deployment.add_stack(command)


def run_put(options: Namespace) -> int:
    people = read_people(options.file)
    stack = deployment.find(options.stack)
    missing = {rep.calendar for rep in people if rep.calendar} - _calendars(stack)
    if missing:
        raise OperatorError(f"calendar {', '.join(sorted(missing))} is not published")
    sns = boto3.client("sns", config=SHORT)
    topic_arn = stack.resource("AlertTopic")
    leads = LeadTable(stack.table)
    existing = subscriptions(sns, topic_arn)
    rows = []
    for rep in people:
        leads.put_rep(Rep.model_validate(rep.model_dump()))
        rows.append((rep.rep_id, rep.name, subscribe(sns, topic_arn, rep, existing)))
    print(lines(rows))
    print("People who are entered and not in the file stay as they are; active: false ends one.")
    return 0


def run_list(options: Namespace) -> int:
    stack = deployment.find(options.stack)
    policy = current_policy(stack)
    teams = [options.team] if options.team else (teams_of(policy) if policy else [])
    if not teams:
        raise OperatorError("no policy is published: name a team with --team")
    known = subscriptions(boto3.client("sns", config=SHORT), stack.resource("AlertTopic"))
    rows = [("TEAM", "ID", "NAME", "ROLE", "PHONE", "E-MAIL")]
    for rep in roster(stack, teams):
        duty = ("" if rep.on_duty else ", off duty") if rep.active else ", not active"
        email = f"{rep.email} ({state(rep, known)})" if rep.email else "-"
        rows.append((rep.team, rep.rep_id, rep.name, rep.role + duty, rep.phone or "-", email))
    print(lines(rows))
    return 0


def read_people(file: Path) -> list[Person]:
    """The people of a file. Raises OperatorError, with everything that is wrong with it."""
    try:
        content = File.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise OperatorError(f"{file}: {error}") from error
    people: list[Person] = []
    problems: list[str] = []
    for number, written in enumerate(content.people, start=1):
        who = f"person {number} ({written.get('rep_id', 'without rep_id')})"
        try:
            people.append(Person.model_validate({"team": content.team, **written}))
        except ValidationError as error:
            problems += [
                f"{who}: {'.'.join(map(str, mistake['loc']))}: {mistake['msg']}"
                f"{', in quotes' if mistake['type'] == 'string_type' else ''}"
                for mistake in error.errors(include_url=False)
            ]
    problems += [
        f"{rep.rep_id}: neither phone nor e-mail, so no alert can arrive"
        for rep in people
        if not rep.reachable
    ]
    ids = [rep.rep_id for rep in people]
    addresses = [rep.email.lower() for rep in people if rep.email]
    for what, values in (("rep_id", ids), ("e-mail", addresses)):
        twice = sorted({value for value in values if values.count(value) > 1})
        problems += [f"{what} {value}: given twice" for value in twice]
    if problems:
        raise OperatorError("\n".join([str(file), *problems]))
    return people


def current_policy(stack: Deployment) -> Policy | None:
    """The policy in force; None when none was ever published."""
    try:
        return PolicyStore(stack.table).current()
    except PolicyError:
        return None


def teams_of(policy: Policy) -> list[str]:
    """The teams that forms name."""
    return sorted({form.team for form in policy.forms})


def roster(stack: Deployment, teams: Iterable[str]) -> list[Rep]:
    leads = LeadTable(stack.table)
    return [rep for team in teams for rep in leads.people(team)]


def _calendars(stack: Deployment) -> set[str]:
    policy = current_policy(stack)
    names = policy.names if policy else frozenset()
    return {name.removeprefix("calendar/") for name in names if name.startswith("calendar/")}


# --- e-mail --------------------------------------------------------------------------------------


def filter_of(rep: Rep) -> dict[str, list[str]]:
    """What lets a message through: `send_alert` sets both attributes."""
    return {"team": [rep.team], "rep_id": [rep.rep_id]}


def subscriptions(sns: "SNSClient", topic_arn: str) -> list[Subscription]:
    """The e-mail addresses that are subscribed, or were asked and have not answered."""
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic_arn)
    found = []
    for page in pages:
        for subscription in page["Subscriptions"]:
            if subscription["Protocol"] != "email":
                continue
            one = Subscription(subscription["Endpoint"], subscription["SubscriptionArn"], None)
            if one.confirmed:
                answer = sns.get_subscription_attributes(SubscriptionArn=one.arn)
                policy = answer["Attributes"].get("FilterPolicy", "null")
                one = one._replace(filter=json.loads(policy))
            found.append(one)
    return found


def state(rep: Rep, known: Sequence[Subscription]) -> str:
    """What became of the person's subscription: `confirmed` is the only good answer."""
    mine = [
        known_one for known_one in known if known_one.email.lower() == (rep.email or "").lower()
    ]
    if not mine:
        return "not subscribed"
    if not any(subscription.confirmed for subscription in mine):
        return "not confirmed"
    if not any(subscription.filter == filter_of(rep) for subscription in mine):
        return "wrong filter"
    return "confirmed"


def subscribe(sns: "SNSClient", topic_arn: str, rep: Rep, existing: Sequence[Subscription]) -> str:
    """Subscribes the person's address, ends their former ones, and says what was done."""
    wanted = json.dumps(filter_of(rep))
    for former in existing:
        if former.filter == filter_of(rep) and former.email.lower() != (rep.email or "").lower():
            sns.unsubscribe(SubscriptionArn=former.arn)
    if rep.email is None:
        return "entered, without e-mail"
    match state(rep, existing):
        case "confirmed":
            return f"entered; {rep.email} is subscribed"
        case "wrong filter":
            for mine in existing:
                if mine.confirmed and mine.email.lower() == rep.email.lower():
                    sns.set_subscription_attributes(
                        SubscriptionArn=mine.arn,
                        AttributeName="FilterPolicy",
                        AttributeValue=wanted,
                    )
            return f"entered; {rep.email} now gets this person's alerts"
        case _:
            # Asked again, an address that has not answered gets the question again.
            sns.subscribe(
                TopicArn=topic_arn,
                Protocol="email",
                Endpoint=rep.email,
                Attributes={"FilterPolicy": wanted},
            )
            return f"entered; AWS has asked {rep.email} to confirm, which holds for two days"
