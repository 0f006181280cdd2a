"""Any request at all, and what has to be true of how a client takes it."""

import json
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import strategies as st

from shared.clients import FormClient, Refused, Stored
from shared.domain.form import Form, Keys
from shared.domain.submission import accept
from shared.errors import InvalidSubmissionError, RejectedError
from shared.http import problem_of
from tests.unit.samples import BROWSER, a_request

NOW = datetime(2026, 11, 24, tzinfo=UTC)

TYPES = (
    "application/json",
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=windows-1251",
    "multipart/form-data; boundary=b",
    "text/plain;charset=UTF-8",
    "application/octet-stream",
    "",
)
KEYS = """
    name phone email fields value objectTypeId data id context hutk legalConsentOptions consent
    communications attribution _next _replyto hs_context requestNumber sessionId requestUrl retURL
    encoding referrer
"""
WORDS = st.sampled_from(KEYS.split())
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | WORDS


def any_json() -> st.SearchStrategy[bytes]:
    values = st.recursive(
        LEAVES,
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(WORDS | st.text(max_size=4), inner, max_size=4)
        ),
        max_leaves=12,
    )
    objects = st.dictionaries(WORDS, values, max_size=6)
    return objects.map(lambda content: json.dumps(content).encode())


def any_urlencoded() -> st.SearchStrategy[bytes]:
    text = st.binary(max_size=10) | st.just(b"%7B%22pageUri%22%3A%5B%5D%7D")
    pair = st.tuples(WORDS.map(str.encode), text)
    return st.lists(pair, max_size=6).map(lambda pairs: b"&".join(b"=".join(p) for p in pairs))


def any_body() -> st.SearchStrategy[bytes]:
    return st.binary(max_size=200) | any_json() | any_urlencoded()


def any_headers() -> st.SearchStrategy[dict[str, str]]:
    return st.fixed_dictionaries(
        {"content_type": st.sampled_from(TYPES)},
        optional={
            "accept": st.sampled_from((BROWSER, "application/json", "*/*")),
            "hx_request": st.just("true"),
            "origin": st.sampled_from(("null", "https://landing.example", "http://[")),
            "referer": st.text(max_size=20),
            "idempotency_key": st.text(max_size=20),
            "x_webhook_signature": st.text(alphabet="eyJ.-_=é", max_size=20),
        },
    )


def check_any(
    client: FormClient,
    form: Form,
    body: bytes,
    headers: dict[str, str],
    query: dict[str, str] | None = None,
    keys: Keys | None = None,
) -> None:
    """Whatever comes is understood or refused for a reason, and answered either way."""
    sent = dict(headers)
    request = replace(a_request(body, sent.pop("content_type"), **sent), query=query or {})
    decoded = None
    try:
        client.verify(request, form, keys or {}, NOW)
        assert client.recognise(request) in {"submission", "ping", "handshake"}
        for decoded in client.decode(request, form):
            stored = Stored("1", form.thanks_for(decoded.next_url), form=form)
            assert client.answer(stored, request).status in {200, 201, 303}
            accept(decoded, form, "0" * 32, NOW, "en", str)
    except RejectedError as error:
        reply = client.answer(Refused(problem_of(error, str), form, decoded), request)
        # Vendors that would only try again are told that it is safe, and it is.
        is_kept = isinstance(error, InvalidSubmissionError) and request.body and reply.body == "ok"
        assert 400 <= reply.status < 500 or is_kept
    assert isinstance(client.comes_from_browser(request), bool)
