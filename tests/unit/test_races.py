"""What whoever comes second does: reads again, with a longer pause each time."""

import pytest

from shared.domain.lead import Lead
from shared.errors import LeadChangedError
from shared.races import on_latest_lead
from tests.unit.domain.samples import a_lead


class Leads:
    """A lead that somebody else writes whenever it is read."""

    def __init__(self) -> None:
        self.reads = 0

    def lead(self, lead_id: str) -> Lead | None:
        self.reads += 1
        return a_lead(lead_id=lead_id, version=self.reads)


def test_each_try_has_the_lead_as_it_is_by_then() -> None:
    def third_time_lucky(lead: Lead | None) -> int:
        assert lead is not None
        if lead.version < 3:
            raise LeadChangedError(lead.lead_id)
        return lead.version

    pauses: list[float] = []

    assert on_latest_lead("a" * 32, Leads(), third_time_lucky, pauses.append) == 3
    assert len(pauses) == 2


def test_the_pauses_grow_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def always_second(_: Lead | None) -> None:
        raise LeadChangedError("a" * 32)

    monkeypatch.setattr("random.uniform", lambda _, most: most)
    pauses: list[float] = []
    leads = Leads()

    with pytest.raises(LeadChangedError):
        on_latest_lead("a" * 32, leads, always_second, pauses.append, tries=4, pause_seconds=0.02)

    assert leads.reads == 4
    assert pauses == [0.02, 0.04, 0.08]
