"""`leadline redrive`: lists the queues of what failed, and sends their messages where they belong.

By receive, send and delete, not by SQS's own move task: that one works in the background, and
refuses messages that did not come from a queue, as EventBridge's do not. A message that is sent and
not deleted comes twice, which everything here bears.
"""

import json
from argparse import Namespace
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3

from infra.cli import deployment
from infra.cli.commands import Commands, lines
from infra.cli.deployment import Deployment, OperatorError
from shared.adapters.timeouts import SHORT

if TYPE_CHECKING:
    from types_boto3_sqs.client import SQSClient
    from types_boto3_sqs.type_defs import MessageTypeDef

MOVES = {
    "AdvanceDeadLetters": "AdvanceQueue",
    "AlertDeadLetters": "AlertQueue",
    "MeasureDeadLetters": "MeasureQueue",
    "SpillDeadLetters": "SpillQueue",
}
"""Where messages of a dead-letter queue came from."""
UNDELIVERED = "UndeliveredEvents"
PARKED = "ParkedRecords"
QUEUES = (*MOVES, UNDELIVERED, PARKED)
BATCH = 10
MOST_BYTES = 250_000
"""Of one call, as long as every region and the local engine take that much."""
HIDDEN_SECONDS = 60
"""Longer than sending one batch takes; what stays is shown again at the end, or after it."""

WAIT_SECONDS = 1
"""Any wait asks every server of a queue; without one, a few answer, which may know of none."""


class Moved(NamedTuple):
    moved: int
    kept: int
    """Messages that nobody can tell where they belong, or that the queue did not take."""


def add_commands(areas: Commands) -> None:
    command = areas.add_parser(
        "redrive",
        help="show what failed, or send it again",
        description="Without a queue: how many messages each has. Nothing is moved.",
    )
    command.add_argument("queue", nargs="*", metavar="QUEUE", help=", ".join(QUEUES))
    command.add_argument("--all", action="store_true", help="every queue that can be moved")
    deployment.add_stack(command)
    command.set_defaults(run=run)


def run(options: Namespace) -> int:
    stack = deployment.find(options.stack)
    sqs = boto3.client("sqs", config=SHORT)
    wanted = [*MOVES, UNDELIVERED] if options.all else options.queue
    if unknown := sorted(set(wanted) - set(QUEUES)):
        raise OperatorError(f"no such queue: {', '.join(unknown)}")
    if not wanted:
        rows = [("QUEUE", "MESSAGES")]
        rows += [(name, str(count(sqs, stack.resource(name)))) for name in QUEUES]
        print(lines(rows))
        return 0
    status = 0
    for name in wanted:
        if name == PARKED:
            _show_parked(sqs, stack)
            continue
        moved = redrive(sqs, stack, name)
        kept = f", {moved.kept} kept" if moved.kept else ""
        print(f"{name}: {moved.moved} sent again{kept}")
        status = 1 if moved.kept else status
    return status


def count(sqs: "SQSClient", url: str) -> int:
    """About how many messages a queue holds, those in somebody's hands included."""
    attributes = sqs.get_queue_attributes(
        QueueUrl=url,
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    waiting = int(attributes["ApproximateNumberOfMessages"])
    return waiting + int(attributes["ApproximateNumberOfMessagesNotVisible"])


def redrive(sqs: "SQSClient", stack: Deployment, name: str) -> Moved:
    """Empties one queue of what failed into the queues that its messages are for."""
    source = stack.resource(name)
    moved = 0
    held: dict[str, str] = {}
    for messages in _batches(sqs, source, held):
        by_target: dict[str | None, list[MessageTypeDef]] = {}
        for message in messages:
            target = _target(stack, name, message)
            by_target.setdefault(target, []).append(message)
        for target, group in by_target.items():
            for message in _move(sqs, source, target, group) if target else []:
                del held[message["MessageId"]]
                moved += 1
    _show_again(sqs, source, held)
    return Moved(moved, len(held))


def _batches(sqs: "SQSClient", url: str, held: dict[str, str]) -> Iterator[list["MessageTypeDef"]]:
    """Each message once, until the queue has no more to show or begins again.

    `held` gets the receipt handle of each by its id: they are hidden meanwhile.
    """
    seen: set[str] = set()
    while True:
        answer = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=BATCH,
            VisibilityTimeout=HIDDEN_SECONDS,
            WaitTimeSeconds=WAIT_SECONDS,
            MessageAttributeNames=["All"],
        )
        messages = answer.get("Messages", [])
        fresh = [message for message in messages if message["MessageId"] not in seen]
        held.update({message["MessageId"]: message["ReceiptHandle"] for message in messages})
        seen.update(held)
        if fresh:
            yield fresh
        if not messages or len(fresh) < len(messages):
            return


def _show_again(sqs: "SQSClient", url: str, held: Mapping[str, str]) -> None:
    """What stays need not be hidden any longer."""
    handles = list(held.values())
    for start in range(0, len(handles), BATCH):
        sqs.change_message_visibility_batch(
            QueueUrl=url,
            Entries=[
                {"Id": str(place), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                for place, handle in enumerate(handles[start : start + BATCH])
            ],
        )


def _target(stack: Deployment, name: str, message: "MessageTypeDef") -> str | None:
    """The URL of the queue that a message is for."""
    if name in MOVES:
        return stack.resource(MOVES[name])
    # EventBridge says which queue it could not reach: a rule's target.
    attributes = message.get("MessageAttributes") or {}
    arn = attributes["TARGET_ARN"].get("StringValue", "") if "TARGET_ARN" in attributes else ""
    for queue in MOVES.values():
        url = stack.resource(queue)
        if url.rpartition("/")[2] == arn.rpartition(":")[2]:
            return url
    return None


def _move(
    sqs: "SQSClient", source: str, target: str, messages: list["MessageTypeDef"]
) -> list["MessageTypeDef"]:
    """Sends, then deletes what was taken, and returns it."""
    taken: list[MessageTypeDef] = []
    for batch in _by_size(messages):
        answer = sqs.send_message_batch(
            QueueUrl=target,
            Entries=[
                {"Id": str(place), "MessageBody": as_sent(message["Body"])}
                for place, message in enumerate(batch)
            ],
        )
        taken += [batch[int(entry["Id"])] for entry in answer.get("Successful", [])]
    if taken:
        sqs.delete_message_batch(
            QueueUrl=source,
            Entries=[
                {"Id": str(place), "ReceiptHandle": message["ReceiptHandle"]}
                for place, message in enumerate(taken)
            ],
        )
    return taken


def _by_size(messages: list["MessageTypeDef"]) -> Iterator[list["MessageTypeDef"]]:
    """Parts that one call can take: a spilled request may fill most of it."""
    part: list[MessageTypeDef] = []
    size = 0
    for message in messages:
        length = len(as_sent(message["Body"]).encode())
        if part and size + length > MOST_BYTES:
            yield part
            part, size = [], 0
        part.append(message)
        size += length
    yield part


def as_sent(body: str) -> str:
    """What the queue expects: the detail alone, where EventBridge kept the event around it."""
    try:
        content: Any = json.loads(body)
    except ValueError:
        return body
    if isinstance(content, dict) and {"detail-type", "detail"} <= content.keys():
        return json.dumps(content["detail"])
    return body


def _show_parked(sqs: "SQSClient", stack: Deployment) -> None:
    """Keys of records that are no event of this version: they are looked at, not moved."""
    url = stack.resource(PARKED)
    held: dict[str, str] = {}
    for messages in _batches(sqs, url, held):
        for message in messages:
            print(message["Body"])
    _show_again(sqs, url, held)
    print(f"{PARKED}: {len(held)} shown, none moved: mend the record, then `leadline republish`")
