"""The API on the laptop: HTTP in, Lambda Invoke on the engine, HTTP out.

The engine has an HTTP endpoint of its own, but without cookies, body limits and routes, and it
answers a failed function with its stack trace.
"""

import asyncio
import json
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from infra.local.gateway import Incoming, Outgoing, answer_from, event_for, internal_error
from infra.local.routes import Match, Route, RouteTable

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient
    from types_boto3_lambda.type_defs import InvocationResponseTypeDef

MAX_BODY = 10 * 1024 * 1024
MAX_EVENT = 6 * 1024 * 1024  # Lambda's limit on what it is invoked with
ANSWER_SECONDS = 30  # API Gateway waits no longer
WORKERS = 8  # more at once would only start more processes on a laptop
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
TOO_LONG = Outgoing.message(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Request Too Long")


class FrontDoor:
    """Answers every path that a route of the stack matches."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = RouteTable(routes)
        self._workers = asyncio.Semaphore(WORKERS)
        self._closed = False
        self._client: LambdaClient = boto3.client(
            "lambda",
            config=Config(
                max_pool_connections=WORKERS,
                read_timeout=ANSWER_SECONDS,
                retries={"total_max_attempts": 1},
            ),
        )

    def close(self) -> None:
        """Take no more requests, so that those taken can be worked off."""
        self._closed = True

    async def answer(self, request: Request) -> Response:
        answer = await self._outgoing(request)
        response = Response(answer.body, answer.status)
        response.raw_headers = [
            (name.encode("latin-1"), value.encode("latin-1", "replace"))
            for name, value in [*answer.headers, ("content-length", str(len(answer.body)))]
        ]
        return response

    async def _outgoing(self, request: Request) -> Outgoing:
        raw_path = request.scope["raw_path"].decode("latin-1")
        match = self._routes.match(request.method, raw_path)
        if match is None:
            return Outgoing.message(HTTPStatus.NOT_FOUND, "Not Found")
        body = await read_body(request)
        if body is None:
            return TOO_LONG
        incoming = Incoming(
            method=request.method,
            raw_path=raw_path,
            raw_query=request.scope["query_string"].decode("latin-1"),
            headers=[(k.decode("latin-1"), v.decode("latin-1")) for k, v in request.headers.raw],
            body=body,
            client_ip=request.client.host if request.client else "127.0.0.1",
            request_id=secrets.token_urlsafe(11) + "=",
            received_at=datetime.now(UTC),
        )
        return await self._invoke(match, incoming)

    async def _invoke(self, match: Match, incoming: Incoming) -> Outgoing:
        event = json.dumps(event_for(incoming, match)).encode()
        if len(event) > MAX_EVENT:
            return TOO_LONG
        async with self._workers:
            if self._closed:
                return Outgoing.message(HTTPStatus.SERVICE_UNAVAILABLE, "Service Unavailable")
            try:
                result = await run_in_threadpool(self._call, match.route.function, event)
            except (BotoCoreError, ClientError) as error:
                print(f"{match.route.key} was not answered: {error}", flush=True)
                return Outgoing.message(HTTPStatus.SERVICE_UNAVAILABLE, "Service Unavailable")
        returned = json.loads(result["Payload"].read() or b"null")
        if "FunctionError" in result:
            # Whoever runs this wants to know; whoever called must not.
            print(f"{match.route.key} failed: {returned.get('errorMessage')}", flush=True)
            answer = internal_error()
        else:
            answer = answer_from(returned)
        answer.headers.append(("apigw-requestid", incoming.request_id))
        return answer

    def _call(self, function: str, event: bytes) -> "InvocationResponseTypeDef":
        return self._client.invoke(FunctionName=function, Payload=event)


async def read_body(request: Request) -> bytes | None:
    """The body, or None if there is more of it than the API takes; chunked bodies are counted."""
    declared: Any = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > MAX_BODY:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return bytes(body)
