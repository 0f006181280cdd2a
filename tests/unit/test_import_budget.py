"""What capture loads before it can take a form: counted, as a count is the same on any machine.

Cold starts are paid for in modules. A new import on this path has to be worth one of these numbers.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

FORBIDDEN = (
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.utilities.batch",
    "aws_lambda_powertools.utilities.data_classes",
    "aws_lambda_powertools.utilities.idempotency",
    "aws_lambda_powertools.utilities.parameters",
    "aws_lambda_powertools.utilities.parser",
    "aws_xray_sdk",
    "disposable_email_domains",
    "dns",
    "httpx",
    "jinja2",
    "markupsafe",
    "multipart",
    "phonenumbers.carrier",
    "phonenumbers.geocoder",
    "phonenumbers.timezone",
    "requests",
    "tldextract",
    "ua_parser",
    "yaml",
)
"""Each is slow to load and needed by few requests, or by none."""

BUDGET = {"shared": 47, "phonenumbers": 62, "email_validator": 10, "aws_lambda_powertools": 45}
BUDGET_OF_THE_REST = 430
"""Everything else, boto3 and the standard library for the most part."""

PROBE = """
import json, sys
before = set(sys.modules)
import submit_form.handler
print(json.dumps(sorted(set(sys.modules) - before)))
"""

AFTER_A_FORM = """
import datetime, json, sys
from shared.clients import native
from shared.domain.form import Form
from shared.domain.submission import accept
from shared.http import HttpRequest
form = Form(form_id="a", team="t", title="T", default_region="GB", thanks_url="https://a.example",
            fields={"phone": {"type": "phone"}})
body = b'{"phone": "020 7946 0958", "email": "a@example.com", "consent": true}'
headers = {"content-type": "application/json"}
(decoded,) = native.decode(HttpRequest("POST", "/", headers=headers, body=body), form)
accept(decoded, form, "0" * 32, datetime.datetime.now(datetime.UTC), "en", str)
print(json.dumps(sorted(sys.modules)))
"""


def loaded_by(program: str) -> list[str]:
    """The modules that a program of its own reports."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "functions")]),
    }
    run = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    modules: list[str] = json.loads(run.stdout)
    return modules


@pytest.fixture(scope="module")
def modules() -> list[str]:
    return loaded_by(PROBE)


def is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


@pytest.mark.parametrize("package", FORBIDDEN)
def test_capture_does_not_load(package: str, modules: list[str]) -> None:
    assert [module for module in modules if is_in(module, package)] == []


@pytest.mark.parametrize(("package", "most"), BUDGET.items())
def test_capture_loads_few_modules_of(package: str, most: int, modules: list[str]) -> None:
    loaded = [module for module in modules if is_in(module, package)]
    assert 0 < len(loaded) <= most, loaded


def test_capture_loads_few_modules_in_all(modules: list[str]) -> None:
    rest = [module for module in modules if not any(is_in(module, package) for package in BUDGET)]
    assert len(rest) <= BUDGET_OF_THE_REST


def test_a_json_form_loads_nothing_more_that_is_slow() -> None:
    loaded = loaded_by(AFTER_A_FORM)
    slow = [module for module in loaded for package in FORBIDDEN if is_in(module, package)]
    assert slow == ["disposable_email_domains"], "with the first address that is no free mail"


def test_the_probe_sees_what_is_loaded(modules: list[str]) -> None:
    assert "shared.http" in modules
    assert "phonenumbers" in modules
