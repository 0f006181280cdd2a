"""Secrets of forms: asked for when needed, remembered for a while, kept through SSM's troubles."""

from collections.abc import Iterator

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from shared.adapters import secret_store
from shared.adapters.secret_store import KEPT_SECONDS, SecretStore
from shared.errors import SecretUnavailableError
from tests.unit.aws import in_moto
from tests.unit.samples import a_form

FORM = a_form(secrets={"signing": "webflow", "key": "shared"})


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Iterator[Clock]:
    with in_moto():
        secret_store.client.cache_clear()
        put("webflow", "one\ntwo")
        put("shared", " k \n\n")
        yield Clock()
        secret_store.client.cache_clear()


def put(name: str, value: str) -> None:
    boto3.client("ssm").put_parameter(
        Name=f"/stack/forms/{name}", Value=value, Type="SecureString", Overwrite=True
    )


def test_a_secret_has_a_value_a_line(clock: Clock) -> None:
    keys = SecretStore("/stack", clock=clock).of(FORM)
    assert keys == {"signing": ("one", "two"), "key": ("k",)}


def test_a_new_value_is_seen_after_a_while(clock: Clock) -> None:
    store = SecretStore("/stack", clock=clock)
    store.of(FORM)
    put("shared", "new")
    clock.now = KEPT_SECONDS - 1
    assert store.of(FORM)["key"] == ("k",)
    clock.now = KEPT_SECONDS
    assert store.of(FORM)["key"] == ("new",)


def test_one_that_does_not_exist_may_exist_later(clock: Clock) -> None:
    store = SecretStore("/stack", clock=clock)
    form = a_form(secrets={"key": "later"})
    with pytest.raises(SecretUnavailableError):
        store.of(form)
    put("later", "k")
    assert store.of(form) == {"key": ("k",)}


@pytest.mark.parametrize("known", [True, False])
def test_ssm_may_be_away_for_a_while(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    ssm = boto3.client("ssm")
    store = SecretStore("/stack", lambda: ssm, clock)
    if known:
        store.of(FORM)
    clock.now = KEPT_SECONDS

    def away(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://ssm")

    monkeypatch.setattr(ssm, "get_parameter", away)
    if known:
        assert store.of(FORM)["key"] == ("k",)
    else:
        with pytest.raises(SecretUnavailableError):
            store.of(FORM)


def test_a_missing_right_stays_loud(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    ssm = boto3.client("ssm")

    def denied(**_: object) -> None:
        response = {
            "Error": {"Code": "AccessDeniedException", "Message": ""},
            "ResponseMetadata": {"HTTPStatusCode": 400},
        }
        raise ClientError(response, "GetParameter")  # type: ignore[arg-type] # no more is read

    monkeypatch.setattr(ssm, "get_parameter", denied)
    with pytest.raises(ClientError):
        SecretStore("/stack", lambda: ssm, clock).of(FORM)
