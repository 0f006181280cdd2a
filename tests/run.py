"""`make test` and `make check`: every check, with progress, and one summary at the end.

Each step runs whatever the others came to, so that one run tells everything that is wrong. The exit
status is 0 only if every step passed.
"""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from infra.build import RUNTIME, BuildError, lambda_python

ROOT = Path(__file__).parents[1]
REPORTS = ROOT / ".local" / "reports"
BIN = Path(sys.executable).parent
OLDEST = ROOT / ".local" / "oldest" / "bin" / "python"
"""The oldest supported Python, if this machine has it."""


@dataclass(frozen=True)
class Step:
    """One command. `report` is where pytest writes what it counted."""

    name: str
    command: list[str]
    report: Path | None = None
    quick: bool = False


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
    name: str, folder: str, *arguments: str, python: Path | None = None, quick: bool = False
) -> Step:
    report = REPORTS / f"{name.replace(' ', '-')}.xml"
    command = [str(python or sys.executable), "-m", "pytest", "-q", f"--junitxml={report}"]
    return Step(name, [*command, folder, *arguments], report, quick)


def can_build() -> bool:
    try:
        lambda_python()
    except BuildError:
        return False
    return True


def steps() -> list[Step]:
    coverage = ["--cov", "--cov-report=term", "--cov-fail-under=95"]
    found = [
        Step("format", tool("ruff", "format", "--check", "."), quick=True),
        Step("lint", tool("ruff", "check", "."), quick=True),
        Step("types", tool("mypy"), quick=True),
        Step("arrows", tool("lint-imports", "--no-cache"), quick=True),
        Step("template", tool("cfn-lint", "template.yaml"), quick=True),
        pytest_step("unit", "tests/unit", "-n", "2", *coverage, quick=True),
    ]
    if OLDEST.exists():
        found.append(pytest_step("unit on 3.11", "tests/unit", "-n", "2", python=OLDEST))
    found.append(Step("linters", [sys.executable, "-m", "tests.linters.run"]))
    if can_build():
        found.append(pytest_step("packaging", "tests/packaging", "-s"))
    return [
        *found,
        pytest_step("crash matrix", "tests/crash", "-n", "2"),
        pytest_step("integration", "tests/integration"),
        pytest_step("browser", "tests/browser"),
    ]


def run(step: Step) -> Result:
    print(f"\n\033[1m== {step.name}\033[0m", flush=True)
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'functions'}"}
    started = time.monotonic()
    status = subprocess.run(step.command, cwd=ROOT, env=environment, check=False).returncode
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
    results = [run(step) for step in steps() if step.quick or not quick]
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
