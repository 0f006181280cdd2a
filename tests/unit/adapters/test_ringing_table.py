"""Ringing in the table: workers who text one person at once see each other."""

from collections.abc import Callable

import pytest

from shared.adapters.dynamodb import Table
from shared.adapters.ringing_table import RING_TRIES, RingingTable
from tests.unit.domain.samples import ANNA, at


@pytest.fixture
def ringing(table: Table, monkeypatch: pytest.MonkeyPatch) -> RingingTable:
    monkeypatch.setattr(Table, "pause", lambda *_: None)
    return RingingTable(table)


@pytest.fixture
def meanwhile(table: Table, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[str]]:
    """Others text Anna about so many leads, each between a read and a write."""

    def others_are_faster(times: int) -> list[str]:
        real, others = table.get, RingingTable(Table(table.dynamodb, table.name))
        left = [f"{number:032d}" for number in range(times)]

        def get(key: dict[str, str]) -> object:
            item = real(key)
            if left:
                others.ring(ANNA, left.pop(), "1-new-anna-sms", at(0))
            return item

        monkeypatch.setattr(table, "get", get)
        return left

    return others_are_faster


def burst(ringing: RingingTable) -> list[str]:
    return [ringing.ring(ANNA, number * 32, "1-new-anna-sms", at(0)) for number in "abcde"]


def test_of_a_burst_the_first_ring_and_one_stands_for_the_others(ringing: RingingTable) -> None:
    assert burst(ringing) == ["alone", "alone", "alone", "together", "covered"]


def test_who_was_second_counts_those_who_were_faster(
    ringing: RingingTable, meanwhile: Callable[[int], list[str]]
) -> None:
    left = meanwhile(3)

    assert ringing.ring(ANNA, "a" * 32, "1-new-anna-sms", at(0)) == "together"
    assert left == []


def test_it_rings_rather_than_waits_for_ever(
    ringing: RingingTable, meanwhile: Callable[[int], list[str]]
) -> None:
    left = meanwhile(RING_TRIES)

    assert ringing.ring(ANNA, "a" * 32, "1-new-anna-sms", at(0)) == "alone"
    assert left == []


def test_an_sms_for_all_that_did_not_go_out_stands_for_nobody(ringing: RingingTable) -> None:
    burst(ringing)

    ringing.stop_ringing(ANNA, "e" * 32, "1-new-anna-sms")
    assert ringing.ring(ANNA, "f" * 32, "1-new-anna-sms", at(1)) == "covered", "another sends it"
    ringing.stop_ringing(ANNA, "d" * 32, "1-new-anna-sms")
    assert ringing.ring(ANNA, "f" * 32, "1-new-anna-sms", at(1)) == "together"
