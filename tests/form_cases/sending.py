"""How a case reaches the code: over HTTP to the running stack, or to the handler with its clock."""

import http.client
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple, cast
from urllib.parse import quote, urlsplit

from aws_lambda_powertools.utilities.typing import LambdaContext

from infra.local.gateway import Incoming, Outgoing, answer_from, event_for
from infra.local.routes import Route, RouteTable
from shared.http import HttpRequest, Reply, http_function
from submit_form.service import Parts, Received, submission_id_of, submit_form
from tests.form_cases.case import Sent

SECONDS = 60.0
OURS = frozenset({"host", "content-length", "connection", "transfer-encoding"})
"""What belongs to a connection and not to the client."""
SAFE = "/?&=%:;,+@!$'()*~#[]"
ROUTES = RouteTable([Route("ANY", "/v1/forms/{form_id}/submissions", "submit_form")])


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: str


Send = Callable[[Sent], Answer]


def over_http(url: str) -> Send:
    """Sends to a running stack: these headers and these bytes, and nothing that a library adds."""
    address = urlsplit(url)

    def send(sent: Sent) -> Answer:
        connection = http.client.HTTPConnection(
            str(address.hostname), address.port, timeout=SECONDS
        )
        try:
            connection.putrequest(sent.method, quote(sent.target, SAFE), skip_accept_encoding=True)
            for name, value in _of_client(sent):
                connection.putheader(name, value.encode())
            if sent.body or sent.method != "GET":
                connection.putheader("Content-Length", str(len(sent.body)))
            connection.endheaders(sent.body or None)
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, headers, response.read().decode("utf-8", "replace"))
        finally:
            connection.close()

    return send


class Context:
    """As much of a function's context as the handler asks for."""

    aws_request_id = "case"


def at_the_handler(parts: Parts, now: datetime) -> Send:
    """Sends to the function in this process, at a time of our own: deployed ones have no such
    switch."""

    @http_function
    def handler(request: HttpRequest) -> Reply:
        return submit_form(request, parts, Received(now, submission_id_of(request))).reply

    def send(sent: Sent) -> Answer:
        path, _, query = sent.target.partition("?")
        match = ROUTES.match(sent.method, path)
        if match is None:
            return _read(Outgoing(404))
        incoming = Incoming(
            method=sent.method,
            raw_path=path,
            raw_query=query,
            headers=[("Host", "api.example"), *_of_client(sent)],
            body=sent.body,
            client_ip="203.0.113.10",
            request_id="case",
            received_at=now.astimezone(UTC),
        )
        event = event_for(incoming, match)
        return _read(answer_from(handler(event, cast("LambdaContext", Context()))))

    return send


def _of_client(sent: Sent) -> list[tuple[str, str]]:
    return [(name, value) for name, value in sent.headers if name.lower() not in OURS]


def _read(outgoing: Outgoing) -> Answer:
    headers = {name.lower(): value for name, value in outgoing.headers}
    return Answer(outgoing.status, headers, outgoing.body.decode("utf-8", "replace"))
