"""`leadline replan`: puts open leads under the policy in force.

A lead follows the version that it was captured under, whatever is published afterwards. When that
version was a mistake, or a holiday was forgotten, this moves the leads that are still open.
"""

import time
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from infra.cli import deployment
from infra.cli.commands import Commands, lines, operator
from infra.cli.deployment import OperatorError
from shared.adapters.lead_table import LeadTable
from shared.adapters.people_table import PeopleTable
from shared.adapters.policy_store import PolicyStore
from shared.domain.actions import replan
from shared.domain.clocks import Terms
from shared.domain.lead import Lead
from shared.domain.policy import Policy
from shared.races import on_latest_lead


def add_commands(areas: Commands) -> None:
    command = areas.add_parser("replan", help="put open leads under the policy in force")
    command.add_argument(
        "--team", help="one team only; else every team that a form of any version names"
    )
    command.add_argument("--form", help="leads of one form only")
    command.add_argument("--lead", help="one lead only, by its id")
    command.add_argument(
        "--version", type=int, help="another version than the one in force, such as the last one"
    )
    command.add_argument("--dry-run", action="store_true", help="say which, and change nothing")
    deployment.add_stack(command)
    command.set_defaults(run=run)


def run(options: Namespace) -> int:
    stack = deployment.find(options.stack)
    leads, policies = LeadTable(stack.table), PolicyStore(stack.table)
    policy = policies.version(options.version) if options.version else policies.current()
    seen = _open_leads(options, leads, PeopleTable(stack.table), policies)
    found = [lead for lead in seen if lead.policy_version != policy.version]
    if missing := sorted({lead.form_id for lead in found if policy.form(lead.form_id) is None}):
        raise OperatorError(
            f"version {policy.version} has no form {', '.join(missing)}, and open leads of it: "
            "name the forms to move with --form"
        )
    if not options.dry_run:
        for lead in found:
            move(lead.lead_id, leads, policies, policy, datetime.now(UTC))
    of_versions = Counter((lead.form_id, lead.policy_version) for lead in found)
    rows = [("FORM", "FROM", "TO", "LEADS")]
    rows += [
        (form_id, str(former), str(policy.version), str(count))
        for (form_id, former), count in sorted(of_versions.items())
    ]
    print(lines(rows) if found else _nothing_to_move(options, seen, policy.version))
    if found and options.dry_run:
        print("Nothing was changed.")
    return 0


def _open_leads(
    options: Namespace, leads: LeadTable, people: PeopleTable, policies: PolicyStore
) -> list[Lead]:
    """The open leads that the options name, whatever version they follow."""
    if options.lead:
        one = leads.lead(options.lead)
        if one is None or one.status == "closed" or not _is_named(one, options):
            raise OperatorError(f"there is no open lead {options.lead}{_of(options)}")
        return [one]
    return [
        lead
        for team in ([options.team] if options.team else every_team(policies))
        for lead in leads.open_leads(team, [None, *(rep.rep_id for rep in people.of_team(team))])
        if _is_named(lead, options)
    ]


def _is_named(lead: Lead, options: Namespace) -> bool:
    return options.team in (None, lead.team) and options.form in (None, lead.form_id)


def every_team(policies: PolicyStore) -> list[str]:
    """Every team that a form of any version names: leads outlive the team in the policy."""
    versions = map(policies.version, range(1, policies.current().version + 1))
    return sorted({form.team for version in versions for form in version.forms})


def _nothing_to_move(options: Namespace, seen: Sequence[Lead], version: int) -> str:
    """That there is nothing to do, said of those leads only that were looked at."""
    if options.lead:
        return f"lead {options.lead} follows version {version}"
    which = f"open leads{_of(options)}"
    return f"all {which} follow version {version}" if seen else f"there are no {which}"


def _of(options: Namespace) -> str:
    """What narrowed the search: ` of team sales and form demo-en`."""
    named = (("team", options.team), ("form", options.form))
    of = " and ".join(f"{kind} {name}" for kind, name in named if name)
    return f" of {of}" if of else ""


def move(
    lead_id: str,
    leads: LeadTable,
    policies: PolicyStore,
    policy: Policy,
    now: datetime,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Puts one lead under a version, if it is open and under another one.

    Its event wakes the planner, which sees what is due by the new version.
    """

    def record(lead: Lead | None) -> None:
        if lead is None:
            return
        former = Terms.of(policies.version(lead.policy_version), lead)
        change = replan(lead, former, Terms.of(policy, lead), now)
        if change is not None:
            leads.record(lead, change, actor=operator(), at=now)

    on_latest_lead(lead_id, leads, record, pause)
