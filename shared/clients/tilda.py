"""The page builder Tilda: a webhook per form, its marketplace, or the page's own script.

Documented at help-ru.tilda.cc/formsscript: a try-out `test=test` when the webhook is added; 200
within 5 seconds or two more tries, a minute apart; `tranid` names the submission. The marketplace
sends JSON and a key. With a script of the page's own the visitor's browser posts, `tildaspec-*`
fields and all.
"""

from dataclasses import replace
from urllib.parse import unquote

from shared.clients import About, FormClient, Kind, Result, acknowledge, generic, native
from shared.clients.encodings import COOKIES, Fields, read_body
from shared.domain.form import Form
from shared.domain.hostnames import web_address
from shared.domain.submission import Decoded
from shared.http import HttpRequest, Reply

PINGS = frozenset({b"test=test", b'{"test":"test"}'})
SERVICE_KEYS = frozenset({"tranid", "formid"})
TRAP, UNTOUCHED = "form-spec-comments", frozenset({"", "its good"})
"""A field that people do not see, and what it starts with."""
KEPT_COOKIES = ("_ga", "_ym_uid")
UTM_COOKIE = "TILDAUTM"


def recognise(request: HttpRequest) -> Kind:
    return "ping" if b"".join(request.body.split()) in PINGS else "submission"


def decode(request: HttpRequest, form: Form) -> tuple[Decoded, ...]:
    sent = read_body(request, form.legacy_charset).fields
    decoded = generic.read(request, form, "tilda")
    if not is_browser(request):
        decoded = replace(decoded, somebody_waits=False)
    cookies = "; ".join(text for key, text in sent if key.lower() in COOKIES)
    answers = [pair for pair in decoded.fields if not _is_service(*pair)]
    keys = {key.lower() for key, _ in answers}
    page = native.first(sent, "tildaspec-referer")
    told = replace(
        decoded,
        fields=(*answers, *(pair for pair in visit(cookies) if pair[0] not in keys)),
        external_id=native.first(sent, "tranid") or None,
        page=page if web_address(page) else decoded.page,
        # Bytes that are no text cannot have the cookies cut out.
        body_base64=None if cookies else decoded.body_base64,
    )
    return (told,)


def visit(cookies: str) -> Fields:
    """What the visitor's cookies tell of the visit; nothing else of them is ever kept."""
    pairs = (cookie.strip().partition("=") for cookie in cookies.split(";"))
    jar = {name: value for name, _, value in pairs}
    tags = [(name, jar[name]) for name in KEPT_COOKIES if jar.get(name)]
    for part in unquote(jar.get(UTM_COOKIE, "")).split("|||"):
        key, equals, value = part.removeprefix("amp;").partition("=")
        if equals and key.startswith("utm_"):
            tags.append((key, value))
    return tuple(tags)


def _is_service(key: str, text: str) -> bool:
    key = key.lower()
    if key == TRAP:
        return text.strip().lower() in UNTOUCHED
    return key in SERVICE_KEYS or key.startswith("tildaspec-")


def is_browser(request: HttpRequest) -> bool:
    return generic.is_browser(request) or b"tildaspec-" in request.body


def answer(result: Result, request: HttpRequest) -> Reply:
    return (native.answer if is_browser(request) else acknowledge)(result, request)


CLIENT = FormClient(
    about=(
        About(
            "Tilda webhook",
            "Site settings > Forms > Webhook: the form's address; tick the box that sends cookies.",
            "Nothing but the address; add `?key=` with the secret `key`.",
            "help-ru.tilda.cc/formsscript: `test=test`, 200 within 5 seconds, two more tries, "
            "`tranid`.",
            "`TILDAUTM` among the cookies and `payment[…]` of a shop's cart are only observed.",
        ),
        About(
            "Tilda marketplace",
            "The integration's address is the form's; its key is the secret `key`, sent in the "
            "form's `key_header` or as a field of the body.",
            "The secret `key`.",
            "help-ru.tilda.cc/forms/marketplace/tech: JSON, key in a header or the body, repeated "
            "without a success.",
        ),
        About(
            "Tilda page with a script of its own",
            "The form's address stands in the script; list the page's origin.",
            native.BY_ORIGIN,
            "Nothing.",
            "`tildaspec-*` and the trap `form-spec-comments`: seen in public pages.",
        ),
    ),
    decode=decode,
    recognise=recognise,
    verify=generic.verify,
    answer=answer,
    in_browser=is_browser,
)
