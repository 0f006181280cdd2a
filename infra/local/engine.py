"""The local AWS: starts and stops one ministack process and mends what a restart breaks.

IAM is enforced: each function runs with credentials of its own role. The console, the deploy and
tests call as the account's root, whose key is the engine's well-known `test`.
"""

import contextlib
import hashlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from infra.local.errors import LaptopError

if TYPE_CHECKING:
    from types_boto3_stepfunctions import SFNClient

ROOT = Path(__file__).resolve().parents[2]
ENGINE_PYTHON = ROOT / ".local" / "engine" / "bin" / "python"
REGION = "us-east-1"
DEFAULT_PORT = 8080
"""Of the pages; the engine listens on the next one."""
START_SECONDS = 60
STOP_SECONDS = 30
DRAIN_SECONDS = 1.0


def point_sdk_at(endpoint: str) -> None:
    """Make boto3 in this process talk to an engine, and to nothing else.

    A developer's own profile, endpoint or proxy must not lead a local run to a real account.
    """
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }


class Engine:
    """One engine on `127.0.0.1:port`, which keeps its state in `state_dir` when it is stopped.

    A killed engine loses what came since its start.
    """

    def __init__(self, state_dir: Path, port: int, log: Path) -> None:
        self.endpoint = f"http://127.0.0.1:{port}"
        self._state_dir = state_dir
        self._port = port
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.drain()
        self.stop()

    def start(self) -> None:
        """Return when the engine answers."""
        if not ENGINE_PYTHON.exists():
            raise LaptopError("the local engine is not installed: run `make setup`")
        scratch = self._state_dir / "tmp"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        forget_stream_positions(self._state_dir)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [ENGINE_PYTHON, "-P", Path(__file__).with_name("engine_main.py")],
                env=self._environment(scratch),
                cwd=self._state_dir,
                stdin=subprocess.PIPE,  # held open: its end tells the engine that we are gone
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches only us: the engine is stopped in order
            )
        self._wait_until_healthy(self._process)

    def drain(self) -> None:
        """Wait until what was written has left the table streams, which are not saved.

        Send no requests before.
        """
        if self.is_running():
            time.sleep(DRAIN_SECONDS)

    def stop(self) -> None:
        """Save the state and end the process."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise LaptopError(f"the engine did not stop and was killed: see {self._log}") from None
        finally:
            if process.stdin:
                process.stdin.close()
            # The functions of its session would notice by themselves, a moment later.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def point_sdk_here(self) -> None:
        """Make boto3 in this process talk to this engine, and to nothing else."""
        point_sdk_at(self.endpoint)

    def _environment(self, scratch: Path) -> dict[str, str]:
        """Nothing of the developer's own environment: functions inherit this one."""
        return {
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "HOME": str(scratch),
            "TMPDIR": str(scratch),
            "GATEWAY_PORT": str(self._port),
            "BIND_HOST": "127.0.0.1",  # its default is every interface
            "MINISTACK_HOST": "127.0.0.1",
            "IOT_MTLS_ENABLED": "0",  # its broker would listen on every interface
            "AUTH": "true",
            "LAMBDA_ACCOUNT_CONCURRENCY": "1000",  # as on AWS; engine_main.py has them queue
            "LAMBDA_WARM_TTL_SECONDS": "60",  # what a burst has started is ended soon after
            "AWS_ENDPOINT_URL": self.endpoint,
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self._state_dir),
            # Where functions write down the calls that they make (lambda_main.py), if anywhere.
            **{name: os.environ[name] for name in ["LEADLINE_CALLS"] if name in os.environ},
        }

    def _wait_until_healthy(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise LaptopError(f"the local engine ended while starting: see {self._log}")
            if self._answers():
                return
            time.sleep(0.05)
        self.stop()
        raise LaptopError(f"the local engine did not answer in {START_SECONDS} s: see {self._log}")

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=2)
        try:
            connection.request("GET", "/_ministack/health")
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False
        finally:
            connection.close()


def forget_stream_positions(state_dir: Path) -> None:
    """Start every table stream at its beginning.

    The engine saves how far each stream was read, but not the streams: after a restart it would
    skip as many new records.
    """
    file = state_dir / "lambda.json"
    if not file.exists():
        return
    state = json.loads(file.read_text())
    positions = state["payload"].get("dynamodb_stream_positions")
    if positions:
        positions["data"] = {}
        file.write_text(json.dumps(state))


def resume_executions(steps: "SFNClient") -> int:
    """Start again what the engine failed by stopping; return how many.

    The copy has the same input, so it waits for the same time or, if that has passed, acts at once.
    Its name follows from the original's, so nothing is ever resumed twice.
    """
    resumed = 0
    for machine in steps.list_state_machines()["stateMachines"]:
        arn = machine["stateMachineArn"]
        pages = steps.get_paginator("list_executions").paginate(stateMachineArn=arn)
        executions = [execution for page in pages for execution in page["executions"]]
        names = {execution["name"] for execution in executions}
        for execution in executions:
            successor = f"resumed-{hashlib.sha256(execution['name'].encode()).hexdigest()[:40]}"
            if execution["status"] != "FAILED" or successor in names:
                continue
            failed = steps.describe_execution(executionArn=execution["executionArn"])
            if failed.get("error") == "States.ServiceRestart":
                steps.start_execution(
                    stateMachineArn=arn, name=successor, input=failed.get("input", "{}")
                )
                resumed += 1
    return resumed
