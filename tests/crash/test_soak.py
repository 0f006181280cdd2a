"""A short soak; `make prove` plays the long one."""

import pytest

from tests.crash.soak import soak


@pytest.mark.parametrize("seed", [1, 2])
def test_while_a_tenth_of_all_calls_fails_nothing_is_lost_doubled_or_silent(seed: int) -> None:
    soaked = soak(60, seed)

    assert soaked.wrong == []
    assert soaked.faults > soaked.calls / 20
    assert soaked.leads == 54


def test_without_faults_nobody_hears_anything_twice() -> None:
    soaked = soak(30, seed=1, share=0)

    assert (soaked.faults, soaked.killed, soaked.second_messages, soaked.wrong) == (0, 0, 0, [])
