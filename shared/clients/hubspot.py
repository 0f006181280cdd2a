"""Pages that post to HubSpot's Forms API, and to us instead: v3 as JSON, v2 as a form.

What HubSpot calls a legitimate interest is a reason to keep data without consent. It is not
consent: of that nothing is known then.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from http import HTTPStatus

from shared.clients import About, FormClient, Refused, Result, Stored, native
from shared.clients.encodings import Body, Fields, read_body, without
from shared.domain.form import Form
from shared.domain.submission import Decoded
from shared.errors import FieldError, MalformedRequestError
from shared.http import HttpRequest, Reply, gettext_in, json_reply
from shared.texts import mark

COOKIE = "hubspotutk"
CONTEXT_V2, CONTEXT_V3 = "hs_context", "context."
CONSENT, INTEREST = "legalConsentOptions.consent.", "legalConsentOptions.legitimateInterest."
CALLED: Mapping[str, str] = {
    f"{CONSENT}consentToProcess": "consent",
    f"{CONSENT}text": "consent_text",
    f"{INTEREST}legalBasis": "legal_basis",
}
"""What we call these parts of a submission. What else there is of consent is about newsletters."""
PARTS = ("legalConsentOptions.", CONTEXT_V3)
SERVICE_KEYS = frozenset({"submittedAt", "skipValidation", "portalId", "formId", "formGuid"})
MEANINGS = (
    ("firstname", "given_name"),
    ("lastname", "family_name"),
    ("0-2/name", "company"),
    ("LEGAL_CONSENT.processing", "consent"),
)
OBJECT_CONTACT = "0-1"

ERROR_TYPES: Mapping[str, str] = {
    "missing": "REQUIRED_FIELD",
    "blank": "REQUIRED_FIELD",
    "too_long": "INPUT_TOO_LARGE",
}
TYPE_ERRORS: Mapping[str, str] = {
    "email": "INVALID_EMAIL",
    "phone": "INVALID_NUMBER",
    "consent": "MISSING_PROCESSING_CONSENT",
}
"""What an unusable field of each type is called. HubSpot has no word for a wrong phone."""
THANKS = mark("Thank you. We have your request and will get in touch with you.")

_ITEM = re.compile(r"fields\.(\d+)\.(name|value|objectTypeId)")
_COMMUNICATION = re.compile(
    re.escape(CONSENT) + r"communications\.(\d+)\.(value|subscriptionTypeId)"
)


def decode(request: HttpRequest, form: Form) -> tuple[Decoded, ...]:
    decoded = native.read_page(request, form, "hubspot")
    body = Body(decoded.fields, decoded.files, decoded.body, decoded.body_base64)
    kept = without(body, request, _tells_of_browser)
    context = dict(_context(decoded.fields))
    page = context.get("pageUri") or context.get("pageUrl")
    cookie = ((COOKIE, context["hutk"]),) if context.get("hutk") else ()
    told = replace(
        decoded,
        fields=(*_answers(kept.fields), *cookie),
        meanings=MEANINGS,
        body=kept.text,
        body_base64=kept.base64,
        page=_address(page) if page else decoded.page,
    )
    return (told,)


def _tells_of_browser(key: str) -> bool:
    """The context: a cookie and an IP address are in it."""
    return key == CONTEXT_V2 or key.startswith(CONTEXT_V3)


def _context(fields: Fields) -> Fields:
    """What the script tells of the visit; a damaged context costs nobody their answers."""
    in_v2 = native.first(fields, CONTEXT_V2)
    if in_v2 is None:
        return tuple((key.removeprefix(CONTEXT_V3), text) for key, text in fields)
    json_type = {"content-type": "application/json"}
    try:
        body = in_v2.encode("utf-8", "ignore")
        return read_body(HttpRequest("POST", "", headers=json_type, body=body)).fields
    except MalformedRequestError:
        return ()


def _address(page: str) -> str:
    """HubSpot takes addresses without `https://` too."""
    return page if "://" in page else f"https://{page}"


def _answers(fields: Fields) -> Iterator[tuple[str, str]]:
    """The fields of v3 by their names, and whatever has none as it came. Only a contact's fields
    go by the bare name: a company has a `name` too."""
    items = _listed(fields, _ITEM)
    for item in items.values():
        kind = item.get("objectTypeId", [OBJECT_CONTACT])[0]
        name = item.get("name", [""])[0]
        for text in item.get("value", ()):
            yield name if kind == OBJECT_CONTACT else f"{kind}/{name}", text
    for item in _listed(fields, _COMMUNICATION).values():
        for text in item.get("value", ()):
            yield f"communications.{item.get('subscriptionTypeId', [''])[0]}", text
    for key, text in fields:
        if key in CALLED:
            yield CALLED[key], text
        elif not (_ITEM.fullmatch(key) or key.startswith(PARTS) or key in SERVICE_KEYS):
            yield key, text


def _listed(fields: Fields, of: re.Pattern[str]) -> dict[str, dict[str, list[str]]]:
    """The items of a list: what each holds, by name."""
    items: dict[str, dict[str, list[str]]] = {}
    for key, text in fields:
        if found := of.fullmatch(key):
            items.setdefault(found[1], {}).setdefault(found[2], []).append(text)
    return items


def answer(result: Result, request: HttpRequest) -> Reply:
    if request.wants_page:
        return native.answer(result, request)
    match result:
        case Stored(thanks_url=""):
            locale = request.answer_in(result.form)
            return json_reply(HTTPStatus.OK, {"inlineMessage": gettext_in(locale)(THANKS)})
        case Stored(thanks_url=thanks_url):
            return json_reply(HTTPStatus.OK, {"redirectUri": thanks_url})
        case Refused(problem=problem):
            wrong = problem.status == HTTPStatus.UNPROCESSABLE_ENTITY
            sent = native.errors_as_sent(result)
            content = {
                "status": "error",
                "message": problem.detail,
                "correlationId": request.request_id,
                "errors": [
                    _error(result, error, called.field)
                    for error, called in zip(problem.errors, sent, strict=True)
                ],
            }
            reply = json_reply(HTTPStatus.BAD_REQUEST if wrong else problem.status, content)
            return reply.with_headers(problem.headers)
        case _:
            return native.answer(result, request)


def _error(refused: Refused, error: FieldError, field: str) -> dict[str, str]:
    rule = refused.form.fields.get(error.field) if refused.form else None
    kind = rule.type if rule else "text"
    code = ERROR_TYPES.get(error.code) or TYPE_ERRORS.get(kind, "INVALID_METADATA")
    return {"message": f"Error in 'fields.{field}'. {error.detail}", "errorType": code}


CLIENT = FormClient(
    about=(
        About(
            "HubSpot Forms API",
            "Put the form's address in place of `…/submissions/v3/integration/submit/…`, or of the "
            "v2 address `forms.hubspot.com/uploads/form/v2/…`.",
            f"{native.BY_ORIGIN} A server can send the secret `key` as `Authorization: Bearer`.",
            "developers.hubspot.com: `fields`, `context`, `legalConsentOptions`; `inlineMessage` "
            "or `redirectUri`; 400 with `errors[].errorType`. v2: urlencoded with `hs_context`.",
            "The whole of an error's body: seen in an issue of verbb/formie.",
        ),
    ),
    decode=decode,
    answer=answer,
    in_browser=True,
)
