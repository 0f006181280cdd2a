"""Tells AWS's trouble, which another try may mend, from our own mistakes, which stay loud."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004 - theirs

from shared.errors import RetryableError

TOO_MUCH = frozenset(
    {
        "ExecutionLimitExceeded",
        "KmsThrottled",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestTimeout",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
"""What services answer with 400 and take later."""


@contextmanager
def trouble_as(kind: type[RetryableError]) -> Iterator[None]:
    """Raises `kind` with AWS's code when a call of the block was not answered, or not now.

    A missing right, a wrong name and the like are raised as they are.
    """
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if code in TOO_MUCH or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise kind(code) from error
        raise
    except (ConnectionError, HTTPClientError) as error:
        raise kind(type(error).__name__) from error
