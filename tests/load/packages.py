"""How large a deployment would be: from the metadata of what is installed, without bytecode."""

import re
import zlib
from collections.abc import Iterable, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement

from tests.load.report import Size


def size_of_installed(roots: Iterable[str], site_packages: Path) -> Size:
    """Some distributions, and what they require."""
    installed = {_plain(d.name): d for d in distributions(path=[str(site_packages)])}
    files: set[Path] = set()
    for name in _closure(roots, installed):
        files |= set(_files(installed[name], site_packages))
    return size_of(files)


def size_of_folder(folder: Path) -> Size:
    """Everything in a folder."""
    return size_of(p for p in folder.rglob("*") if p.is_file() and p.suffix != ".pyc")


def size_of(files: Iterable[Path]) -> Size:
    """Files, and what they come to in a zip: each is compressed alone, as a zip does it."""
    unzipped = zipped = 0
    for path in files:
        content = path.read_bytes()
        unzipped += len(content)
        zipped += len(zlib.compress(content))
    return Size(unzipped, zipped)


def _closure(roots: Iterable[str], installed: Mapping[str, Distribution]) -> set[str]:
    found: set[str] = set()
    waiting = [_plain(root) for root in roots]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        # `chalice package` ships the two modules that run, and none of what its commands need.
        needs = [] if name == "chalice" else installed[name].requires or []
        waiting += [
            _plain(requirement.name)
            for requirement in map(Requirement, needs)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        ]
    return found


def _files(distribution: Distribution, site_packages: Path) -> Iterable[Path]:
    for file in distribution.files or ():
        path = site_packages / file
        if file.suffix in {".pyc", ".pth"} or ".." in file.parts or not path.is_file():
            continue
        if file.parts[0] == "chalice" and file.name not in {"__init__.py", "app.py"}:
            continue
        yield path


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
