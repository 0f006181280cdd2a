"""Changing one person: what is not said stays, and what follows for leads and policy is done."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from infra.cli.deployment import Deployment
from infra.cli.policy_files import read_policy
from shared.adapters import subscriptions
from shared.adapters.filing import Filing
from shared.adapters.lead_table import LeadTable
from shared.adapters.people_table import PeopleTable
from shared.adapters.policy_store import PolicyStore
from shared.domain.events import LeadAcknowledged, LeadAssigned, LeadAttempted
from shared.domain.lead import Change, FollowUp
from shared.domain.roster import Rep
from tests.unit.adapters.samples import a_submission, captured
from tests.unit.cli.conftest import Run
from tests.unit.domain.samples import RECEIVED, a_rep
from tests.unit.template import ROOT

POLICY = read_policy(ROOT / "infra/policy", {"SITE": "https://ours.net"})
IN_BERLIN = a_rep("anna", zone="Europe/Berlin")
BOSS = a_rep("boss", role="manager")
NEXT_YEAR = datetime.now(UTC).year + 1
CHRISTMAS = f"{NEXT_YEAR}-12-24"


@pytest.fixture
def people(stack: Deployment) -> PeopleTable:
    """A team of two, and the sample policy in force."""
    PolicyStore(stack.table).publish(POLICY)
    people = PeopleTable(stack.table)
    for rep in (IN_BERLIN, BOSS):
        people.put_rep(rep)
    return people


def person(people: PeopleTable, rep_id: str = "anna", team: str = "sales") -> Rep:
    return next(rep for rep in people.of_team(team) if rep.rep_id == rep_id)


# --- add and change ------------------------------------------------------------------------------


def test_somebody_is_added_and_subscribed(
    stack: Deployment, people: PeopleTable, leadline: Run
) -> None:
    status, out, _ = leadline(
        *("roster", "add", "sales/ivan", "--name", "Иван", "--phone", "+79161234567"),
        *("--email", "ivan@ours.net", "--locale", "ru", "--zone", "Europe/Moscow"),
        *("--calendar", "office", "--weight", "3", "--daily-cap", "10"),
        *("--skill", "ru", "--skill", "vip"),
        *("--quiet", "22:00-07:30"),
    )

    assert status == 0
    assert "AWS has asked ivan@ours.net to confirm" in " ".join(out.split())
    assert person(people, "ivan") == Rep(
        rep_id="ivan",
        team="sales",
        name="Иван",
        phone="+79161234567",
        email="ivan@ours.net",
        locale="ru",
        zone="Europe/Moscow",
        calendar="office",
        weight=3,
        daily_cap=10,
        skills=("ru", "vip"),
        quiet=("22:00-07:30",),
    )
    (one,) = subscriptions.of_topic(boto3.client("sns"), stack.resource("AlertTopic"))
    assert one.filter == {"team": ["sales"], "rep_id": ["ivan"]}


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        (
            ["--phone", "+447700900109", "--quiet", "22:00-08:00"],
            "quiet hours need an e-mail address",
        ),
        (["--phone", "07700 900101"], "sales/ivan: phone: String should match pattern"),
        (["--email", "ivan"], "sales/ivan: email: "),
        ([], "sales/ivan: neither phone nor e-mail, so no alert can arrive"),
        (["--phone", "+447700900101", "--weight", "11"], "weight: Input should be less than"),
        (["--phone", "+447700900101", "--skill", "Very Good"], "skills.0: String should match"),
        (["--phone", "+447700900101", "--zone", "London"], "zone: no such time zone: London"),
        (["--phone", "+447700900101", "--calendar", "night"], "calendar night is not published"),
    ],
)
def test_a_mistake_is_said_and_nobody_is_added(
    people: PeopleTable, leadline: Run, said: list[str], complaint: str
) -> None:
    status, _, err = leadline("roster", "add", "sales/ivan", "--name", "Ivan", *said)

    assert status == 1
    assert complaint in err
    assert people.of_team("sales") == [IN_BERLIN, BOSS]


def test_nobody_is_added_twice(people: PeopleTable, leadline: Run) -> None:
    status, _, err = leadline("roster", "add", "sales/anna", "--name", "A", "--email", "a@ours.net")

    assert (status, err) == (
        1,
        "error: sales/anna is entered already: `leadline roster change`\n",
    )
    assert person(people) == IN_BERLIN


def test_a_change_leaves_the_rest_as_it_is(people: PeopleTable, leadline: Run) -> None:
    away = [{"since": "2030-01-01T00:00:00Z", "until": "2030-01-02T00:00:00Z"}]
    before = a_rep("anna", weight=2, skills=["ru"], on_duty=False, absences=away, missed_pages=1)
    people.put_rep(before)

    assert leadline("roster", "change", "sales/anna", "--daily-cap", "4")[0] == 0

    assert person(people) == before.model_copy(update={"daily_cap": 4})


@pytest.mark.parametrize(
    ("option", "field", "becomes"),
    [
        ("--no-phone", "phone", None),
        ("--no-email", "email", None),
        ("--no-calendar", "calendar", None),
        ("--no-daily-cap", "daily_cap", None),
        ("--no-skills", "skills", ()),
        ("--no-quiet", "quiet", ()),
        ("--inactive", "active", False),
        ("--active", "active", True),
    ],
)
def test_everything_can_be_taken_away_again(
    people: PeopleTable, leadline: Run, option: str, field: str, becomes: object
) -> None:
    full = a_rep(
        "anna",
        calendar="office",
        daily_cap=3,
        skills=["ru"],
        quiet=[] if option == "--no-email" else ["22:00-07:30"],
        active=option != "--active",
    )
    people.put_rep(full)

    assert leadline("roster", "change", "sales/anna", option)[0] == 0

    after = person(people)
    assert (after.links_revoked_at is not None) == (field == "active")
    assert after.model_copy(update={"links_revoked_at": None}) == full.model_copy(
        update={field: becomes}
    )


def test_a_new_address_is_asked_and_the_former_one_let_go(
    stack: Deployment, people: PeopleTable, leadline: Run
) -> None:
    for address in ("old@ours.net", "new@ours.net"):
        leadline("roster", "change", "sales/anna", "--email", address)

    known = subscriptions.of_topic(boto3.client("sns"), stack.resource("AlertTopic"))
    assert [one.email for one in known] == ["new@ours.net"]


def test_an_address_of_somebody_else_is_refused(people: PeopleTable, leadline: Run) -> None:
    people.put_rep(a_rep("anna", team="support", email="both@ours.net"))
    PolicyStore(people._table).publish(
        {**POLICY, "form/help": {**_form(), "form_id": "help", "team": "support"}}
    )

    status, _, err = leadline("roster", "change", "sales/boss", "--email", "both@ours.net")

    assert status == 1
    assert "both@ours.net belongs to" in err
    assert person(people, "boss") == BOSS


def test_a_change_says_what_to_change_and_of_whom(people: PeopleTable, leadline: Run) -> None:
    assert "say what is to change" in leadline("roster", "change", "sales/anna")[2]
    for command in (["change", "sales/eve", "--weight", "2"], ["duty", "sales/eve", "on"]):
        status, _, err = leadline("roster", *command)
        assert (status, err) == (
            1,
            "error: sales/eve is not entered: `leadline roster list --team sales`\n",
        )
    for nobody in ("anna", "/anna", "sales/"):
        with pytest.raises(SystemExit):
            leadline("roster", "change", nobody, "--weight", "2")


def _form() -> Mapping[str, Any]:
    form = POLICY["form/demo-en"]
    assert isinstance(form, dict)
    return form


def test_somebody_whose_shift_is_gone_can_be_ended(people: PeopleTable, leadline: Run) -> None:
    people.put_rep(a_rep("anna", calendar="gone"))

    assert "calendar gone is not" in leadline("roster", "change", "sales/anna", "--weight", "2")[2]
    assert leadline("roster", "change", "sales/anna", "--inactive")[0] == 0


# --- absences ------------------------------------------------------------------------------------


def test_a_day_is_away_to_its_end_where_the_person_is(people: PeopleTable, leadline: Run) -> None:
    status, out, _ = leadline("roster", "absence", "sales/anna", CHRISTMAS, CHRISTMAS)

    assert status == 0
    assert " 24 Dec 00:00-24:00 Europe/Berlin\n" in out
    (absence,) = person(people).absences
    assert absence.since == datetime(NEXT_YEAR, 12, 23, 23, tzinfo=UTC)
    assert absence.until == datetime(NEXT_YEAR, 12, 24, 23, tzinfo=UTC)


def test_an_absence_can_be_told_by_the_clock(people: PeopleTable, leadline: Run) -> None:
    until = f"{NEXT_YEAR}-12-27T09:30"

    leadline("roster", "absence", "sales/anna", f"{CHRISTMAS}T13:00", until)

    (absence,) = person(people).absences
    assert absence.since == datetime(NEXT_YEAR, 12, 24, 12, tzinfo=UTC)
    assert absence.until == datetime(NEXT_YEAR, 12, 27, 8, 30, tzinfo=UTC)


def test_absences_that_meet_become_one_and_past_ones_go(people: PeopleTable, leadline: Run) -> None:
    past = [{"since": "2020-01-01T00:00:00Z", "until": "2020-01-02T00:00:00Z"}]
    people.put_rep(a_rep("anna", absences=past))
    for since, until in ((24, 25), (29, 30), (25, 27), (28, 28)):
        leadline(
            *("roster", "absence", "sales/anna"),
            *(f"{NEXT_YEAR}-12-{since}", f"{NEXT_YEAR}-12-{until}"),
        )

    (absence,) = person(people).absences
    assert absence.since == datetime(NEXT_YEAR, 12, 24, tzinfo=UTC)
    assert absence.until == datetime(NEXT_YEAR, 12, 31, tzinfo=UTC)


def test_absences_are_cancelled_the_present_one_too(people: PeopleTable, leadline: Run) -> None:
    hour, now = timedelta(hours=1), datetime.now(UTC)
    away = [
        {"since": now - hour, "until": now + hour},
        {"since": now + 2 * hour, "until": now + 3 * hour},
    ]
    people.put_rep(a_rep("anna", absences=away))

    status, out, _ = leadline("roster", "absence", "sales/anna", "--cancel")

    assert status == 0
    assert person(people).absences == ()
    assert "sales/anna: can be given a lead" in out
    assert out.count("cancelled: ") == 2


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ([CHRISTMAS], "say SINCE and UNTIL, or --cancel"),
        ([], "say SINCE and UNTIL, or --cancel"),
        ([CHRISTMAS, "--cancel"], "say SINCE and UNTIL, or --cancel"),
        ([CHRISTMAS, CHRISTMAS, "--cancel"], "say SINCE and UNTIL, or --cancel"),
        ([CHRISTMAS, f"{NEXT_YEAR}-12-23"], "an absence ends after it begins, and not before now"),
        (["2020-01-01", "2020-01-02"], "an absence ends after it begins, and not before now"),
    ],
)
def test_an_absence_that_makes_no_sense_is_refused(
    people: PeopleTable, leadline: Run, said: list[str], complaint: str
) -> None:
    status, _, err = leadline("roster", "absence", "sales/anna", *said)

    assert (status, err) == (1, f"error: {complaint}\n")
    assert person(people) == IN_BERLIN


@pytest.mark.parametrize(
    ("time", "complaint"),
    [
        ("2030-12-24T13:00Z", "times are those where the person is, without a zone"),
        ("tomorrow", "tomorrow is neither 2026-12-24 nor 2026-12-24T13:00"),
    ],
)
def test_times_of_an_absence_are_local(
    leadline: Run, capsys: pytest.CaptureFixture[str], time: str, complaint: str
) -> None:
    with pytest.raises(SystemExit):
        leadline("roster", "absence", "sales/anna", time, "2031-01-01")

    assert complaint in " ".join(capsys.readouterr().err.split())


# --- duty ----------------------------------------------------------------------------------------


def test_duty_is_switched(people: PeopleTable, leadline: Run) -> None:
    status, out, _ = leadline("roster", "duty", "sales/anna", "off")
    assert (status, out.splitlines()[0]) == (0, "sales/anna: off duty")
    assert person(people) == IN_BERLIN.model_copy(update={"on_duty": False})

    status, out, _ = leadline("roster", "duty", "sales/anna", "on")
    assert (status, out) == (0, "sales/anna: can be given a lead\n")
    assert person(people) == IN_BERLIN


def test_who_answered_no_alert_comes_back_on_duty(people: PeopleTable, leadline: Run) -> None:
    people.put_rep(a_rep("anna", missed_pages=2))

    leadline("roster", "duty", "sales/anna", "on")

    assert (person(people).missed_pages, person(people).takes_leads) == (0, True)


def test_going_off_duty_takes_no_missed_alert_back(people: PeopleTable, leadline: Run) -> None:
    people.put_rep(a_rep("anna", missed_pages=1))

    leadline("roster", "duty", "sales/anna", "off")

    assert person(people).missed_pages == 1


# --- leads that nobody has -----------------------------------------------------------------------


def open_lead(leads: LeadTable, filing: Filing, number: int, **follow_up: Any) -> str:
    submission = a_submission(number)
    filed = filing.capture(submission, captured(submission))
    if follow_up:
        lead = leads.lead(filed.lead_id)
        assert lead
        seen = Change((), FollowUp(planned=True, **follow_up))
        leads.record(lead, seen, actor="test", at=RECEIVED)
    return filed.lead_id


def queued(stack: Deployment) -> list[Any]:
    answer = boto3.client("sqs").receive_message(
        QueueUrl=stack.resource("AdvanceQueue"), MaxNumberOfMessages=10
    )
    return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


@pytest.mark.parametrize(
    ("before", "command"),
    [
        ({"on_duty": False}, ["duty", "sales/anna", "on"]),
        ({"missed_pages": 2}, ["duty", "sales/anna", "on"]),
        (
            {"absences": [{"since": RECEIVED, "until": datetime(2100, 1, 1, tzinfo=UTC)}]},
            ["absence", "sales/anna", "--cancel"],
        ),
        ({}, ["change", "sales/anna", "--skill", "ru"]),
        ({}, ["add", "sales/ivan", "--name", "Ivan", "--phone", "+79161234567"]),
    ],
)
def test_whoever_comes_on_duty_is_given_what_nobody_has(
    stack: Deployment,
    leads: LeadTable,
    people: PeopleTable,
    filing: Filing,
    leadline: Run,
    before: dict[str, Any],
    command: list[str],
) -> None:
    people.put_rep(a_rep("anna", **before))
    waiting = [open_lead(leads, filing, 1), open_lead(leads, filing, 2, wake_at=None)]

    status, out, _ = leadline("roster", *command)

    assert status == 0
    assert "open leads that nobody has, looked at now: 2\n" in out
    sent = queued(stack)
    assert sorted(message["lead_id"] for message in sent) == sorted(waiting)
    assert all(message.keys() == {"lead_id"} for message in sent)


def test_the_leads_of_somebody_who_leaves_go_to_colleagues(
    stack: Deployment, leads: LeadTable, filing: Filing, leadline: Run
) -> None:
    uncalled, called = open_lead(leads, filing, 1), open_lead(leads, filing, 2)
    for lead_id, event in (
        (uncalled, LeadAcknowledged(rep_id="anna")),
        (called, LeadAttempted(rep_id="anna", result="talked")),
    ):
        lead = leads.lead(lead_id)
        assert lead
        assigned = LeadAssigned(rep_id="anna", rule="everybody")
        leads.record(lead, Change((assigned, event)), actor="test", at=RECEIVED)

    out = leadline("roster", "change", "sales/anna", "--inactive")[1]

    assert "sales/anna has left: open leads without a call go to colleagues (1)" in out
    assert "others are for the manager to hand over (1)" in out
    assert [message["lead_id"] for message in queued(stack)] == [uncalled]
    assert "has left" not in leadline("roster", "change", "sales/anna", "--weight", "2")[1]


def test_leads_wait_on_while_nobody_comes(
    stack: Deployment, leads: LeadTable, filing: Filing, leadline: Run
) -> None:
    open_lead(leads, filing, 1)

    for command in (
        ["duty", "sales/anna", "off"],
        ["duty", "sales/boss", "on"],
        ["change", "sales/anna", "--weight", "2"],
    ):
        assert "looked at" not in leadline("roster", *command)[1]
    assert queued(stack) == []


def test_leads_that_wait_for_nobody_are_left_alone(
    stack: Deployment, leads: LeadTable, filing: Filing, leadline: Run
) -> None:
    """Those with an owner, those that policy does not follow up, those that were called."""
    open_lead(leads, filing, 1, is_idle=True)
    for number, event in (
        (2, LeadAssigned(rep_id="boss", rule="everybody")),
        (3, LeadAttempted(rep_id="boss", result="talked")),
    ):
        lead = leads.lead(open_lead(leads, filing, number))
        assert lead
        leads.record(lead, Change((event,)), actor="test", at=RECEIVED)

    out = leadline("roster", "duty", "sales/anna", "on")[1]

    assert "looked at" not in out
    assert queued(stack) == []


# --- what the policy in force lacks then ---------------------------------------------------------


def test_a_change_warns_of_what_it_takes_from_the_policy(
    people: PeopleTable, leadline: Run
) -> None:
    for _ in range(2):
        out = leadline("roster", "change", "sales/boss", "--inactive")[1]
        people.put_rep(BOSS)
    assert "warning: team sales: no manager can be reached" in out

    off = leadline("roster", "duty", "sales/anna", "off")[1]
    assert "is there at any time of the next 14 days: the manager will be told at once\n" in off
    assert "warning" not in leadline("roster", "duty", "sales/anna", "off")[1], "it was said"


def test_a_change_warns_of_a_person_whom_the_chain_does_not_reach(
    stack: Deployment, people: PeopleTable, leadline: Run
) -> None:
    text = json.dumps(POLICY).replace('["sms", "email"]', '["sms"]')
    PolicyStore(stack.table).publish(json.loads(text))
    by_sms = "no alert of a new lead arrives: chain/default sends it by sms only\n"

    added = leadline("roster", "add", "sales/eve", "--name", "Eve", "--email", "eve@ours.net")[1]
    changed = leadline("roster", "change", "sales/anna", "--no-phone")[1]

    assert f"warning: sales/eve: {by_sms}" in added
    assert f"warning: sales/anna: {by_sms}" in changed
    assert "sales/eve" not in changed, "it was said"
    manager = leadline("roster", "change", "sales/boss", "--no-phone")[1]
    assert "warning: team sales: no alert to a manager arrives" in manager


def test_a_team_that_no_form_has_is_mentioned(people: PeopleTable, leadline: Run) -> None:
    out = leadline("roster", "add", "sale/eve", "--name", "Eve", "--email", "eve@ours.net")[1]

    assert "warning: team sale: no form has it\n" in out


def test_without_policy_there_is_nothing_to_warn_of(stack: Deployment, leadline: Run) -> None:
    out = leadline("roster", "add", "sales/eve", "--name", "Eve", "--email", "eve@ours.net")[1]

    assert "warning" not in out
