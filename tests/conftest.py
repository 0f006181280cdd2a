"""For every test:

an AWS account that does not exist, so that nothing can reach a real one by accident; and no limit
of time for an example of hypothesis, since a busy machine is no bug.

The properties are tried on the same examples each time, so that one commit has one answer. `make
prove` looks for new ones: `--hypothesis-profile explore`.
"""

import os

from hypothesis import settings

settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.load_profile("repeatable")

os.environ |= {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    # As the template sets it: a dimension of every metric.
    "POWERTOOLS_SERVICE_NAME": "leadline",
}
os.environ.pop("AWS_PROFILE", None)
os.environ.pop("AWS_SESSION_TOKEN", None)
