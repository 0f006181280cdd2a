"""The sample people."""

from infra.local.people import sample_people, seed
from shared.adapters.dynamodb import Table
from shared.adapters.people_table import PeopleTable


def test_there_are_three_reps_and_a_manager_who_can_be_reached() -> None:
    people = sample_people()

    assert [person.role for person in people].count("rep") == 3
    assert [person.role for person in people].count("manager") == 1
    assert all(person.phone and person.email and person.on_duty for person in people)


def test_what_was_changed_since_stays_changed(table: Table) -> None:
    people = PeopleTable(table)
    sample = sample_people()
    seed(people, sample)
    people.put_rep(sample[0].model_copy(update={"on_duty": False}))

    seed(people, sample)

    assert [person.on_duty for person in people.of_team("sales")] == [False, True, True, True]
