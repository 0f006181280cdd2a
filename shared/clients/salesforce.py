"""Salesforce Web-to-Lead: the form that Salesforce generates, sent to us instead.

A browser sends it and goes on to `retURL`. Scripts put the fields into the address, with an empty
body.
"""

import re
from dataclasses import replace

from shared.clients import About, FormClient, native
from shared.clients.encodings import CHARSETS, URLENCODED, with_query
from shared.domain.form import Form
from shared.domain.submission import Decoded
from shared.http import HttpRequest

RETURN_KEY = "retURL"
SERVICE_KEYS = frozenset(
    {"oid", "orgid", RETURN_KEY, "debug", "debugEmail", "encoding", "submit"}
    | {"captcha_settings", "g-recaptcha-response"}
)
MEANINGS = (("first_name", "given_name"), ("last_name", "family_name"), ("description", "message"))

_ENCODING = re.compile(rb"(?:^|&)encoding=([A-Za-z0-9_-]{1,40})(?:&|$)")


def decode(request: HttpRequest, form: Form) -> tuple[Decoded, ...]:
    request = _in_its_charset(with_query(request))
    decoded = native.read_page(request, form, "salesforce", SERVICE_KEYS, RETURN_KEY)
    return (replace(decoded, meanings=MEANINGS),)


def _in_its_charset(request: HttpRequest) -> HttpRequest:
    """Every generated address says UTF-8, which is what we take for granted; any other is meant."""
    found = _ENCODING.search(request.body)
    charset = found[1].decode().lower() if found else ""
    if (
        request.media_type != URLENCODED
        or "charset" in request.media_parameters
        or CHARSETS.get(charset, "utf-8") == "utf-8"
    ):
        return request
    content_type = f"{URLENCODED}; charset={charset}"
    return replace(request, headers={**request.headers, "content-type": content_type})


CLIENT = FormClient(
    about=(
        About(
            "Salesforce Web-to-Lead",
            "Put the form's address in place of `…/servlet/servlet.WebToLead`; the host of "
            "`retURL` stands in the form's `redirect_hosts`.",
            f"{native.BY_ORIGIN} `oid` is in every page and proves nothing.",
            "The form that Salesforce generates: `oid`, `retURL`, `encoding`, `first_name`, "
            "`last_name`, `00N…` custom fields, `debug`, `debugEmail`.",
            "GET, and fields in the address: seen in public scripts. Salesforce itself answers a "
            "page that leads on; we redirect.",
        ),
    ),
    decode=decode,
    answer=native.answer,
    methods=("POST", "GET"),
    in_browser=True,
)
