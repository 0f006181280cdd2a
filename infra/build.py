"""`make build`: what ships, as `sam deploy` takes it, in .aws-sam/build.

`sam build` copies the code and writes the template. What it leaves undone is done here:

- Packages come from the lock by hash. For another processor than this one's, `sam build` downloads
  them by version only.
- botocore describes four hundred services: those that no code here calls are left out.
- Modules are compiled. Lambda cannot keep what it compiles, so every cold start would do it again;
  and files unpacked there get new times, so only the unchecked-hash kind of `.pyc` is ever used.
"""

import argparse
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / ".aws-sam" / "build"
LAYER = "SharedLayer"
RUNTIME = "python3.13"
"""What the template says. Compiled modules are of use to this very version only."""
PLATFORM = "aarch64-manylinux_2_28"
"""arm64 on Amazon Linux 2023, as the template says."""
UV = ROOT / ".local" / "uv" / "bin" / "uv"

CALLED = re.compile(r"boto3\.client\(\s*\"(\w+)\"")


class BuildError(Exception):
    """What is missing on this machine, in words for whoever runs the build."""


def lambda_python() -> Path:
    """This machine's Python of the version that runs on Lambda.

    By its real path: what a version manager puts on PATH may lead nowhere from another folder.
    """
    ask = "import sys, pip; print(sys.base_prefix, '%d.%d' % sys.version_info[:2])"
    found = [sys.executable, shutil.which(RUNTIME)]
    for candidate in (f"{sys.base_prefix}/bin/{RUNTIME}", *found):
        if candidate and Path(candidate).exists():
            answer = subprocess.run(
                [candidate, "-c", ask], cwd=ROOT, capture_output=True, text=True, check=False
            )
            prefix, _, version = answer.stdout.strip().rpartition(" ")
            if f"python{version}" == RUNTIME:
                return Path(prefix) / "bin" / RUNTIME
    raise BuildError(
        f"building needs {RUNTIME} with pip on PATH: it compiles for Lambda's {RUNTIME}. "
        "Leadline itself runs and is tested with any Python from 3.11 on"
    )


def build(to: Path) -> None:
    """Build everything into a folder. Raises BuildError and CalledProcessError."""
    python = lambda_python()
    sam_build(python, to)
    layer = to / LAYER / "python"
    install(layer)
    leave_out(layer)
    for artifact in artifacts(to):
        compile_modules(python, artifact, "/opt" if artifact.name == LAYER else "/var/task")


def sam_build(python: Path, to: Path) -> None:
    command: list[str | Path] = [Path(sys.executable).with_name("sam"), "build", "--build-dir", to]
    environment = {
        **os.environ,
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
        "SAM_CLI_TELEMETRY": "0",
    }
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BuildError(f"sam build: {done.stderr.strip()}")


def install(layer: Path) -> None:
    """Replace the packages beside `shared` by the lock's, each checked against its hash."""
    for entry in layer.iterdir():
        if entry.name != "shared":
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    options = ["--quiet", "--require-hashes", "--no-deps", "--only-binary=:all:"]
    for_lambda = ["--python-version", RUNTIME.removeprefix("python"), "--python-platform", PLATFORM]
    lock = ROOT / "shared" / "requirements.txt"
    command: list[str | Path] = [
        UV,
        "pip",
        "install",
        *options,
        *for_lambda,
        "--target",
        layer,
        "-r",
        lock,
    ]
    subprocess.run(command, check=True)
    shutil.rmtree(layer / "bin", ignore_errors=True)  # commands; nobody types on Lambda
    (layer / ".lock").unlink(missing_ok=True)


def services() -> set[str]:
    """The services of AWS that the code calls."""
    sources = [path for part in ("functions", "shared") for path in (ROOT / part).rglob("*.py")]
    return {name for path in sources for name in CALLED.findall(path.read_text(encoding="utf-8"))}


def leave_out(layer: Path) -> None:
    """Take out the descriptions of services that are never called.

    Packages' versions (`*.dist-info`) stay: scanners of vulnerabilities read them.
    """
    for folder in (layer / "botocore" / "data").iterdir():
        if folder.is_dir() and folder.name not in services():
            shutil.rmtree(folder)
    shutil.rmtree(layer / "boto3" / "data")  # boto3.resource; we use clients
    shutil.rmtree(layer / "boto3" / "examples")
    endpoints = layer / "botocore" / "data" / "endpoints.json"
    described = json.loads(endpoints.read_text(encoding="utf-8"))
    for partition in described["partitions"]:
        # By the name in addresses: `states` for stepfunctions.
        kept = services() | {"states"}
        partition["services"] = {n: s for n, s in partition["services"].items() if n in kept}
    # uv links files from its cache: written in place, every environment would have this one.
    endpoints.unlink()
    endpoints.write_text(json.dumps(described), encoding="utf-8")


def artifacts(built: Path) -> list[Path]:
    """The folders that become a function's or the layer's zip."""
    return sorted(
        path for path in built.iterdir() if path.name == LAYER or path.name.endswith("Function")
    )


def compile_modules(python: Path, folder: Path, mounted_at: str) -> None:
    """Compile for the place where Lambda mounts the folder, so that tracebacks name it."""
    options = ["-q", "-f", "--invalidation-mode", "unchecked-hash", "-p", mounted_at]
    command: list[str | Path] = [python, "-I", "-m", "compileall", *options, "-s", folder, folder]
    subprocess.run(command, check=True)


def sizes(built: Path) -> Iterator[tuple[str, int, int]]:
    """Name, bytes zipped and bytes unzipped of each artifact."""
    for artifact in artifacts(built):
        archive, unzipped = io.BytesIO(), 0
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
            for path in artifact.rglob("*"):
                if path.is_file():
                    file.write(path, path.relative_to(artifact))
                    unzipped += path.stat().st_size
        yield artifact.name, archive.tell(), unzipped


def main() -> int:
    parser = argparse.ArgumentParser(prog="make build", description=__doc__)
    parser.add_argument("--to", type=Path, default=BUILD, help="folder of the build")
    options = parser.parse_args()
    try:
        build(options.to)
    except (BuildError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{'built in ' + str(options.to):<40} {'zip MB':>8} {'unzipped MB':>12}")
    for name, zipped, unzipped in sizes(options.to):
        print(f"{name:<40} {zipped / 1e6:>8.2f} {unzipped / 1e6:>12.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
