"""The examples of docs/follow-up.md are taken as they stand."""

import re
from pathlib import Path

import pytest
import yaml

from infra.cli.__main__ import main
from infra.cli.people_files import read_people
from shared.domain.chain import Chain
from shared.domain.routing import Routing
from tests.unit.template import ROOT

TEXT = (ROOT / "docs/follow-up.md").read_text("utf-8")
CHAIN, ROUTING, PEOPLE = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


def test_the_chain_is_sound() -> None:
    assert Chain.model_validate(yaml.safe_load(CHAIN)).leaves_alone is None


def test_the_rules_are_sound() -> None:
    assert len(Routing.model_validate(yaml.safe_load(ROUTING)).rules) == 4


def test_the_file_of_people_can_be_entered(tmp_path: Path) -> None:
    file = tmp_path / "people.yaml"
    file.write_text(PEOPLE, "utf-8")

    assert [rep.rep_id for rep in read_people(file)] == ["boris"]


@pytest.mark.parametrize("command", re.findall(r"^\./leadline (roster \w+)", TEXT, re.MULTILINE))
def test_the_commands_exist(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([*command.split(), "--help"])
    assert "usage: leadline roster" in capsys.readouterr().out
