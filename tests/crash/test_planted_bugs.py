"""Bugs that were planted are found; all of them by `make prove`, the fastest of each kind here."""

from pathlib import Path

import pytest

from tests.crash.planted_bugs import BUGS, copied, is_caught, plant

FAST = (
    "a rule for the wrong event",
    "no lease",
    "nobody on duty, and no manager is told",
)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the edited files say before anything is planted."""
    paths = {edit.path for bug in BUGS.values() for edit in bug.edits}
    with copied() as tree:
        return {path: (tree / path).read_text() for path in paths}


@pytest.mark.parametrize("name", BUGS)
def test_a_bug_can_be_planted_in_the_code_as_it_is(
    name: str, sources: dict[str, str], tmp_path: Path
) -> None:
    for edit in BUGS[name].edits:
        (tmp_path / edit.path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / edit.path).write_text(sources[edit.path])

    plant(name, tmp_path)

    for path in {edit.path for edit in BUGS[name].edits if edit.path.endswith(".py")}:
        compile((tmp_path / path).read_text(), path, "exec")


@pytest.mark.parametrize("name", FAST)
def test_a_planted_bug_is_found(name: str) -> None:
    assert not is_caught(name).is_green
