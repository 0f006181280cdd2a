"""`leadline preflight`: what an account still lacks before the first lead, and later. Reads only.

Each check says what it found as `ok`, `warning` or `missing`, with one sentence on what to do. What
may not be read is a warning, so that narrow rights spoil no other check.
"""

import http.client
import urllib.error
import urllib.request
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any, Literal, NamedTuple

import boto3
import phonenumbers
from botocore.exceptions import BotoCoreError, ClientError

from infra.cli import deployment, roster
from infra.cli.commands import Commands, lines
from infra.cli.deployment import Deployment, OperatorError
from infra.cli.roster import teams_of
from shared.adapters import reachability, ses, subscriptions
from shared.adapters.reachability import FEW_USD
from shared.adapters.timeouts import SHORT
from shared.domain.coverage import coverage, may_be_given
from shared.domain.policy import Policy
from shared.domain.roster import CANARY_TEAM, Rep
from shared.errors import LeadlineError

NEW_ACCOUNT_CONCURRENCY = 10
HOLIDAYS_AHEAD = timedelta(days=180)
PATIENCE_SECONDS = 5
SMS_RULES = (
    "https://docs.aws.amazon.com/sms-voice/latest/userguide/phone-numbers-sms-by-country.html"
)


class Finding(NamedTuple):
    level: Literal["ok", "warning", "missing"]
    says: str


class Account:
    """What the checks look at: the clients, and what of the deployment was read once."""

    def __init__(self, stack: Deployment | None, countries: Sequence[str] = ()) -> None:
        self.stack = stack
        self.parameters = stack.parameters if stack else {}
        self.countries = countries
        self.sns = boto3.client("sns", config=SHORT)
        self.ses: Any = boto3.client("sesv2", config=SHORT)
        self.functions = boto3.client("lambda", config=SHORT)
        self.cloudwatch = boto3.client("cloudwatch", config=SHORT)
        self.cloudformation = boto3.client("cloudformation", config=SHORT)

    @property
    def deployed(self) -> Deployment:
        """The stack, for checks that make sense with one only."""
        if self.stack is None:
            raise OperatorError("nothing is deployed")
        return self.stack

    @property
    def mails_by_ses(self) -> bool:
        """Whether this deployment mails alerts by SES."""
        return self.parameters.get("EmailSender") == "ses"

    def is_verified(self, identity: str) -> bool:
        """Whether SES may send as this address, or anybody of this domain."""
        try:
            return bool(
                self.ses.get_email_identity(EmailIdentity=identity)["VerifiedForSendingStatus"]
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "NotFoundException":
                return False
            raise

    @cached_property
    def policy(self) -> Policy | None:
        """The policy in force; None when none was published."""
        return roster.current_policy(self.stack) if self.stack else None

    @cached_property
    def roster(self) -> list[Rep]:
        """The active people of every team that a form names."""
        if self.stack is None:
            return []
        people = roster.people_of(self.stack, teams_of(self.policy))
        return [rep for rep in people if rep.active]


Check = Callable[[Account], Iterator[Finding]]


def add_commands(areas: Commands) -> None:
    command = areas.add_parser("preflight", help="say what is missing before the first lead")
    deployment.add_stack(command)
    command.add_argument(
        "--country",
        nargs="+",
        default=[],
        metavar="RU",
        type=str.upper,
        help="where SMS go, beside the countries of the roster's numbers",
    )
    command.set_defaults(run=run)


def run(options: Namespace) -> int:
    stack: Deployment | None = None
    try:
        stack = deployment.find(options.stack)
    except OperatorError as error:
        # Before the first deployment too there is a lot to see to.
        first = Finding("missing", f"{error}.")
    except ClientError as error:
        first = _could_not_check(error)
    else:
        first = status_of(stack)
    found = [("stack", first), *examine(Account(stack, options.country))]
    print(lines([(finding.level, about, finding.says) for about, finding in found]))
    levels = [finding.level for _, finding in found]
    print(f"\n{levels.count('missing')} missing, {levels.count('warning')} to look at")
    return 1 if "missing" in levels else 0


def examine(account: Account) -> Iterator[tuple[str, Finding]]:
    """Every check that makes sense for what there is: what it is about, and what it found."""
    for about, check in (*OF_THE_ACCOUNT, *(OF_THE_STACK if account.stack else ())):
        try:
            yield from ((about, finding) for finding in check(account))
        except (BotoCoreError, ClientError, LeadlineError, OperatorError) as error:
            yield about, _could_not_check(error)


def _could_not_check(error: Exception) -> Finding:
    why: Any = error
    if isinstance(error, ClientError):
        why = f"{error.operation_name} said {error.response['Error']['Code']}"
    return Finding("warning", f"Could not check: {why}.")


# --- the account ---------------------------------------------------------------------------------


def sms_sandbox(account: Account) -> Iterator[Finding]:
    verified = reachability.verified_in_sandbox(account.sns)
    if verified is None:
        yield Finding("ok", "The account may send to any number.")
        return
    phones = {rep.phone for rep in account.roster if rep.phone}
    yield Finding(
        "warning" if phones and phones <= verified else "missing",
        f"SMS reach verified numbers only, {len(phones & verified)} of the roster's {len(phones)}: "
        "ask AWS to leave the sandbox (SNS console, Text messaging), or verify each number there.",
    )


def sms_spend(account: Account) -> Iterator[Finding]:
    limit = reachability.sms_spend_limit(account.sns)
    budget = float(account.parameters.get("SmsMonthlyBudgetUsd", 0))
    says = f"SMS stop without an error after {limit:g} USD a month"
    if limit <= FEW_USD:
        ask = "ask AWS for a higher quota, then set the account's spend limit."
        yield Finding("missing", f"{says}: {ask}")
    elif budget >= limit:
        alarm = (
            f"the alarm at {budget:g} comes too late; set SmsMonthlyBudgetUsd to {limit * 0.8:g}."
        )
        yield Finding("warning", f"{says}: {alarm}")
    else:
        yield Finding("ok", f"{says}.")


def sms_delivery(account: Account) -> Iterator[Finding]:
    """SNS takes an SMS long before a carrier does, and only its log says what came of it."""
    role = reachability.delivery_log_role(account.sns)
    if role:
        yield Finding("ok", "What became of each SMS is logged by SNS.")
    else:
        says = "What became of an SMS is logged nowhere: see Delivery status in docs/deploy.md."
        yield Finding("warning", says)


def sms_senders(account: Account) -> Iterator[Finding]:
    """The rules of countries change too often to be known here."""
    named = sorted({*account.countries, *countries_of(account.roster)})
    if not named:
        yield Finding("warning", "No phone is known yet: say with --country where SMS will go.")
        return
    pages = account.sns.get_paginator("list_origination_numbers").paginate()
    numbers = {n.get("Iso2CountryCode") for page in pages for n in page.get("PhoneNumbers", [])}
    wanted = account.sns.get_sms_attributes(attributes=["DefaultSenderID"])["attributes"]
    sender = f"the sender ID {name}" if (name := wanted.get("DefaultSenderID")) else "no sender ID"
    for country in named:
        if country in numbers:
            yield Finding("ok", f"{country}: the account has a number of its own.")
        else:
            says = f"{country}: the account has no number there and {sender}: see what is needed at"
            yield Finding("warning", f"{says} {SMS_RULES}, and try one SMS.")


def countries_of(roster: Iterable[Rep]) -> set[str]:
    """ISO codes of the countries of people's phones."""
    found = set()
    for rep in roster:
        if rep.phone:
            parsed = phonenumbers.parse(rep.phone)
            of_number = phonenumbers.region_code_for_number(parsed)
            found.add(
                of_number or phonenumbers.region_code_for_country_code(parsed.country_code or 0)
            )
    return found - {"ZZ"}


def concurrency(account: Account) -> Iterator[Finding]:
    total = account.functions.get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    if total <= NEW_ACCOUNT_CONCURRENCY:
        says = f"Only {total} functions run at once, so that a rush of visitors gets errors"
        yield Finding("warning", f"{says}: ask for 1,000 (Service Quotas, free of charge).")
    else:
        yield Finding("ok", f"{total} functions run at once.")


# --- the deployment ------------------------------------------------------------------------------


def status_of(stack: Deployment) -> Finding:
    says = f"{stack.name} in {stack.region} is {stack.status}"
    if stack.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}:
        return Finding("ok", f"{says}.")
    if stack.status.endswith(("_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE")):
        return Finding("warning", f"{says}: it runs; the deployment is not done, or failed.")
    return Finding("missing", f"{says}: look at its events and deploy again.")


def policy_published(account: Account) -> Iterator[Finding]:
    if account.policy is None:
        says = "None is published: `leadline policy publish FOLDER`, or no form is known."
        yield Finding("missing", says)
        return
    forms = [form for form in account.policy.forms if not form.is_test]
    if not forms:
        yield Finding("missing", "It has no form: publish one.")
        return
    says = f"Version {account.policy.version} is in force, with {len(forms)} forms."
    yield Finding("ok", says)
    demos = [form.form_id for form in forms if form.form_id.startswith("demo-")]
    if demos:
        says = f"{', '.join(demos)} belong to the sample company: publish a folder of your own."
        yield Finding("warning", says)


def holidays_known(account: Account) -> Iterator[Finding]:
    """Public holidays are written out when policy is published. Says nothing without any."""
    policy = account.policy
    if policy is None:
        return
    for name in sorted(policy.names):
        area, _, own_name = name.partition("/")
        calendar = policy.calendar(own_name) if area == "calendar" else None
        if calendar is None or calendar.holidays is None:
            continue
        last = max(calendar.exceptions, default=date.min)
        says = f"{name} knows the holidays of {calendar.holidays} until {last}"
        if last < datetime.now(UTC).date() + HOLIDAYS_AHEAD:
            yield Finding("warning", f"{says}: publish the policy once more.")
        else:
            yield Finding("ok", f"{says}.")


def teams_staffed(account: Account) -> Iterator[Finding]:
    if account.policy is None:
        return
    found = coverage(account.policy, account.roster, datetime.now(UTC))
    for team in found.unstaffed:
        yield Finding("missing", f"{team}: nobody is entered: `leadline roster put FILE`.")
    for problem in found.problems:
        yield Finding("missing", f"{problem}.")
    for team in teams_of(account.policy):
        reps = [rep for rep in account.roster if rep.team == team and may_be_given(rep)]
        if len(reps) == 1:
            says = f"{reps[0].name} is alone: no backup, nobody to pass a lead on to."
            yield Finding("warning", f"{team}: {says}")
        elif reps:
            yield Finding("ok", f"{team}: {len(reps)} people can be given a lead.")
        if reps and not any(rep.takes_leads for rep in reps):
            yield Finding("missing", f"{team}: everybody is off duty: `leadline roster now`.")
    for note in found.notes:
        yield Finding("warning", f"{note}.")


def opted_out(account: Account) -> Iterator[Finding]:
    """Who answered STOP to an SMS. Says nothing when nobody did."""
    for rep in account.roster:
        if rep.phone and reachability.is_opted_out(account.sns, rep.phone):
            says = "answered STOP once: opt the number in again (once in 30 days, SNS console)."
            yield Finding("missing", f"{rep.name} {says}")


def ses_ready(account: Account) -> Iterator[Finding]:
    """Whether SES would send what it is asked to. Says nothing where SNS mails."""
    if not account.mails_by_ses:
        return
    about = account.ses.get_account()
    if not about["ProductionAccessEnabled"]:
        says = "SES is in its sandbox: mail reaches verified addresses only: ask AWS for more."
        yield Finding("missing", says)
    if not about["SendingEnabled"]:
        yield Finding("missing", "AWS has paused SES for this account: see its console.")
    sender = account.parameters["AlertEmailFrom"]
    names = (sender, sender.rpartition("@")[2])
    if any(map(account.is_verified, names)):
        yield Finding("ok", f"SES may send as {sender}.")
    else:
        says = f"SES has verified neither {' nor '.join(names)}: do so in its console."
        yield Finding("missing", says)


def suppressed(account: Account) -> Iterator[Finding]:
    """To whom SES sends nothing any more. Says nothing when that is nobody."""
    for rep in account.roster:
        if account.mails_by_ses and rep.email and ses.is_suppressed(account.ses, rep.email):
            says = f"{rep.email} ({rep.name}) is on the suppression list of SES, after a bounce or"
            yield Finding("missing", f"{says} a complaint: mend it, then take it off the list.")


def emails(account: Account) -> Iterator[Finding]:
    if account.mails_by_ses:
        return
    known = subscriptions.of_topic(account.sns, account.deployed.resource("AlertTopic"))
    everyone = roster.people_of(account.deployed, teams_of(account.policy, known))
    reps = [rep for rep in everyone if subscriptions.address_of(rep)]
    advice = {
        "not_subscribed": "is not subscribed: `leadline roster put FILE` does it",
        "not_confirmed": "has not followed the link in AWS's mail; `leadline roster put FILE` "
        "sends another, each holds for two days",
        "wrong_filter": "is subscribed with another filter: `leadline roster put FILE` mends it",
    }
    states = [(rep, subscriptions.state(rep, everyone, known)) for rep in reps]
    for rep, state in states:
        if state in advice:
            yield Finding("missing", f"{rep.email} ({rep.name}) {advice[state]}.")
    if confirmed := sum(state not in advice for _, state in states):
        yield Finding("ok", f"{confirmed} of {len(reps)} people have confirmed their address.")
    for one in known:
        if one.confirmed and subscriptions.filter_of(one.email.lower(), everyone) is None:
            says = "is subscribed and nobody of the roster, so it may read alerts: put the person "
            ends = "with active: false, or end the subscription in the SNS console."
            yield Finding("warning", f"{one.email} {says}{ends}")


def alarms(account: Account) -> Iterator[Finding]:
    """Who hears of alarms, and whether there is anything to hear of."""
    nested = account.deployed.resources.get("Monitoring", account.deployed.name)
    topics = deployment.resources(account.cloudformation, nested, "AWS::SNS::Topic")
    if "OpsTopic" not in topics or not account.parameters.get("OpsEmail"):
        yield Finding("warning", "Alarms are mailed to nobody: deploy with OpsEmail.")
    elif any(s.confirmed for s in subscriptions.of_topic(account.sns, topics["OpsTopic"])):
        yield Finding("ok", "Somebody is mailed when an alarm is raised.")
    else:
        says = "OpsEmail has not followed the link in AWS's mail: alarms reach nobody."
        yield Finding("missing", says)
    names = deployment.resources(account.cloudformation, nested, "AWS::CloudWatch::Alarm")
    pages = account.cloudwatch.get_paginator("describe_alarms").paginate(
        AlarmNames=list(names.values()), StateValue="ALARM"
    )
    raised = {a.get("AlarmName") for page in pages for a in page["MetricAlarms"]} if names else ()
    for logical, physical in names.items():
        if physical in raised:
            yield Finding("warning", f"{logical} is raised: docs/runbook.md says what to do.")


def canary(account: Account) -> Iterator[Finding]:
    minutes = account.parameters.get("CanaryMinutes", "0")
    names = account.policy.names if account.policy else frozenset()
    lacking = [
        name for name in (f"form/{CANARY_TEAM}", f"chain/{CANARY_TEAM}") if name not in names
    ]
    if minutes == "0":
        says = "Off: nothing proves between two leads that alerts come out (CanaryMinutes)."
        yield Finding("warning", says)
    elif lacking:
        says = f"{' and '.join(lacking)} are not published: the canary cannot fly, and alarms."
        yield Finding("missing", says)
    else:
        yield Finding("ok", f"A test lead goes through every {minutes} minutes.")


# --- the public address --------------------------------------------------------------------------


def public_address(account: Account) -> Iterator[Finding]:
    """Opens a link that nobody has, and asks as a browser does before it posts: ours answer so."""
    url = address_of(account.deployed)
    if not url.startswith("https://"):
        yield Finding("missing", f"Links in alerts point to {url}, which is not https.")
        return
    status = status_at(f"{url}/l/preflight")
    if status != http.HTTPStatus.NOT_FOUND:
        says = f"Links in alerts point to {url}, which answers {status}: look at DNS (a CNAME to "
        yield Finding("missing", f"{says}the output PublicDomainTarget) and at PublicUrl.")
        return
    yield Finding("ok", f"{url} answers.")
    if account.policy and f"form/{CANARY_TEAM}" in account.policy.names:
        yield from _takes_forms(url)
    if not (account.parameters.get("PublicDomain") or account.parameters.get("PublicUrl")):
        says = "It is AWS's own and long, so that alerts take more SMS: see PublicDomain."
        yield Finding("warning", says)


def _takes_forms(url: str) -> Iterator[Finding]:
    path = f"/v1/forms/{CANARY_TEAM}/submissions"
    status = status_at(f"{url}{path}", "OPTIONS")
    if isinstance(status, str):
        yield Finding("warning", f"{path} answers {status} from here: try again.")
    elif status != http.HTTPStatus.NO_CONTENT:
        says = f"{url} serves links, but {path} answers {status}: let it pass on /v1/*, too, with"
        yield Finding("missing", f"{says} every method, or forms and the canary reach nobody.")


def address_of(stack: Deployment) -> str:
    """Where links in alerts point, as the template decides it."""
    domain = stack.parameters.get("PublicDomain")
    given = stack.parameters.get("PublicUrl") or (f"https://{domain}" if domain else "")
    return (given or stack.outputs.get("ApiUrl", "")).rstrip("/")


def status_at(url: str, method: str = "GET") -> int | str:
    """The status of an answer; in words when there was none."""
    request = urllib.request.Request(url, method=method)  # noqa: S310 - https
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310 - https
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except (OSError, http.client.HTTPException) as error:
        return f"nothing ({getattr(error, 'reason', None) or type(error).__name__})"


OF_THE_ACCOUNT: tuple[tuple[str, Check], ...] = (
    ("SMS sandbox", sms_sandbox),
    ("SMS spend", sms_spend),
    ("SMS sender", sms_senders),
    ("SMS delivery", sms_delivery),
    ("Lambda", concurrency),
)
OF_THE_STACK: tuple[tuple[str, Check], ...] = (
    ("policy", policy_published),
    ("holidays", holidays_known),
    ("team", teams_staffed),
    ("SMS opt-out", opted_out),
    ("e-mail", emails),
    ("e-mail", ses_ready),
    ("e-mail", suppressed),
    ("address", public_address),
    ("canary", canary),
    ("alarms", alarms),
)
