"""People and rotations in the table: what moves by itself is not overwritten."""

import pytest

from shared.adapters import keys
from shared.adapters.dynamodb import Table
from shared.adapters.lead_table import CAPTURE_TRIES, LeadTable
from shared.domain.roster import Rep
from shared.domain.routing import Rotation
from shared.errors import StorageUnavailableError
from tests.unit.domain.samples import ANNA, BORIS, RECEIVED

AWAY = [{"since": "2026-12-24T00:00:00Z", "until": "2026-12-27T00:00:00Z"}]


@pytest.fixture
def leads(table: Table, monkeypatch: pytest.MonkeyPatch) -> LeadTable:
    monkeypatch.setattr("time.sleep", lambda _: None)
    return LeadTable(table)


def heavier(rep: Rep | None) -> Rep:
    assert rep is not None
    return rep.model_copy(update={"weight": rep.weight + 1})


def test_a_stranger_is_entered(leads: LeadTable) -> None:
    asked: list[Rep | None] = []

    def enter(known: Rep | None) -> Rep:
        asked.append(known)
        return ANNA

    assert leads.change_rep("sales", "anna", enter) == ANNA
    assert asked == [None]
    assert leads.people("sales") == [ANNA]


@pytest.mark.parametrize("meanwhile", [{"missed_pages": 1}, {"on_duty": False}, {"absences": AWAY}])
def test_what_moves_meanwhile_is_not_overwritten(
    leads: LeadTable, meanwhile: dict[str, object]
) -> None:
    leads.put_rep(ANNA)
    moved = Rep.model_validate({**ANNA.model_dump(), **meanwhile})
    moves = [moved]

    def change(rep: Rep | None) -> Rep:
        if moves:
            leads.put_rep(moves.pop())
        return heavier(rep)

    leads.change_rep("sales", "anna", change)

    assert leads.people("sales") == [moved.model_copy(update={"weight": 2})]


def test_two_who_enter_one_person_at_once_both_see_it(leads: LeadTable) -> None:
    def enter(known: Rep | None) -> Rep:
        if known is None:
            leads.put_rep(ANNA)
            return BORIS.model_copy(update={"rep_id": "anna"})
        return heavier(known)

    assert leads.change_rep("sales", "anna", enter) == heavier(ANNA)


def test_somebody_entered_before_there_were_absences_can_be_changed(
    leads: LeadTable, table: Table
) -> None:
    old = ANNA.model_dump(exclude={"absences", "missed_pages", "on_duty"})
    table.transact([table.put({**keys.rep("sales", "anna"), **old})])

    assert leads.change_rep("sales", "anna", heavier).weight == 2
    assert leads.change_rep("sales", "anna", heavier).weight == 3


def test_a_person_who_never_stands_still_is_trouble_of_the_table(leads: LeadTable) -> None:
    leads.put_rep(ANNA)
    tries: list[int] = []

    def change(rep: Rep | None) -> Rep:
        tries.append(1)
        leads.put_rep(ANNA.model_copy(update={"missed_pages": len(tries)}))
        return heavier(rep)

    with pytest.raises(StorageUnavailableError):
        leads.change_rep("sales", "anna", change)
    assert len(tries) == CAPTURE_TRIES


def test_a_rotation_is_read_as_it_was_left(leads: LeadTable) -> None:
    assert leads.rotation("sales") == Rotation()

    after = Rotation().after(ANNA, RECEIVED, "everybody")
    leads.take_turn("sales", lambda rotation: (None, rotation.after(ANNA, RECEIVED, "everybody")))

    assert leads.rotation("sales") == after
    assert leads.rotation("other") == Rotation()
