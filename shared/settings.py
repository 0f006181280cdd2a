"""What the template tells a function through its environment.

Read when first asked for, never at import.
"""

import os
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Settings:
    """Names and addresses of this deployment's parts; empty where a function has no business with
    one.
    """

    table_name: str
    bus_name: str
    alert_topic_arn: str
    alert_email_from: str
    """Whom alerts by e-mail come from; empty where SNS sends them."""
    ops_topic_arn: str
    advance_queue_url: str
    alert_queue_url: str
    parking_queue_url: str
    canary_queue_url: str
    spill_queue_url: str
    secrets_path: str
    """Where parameters of this deployment are: `/<stack>`."""
    state_machine_arn: str
    public_url: str
    """Where links in alerts point, without a slash at the end."""


@cache
def settings() -> Settings:
    """The settings of this process."""
    read = os.environ.get
    return Settings(
        table_name=read("TABLE_NAME", ""),
        bus_name=read("BUS_NAME", ""),
        alert_topic_arn=read("ALERT_TOPIC_ARN", ""),
        alert_email_from=read("ALERT_EMAIL_FROM", ""),
        ops_topic_arn=read("OPS_TOPIC_ARN", ""),
        advance_queue_url=read("ADVANCE_QUEUE_URL", ""),
        alert_queue_url=read("ALERT_QUEUE_URL", ""),
        parking_queue_url=read("PARKING_QUEUE_URL", ""),
        canary_queue_url=read("CANARY_QUEUE_URL", ""),
        spill_queue_url=read("SPILL_QUEUE_URL", ""),
        secrets_path=read("SECRETS_PATH", ""),
        state_machine_arn=read("STATE_MACHINE_ARN", ""),
        public_url=read("PUBLIC_URL", "").rstrip("/"),
    )


def is_starting() -> bool:
    """Whether Lambda imports us: its INIT has a whole CPU, and no visitor waits for it.

    Asked at import, unlike everything else here: that is the moment it is about.
    """
    return "AWS_LAMBDA_INITIALIZATION_TYPE" in os.environ
