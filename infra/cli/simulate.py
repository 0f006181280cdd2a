"""`leadline simulate`: what happens to a lead, and how soon leads would be called otherwise.

Nothing is written: neither to the table, nor to anybody.
"""

import json
from argparse import ArgumentTypeError, Namespace
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, get_args
from zoneinfo import ZoneInfo

from infra.cli import deployment
from infra.cli.commands import Commands, lines
from infra.cli.deployment import OperatorError
from infra.cli.people_files import read_people
from infra.cli.policy_files import read_policy
from infra.simulation import comparison
from infra.simulation.arrivals import DIRECT, drawn, stored
from infra.simulation.picture import picture
from infra.simulation.play import GIVEN_UP_AFTER, Habits, Outcome, played
from infra.simulation.rehearsal import Rehearsal, WhatIf, rehearse
from infra.simulation.stage import Arrival, Stage
from infra.simulation.telling import Line
from infra.simulation.words import length, moment, since
from shared.adapters.lead_table import LeadTable
from shared.adapters.people_table import PeopleTable
from shared.adapters.policy_store import PolicyStore
from shared.domain.attribution import CHANNELS
from shared.domain.calendar import first_moment
from shared.domain.events import Verdict, Via
from shared.domain.form import Form, Locale
from shared.domain.policy import Policy, check, parse_document
from shared.domain.roster import Rep
from shared.domain.routing import Facts, Rotation
from shared.errors import PolicyError

NOT_PUBLISHED = 0
"""The version of a folder."""
MOST_DAYS = 366
CHANNEL_WORDS: Mapping[Via, str] = {"sms": "SMS", "email": "e-mail"}
MISSING: Mapping[Via, str] = {"sms": "no phone", "email": "no e-mail"}


# --- arguments -----------------------------------------------------------------------------------


def add_commands(areas: Commands) -> None:
    area = areas.add_parser("simulate", help="try a policy, a roster or a moment; nothing is sent")
    commands = area.add_subparsers(required=True, metavar="COMMAND")

    lead = commands.add_parser(
        "lead", help="for a form and a moment: who is alerted when, through which channel, and why"
    )
    lead.add_argument("--form", required=True, metavar="ID")
    lead.add_argument(
        "--at",
        type=_moment,
        metavar="2026-12-24T12:55",
        help="local time of the form's calendar, or with an offset; now, if none is given",
    )
    lead.add_argument("--channel", default=DIRECT, choices=sorted(CHANNELS), metavar="CHANNEL")
    lead.add_argument("--language", choices=get_args(Locale), help="the form's, if none is given")
    lead.add_argument(
        "--country", type=str.upper, metavar="GB", help="of the phone; the form's, if none is given"
    )
    lead.add_argument("--verdict", default="qualified", choices=get_args(Verdict))
    lead.add_argument("--previous-owner", metavar="REP_ID", help="who had the contact's last lead")
    lead.add_argument(
        "--acknowledged", type=_after, metavar="SECONDS", help="when its owner says “I'm on it”"
    )
    lead.add_argument("--called", type=_after, metavar="SECONDS", help="when its owner calls")
    lead.add_argument("--json", action="store_true", help="as data")
    lead.set_defaults(run=run_lead)

    coverage = commands.add_parser(
        "coverage", help="the same leads with other people, shifts, rules or another chain"
    )
    coverage.add_argument("--other-policy", type=Path, metavar="FOLDER", help="as it could be")
    coverage.add_argument("--other-people", type=Path, metavar="FILE", help="as it could be")
    coverage.add_argument("--stored", action="store_true", help="the leads that came, by the table")
    coverage.add_argument("--synthetic", action="store_true", help="leads by chance (the default)")
    coverage.add_argument("--days", type=_days, default=28, help="how many (28)")
    coverage.add_argument("--per-day", type=_amount, default=40.0, help="synthetic leads (40)")
    coverage.add_argument("--form", metavar="ID", help="of this form only")
    coverage.add_argument(
        "--start", type=date.fromisoformat, metavar="2026-11-30", help="of synthetic leads (Monday)"
    )
    coverage.add_argument("--seed", type=int, default=1, help="another one draws again (1)")
    coverage.add_argument(
        "--reaction-seconds",
        type=_amount,
        default=60.0,
        help="median from an alert to the call, of somebody on no other call (60)",
    )
    coverage.add_argument(
        "--call-seconds", type=_amount, default=240.0, help="mean length of a call (240)"
    )
    coverage.add_argument("--picture", type=Path, metavar="FILE.svg")
    coverage.set_defaults(run=run_coverage)

    for command in (lead, coverage):
        command.add_argument(
            "--policy", type=Path, metavar="FOLDER", help="instead of the stack's in force"
        )
        command.add_argument(
            "--set", action="append", default=[], metavar="NAME=VALUE", help="a variable's value"
        )
        command.add_argument("--people", type=Path, metavar="FILE", help="instead of the stack's")
        deployment.add_stack(command)


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text} is no time like 2026-12-24T12:55") from error


def _after(text: str) -> timedelta:
    return timedelta(seconds=_amount(text, least=0))


def _amount(text: str, least: float = 0.001) -> float:
    try:
        amount = float(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text} is no number") from error
    if not least <= amount <= 10**7:
        raise ArgumentTypeError(f"{text} is too small or too large")
    return amount


def _days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_DAYS:
        raise ArgumentTypeError(f"1 to {MOST_DAYS} days")
    return int(text)


# --- what there is -------------------------------------------------------------------------------


class _Sources:
    """Policy and people: of files, and what these do not say of the stack."""

    def __init__(self, options: Namespace) -> None:
        self._stack = options.stack
        self._variables = dict(pair.partition("=")[::2] for pair in options.set)

    @cached_property
    def leads(self) -> LeadTable:
        return LeadTable(self._found.table)

    @cached_property
    def _people(self) -> PeopleTable:
        return PeopleTable(self._found.table)

    @cached_property
    def _found(self) -> deployment.Deployment:
        return deployment.find(self._stack)

    def policy(self, folder: Path | None, day: date) -> Policy:
        """The policy in force, or that of a folder, with the holidays of a day's year.

        Raises PolicyError for one that could not be published.
        """
        if folder is None:
            return PolicyStore(self._found.table).current()
        documents = read_policy(folder, self._variables, day)
        if problems := check(documents):
            raise PolicyError("\n".join([str(folder), *problems]))
        parsed = {name: parse_document(name, body) for name, body in documents.items()}
        return Policy(NOT_PUBLISHED, parsed.get, names=parsed)

    def people(self, file: Path | None, policy: Policy) -> list[Rep]:
        """The people of a file, or all whom the forms' leads go to."""
        if file is not None:
            return [person.over(None) for person in read_people(file)]
        teams = sorted({form.team for form in policy.forms})
        return [rep for team in teams for rep in self._people.of_team(team)]

    def rotation(self, team: str) -> Rotation:
        """Whose turn it is in a team, by the table."""
        return self._people.rotation(team)


def _form(policy: Policy, form_id: str) -> Form:
    form = policy.form(form_id)
    if form is None:
        known = ", ".join(form.form_id for form in policy.forms)
        raise OperatorError(f"there is no form {form_id}; there are {known}")
    return form


# --- one lead ------------------------------------------------------------------------------------


def run_lead(options: Namespace) -> int:
    if options.called and options.acknowledged and options.called < options.acknowledged:
        raise OperatorError("nobody says that they are on it after they called")
    sources = _Sources(options)
    asked_at: datetime = options.at or datetime.now(UTC)
    policy = sources.policy(options.policy, asked_at.date())
    form = _form(policy, options.form)
    people = sources.people(options.people, policy)
    if options.previous_owner and options.previous_owner not in {rep.rep_id for rep in people}:
        raise OperatorError(f"there is nobody called {options.previous_owner}")
    # Who is next is a record of the table; the people of a file begin with the first by id.
    rotations = {} if options.people else {form.team: sources.rotation(form.team)}
    at = _instant(asked_at, policy.calendar(form.calendar).zone)
    country = options.country or form.default_region
    facts = Facts(form.form_id, options.channel, options.language or form.language, country)
    rehearsal = rehearse(
        Stage(policy, people, rotations),
        Arrival(at, facts, options.verdict),
        WhatIf(options.acknowledged, options.called),
        options.previous_owner,
    )
    if options.json:
        print(json.dumps(rehearsal.model_dump(mode="json"), ensure_ascii=False, indent=2))
    else:
        print("\n\n".join(_told(rehearsal)))
    return 0


def _instant(asked: datetime, zone: str) -> datetime:
    """What a clock on the wall shows is a moment; of an hour that comes twice the first."""
    if asked.tzinfo is not None:
        return asked.astimezone(UTC)
    return first_moment(asked.date(), asked.time(), ZoneInfo(zone))


def _told(rehearsal: Rehearsal) -> Iterable[str]:
    """The paragraphs of a dry run."""
    yield lines([*_head(rehearsal)])
    if rehearsal.people_at is not None:
        yield lines([*_people(rehearsal, rehearsal.people_at)])
    if rehearsal.lines:
        yield lines([*_events(rehearsal.lines)])
    yield rehearsal.end


def _head(told: Rehearsal) -> Iterable[tuple[str, str]]:
    of = [told.channel, f"language {told.language}", f"country {told.country}", told.verdict]
    if told.previous_owner:
        of.append(f"known to {told.previous_owner}")
    version = f"version {told.policy_version}" if told.policy_version else "a folder"
    state = "open at any time"
    if told.changes_at is not None:
        words = ("open", "closes") if told.is_open else ("closed", "opens")
        state = f"{words[0]}; {words[1]} {moment(told.changes_at)}"
    yield "LEAD", f"{told.form_title} ({told.form_id}), {', '.join(of)}"
    yield "COMES", f"{told.at:%A} {told.at.day} {told.at:%B %Y, %H:%M:%S %Z} ({told.zone})"
    yield "POLICY", f"{version}; chain {told.chain}, rounds: {told.rounds}"
    yield "CALENDAR", f"{told.calendar}: {state}"
    due = f"due by {moment(told.respond_by)}" if told.respond_by else "nobody is to call"
    yield "FIRST CALL", due
    if told.promise:
        yield "VISITOR", f"reads: {told.promise}"
    for rule in told.rules:
        yield f"RULE {rule.rule}", rule.says


def _people(told: Rehearsal, at: datetime) -> Iterable[Sequence[str]]:
    yield "PERSON", "NAME", "REACHED BY", "RULES", f"AT {moment(at)}"
    for person in told.people:
        via = ", ".join(CHANNEL_WORDS[via] for via in person.via) or "nothing"
        rules = ", ".join(rule.rule for rule in told.rules if person.rep_id in rule.pool) or "-"
        yield person.rep_id, person.name, via, rules, ", ".join(person.hindrances) or "there"


def _events(told: Sequence[Line]) -> Iterable[Sequence[str]]:
    """A row for each line, and one for each date; a time stands where it is new."""
    yield "TIME", "AFTER", "WHAT", "WHO", "BY", "WHY"
    former = None
    for line in told:
        if former is None or line.at.date() != former.date():
            yield f"{line.at:%a} {line.at.day} {line.at:%b}", "", "", "", "", ""
        when = ("", "")
        if line.at != former:
            when = (f"{line.at:%H:%M:%S %Z}", since(line.wall_seconds))
        former = line.at
        yield *when, line.what, line.name, _channels(line), line.why


def _channels(line: Line) -> str:
    words = [CHANNEL_WORDS[via] for via in line.via] + [MISSING[via] for via in line.cannot]
    return ", ".join(words)


# --- many leads ----------------------------------------------------------------------------------


class _Side(NamedTuple):
    """People and policy, as they are or could be, and where they come from."""

    policy: Policy
    people: list[Rep]
    named: str

    def stage(self) -> Stage:
        """A fresh one: whoever was put off duty is back, and turns begin anew."""
        return Stage(
            self.policy, [rep.model_copy(update={"missed_pages": 0}) for rep in self.people]
        )

    def takes(self, form_id: str) -> bool:
        """Whether there is such a form, and anybody whom its leads could go to."""
        form = self.policy.form(form_id)
        return form is not None and any(
            rep.team == form.team and rep.role == "rep" for rep in self.people
        )


def run_coverage(options: Namespace) -> int:
    if options.other_policy is None and options.other_people is None:
        raise OperatorError("say what could be otherwise: --other-policy, --other-people or both")
    if options.stored and options.synthetic:
        raise OperatorError("leads are either --stored or --synthetic")
    if options.picture and not options.picture.parent.is_dir():
        raise OperatorError(f"{options.picture.parent} is no folder")
    sources = _Sources(options)
    today = datetime.now(UTC).date()
    start = options.start or today + timedelta(days=7 - today.weekday())
    first_day = today - timedelta(days=options.days) if options.stored else start
    sides = [
        _side(sources, policy, people, first_day)
        for policy, people in (
            (options.policy, options.people),
            (options.other_policy or options.policy, options.other_people or options.people),
        )
    ]
    if options.stored:
        arrivals = _stored(sources.leads, sides, first_day, options)
        came = f"leads that came from {first_day} on, {options.days} days"
    else:
        arrivals = _synthetic(sides, start, options)
        came = f"leads by chance from {start} on, {options.days} days, seed {options.seed}"
    if not arrivals:
        raise OperatorError("there are no such leads")
    habits = Habits(options.reaction_seconds, options.call_seconds)
    chances = habits.chances(options.seed)
    one, other = (played(side.stage(), arrivals, chances) for side in sides)
    print("\n\n".join(_compared(sides, (one, other), habits, f"{len(arrivals)} {came}")))
    if options.picture:
        zone = _zone(sides[0].policy, arrivals[0])
        caption = f"{len(arrivals)} {came}; a model, not a measurement"
        options.picture.write_text(picture(one, other, zone, caption), encoding="utf-8")
    return 0


def _side(sources: _Sources, policy: Path | None, people: Path | None, day: date) -> _Side:
    read = sources.policy(policy, day)
    return _Side(
        read,
        sources.people(people, read),
        f"policy {policy or f'version {read.version}'}, people {people or 'of the stack'}",
    )


def _zone(policy: Policy, arrival: Arrival) -> str:
    return policy.calendar(_form(policy, arrival.facts.form_id).calendar).zone


def _stored(
    leads: LeadTable, sides: Sequence[_Side], first_day: date, options: Namespace
) -> list[Arrival]:
    """Whole days of UTC, the last of them yesterday; of forms that both sides have."""
    days = [first_day + timedelta(days=number) for number in range(options.days)]
    found = stored(lead for day in days for lead in leads.captured_on(day.isoformat()))
    return [
        arrival
        for arrival in found
        if options.form in (None, arrival.facts.form_id)
        and all(side.takes(arrival.facts.form_id) for side in sides)
    ]


def _synthetic(sides: Sequence[_Side], start: date, options: Namespace) -> list[Arrival]:
    policy = sides[0].policy
    forms = [_form(policy, options.form)] if options.form else list(policy.forms)
    taken = [
        form
        for form in forms
        if (options.form or not form.is_test) and all(side.takes(form.form_id) for side in sides)
    ]
    if not taken:
        raise OperatorError("no form's leads go to anybody on both sides")
    return drawn(policy, taken, options.per_day, start, options.days, options.seed)


def _compared(
    sides: Sequence[_Side],
    outcomes: tuple[Sequence[Outcome], Sequence[Outcome]],
    habits: Habits,
    leads: str,
) -> Iterable[str]:
    """The paragraphs of a comparison."""
    yield lines(
        [
            ("LEADS", leads),
            ("AS IT IS", sides[0].named),
            ("AS IT COULD BE", sides[1].named),
        ]
    )
    yield lines([*comparison.table(*map(comparison.figures, outcomes))])
    pairs = comparison.paired(*outcomes)
    yield (
        f"Lead by lead: {pairs.sooner} are called sooner, {pairs.later} later, "
        f"{pairs.same} at the same time."
    )
    assumed = [*_assumed(habits)]
    yield lines([*zip(["ASSUMED", *[""] * (len(assumed) - 1)], assumed, strict=True)])


def _assumed(habits: Habits) -> Iterable[str]:
    yield (
        "It is a model of people; turns, caps, alerts and steps are the planner's. It says when "
        "leads would be called, and nothing of talks, deals or closing."
    )
    yield (
        f"Who is alerted calls after {length(habits.reaction_seconds)} (median of a lognormal, one "
        f"in ten after more than {length(habits.slow_seconds)}); each further alert is "
        "one more chance to be fast. A call takes "
        f"{length(habits.call_seconds)} (mean of an exponential)."
    )
    yield (
        "People have one call at a time, begin none outside their shift or while away, take the "
        "lead that is due first, and whoever comes first has it. Nobody says “I'm on it”, managers "
        "do not call, nobody is called twice."
    )
    yield (
        "Whoever is put off duty for not answering is put on duty again when they would have "
        f"called. What nobody has called {length(GIVEN_UP_AFTER.total_seconds())} after the last "
        "lead came counts as never called."
    )
