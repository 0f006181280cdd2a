"""A little AWS around the real handlers: deterministic, with a clock of its own.

Events go in where AWS would hand them over, calls go out through the real adapters, and in between
stand the stream, the bus, the queues, the machine and the schedule as the template describes them.
DynamoDB is moto's. Everything happens one after the other, in the order of virtual time.
"""

import heapq
import importlib
import json
import logging
import os
import random
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple, Self
from unittest.mock import patch

from botocore.client import BaseClient
from botocore.validate import validate_parameters

from infra.cli.policy_files import read_policy
from shared.adapters.dynamodb import Table, client
from shared.adapters.people_table import PeopleTable
from shared.adapters.policy_store import PolicyStore
from shared.domain.roster import Rep
from shared.settings import settings
from tests.crash.database import Database
from tests.crash.deployment import FOREVER, Json, Mapped, deployment, matches
from tests.crash.envelopes import Context, Message, Result, received, request, streamed
from tests.crash.executions import Executions
from tests.crash.faults import Call, Cut, Faults, Killed, aws_answered_by, refusal

START = datetime(2026, 11, 20, 9, 0, 20, tzinfo=UTC)
POLICY = Path(__file__).parents[2] / "infra/policy"
STREAM_KEEPS = timedelta(hours=24)
STREAM_WAITS = (1, 2, 4, 8, 16, 32, 60)
"""Seconds between Lambda's tries of a batch of the stream that fails."""

_invocation: ContextVar["Invocation | None"] = ContextVar("invocation", default=None)

Policy = Mapping[str, object]
CutPoint = Callable[[Call, Cut], Any]


class Invocation(NamedTuple):
    number: int
    function: str
    deadline: datetime
    event: Json


class Published(NamedTuple):
    """A message that SNS took, in the order in which it did."""

    at: datetime
    call: int
    lead_id: str
    alert_id: str
    via: str
    to: str
    """The phone number, or the id of the person whose mailbox it reaches."""
    text: str


class Response(NamedTuple):
    """What a client of the HTTP API sees; status 0 when the answer never came."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = {}


class World:
    """One run. Use it as a context: in it, the handlers live in this world."""

    def __init__(
        self,
        policy: Policy | None = None,
        people: tuple[Rep, ...] = (),
        cut: CutPoint | None = None,
        *,
        sweeper: bool = False,
        off: frozenset[str] = frozenset(),
        hop_seconds: float = 0,
        seed: int = 0,
        opted_out: frozenset[str] = frozenset(),
        unconfirmed: frozenset[str] = frozenset(),
    ) -> None:
        self.deployment = deployment()
        self.cut = cut or Faults()
        self.off = set(off)
        """Functions that are not called: what is meant for them waits."""
        if not sweeper:
            self.off |= {"SweepFollowUpsFunction"}
        self.people = people
        self.opted_out = opted_out
        """Numbers whose owners answered STOP."""
        self.unconfirmed = unconfirmed
        """Addresses whose owners never followed the link in AWS's mail."""
        self.now = START
        self.hop_seconds = hop_seconds
        """How long a message, a wake-up or a run of the sweeper is under way."""
        self.seed = seed
        self.calls: list[Call] = []
        self.invocations = 0
        self.outbox: list[Published] = []
        (machine,) = self.deployment.machines.values()
        self.executions = Executions(machine, self)
        self.queues: dict[str, list[Message]] = {name: [] for name in self.deployment.queues}
        self.stream: list[tuple[datetime, Json]] = []
        self.crashes: list[str] = []
        """Invocations that died, by what of."""
        self.on_call: list[Callable[[Call, Json], None]] = []
        """Told of every call that was made, with its answer."""
        self.database = _seeded(json.dumps(policy or {}, sort_keys=True), people).twin()
        self._agenda: list[tuple[datetime, int, Callable[[], None]]] = []
        self._scheduled = 0
        self._messages = 0
        self._stream_failures = 0
        self._stream_polled = False
        self._patches = ExitStack()
        self.random = random.Random(seed)

    # --- the world as a context ------------------------------------------------------------------

    def __enter__(self) -> Self:
        enter = self._patches.enter_context
        enter(aws_answered_by(self._call))
        enter(patch("time.sleep", self.sleep))
        enter(
            patch(
                "secrets.token_hex",
                lambda size: f"{self.random.getrandbits(8 * size):0{2 * size}x}",
            )
        )
        enter(patch("secrets.choice", self.random.choice))
        enter(patch.dict(os.environ))
        for function in self.deployment.functions.values():
            module = _module(function.module)
            if hasattr(module, "datetime"):
                enter(patch.object(module, "datetime", SimpleNamespace(now=lambda _: self.now)))
            _forget(module)
        random.seed(self.seed)
        logging.disable(logging.CRITICAL)
        for name, seconds in self.deployment.schedules.items():
            if name in self.off:
                continue
            first = self.now.replace(second=0, microsecond=0) + timedelta(seconds=seconds)
            first += timedelta(seconds=self.hop_seconds)
            self.at(first, partial(self._tick, name, seconds))
        return self

    def __exit__(self, *error: object) -> None:
        self._patches.close()
        logging.disable(logging.NOTSET)
        settings.cache_clear()
        for function in self.deployment.functions.values():
            _forget(_module(function.module))

    # --- time ------------------------------------------------------------------------------------

    def at(self, moment: datetime, action: Callable[[], None]) -> None:
        """Has something happen at a moment, or now if that is past."""
        self._scheduled += 1
        heapq.heappush(self._agenda, (max(moment, self.now), self._scheduled, action))

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        self.at(self.now + timedelta(seconds=seconds), action)

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def run(self, until: datetime | None = None) -> None:
        """Lets things happen: until a moment, or until nothing is left to happen."""
        while self._agenda and (until is None or self._agenda[0][0] <= until):
            moment, _, action = heapq.heappop(self._agenda)
            self.now = max(self.now, moment)
            action()
        if until is not None:
            self.now = max(self.now, until)

    # --- Lambda ----------------------------------------------------------------------------------

    def invoke(self, name: str, event: Json) -> Result:
        """Runs a handler as Lambda would: in its environment, for as long as it may."""
        function = self.deployment.functions[name]
        module = _module(function.module)
        self.invocations += 1
        deadline = self.now + timedelta(seconds=function.timeout_seconds)
        invocation = Invocation(self.invocations, name, deadline, event)
        os.environ.update(function.environment)
        settings.cache_clear()
        token = _invocation.set(invocation)
        try:
            value = getattr(module, function.attribute)(event, Context(name))
        except Killed:
            return self._died(name)
        except Exception as error:  # noqa: BLE001 - Lambda takes whatever comes
            self.crashes.append(f"{name}: {type(error).__name__}")
            return Result(error=type(error).__name__)
        finally:
            _invocation.reset(token)
            for key in function.environment:
                os.environ.pop(key, None)
        if self.now > deadline:
            return self._died(name)
        # What Lambda hands on is JSON.
        return Result(json.loads(json.dumps(value)))

    def _died(self, name: str) -> Result:
        """The next invocation finds a new process."""
        _forget(_module(self.deployment.functions[name].module))
        self.crashes.append(f"{name}: killed")
        return Result(error="Sandbox.Timedout")

    def _tick(self, name: str, seconds: int) -> None:
        self.after(seconds, lambda: self._tick(name, seconds))
        # A minute in which no lead waits for anything finds nothing, by sixteen queries: left out.
        if self.database.has("due_at"):
            self.invoke(name, {"time": self.now.isoformat()})

    # --- HTTP ------------------------------------------------------------------------------------

    def http(
        self,
        method: str,
        path: str,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """A request through the API to the function of its route."""
        name, event = request(method, path, form, headers or {}, self.invocations)
        result = self.invoke(name, event)
        if result.error is not None:
            return Response(503, '{"message":"Service Unavailable"}')
        return Response(
            result.value["statusCode"],
            result.value.get("body", ""),
            result.value.get("headers", {}),
        )

    # --- calls to AWS ----------------------------------------------------------------------------

    def _call(self, client: BaseClient, operation: str, arguments: Json) -> Any:
        model = client.meta.service_model
        name = f"{model.service_name}.{operation}"
        shape = model.operation_model(operation).input_shape
        invocation = _invocation.get()
        if invocation is None:
            return self._make(client, name, operation, arguments, None)
        if self.now > invocation.deadline:
            raise Killed(name)
        if model.service_name != "dynamodb" and shape is not None:
            validate_parameters(arguments, shape)
        call = Call(len(self.calls), name, arguments, invocation.number, invocation.function)
        self.calls.append(call)

        def make() -> Any:
            answer = self._make(client, name, operation, arguments, call)
            for listener in self.on_call:
                listener(call, answer)
            return answer

        def hang() -> None:
            config: Any = client.meta.config
            tries = config.retries["total_max_attempts"]
            self.sleep(config.read_timeout * tries)

        def refuse(code: str) -> Exception:
            return refusal(client, operation, arguments, code)

        def refuse_some() -> Any:
            return self._refuse_last(operation, arguments)

        return self.cut(call, Cut(make, refuse, refuse_some, hang))

    def _make(
        self, client: BaseClient, name: str, operation: str, arguments: Json, call: Call | None
    ) -> Any:
        match name.partition(".")[0]:
            case "dynamodb":
                answer, records = self.database.perform(operation, arguments)
                if records and call is not None:
                    self.stream += [(self.now, record) for record in records]
                    self._poll_stream()
                return answer
            case "events":
                return self._put_events(arguments)
            case "sqs":
                return self._send_messages(arguments)
            case "stepfunctions":
                return self.executions.start(client, arguments)
            case "sns":
                return self._sns(client, operation, arguments, call)
        raise NotImplementedError(name)

    def _refuse_last(self, operation: str, arguments: Json) -> Any:
        """All entries but the last are taken."""
        taken = {**arguments, "Entries": arguments["Entries"][:-1]}
        if operation == "PutEvents":
            answer = self._put_events(taken)
            answer["Entries"].append({"ErrorCode": "ThrottlingException"})
            return {**answer, "FailedEntryCount": 1}
        answer = self._send_messages(taken)
        last = arguments["Entries"][-1]
        return {
            **answer,
            "Failed": [{"Id": last["Id"], "SenderFault": False, "Code": "InternalError"}],
        }

    # --- stream ----------------------------------------------------------------------------------

    def _stream_mapping(self) -> Mapped:
        (mapping,) = (m for m in self.deployment.mappings if m.source == self.database.name)
        return mapping

    def _poll_stream(self, seconds: float = 0) -> None:
        if not self._stream_polled:
            self._stream_polled = True
            self.after(seconds, self._pump_stream)

    def switch_on(self, name: str) -> None:
        self.off.discard(name)
        self._poll_stream()

    def _pump_stream(self) -> None:
        """One batch of the stream, in order; one that fails is read again before all others."""
        self._stream_polled = False
        mapping = self._stream_mapping()
        if mapping.function in self.off:
            return
        if mapping.bisects or mapping.record_age_seconds != FOREVER or mapping.reports_failures:
            raise NotImplementedError("the little AWS does not know these settings of the stream")
        self.stream = [
            (at, record)
            for at, record in self.stream
            if self.now - at < STREAM_KEEPS
            and (not mapping.patterns or any(matches(p, record) for p in mapping.patterns))
        ]
        batch = self.stream[: mapping.batch_size]
        if not batch:
            return
        event = {"Records": json.loads(json.dumps([streamed(record) for _, record in batch]))}
        taken = len(batch)
        if self.invoke(mapping.function, event).error is not None:
            self._stream_failures += 1
            if mapping.retries == FOREVER or self._stream_failures <= mapping.retries:
                wait = STREAM_WAITS[min(self._stream_failures, len(STREAM_WAITS)) - 1]
                self._poll_stream(wait)
                return
        self._stream_failures = 0
        del self.stream[:taken]
        if self.stream:
            self._poll_stream()

    # --- bus and queues --------------------------------------------------------------------------

    def _put_events(self, arguments: Json) -> Json:
        for entry in arguments["Entries"]:
            event = {
                "source": entry["Source"],
                "detail-type": entry["DetailType"],
                "detail": json.loads(entry["Detail"]),
            }
            for rule in self.deployment.rules:
                if rule.bus == entry["EventBusName"] and matches(rule.pattern, event):
                    self.send(rule.queue, json.dumps(_at_path(event, rule.input_path)))
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "e"} for _ in arguments["Entries"]]}

    def _send_messages(self, arguments: Json) -> Json:
        for entry in arguments["Entries"]:
            self.send(arguments["QueueUrl"], entry["MessageBody"])
        return {"Successful": [{"Id": entry["Id"]} for entry in arguments["Entries"]]}

    def send(self, queue: str, body: str) -> None:
        self._messages += 1
        message = Message(self._messages, body)
        self.queues[queue].append(message)
        mapping = self._mapping_of(queue)
        if mapping is not None and mapping.function in CONSUMERS:
            self.after(self.hop_seconds, lambda: self._hand_out(queue, mapping))

    def _mapping_of(self, queue: str) -> Mapped | None:
        return next((m for m in self.deployment.mappings if m.source == queue), None)

    def _hand_out(self, queue: str, mapping: Mapped) -> None:
        """One batch of what is visible."""
        facts = self.deployment.queues[queue]
        if mapping.function in self.off:
            return
        waiting = self.queues[queue]
        batch = waiting[: mapping.batch_size]
        if not batch:
            return
        del waiting[: mapping.batch_size]
        for message in batch:
            message.receives += 1
        back_at = self.now + timedelta(seconds=facts.visibility_seconds)
        event = {"Records": [received(message, queue) for message in batch]}
        result = self.invoke(mapping.function, event)
        if result.error is not None:
            failed = {str(message.number) for message in batch}
        elif mapping.reports_failures:
            failed = {
                f["itemIdentifier"] for f in (result.value or {}).get("batchItemFailures", [])
            }
        else:
            failed = set()
        for message in batch:
            if str(message.number) in failed:
                self.at(back_at, partial(self._come_back, queue, mapping, message))

    def _come_back(self, queue: str, mapping: Mapped, message: Message) -> None:
        facts = self.deployment.queues[queue]
        if facts.receives is not None and message.receives >= facts.receives:
            self.queues[facts.dead_letters or ""].append(message)
            return
        self.queues[queue].append(message)
        self._hand_out(queue, mapping)

    # --- SNS -------------------------------------------------------------------------------------

    def _sns(self, client: BaseClient, operation: str, arguments: Json, call: Call | None) -> Json:
        match operation:
            case "CheckIfPhoneNumberIsOptedOut":
                return {"isOptedOut": arguments["phoneNumber"] in self.opted_out}
            case "ListSubscriptionsByTopic":
                confirmed = [rep.email for rep in self.people if rep.email not in self.unconfirmed]
                return {
                    "Subscriptions": [
                        {"Protocol": "email", "Endpoint": email, "SubscriptionArn": "arn:aws:sns"}
                        for email in filter(None, confirmed)
                    ]
                }
            case "Publish" if arguments.get("PhoneNumber") in self.opted_out:
                raise refusal(client, operation, arguments, "OptedOut")
            case "Publish":
                return self._publish(arguments, call)
        raise NotImplementedError(operation)

    def _publish(self, arguments: Json, call: Call | None) -> Json:
        invocation = _invocation.get()
        if call is None or invocation is None:
            raise RuntimeError("only functions publish")
        # What is being worked on, as it stands on the message that the function was given.
        message = json.loads(invocation.event["Records"][0]["body"])
        attributes = arguments.get("MessageAttributes", {})
        is_sms = "PhoneNumber" in arguments
        published = Published(
            at=self.now,
            call=call.number,
            lead_id=message["lead_id"],
            alert_id=message["alert_id"],
            via="sms" if is_sms else "email",
            to=arguments["PhoneNumber"] if is_sms else attributes["rep_id"]["StringValue"],
            text=arguments["Message"],
        )
        self.outbox.append(published)
        return {"MessageId": f"message-{len(self.outbox)}"}


CONSUMERS = frozenset({"AdvanceFollowUpFunction", "ReplaySpillFunction", "SendAlertFunction"})
"""Functions that read queues here; what others would read stays in their queues."""


def _at_path(event: Json, path: str) -> Any:
    value: Any = event
    for name in path.removeprefix("$").split(".")[1:]:
        value = value[name]
    return value


@cache
def _module(name: str) -> ModuleType:
    return importlib.import_module(name)


def _forget(module: ModuleType) -> None:
    """A process begins anew: what the handler's module keeps is forgotten."""
    for value in vars(module).values():
        clear = getattr(value, "cache_clear", None)
        if clear is not None and getattr(value, "__module__", "") == module.__name__:
            clear()


@cache
def _seeded(policy: str, people: tuple[Rep, ...]) -> Database:
    """The table with a policy and people, before anything happened. Documents that are not given
    are those of the sample company.
    """
    (properties,) = deployment().tables.values()
    database = Database("LeadTable", properties)
    documents = {**read_policy(POLICY, {"SITE": "https://example.com"}), **json.loads(policy)}

    def call_aws(_: BaseClient, operation: str, arguments: Json) -> Any:
        return database.perform(operation, arguments)[0]

    with aws_answered_by(call_aws):
        table = Table(client(), "LeadTable")
        PolicyStore(table).publish(documents)
        for rep in people:
            PeopleTable(table).put_rep(rep)
    return database
