"""Pages that people wrote themselves: plain HTML forms, scripts with fetch, beacons, htmx.

A browser that shows the answer gets a redirect to the thanks page, or a page that says what is
wrong and keeps what was typed. htmx gets a piece of a page, a script gets JSON. Each of them tells
when to expect a call, where that was promised. Other clients whose forms stand on a person's own
page decode and answer through this module.
"""

from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import unquote_plus, urlsplit

from shared.clients import About, FormClient, Handshake, Kind, Pinged, Refused, Result, Stored
from shared.clients.encodings import URLENCODED, Fields, read_body, without
from shared.clients.signatures import verify_key
from shared.domain.aliases import CANONICAL
from shared.domain.form import HIDDEN_KEYS, FieldType, Form, Gettext, Keys, consent_of, label
from shared.domain.hostnames import web_address
from shared.domain.submission import Decoded
from shared.domain.suspicion import STARTED, started_token
from shared.errors import (
    FieldError,
    IdempotencyConflictError,
    MalformedRequestError,
    WrongMethodError,
)
from shared.http import HttpRequest, Problem, Reply, gettext_in, json_reply
from shared.texts import mark, render

MAX_KEY_LENGTH = 255
BAD_KEY = mark("The idempotency key must be 1 to 255 characters, without control characters.")

NEXT_KEY = "_next"
CALL_BY = "call_by"
"""Where scripts and thanks pages find by when somebody will call: `2026-11-30T09:05:00Z`."""
UNFINISHED = frozenset(
    {"abandon", "abandoned", "abandonment"}
    | {"pagehide", "unload", "beforeunload", "visibilitychange"}
)
YES = frozenset({"1", "true", "yes", "on"})


def decode(request: HttpRequest, form: Form) -> tuple[Decoded, ...]:
    return (read_page(request, form, "native"),)


def read_page(
    request: HttpRequest,
    form: Form,
    client: str,
    service_keys: frozenset[str] = frozenset(),
    next_key: str = NEXT_KEY,
) -> Decoded:
    """What a person's own page sent; `service_keys` are fields of its client that are never kept,
    `next_key` is the field that says where the visitor goes next."""
    sent = read_body(request, form.legacy_charset)
    body = without(sent, request, service_keys.__contains__)
    page = request.headers.get("hx-current-url") or request.headers.get("referer")
    wanted = first(sent.fields, next_key) or first(sent.fields, NEXT_KEY)
    mapped = frozenset(form.mapping.values())
    return Decoded(
        client=client,
        kind="partial" if _is_unfinished(sent.fields, form) else "submission",
        # PHP made it a habit to call a list `interests[]`.
        fields=tuple(
            (key if key in mapped else key.removesuffix("[]"), text) for key, text in body.fields
        ),
        content_type=request.headers.get("content-type", "")[:255],
        body=body.text,
        body_base64=body.base64,
        page=page,
        idempotency_key=idempotency_key(request, sent.fields),
        next_url=absolute(wanted, request.origin or page),
        files=body.files,
        # A beacon, or a script that cannot see the answer.
        somebody_waits=request.headers.get("sec-fetch-mode") != "no-cors",
    )


def _is_unfinished(fields: Fields, form: Form) -> bool:
    """Whether a page says that its visitor left: in our own `_partial`; in `event`, unless that is
    a field of the form; in `partial`, where the form has any use for what is not finished.
    """
    if (first(fields, "_partial") or "").lower() in YES:
        return True
    own = {*form.fields, *form.mapping.values()}
    if "event" not in own and (first(fields, "event") or "").lower() in UNFINISHED:
        return True
    keeps = form.partials != "never" and "partial" not in own
    return keeps and (first(fields, "partial") or "").lower() in YES


def absolute(target: str | None, page: str | None) -> str | None:
    """Where a page wants its visitor to go next: `/thanks` is meant on the page's own site."""
    site = web_address(page)
    if target is None or site is None or not target.startswith("/") or target.startswith("//"):
        return target
    return f"{site.scheme}://{site.netloc}{target}"


def idempotency_key(request: HttpRequest, fields: Fields) -> str | None:
    """The header, a quoted string as its draft says or bare as people send it; else the field.

    Raises MalformedRequestError for a key that is too long.
    """
    header = request.headers.get("idempotency-key", "").strip()
    if header.startswith('"') and header.endswith('"') and len(header) > 1:
        header = header[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    key = header or (first(fields, "idempotency_key") or "").strip()
    if len(key) > MAX_KEY_LENGTH or not all(letter.isprintable() for letter in key):
        raise MalformedRequestError(BAD_KEY)
    return key or None


def first(fields: Fields, wanted: str) -> str | None:
    """The first text of a key."""
    return next((text for key, text in fields if key == wanted), None)


def errors_as_sent(refused: Refused) -> list[FieldError]:
    """The errors under the names that the page has for its fields: its script looks for those."""
    form, decoded, errors = refused.form, refused.decoded, list(refused.problem.errors)
    if not (form and decoded and errors):
        return errors
    called: dict[str, str] = {}
    for key, _ in decoded.fields:
        for name in form.sort(((key, "?"),), decoded.meanings).values:
            called.setdefault(name, key)
    return [error._replace(field=called.get(error.field, error.field)) for error in errors]


# --- answers --------------------------------------------------------------------------------------


def answer(result: Result, request: HttpRequest) -> Reply:
    match result:
        case Pinged():
            return Reply(HTTPStatus.NO_CONTENT)
        case Handshake():
            return _started(result, request)
        case Stored() | Refused() if request.headers.get("hx-request") == "true":
            return _fragment(result, request)
        case Refused() if request.wants_page:
            return _error_page(result, request)
        case Refused(problem=problem):
            return problem.reply()
        case Stored() if request.wants_page:
            return _thanks_page(result, request)
        case Stored(submission_id=submission_id, partial=partial, spilled=spilled, promise=promise):
            if spilled or partial:
                status = HTTPStatus.ACCEPTED
            else:
                status = HTTPStatus.OK if _is_beacon(request) else HTTPStatus.CREATED
            told = {CALL_BY: _utc(promise.by), "message": _told(result, request)} if promise else {}
            return json_reply(status, {"id": submission_id, **told})


def recognise(request: HttpRequest) -> Kind:
    return "handshake" if request.method == "GET" else "submission"


def verify(request: HttpRequest, form: Form, keys: Keys, now: datetime) -> None:
    """A page may ask when it was opened, if the form has a time trap; GET is no way to post."""
    if request.method == "GET" and not (form.time_trap_seconds and "time_trap" in keys):
        raise WrongMethodError(request.method)
    verify_key(request, form, keys, now)


def _started(handshake: Handshake, request: HttpRequest) -> Reply:
    """The token for the hidden field `_started`, by which a form that robots fill is known."""
    form_id = request.path_parameters["form_id"]
    token = started_token(form_id, handshake.at, handshake.keys["time_trap"][0])
    return json_reply(HTTPStatus.OK, {STARTED: token})


def _is_beacon(request: HttpRequest) -> bool:
    """Whether it looks like what `navigator.sendBeacon` sends of a string or of URLSearchParams."""
    charset = "charset" in request.media_parameters
    return request.media_type == "text/plain" or (request.media_type == URLENCODED and charset)


def _fragment(result: Stored | Refused, request: HttpRequest) -> Reply:
    """A piece of a page, for htmx to put where the page wants it. A redirect would be followed by
    the script, and all of the thanks page put there."""
    form = result.form
    problem = result.problem if isinstance(result, Refused) else None
    errors = errors_as_sent(result) if isinstance(result, Refused) else []
    locale = request.answer_in(form)
    told = _told(result, request) if isinstance(result, Stored) else None
    html = render("form_fragment.html", locale, problem=problem, errors=errors, told=told)
    return _shown(problem.status if problem else HTTPStatus.OK, html, problem)


def _thanks_page(stored: Stored, request: HttpRequest) -> Reply:
    if stored.thanks_url:
        return Reply(HTTPStatus.SEE_OTHER, {"Location": _thanks_address(stored)})
    locale = request.answer_in(stored.form)
    html = render("form_thanks.html", locale, told=_told(stored, request))
    return _shown(HTTPStatus.OK, html)


def _thanks_address(stored: Stored) -> str:
    """The thanks page, which is told when somebody will call. What else it was told stays."""
    if stored.promise is None:
        return stored.thanks_url
    address = urlsplit(stored.thanks_url)
    others = (
        pair
        for pair in address.query.split("&")
        if pair and unquote_plus(pair.partition("=")[0]) != CALL_BY
    )
    query = "&".join((*others, f"{CALL_BY}={_utc(stored.promise.by)}"))
    return address._replace(query=query).geturl()


def _told(stored: Stored, request: HttpRequest) -> str | None:
    """When to expect a call, in the visitor's language."""
    if stored.promise is None:
        return None
    from shared.texts.promise import told  # noqa: PLC0415 - only who comes outside hours is told

    locale = request.answer_in(stored.form)
    return told(stored.promise.by, stored.promise.zone, locale)


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _shown(
    status: int, html: str, problem: Problem | None = None, forward_to: tuple[str, ...] = ()
) -> Reply:
    from shared.texts.pages import page_headers  # noqa: PLC0415 - only who shows a page needs it

    return Reply(status, {**page_headers(forward_to), **(problem.headers if problem else {})}, html)


def _error_page(refused: Refused, request: HttpRequest) -> Reply:
    """The form once more, with what was typed and what is wrong with it."""
    problem, form = refused.problem, refused.form
    locale = request.answer_in(form)
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
    return _shown(problem.status, html, problem, form.thanks_origins if form else ())


def _fields_again(form: Form, refused: Refused, gettext: Gettext) -> list[dict[str, object]]:
    decoded = refused.decoded
    values = form.sort(decoded.fields, decoded.meanings).values if decoded else {}
    wrong = {error.field: error.detail for error in refused.problem.errors}
    return [
        {
            "name": name,
            "label": label(form, name, gettext),
            "type": rule.type,
            "value": _typed(rule.type, values.get(name, "")),
            "error": wrong.get(name),
            "required": rule.required,
        }
        for name, rule in form.fields.items()
    ]


def _typed(kind: FieldType, text: str) -> str:
    """What the field starts with; a box is ticked by any text, so an unticked one gets none."""
    return "" if kind == "consent" and not consent_of(text) else text


def _hidden(form: Form, refused: Refused) -> dict[str, str]:
    """What else was sent, to be sent again: custom fields, tags of the visit, the key."""
    decoded = refused.decoded
    if decoded is None:
        return {}
    values, tags, apart = form.sort(decoded.fields, decoded.meanings)
    others = {key: text for key, text in values.items() if key not in {*form.fields, *CANONICAL}}
    others |= {form.mapping.get(name, name): text for name, text in apart.items()}
    # A key that stands for other answers would be refused again: without one the form goes through.
    keys = () if refused.problem.code == IdempotencyConflictError.code else HIDDEN_KEYS
    service = {
        key: text
        for key, text in decoded.fields
        if key in keys or (key.startswith("_") and key not in {"_charset_", *tags, *values})
    }
    # Where it came from and where it leads is seen from the first page, not from this one.
    seen = {"page_url": decoded.page, NEXT_KEY: decoded.next_url}
    return {**others, **service, **{key: text for key, text in seen.items() if text}, **tags}


BY_ORIGIN = "The page's `Origin`, which whoever is no browser can make up."

CLIENT = FormClient(
    about=(
        About(
            "Plain HTML form",
            "`method=post`, `action` the form's address; the page's origin stands in the form's "
            "`origins`. A hidden `_next` names another thanks page, on a host of `redirect_hosts`; "
            "a hidden `idempotency_key` makes a retry the same submission.",
            BY_ORIGIN,
            "HTML Living Standard, form submission: the charset is the page's, `_charset_` names "
            "it, a box that is not ticked is absent, an empty file field is a part without a name.",
        ),
        About(
            "fetch, Alpine and other scripts",
            "Post JSON, urlencoded or `FormData` with `Accept: application/json` and an "
            '`Idempotency-Key`. Answered with 201 and `{"id": …}`, outside opening hours also with '
            "`call_by` and a `message` to show; errors are problem details. "
            "With `time_trap_seconds` GET the address when the page opens, and send `_started`.",
            BY_ORIGIN,
            "RFC 9457, problem details; draft-ietf-httpapi-idempotency-key-header: a quoted "
            "string, taken bare too. Alpine has no format of its own.",
        ),
        About(
            "sendBeacon",
            "`navigator.sendBeacon(address, data)` when the page is left, with `event` = `abandon` "
            "or `_partial` = 1 for what is not finished; the form's `partials` says what is kept.",
            BY_ORIGIN,
            "MDN, sendBeacon: a string is sent as text/plain, URLSearchParams as urlencoded, no "
            "header can be added and the answer is not read.",
        ),
        About(
            "htmx",
            "`hx-post` to the form's address, `hx-target` an element of its own beside the fields. "
            "Answered with a piece of HTML: 200 `.leadline-thanks`, 4xx `.leadline-errors`. htmx 2 "
            "needs `selfRequestsOnly: false`, and `responseHandling` that swaps 422.",
            BY_ORIGIN,
            "htmx.org/docs/#requests: `HX-Request`, `HX-Current-URL`. htmx 4 shows 4xx by itself.",
        ),
    ),
    decode=decode,
    recognise=recognise,
    verify=verify,
    answer=answer,
    in_browser=True,
    methods=("POST", "GET"),
)
