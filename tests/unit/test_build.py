"""What the build decides from the code, without building."""

import ast
from pathlib import Path

import pytest

from infra import build


def test_every_use_of_boto3_names_its_service_for_the_build() -> None:
    """The build keeps what botocore knows of these services, and of no other."""
    named = set()
    for part in ("functions", "shared"):
        for path in (build.ROOT / part).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if not isinstance(node, ast.Attribute) or ast.unparse(node.value) != "boto3":
                    continue
                assert node.attr == "client", f"{path}: boto3.{node.attr}"
            for call in ast.walk(ast.parse(path.read_text())):
                if isinstance(call, ast.Call) and ast.unparse(call.func) == "boto3.client":
                    assert isinstance(call.args[0], ast.Constant), path
                    named.add(call.args[0].value)

    assert named == build.services() >= {"dynamodb", "sns", "sqs"}


def test_without_lambdas_python_the_build_says_what_it_needs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(build, "RUNTIME", "python3.99")

    with pytest.raises(build.BuildError, match=r"needs python3\.99 with pip"):
        build.lambda_python()
