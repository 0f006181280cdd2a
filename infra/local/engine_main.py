"""The process of the local AWS: ministack, run by the interpreter of `.local/engine`.

Five things are set before it starts:

- Nagle's algorithm is off. The engine's Lambda Runtime API writes headers and body apart, so with
  it every invocation waits 40 ms for a delayed acknowledgement.
- Invocations queue for a few places. The engine starts a process for each concurrent one, as AWS
  does: two hundred leads that wake at one moment would be two hundred Pythons starting here.
- Batches to a queue need the permission that they need on AWS: `sqs:SendMessage`. The engine asks
  for `sqs:SendMessageBatch`, which IAM does not have.
- SNS answers what functions ask about numbers: it is outside the sandbox, and who has a number that
  ends in 99 has answered STOP.
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
from urllib.parse import parse_qs

from ministack.app import main as ministack
from ministack.core import iam_actions
from ministack.services import lambda_svc, sns

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


OPTED_OUT_ENDS = "99"

SNS_ANSWERS: dict[str, Callable[[dict[str, Any]], str]] = {
    "CheckIfPhoneNumberIsOptedOut": lambda asked: (
        f"<isOptedOut>{str(asked['phoneNumber'][0].endswith(OPTED_OUT_ENDS)).lower()}</isOptedOut>"
    ),
    "GetSMSSandboxAccountStatus": lambda _: "<IsInSandbox>false</IsInSandbox>",
    "ListSMSSandboxPhoneNumbers": lambda _: "<PhoneNumbers></PhoneNumbers>",
    "GetSMSAttributes": lambda _: (
        "<attributes><entry><key>MonthlySpendLimit</key><value>50</value></entry></attributes>"
    ),
}
"""What is in the results of actions that the engine does not know."""


def with_numbers(handle: Callable[..., Any]) -> Callable[..., Any]:
    async def answer_or_handle(
        method: str, path: str, headers: Any, body: bytes, query: dict[str, Any]
    ) -> Any:
        asked = {**query, **parse_qs(body.decode())}
        action = (asked.get("Action") or [""])[0]
        if action not in SNS_ANSWERS:
            return await handle(method, path, headers, body, query)
        result = f"<{action}Result>{SNS_ANSWERS[action](asked)}</{action}Result>"
        return sns._xml(200, f"{action}Response", result)  # noqa: SLF001 - as its own answers

    return answer_or_handle


def end_with_the_parent() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    socketserver.StreamRequestHandler.disable_nagle_algorithm = True
    lambda_svc._execute_function_provided_warm = queued(  # noqa: SLF001 - no setting does it
        lambda_svc._execute_function_provided_warm  # noqa: SLF001
    )
    iam_actions.extract_iam_action = as_iam_names_it(iam_actions.extract_iam_action)
    sns.handle_request = with_numbers(sns.handle_request)
    threading.Thread(target=end_with_the_parent, daemon=True).start()
    ministack()


if __name__ == "__main__":
    main()
