"""LinkedIn Lead Sync: a webhook that brings ids of leads, to be fetched or forgotten.

As described by LinkedIn for its Lead Sync API: a challenge every two hours, answered within three
seconds; three failures block the address. The same secret answers challenges and signs leads, so a
challenge that could be the signed text of a lead is refused: else anybody could have one signed.
"""

import re
from datetime import datetime
from http import HTTPStatus
from typing import Literal

from shared.clients import About, FormClient, Handshake, Kind, Result, answer_webhook
from shared.clients.encodings import flat, read_json, verbatim
from shared.clients.signatures import mac, verify_signature
from shared.domain.form import Form, Keys
from shared.domain.submission import Decoded
from shared.errors import NotAuthenticatedError
from shared.http import HttpRequest, Reply, json_reply

CODE = "challengeCode"
PREFIX = "hmacsha256="
CHALLENGE = re.compile(r"[A-Za-z0-9-]{1,128}")
"""LinkedIn sends a UUID. What it signs has `=` and `{` in it."""
RESPONSE = "leadGenFormResponse"


def recognise(request: HttpRequest) -> Kind:
    return "handshake" if request.method == "GET" else "submission"


def verify(request: HttpRequest, form: Form, keys: Keys, now: datetime) -> None:
    if request.method == "GET":
        if not CHALLENGE.fullmatch(request.query.get(CODE, "")) or "signing" not in keys:
            raise NotAuthenticatedError("no challenge, or no secret to answer it with")
        return
    signature = request.headers.get("x-li-signature", "").removeprefix(PREFIX)
    verify_signature(request, form, keys, now, signature, PREFIX.encode() + request.body)


def decode(request: HttpRequest, form: Form) -> tuple[Decoded, ...]:  # noqa: ARG001 - ids only
    content = read_json(request)
    number = content.get(RESPONSE)
    if not isinstance(number, str) or not number:
        return ()
    deleted = str(content.get("leadAction")).upper() == "DELETED"
    kind: Literal["erasure", "reference"] = "erasure" if deleted else "reference"
    text, base64 = verbatim(request.body)
    decoded = Decoded(
        client="linkedin",
        kind=kind,
        fields=flat({name: value for name, value in content.items() if name != RESPONSE}),
        content_type=request.headers.get("content-type", "")[:255],
        body=text,
        body_base64=base64,
        external_id=number,
        somebody_waits=False,
    )
    return (decoded,)


def answer(result: Result, request: HttpRequest) -> Reply:
    if isinstance(result, Handshake):
        code = request.query[CODE]
        proof = mac(result.keys["signing"][0], code.encode()).hex()
        return json_reply(HTTPStatus.OK, {CODE: code, "challengeResponse": proof})
    return answer_webhook(result, request)


CLIENT = FormClient(
    about=(
        About(
            "LinkedIn Lead Sync",
            "Register the form's address as a lead notification. It brings ids only: "
            "`leadline intake list --kind reference` shows what is to be fetched.",
            "The challenge and `X-LI-Signature`, with the client secret as the secret `signing`.",
            "Microsoft Learn, Lead Sync: challenge, signature, lead action; at least once.",
            "Seen through a copy of the documentation only.",
        ),
    ),
    decode=decode,
    recognise=recognise,
    verify=verify,
    signs=True,
    answer=answer,
    methods=("GET", "POST"),
)
