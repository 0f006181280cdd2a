"""The stack with SES in the place of SNS's e-mail, on a laptop of its own, with IAM enforced."""

import copy
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from infra.local.run import Laptop
from tests.integration.conftest import free_port, until

pytestmark = pytest.mark.integration

SENDER = "alerts@example.com"
NAME = "Анна-Мария О'Нил 👋"


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    environment = copy.copy(dict(os.environ))
    with Laptop(free_port(), tmp_path / "state", tmp_path / "log", email_from=SENDER) as laptop:
        yield laptop.url
    os.environ.clear()
    os.environ.update(environment)


def test_an_alert_is_mailed_by_ses_to_the_persons_address(url: str) -> None:
    with httpx.Client(base_url=url, timeout=30) as http:
        fields = {"name": NAME, "phone": "+44 7914 000088", "consent": "yes"}
        assert http.post("/v1/forms/demo-en/submissions", json=fields).status_code == 201

        def mailed() -> list[dict[str, str]]:
            messages = http.get("/inbox.json").json()
            return [message for message in messages if message["channel"] == "email"]

        (message,) = until(mailed, "an e-mail of SES")
    assert message["subject"].startswith(f"New lead: {NAME}")
    assert message["to"].endswith("@example.com")
    assert "+44 7914 000088" in message["text"]
