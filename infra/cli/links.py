"""`leadline links`: what alerts carry, and what opens nothing any more from now on."""

import re
from argparse import Namespace
from datetime import UTC, datetime

from infra.cli import deployment
from infra.cli.commands import Commands
from infra.cli.deployment import OperatorError
from infra.cli.roster import Who, read_who, stranger
from shared.adapters.link_table import LinkTable
from shared.adapters.people_table import PeopleTable
from shared.domain.roster import Rep

CODE = re.compile(r"(?:.*/[lr]/)?([A-Za-z0-9]{12})(?:[/?#].*)?")
"""A code, or the address that it stands in."""


def add_commands(areas: Commands) -> None:
    links = areas.add_parser("links", help="the links that people are sent")
    commands = links.add_subparsers(required=True, metavar="COMMAND")
    revoke = commands.add_parser(
        "revoke",
        help="end a person's links at once",
        description="Every link that the person was sent until now opens nothing any more: for a "
        "phone that was lost. They ask for a new one on the page /r, and alerts carry new ones.",
    )
    revoke.add_argument("who", type=read_who, metavar="TEAM/REP_ID", help="such as sales/anna")
    revoke.add_argument("--code", help="this one only: the code, or the address with it")
    revoke.set_defaults(run=run_revoke)
    deployment.add_stack(revoke)


def run_revoke(options: Namespace) -> int:
    table = deployment.find(options.stack).table
    person: Who = options.who
    if options.code is not None:
        found = CODE.fullmatch(options.code.strip())
        if found is None or not LinkTable(table).revoke_link(found[1], *person):
            raise OperatorError(f"{person} has no such link")
        print(f"{person}: this link opens nothing any more")
        return 0
    now = datetime.now(UTC)

    def change(rep: Rep | None) -> Rep:
        if rep is None:
            raise stranger(person)
        return rep.model_copy(update={"links_revoked_at": now})

    PeopleTable(table).change_rep(*person, change)
    print(f"{person}: no link that was sent until now opens anything; the page /r sends a new one")
    return 0
