"""Contact Form 7 of WordPress: by the plug-in "CF7 to Webhook", by another one, or re-pointed.

The plug-ins send the form's tags (`your-name`, `tel-123`) as JSON or as whatever their owner wrote,
GET included. A form whose `action` was changed comes from the visitor's browser, as multipart with
`_wpcf7*` fields.
"""

import re
from dataclasses import replace

from shared.clients import About, FormClient, generic, native
from shared.domain.form import Form
from shared.domain.hostnames import web_address
from shared.domain.submission import Decoded
from shared.http import HttpRequest

PAGE_TAGS = ("_url", "_post_url")
SERVICE_KEYS = frozenset({"_wpnonce", "g-recaptcha-response"})
_NUMBERED = re.compile(r"(tel|email|acceptance)-\d+")
MEANING = {"tel": "phone", "email": "email", "acceptance": "consent"}
"""Of a tag that kept the name its generator gave it."""


def decode(request: HttpRequest, form: Form) -> tuple[Decoded, ...]:
    decoded = generic.read(request, form, "cf7", _is_service)
    named = ((key, _NUMBERED.fullmatch(key)) for key, _ in decoded.fields)
    page = next((url for tag in PAGE_TAGS if (url := native.first(decoded.fields, tag))), None)
    told = replace(
        decoded,
        meanings=tuple((key, MEANING[tag[1]]) for key, tag in named if tag),
        page=page if web_address(page) else decoded.page,
    )
    return (told,)


def _is_service(key: str) -> bool:
    return key.startswith("_wpcf7") or key in SERVICE_KEYS


CLIENT = FormClient(
    about=(
        About(
            "Contact Form 7",
            "The plug-in “CF7 to Webhook”: the form's address, method POST, body as it is. Or put "
            "the form's address into `action` and list the page's origin.",
            "Nothing by itself: let the plug-in send the header, or add `?key=`, with the secret "
            "`key`.",
            "Source of the plug-in: JSON of the form's tags, lists for boxes, `1` for acceptance; "
            "other methods and bodies by its settings; it gives up after 30 seconds.",
            "What other plug-ins send is their owner's template.",
        ),
    ),
    decode=decode,
    verify=generic.verify,
    answer=generic.answer,
    methods=("POST", "GET", "PUT"),
    in_browser=generic.is_browser,
)
