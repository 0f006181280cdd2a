"""`leadline replan`: puts open leads under the policy in force.

A lead follows the version that it was captured under, whatever is published afterwards. When that
version was a mistake, or a holiday was forgotten, this moves the leads that are still open.
"""

import getpass
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from infra.cli import deployment
from infra.cli.commands import Commands, lines
from infra.cli.deployment import OperatorError
from shared.adapters.lead_table import LeadTable
from shared.adapters.policy_store import PolicyStore
from shared.domain.actions import replan
from shared.domain.clocks import Terms
from shared.domain.lead import Lead
from shared.domain.policy import Policy
from shared.races import on_latest_lead


def add_commands(areas: Commands) -> None:
    command = areas.add_parser("replan", help="put open leads under the policy in force")
    command.add_argument("--team", help="one team only; else every team that a form names")
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
    found = [
        lead
        for lead in _open_leads(options, leads, policy)
        if lead.policy_version != policy.version and options.form in (None, lead.form_id)
    ]
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
    print(lines(rows) if found else f"all open leads follow version {policy.version}")
    if found and options.dry_run:
        print("Nothing was changed.")
    return 0


def _open_leads(options: Namespace, leads: LeadTable, policy: Policy) -> list[Lead]:
    if options.lead:
        lead = leads.lead(options.lead)
        if lead is None or lead.status == "closed":
            raise OperatorError(f"there is no open lead {options.lead}")
        return [lead]
    teams = [options.team] if options.team else sorted({form.team for form in policy.forms})
    return [
        lead
        for team in teams
        for lead in leads.open_leads(team, [None, *(rep.rep_id for rep in leads.people(team))])
    ]


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
            leads.record(lead, change, actor=f"operator {getpass.getuser()}", at=now)

    on_latest_lead(lead_id, leads, record, pause)
