"""What `make build` makes, and not the source tree: can Lambda run it?

Native modules are built for arm64, so on another processor those few are borrowed from the
environment of the functions here, which has the same versions from the same lock. Everything else
is imported from what ships, by an interpreter that sees nothing else.
"""

import importlib.util
import json
import platform
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.build import LAYER, RUNTIME, artifacts, lambda_python, services, sizes
from tests.unit.template import of_type, template

ROOT = Path(__file__).parents[2]
SAM_PYTHON = ROOT / ".local" / "sam" / "bin" / "python"
RUNTIME_PACKAGES = ROOT / ".local" / "runtime" / "lib" / RUNTIME / "site-packages"
FUNCTIONS = of_type(template()["Resources"], "AWS::Serverless::Function")

LAYER_MB = {"zip": 13.0, "unzipped": 34.0}
FUNCTION_MB = {"zip": 0.5, "unzipped": 1.0}
"""What ships may weigh: a cold start fetches and unpacks it. Lambda's own limit is 250 MB."""

AARCH64 = 0xB7
"""How an ELF file calls the processor."""

IMPORT = """
import importlib, json, sys
sys.path[:0] = {path!r}
sys.dont_write_bytecode = True
handler = getattr(importlib.import_module({module!r}), "handler")
assert callable(handler)
print(json.dumps([[m.__file__, m.__spec__.cached] for m in sys.modules.values()
                  if getattr(m, "__file__", None)]))
"""

CLIENTS = """
import json, sys
sys.path[:0] = {path!r}
import boto3
print(json.dumps({{
    f"{{name}} {{region}}": boto3.client(name, region_name=region).meta.endpoint_url
    for name in {services!r} for region in {regions!r}
}}))
boto3.client("dynamodb", region_name="eu-central-1").get_paginator("query")
"""

REGIONS = ["eu-central-1", "us-east-1", "ap-southeast-2", "cn-north-1", "us-gov-west-1"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("build")
    subprocess.run([SAM_PYTHON, "-m", "infra.build", "--to", folder], cwd=ROOT, check=True)
    return folder


@pytest.fixture(scope="module")
def layer(built: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What stands for /opt/python on the path."""
    shipped = built / LAYER / "python"
    if platform.machine() == "aarch64":
        return [str(shipped)]
    borrowed = tmp_path_factory.mktemp("native")
    for package in {path.parent for path in natives(built)}:
        (version,) = shipped.glob(f"{package.name}-*.dist-info")
        assert (RUNTIME_PACKAGES / version.name).is_dir(), "the same version"
        (borrowed / package.name).symlink_to(RUNTIME_PACKAGES / package.name)
    return [str(borrowed), str(shipped)]


def natives(built: Path) -> Iterator[Path]:
    return (built / LAYER / "python").rglob("*.so")


def in_clean_interpreter(code: str) -> Any:
    """What the code prints, as JSON, under Lambda's Python without this machine's packages."""
    command = [str(lambda_python()), "-I", "-S", "-W", "error", "-c", code]
    done = subprocess.run(
        command, cwd="/", env={}, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_handler_can_be_imported_and_nothing_is_compiled(
    built: Path, layer: list[str], name: str
) -> None:
    module = FUNCTIONS[name]["Properties"]["Handler"].rpartition(".")[0]
    path = [str(built / name), *layer]

    loaded = in_clean_interpreter(IMPORT.format(path=path, module=module))

    shipped = [(file, cached) for file, cached in loaded if file.startswith(str(built))]
    assert len(shipped) > 10
    assert all(Path(cached).is_file() for _, cached in shipped)
    assert {str(built / name), str(built / LAYER)} >= {
        next(str(a) for a in artifacts(built) if Path(file).is_relative_to(a))
        for file, _ in shipped
    }


def test_every_module_is_compiled_for_good(built: Path) -> None:
    """An unchecked hash: what is unpacked on Lambda gets new times, and is used all the same."""
    python_version = ".".join(platform.python_version_tuple()[:2])
    if f"python{python_version}" != RUNTIME:
        pytest.skip(f"only {RUNTIME} can read what it compiled")
    sources = [path for artifact in artifacts(built) for path in artifact.rglob("*.py")]
    assert len(sources) > 500
    for source in sources:
        compiled = Path(importlib.util.cache_from_source(str(source))).read_bytes()
        assert compiled[:4] == importlib.util.MAGIC_NUMBER, source
        assert compiled[4:8] == b"\x01\0\0\0", f"hashed and unchecked: {source}"
        assert compiled[8:16] == importlib.util.source_hash(source.read_bytes()), source


def test_a_traceback_names_the_place_on_lambda(built: Path) -> None:
    (compiled,) = (built / "SubmitFormFunction/submit_form/__pycache__").glob("handler.*.pyc")

    assert b"/var/task/submit_form/handler.py" in compiled.read_bytes()
    assert str(built).encode() not in compiled.read_bytes()


def test_native_modules_are_for_lambdas_processor(built: Path) -> None:
    found = list(natives(built))

    assert {path.parent.name for path in found} == {"pydantic_core", "markupsafe"}
    for path in found:
        assert int.from_bytes(path.read_bytes()[18:20], "little") == AARCH64
        assert "cpython-313-aarch64" in path.name


def test_the_layer_is_its_lock(built: Path) -> None:
    lock = (ROOT / "shared" / "requirements.txt").read_text()
    locked = set(re.findall(r"^([\w-]+)==([\w.]+)", lock, re.MULTILINE))
    shipped = {
        tuple(folder.name.removesuffix(".dist-info").replace("_", "-").rsplit("-", 1))
        for folder in (built / LAYER / "python").glob("*.dist-info")
    }

    assert shipped == locked


def test_services_that_are_called_work_as_with_all_of_botocore(layer: list[str]) -> None:
    """Addresses are made from the data that the build thins out."""
    code = CLIENTS.format(path=layer, services=sorted(services()), regions=REGIONS)

    made = in_clean_interpreter(code)

    assert made == {
        f"{name} {region}": boto3.client(name, region_name=region).meta.endpoint_url  # type: ignore[call-overload]  # by a name that only the code knows
        for name in sorted(services())
        for region in REGIONS
    }


def test_what_ships_is_small(built: Path) -> None:
    for name, zipped, unzipped in sizes(built):
        most = LAYER_MB if name == LAYER else FUNCTION_MB
        print(f"{name}: {zipped / 1e6:.2f} MB zipped, {unzipped / 1e6:.2f} MB unzipped")
        assert zipped <= most["zip"] * 1e6
        assert unzipped <= most["unzipped"] * 1e6


def test_the_template_finds_everything_it_names(built: Path) -> None:
    text = (built / "template.yaml").read_text()
    named = re.findall(r"(?:CodeUri|ContentUri|DefinitionUri|TemplateURL): (.*)", text)

    assert len(named) == len(FUNCTIONS) + 4  # the default, the layer, the machine, the alarms
    folders = [name for name in named if name != "functions"]
    assert all((built / name).exists() for name in folders)
