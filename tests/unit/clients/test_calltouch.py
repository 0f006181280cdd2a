from dataclasses import replace
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clients import Stored
from shared.clients.calltouch import CLIENT
from shared.domain.submission import Decoded
from shared.http import HttpRequest
from tests.unit.clients import worked_cases
from tests.unit.clients.anything import any_body, any_headers, check_any
from tests.unit.samples import PAGE, a_form, a_request

FORM = a_form(client="calltouch", thanks_url=None, default_region="RU")
SENT = {
    "fio": "Роман",
    "phoneNumber": "79161234567",
    "email": "",
    "subject": "Заявка",
    "comment": "Перезвоните",
    "sessionId": "123",
    "requestUrl": f"{PAGE}/?utm_source=vk",
    "tags": "a,b",
    "requestNumber": "N-17",
    "requestDate": "24.11.2026 10:00:00",
}
UNDERSTOOD = {
    "name": "Роман",
    "phone": "79161234567",
    "email": "",
    "subject": "Заявка",
    "message": "Перезвоните",
    "tags": "a,b",
}


def decode(request: HttpRequest) -> Decoded:
    (decoded,) = CLIENT.decode(request, FORM)
    return decoded


def values(decoded: Decoded) -> dict[str, str]:
    answers = [pair for pair in decoded.fields if pair[0] != "calltouch_session_id"]
    return FORM.sort(answers, decoded.meanings).values


@pytest.mark.parametrize(
    "request_",
    [
        a_request(urlencode(SENT), origin=PAGE),
        a_request(urlencode(SENT), "text/plain;charset=UTF-8", origin=PAGE),
        replace(a_request("", None, method="GET"), query=SENT),
        replace(a_request("", None, method="GET"), query={**SENT, "key": "secret"}),
        replace(a_request("", method="POST"), query=SENT),
    ],
)
def test_a_script_may_post_or_get(request_: HttpRequest) -> None:
    assert request_.method in CLIENT.methods
    decoded = decode(request_)
    assert values(decoded) == UNDERSTOOD
    assert decoded.external_id == "N-17"
    assert decoded.page == f"{PAGE}/?utm_source=vk"
    assert ("calltouch_session_id", "123") in decoded.fields


def test_what_a_script_did_not_know_is_nothing() -> None:
    lost = dict.fromkeys(("sessionId", "requestNumber", "email", "requestUrl"), "undefined")
    decoded = decode(a_request(urlencode({**SENT, **lost, "tags": "null"}), referer=f"{PAGE}/p"))
    assert decoded.external_id is None
    assert decoded.page == f"{PAGE}/p"
    assert [key for key, _ in decoded.fields] == ["fio", "phoneNumber", "subject", "comment"]


@pytest.mark.parametrize("url", ["/trade-in", "", "javascript:x"])
def test_an_address_that_is_none_leaves_the_referrer(url: str) -> None:
    request = a_request(urlencode({"requestUrl": url}), referer=f"{PAGE}/p")
    assert decode(request).page == f"{PAGE}/p"


def test_the_session_of_the_case_is_kept_as_an_id_of_the_visit() -> None:
    case = worked_cases.load("calltouch/register-urlencoded")
    (lead,) = case["expected"]["leads"]
    decoded = worked_cases.decoded(case)
    assert decoded.page == lead["page_url"]
    assert lead["client_ids"].items() <= dict(decoded.fields).items()
    assert not {"sessionId", "requestUrl"} & dict(decoded.fields).keys()


def test_nobody_reads_the_answer() -> None:
    request = a_request(urlencode(SENT), accept="*/*")
    assert not decode(request).somebody_waits
    assert CLIENT.comes_from_browser(request)
    assert CLIENT.answer(Stored("1"), request).status == 201


@given(any_body(), any_headers(), st.dictionaries(st.text(max_size=5), st.text(max_size=5)))
def test_any_request_is_understood_or_refused(
    body: bytes, headers: dict[str, str], query: dict[str, str]
) -> None:
    check_any(CLIENT, FORM, body, headers, query)
