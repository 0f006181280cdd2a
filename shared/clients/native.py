"""Pages that people wrote themselves: plain HTML forms, scripts with fetch, beacons.

A browser that shows the answer gets a redirect to the thanks page, or a page that says what is
wrong and keeps what was typed. A script gets JSON.
"""

from http import HTTPStatus

from shared.clients import Kind, Pinged, Refused, Result, Stored
from shared.clients.encodings import Fields, read_body
from shared.domain.aliases import CANONICAL
from shared.domain.form import HIDDEN_KEYS, FieldType, Form, Gettext, consent_of, label
from shared.domain.submission import Decoded
from shared.errors import IdempotencyConflictError, MalformedRequestError
from shared.http import HttpRequest, Reply, gettext_in, json_reply
from shared.texts import mark, render

MAX_KEY_LENGTH = 255
BAD_KEY = mark("The idempotency key must be 1 to 255 characters, without control characters.")


def recognise(request: HttpRequest) -> Kind:  # noqa: ARG001 - pages do not try their address out
    return "submission"


def verify(request: HttpRequest, form: Form) -> None:
    """A page proves nothing but its origin, which is looked at for every client."""


def decode(request: HttpRequest) -> Decoded:
    body = read_body(request)
    return Decoded(
        client="native",
        fields=body.fields,
        content_type=request.headers.get("content-type", "")[:255],
        body=body.text,
        body_base64=body.base64,
        page=request.headers.get("referer"),
        idempotency_key=idempotency_key(request, body.fields),
        next_url=_first(body.fields, "_next"),
        files=body.files,
    )


def answer(result: Result, request: HttpRequest) -> Reply:
    match result:
        case Stored(submission_id=submission_id, thanks_url=thanks_url):
            if request.wants_page and thanks_url:
                return Reply(HTTPStatus.SEE_OTHER, {"Location": thanks_url})
            return json_reply(HTTPStatus.CREATED, {"id": submission_id})
        case Pinged():
            return Reply(HTTPStatus.NO_CONTENT)
        case Refused():
            return _error_page(result, request) if request.wants_page else result.problem.reply()


def idempotency_key(request: HttpRequest, fields: Fields) -> str | None:
    """The header, a quoted string as its draft says or bare as people send it; else the field.

    Raises MalformedRequestError for a key that is too long.
    """
    header = request.headers.get("idempotency-key", "").strip()
    if header.startswith('"') and header.endswith('"') and len(header) > 1:
        header = header[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    key = header or (_first(fields, "idempotency_key") or "").strip()
    if len(key) > MAX_KEY_LENGTH or not all(letter.isprintable() for letter in key):
        raise MalformedRequestError(BAD_KEY)
    return key or None


def _first(fields: Fields, wanted: str) -> str | None:
    return next((text for key, text in fields if key == wanted), None)


def _error_page(refused: Refused, request: HttpRequest) -> Reply:
    """The form once more, with what was typed and what is wrong with it."""
    from shared.texts.pages import page_headers  # noqa: PLC0415 - only who shows a page needs it

    problem, form = refused.problem, refused.form
    locale = request.locale(form.locale if form else "en")
    gettext = gettext_in(locale)
    errors = [{"field": error.field, "detail": error.detail} for error in problem.errors]
    html = render(
        "form_error.html",
        locale,
        heading=problem.title,
        form_id=form.form_id if form else "",
        title=form.title if form else problem.title,
        action=f"/v1/forms/{form.form_id}/submissions" if form else "",
        fields=_fields_again(form, refused, gettext) if form else [],
        hidden=_hidden(form, refused) if form else {},
        kept=refused.decoded is not None and problem.code != IdempotencyConflictError.code,
        errors=errors or [{"field": None, "detail": problem.detail}],
    )
    headers = {**page_headers(form.thanks_origins if form else ()), **problem.headers}
    return Reply(problem.status, headers, html)


def _fields_again(form: Form, refused: Refused, gettext: Gettext) -> list[dict[str, object]]:
    values = form.sort(refused.decoded.fields).values if refused.decoded else {}
    wrong = {error.field: error.detail for error in refused.problem.errors}
    return [
        {
            "name": name,
            "label": label(form, name, gettext),
            "type": rule.type,
            "value": _shown(rule.type, values.get(name, "")),
            "error": wrong.get(name),
            "required": rule.required,
        }
        for name, rule in form.fields.items()
    ]


def _shown(kind: FieldType, text: str) -> str:
    """What the field starts with; a box is ticked by any text, so an unticked one gets none."""
    return "" if kind == "consent" and not consent_of(text) else text


def _hidden(form: Form, refused: Refused) -> dict[str, str]:
    """What else was sent, to be sent again: custom fields, tags of the visit, the key."""
    if refused.decoded is None:
        return {}
    values, tags = form.sort(refused.decoded.fields)
    others = {key: text for key, text in values.items() if key not in {*form.fields, *CANONICAL}}
    # A key that stands for other answers would be refused again: without one the form goes through.
    keys = () if refused.problem.code == IdempotencyConflictError.code else HIDDEN_KEYS
    service = {
        key: text
        for key, text in refused.decoded.fields
        if key in keys or (key.startswith("_") and key != "_charset_" and key not in tags)
    }
    return {**others, **tags, **service}
