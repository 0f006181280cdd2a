"""What capture costs without AWS: the CPU of one JSON submission, in microseconds.

    python -S own.py EVENT.json

Policy is read from the stub once; what is written then goes nowhere. The last line that it prints
is JSON; logs go before it.
"""

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shared.adapters import dynamodb
from shared.adapters.filing import Filing
from shared.clients import native
from shared.domain.capture import captured
from shared.domain.submission import accept
from shared.http import HttpRequest, gettext_in
from submit_form import handler as function
from tests.load.probe import Context

BLOCK, BLOCKS = 50, 20


class Forgetful:
    """A DynamoDB that takes everything at once."""

    def transact_write_items(self, **_: object) -> dict[str, Any]:
        return {}


def median_us(call: Callable[[], object]) -> float:
    taken = []
    for _ in range(BLOCKS):
        started = time.process_time()
        for _ in range(BLOCK):
            call()
        taken.append((time.process_time() - started) / BLOCK * 1e6)
    return sorted(taken)[BLOCKS // 2]


def main() -> None:
    event = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    table = dynamodb.Table(Forgetful(), "leads")  # type: ignore[arg-type] # the one call capture makes
    parts = function.parts()._replace(filing=Filing(table))
    policies = parts.policies
    function.parts = lambda: parts  # type: ignore[assignment] # for this process
    policy = policies.current()
    form = policy.form("demo-en")
    assert form is not None

    def judged() -> object:
        now = datetime.now(UTC)
        (decoded,) = native.decode(HttpRequest.from_event(event), form)
        submission = accept(decoded, form, "0" * 32, now, "en", gettext_in("en"))
        return captured(submission, form, policy, now)

    context: Any = Context()
    whole = lambda: function.handler(event, context)  # noqa: E731 - as above, in one line
    median_us(whole)
    print(json.dumps({"judged": median_us(judged), "handler": median_us(whole)}))


if __name__ == "__main__":
    main()
