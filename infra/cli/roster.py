"""`leadline roster`: the people who are given leads and told of them, and who of them is there.

What is changed here holds for the next lead; and for those that nobody has yet, which are looked at
once more as soon as somebody could be given one.
"""

import argparse
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import boto3

from infra.cli import deployment
from infra.cli.commands import Commands, lines
from infra.cli.deployment import Deployment, OperatorError
from infra.cli.on_duty import SUSPENDED, Duty
from infra.cli.people_files import Person, read_people, read_person
from infra.cli.republish import moment
from shared.adapters import subscriptions
from shared.adapters.lead_table import LeadTable
from shared.adapters.people_table import STANDING, PeopleTable
from shared.adapters.policy_store import PolicyStore
from shared.adapters.queues import Queue
from shared.adapters.subscriptions import Subscription
from shared.adapters.timeouts import SHORT
from shared.domain.calendar import first_moment
from shared.domain.coverage import Coverage, coverage, joined, stretch
from shared.domain.policy import Policy
from shared.domain.roster import CANARY_TEAM, Absence, Rep
from shared.duty import switched, waiting_for_somebody
from shared.errors import PolicyError

if TYPE_CHECKING:
    from types_boto3_sns.client import SNSClient


class Who(NamedTuple):
    """A person, as `sales/anna`."""

    team: str
    rep_id: str

    def __str__(self) -> str:
        return f"{self.team}/{self.rep_id}"


# --- the commands --------------------------------------------------------------------------------


def add_commands(areas: Commands) -> None:
    roster = areas.add_parser("roster", help="those who are given leads and told of them")
    commands = roster.add_subparsers(required=True, metavar="COMMAND")

    put = commands.add_parser(
        "put",
        help="enter the people of a file, or change them",
        description="The file says everything of the people in it, and nothing of others. Duty, "
        "absences and missed alerts stay as they are where it does not mention them.",
    )
    put.add_argument("file", type=Path, help="like infra/local/people.yaml")
    put.set_defaults(run=run_put)

    listing = commands.add_parser("list", help="show who is entered, and who can be reached")
    listing.set_defaults(run=run_list)

    now = commands.add_parser(
        "now",
        help="show who can be given a lead, and what keeps the others from it",
        description="The exit status is 1 when a team has nobody who can be given a lead.",
    )
    now.add_argument("--at", type=moment, metavar="TIME", help="then: 2026-11-28T09:00Z")
    now.set_defaults(run=run_now)
    for command in (listing, now):
        command.add_argument("--team", help="one team only; else every team that a form names")

    add = _of_person(commands, "add", "Enter one person.")
    add.set_defaults(run=run_add)
    change = _of_person(
        commands, "change", "Change one person. What is not mentioned stays as it is."
    )
    change.set_defaults(run=run_change)
    _add_fields(add, adding=True)
    _add_fields(change, adding=False)

    absence = _of_person(
        commands,
        "absence",
        "Enter when somebody is away, where they are; or cancel it. A date alone is its beginning, "
        "and as UNTIL its end: 2026-12-24 2026-12-24 is one day. Absences that meet become one.",
    )
    for name, says in (("since", "2026-12-24"), ("until", "or 2026-12-24T13:00")):
        absence.add_argument(
            name, nargs="?", default=None, type=_local_time, metavar=name.upper(), help=says
        )
    absence.add_argument(
        "--cancel", action="store_true", default=False, help="cancel this absence and all to come"
    )
    absence.set_defaults(run=run_absence)

    duty = _of_person(
        commands,
        "duty",
        "Put somebody on duty, or off it. `on` is also for who is off duty because two alerts had "
        "no answer.",
    )
    duty.add_argument("switch", choices=("on", "off"))
    duty.set_defaults(run=run_duty)

    for command in (put, listing, now, add, change, absence, duty):
        deployment.add_stack(command)


def _of_person(commands: Commands, name: str, does: str) -> ArgumentParser:
    """What is not said leaves no trace in the options: `change` leaves it as it is."""
    command = commands.add_parser(
        name,
        help=does[0].lower() + does.partition(".")[0][1:],
        description=does,
        argument_default=argparse.SUPPRESS,
    )
    command.add_argument("who", type=read_who, metavar="TEAM/REP_ID", help="such as sales/anna")
    return command


def _add_fields(command: ArgumentParser, *, adding: bool) -> None:
    """An option for each field of `Person`, and one to take it away where that makes sense."""

    def default(value: str) -> str:
        return f" ({value})" if adding else ""

    say = command.add_argument
    say("--name", required=adding, help="as colleagues read it")
    say("--role", choices=("rep", "manager"), help=f"who is given leads{default('rep')}")
    say("--locale", choices=("en", "ru"), help=f"the language of alerts{default('en')}")
    say("--zone", metavar="ZONE", help=f"where the person is, as Europe/Berlin{default('UTC')}")
    say("--weight", metavar="1-10", help=f"the share of leads{default('1')}")
    for field, metavar, says in (
        ("phone", "PHONE", "for SMS, as +447700900101"),
        ("email", "ADDRESS", "AWS asks it whether it agrees"),
        ("calendar", "NAME", "of the person's shifts, a calendar of the policy"),
        ("daily_cap", "LEADS", "the most new leads on a day where the person is"),
    ):
        group, flag = command.add_mutually_exclusive_group(), field.replace("_", "-")
        group.add_argument(f"--{flag}", metavar=metavar, help=says)
        if not adding:
            group.add_argument(f"--no-{flag}", dest=field, action="store_const", const=None)
    quiet = command.add_mutually_exclusive_group()
    says = "no SMS at these hours where the person is, only e-mail; may be said more than once"
    quiet.add_argument("--quiet", action="append", metavar="22:00-08:00", help=says)
    if not adding:
        quiet.add_argument("--no-quiet", dest="quiet", action="store_const", const=())
    skills = command.add_mutually_exclusive_group()
    says = "what rules may ask for; said once for each, these are all that the person has"
    skills.add_argument("--skill", dest="skills", action="append", metavar="NAME", help=says)
    if adding:
        return
    skills.add_argument("--no-skills", dest="skills", action="store_const", const=())
    active = command.add_mutually_exclusive_group()
    says = "end the person: no leads, no alerts, no links"
    active.add_argument("--inactive", dest="active", action="store_const", const=False, help=says)
    active.add_argument("--active", action="store_const", const=True, help="take that back")


def read_who(text: str) -> Who:
    team, slash, rep_id = text.partition("/")
    if not slash or not team or not rep_id:
        raise ArgumentTypeError(f"{text} is no person such as sales/anna")
    return Who(team, rep_id)


def _local_time(text: str) -> date:
    """A date, or a moment by the clock of whoever it is about."""
    for kind in (date, datetime):
        try:
            at = kind.fromisoformat(text)
        except ValueError:
            continue
        if isinstance(at, datetime) and at.tzinfo:
            raise ArgumentTypeError(f"{text}: times are those where the person is, without a zone")
        return at
    raise ArgumentTypeError(f"{text} is neither 2026-12-24 nor 2026-12-24T13:00")


def run_put(options: Namespace) -> int:
    people = read_people(options.file)
    good = _enter(deployment.find(options.stack), people)
    print("People who are entered and not in the file stay as they are; active: false ends one.")
    return 0 if good else 1


def run_add(options: Namespace) -> int:
    stack = deployment.find(options.stack)
    if _find(people_of(stack, [options.who.team]), options.who) is not None:
        raise OperatorError(f"{options.who} is entered already: `leadline roster change`")
    return 0 if _enter(stack, [read_person({**options.who._asdict(), **_said(options)})]) else 1


def run_change(options: Namespace) -> int:
    said = _said(options)
    if not said:
        raise OperatorError("say what is to change: `leadline roster change --help`")
    stack = deployment.find(options.stack)
    known = _find(people_of(stack, [options.who.team]), options.who)
    if known is None:
        raise stranger(options.who)
    written = {**known.model_dump(exclude={*STANDING}), **said}
    return 0 if _enter(stack, [read_person(written)]) else 1


def run_absence(options: Namespace) -> int:
    if options.cancel == bool(options.until) or (options.cancel and options.since):
        raise OperatorError("say SINCE and UNTIL, or --cancel")
    now = datetime.now(UTC)

    def change(rep: Rep) -> Rep:
        absences = () if options.cancel else _with_absence(rep, options.since, options.until, now)
        return rep.model_copy(update={"absences": absences})

    before, after = _change(deployment.find(options.stack), options.who, change, now)
    if options.cancel:
        for absence in _to_come(before, now):
            print(f"cancelled: {_stretch(absence, before)}")
    for absence in after.absences:
        print(f"away: {_stretch(absence, after)}")
    return 0


def run_duty(options: Namespace) -> int:
    on = options.switch == "on"
    _change(
        deployment.find(options.stack),
        options.who,
        lambda rep: switched(rep, on=on),
        datetime.now(UTC),
    )
    return 0


def run_list(options: Namespace) -> int:
    stack = deployment.find(options.stack)
    known = subscriptions.of_topic(_sns(), stack.resource("AlertTopic"))
    all_teams = teams_of(current_policy(stack), known)
    teams = _chosen(options, all_teams)
    everyone = people_of(stack, {*all_teams, *teams})
    shown = [rep for rep in everyone if rep.team in teams]
    rows = [("TEAM", "ID", "NAME", "ROLE", "PHONE", "E-MAIL")]
    rows += [
        (
            rep.team,
            rep.rep_id,
            rep.name,
            f"{rep.role}{_switched_off(rep)}",
            rep.phone or "-",
            f"{rep.email or '-'}{_state(rep, everyone, known)}",
        )
        for rep in shown
    ]
    print(lines(rows))
    now = datetime.now(UTC)
    if more := [(f"{rep.team}/{rep.rep_id}", says) for rep in shown if (says := _work(rep, now))]:
        print(f"\n{lines(more)}")
    return 0


def run_now(options: Namespace) -> int:
    stack = deployment.find(options.stack)
    policy, table = current_policy(stack), PeopleTable(stack.table)
    now = options.at or datetime.now(UTC)
    status = 0
    for team in _chosen(options, teams_of(policy)):
        duty = Duty(table.of_team(team), table.rotation(team), policy, now)
        print(f"{team}, {now.astimezone(UTC):%Y-%m-%d %H:%M} UTC: {duty.heading}")
        if duty.reps:
            print(duty.table)
        print(f"{duty.managers}\n")
        status = status if duty.is_covered else 1
    return status


# --- what is shown -------------------------------------------------------------------------------


def _state(rep: Rep, everyone: Sequence[Rep], known: Sequence[Subscription]) -> str:
    if subscriptions.address_of(rep) is None:
        return ""
    return f" ({subscriptions.state(rep, everyone, known).replace('_', ' ')})"


def _work(rep: Rep, now: datetime) -> str:
    """How many leads somebody is given, which, and when; empty when nothing is out of the way."""
    parts = (
        f"weight {rep.weight}" if rep.weight > 1 else "",
        f"at most {rep.daily_cap} a day" if rep.daily_cap else "",
        f"skills {' '.join(rep.skills)}" if rep.skills else "",
        f"shift {rep.calendar}" if rep.calendar else "",
        f"no SMS {', '.join(map(str, rep.quiet))}" if rep.quiet else "",
        *(f"away {_stretch(absence, rep)}" for absence in _to_come(rep, now)),
    )
    return ", ".join(filter(None, parts))


def _switched_off(rep: Rep) -> str:
    if not rep.active:
        return ", not active"
    if not rep.on_duty:
        return ", off duty"
    return f", {SUSPENDED}" if rep.is_suspended else ""


def _stretch(absence: Absence, rep: Rep) -> str:
    return f"{stretch(absence.since, absence.until, ZoneInfo(rep.zone))} {rep.zone}"


# --- what is changed -----------------------------------------------------------------------------


def _said(options: Namespace) -> dict[str, object]:
    """The fields of a person that the options mention."""
    return {name: said for name, said in vars(options).items() if name in Person.model_fields}


def stranger(who: Who) -> OperatorError:
    return OperatorError(f"{who} is not entered: `leadline roster list --team {who.team}`")


def _enter(stack: Deployment, people: Sequence[Person]) -> bool:
    """Enters people and asks their addresses: whether AWS took all of these.

    Raises OperatorError before anything is written.
    """
    policy = current_policy(stack)
    names = policy.names if policy else frozenset()
    missing = {rep.calendar for rep in people if rep.active and rep.calendar}
    missing = {name for name in missing if f"calendar/{name}" not in names}
    if missing:
        raise OperatorError(f"calendar {', '.join(sorted(missing))} is not published")
    sns, topic_arn = _sns(), stack.resource("AlertTopic")
    known = subscriptions.of_topic(sns, topic_arn)
    before = people_of(stack, {*teams_of(policy, known), *(rep.team for rep in people)})
    if overheard := sorted(subscriptions.overhearing(_merged(before, people))):
        raise OperatorError("\n".join(overheard))
    table, now = PeopleTable(stack.table), datetime.now(UTC)
    entered = [table.change_rep(rep.team, rep.rep_id, _written(rep, now)) for rep in people]
    everyone = _merged(before, entered)
    subscriptions.mend(sns, known, entered, everyone)
    done = [
        (rep, *subscriptions.subscribe(sns, topic_arn, rep, everyone, known)) for rep in entered
    ]
    print(lines([(rep.rep_id, rep.name, says) for rep, _, says in done]))
    _follow(stack, policy, before, entered, now)
    return all(good for _, good, _ in done)


def _written(person: Person, now: datetime) -> Callable[[Rep | None], Rep]:
    """What is known of a person once this is written. Whoever has ended finds no link that opens
    when they are back: also one that was made after they were ended, by a clock that is ahead.
    """

    def write(known: Rep | None) -> Rep:
        after = person.over(known)
        was_there = known is None or known.active
        if was_there and after.active:
            return after
        return after.model_copy(update={"links_revoked_at": now})

    return write


def _change(
    stack: Deployment, who: Who, change: Callable[[Rep], Rep], now: datetime
) -> tuple[Rep, Rep]:
    """Changes one person and says how they stand then: the person before and after.

    Raises OperatorError for somebody who is not entered.
    """
    table, policy = PeopleTable(stack.table), current_policy(stack)
    before = table.of_team(who.team)
    known = _find(before, who)
    if known is None:
        raise stranger(who)
    former = known
    after = table.change_rep(*who, lambda latest: change(latest or former))
    duty = Duty(_merged(before, [after]), table.rotation(who.team), policy, now)
    print(f"{who}: {duty.standing(after)}")
    _follow(stack, policy, before, [after], now)
    return former, after


def _with_absence(rep: Rep, since: date, until: date, now: datetime) -> tuple[Absence, ...]:
    """What is to come of the person's absences, with one more. Those that meet become one."""
    begins, ends = _instant(since, rep), _instant(until, rep, is_end=True)
    if ends <= begins or ends <= now:
        raise OperatorError("an absence ends after it begins, and not before now")
    stretches = [(absence.since, absence.until) for absence in _to_come(rep, now)]
    found = joined([*stretches, (begins, ends)])
    return tuple(Absence(since=begins, until=ends) for begins, ends in found)


def _instant(local: date, rep: Rep, *, is_end: bool = False) -> datetime:
    if isinstance(local, datetime):
        return first_moment(local.date(), local.time(), ZoneInfo(rep.zone))
    return first_moment(local + timedelta(days=is_end), time(), ZoneInfo(rep.zone))


def _to_come(rep: Rep, now: datetime) -> list[Absence]:
    return sorted((a for a in rep.absences if a.until > now), key=lambda a: a.since)


def _follow(
    stack: Deployment,
    policy: Policy | None,
    before: Sequence[Rep],
    changed: Sequence[Rep],
    now: datetime,
) -> None:
    """What follows from a change: a warning of what nobody had to be warned of before, and work for
    whoever takes leads now, or takes over from whoever has left.
    """
    if policy is not None:
        said = _sentences(coverage(policy, before, now))
        new = _sentences(coverage(policy, _merged(before, changed), now))
        teams = {rep.team for rep in changed} - {form.team for form in policy.forms}
        new += [f"team {team}: no form has it" for team in sorted(teams)]
        for sentence in new:
            if sentence not in said:
                print(f"warning: {sentence}")
    leads = LeadTable(stack.table)
    somebody = {rep.team: rep for rep in changed if rep.takes_leads}
    waiting = [
        lead for team in sorted(somebody) for lead in waiting_for_somebody(somebody[team], leads)
    ]
    left = {(rep.team, rep.rep_id) for rep in before if rep.active}
    left &= {(rep.team, rep.rep_id) for rep in changed if not rep.active}
    for team, rep_id in sorted(left):
        theirs = leads.open_leads(team, [rep_id])
        uncalled = [lead for lead in theirs if lead.awaits_attempt]
        waiting += uncalled
        print(
            f"{team}/{rep_id} has left: open leads without a call go to colleagues "
            f"({len(uncalled)}), others are for the manager to hand over "
            f"({len(theirs) - len(uncalled)})"
        )
    if waiting:
        queue = Queue(boto3.client("sqs", config=SHORT), stack.resource("AdvanceQueue"))
        queue.send([{"lead_id": lead.lead_id} for lead in waiting])
        print(f"open leads that nobody has, looked at now: {len(waiting)}")


def _sentences(found: Coverage) -> list[str]:
    return [*found.problems, *found.notes]


# --- what is read --------------------------------------------------------------------------------


def current_policy(stack: Deployment) -> Policy | None:
    """The policy in force; None when none was ever published."""
    try:
        return PolicyStore(stack.table).current()
    except PolicyError:
        return None


def teams_of(policy: Policy | None, known: Sequence[Subscription] = ()) -> list[str]:
    """The teams that forms or filters name, but not the canary's."""
    teams = {form.team for form in policy.forms} if policy else set()
    return sorted(teams.union(*(one.filter.get("team", ()) for one in known)) - {CANARY_TEAM})


def people_of(stack: Deployment, teams: Iterable[str]) -> list[Rep]:
    """Everybody of some teams."""
    table = PeopleTable(stack.table)
    return [rep for team in sorted(teams) for rep in table.of_team(team)]


def _chosen(options: Namespace, teams: list[str]) -> list[str]:
    chosen = [options.team] if options.team else teams
    if not chosen:
        raise OperatorError("no policy is published: name a team with --team")
    return chosen


def _find(people: Iterable[Rep], who: Who) -> Rep | None:
    return next((rep for rep in people if (rep.team, rep.rep_id) == who), None)


def _merged(people: Iterable[Rep], changed: Iterable[Rep]) -> list[Rep]:
    """People, with some of them changed or new."""
    return [*{(rep.team, rep.rep_id): rep for rep in (*people, *changed)}.values()]


def _sns() -> "SNSClient":
    return boto3.client("sns", config=SHORT)
