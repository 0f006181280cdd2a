"""Options of the crash matrix, and what it came to."""

import gc
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.crash.database import without_repetition

COUNTED = ("runs", "faults", "second_messages")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("crash matrix")
    group.addoption("--scenario", action="append", help="play only this one; may be repeated")
    group.addoption("--plan", type=json.loads, help='replay faults: \'{"12": "kill_after"}\'')
    group.addoption("--pairs", default="100", help="how many pairs of faults to draw, or `all`")
    group.addoption("--seed", type=int, default=1, help="which pairs are drawn")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What was not asked for (a replay, all pairs) is no skipped test."""
    unasked = [item for item in items if any(map(_is_empty, item.iter_markers("skip")))]
    config.hook.pytest_deselected(items=unasked)
    items[:] = [item for item in items if item not in unasked]


def _is_empty(mark: pytest.Mark) -> bool:
    return "empty parameter set" in str(mark.kwargs.get("reason"))


def pytest_collection_finish() -> None:
    """What is loaded by now stays to the end, so it need not be looked through for garbage again
    and again.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def quick_moto() -> Iterator[None]:
    with without_repetition():
        yield


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Adds up what the tests of the matrix noted, from all workers."""
    totals = dict.fromkeys(COUNTED, 0)
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name in totals and report.when == "teardown":
                    totals[name] += value
    if totals["runs"]:
        seed = config.getoption("--seed")
        terminalreporter.write_line(
            f"crash matrix: {totals['runs']} runs, {totals['faults']} faults, "
            f"{totals['second_messages']} second messages (all unavoidable), seed {seed}"
        )
    schedules: dict[str, int] = {}
    for report in terminalreporter.getreports("passed"):
        schedules |= dict(report.user_properties).get("schedules", {})
    for name, count in schedules.items():
        terminalreporter.write_line(f"{count:6}  {name.replace('_', ' ')}")
    if schedules:
        terminalreporter.write_line(f"{sum(schedules.values()):6}  interleavings")
