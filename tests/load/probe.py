"""One subject in a process of its own: its cold start, its warm requests, its memory.

    python -S probe.py MODULE EVENT.json ROUNDS

Prints what it measured as JSON. Imports as little as it can: what it imports, a subject gets free.
"""

import json
import os
import sys
import time
from importlib import import_module

BLOCK = 50
"""Requests that are timed together: the clock of a process is coarse."""


class Context:
    """What handlers read of Lambda's context."""

    aws_request_id = "8e03978e-40d5-43dd-bc93-6894a57f9324"
    function_name = "capture"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:capture"


def peak_mb() -> float | None:
    """The most memory that this process ever had resident; only Linux tells it of itself alone."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - see the module
            line = next(line for line in status if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return None
    return int(line.split()[1]) / 1024


def main() -> None:
    module, path, blocks = sys.argv[1:]
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - see the module
        event = json.load(file)
    answers, sys.stdout = sys.stdout, open(os.devnull, "w")  # noqa: PTH123, SIM115 - logs go nowhere
    context = Context()
    handler = import_module(module).handler
    imported = time.process_time()
    answer = handler(event, context)
    answered = time.process_time()
    if answer["statusCode"] != 201:
        raise SystemExit(f"{module} answered {answer}")
    from tests.load.stub import calls_so_far  # noqa: PLC0415 - after the cold start

    cold_calls = calls_so_far()
    for _ in range(BLOCK):
        handler(event, context)
    calls_so_far()
    warm = []
    for _ in range(int(blocks)):
        started = time.process_time()
        for _ in range(BLOCK):
            handler(event, context)
        warm.append((time.process_time() - started) / BLOCK)
    measured = {
        "init_ms": imported * 1e3,
        "first_ms": (answered - imported) * 1e3,
        "warm_us": sorted(warm)[len(warm) // 2] * 1e6,
        "cold_calls": cold_calls,
        "warm_calls": calls_so_far() / (len(warm) * BLOCK),
        "peak_mb": peak_mb(),
    }
    print(json.dumps(measured), file=answers)


if __name__ == "__main__":
    main()
