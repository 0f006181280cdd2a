"""Step Functions: one execution per lead and run, which does nothing but wake the lead in time."""

import json
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

import boto3

from shared.adapters.timeouts import SHORT
from shared.adapters.trouble import trouble_as
from shared.domain.instants import iso
from shared.errors import WakeUpNotSetError

if TYPE_CHECKING:
    from types_boto3_stepfunctions.client import SFNClient


@cache
def client() -> "SFNClient":
    return boto3.client("stepfunctions", config=SHORT)


class Escalation:
    """Starts the machine.

    Its input holds ids and a time; a lead's data never travels through it.
    """

    def __init__(self, stepfunctions: "SFNClient", machine_arn: str) -> None:
        self._stepfunctions = stepfunctions
        self._machine_arn = machine_arn

    def wake(self, lead_id: str, run: int, at: datetime) -> None:
        """Wakes the lead at a moment and from then on at each next one.

        Once started, it stays so. Raises WakeUpNotSetError when Step Functions is in trouble.
        """
        try:
            with trouble_as(WakeUpNotSetError):
                self._stepfunctions.start_execution(
                    stateMachineArn=self._machine_arn,
                    name=f"{lead_id}-{run}",
                    input=json.dumps({"lead_id": lead_id, "run": run, "wake_at": iso(at)}),
                )
        except self._stepfunctions.exceptions.ExecutionAlreadyExists:
            # Somebody was faster, or the run has ended: then the sweeper wakes the lead.
            return
