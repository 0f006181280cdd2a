"""Whether people stand behind the policy: what would leave a lead without anybody to call.

Policy and people change apart from each other, and each can take away what the other counts on: a
skill that a rule asks for, the calendar of a shift, the only one who is there on Saturdays.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import product
from typing import NamedTuple, get_args
from zoneinfo import ZoneInfo

from shared.domain.attribution import CHANNELS
from shared.domain.calendar import Calendar
from shared.domain.events import Via
from shared.domain.form import Form, Locale
from shared.domain.policy import Policy
from shared.domain.roster import Rep
from shared.domain.routing import Facts, Routing, Rule

LOOK_AHEAD = timedelta(days=14)
MOST_STRETCHES = 3
MOST_NAMED = 3
MOST_GAPS = 5
"""What is longer is cut, and counted: who reads a list of every night reads none of it."""

Stretch = tuple[datetime, datetime]


class Coverage(NamedTuple):
    """What people and policy lack of each other, in sentences without a full stop."""

    problems: tuple[str, ...]
    """A lead would reach nobody, or a rule asks in vain."""
    notes: tuple[str, ...]
    """When nobody will be there, and which rules are always passed over."""
    unstaffed: tuple[str, ...]
    """Teams of forms in which nobody is entered. That may be right: policy comes first."""


def coverage(policy: Policy, people: Iterable[Rep], now: datetime) -> Coverage:
    """What of this policy these people do not cover, at present and in the next 14 days."""
    teams: dict[str, list[Rep]] = {}
    for rep in people:
        teams.setdefault(rep.team, []).append(rep)
    forms = [form for form in policy.forms if not form.is_test]
    wanted = sorted({form.team for form in forms})
    staffed = [form for form in forms if any(map(may_be_given, teams.get(form.team, ())))]
    everyone = [rep for team in teams.values() for rep in team]
    in_vain = [*_asked_in_vain(policy, staffed, teams)]
    return Coverage(
        problems=(
            *(
                problem
                for team in wanted
                if team in teams
                for problem in _of_team(team, teams[team])
            ),
            *_unknown_shifts(policy, everyone),
            *dict.fromkeys(_out_of_reach(policy, [f for f in forms if f.team in teams], teams)),
            *dict.fromkeys(says for is_problem, says in in_vain if is_problem),
        ),
        notes=(
            *dict.fromkeys(says for is_problem, says in in_vain if not is_problem),
            *_gaps(policy, staffed, teams, now),
        ),
        unstaffed=tuple(team for team in wanted if team not in teams),
    )


def may_be_given(rep: Rep) -> bool:
    """Whether somebody can be given leads, whatever their switch, shift and absences say today."""
    return rep.active and rep.role == "rep" and rep.reachable


def _of_team(team: str, people: Sequence[Rep]) -> Iterator[str]:
    if not any(map(may_be_given, people)):
        yield f"team {team}: nobody can be given a lead"
    if not any(rep.active and rep.role == "manager" and rep.reachable for rep in people):
        yield f"team {team}: no manager can be reached, so nobody learns of a lead without a call"


def _unknown_shifts(policy: Policy, people: Iterable[Rep]) -> Iterator[str]:
    for rep in people:
        if rep.active and rep.calendar and f"calendar/{rep.calendar}" not in policy.names:
            yield f"{rep.team}/{rep.rep_id}: calendar/{rep.calendar} does not exist"


# --- channels ------------------------------------------------------------------------------------


def _out_of_reach(
    policy: Policy, forms: Iterable[Form], teams: dict[str, list[Rep]]
) -> Iterator[str]:
    """Whom a chain alerts only through channels that they do not have: a rep to whom it may give a
    lead, or all managers of a team.
    """
    for form in forms:
        people = teams[form.team]
        managers = [rep for rep in people if rep.active and rep.role == "manager" and rep.reachable]
        for name, reps in _chains(policy, form, [*filter(may_be_given, people)]).items():
            chain = policy.chain(name)
            for rep in reps:
                if _misses(rep, chain.owner_via):
                    what = f"{rep.team}/{rep.rep_id}: no alert of a new lead arrives"
                    yield f"{what}: chain/{name} sends it by {chain.owner_via[0]} only"
            if managers and all(_misses(rep, chain.manager_via) for rep in managers):
                what = f"team {form.team}: no alert to a manager arrives"
                yield f"{what}: chain/{name} sends it by {chain.manager_via[0]} only"


def _misses(rep: Rep, channels: Sequence[Via]) -> bool:
    """Whether what goes out through these channels passes somebody by who has another one."""
    return bool(channels) and not any(map(rep.reachable_by, channels))


def _chains(policy: Policy, form: Form, able: Sequence[Rep]) -> dict[str, list[Rep]]:
    """The chains that leads of the form may follow, and who of these could be given one then.

    A rule for the previous owner could give it to anybody.
    """
    routing = policy.routing(form)
    rules: dict[str, set[Rule]] = {}
    for facts in _facts(routing, form):
        name = routing.chain(facts) or form.chain
        rules.setdefault(name, set()).update(routing.matching(facts))
    return {
        name: [rep for rep in able if any(rule.pool([rep]) for rule in rules[name])]
        for name in rules
    }


# --- rules ---------------------------------------------------------------------------------------


def _facts(routing: Routing, form: Form) -> Iterator[Facts]:
    """All that may be known of the form's leads, as far as the rules tell it apart."""
    countries = sorted({country for rule in routing.rules for country in rule.countries})
    for channel, language, country in product(
        sorted(CHANNELS), get_args(Locale), [*countries, None]
    ):
        yield Facts(form.form_id, channel, language, country)


def _ways(routing: Routing, form: Form) -> Iterator[tuple[Rule, ...]]:
    """The rules that some lead of the form comes to, one way each: those with a pool, in order.

    The last one of a way is the one that tells the manager.
    """
    yield from dict.fromkeys(
        tuple(rule for rule in routing.matching(facts) if rule.is_of_a_pool)
        for facts in _facts(routing, form)
    )


def _asked_in_vain(
    policy: Policy, forms: Iterable[Form], teams: dict[str, list[Rep]]
) -> Iterator[tuple[bool, str]]:
    """Skills that nobody has, and whether that is a problem: it is where the rule does not go on.

    Also behind a rule that has people: what asks in vain was misspelt, or its people have left.
    """
    for form in forms:
        able = [*filter(may_be_given, teams[form.team])]
        for rule in dict.fromkeys(
            rule for way in _ways(policy.routing(form), form) for rule in way
        ):
            if rule.pool(able):
                continue
            says = f"nobody of team {form.team} who can be given a lead has the skill {rule.skill}"
            goes_on = rule.when_empty == "next_rule"
            ends = ", so it is always passed over" if goes_on else ""
            yield not goes_on, f"routing/{form.routing}: {rule.rule}: {says}{ends}"


# --- hours ---------------------------------------------------------------------------------------


def _gaps(
    policy: Policy, forms: Iterable[Form], teams: dict[str, list[Rep]], now: datetime
) -> Iterator[str]:
    """When a form's calendar is open and nobody is there whom its rules could give a lead.

    Forms of one team, one calendar and the same people are told of together.
    """
    together: dict[tuple[str, str, str, tuple[Rep, ...]], dict[str, None]] = {}
    for form in forms:
        able = [*filter(may_be_given, teams[form.team])]
        for way in _ways(policy.routing(form), form):
            if way[-1].pool(able):
                pool = tuple(rep for rep in able if any(rule.pool([rep]) for rule in way))
                last = len(way) - 1 if len(way[-1].pool(able)) == len(pool) else 0
                names = " or ".join(f"`{rule.rule}`" for rule in way[last:])
                key = (form.team, form.calendar, names, pool)
                together.setdefault(key, {})[f"form/{form.form_id}"] = None
    found = []
    for (_, calendar_name, names, pool), ids in together.items():
        calendar = policy.calendar(calendar_name)
        gaps = unattended(calendar, pool, policy.shift, now)
        if not gaps:
            continue
        when = _listed([stretch(*gap, ZoneInfo(calendar.zone)) for gap in gaps], MOST_STRETCHES)
        when = f"{when} ({calendar.zone})"
        if gaps == joined(_open(calendar, now)):
            when = f"at any time of the next {LOOK_AHEAD.days} days"
        who = f"{_listed([*ids], MOST_NAMED)}: nobody of {names}"
        found.append(f"{who} is there {when}: the manager will be told at once")
    yield from found[:MOST_GAPS]
    if len(found) > MOST_GAPS:
        yield f"{len(found) - MOST_GAPS} more forms and rules have hours with nobody there"


def unattended(
    calendar: Calendar,
    pool: Iterable[Rep],
    shift: Callable[[Rep], Calendar | None],
    now: datetime,
) -> list[Stretch]:
    """When a calendar is open in the next 14 days and none of these people is there."""
    gaps = _open(calendar, now)
    for rep in pool:
        if rep.takes_leads:
            away = [(absence.since, absence.until) for absence in rep.absences]
            gaps = _without(gaps, _without(_open(shift(rep), now), away))
    return joined(gaps)


def _open(calendar: Calendar | None, now: datetime) -> list[Stretch]:
    """The open stretches of the time looked at; all of it without a calendar."""
    end = now + LOOK_AHEAD
    if calendar is None or calendar.always:
        return [(now, end)]
    found = []
    for since, until in calendar.windows(now):
        if since >= end:
            break
        found.append((since, min(until, end)))
    return found


def _without(stretches: Iterable[Stretch], taken: Iterable[Stretch]) -> list[Stretch]:
    """What is left of some stretches beside others."""
    left = [*stretches]
    for since, until in taken:
        left = [
            (begins, ends)
            for whole_since, whole_until in left
            for begins, ends in (
                (whole_since, min(whole_until, since)),
                (max(whole_since, until), whole_until),
            )
            if begins < ends
        ]
    return left


def joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The same time in as few stretches as possible, in order."""
    found: list[Stretch] = []
    for since, until in sorted(stretches):
        if found and since <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], until))
        else:
            found.append((since, until))
    return found


# --- words ---------------------------------------------------------------------------------------


def moment(at: datetime, zone: ZoneInfo) -> str:
    """`Sat 28 Nov 10:00`."""
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %H:%M}"


def stretch(since: datetime, until: datetime, zone: ZoneInfo) -> str:
    """`Sat 28 Nov 10:00-24:00`, or `Fri 27 Nov 18:00 - Mon 30 Nov 09:00`."""
    ends = until.astimezone(zone)
    last, clock = ends.date(), f"{ends:%H:%M}"
    if clock == "00:00":
        last, clock = last - timedelta(days=1), "24:00"
    if last == since.astimezone(zone).date():
        return f"{moment(since, zone)}-{clock}"
    return f"{moment(since, zone)} - {last:%a} {last.day} {last:%b} {clock}"


def _listed(parts: Sequence[str], most: int) -> str:
    more = f" and {len(parts) - most} more" if len(parts) > most else ""
    return f"{', '.join(parts[:most])}{more}"
