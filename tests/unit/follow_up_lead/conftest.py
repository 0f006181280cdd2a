"""What the tests of the rep's side stand on."""

import pytest

from follow_up_lead import handler
from shared.adapters.dynamodb import Table
from tests.unit.follow_up_lead.site import Site


@pytest.fixture
def site(table: Table, monkeypatch: pytest.MonkeyPatch) -> Site:
    site = Site(table)
    monkeypatch.setattr(handler, "parts", lambda: site.parts)
    return site
