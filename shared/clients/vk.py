"""VK lead forms, by the Callback API of a community.

The address is confirmed with a code, and every event is answered with `ok`. What an event holds is
known from VK's SDKs.
"""

from datetime import datetime
from http import HTTPStatus
from typing import Any

from shared.clients import About, FormClient, Handshake, Kind, Result, acknowledge
from shared.clients.encodings import flat, objects_in, read_json
from shared.clients.signatures import is_key
from shared.domain.aliases import canonical_name
from shared.domain.form import Form, Keys
from shared.domain.submission import Decoded
from shared.errors import MalformedRequestError, NotAuthenticatedError
from shared.http import HttpRequest, Reply
from shared.texts import mark

CONFIRMATION = "confirmation"
NO_LEAD = mark("The event has no lead.")


def recognise(request: HttpRequest) -> Kind:
    match read_json(request).get("type"):
        case "confirmation":
            return "handshake"
        case "lead_forms_new":
            return "submission"
    return "ping"


def verify(request: HttpRequest, form: Form, keys: Keys, now: datetime) -> None:  # noqa: ARG001 - neither is in the protocol
    content = read_json(request)
    if content.get("type") == CONFIRMATION:
        # It may come without the secret; the code is none: whoever owns the address sees it.
        if "handshake" not in keys:
            raise NotAuthenticatedError("no confirmation code")
    elif "key" in keys and not is_key(str(content.get("secret", "")), keys["key"]):
        raise NotAuthenticatedError("wrong or missing secret")


def decode(request: HttpRequest, form: Form) -> tuple[Decoded, ...]:  # noqa: ARG001 - keys are VK's
    lead = read_json(request).get("object")
    if not isinstance(lead, dict):
        raise MalformedRequestError(NO_LEAD)
    fields: list[tuple[str, str]] = []
    meanings: list[tuple[str, str]] = []
    for item in objects_in(lead.get("answers")):
        key = str(item.get("key") or item.get("question") or "answer")
        fields += flat({key: item.get("answer")})
        name = canonical_name(str(item.get("question") or ""))
        if name and canonical_name(key) is None:
            meanings.append((key, name))
    others = {name: value for name, value in lead.items() if name not in {"answers", "lead_id"}}
    decoded = Decoded(
        client="vk",
        fields=(*fields, *flat(others), *_visit(lead)),
        meanings=tuple(meanings),
        content_type=request.headers.get("content-type", "")[:255],
        # Not verbatim: the secret stands in it.
        external_id=str(lead["lead_id"]) if lead.get("lead_id") else None,
        somebody_waits=False,
    )
    return (decoded,)


def _visit(lead: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Where the lead came from: without an advertisement the form was found in the community."""
    is_paid = str(lead.get("ad_id") or "0") != "0"
    return (("utm_source", "vk"), ("utm_medium", "cpc" if is_paid else "social"))


def answer(result: Result, request: HttpRequest) -> Reply:
    if isinstance(result, Handshake):
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        return Reply(HTTPStatus.OK, headers, result.keys["handshake"][0])
    return acknowledge(result, request)


CLIENT = FormClient(
    about=(
        About(
            "VK lead forms",
            "Community > Manage > API usage > Callback API: the form's address, a secret key, and "
            "the event of new lead forms.",
            "`secret` in the body is the secret `key`; the confirmation code is `handshake`.",
            "vk.com/dev, Callback API; the event as VK's SDKs declare it.",
            "Leads of ads.vk.com: no webhook of theirs is documented.",
        ),
    ),
    decode=decode,
    recognise=recognise,
    verify=verify,
    answer=answer,
)
