"""The secrets of forms, in SSM: policy holds only their names."""

import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import ClientError

from shared.adapters.timeouts import SHORT
from shared.adapters.trouble import trouble_as
from shared.domain.form import Form, Keys
from shared.errors import SecretUnavailableError

if TYPE_CHECKING:
    from types_boto3_ssm.client import SSMClient

KEPT_SECONDS = 300
"""How long a container may work with a secret that was replaced."""


@cache
def client() -> "SSMClient":
    return boto3.client("ssm", config=SHORT)


class SecretStore:
    """Asks for a form's secrets when they are first needed: most forms have none."""

    def __init__(
        self,
        path: str,
        connect: "Callable[[], SSMClient]" = client,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._connect = connect
        self._clock = clock
        self._known: dict[tuple[str, ...], tuple[float, dict[str, tuple[str, ...]]]] = {}

    def of(self, form: Form) -> Keys:
        """By what each secret is for, its values: one a line, two while it is rotated.

        Raises SecretUnavailableError for one that does not exist, or when SSM does not answer and
        was never asked before.
        """
        names = tuple(sorted({f"{self._path}/forms/{name}" for name in form.secrets.values()}))
        asked_at, values = self._known.get(names, (float("-inf"), {}))
        if self._clock() - asked_at >= KEPT_SECONDS:
            try:
                values = self._ask(names)
            except SecretUnavailableError:
                if not values:
                    raise
            self._known[names] = (self._clock(), values)
        return {use: values[f"{self._path}/forms/{name}"] for use, name in form.secrets.items()}

    def _ask(self, names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        return {name: self._ask_for(name) for name in names}

    def _ask_for(self, name: str) -> tuple[str, ...]:
        try:
            with trouble_as(SecretUnavailableError):
                answer = self._connect().get_parameter(Name=name, WithDecryption=True)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ParameterNotFound":
                raise
            raise SecretUnavailableError(name) from error
        lines = answer["Parameter"]["Value"].splitlines()
        return tuple(filter(None, map(str.strip, lines)))
