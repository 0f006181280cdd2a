"""`leadline leads`: how the leads stand, the whole story of one, and what somebody did about it.

The list is masked, and so is what `act` prints; `show` has what people typed. Times are in UTC.
"""

import json
import secrets
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple, get_args

from infra.cli import deployment
from infra.cli.commands import Commands, lines, operator
from infra.cli.deployment import OperatorError
from infra.cli.intake import masked
from infra.cli.lead_story import as_data, as_text, known_of
from infra.cli.replan import every_team
from infra.cli.republish import moment
from infra.cli.roster import Who, read_who
from shared.acting import Actor, act_on_latest, readable_terms
from shared.adapters.lead_table import LeadTable
from shared.adapters.people_table import PeopleTable
from shared.adapters.policy_store import PolicyStore
from shared.domain.actions import LOSS_REASONS, REJECTION_REASONS, ActionName
from shared.domain.instants import iso
from shared.domain.lead import Lead
from shared.domain.roster import Rep, Roster
from shared.domain.typed_action import CURRENCIES, read_action
from shared.domain.waiting import Listed, listed, urgency
from shared.errors import IllegalActionError, UnknownLinkError
from shared.texts import LOCALES, figures, origin, words
from shared.texts.clocks import Reader
from shared.texts.plain import one_line
from shared.texts.refusals import refusal
from shared.texts.whole_story import whole_story

DAYS = 7
"""How far back closed leads are looked for, when nothing is said."""
DAYS_AT_MOST = 400
NEEDED_BY: Mapping[ActionName, tuple[str, ...]] = {
    "snooze": ("until",),
    "hand_over": ("to_rep_id",),
    "reject": ("reason",),
    "win": ("amount", "currency"),
    "lose": ("reason",),
}
"""The options that belong to an action; `--note` belongs to each."""
OPTIONS = {
    "until": "--until",
    "to_rep_id": "--to",
    "reason": "--reason",
    "amount": "--amount",
    "currency": "--currency",
}


class Desk(NamedTuple):
    """What a command works with."""

    leads: LeadTable
    people: PeopleTable
    policies: PolicyStore
    now: datetime

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)


# --- the commands --------------------------------------------------------------------------------


def add_commands(areas: Commands) -> None:
    area = areas.add_parser("leads", help="the leads: list them, read a whole story, act")
    commands = area.add_subparsers(required=True, metavar="COMMAND")

    listing = commands.add_parser(
        "list",
        help="leads by urgency, masked",
        description="Open leads, the most urgent first; closed ones behind them, the newest first. "
        "WAITS is the time since a lead came or, where somebody has called and the next call is "
        "awaited by now, since that was to be made; OPEN is the part of it in opening hours. "
        "Open leads are found by their owners, closed ones by the day on which they came. Tests "
        "are listed for a team or form that is named.",
    )
    listing.add_argument("--team", help="one team only; else every team that any version names")
    listing.add_argument("--form", help="of one form only")
    owner = listing.add_mutually_exclusive_group()
    owner.add_argument("--rep", type=read_who, metavar="TEAM/REP_ID", help="what somebody has")
    owner.add_argument("--nobody", action="store_true", help="what nobody has")
    listing.add_argument(
        "--status", choices=("open", "closed", "all"), default="open", help="which (open)"
    )
    listing.add_argument(
        "--since",
        type=_since,
        metavar="TIME",
        help=f"that came since: 2026-11-20, or 2026-11-20T09:00Z; of closed ones {DAYS} days",
    )
    listing.set_defaults(run=run_list)

    show = commands.add_parser(
        "show",
        help="everything that is known of one, with personal data",
        description="What was sent, where it came from, the clocks, what happened, who was told.",
    )
    show.add_argument("--locale", choices=LOCALES, default=LOCALES[0], help="the language (en)")
    show.set_defaults(run=run_show)

    act = commands.add_parser(
        "act",
        help="record what somebody did about one",
        description="Records what the rep's page records, by the same rules, in somebody's name. "
        "The story says that you recorded it. Whoever acts owns the lead. Exit status 1: refused, "
        "and nothing was changed.",
        epilog=f"Reasons to reject: {', '.join(REJECTION_REASONS)}. "
        f"Reasons to lose: {', '.join(LOSS_REASONS)}.",
    )
    act.set_defaults(run=run_act)
    for command in (show, act):
        command.add_argument("lead_id", metavar="LEAD_ID", help="as the list has it")
    _add_deed(act)
    for command in (listing, show, act):
        command.add_argument("--json", action="store_true", help="for a program to read")
        deployment.add_stack(command)


def _add_deed(act: ArgumentParser) -> None:
    say = act.add_argument
    say(
        "action",
        choices=get_args(ActionName),
        metavar="ACTION",
        help=" ".join(get_args(ActionName)),
    )
    say("--as", dest="who", type=read_who, required=True, metavar="TEAM/REP_ID", help="who did it")
    say("--until", metavar="2026-12-24T10:00", help="snooze: when to call, by the rep's clock")
    say("--to", dest="to_rep_id", metavar="REP_ID", help="hand_over: a colleague of the same team")
    say("--reason", metavar="CODE", help="reject, lose: one of those below")
    say("--amount", metavar="1200.50", help="win: how much")
    say("--currency", metavar="EUR", help=f"win: {' '.join(CURRENCIES)}")
    say("--note", metavar="TEXT", help="what else to say; - reads it from stdin")
    say("--by", help="who records it (you)")


def _since(text: str) -> datetime:
    """A moment, or the beginning of a day in UTC."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return moment(text)
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _desk(options: Namespace) -> Desk:
    table = deployment.find(options.stack).table
    return Desk(LeadTable(table), PeopleTable(table), PolicyStore(table), datetime.now(UTC))


# --- the list ------------------------------------------------------------------------------------


def run_list(options: Namespace) -> int:
    desk = _desk(options)
    found = [
        listed(lead, readable_terms(lead, desk.policies), desk.now)
        for lead in _found(desk, options)
    ]
    is_open = [one for one in found if one.lead.status == "open"]
    closed = [one for one in found if one.lead.status == "closed"]
    rows = sorted(is_open, key=urgency)
    rows += sorted(closed, key=lambda one: one.lead.received_at, reverse=True)
    if options.json:
        _print_json([_summary(one, desk.now) for one in rows])
    elif rows:
        head = ("STATE", "WAITS", "OPEN", "OWNER", "FORM", "CHANNEL", "WHO", "LEAD")
        print(lines([head, *(_row(one, desk.now) for one in rows)]))
    else:
        print("there are no such leads")
    return 0


def _found(desk: Desk, options: Namespace) -> Iterator[Lead]:
    """The leads that the options name. Only open ones are known by their owner."""
    team = options.rep.team if options.rep else options.team
    if options.rep and options.team not in (None, team):
        raise OperatorError(f"{options.rep} is not of team {options.team}")
    sought = _open_leads if options.status == "open" else _captured
    for lead in sought(desk, options, team):
        owner = Who(lead.team, lead.rep_id or "")
        if (
            team in (None, lead.team)
            and options.form in (None, lead.form_id)
            and options.rep in (None, owner)
            and not (options.nobody and lead.rep_id)
            and options.status in ("all", lead.status)
            and (options.since is None or lead.received_at >= options.since)
            and (not lead.is_test or options.team or options.form)
        ):
            yield lead


def _open_leads(desk: Desk, options: Namespace, team: str | None) -> Iterator[Lead]:
    for name in [team] if team else every_team(desk.policies):
        rep_ids: list[str | None] = [None]
        if options.rep:
            rep_ids = [options.rep.rep_id]
        elif not options.nobody:
            rep_ids += [rep.rep_id for rep in desk.people.of_team(name)]
        yield from desk.leads.open_leads(name, rep_ids)


def _captured(desk: Desk, options: Namespace, team: str | None) -> Iterator[Lead]:  # noqa: ARG001 - as `_open_leads`
    since = options.since or desk.now - timedelta(days=DAYS)
    if desk.now - since > timedelta(days=DAYS_AT_MOST):
        raise OperatorError(f"closed leads are looked for {DAYS_AT_MOST} days back at most")
    day = since.date()
    while day <= desk.now.date():
        yield from desk.leads.captured_on(day.isoformat())
        day += timedelta(days=1)


def _row(one: Listed, now: datetime) -> tuple[str, ...]:
    lead = one.lead
    state = words.state(lead, "en").text
    wall = business = "-"
    if lead.status == "open":
        state += ", late" if one.stage == "late" else ""
        wall = figures.span(now - one.since, "en")
        if one.business_seconds is not None:
            business = figures.span(timedelta(seconds=one.business_seconds), "en")
    owner = f"{lead.team}/{lead.rep_id or '-'}"
    who = one_line(masked(lead))
    channel = origin.channel_of(lead, "en") or origin.source_of(lead, "en")
    return state, wall, business, owner, lead.form_id, channel, who, lead.lead_id


def _summary(one: Listed, now: datetime) -> dict[str, Any]:
    """A row as data; the clocks of a closed lead stand in its story."""
    lead = one.lead
    is_open = lead.status == "open"
    return {
        **lead.model_dump(
            mode="json",
            include={"lead_id", "status", "outcome", "reason", "team", "rep_id", "form_id"}
            | {"channel", "verdict", "received_at"},
        ),
        "state": words.state(lead, "en").text,
        "stage": one.stage if is_open else None,
        "call_by": one.call_by if lead.awaits_attempt else None,
        "wall_seconds": (now - one.since).total_seconds() if is_open else None,
        "business_seconds": one.business_seconds if is_open else None,
        "who": one_line(masked(lead)),
    }


# --- a story -------------------------------------------------------------------------------------


def run_show(options: Namespace) -> int:
    desk = _desk(options)
    known = known_of(options.lead_id, desk.leads, desk.people, desk.policies)
    if known is None:
        raise OperatorError(f"there is no lead {options.lead_id}")
    story = whole_story(known, Reader("UTC", desk.now, options.locale))
    if options.json:
        _print_json(as_data(known, story, desk.now))
    else:
        print("This is what somebody typed: personal data. Times are in UTC.\n")
        print("\n".join(as_text(story)))
    return 0


def _print_json(data: object) -> None:
    print(json.dumps(data, ensure_ascii=False, indent=2, default=_plain))


def _plain(value: object) -> str:
    """What JSON has no word for: moments."""
    if isinstance(value, datetime):
        return iso(value)
    raise TypeError(f"{type(value).__name__} is no JSON")


# --- acting --------------------------------------------------------------------------------------


def run_act(options: Namespace) -> int:
    _refuse_strays(options)
    desk = _desk(options)
    who: Who = options.who
    roster = Roster(desk.people.of_team(who.team), desk.now)
    rep = roster.active(who.rep_id)
    if rep is None:
        raise OperatorError(f"{who} is not entered, or not active: `leadline roster list`")
    actor = Actor(
        rep.rep_id,
        operator(options.by),
        sees=lambda lead: lead.team == who.team,
        has_answered=False,
    )
    try:
        action = read_action(_typed(options), rep.zone, roster)
        lead, is_new = act_on_latest(options.lead_id, action, actor, desk, desk.now)
    except IllegalActionError as error:
        hint = _hint(error.reason, options.action, rep, roster.people.values())
        raise OperatorError(f"{refusal(error.reason, 'en')}{hint}") from None
    except UnknownLinkError:
        raise OperatorError(f"team {who.team} has no lead {options.lead_id}") from None
    if options.json:
        one = listed(lead, readable_terms(lead, desk.policies), desk.now)
        _print_json({**_summary(one, desk.now), "recorded": is_new})
    else:
        did = "recorded" if is_new else "known already, nothing changed"
        owner = f"{lead.team}/{lead.rep_id}" if lead.rep_id else "nobody"
        print(f"{lead.lead_id}: {did}; {words.state(lead, 'en').text}, in the hands of {owner}")
    return 0


def _refuse_strays(options: Namespace) -> None:
    """What would be left out in silence is a misunderstanding."""
    wanted = NEEDED_BY.get(options.action, ())
    strays = [
        flag for name, flag in OPTIONS.items() if getattr(options, name) and name not in wanted
    ]
    if strays:
        raise OperatorError(f"{options.action} has no {', '.join(strays)}")


def _typed(options: Namespace) -> dict[str, str]:
    """What the rep's page would have posted."""
    note = options.note or ""
    typed = {name: getattr(options, name) or "" for name in OPTIONS}
    return {
        **typed,
        "currency": typed["currency"].upper(),
        "action": options.action,
        "action_id": secrets.token_hex(16),
        "note": sys.stdin.read() if note == "-" else note,
    }


def _hint(reason: str, action: ActionName, rep: Rep, people: Iterable[Rep]) -> str:
    """How that is said here."""
    match reason:
        case "reason_needed":
            codes = REJECTION_REASONS if action == "reject" else LOSS_REASONS
            return f" --reason {', '.join(codes)}"
        case "time_needed":
            return f" --until 2026-12-24T10:00, by the clock of {rep.zone}"
        case "person_needed":
            others = [one.rep_id for one in people if one.active and one.rep_id != rep.rep_id]
            return f" --to {', '.join(others)}"
        case "currency_needed":
            return f" --currency {', '.join(CURRENCIES)}"
        case "amount_needed":
            return " --amount"
        case "note_needed" | "note_too_long":
            return " --note"
        case _:
            return ""
