"""What `make test` makes of its steps: which run at once, what is shown, and what it comes to."""

import sys
from pathlib import Path

import pytest

from tests import run
from tests.run import Needs, Step, run_all, steps

MEETS = """
import pathlib, sys, time
pathlib.Path(sys.argv[1]).touch()
print("here")
end = time.monotonic() + 20
while not pathlib.Path(sys.argv[2]).exists():
    assert time.monotonic() < end, "nobody came"
print("met")
"""
"""Two steps with each other's files end only if they run at the same time."""


def step(name: str, code: str, *arguments: object, needs: Needs = "one processor") -> Step:
    return Step(name, [sys.executable, "-c", code, *map(str, arguments)], needs=needs)


def test_what_waits_runs_beside_what_computes_and_shows_its_words_in_one_piece(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    results = run_all(
        [
            step("all", "print('alone')", needs="all processors"),
            step("one", MEETS, one, other),
            step("other", MEETS, other, one, needs="time"),
        ]
    )

    assert [(result.step.name, result.passed) for result in results] == [
        ("all", True),
        ("one", True),
        ("other", True),
    ]
    shown = capfd.readouterr().out
    for name in ("one", "other"):
        assert f"== {name}\033[0m has begun\n" in shown
        assert f"== {name}\033[0m\nhere\nmet\n" in shown
    assert shown.endswith("== all\033[0m\nalone\n")


def test_all_run_whatever_the_others_came_to(capfd: pytest.CaptureFixture[str]) -> None:
    fails = "import sys; sys.exit('wrong')"
    results = run_all(
        [
            step("first", fails),
            step("second", "print('right')"),
            step("third", fails, needs="time"),
            step("fourth", "print('right')", needs="time"),
        ]
    )

    assert [result.passed for result in results] == [False, True, False, True]
    assert capfd.readouterr().out.count("\nwrong\n") == 2


def test_one_step_after_the_other_shows_its_words_as_they_come(
    capfd: pytest.CaptureFixture[str],
) -> None:
    run_all([step("one", "print(1)"), step("two", "print(2)")])

    assert capfd.readouterr().out == "\n\033[1m== one\033[0m\n1\n\n\033[1m== two\033[0m\n2\n"


def test_a_step_without_a_single_test_has_failed(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text('<testsuites><testsuite tests="0" failures="0" errors="0"/></testsuites>')

    assert not run.run(Step("empty", [sys.executable, "-c", ""], report)).passed


@pytest.mark.parametrize(("fails", "status"), [("", 0), ("raise SystemExit(1)", 1)])
def test_the_status_tells_whether_any_step_failed(
    fails: str, status: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(run, "REPORTS", tmp_path / "reports")
    monkeypatch.setattr(sys, "argv", ["run"])
    monkeypatch.setattr(run, "can_build", lambda: True)
    monkeypatch.setattr(run, "steps", lambda: [step("one", fails), step("two", "", needs="time")])

    assert run.main() == status


def test_workers_have_the_processors_to_themselves() -> None:
    for found in steps():
        assert (found.needs == "all processors") == ("-n" in found.command), found.name
    assert {s.name for s in steps() if s.needs == "time"} == {"integration", "browser"}
