"""What Lambda hands to a function: requests, messages and records in AWS's own shapes."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlencode

from tests.crash.deployment import Json


class Result(NamedTuple):
    """What an invocation came to: a value, or the name of what it died of."""

    value: Any = None
    error: str | None = None


@dataclass
class Message:
    number: int
    body: str
    receives: int = 0


def received(message: Message, queue: str) -> Json:
    return {
        "messageId": str(message.number),
        "receiptHandle": "r",
        "body": message.body,
        "attributes": {"ApproximateReceiveCount": str(message.receives)},
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:eu-central-1:123456789012:{queue}",
        "awsRegion": "eu-central-1",
    }


def streamed(record: Json) -> Json:
    moment = record["dynamodb"]["ApproximateCreationDateTime"]
    return {
        **record,
        "dynamodb": {**record["dynamodb"], "ApproximateCreationDateTime": str(moment)},
    }


class Context:
    memory_limit_in_mb = 512
    aws_request_id = "52fdfc07-2182-154f-163f-5f0f9a621d72"

    def __init__(self, name: str) -> None:
        self.function_name = name
        self.invoked_function_arn = f"arn:aws:lambda:eu-central-1:123456789012:function:{name}"

    def get_remaining_time_in_millis(self) -> int:
        return 9000


def request(
    method: str, path: str, form: Mapping[str, str] | None, headers: Mapping[str, str], number: int
) -> tuple[str, Json]:
    """A request through the API: the function of its route, and what that is given."""
    if found := re.fullmatch(r"/v1/forms/([^/]+)/submissions", path):
        name, parameters = "SubmitFormFunction", {"form_id": found[1]}
    elif found := re.fullmatch(r"/[lr]/([^/]+)", path):
        name, parameters = "FollowUpLeadFunction", {"code": found[1]}
    else:
        raise ValueError(path)
    sent = {"host": "api.example.com", **headers}
    body = ""
    if form is not None:
        sent["content-type"] = "application/x-www-form-urlencoded"
        body = base64.b64encode(urlencode(form).encode()).decode()
    event = {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": sent,
        "pathParameters": parameters,
        "requestContext": {
            "requestId": f"request-{number}",
            "stage": "$default",
            "http": {"method": method, "path": path, "sourceIp": "203.0.113.10"},
        },
        "isBase64Encoded": bool(body),
        **({"body": body} if body else {}),
    }
    return name, event
