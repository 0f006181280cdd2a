"""Host names: of pages, of referrers, of e-mail addresses."""

import re
from typing import NamedTuple
from urllib.parse import urlsplit

SECOND_LEVEL = frozenset(
    {"ac", "co", "com", "edu", "gov", "gob", "mil", "net", "or", "org", "ne", "gen"}
)
"""Under a country these are not somebody's name: `shop.co.uk` is registered, `co.uk` is not."""

SHARED_SUFFIXES = frozenset(
    {"msk.ru", "spb.ru", "me.uk", "ltd.uk", "plc.uk", "id.au", "asn.au", "in.ua", "kiev.ua"}
)

MAX_URL_LENGTH = 4096
_NEVER_IN_ADDRESSES = re.compile(r"[\x00-\x20\x7f]")


def registrable_domain(host: str) -> str:
    """What somebody registered of a host name: `example.co.uk` of `eu.shop.example.co.uk`.

    A short rule instead of the public suffix list, which costs more to load than a whole capture.
    """
    labels = host.strip(".").lower().split(".")
    if len(labels) <= 2:
        return ".".join(labels)
    under_country = len(labels[-1]) == 2 and labels[-2] in SECOND_LEVEL
    length = 3 if under_country or ".".join(labels[-2:]) in SHARED_SUFFIXES else 2
    return ".".join(labels[-length:])


class WebAddress(NamedTuple):
    """The parts of an absolute http(s) address; `netloc` as written, `host` in lower case."""

    scheme: str
    netloc: str
    host: str
    port: int | None
    path: str
    query: str


def web_address(text: str | None) -> WebAddress | None:
    """The address, None for anything that is not one and for one with spaces or controls in it."""
    if not text or len(text) > MAX_URL_LENGTH or _NEVER_IN_ADDRESSES.search(text):
        return None
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:  # a bracket or a port that makes no sense
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        return None
    return WebAddress(parts.scheme, parts.netloc, parts.hostname, port, parts.path, parts.query)
