"""What the functions log, brought to where a person finds it: one file, and metrics.

The engine keeps logs as CloudWatch does, and knows nothing of embedded metrics; this reads the new
lines once and hands them to both.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from types_boto3_logs import CloudWatchLogsClient

GROUPS = "/aws/lambda/"
OVERLAP_MS = 5000  # lines carry the time of the invocation's end and arrive a little later
NOISE = ("START RequestId", "END RequestId", "REPORT RequestId", "result follows")


class LogLine(NamedTuple):
    """A line, the end of its invocation and the function that wrote it."""

    at_ms: int
    function: str
    text: str


class FunctionLogs:
    """Follows the logs of all functions from now on."""

    def __init__(
        self,
        client: "CloudWatchLogsClient",
        file: Path,
        listener: Callable[[list[LogLine]], None],
        started_at_ms: int,
    ) -> None:
        self._client = client
        self._file = file
        self._listener = listener
        self._newest = started_at_ms
        self._started_at = started_at_ms
        self._seen: dict[str, int] = {}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text("")

    def collect(self) -> None:
        """Read what is new."""
        lines = [line for group in self._groups() for line in self._new_lines(group)]
        lines.sort(key=lambda line: line.at_ms)
        if not lines:
            return
        with self._file.open("a", encoding="utf-8") as file:
            file.writelines(
                f"{line.function} {line.text}\n"
                for line in lines
                if not line.text.startswith(NOISE)
            )
        self._listener(lines)
        horizon = self._newest - 2 * OVERLAP_MS
        self._seen = {stream: at for stream, at in self._seen.items() if at > horizon}

    def _groups(self) -> Iterator[str]:
        pages = self._client.get_paginator("describe_log_groups").paginate(
            logGroupNamePrefix=GROUPS
        )
        for page in pages:
            for group in page["logGroups"]:
                yield group.get("logGroupName", "")

    def _new_lines(self, group: str) -> list[LogLine]:
        since = max(self._newest - OVERLAP_MS, self._started_at)
        answer = self._client.filter_log_events(logGroupName=group, startTime=since)
        # One invocation is one stream and is written at once.
        before = set(self._seen)
        lines = []
        for event in answer["events"]:
            stream, at = event.get("logStreamName", ""), event.get("timestamp", 0)
            if stream in before:
                continue
            self._seen[stream] = at
            self._newest = max(self._newest, at)
            lines.append(LogLine(at, group.removeprefix(GROUPS), event.get("message", "")))
        return lines
