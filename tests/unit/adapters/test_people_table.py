"""People and rotations in the table: what moves by itself is not overwritten."""

from datetime import date

import pytest

from shared.adapters import keys
from shared.adapters.dynamodb import Table
from shared.adapters.people_table import CHANGE_TRIES, PeopleTable
from shared.domain.roster import Rep, Roster
from shared.domain.routing import EVERYBODY, Chosen, Nobody, Rotation, choose
from shared.errors import StorageUnavailableError
from tests.unit.domain.samples import ANNA, BORIS, CLARA, MARIA, RECEIVED

TEAM = (ANNA, BORIS, CLARA)
AWAY = [{"since": "2026-12-24T00:00:00Z", "until": "2026-12-27T00:00:00Z"}]


@pytest.fixture
def people(table: Table, monkeypatch: pytest.MonkeyPatch) -> PeopleTable:
    monkeypatch.setattr("time.sleep", lambda _: None)
    return PeopleTable(table)


def heavier(rep: Rep | None) -> Rep:
    assert rep is not None
    return rep.model_copy(update={"weight": rep.weight + 1})


def test_a_stranger_is_entered(people: PeopleTable) -> None:
    asked: list[Rep | None] = []

    def enter(known: Rep | None) -> Rep:
        asked.append(known)
        return ANNA

    assert people.change_rep("sales", "anna", enter) == ANNA
    assert asked == [None]
    assert people.of_team("sales") == [ANNA]


@pytest.mark.parametrize("meanwhile", [{"missed_pages": 1}, {"on_duty": False}, {"absences": AWAY}])
def test_what_moves_meanwhile_is_not_overwritten(
    people: PeopleTable, meanwhile: dict[str, object]
) -> None:
    people.put_rep(ANNA)
    moved = Rep.model_validate({**ANNA.model_dump(), **meanwhile})
    moves = [moved]

    def change(rep: Rep | None) -> Rep:
        if moves:
            people.put_rep(moves.pop())
        return heavier(rep)

    people.change_rep("sales", "anna", change)

    assert people.of_team("sales") == [moved.model_copy(update={"weight": 2})]


def test_two_who_enter_one_person_at_once_both_see_it(people: PeopleTable) -> None:
    def enter(known: Rep | None) -> Rep:
        if known is None:
            people.put_rep(ANNA)
            return BORIS.model_copy(update={"rep_id": "anna"})
        return heavier(known)

    assert people.change_rep("sales", "anna", enter) == heavier(ANNA)


def test_somebody_entered_before_there_were_absences_can_be_changed(
    people: PeopleTable, table: Table
) -> None:
    old = ANNA.model_dump(exclude={"absences", "missed_pages", "on_duty"})
    table.transact([table.put({**keys.rep("sales", "anna"), **old})])

    assert people.change_rep("sales", "anna", heavier).weight == 2
    assert people.change_rep("sales", "anna", heavier).weight == 3


def test_a_person_who_never_stands_still_is_trouble_of_the_table(people: PeopleTable) -> None:
    people.put_rep(ANNA)
    tries: list[int] = []

    def change(rep: Rep | None) -> Rep:
        tries.append(1)
        people.put_rep(ANNA.model_copy(update={"missed_pages": len(tries)}))
        return heavier(rep)

    with pytest.raises(StorageUnavailableError):
        people.change_rep("sales", "anna", change)
    assert len(tries) == CHANGE_TRIES


def test_people_are_those_of_their_team(people: PeopleTable) -> None:
    for rep in (MARIA, BORIS, ANNA):
        people.put_rep(rep)

    assert people.of_team("sales") == [ANNA, BORIS, MARIA]
    assert people.of_team("other") == []


def test_the_day_on_which_managers_were_told_is_that_of_their_team(people: PeopleTable) -> None:
    assert people.channels_told_on("sales") is None

    people.note_channels_told("sales", date(2026, 11, 20))
    people.note_channels_told("sales", date(2026, 11, 21))

    assert people.channels_told_on("sales") == date(2026, 11, 21)
    assert people.channels_told_on("other") is None


# --- turns ---------------------------------------------------------------------------------------


def next_one(rotation: Rotation) -> tuple[Chosen | Nobody, Rotation]:
    return choose(EVERYBODY.rules, Roster(TEAM, RECEIVED), rotation)


def take_turn(people: PeopleTable) -> str:
    chosen = people.take_turn("sales", next_one)
    assert isinstance(chosen, Chosen)
    return chosen.rep.rep_id


def test_turns_go_round_across_everybody_who_asks(table: Table) -> None:
    workers = [PeopleTable(table) for _ in range(2)]

    taken = [take_turn(workers[number % 2]) for number in range(6)]

    assert taken == ["anna", "boris", "clara"] * 2


def test_nobody_to_choose_moves_no_turn(people: PeopleTable, table: Table) -> None:
    def nobody(rotation: Rotation) -> tuple[Chosen | Nobody, Rotation]:
        return choose(EVERYBODY.rules, Roster((), RECEIVED), rotation)

    assert isinstance(people.take_turn("sales", nobody), Nobody)
    assert table.get(keys.rotation("sales")) is None


def test_a_lead_does_not_wait_for_a_rotation_that_never_stands_still(
    people: PeopleTable, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Table, "pause", lambda *_: None)
    calls = 0

    def somebody_is_faster(rotation: Rotation) -> tuple[Chosen | Nobody, Rotation]:
        nonlocal calls
        calls += 1
        item = {**keys.rotation("sales"), "version": rotation.version + 5}
        table.transact([table.put(item)])
        return next_one(rotation)

    chosen = people.take_turn("sales", somebody_is_faster)

    assert isinstance(chosen, Chosen)
    assert calls == 12


def test_turns_of_before_there_was_a_version_are_gone_on_from(
    people: PeopleTable, table: Table
) -> None:
    table.transact([table.put({**keys.rotation("sales"), "turn": 7})])

    assert [take_turn(people) for _ in range(3)] == ["anna", "boris", "clara"]


def test_a_rotation_is_read_as_it_was_left(people: PeopleTable) -> None:
    assert people.rotation("sales") == Rotation()

    after = Rotation().after(ANNA, RECEIVED, "everybody")
    people.take_turn("sales", lambda rotation: (None, rotation.after(ANNA, RECEIVED, "everybody")))

    assert people.rotation("sales") == after
    assert people.rotation("other") == Rotation()
