"""Typeform: the webhook `form_response`.

Documented at typeform.com/developers/webhooks. An answer names its field by reference; what the
field is called and of which type it is stands in the definition. A 404 or 410 switches the webhook
off at once.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Any

from shared.clients import About, FormClient, Kind, Refused, Result, acknowledge
from shared.clients.encodings import Fields, flat, objects_in, read_json, verbatim
from shared.clients.signatures import verify_signature
from shared.domain.aliases import canonical_name
from shared.domain.form import Form, Keys
from shared.domain.submission import Decoded
from shared.errors import MalformedRequestError
from shared.http import HttpRequest, Reply
from shared.texts import mark

NO_RESPONSE = mark("The webhook has no form response.")
PARTIAL = "form_response_partial"
MEANINGS = {"email": "email", "phone_number": "phone", "legal": "consent"}


def recognise(request: HttpRequest) -> Kind:
    return "submission" if "form_response" in read_json(request) else "ping"


def verify(request: HttpRequest, form: Form, keys: Keys, now: datetime) -> None:
    signature = request.headers.get("typeform-signature", "").removeprefix("sha256=")
    verify_signature(request, form, keys, now, signature, request.body, encoding="base64")


def decode(request: HttpRequest, form: Form) -> tuple[Decoded, ...]:
    content = read_json(request)
    response = content.get("form_response")
    if not isinstance(response, dict):
        raise MalformedRequestError(NO_RESPONSE)
    fields, meanings = _answers(response, frozenset(form.mapping.values()))
    hidden = response.get("hidden")
    token = response.get("token")
    text, base64 = verbatim(request.body)
    decoded = Decoded(
        client="typeform",
        # Sent while somebody is filling it in, under the token that the whole one has too.
        kind="partial" if content.get("event_type") == PARTIAL else "submission",
        fields=(*fields, *(flat(hidden) if isinstance(hidden, dict) else ())),
        meanings=meanings,
        content_type=request.headers.get("content-type", "")[:255],
        body=text,
        body_base64=base64,
        external_id=token if isinstance(token, str) and token else None,
        somebody_waits=False,
    )
    return (decoded,)


def answer(result: Result, request: HttpRequest) -> Reply:
    """As other webhooks, and for a form that is not published yet what makes it try again."""
    if isinstance(result, Refused) and result.problem.status == HTTPStatus.NOT_FOUND:
        problem = replace(result.problem, status=HTTPStatus.SERVICE_UNAVAILABLE)
        result = replace(result, problem=problem)
    return acknowledge(result, request)


def _answers(response: dict[str, Any], mapped: frozenset[str]) -> tuple[Fields, Fields]:
    """Answers by reference, or by what a mapping calls them, and what their fields tell of them."""
    definition = response.get("definition")
    known: dict[str, dict[str, Any]] = {}
    for field in _asked(definition.get("fields") if isinstance(definition, dict) else None):
        known |= {str(field[name]): field for name in ("id", "ref") if field.get(name)}
    fields: list[tuple[str, str]] = []
    meanings: list[tuple[str, str]] = []
    for answer in objects_in(response.get("answers")):
        asked = answer.get("field")
        asked = asked if isinstance(asked, dict) else {}
        names = [str(asked.get(name) or "") for name in ("ref", "id")]
        field = next((known[name] for name in names if name in known), {})
        title = str(field.get("title") or "")
        key = next((name for name in (*names, title) if name in mapped), "") or next(
            filter(None, (*names, title)), "answer"
        )
        kind = str(asked.get("type") or field.get("type") or "")
        name = MEANINGS.get(kind) or (None if canonical_name(key) else canonical_name(title))
        if name:
            meanings.append((key, name))
        fields += ((key, text) for text in _texts(answer))
    return tuple(fields), tuple(meanings)


def _asked(fields: object) -> Iterator[dict[str, Any]]:
    """The questions of a form, those of its groups too."""
    for field in objects_in(fields):
        yield field
        inner = field.get("properties")
        yield from objects_in(inner.get("fields") if isinstance(inner, dict) else None)


def _texts(answer: dict[str, Any]) -> Iterator[str]:
    """An answer's words; its value stands under the name of its type."""
    value = answer.get(str(answer.get("type")))
    if isinstance(value, dict):
        labels = value.get("labels")
        words = [
            *(labels if isinstance(labels, list) else []),
            value.get("label"),
            value.get("other"),
        ]
        told = [word for word in words if isinstance(word, str) and word]
        yield from told or (text for _, text in flat(value))
    elif value is not None:
        yield from (text for _, text in flat({"value": value}))


CLIENT = FormClient(
    about=(
        About(
            "Typeform",
            "Connect > Webhooks: the form's address, and a secret. A field is called by its "
            "reference; a mapping may name its title instead.",
            "`Typeform-Signature`: HMAC of the body, base64, with the secret `signing`.",
            "typeform.com/developers: payload, signature, retries; 404 and 410 switch it off.",
            "What the test request of its page holds.",
        ),
    ),
    decode=decode,
    recognise=recognise,
    verify=verify,
    signs=True,
    answer=answer,
)
