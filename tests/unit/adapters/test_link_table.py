"""Links in the table."""

import pytest

from shared.adapters.dynamodb import Table
from shared.adapters.link_table import Link, LinkTable
from shared.errors import UnknownLinkError
from tests.unit.domain.samples import at

LINK = Link(
    kind="lead",
    team="sales",
    rep_id="anna",
    lead_id="a" * 32,
    expires_at=int(at(86400).timestamp()),
)


@pytest.fixture
def links(table: Table) -> LinkTable:
    return LinkTable(table)


def test_a_wrong_and_an_expired_code_look_the_same(links: LinkTable, table: Table) -> None:
    code = links.make_link(LINK)

    assert len(code) == 12
    assert code.isalnum()
    for wrong, moment in (("A" * 12, at(0)), (code, at(86400)), (code.swapcase(), at(0))):
        with pytest.raises(UnknownLinkError, match="unknown link"):
            links.link(wrong, moment)
    items = table.dynamodb.scan(TableName="leads")["Items"]
    assert code not in str(items), "whoever reads the table cannot open a lead"
