"""What the tests of the follow-up stand on."""

import pytest

from shared.adapters.dynamodb import Table
from tests.unit.domain.samples import BORIS, MARIA, a_rep
from tests.unit.follow_up_flow.flow import ANNAS_PHONE, Flow, flow_on
from tests.unit.functions.fakes import FakeSender


@pytest.fixture
def flow(table: Table) -> Flow:
    """A lead of the sample team, whose first rep reads Russian."""
    return flow_on(
        table, (a_rep("anna", phone=ANNAS_PHONE, locale="ru"), BORIS, MARIA), FakeSender()
    )
