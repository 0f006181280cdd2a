"""AWS for unit tests: moto, in this process."""

from moto import mock_aws
from moto.core.models import MockAWS


def in_moto() -> MockAWS:
    """An AWS account that begins empty.

    boto3's session outlives it: a new one would read the descriptions of all services again, which
    takes longer than most tests.
    """
    return mock_aws(config={"core": {"reset_boto3_session": False}})
