"""Scripts written for Calltouch's register address, and sent to us instead.

A page's script, or the server behind the page, posts or gets a handful of urlencoded fields and
does not read the answer.
"""

from dataclasses import replace

from shared.clients import About, FormClient, native
from shared.clients.encodings import with_query
from shared.domain.form import Form
from shared.domain.hostnames import web_address
from shared.domain.submission import Decoded
from shared.http import HttpRequest

SESSION = "calltouch_session_id"
SERVICE_KEYS = frozenset({"requestNumber", "requestDate", "requestUrl", "sessionId"})
NOTHING = frozenset({"undefined", "null"})
"""What JavaScript makes of a variable that has no value."""
MEANINGS = (("fio", "name"), ("phoneNumber", "phone"), ("comment", "message"))


def decode(request: HttpRequest, form: Form) -> tuple[Decoded, ...]:
    decoded = native.read_page(with_query(request), form, "calltouch")
    sent = tuple((key, text) for key, text in decoded.fields if text.strip() not in NOTHING)
    session, page = native.first(sent, "sessionId"), native.first(sent, "requestUrl")
    fields = [(key, text) for key, text in sent if key not in SERVICE_KEYS]
    if session:
        fields.append((SESSION, session))
    told = replace(
        decoded,
        fields=tuple(fields),
        meanings=MEANINGS,
        page=page if web_address(page) else decoded.page,
        somebody_waits=False,
        external_id=(native.first(sent, "requestNumber") or "").strip() or None,
    )
    return (told,)


CLIENT = FormClient(
    about=(
        About(
            "Calltouch-style script",
            "Put the form's address in place of `…/RestAPI/requests/<site>/register/`. Where "
            "`requestNumber` is not the number of the request, but of the form or the page, leave "
            "it out: it makes two people's requests one.",
            f"{native.BY_ORIGIN} A server can add `?key=` with the secret `key`.",
            "Nothing: the vendor's documentation was not found.",
            "The fields, GET and POST, `undefined` for a missing session: seen in public scripts.",
        ),
    ),
    decode=decode,
    answer=native.answer,
    methods=("POST", "GET"),
    in_browser=True,
)
