"""Meta lead ads (Facebook, Instagram): the webhook `leadgen`, and leads that a relay has fetched.

Documented at developers.facebook.com/docs/graph-api/webhooks. The webhook holds ids only: the lead
is to be fetched from the Graph API, by a relay such as Make or Zapier, which then posts it here.
"""

from collections.abc import Iterator
from datetime import datetime
from http import HTTPStatus
from typing import Any

from shared.clients import About, FormClient, Handshake, Kind, Result, answer_webhook
from shared.clients.encodings import flat, objects_in, read_json, verbatim
from shared.clients.signatures import is_key, verify_signature
from shared.domain.form import Form, Keys
from shared.domain.submission import Decoded
from shared.errors import NotAuthenticatedError
from shared.http import HttpRequest, Reply

TEST_LEAD = "<test lead:"
PLATFORMS = {"fb": "facebook", "facebook": "facebook", "ig": "instagram", "instagram": "instagram"}
TEST_ADDRESSES = frozenset({"test@meta.com", "test@fb.com"})


def recognise(request: HttpRequest) -> Kind:
    return "handshake" if request.method == "GET" else "submission"


def verify(request: HttpRequest, form: Form, keys: Keys, now: datetime) -> None:
    if request.method == "GET":
        if not is_key(request.query.get("hub.verify_token", ""), keys.get("handshake", ())):
            raise NotAuthenticatedError("wrong or missing verify token")
        return
    signature = request.headers.get("x-hub-signature-256", "").removeprefix("sha256=")
    verify_signature(request, form, keys, now, signature, request.body)


def decode(request: HttpRequest, form: Form) -> tuple[Decoded, ...]:  # noqa: ARG001 - ids, or names of Meta's
    content = read_json(request)
    if "entry" not in content:
        return (_lead(request, content),)
    return tuple(_decoded(request, change, "reference") for change in _changes(content))


def _changes(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What is new of leads; changes of other fields are none of ours."""
    for entry in objects_in(content["entry"]):
        for change in objects_in(entry.get("changes")):
            value = change.get("value")
            if change.get("field") != "leadgen" or not isinstance(value, dict):
                continue
            if isinstance(value.get("leadgen_id"), str):
                yield value


def _lead(request: HttpRequest, content: dict[str, Any]) -> Decoded:
    """A lead as the Graph API gives it; its own answers go before what else a relay says of it."""
    answers: dict[str, Any] = {}
    for field in objects_in(content.get("field_data")):
        answers[str(field.get("name") or "answer")] = field.get("values")
    others = {name: value for name, value in content.items() if name not in {"field_data", "id"}}
    told = {**_visit(content), **others, **answers}
    told["leadgen_id"] = content.get("leadgen_id") or content.get("id")
    decoded = _decoded(request, told, "submission")
    texts = {text for _, text in decoded.fields}
    if texts & TEST_ADDRESSES or any(text.startswith(TEST_LEAD) for text in texts):
        return _decoded(request, told, "test")
    return decoded


def _visit(content: dict[str, Any]) -> dict[str, Any]:
    """Where the lead came from, unless its own answers say that."""
    source = PLATFORMS.get(str(content.get("platform") or "").lower())
    if source is None:
        return {}
    is_organic = str(content.get("is_organic")).lower() == "true"
    medium = "social" if is_organic else "cpc"
    campaign = {"utm_campaign": content["campaign_name"]} if content.get("campaign_name") else {}
    return {"utm_source": source, "utm_medium": medium, **campaign}


def _decoded(request: HttpRequest, told: dict[str, Any], kind: Any) -> Decoded:
    number = told.get("leadgen_id")
    text, base64 = verbatim(request.body)
    return Decoded(
        client="meta",
        kind=kind,
        fields=flat({name: value for name, value in told.items() if name != "leadgen_id"}),
        content_type=request.headers.get("content-type", "")[:255],
        body=text,
        body_base64=base64,
        external_id=number if isinstance(number, str) and number else None,
        somebody_waits=False,
    )


def answer(result: Result, request: HttpRequest) -> Reply:
    if isinstance(result, Handshake):
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        return Reply(HTTPStatus.OK, headers, request.query.get("hub.challenge", ""))
    return answer_webhook(result, request)


CLIENT = FormClient(
    about=(
        About(
            "Meta lead ads",
            "App > Webhooks > Page > leadgen: the form's address and a verify token. The webhook "
            "brings ids only: `leadline intake list --kind reference` shows what is to be fetched. "
            "A relay (Make, n8n, Zapier) posts the lead itself: `leadgen_id` and `field_data`.",
            "`hub.verify_token` is the secret `handshake`, `X-Hub-Signature-256` (HMAC of the body "
            "with the app secret) the secret `signing`; a relay sends `key`.",
            "developers.facebook.com: handshake, signature, payload; several changes in one post.",
            "How long it tries again.",
        ),
    ),
    decode=decode,
    recognise=recognise,
    verify=verify,
    signs=True,
    answer=answer,
    methods=("GET", "POST"),
)
