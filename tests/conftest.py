"""For every test:

an AWS account that does not exist, so that nothing can reach a real one by accident; and no limit
of time for an example of hypothesis, since a busy machine is no bug.
"""

import os

from hypothesis import settings

settings.register_profile("leadline", deadline=None)
settings.load_profile("leadline")

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
