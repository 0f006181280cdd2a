"""A DynamoDB that knows policy and takes everything else: it costs next to nothing and counts.

Policy items that are written are kept and can be read; any other write is answered and forgotten,
any other read finds nothing. `GET /` tells how many calls came since it was asked last.
"""

import asyncio
import json
import os
import sys
from http.client import HTTPConnection
from typing import Any

Item = dict[str, Any]


class Policy:
    """The items under `POLICY`, by key, and the number of calls."""

    def __init__(self) -> None:
        self._items: dict[tuple[str, str], Item] = {}
        self.calls = 0

    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """What DynamoDB answers to one call."""
        self.calls += 1
        match operation:
            case "GetItem":
                item = self._items.get(_key(request["Key"]))
                return {"Item": item} if item else {}
            case "BatchGetItem":
                return {
                    "Responses": {
                        table: [
                            self._items[_key(key)]
                            for key in wanted["Keys"]
                            if _key(key) in self._items
                        ]
                        for table, wanted in request["RequestItems"].items()
                    },
                    "UnprocessedKeys": {},
                }
            case "TransactWriteItems":
                for write in request["TransactItems"]:
                    self._keep(write.get("Put", {}).get("Item"))
        return {}

    def _keep(self, item: Item | None) -> None:
        if item is not None and item["PK"]["S"].startswith("POLICY"):
            self._items[_key(item)] = item


def _key(item: Item) -> tuple[str, str]:
    return item["PK"]["S"], item["SK"]["S"]


class Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, as much as an SDK needs."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, rest = self._received.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines[1:])
        }
        length = int(headers.get("content-length", 0))
        if not end or len(rest) < length:
            return
        self._received = rest[length:]
        body = json.dumps(self._answer(headers.get("x-amz-target", ""), rest[:length])).encode()
        reply = (
            "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\n"
            f"x-amzn-requestid: stub\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        assert isinstance(self._transport, asyncio.Transport)
        self._transport.write(reply.encode() + body)

    def _answer(self, target: str, body: bytes) -> object:
        if target:
            return self._policy.answer(target.partition(".")[2], json.loads(body))
        calls, self._policy.calls = self._policy.calls, 0
        return calls


def calls_so_far() -> int:
    """How many calls the stub of this process got since it was asked last."""
    address = os.environ["AWS_ENDPOINT_URL_DYNAMODB"].partition("//")[2]
    connection = HTTPConnection(address, timeout=10)
    try:
        connection.request("GET", "/")
        return int(connection.getresponse().read())
    finally:
        connection.close()


async def serve() -> None:
    policy = Policy()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(policy), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    # Ends with whoever started it.
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve())
