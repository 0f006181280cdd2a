"""`make run`: the whole of Leadline in one foreground process, on one address of this computer.

Ctrl-C stops everything and keeps the data.
"""

import argparse
import fcntl
import os
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import IO, Self

import boto3
import uvicorn
from botocore.exceptions import BotoCoreError, ClientError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import Route

from infra.cli.policy_files import read_policy
from infra.local import people
from infra.local.console import POLICY_FOLDER, Console, Running
from infra.local.deploy import REPOSITORY, deploy
from infra.local.engine import DEFAULT_PORT, Engine, resume_executions
from infra.local.errors import LaptopError
from infra.local.front_door import METHODS, FrontDoor
from infra.local.function_logs import FunctionLogs
from infra.local.inbox import Collector, Inbox, Mailboxes
from infra.local.metrics_bridge import MetricsBridge
from shared.adapters.dynamodb import Table
from shared.adapters.lead_table import LeadTable
from shared.adapters.link_table import LinkTable
from shared.adapters.people_table import PeopleTable
from shared.adapters.policy_store import PolicyStore
from shared.errors import PolicyError, UnknownLinkError

LOCAL = REPOSITORY / ".local"
ENGINE_PORTS = 20


class Laptop:
    """The engine with the stack on it, and one address that serves the API and the console.

    `say` is told what is being done. With `email_from` alerts are mailed by SES, from there.
    """

    def __init__(
        self,
        port: int,
        state: Path,
        logs: Path,
        say: Callable[[str], None] = lambda _: None,
        *,
        email_from: str = "",
    ) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        self._state = state
        self._logs = logs
        self._say = say
        self._email_from = email_from
        self._socket: socket.socket | None = None
        self._engine: Engine | None = None
        self._door: FrontDoor | None = None
        self._server: Server | None = None
        self._ticker: Ticker | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Return when everything answers."""
        started_at_ms = int(time.time() * 1000)
        # Bound first and served last: what comes in between, an e-mail of a queue that goes on
        # where it was stopped, waits in the socket.
        self._socket = listen(self._port)
        engine_port = free_port(self._port + 1)
        self._say(f"starting the local AWS on port {engine_port}")
        engine = self._engine = Engine(self._state / "engine", engine_port, self._logs / "aws.log")
        engine.start()
        engine.point_sdk_here()

        self._say("deploying template.yaml")
        parameters = {"PublicUrl": self.url, "CanaryMinutes": "0"}
        if self._email_from:
            boto3.client("sesv2").create_email_identity(EmailIdentity=self._email_from)
            parameters |= {"EmailSender": "ses", "AlertEmailFrom": self._email_from}
        stack = deploy(parameters)
        dynamodb = boto3.client("dynamodb")
        table = Table(dynamodb, stack.outputs["TableName"])
        links, reps = LinkTable(table), PeopleTable(table)
        self._say("publishing infra/policy")
        documents = read_policy(POLICY_FOLDER, {"SITE": self.url})
        policy_version = PolicyStore(table).publish(documents)
        sample = people.sample_people()
        people.seed(reps, sample)

        sns = boto3.client("sns")
        inbox = Inbox(self._state / "inbox.jsonl", sample, lead_finder(links))
        mailboxes = Mailboxes(inbox, sns)
        door = self._door = FrontDoor(stack.routes)
        console = Console(
            url=self.url,
            team=sample[0].team,
            leads=LeadTable(table),
            people=reps,
            links=links,
            policies=PolicyStore(table),
            inbox=inbox,
            cloudwatch=boto3.client("cloudwatch"),
            running=Running(
                engine=engine.endpoint,
                functions=len(stack.functions),
                table=table.name,
                policy_version=policy_version,
                logs=self._logs,
                state=self._state,
            ),
        )
        app = Starlette(
            routes=[
                Route(people.MAILBOXES + "{rep_id}", mailboxes.receive, methods=["POST"]),
                *console.routes(),
                Route("/{path:path}", door.answer, methods=METHODS),
            ],
            # A page elsewhere must not reach this one under a name of its own.
            middleware=[
                Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
            ],
        )
        self._server = Server(app, self._socket)
        self._server.start()

        logs = FunctionLogs(
            boto3.client("logs"),
            self._logs / "functions.log",
            MetricsBridge(boto3.client("cloudwatch")).take,
            started_at_ms,
        )
        sent = Collector(inbox, engine.endpoint)
        collect_mail = [sent.collect_mail] if self._email_from else []
        self._ticker = Ticker([sent.collect_sms, *collect_mail, logs.collect])
        self._ticker.start()
        people.subscribe(sns, stack.outputs["AlertTopicArn"], sample, self.url)
        resumed = resume_executions(boto3.client("stepfunctions"))
        if resumed:
            self._say(f"going on with {resumed} follow-ups where they were stopped")

    def stop(self) -> None:
        """Finish what was begun, save, and end every process."""
        if self._door:
            self._door.close()
        if self._engine:
            # While its streams drain, the inbox still takes what is sent.
            self._engine.drain()
        if self._ticker:
            self._ticker.stop()
        if self._engine:
            self._engine.stop()
        if self._server:
            self._server.stop()
        if self._socket:
            self._socket.close()

    def check(self) -> None:
        """Raise LaptopError if a part has ended by itself."""
        if self._engine and not self._engine.is_running():
            raise LaptopError(f"the local AWS ended by itself: see {self._logs}/aws.log")
        for thread in (self._server, self._ticker):
            if thread and not thread.is_alive():
                raise LaptopError(f"the {thread.name} ended by itself: see above")


class Server(threading.Thread):
    """uvicorn in a thread of its own, so that signals stay with the main one."""

    def __init__(self, app: Starlette, listener: socket.socket) -> None:
        super().__init__(name="server", daemon=True)
        self._listener = listener
        self._uvicorn = uvicorn.Server(
            uvicorn.Config(
                app,
                lifespan="off",
                log_level="warning",
                server_header=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=2,
            )
        )

    def run(self) -> None:
        self._uvicorn.run(sockets=[self._listener])

    def stop(self) -> None:
        self._uvicorn.should_exit = True
        self.join(10)


class Ticker(threading.Thread):
    """Does a few small things every second."""

    def __init__(self, tasks: list[Callable[[], None]]) -> None:
        super().__init__(name="ticker", daemon=True)
        self._tasks = tasks
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(1.0):
            self._round()

    def stop(self) -> None:
        """Do everything once more, so that nothing of the last second is missed."""
        self._stopped.set()
        if self.is_alive():
            self.join()
            self._round()

    def _round(self) -> None:
        for task in self._tasks:
            try:
                task()
            except (BotoCoreError, ClientError, OSError) as error:
                print(f"in the background: {error}", file=sys.stderr, flush=True)


def lead_finder(links: LinkTable) -> Callable[[str], str | None]:
    """Which lead the code of a short link opens."""

    def find(code: str) -> str | None:
        try:
            return links.link(code, datetime.now(UTC)).lead_id
        except UnknownLinkError:
            return None

    return find


def listen(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port), backlog=128)
    except OSError as error:
        raise LaptopError(
            f"port {port} cannot be used ({os.strerror(error.errno or 0)}): "
            f"stop what listens there, or choose another with `make run PORT={port + 10}`"
        ) from error


def free_port(first: int) -> int:
    """The engine's port. Nobody types it, so the next free one after the address will do."""
    for port in range(first, first + ENGINE_PORTS):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise LaptopError(f"no free port for the local AWS from {first} on")


def lock(folder: Path) -> IO[str]:
    """Make sure that one process has the data; the lock ends with the process."""
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / "lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        owner = file.read().strip() or "unknown"
        raise LaptopError(
            f"Leadline already runs from this folder (process {owner}): stop it first"
        ) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def main() -> int:
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="where everything is served")
    parser.add_argument("--fresh", action="store_true", help="forget all data and start empty")
    parser.add_argument("--data", type=Path, default=LOCAL, help="folder of the data and logs")
    parser.add_argument("--email-from", default="", help="mail alerts by SES, from this address")
    options = parser.parse_args()
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, interrupt)
    started = time.monotonic()
    state = options.data / "state"
    try:
        with lock(state):
            if options.fresh:
                shutil.rmtree(state / "engine", ignore_errors=True)
                (state / "inbox.jsonl").unlink(missing_ok=True)
            run(options.port, options.data, started, options.email_from)
    except (LaptopError, PolicyError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def run(port: int, data: Path, started: float, email_from: str = "") -> None:
    laptop = Laptop(port, data / "state", data / "log", say, email_from=email_from)
    try:
        laptop.start()
        say(WELCOME.format(url=laptop.url, port=_port_of(port), seconds=time.monotonic() - started))
        while True:
            time.sleep(1)
            laptop.check()
    except KeyboardInterrupt:
        say(f"\nstopping; the data is kept in {data / 'state'}")
    finally:
        # A second Ctrl-C must not tear the saving apart.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        laptop.stop()


WELCOME = """
Leadline is ready after {seconds:.1f} s. Ctrl-C stops it and keeps the data.

  {url}/           console
  {url}/demo-en    landing page (Russian: /demo-ru, without JavaScript: /demo-en/plain)
  {url}/inbox      every SMS and e-mail that was sent
  {url}/leads      leads and their stories
  {url}/dashboard  figures

`./leadline --local leads list`, and every other command, works on it{port}.
"""


def _port_of(port: int) -> str:
    """What the commands need to know of an unusual port."""
    return "" if port == DEFAULT_PORT else f" with PORT={port} before it"


def interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - signal's signature
    raise KeyboardInterrupt


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
