"""The process of the local AWS: ministack, run by the interpreter of `.local/engine`.

Four things are set before it starts:

- Nagle's algorithm is off. The engine's Lambda Runtime API writes headers and body apart, so with
  it every invocation waits 40 ms for a delayed acknowledgement.
- Invocations queue for a few places. The engine starts a process for each concurrent one, as AWS
  does: two hundred leads that wake at one moment would be two hundred Pythons starting here.
- Batches to a queue need the permission that they need on AWS: `sqs:SendMessage`. The engine asks
  for `sqs:SendMessageBatch`, which IAM does not have.
- It ends when its parent does, however that ended: standard input is a pipe that the parent holds,
  and its end is a SIGTERM, at which the engine saves its state. So even `kill -9` of `make run`
  leaves neither an orphan nor a loss.
"""

import os
import signal
import socketserver
import sys
import threading
from collections.abc import Callable
from typing import Any

from ministack.app import main as ministack
from ministack.core import iam_actions
from ministack.services import lambda_svc

PLACES = min(max(4, 2 * (os.cpu_count() or 1)), 16)


def queued(execute: Callable[..., Any]) -> Callable[..., Any]:
    places = threading.Semaphore(PLACES)

    def wait_and_execute(*args: Any) -> Any:
        with places:
            return execute(*args)

    return wait_and_execute


def as_iam_names_it(extract: Callable[..., str | None]) -> Callable[..., str | None]:
    def extract_and_rename(*args: Any) -> str | None:
        action = extract(*args)
        return action.removesuffix("Batch") if action and action.startswith("sqs:") else action

    return extract_and_rename


def end_with_the_parent() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    socketserver.StreamRequestHandler.disable_nagle_algorithm = True
    lambda_svc._execute_function_provided_warm = queued(  # noqa: SLF001 - no setting does it
        lambda_svc._execute_function_provided_warm  # noqa: SLF001
    )
    iam_actions.extract_iam_action = as_iam_names_it(iam_actions.extract_iam_action)
    threading.Thread(target=end_with_the_parent, daemon=True).start()
    ministack()


if __name__ == "__main__":
    main()
