"""SES: e-mail from an address of the company's own."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol, cast

import boto3
from botocore.exceptions import ClientError

from shared.adapters.timeouts import ONCE


class Ses(Protocol):
    """What is used of the client."""

    def send_email(self, **message: Any) -> Mapping[str, str]: ...
    def get_suppressed_destination(self, *, EmailAddress: str) -> object: ...  # noqa: N803 - AWS's


@cache
def client() -> Ses:
    return cast("Ses", boto3.client("sesv2", config=ONCE))


def is_suppressed(ses: Ses, address: str) -> bool:
    """Whether SES sends nothing to an address any more, after a bounce or a complaint."""
    try:
        ses.get_suppressed_destination(EmailAddress=address)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NotFoundException":
            return False
        raise
    return True
