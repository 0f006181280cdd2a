"""Each finding of the preflight, and that it says so instead of failing when it may not look."""

import io
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import Message
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from infra.cli import deployment, preflight
from infra.cli.deployment import Deployment, OperatorError
from infra.cli.policy_files import read_policy
from infra.cli.preflight import Account, Check
from shared.adapters.people_table import PeopleTable
from shared.adapters.policy_store import PolicyStore
from shared.domain.roster import Rep
from tests.unit.cli.conftest import Run
from tests.unit.domain.samples import a_rep
from tests.unit.template import ROOT

ANNA = a_rep("anna", email="anna@ours.net", phone="+447400123456")
IVAN = a_rep("ivan", email="ivan@ours.net", phone="+79161234567", skills=["ru"])
BOSS = a_rep("boss", role="manager", email="boss@ours.net", phone="+12015550123")
STAFF = [ANNA, IVAN, BOSS]
OFF_DUTY = a_rep("x", on_duty=False, skills=["ru"])
POLICY = read_policy(ROOT / "infra/policy", {"SITE": "https://ours.net"})
OURS = {name: body for name, body in POLICY.items() if "demo" not in name}
FORM = POLICY["form/demo-en"]
assert isinstance(FORM, dict)
OURS["form/price"] = {**FORM, "form_id": "price"}


@pytest.fixture
def account(stack: Deployment) -> Account:
    """An account of a company that did everything right, with clients of moto's."""
    PolicyStore(stack.table).publish(OURS)
    for rep in STAFF:
        PeopleTable(stack.table).put_rep(rep)
    return Account(stack)


@pytest.fixture
def sns(account: Account) -> Iterator[Stubber]:
    with Stubber(account.sns) as stub:
        yield stub


def findings(check: Check, account: Account) -> list[str]:
    return [f"{finding.level}: {finding.says}" for finding in check(account)]


def numbers(*countries: str) -> dict[str, Any]:
    return {"PhoneNumbers": [{"Iso2CountryCode": country} for country in countries]}


# --- SMS -----------------------------------------------------------------------------------------


def test_an_account_outside_the_sandbox_may_send(account: Account, sns: Stubber) -> None:
    sns.add_response("get_sms_sandbox_account_status", {"IsInSandbox": False})

    assert findings(preflight.sms_sandbox, account) == ["ok: The account may send to any number."]


@pytest.mark.parametrize(
    ("verified", "begins"),
    [
        (["+447400123456"], "missing: SMS reach verified numbers only, 1 of the roster's 3"),
        ([rep.phone for rep in STAFF], "warning: SMS reach verified numbers only, 3 of"),
    ],
)
def test_the_sandbox_lets_verified_numbers_through(
    account: Account, sns: Stubber, verified: list[str], begins: str
) -> None:
    sns.add_response("get_sms_sandbox_account_status", {"IsInSandbox": True})
    listed = [{"PhoneNumber": phone, "Status": "Verified"} for phone in verified]
    listed.append({"PhoneNumber": "+15005550006", "Status": "Pending"})
    sns.add_response("list_sms_sandbox_phone_numbers", {"PhoneNumbers": listed})

    (said,) = findings(preflight.sms_sandbox, account)
    assert said.startswith(begins)


@pytest.mark.parametrize(
    ("attributes", "begins"),
    [
        ({}, "missing: SMS stop without an error after 1 USD"),
        ({"MonthlySpendLimit": "1"}, "missing: SMS stop without an error after 1 USD"),
        (
            {"MonthlySpendLimit": "15"},
            "warning: SMS stop without an error after 15 USD a month: the alarm at 20",
        ),
        ({"MonthlySpendLimit": "50"}, "ok: SMS stop without an error after 50 USD"),
    ],
)
def test_the_spend_limit_is_looked_at(
    account: Account, sns: Stubber, attributes: dict[str, str], begins: str
) -> None:
    sns.add_response("get_sms_attributes", {"attributes": attributes})

    (said,) = findings(preflight.sms_spend, account)
    assert said.startswith(begins)


@pytest.mark.parametrize(
    ("attributes", "begins"),
    [
        ({}, "warning: What became of an SMS is logged nowhere"),
        ({"DeliveryStatusIAMRole": "arn:aws:iam::1:role/sns"}, "ok: What became of each SMS"),
    ],
)
def test_the_log_of_deliveries_is_looked_for(
    account: Account, sns: Stubber, attributes: dict[str, str], begins: str
) -> None:
    sns.add_response("get_sms_attributes", {"attributes": attributes})

    (said,) = findings(preflight.sms_delivery, account)
    assert said.startswith(begins)


@pytest.mark.parametrize(
    ("attributes", "says"),
    [({"DefaultSenderID": "OURS"}, "the sender ID OURS"), ({}, "no sender ID")],
)
def test_each_country_without_a_number_is_looked_up_at_aws(
    account: Account, sns: Stubber, attributes: dict[str, str], says: str
) -> None:
    account.countries = ["DE"]
    sns.add_response("list_origination_numbers", numbers("GB"))
    sns.add_response("get_sms_attributes", {"attributes": attributes})

    germany, britain, russia, america = findings(preflight.sms_senders, account)

    assert britain == "ok: GB: the account has a number of its own."
    for country, said in (("DE", germany), ("RU", russia), ("US", america)):
        assert said.startswith(f"warning: {country}: the account has no number there and {says}")
        assert preflight.SMS_RULES in said


def test_before_anybody_is_entered_countries_are_asked_for(account: Account) -> None:
    account.roster = []

    (said,) = findings(preflight.sms_senders, account)
    assert "--country" in said


def test_a_number_that_nobody_can_have_still_has_a_country() -> None:
    assert preflight.countries_of([a_rep("x", phone="+70000000102")]) == {"RU"}
    assert preflight.countries_of([a_rep("x", phone=None)]) == set()


def test_who_answered_stop_is_named(account: Account, sns: Stubber) -> None:
    for out in (True, False, False):
        sns.add_response("check_if_phone_number_is_opted_out", {"isOptedOut": out})

    (said,) = findings(preflight.opted_out, account)
    assert said.startswith("missing: Anna answered STOP")


def test_nobody_answered_stop(account: Account, sns: Stubber) -> None:
    for _ in STAFF:
        sns.add_response("check_if_phone_number_is_opted_out", {"isOptedOut": False})

    assert findings(preflight.opted_out, account) == []


# --- e-mail --------------------------------------------------------------------------------------


def subscribe(account: Account, email: str, **filtered: list[str]) -> None:
    assert account.stack
    account.sns.subscribe(
        TopicArn=account.stack.resource("AlertTopic"),
        Protocol="email",
        Endpoint=email,
        Attributes={"FilterPolicy": json.dumps(filtered)},
    )


def test_an_address_needs_its_own_filter(account: Account) -> None:
    subscribe(account, "anna@ours.net", team=["sales"], rep_id=["anna"])
    subscribe(account, "ivan@ours.net", team=["sales"], rep_id=["anna"])
    subscribe(account, "left@ours.net")

    wrong, unknown, right, stranger = findings(preflight.emails, account)

    assert wrong.startswith("missing: boss@ours.net (Boss) is not subscribed")
    assert unknown.startswith("missing: ivan@ours.net (Ivan) is subscribed with another filter")
    assert right == "ok: 1 of 3 people have confirmed their address."
    assert stranger.startswith("warning: left@ours.net is subscribed and nobody of the roster")


def test_an_address_of_two_teams_has_one_filter_for_both(account: Account) -> None:
    """No form names the second team yet: the filter does."""
    assert account.stack
    for rep in (ANNA, IVAN):
        PeopleTable(account.stack.table).put_rep(rep.model_copy(update={"active": False}))
    PeopleTable(account.stack.table).put_rep(BOSS.model_copy(update={"team": "support"}))
    subscribe(account, "boss@ours.net", team=["sales", "support"], rep_id=["boss"])

    assert findings(preflight.emails, account) == [
        "ok: 2 of 2 people have confirmed their address."
    ]


def test_who_is_not_active_and_still_subscribed_is_said(account: Account) -> None:
    assert account.stack
    PeopleTable(account.stack.table).put_rep(ANNA.model_copy(update={"active": False}))
    subscribe(account, "anna@ours.net", team=["sales"], rep_id=["anna"])

    *_, said = findings(preflight.emails, account)
    assert said.startswith("warning: anna@ours.net is subscribed and nobody of the roster")


def test_an_address_that_did_not_answer_is_missing(account: Account, sns: Stubber) -> None:
    assert account.stack
    for rep in (IVAN, BOSS):
        PeopleTable(account.stack.table).put_rep(rep.model_copy(update={"email": None}))
    pending = {
        "SubscriptionArn": "PendingConfirmation",
        "Protocol": "email",
        "Endpoint": "anna@ours.net",
    }
    sns.add_response("list_subscriptions_by_topic", {"Subscriptions": [pending]})

    (said,) = findings(preflight.emails, account)
    assert said.startswith("missing: anna@ours.net (Anna) has not followed the link")


# --- policy and people ---------------------------------------------------------------------------


def test_a_policy_of_ones_own_is_fine(account: Account) -> None:
    assert findings(preflight.policy_published, account) == [
        "ok: Version 1 is in force, with 1 forms."
    ]


def test_a_calendar_says_until_when_it_knows_holidays(account: Account) -> None:
    (said,) = findings(preflight.holidays_known, account)
    assert re.fullmatch(
        r"ok: calendar/office knows the holidays of DE-BE until 20\d\d-12-26\.", said
    )


def test_holidays_that_run_out_are_to_be_published_again(stack: Deployment) -> None:
    soon = datetime.now(UTC).date() + timedelta(days=170)
    old = {"zone": "UTC", "holidays": "DE", "exceptions": {soon.isoformat(): []}}
    PolicyStore(stack.table).publish({**OURS, "calendar/office": old})

    (said,) = findings(preflight.holidays_known, Account(stack))
    assert said.startswith(
        f"warning: calendar/office knows the holidays of DE until {soon}: publish"
    )


def test_without_policy_nobody_asks_for_holidays(stack: Deployment) -> None:
    assert not findings(preflight.holidays_known, Account(stack))


def test_no_policy_and_no_form_are_missing(account: Account) -> None:
    account.policy = None
    assert findings(preflight.policy_published, account)[0].startswith("missing: None is published")
    assert findings(preflight.teams_staffed, account) == []

    assert account.stack
    PolicyStore(account.stack.table).publish({"chain/default": POLICY["chain/default"]})
    account = Account(account.stack)
    assert findings(preflight.policy_published, account) == [
        "missing: It has no form: publish one."
    ]


def test_the_sample_company_is_noticed(account: Account) -> None:
    assert account.stack
    PolicyStore(account.stack.table).publish(POLICY)

    _, demos = findings(preflight.policy_published, Account(account.stack))

    assert demos.startswith("warning: demo-en, demo-ru, demo-tilda belong to the sample company")


@pytest.mark.parametrize(
    ("people", "said"),
    [
        (STAFF, ["ok: sales: 2 people can be given a lead."]),
        ([], ["missing: sales: nobody is entered: `leadline roster put FILE`."]),
        ([IVAN, BOSS], ["warning: sales: Ivan is alone"]),
        ([ANNA, IVAN], ["missing: team sales: no manager can be reached", "ok"]),
        ([BOSS], ["missing: team sales: nobody can be given a lead"]),
        (
            [a_rep("x", phone=None, email=None), BOSS],
            ["missing: team sales: nobody can be given a lead"],
        ),
        (
            [OFF_DUTY, OFF_DUTY.model_copy(update={"rep_id": "y"}), BOSS],
            [
                "ok",
                "missing: sales: everybody is off duty",
                "warning: form/price: nobody of `everybody` is there at any time",
            ],
        ),
        (
            [*STAFF, a_rep("x", calendar="night")],
            ["missing: sales/x: calendar/night does not exist.", "ok"],
        ),
        (
            [ANNA, a_rep("x"), BOSS],
            ["ok", "warning: routing/default: russian: nobody of team sales"],
        ),
    ],
)
def test_a_team_needs_reps_and_a_manager(
    account: Account, people: list[Rep], said: list[str]
) -> None:
    account.roster = people

    found = findings(preflight.teams_staffed, account)

    assert len(found) == len(said)
    assert all(one.startswith(begins) for one, begins in zip(found, said, strict=True))


def test_who_is_not_active_is_not_counted(account: Account) -> None:
    assert account.stack
    PeopleTable(account.stack.table).put_rep(ANNA.model_copy(update={"active": False}))

    assert {rep.rep_id for rep in Account(account.stack).roster} == {"ivan", "boss"}


def test_the_canary_needs_its_documents(account: Account) -> None:
    assert findings(preflight.canary, account) == ["ok: A test lead goes through every 5 minutes."]

    account.policy = None
    (said,) = findings(preflight.canary, account)
    assert said.startswith("missing: form/canary and chain/canary are not published")

    assert account.stack
    account = Account(replace(account.stack, parameters={"CanaryMinutes": "0"}))
    assert findings(preflight.canary, account)[0].startswith("warning: Off")


# --- the address ---------------------------------------------------------------------------------


Status = int | Exception


class Page(io.BytesIO):
    def __init__(self, status: int) -> None:
        super().__init__(b"a page")
        self.status = status


def answer(monkeypatch: pytest.MonkeyPatch, link: Status, forms: Status = 204) -> list[str]:
    asked = []

    def urlopen(request: urllib.request.Request, timeout: float) -> Any:
        asked.append(f"{request.method} {request.full_url}")
        status = forms if "/v1/" in request.full_url else link
        if isinstance(status, Exception):
            raise status
        if status < 400:
            return Page(status)
        raise urllib.error.HTTPError(request.full_url, status, "", Message(), io.BytesIO())

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    return asked


@pytest.mark.parametrize(
    ("parameters", "asked"),
    [
        ({}, "https://api.test"),
        ({"PublicDomain": "go.ours.net"}, "https://go.ours.net"),
        ({"PublicDomain": "go.ours.net", "PublicUrl": "https://x.net/"}, "https://x.net"),
        ({"PublicUrl": "https://x.net/"}, "https://x.net"),
    ],
)
def test_the_address_of_alerts_is_asked_for_a_link_that_nobody_has(
    account: Account, monkeypatch: pytest.MonkeyPatch, parameters: dict[str, str], asked: str
) -> None:
    assert account.stack
    account = Account(replace(account.stack, parameters=parameters))
    urls = answer(monkeypatch, 404)

    first, *rest = findings(preflight.public_address, account)

    assert urls == [
        f"GET {asked}/l/preflight",
        f"OPTIONS {asked}/v1/forms/canary/submissions",
    ]
    assert first.startswith("ok")
    assert [said[:7] for said in rest] == ([] if parameters else ["warning"])


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (403, "answers 403"),
        (urllib.error.URLError("Name or service not known"), "answers nothing (Name or service"),
        (TimeoutError(), "answers nothing (TimeoutError)"),
    ],
)
def test_an_address_that_is_not_ours_is_missing(
    account: Account, monkeypatch: pytest.MonkeyPatch, status: Status, says: str
) -> None:
    answer(monkeypatch, status)

    (said,) = findings(preflight.public_address, account)

    assert said.startswith("missing")
    assert says in said


@pytest.mark.parametrize(
    ("status", "begins"),
    [
        (
            403,
            "missing: https://api.test serves links, but /v1/forms/canary/submissions answers 403",
        ),
        (200, "missing: https://api.test serves links, but"),
        (TimeoutError(), "warning: /v1/forms/canary/submissions answers nothing (TimeoutError)"),
    ],
)
def test_an_address_that_serves_links_has_to_take_forms_too(
    account: Account, monkeypatch: pytest.MonkeyPatch, status: Status, begins: str
) -> None:
    answer(monkeypatch, 404, status)

    assert findings(preflight.public_address, account)[1].startswith(begins)


def test_forms_are_not_tried_before_there_is_a_form_to_try(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.policy = None
    asked = answer(monkeypatch, 404)

    assert len(findings(preflight.public_address, account)) == 2
    assert asked == ["GET https://api.test/l/preflight"]


def test_a_page_at_the_address_that_is_not_ours_is_missing(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, 200)

    assert "answers 200" in findings(preflight.public_address, account)[0]


def test_links_are_https(account: Account) -> None:
    assert account.stack
    account = Account(replace(account.stack, parameters={"PublicUrl": "http://x.net"}))

    assert "which is not https" in findings(preflight.public_address, account)[0]


# --- the rest ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("total", "level"), [(10, "warning"), (1000, "ok")])
def test_a_new_account_runs_few_functions_at_once(account: Account, total: int, level: str) -> None:
    with Stubber(account.functions) as stub:
        limits = {"ConcurrentExecutions": total, "UnreservedConcurrentExecutions": total}
        stub.add_response("get_account_settings", {"AccountLimit": limits})

        assert findings(preflight.concurrency, account)[0].startswith(level)


class Monitoring:
    """The nested stack: one topic and two alarms, one of them raised or not."""

    def __init__(self, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
        assert account.stack
        topic = account.sns.create_topic(Name="ops")["TopicArn"]
        parts = {
            "AWS::SNS::Topic": {"OpsTopic": topic},
            "AWS::CloudWatch::Alarm": {"CanaryMissing": "a-1", "SmsBudget": "a-2"},
        }
        self.topic = topic
        monkeypatch.setattr(deployment, "resources", lambda *about: parts[about[-1]])

    def raised(self, stub: Stubber, *names: str) -> None:
        stub.add_response(
            "describe_alarms",
            {"MetricAlarms": [{"AlarmName": name} for name in names]},
            {"AlarmNames": ["a-1", "a-2"], "StateValue": "ALARM"},
        )


def test_an_alarm_that_is_raised_is_named(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitoring = Monitoring(account, monkeypatch)
    account.sns.subscribe(TopicArn=monitoring.topic, Protocol="email", Endpoint="a@ops.net")
    with Stubber(account.cloudwatch) as stub:
        monitoring.raised(stub, "a-2")
        assert findings(preflight.alarms, account) == [
            "ok: Somebody is mailed when an alarm is raised.",
            "warning: SmsBudget is raised: docs/runbook.md says what to do.",
        ]


@pytest.mark.parametrize(
    ("ops_email", "begins"),
    [("a@ops.net", "missing: OpsEmail has not followed"), ("", "warning: Alarms are mailed to")],
)
def test_alarms_that_nobody_reads_are_said(
    account: Account, monkeypatch: pytest.MonkeyPatch, ops_email: str, begins: str
) -> None:
    monitoring = Monitoring(account, monkeypatch)
    assert account.stack
    account = Account(replace(account.stack, parameters={"OpsEmail": ops_email}))
    with Stubber(account.cloudwatch) as stub:
        monitoring.raised(stub)
        (said,) = findings(preflight.alarms, account)

    assert said.startswith(begins)


@pytest.mark.parametrize(
    ("status", "level"),
    [
        ("CREATE_COMPLETE", "ok"),
        ("UPDATE_IN_PROGRESS", "warning"),
        ("UPDATE_ROLLBACK_COMPLETE", "warning"),
        ("ROLLBACK_COMPLETE", "missing"),
        ("UPDATE_ROLLBACK_FAILED", "missing"),
    ],
)
def test_the_state_of_the_stack(account: Account, status: str, level: str) -> None:
    assert account.stack
    assert preflight.status_of(replace(account.stack, status=status)).level == level


# --- the command ---------------------------------------------------------------------------------


def test_what_may_not_be_read_is_a_warning_and_stops_nothing(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, 404)
    Monitoring(account, monkeypatch)
    with Stubber(account.sns) as sns, Stubber(account.functions) as functions:
        sns.add_client_error("get_sms_sandbox_account_status", "AuthorizationError")
        sns.add_client_error("get_sms_attributes", "AccessDenied")
        sns.add_client_error("list_origination_numbers", "AccessDenied")
        functions.add_client_error("get_account_settings", "AccessDeniedException")
        found = list(preflight.examine(account))

    assert found[0] == (
        "SMS sandbox",
        ("warning", "Could not check: GetSMSSandboxAccountStatus said AuthorizationError."),
    )
    assert {about for about, _ in found} >= {"policy", "team", "canary"}


def test_the_command_fails_while_something_is_missing(
    account: Account, leadline: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, 404)
    monkeypatch.setattr(preflight, "OF_THE_ACCOUNT", ())
    shown = [entry for entry in preflight.OF_THE_STACK if entry[0] in {"policy", "canary"}]
    monkeypatch.setattr(preflight, "OF_THE_STACK", tuple(shown))

    status, out, _ = leadline("preflight")
    assert (status, out.splitlines()[-1]) == (0, "0 missing, 0 to look at")

    assert account.stack
    PolicyStore(account.stack.table).publish({"form/price": OURS["form/price"]})
    status, out, _ = leadline("preflight")
    assert (status, out.splitlines()[-1]) == (1, "1 missing, 0 to look at")


@pytest.mark.parametrize("denied", [False, True])
def test_an_account_is_checked_before_the_first_deployment(
    leadline: Run, monkeypatch: pytest.MonkeyPatch, *, denied: bool
) -> None:
    def find(name: str) -> Deployment:
        if denied:
            client = boto3.client("cloudformation")
            with Stubber(client) as stub:
                stub.add_client_error("describe_stacks", "AccessDenied")
                client.describe_stacks(StackName=name)
        raise OperatorError("there is no stack leadline")

    monkeypatch.setattr(deployment, "find", find)
    monkeypatch.setattr(preflight, "OF_THE_ACCOUNT", (("SMS sender", preflight.sms_senders),))

    status, out, _ = leadline("preflight", "--stack", "leadline")

    assert status == (0 if denied else 1)
    assert out.splitlines()[0] == (
        "warning  stack       Could not check: DescribeStacks said AccessDenied."
        if denied
        else "missing  stack       there is no stack leadline."
    )
    assert "--country" in out


# --- SES ------------------------------------------------------------------------------------------


@pytest.fixture
def ses_stub(account: Account) -> Iterator[Stubber]:
    account.parameters = {"EmailSender": "ses", "AlertEmailFrom": "alerts@ours.net"}
    with Stubber(account.ses) as stub:
        yield stub


@pytest.mark.parametrize("verified", ["alerts@ours.net", "ours.net"])
def test_ses_is_ready_when_the_sender_or_the_domain_is_verified(
    account: Account, ses_stub: Stubber, verified: str
) -> None:
    ses_stub.add_response("get_account", {"ProductionAccessEnabled": True, "SendingEnabled": True})
    if verified == "ours.net":
        ses_stub.add_client_error("get_email_identity", "NotFoundException")
    ses_stub.add_response(
        "get_email_identity", {"VerifiedForSendingStatus": True}, {"EmailIdentity": verified}
    )

    assert findings(preflight.ses_ready, account) == ["ok: SES may send as alerts@ours.net."]


def test_what_keeps_ses_from_sending_is_said(account: Account, ses_stub: Stubber) -> None:
    paused = {"ProductionAccessEnabled": False, "SendingEnabled": False}
    ses_stub.add_response("get_account", paused)
    for _ in range(2):
        ses_stub.add_response("get_email_identity", {"VerifiedForSendingStatus": False})

    sandbox, pause, sender = findings(preflight.ses_ready, account)
    assert sandbox.startswith("missing: SES is in its sandbox")
    assert pause.startswith("missing: AWS has paused SES")
    assert sender.startswith("missing: SES has verified neither alerts@ours.net nor ours.net")


def test_a_right_that_is_missing_at_ses_is_no_verdict(account: Account, ses_stub: Stubber) -> None:
    ses_stub.add_response("get_account", {"ProductionAccessEnabled": True, "SendingEnabled": True})
    ses_stub.add_client_error("get_email_identity", "AccessDeniedException")

    with pytest.raises(ClientError):
        findings(preflight.ses_ready, account)


def test_by_ses_suppressed_addresses_are_named_and_nobody_needs_to_subscribe(
    account: Account, ses_stub: Stubber
) -> None:
    for rep in account.roster:
        if rep.rep_id == "boss":
            gone = {"EmailAddress": "boss@ours.net", "Reason": "BOUNCE", "LastUpdateTime": 1}
            ses_stub.add_response("get_suppressed_destination", {"SuppressedDestination": gone})
        else:
            ses_stub.add_client_error("get_suppressed_destination", "NotFoundException")

    (said,) = findings(preflight.suppressed, account)
    assert said.startswith("missing: boss@ours.net (Boss) is on the suppression list of SES")
    assert findings(preflight.emails, account) == []


def test_where_sns_mails_ses_is_not_asked(account: Account) -> None:
    assert findings(preflight.ses_ready, account) == []
    assert findings(preflight.suppressed, account) == []
