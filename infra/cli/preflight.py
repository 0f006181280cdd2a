"""`leadline preflight`: what an account still lacks before the first lead, and later. Reads only.

Each check says what it found as `ok`, `warning` or `missing`, with one sentence on what to do. What
may not be read is a warning, so that narrow rights spoil no other check.
"""

import http.client
import urllib.error
import urllib.request
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

import boto3
import phonenumbers
from botocore.exceptions import BotoCoreError, ClientError

from infra.cli import deployment, people
from infra.cli.commands import Commands, lines
from infra.cli.deployment import Deployment, OperatorError
from shared.adapters.timeouts import SHORT
from shared.domain.policy import Policy
from shared.domain.roster import Rep
from shared.errors import LeadlineError

CANARY = "canary"
NEW_ACCOUNT_CONCURRENCY = 10
FEW_USD = 1
"""The quota that a new account starts with."""
PATIENCE_SECONDS = 5

NUMBER_NEEDED = frozenset({"US", "PR", "GU", "AS", "VI"})
"""Where SMS need a dedicated number (10DLC, toll-free or short code) since August 2023."""
# fmt: off
REGISTERED_SENDERS = frozenset({
    "AE", "AU", "BY", "CN", "EG", "FI", "GB", "ID", "IE", "IN", "JO", "KE", "KW", "KZ", "LK", "PH",
    "QA", "RU", "SA", "SG", "TH", "TR", "VN", "ZM",
})
# fmt: on
"""Countries with a registration form in AWS's guide (End User Messaging SMS, Registration forms);
in some of them it is a choice, and the list grows."""

Level = Literal["ok", "warning", "missing"]


class Finding(NamedTuple):
    level: Level
    about: str
    says: str


class Account:
    """What the checks look at: the clients, and what of the deployment was read once."""

    def __init__(self, stack: Deployment | None, countries: Sequence[str] = ()) -> None:
        self.stack = stack
        self.countries = countries
        self.sns = boto3.client("sns", config=SHORT)
        self.functions = boto3.client("lambda", config=SHORT)
        self.cloudwatch = boto3.client("cloudwatch", config=SHORT)
        self.cloudformation = boto3.client("cloudformation", config=SHORT)

    @cached_property
    def policy(self) -> Policy | None:
        """The policy in force; None when none was published."""
        return people.current_policy(self.stack) if self.stack else None

    @cached_property
    def roster(self) -> list[Rep]:
        """The active people of every team that a form names, but not the canary."""
        if self.stack is None or self.policy is None:
            return []
        teams = [team for team in people.teams_of(self.policy) if team != CANARY]
        return [rep for rep in people.roster(self.stack, teams) if rep.active]

    @property
    def canary_minutes(self) -> int:
        return int((self.stack.parameters if self.stack else {}).get("CanaryMinutes", "0"))


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
        first = Finding("missing", "stack", f"{error}.")
    except ClientError as error:
        first = _could_not_check("stack", error)
    else:
        first = status_of(stack)
    findings = [first, *examine(Account(stack, options.country))]
    print(lines([(finding.level, finding.about, finding.says) for finding in findings]))
    counts = {level: sum(f.level == level for f in findings) for level in ("missing", "warning")}
    print(f"\n{counts['missing']} missing, {counts['warning']} to look at")
    return 1 if counts["missing"] else 0


def examine(account: Account) -> Iterator[Finding]:
    """Every check that makes sense for what there is."""
    for about, check in (*OF_THE_ACCOUNT, *(OF_THE_STACK if account.stack else ())):
        try:
            yield from check(account)
        except (BotoCoreError, ClientError, LeadlineError, OperatorError) as error:
            yield _could_not_check(about, error)


def _could_not_check(about: str, error: Exception) -> Finding:
    why: Any = error
    if isinstance(error, ClientError):
        why = f"{error.operation_name} said {error.response['Error']['Code']}"
    return Finding("warning", about, f"Could not check: {why}.")


# --- the account ---------------------------------------------------------------------------------


def sms_sandbox(account: Account) -> Iterator[Finding]:
    about = "SMS sandbox"
    if not account.sns.get_sms_sandbox_account_status()["IsInSandbox"]:
        yield Finding("ok", about, "The account may send to any number.")
        return
    pages = account.sns.get_paginator("list_sms_sandbox_phone_numbers").paginate()
    numbers = [number for page in pages for number in page["PhoneNumbers"]]
    verified = {n.get("PhoneNumber") for n in numbers if n.get("Status") == "Verified"}
    phones = {rep.phone for rep in account.roster if rep.phone}
    if phones and phones <= verified:
        says = "Every phone of the roster is verified, so alerts arrive; nobody new can be added."
        yield Finding("warning", about, f"{says} Ask AWS to leave the sandbox.")
        return
    yield Finding(
        "missing",
        about,
        f"SMS reach verified numbers only, {len(phones & verified)} of the roster's {len(phones)}: "
        "ask AWS to leave the sandbox (SNS console, Text messaging), or verify each number there.",
    )


def sms_spend(account: Account) -> Iterator[Finding]:
    about = "SMS spend"
    attributes = account.sns.get_sms_attributes()["attributes"]
    limit = float(attributes.get("MonthlySpendLimit", FEW_USD))
    parameters = account.stack.parameters if account.stack else {}
    budget = float(parameters.get("SmsMonthlyBudgetUsd", 0))
    if limit <= FEW_USD:
        says = f"SMS stop without an error after {limit:g} USD a month: ask AWS for a higher quota"
        yield Finding("missing", about, f"{says}, then set the account's spend limit.")
    elif budget >= limit:
        yield Finding(
            "warning",
            about,
            f"SMS stop at {limit:g} USD a month, and the alarm is set to {budget:g}: it would come "
            f"too late; set SmsMonthlyBudgetUsd to {limit * 0.8:g}.",
        )
    else:
        yield Finding("ok", about, f"SMS stop without an error after {limit:g} USD a month.")
    kind = attributes.get("DefaultSMSType", "Promotional")
    says = f"The account's default is {kind}; Leadline's own SMS say Transactional themselves."
    yield Finding("ok", "SMS type", says)


def sms_senders(account: Account) -> Iterator[Finding]:
    about = "SMS sender"
    named = sorted({*account.countries, *countries_of(account.roster)})
    if not named:
        says = "No phone is known yet: say with --country where SMS will go."
        yield Finding("warning", about, says)
        return
    pages = account.sns.get_paginator("list_origination_numbers").paginate()
    numbers = {n.get("Iso2CountryCode") for page in pages for n in page.get("PhoneNumbers", [])}
    wanted = {"attributes": ["DefaultSenderID"]}
    sender = account.sns.get_sms_attributes(**wanted)["attributes"].get("DefaultSenderID")
    for country in named:
        if country in numbers:
            yield Finding("ok", about, f"{country}: the account has a number of its own.")
        elif country in NUMBER_NEEDED:
            says = "carriers take SMS from dedicated numbers only: get a toll-free or 10DLC number"
            yield Finding("missing", about, f"{country}: {says} (AWS End User Messaging).")
        elif country in REGISTERED_SENDERS:
            has = f"the account sends as {sender}" if sender else "the account has no sender ID"
            yield Finding(
                "warning",
                about,
                f"{country}: sender IDs are registered there, and {has}; look at AWS End User "
                "Messaging, Registrations, whether yours is, and try one SMS.",
            )
        else:
            has = f"sender ID {sender}" if sender else "a number that SNS chooses"
            yield Finding("ok", about, f"{country}: SMS come from {has}, where it allows that.")


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
    about = "Lambda"
    limits = account.functions.get_account_settings()["AccountLimit"]
    total, free = limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"]
    if total <= NEW_ACCOUNT_CONCURRENCY:
        says = f"Only {total} functions run at once, so that a rush of visitors gets errors"
        yield Finding("warning", about, f"{says}: ask for 1,000 (Service Quotas, free of charge).")
    else:
        yield Finding("ok", about, f"{total} functions run at once, {free} of them unreserved.")


# --- the deployment ------------------------------------------------------------------------------


def status_of(stack: Deployment) -> Finding:
    says = f"{stack.name} in {stack.region} is {stack.status}"
    if stack.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}:
        return Finding("ok", "stack", f"{says}.")
    if stack.status.endswith("_IN_PROGRESS"):
        return Finding("warning", "stack", f"{says}: wait until it is done.")
    if stack.status == "UPDATE_ROLLBACK_COMPLETE":
        return Finding("warning", "stack", f"{says}: the last deployment failed, the former runs.")
    return Finding("missing", "stack", f"{says}: look at its events and deploy again.")


def policy_published(account: Account) -> Iterator[Finding]:
    about = "policy"
    if account.policy is None:
        says = "None is published: `leadline policy publish FOLDER`, or no form is known."
        yield Finding("missing", about, says)
        return
    forms = [form for form in account.policy.forms if not form.is_test]
    if forms:
        says = f"Version {account.policy.version} is in force, with {len(forms)} forms."
        yield Finding("ok", about, says)
    else:
        yield Finding("missing", about, "It has no form: publish one.")
    demos = [form.form_id for form in forms if form.form_id.startswith("demo-")]
    if demos:
        says = f"{', '.join(demos)} belong to the sample company: publish a folder of your own."
        yield Finding("warning", about, says)
    for form in forms:
        hosts = {
            urlsplit(origin).hostname or "" for origin in (*form.origins, *form.thanks_origins)
        }
        local = sorted(host for host in hosts if _is_nobodys(host))
        if local:
            says = f"form/{form.form_id} names {', '.join(local)}, where no visitor of yours is."
            yield Finding("warning", about, says)


def _is_nobodys(host: str) -> bool:
    return (
        host in {"localhost", "127.0.0.1"}
        or host.split(".")[-2:-1] == ["example"]
        or (host.endswith((".example", ".invalid", ".test")))
    )


def teams_staffed(account: Account) -> Iterator[Finding]:
    if account.policy is None:
        return
    for team in people.teams_of(account.policy):
        if team == CANARY:
            continue
        about = f"team {team}"
        members = [rep for rep in account.roster if rep.team == team]
        reps = [rep for rep in members if rep.role == "rep" and rep.reachable]
        managers = [rep for rep in members if rep.role == "manager" and rep.reachable]
        if not reps:
            says = "Nobody can be given a lead: `leadline people put FILE`."
            yield Finding("missing", about, says)
        elif not any(rep.on_duty for rep in reps):
            yield Finding("missing", about, "Everybody is off duty.")
        elif len(reps) == 1:
            says = f"{reps[0].name} is alone: no backup, nobody to pass a lead on to."
            yield Finding("warning", about, says)
        else:
            yield Finding("ok", about, f"{len(reps)} people can be given a lead.")
        if not managers:
            says = "No manager can be reached: nobody learns that a lead was not called."
            yield Finding("missing", about, says)
        for rep in members:
            if rep.calendar and f"calendar/{rep.calendar}" not in account.policy.names:
                says = f"{rep.name} works by the calendar {rep.calendar}, which is not published."
                yield Finding("missing", about, says)


def opted_out(account: Account) -> Iterator[Finding]:
    about = "SMS opt-out"
    phones = [rep for rep in account.roster if rep.phone]
    out = [
        rep.name
        for rep in phones
        if account.sns.check_if_phone_number_is_opted_out(phoneNumber=rep.phone or "")["isOptedOut"]
    ]
    for name in out:
        says = f"{name} answered STOP once: opt the number in again (once in 30 days, SNS console)."
        yield Finding("missing", about, says)
    if phones and not out:
        yield Finding("ok", about, f"None of {len(phones)} numbers has opted out.")


def emails(account: Account) -> Iterator[Finding]:
    about = "e-mail"
    stack = account.stack
    reps = [rep for rep in account.roster if rep.email]
    if stack is None or not reps:
        return
    known = people.subscriptions(account.sns, stack.resource("AlertTopic"))
    advice = {
        "not subscribed": "is not subscribed: `leadline people put FILE` does it",
        "not confirmed": "has not followed the link in AWS's mail; `leadline people put FILE` "
        "sends another, each holds for two days",
        "wrong filter": "is subscribed with another filter: `leadline people put FILE` mends it",
    }
    states = [(rep, people.state(rep, known)) for rep in reps]
    for rep, state in states:
        if state in advice:
            yield Finding("missing", about, f"{rep.email} ({rep.name}) {advice[state]}.")
    confirmed = sum(state == "confirmed" for _, state in states)
    if confirmed:
        yield Finding("ok", about, f"{confirmed} of {len(reps)} addresses are confirmed.")
    addresses = {(rep.email or "").lower() for rep in reps}
    for stranger in [s for s in known if s.confirmed and s.email.lower() not in addresses]:
        says = f"{stranger.email} is subscribed and nobody of the roster: it may read alerts."
        yield Finding("warning", about, says)


def alarms(account: Account) -> Iterator[Finding]:
    """Who hears of alarms, and whether there is anything to hear of."""
    if account.stack is None:
        return
    nested = account.stack.resources.get("Monitoring", account.stack.name)
    topics = deployment.resources(account.cloudformation, nested, "AWS::SNS::Topic")
    about = "alarm e-mail"
    if "OpsTopic" not in topics or not account.stack.parameters.get("OpsEmail"):
        yield Finding("warning", about, "Alarms are mailed to nobody: deploy with OpsEmail.")
    elif any(s.confirmed for s in people.subscriptions(account.sns, topics["OpsTopic"])):
        yield Finding("ok", about, "Somebody is mailed when an alarm is raised.")
    else:
        says = "OpsEmail has not followed the link in AWS's mail: alarms reach nobody."
        yield Finding("missing", about, says)
    names = deployment.resources(account.cloudformation, nested, "AWS::CloudWatch::Alarm")
    pages = account.cloudwatch.get_paginator("describe_alarms").paginate(
        AlarmNames=list(names.values()), StateValue="ALARM"
    )
    raised = [alarm for page in pages for alarm in page["MetricAlarms"]] if names else []
    for alarm in raised:
        logical = next(n for n, physical in names.items() if physical == alarm.get("AlarmName"))
        says = f"{logical} is raised: docs/runbook.md says what to do."
        yield Finding("warning", "alarm", says)
    if not raised:
        yield Finding("ok", "alarm", f"None of {len(names)} alarms is raised.")


def canary(account: Account) -> Iterator[Finding]:
    about = "canary"
    if not account.canary_minutes:
        says = "Off: nothing proves between two leads that alerts come out (CanaryMinutes)."
        yield Finding("warning", about, says)
        return
    names = account.policy.names if account.policy else frozenset()
    lacking = [name for name in (f"form/{CANARY}", f"chain/{CANARY}") if name not in names]
    if lacking:
        says = f"{' and '.join(lacking)} are not published: the canary cannot fly, and alarms."
        yield Finding("missing", about, says)
    else:
        says = f"A test lead goes through every {account.canary_minutes} minutes."
        yield Finding("ok", about, says)


def public_address(account: Account) -> Iterator[Finding]:
    """Opens a link that nobody has: the API answers 404 with a page of ours."""
    if account.stack is None:
        return
    about = "address"
    url = address_of(account.stack)
    if not url.startswith("https://"):
        yield Finding("missing", about, f"Links in alerts point to {url}, which is not https.")
        return
    status = status_at(f"{url}/l/preflight")
    if status == http.HTTPStatus.NOT_FOUND:
        yield Finding("ok", about, f"{url} answers.")
        if not account.stack.parameters.get("PublicDomain"):
            says = "It is AWS's own and long, so that alerts take more SMS: see PublicDomain."
            yield Finding("warning", about, says)
    else:
        says = f"Links in alerts point to {url}, which answers {status}: look at DNS (a CNAME to "
        yield Finding("missing", about, f"{says}the output PublicDomainTarget) and at PublicUrl.")


def address_of(stack: Deployment) -> str:
    """Where links in alerts point, as the template decides it."""
    domain = stack.parameters.get("PublicDomain")
    given = stack.parameters.get("PublicUrl") or (f"https://{domain}" if domain else "")
    return (given or stack.outputs.get("ApiUrl", "")).rstrip("/")


def status_at(url: str) -> int | str:
    """The status of a GET; in words when there was no answer."""
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310 - https
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
    ("Lambda", concurrency),
)
OF_THE_STACK: tuple[tuple[str, Check], ...] = (
    ("policy", policy_published),
    ("team", teams_staffed),
    ("SMS opt-out", opted_out),
    ("e-mail", emails),
    ("address", public_address),
    ("canary", canary),
    ("alarms", alarms),
)
