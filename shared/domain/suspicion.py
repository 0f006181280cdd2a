"""What makes a submission suspicious: signals, none of which refuses a person.

A strong signal is one that people hardly ever show: it is reason enough for somebody to look first.
A weak one honest people show too: alone it says nothing, two together do.
"""

import hashlib
import hmac
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Literal

from shared.domain.contact import is_disposable
from shared.domain.form import Form
from shared.domain.submission import Decoded, Submission

Signal = Literal[
    "honeypot", "burst", "turnstile", "time_trap", "links", "script_mix", "disposable_email"
]

STRONG: frozenset[Signal] = frozenset({"honeypot", "burst", "turnstile"})

STARTED = "_started"
"""The hidden field with the token of `started_token`."""
TOKEN_SECONDS = 86_400
MOST_LINKS = 2
"""More than these in a message are what spam has, and few people."""
LOOKED_AT = 20_000
"""Letters of a message: spam says at once what it wants."""

_LINK = re.compile(r"https?://|www\.|\[url|\[link|<a\s", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-zА-Яа-яЁё]{3,40}")
_TWINS = frozenset("aceopxyABCEHKMOPTXcосеаурхАВСЕНКМОРТХ")
"""Letters of one alphabet that look like letters of the other."""


def signals_of(
    decoded: Decoded,
    submission: Submission,
    form: Form,
    now: datetime,
    time_trap_keys: tuple[str, ...] = (),
) -> tuple[Signal, ...]:
    """What the submission itself shows."""
    return tuple(_signals(decoded, submission, form, now, time_trap_keys))


def is_suspicious(signals: Sequence[Signal]) -> bool:
    """Whether the signals together are reason enough to look first."""
    return not STRONG.isdisjoint(signals) or len(signals) > 1


def _signals(
    decoded: Decoded,
    submission: Submission,
    form: Form,
    now: datetime,
    time_trap_keys: tuple[str, ...],
) -> Iterator[Signal]:
    contact = submission.contact
    message = submission.message or ""
    if any(form.is_trap(key) and text.strip() for key, text in decoded.fields):
        yield "honeypot"
    if form.time_trap_seconds and time_trap_keys:
        token = next((text for key, text in decoded.fields if key == STARTED), None)
        if token is not None and not _took_its_time(token, form, now, time_trap_keys):
            yield "time_trap"
    if has_links(contact.name or "", contact.company or "", message):
        yield "links"
    if mixes_scripts(" ".join((contact.name or "", message[:LOOKED_AT]))):
        yield "script_mix"
    if contact.email is not None and is_disposable(contact.email):
        yield "disposable_email"


def has_links(name: str, company: str, message: str) -> bool:
    """A link where people write who they are, or more links than people send."""
    if _LINK.search(name) or _LINK.search(company):
        return True
    return sum(1 for _ in _LINK.finditer(message[:LOOKED_AT])) > MOST_LINKS


def mixes_scripts(text: str) -> bool:
    """A word with letters of the other alphabet that pass for its own: «Hеllо» with Russian ones.

    Honest words that mix the alphabets show it: «SEOшник», «IT-отдел», «iPhoneы».
    """
    return any(_is_disguised(word[0]) for word in _WORD.finditer(text))


def _is_disguised(word: str) -> bool:
    latin = [letter for letter in word if letter.isascii()]
    cyrillic = [letter for letter in word if not letter.isascii()]
    if not latin or not cyrillic:
        return False
    # Between letters of the one script those of the other: a prefix or an ending is honest.
    first, last = word[0].isascii(), word[-1].isascii()
    changes = sum(a.isascii() != b.isascii() for a, b in pairwise(word))
    disguise = _TWINS.issuperset(latin) or _TWINS.issuperset(cyrillic)
    return disguise and (changes > 1 or first == last)


def started_token(form_id: str, now: datetime, key: str) -> str:
    """What a page puts into the hidden field `_started` when it is opened."""
    seconds = str(int(now.timestamp()))
    return f"{seconds}.{_mac(form_id, seconds, key)}"


def _mac(form_id: str, seconds: str, key: str) -> str:
    return hmac.new(key.encode(), f"{form_id}:{seconds}".encode(), hashlib.sha256).hexdigest()


def _took_its_time(token: str, form: Form, now: datetime, keys: tuple[str, ...]) -> bool:
    """Whether the token is ours, of today, and older than anybody fills the form in."""
    seconds, _, given = token[:200].partition(".")
    if not (seconds.isascii() and seconds.isdecimal()):
        return False
    sent = given.encode("utf-8", "surrogatepass")
    known = sum(hmac.compare_digest(sent, _mac(form.form_id, seconds, k).encode()) for k in keys)
    took = now.timestamp() - int(seconds)
    return known > 0 and form.time_trap_seconds <= took <= TOKEN_SECONDS
