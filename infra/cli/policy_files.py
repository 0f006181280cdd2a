"""Policy as people edit it: a folder of YAML files, one per document.

`${NAME}` stands for what differs by deployment, `holidays: DE-BE` for a calendar's public holidays.
"""

import string
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import yaml

from infra.cli.public_holidays import with_holidays
from shared.errors import PolicyError


class _Loader(yaml.SafeLoader):
    """YAML with dates as the text that they are: a document is stored as JSON."""


_Loader.yaml_implicit_resolvers = {
    first: [rule for rule in rules if rule[0] != "tag:yaml.org,2002:timestamp"]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_policy(
    folder: Path, variables: Mapping[str, str], day: date | None = None
) -> dict[str, object]:
    """The documents by name: `form/demo-en` for `form/demo-en.yaml`.

    `day` is in the first year of public holidays; today, if there is none.

    Raises PolicyError for a file that is no YAML, or names a variable that has no value.
    """
    documents: dict[str, object] = {}
    first = day or datetime.now(UTC).date()
    for path in sorted(folder.rglob("*.yaml")):
        name = path.relative_to(folder).with_suffix("").as_posix()
        try:
            text = string.Template(path.read_text(encoding="utf-8")).substitute(variables)
            documents[name] = yaml.load(text, _Loader)  # noqa: S506 - a safe loader
        except KeyError as error:
            raise PolicyError(f"{name}: no value for {error}; give one with --set") from error
        except (ValueError, yaml.YAMLError) as error:
            raise PolicyError(f"{name}: {error}") from error
        if name.startswith("calendar/"):
            documents[name] = with_holidays(name, documents[name], first)
    if not documents:
        raise PolicyError(f"{folder} holds no policy")
    return documents
