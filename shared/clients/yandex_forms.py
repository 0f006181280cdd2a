"""Yandex Forms, by their action "JSON-RPC POST" or "HTTP request".

The form's owner writes what they send, over IPv6 only and in the background. A JSON-RPC call is
answered as one.
"""

import json
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from shared.clients import About, FormClient, Refused, Result, generic
from shared.clients.encodings import flat, read_json
from shared.domain.form import Form
from shared.domain.submission import Decoded
from shared.errors import RejectedError
from shared.http import HttpRequest, Reply, json_reply


def decode(request: HttpRequest, form: Form) -> tuple[Decoded, ...]:
    decoded = generic.read(request, form, "yandex_forms")
    call = _call(request, form.legacy_charset)
    if call is not None and isinstance(call.get("params"), dict):
        fields = tuple(
            (generic.named(form, key, f"params.{key}"), text) for key, text in flat(call["params"])
        )
        secrets = {key for key, _ in fields if generic.is_key_field(key, form)}
        decoded = replace(decoded, fields=tuple(pair for pair in fields if pair[0] not in secrets))
        if secrets:
            decoded = replace(decoded, body=None, body_base64=None)
    return (decoded,)


def _call(request: HttpRequest, legacy_charset: str = "") -> dict[str, Any] | None:
    """The JSON-RPC call that a request is, if it is one."""
    if b'"jsonrpc"' not in request.body:
        return None
    try:
        content = read_json(request, legacy_charset)
    except RejectedError:
        return None
    return content if "jsonrpc" in content else None


def answer(result: Result, request: HttpRequest) -> Reply:
    call = _call(request)
    if call is None or isinstance(result, Refused):
        return generic.answer(result, request)
    content = {"jsonrpc": "2.0", "result": "ok", "id": _id_of(request, call)}
    return json_reply(HTTPStatus.OK, content)


def _id_of(request: HttpRequest, call: dict[str, Any]) -> object:
    """The call's id as it was sent: the number 5 is not the text "5"."""
    number = call.get("id")
    try:
        return number if json.loads(request.body)["id"] == number else json.loads(str(number))
    except (ValueError, KeyError):
        return number


CLIENT = FormClient(
    about=(
        About(
            "Yandex Forms",
            "Integrations > API: “JSON-RPC POST” with params such as `name`, `phone`, `email`, "
            "`consent`, or an HTTP request of your own. Put the answer's id among them and map "
            "`external_id` to it.",
            "A header of the request with the secret `key`.",
            "yandex.ru/support/forms: method, headers and body by the owner; sent over IPv6 only "
            "(the endpoint is dual-stack), in the background.",
            "The form of the envelope's `id`; which answer counts as a success.",
        ),
    ),
    decode=decode,
    verify=generic.verify,
    answer=answer,
    methods=("POST", "GET", "PUT"),
)
