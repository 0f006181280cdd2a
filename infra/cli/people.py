"""`leadline people`: enters people, subscribes their e-mail addresses, and lists them.

An address subscribes to the alert topic once, so its filter names everybody who has it: a person of
two teams, for one. AWS asks each address once whether it agrees.
"""

import json
from argparse import Namespace
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import boto3
import yaml
from botocore.exceptions import ClientError
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

CANARY = "canary"
"""The team of nobody."""

Filter = Mapping[str, Sequence[str]]
"""A message comes through when each attribute is one of those listed."""


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
    known = subscriptions(sns, topic_arn)
    entered = roster(stack, {*teams_of(current_policy(stack), known), *(r.team for r in people)})
    everyone = {(rep.team, rep.rep_id): rep for rep in [*entered, *people]}.values()
    if overheard := sorted(overhearing(everyone)):
        raise OperatorError("\n".join([str(options.file), *overheard]))
    leads = LeadTable(stack.table)
    for rep in people:
        leads.put_rep(Rep.model_validate(rep.model_dump()))
    mend(sns, known, people, everyone)
    done = [(rep, *subscribe(sns, topic_arn, rep, everyone, known)) for rep in people]
    print(lines([(rep.rep_id, rep.name, says) for rep, _, says in done]))
    print("People who are entered and not in the file stay as they are; active: false ends one.")
    return 0 if all(good for _, good, _ in done) else 1


def run_list(options: Namespace) -> int:
    stack = deployment.find(options.stack)
    known = subscriptions(boto3.client("sns", config=SHORT), stack.resource("AlertTopic"))
    all_teams = teams_of(current_policy(stack), known)
    teams = [options.team] if options.team else all_teams
    if not teams:
        raise OperatorError("no policy is published: name a team with --team")
    everyone = roster(stack, {*all_teams, *teams})
    rows = [("TEAM", "ID", "NAME", "ROLE", "PHONE", "E-MAIL")]
    for rep in everyone:
        if rep.team in teams:
            duty = ("" if rep.on_duty else ", off duty") if rep.active else ", not active"
            of_address = f" ({state(rep, everyone, known)})" if address_of(rep) else ""
            email = f"{rep.email or '-'}{of_address}"
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
        if rep.active and not rep.reachable
    ]
    ids = [rep.rep_id for rep in people]
    addresses = [address for rep in people if (address := address_of(rep))]
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


def teams_of(policy: Policy | None, known: Sequence[Subscription] = ()) -> list[str]:
    """The teams that forms or filters name, but not the canary's."""
    teams = {form.team for form in policy.forms} if policy else set()
    return sorted(teams.union(*(one.filter.get("team", ()) for one in known)) - {CANARY})


def roster(stack: Deployment, teams: Iterable[str]) -> list[Rep]:
    leads = LeadTable(stack.table)
    return [rep for team in sorted(teams) for rep in leads.people(team)]


def _calendars(stack: Deployment) -> set[str]:
    policy = current_policy(stack)
    names = policy.names if policy else frozenset()
    return {name.removeprefix("calendar/") for name in names if name.startswith("calendar/")}


# --- e-mail --------------------------------------------------------------------------------------


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


def subscriptions(sns: "SNSClient", topic_arn: str) -> list[Subscription]:
    """The e-mail addresses that are subscribed, or were asked and have not answered."""
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic_arn)
    found = []
    for page in pages:
        for subscription in page["Subscriptions"]:
            if subscription["Protocol"] != "email":
                continue
            one = Subscription(subscription["Endpoint"], subscription["SubscriptionArn"], {})
            if one.confirmed:
                answer = sns.get_subscription_attributes(SubscriptionArn=one.arn)
                policy = answer["Attributes"].get("FilterPolicy", "null")
                one = one._replace(filter=json.loads(policy) or {})
            found.append(one)
    return found


def state(rep: Rep, everyone: Collection[Rep], known: Sequence[Subscription]) -> str:
    """What became of the person's subscription: `confirmed` is the only good answer."""
    address = address_of(rep)
    mine = [one for one in known if one.is_of(address)]
    if not mine:
        return "not subscribed"
    if not any(one.confirmed for one in mine):
        return "not confirmed"
    if not any(one.filter == filter_of(address, everyone) for one in mine):
        return "wrong filter"
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
            "if it was asked before, follow the link in that mail, then put this file again"
        )
    return True, f"entered; AWS has asked {rep.email} to confirm, which holds for two days"
