"""`make test` and `make check`: every check, with progress, and one summary at the end.

Each step runs whatever the others came to, so that one run tells everything that is wrong. The exit
status is 0 only if every step passed.

Steps that mostly wait run beside those of one process; what such a step says is shown whole when it
ends. Steps that take both processors have them to themselves.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

from infra.build import RUNTIME, BuildError, lambda_python

ROOT = Path(__file__).parents[1]
REPORTS = ROOT / ".local" / "reports"
BIN = Path(sys.executable).parent
OLDEST = ROOT / ".local" / "oldest" / "bin" / "python"
"""The oldest supported Python, if this machine has it."""

Needs = Literal["one processor", "time", "all processors"]


@dataclass(frozen=True)
class Step:
    """One command. `report` is where pytest writes what it counted."""

    name: str
    command: list[str]
    report: Path | None = None
    quick: bool = False
    needs: Needs = "one processor"


@dataclass
class Result:
    step: Step
    passed: bool
    seconds: float
    tests: int = 0
    failed: int = 0


def tool(name: str, *arguments: str) -> list[str]:
    return [str(BIN / name), *arguments]


def pytest_step(
    name: str,
    folder: str,
    *arguments: str,
    python: Path | None = None,
    quick: bool = False,
    needs: Needs = "one processor",
) -> Step:
    report = REPORTS / f"{name.replace(' ', '-')}.xml"
    command = [str(python or sys.executable), "-m", "pytest", "-q", f"--junitxml={report}"]
    return Step(name, [*command, folder, *arguments], report, quick, needs)


def can_build() -> bool:
    try:
        lambda_python()
    except BuildError:
        return False
    return True


def steps() -> list[Step]:
    workers = ["-n", "2"]
    coverage = ["--cov", "--cov-report=term", "--cov-fail-under=95"]
    found = [
        Step("format", tool("ruff", "format", "--check", "."), quick=True),
        Step("lint", tool("ruff", "check", "."), quick=True),
        Step("types", tool("mypy"), quick=True),
        Step("arrows", tool("lint-imports", "--no-cache"), quick=True),
        Step("template", tool("cfn-lint", "template.yaml"), quick=True),
        pytest_step("unit", "tests/unit", *workers, *coverage, quick=True, needs="all processors"),
    ]
    if OLDEST.exists():
        oldest = pytest_step(
            "unit on 3.11", "tests/unit", *workers, python=OLDEST, needs="all processors"
        )
        found.append(oldest)
    found.append(Step("linters", [sys.executable, "-m", "tests.linters.run"]))
    if can_build():
        found.append(pytest_step("packaging", "tests/packaging", "-s"))
    return [
        *found,
        pytest_step("crash matrix", "tests/crash", *workers, needs="all processors"),
        pytest_step("integration", "tests/integration", needs="time"),
        pytest_step("browser", "tests/browser", needs="time"),
    ]


def run_all(wanted: Sequence[Step]) -> list[Result]:
    """The results, in the order of the steps."""

    def those(needs: Needs) -> list[Step]:
        return [step for step in wanted if step.needs == needs]

    lanes = [lane for lane in (those("one processor"), those("time")) if lane]
    if len(lanes) > 1:
        results = side_by_side(lanes)
    else:
        results = [run(step) for lane in lanes for step in lane]
    results += [run(step) for step in those("all processors")]
    return sorted(results, key=lambda result: wanted.index(result.step))


def side_by_side(lanes: Sequence[Sequence[Step]]) -> list[Result]:
    """The steps of a lane one after the other, and the lanes at the same time."""
    pools = [ThreadPoolExecutor(max_workers=1) for _ in lanes]
    try:
        started = [
            pool.submit(run, step, in_one_piece=True)
            for pool, lane in zip(pools, lanes, strict=True)
            for step in lane
        ]
        return [running.result() for running in started]
    finally:
        # After an interruption no further step begins.
        for pool in pools:
            pool.shutdown(wait=False, cancel_futures=True)


def run(step: Step, *, in_one_piece: bool = False) -> Result:
    """Runs it and shows what it says: as it says it, or in one piece at the end."""
    heading = f"\n\033[1m== {step.name}\033[0m"
    begun = " has begun" if in_one_piece else ""
    print(f"{heading}{begun}\n", end="", flush=True)
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'functions'}"}
    started = time.monotonic()
    done = subprocess.run(
        step.command,
        cwd=ROOT,
        env=environment,
        check=False,
        stdout=subprocess.PIPE if in_one_piece else None,
        stderr=subprocess.STDOUT if in_one_piece else None,
        text=True,
        errors="replace",
    )
    if in_one_piece:
        print(f"{heading}\n{done.stdout}", end="", flush=True)
    status = done.returncode
    result = Result(step, status == 0, time.monotonic() - started)
    if step.report is not None and step.report.exists():
        suite = next(ElementTree.parse(step.report).getroot().iter("testsuite"))  # noqa: S314 - ours
        result.tests = int(suite.get("tests", 0))
        result.failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
    # No test at all is not a pass.
    if step.report is not None and not result.tests:
        result.passed = False
    return result


def main() -> int:
    shutil.rmtree(REPORTS, ignore_errors=True)
    REPORTS.mkdir(parents=True)
    quick = "--quick" in sys.argv[1:]
    results = run_all([step for step in steps() if step.quick or not quick])
    print("\n\033[1m== summary\033[0m")
    for result in results:
        counted = f"{result.tests} tests" if result.step.report else ""
        mark = "ok    " if result.passed else "FAILED"
        print(f"{mark}  {result.step.name:<14} {counted:>12}  {result.seconds:6.1f} s")
    if not quick and not OLDEST.exists():
        print("        unit on 3.11     left out: no python3.11 on this machine")
    if not quick and not can_build():
        print(f"        packaging        left out: no {RUNTIME} with pip on this machine")
    passed = sum(result.tests - result.failed for result in results)
    # A step that counts no tests, or died before it counted them, fails as one.
    failed = sum(result.failed or int(not result.passed) for result in results)
    print(f"{passed} passed, {failed} failed")
    return 0 if all(result.passed for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
