"""Pages made for Formspree, and sent to us instead: its special fields, and its answers to scripts.

A field whose name starts with an underscore steers the service and is no answer, except
`_replyto`, the visitor's e-mail address.
"""

from collections.abc import Mapping
from dataclasses import replace

from shared.clients import About, FormClient, Refused, Result, Stored, native
from shared.domain.aliases import canonical_name
from shared.domain.form import Form
from shared.domain.submission import Decoded
from shared.errors import FieldError
from shared.http import HttpRequest, Reply, json_reply

REPLY_TO = "_replyto"
SERVICE_KEYS = frozenset(
    {"_next", "_subject", "_cc", "_format", "_language", "_error", "g-recaptcha-response"}
)
"""What steers Formspree. We mail nobody, least of all who `_cc` says."""

CODES: Mapping[str, str] = {
    "missing": "REQUIRED_FIELD_MISSING",
    "blank": "REQUIRED_FIELD_EMPTY",
    "file_not_accepted": "NO_FILE_UPLOADS",
    "origin_not_allowed": "BLOCKED",
}


def decode(request: HttpRequest, form: Form) -> tuple[Decoded, ...]:
    decoded = native.read_page(request, form, "formspree", SERVICE_KEYS)
    has_email = any(canonical_name(key) == "email" for key, _ in decoded.fields if key != REPLY_TO)
    return (decoded if has_email else replace(decoded, meanings=((REPLY_TO, "email"),)),)


def answer(result: Result, request: HttpRequest) -> Reply:
    if request.wants_page:
        return native.answer(result, request)
    match result:
        case Stored():
            return json_reply(200, {"ok": True, "next": result.thanks_url})
        case Refused():
            wrong = zip(result.problem.errors, native.errors_as_sent(result), strict=True)
            errors = [_error(result, error, sent.field) for error, sent in wrong]
            whole = {"code": CODES.get(result.problem.code), "message": result.problem.detail}
            content = {"error": result.problem.title, "errors": errors or [_known(whole)]}
            reply = json_reply(result.problem.status, content)
            return reply.with_headers(result.problem.headers)
        case _:
            return native.answer(result, request)


def _error(refused: Refused, error: FieldError, field: str) -> dict[str, str]:
    rule = refused.form.fields.get(error.field) if refused.form else None
    code = CODES.get(error.code, "TYPE_TEXT")
    if rule is not None and rule.type == "consent":
        code = CODES["blank"]  # a box that has to be ticked is like a field to be filled in
    if rule is not None and rule.type == "email" and error.code == "unusable":
        code = "TYPE_EMAIL"
    return {"field": field, "code": code, "message": error.detail}


def _known(error: Mapping[str, str | None]) -> dict[str, str]:
    return {name: text for name, text in error.items() if text is not None}


CLIENT = FormClient(
    about=(
        About(
            "Formspree-style form",
            "Put the form's address in place of Formspree's, in `action` or in the script.",
            native.BY_ORIGIN,
            "README of formspree/formspree: `_replyto`, `_next`, `_subject`, `_cc`, `_gotcha`, "
            "`Accept: application/json`. npm @formspree/core 4.0.0: `next`; `errors` with `code`, "
            "`field` and `message`.",
            "`ok` beside `next`. Basin and Getform look alike, no case shows them.",
        ),
    ),
    decode=decode,
    answer=answer,
    in_browser=True,
)
