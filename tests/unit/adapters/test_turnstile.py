"""Turnstile is asked only where it can answer, and whoever it cannot vouch for is looked at."""

from typing import Any

import pytest
import urllib3
from urllib3.exceptions import MaxRetryError

from shared.adapters.turnstile import ADDRESS, FIELD, MAX_TOKEN_LENGTH, SECONDS, Turnstile
from shared.domain.form import Keys
from shared.domain.submission import Decoded
from tests.unit.samples import logged

KEYS: Keys = {"turnstile": ("new", "former")}


class Cloudflare:
    """Knows one secret and one token."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answer: bytes | None = None
        self.is_away = False
        self.settings: dict[str, Any] = {}
        monkeypatch.setattr(urllib3, "PoolManager", self.pool)

    def pool(self, **settings: Any) -> "Cloudflare":
        self.settings = settings
        return self

    def request(self, method: str, address: str, json: dict[str, Any]) -> "Cloudflare":
        assert (method, address) == ("POST", ADDRESS)
        self.asked.append(json)
        if self.is_away:
            raise MaxRetryError(None, address)  # type: ignore[arg-type] # nobody looks at the pool
        return self

    @property
    def data(self) -> bytes:
        if self.answer is not None:
            return self.answer
        good = (self.asked[-1]["secret"], self.asked[-1]["response"]) == ("former", "token")
        return b'{"success": true}' if good else b'{"success": false}'


@pytest.fixture
def cloudflare(monkeypatch: pytest.MonkeyPatch) -> Cloudflare:
    return Cloudflare(monkeypatch)


def signal(token: str | None) -> str | None:
    fields = () if token is None else ((FIELD, token),)
    return Turnstile().signal(Decoded(client="native", fields=fields), KEYS, "203.0.113.10")


def test_a_person_passes_with_either_secret(cloudflare: Cloudflare) -> None:
    assert signal("token") is None
    assert [asked["secret"] for asked in cloudflare.asked] == ["new", "former"]
    assert cloudflare.asked[0]["remoteip"] == "203.0.113.10"
    assert cloudflare.settings == {"timeout": SECONDS, "retries": False}


def test_a_wrong_token_is_a_signal(cloudflare: Cloudflare) -> None:
    assert signal("other") == "turnstile"


@pytest.mark.parametrize("token", [None, "", "t" * (MAX_TOKEN_LENGTH + 1)])
def test_what_can_be_no_token_is_not_asked_about(cloudflare: Cloudflare, token: str | None) -> None:
    assert signal(token) == "turnstile"
    assert cloudflare.asked == []


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b'{"success": 1}'])
def test_an_answer_without_sense_is_none(cloudflare: Cloudflare, answer: bytes) -> None:
    cloudflare.answer = answer
    assert signal("token") == "turnstile"


def test_when_it_is_away_people_are_looked_at_and_not_refused(cloudflare: Cloudflare) -> None:
    cloudflare.is_away = True
    with logged() as lines:
        assert signal("token") == "turnstile"
    assert {line["message"] for line in lines} == {"turnstile did not answer"}
    assert "token" not in str(lines).replace("turnstile", "")
