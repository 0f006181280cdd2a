"""Jotform's webhook: multipart, the answers as JSON in the field `rawRequest`.

An answer is called `q3_name`; names, phones, dates and addresses are objects. `submissionID` names
the submission. Which other fields come along varies: they are not read. `webhookURL` is our own
address with its key and is never kept.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from shared.clients import About, FormClient, acknowledge, generic, native
from shared.clients.encodings import NO_OBJECT, flat, parse_json
from shared.domain.aliases import canonical_name
from shared.domain.attribution import tells_of_visit
from shared.domain.form import Form
from shared.domain.submission import Decoded
from shared.errors import MalformedRequestError
from shared.http import HttpRequest

RAW = "rawRequest"
ID_KEYS = ("submissionID", "submission_id")
NAME_KEYS = ("prefix", "first", "middle", "last", "suffix")
_QUESTION = re.compile(r"q\d+_(\w+)")


def decode(request: HttpRequest, form: Form) -> tuple[Decoded, ...]:
    decoded = generic.read(request, form, "jotform", lambda key: key == "webhookURL")
    raw = native.first(decoded.fields, RAW)
    content = parse_json(raw) if raw else dict(decoded.fields)
    if not isinstance(content, dict):
        raise MalformedRequestError(NO_OBJECT)
    mapped = set(form.mapping.values())
    fields: list[tuple[str, str]] = []
    meanings: list[tuple[str, str]] = []
    for key, value in content.items():
        question = _QUESTION.fullmatch(key)
        if question is None and not (key in mapped or tells_of_visit(key.lower())):
            continue
        slug = question[1] if question else key
        name = slug if tells_of_visit(slug.lower()) and key not in mapped else key
        fields.extend(_answer(name, value))
        meaning = _shape(value) or canonical_name(slug)
        if meaning:
            meanings.append((name, meaning))
    sent = tuple(pair for pair in decoded.fields if pair[0] in mapped - content.keys())
    ids = (native.first(decoded.fields, key) for key in ID_KEYS)
    told = replace(
        decoded,
        fields=(*fields, *sent),
        meanings=tuple(meanings),
        external_id=next(filter(None, ids), None),
        body=decoded.body if decoded.body is not None else raw,
    )
    return (told,)


def _shape(value: object) -> str:
    """What an object is by its parts."""
    if not isinstance(value, dict):
        return ""
    if {"first", "last"} & value.keys():
        return "name"
    return "phone" if {"full", "phone"} & value.keys() else ""


def _answer(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """The answer as one text where it is a name or a phone; else its parts by their path."""
    shape = _shape(value)
    if shape == "name":
        parts = dict(flat(value))
        yield name, " ".join(parts[key] for key in NAME_KEYS if parts.get(key))
    elif shape == "phone":
        parts = dict(flat(value))
        country = parts.get("country", "").lstrip("+")
        number = (f"+{country}" if country else "", parts.get("area", ""), parts.get("phone", ""))
        yield name, parts.get("full") or " ".join(filter(None, number))
    else:
        yield from flat({name: value})


CLIENT = FormClient(
    about=(
        About(
            "Jotform",
            "Settings > Integrations > Webhooks: the form's address. Consent has to be mapped: "
            "`consent: q6_typeA6`.",
            generic.BY_KEY,
            "Jotform's help and API description: multipart, `rawRequest`, `submissionID`.",
            "Which further fields come, how long it waits (30 seconds) and whether it tries again.",
        ),
    ),
    decode=decode,
    verify=generic.verify,
    answer=acknowledge,
)
