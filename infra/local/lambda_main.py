"""The process of one function: AWS's runtime client, run by the interpreter of `.local/runtime`.

Three things are added to it:

- Hot reload. An invocation that finds the source changed since this process started is handled by
  a new Python in the same process. Nothing that runs is interrupted, and the engine notices
  nothing.
- A line is printed before each result, because the engine waits 50 ms for the first line of a
  silent invocation: a warm one takes 10 ms instead of 60.
- Calls of AWS are written down when LEADLINE_CALLS names a file, for the tests that compare them
  with the policies.
"""

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from awslambdaric import bootstrap
from awslambdaric.lambda_runtime_client import InvocationRequest, LambdaRuntimeClient

FUNCTIONS = Path(os.environ["LAMBDA_TASK_ROOT"])
SOURCES = (FUNCTIONS, FUNCTIONS.parent / "shared")
HANDED_OVER = "LEADLINE_INVOCATION"


def fingerprint() -> int:
    """Differs when a file of the source was added, removed, moved or written.

    Half a millisecond.
    """
    stamps = []
    for source in SOURCES:
        for folder, _, names in os.walk(source):
            for name in names if not folder.endswith("__pycache__") else ():
                with contextlib.suppress(FileNotFoundError):  # an editor's temporary file
                    entry = os.stat(f"{folder}/{name}")  # noqa: PTH116 - Path takes twice as long
                    stamps.append((folder, name, entry.st_mtime_ns))
    return hash(tuple(stamps))


class Reloading:
    """Waits for the next invocation, and starts over with it when the source has changed."""

    def __init__(self, wait: Callable[[], Any]) -> None:
        self._wait = wait
        self._source = fingerprint()

    def next(self) -> Any:
        if HANDED_OVER in os.environ:
            return taken_over()
        request = self._wait()
        if fingerprint() != self._source:
            start_over(request)
        return request


def start_over(request: Any) -> None:
    fields = dict(vars(request))
    if isinstance(fields["event_body"], bytes):
        fields["event_body"] = fields["event_body"].decode()
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the next Python reads it
    file.write(json.dumps(fields).encode())
    file.flush()
    os.set_inheritable(file.fileno(), True)  # noqa: FBT003 - takes no keyword
    os.environ[HANDED_OVER] = str(file.fileno())
    os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - this very program again


def taken_over() -> Any:
    with os.fdopen(int(os.environ.pop(HANDED_OVER)), "rb") as file:
        file.seek(0)
        return InvocationRequest(**json.load(file))


def speaking(post: Callable[..., Any]) -> Callable[..., Any]:
    def speak_and_post(*args: Any, **kwargs: Any) -> Any:
        print("result follows", flush=True)
        return post(*args, **kwargs)

    return speak_and_post


def write_down(file: str) -> None:
    """Appends each call to the file: a line of JSON, written at once, as many processes write."""

    def write(model: Any, params: dict[str, Any], **_: Any) -> None:
        call = {
            "function": os.environ["AWS_LAMBDA_FUNCTION_NAME"],
            "service": model.service_model.service_name,
            "operation": model.name,
            "params": params,
        }
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(descriptor, f"{json.dumps(call)}\n".encode())
        os.close(descriptor)

    import boto3  # noqa: PLC0415 - a function that never calls AWS does without it

    boto3.setup_default_session()
    session = boto3.DEFAULT_SESSION
    assert session is not None  # noqa: S101 - just set up
    session.events.register("provide-client-params", write)


def main() -> None:
    if "LEADLINE_CALLS" in os.environ:
        write_down(os.environ["LEADLINE_CALLS"])
    client = LambdaRuntimeClient(os.environ["AWS_LAMBDA_RUNTIME_API"])
    client.wait_next_invocation = Reloading(client.wait_next_invocation).next
    client.post_invocation_result = speaking(client.post_invocation_result)
    client.post_invocation_error = speaking(client.post_invocation_error)
    bootstrap.run(sys.argv[1], client)


if __name__ == "__main__":
    main()
