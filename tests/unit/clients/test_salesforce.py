from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clients import Stored
from shared.clients.salesforce import CLIENT
from shared.domain.submission import Decoded
from shared.errors import MalformedRequestError
from shared.http import HttpRequest
from tests.unit.clients import worked_cases
from tests.unit.clients.anything import any_body, any_headers, check_any
from tests.unit.samples import BROWSER, PAGE, URLENCODED, a_form, a_request

FORM = a_form(client="salesforce", redirect_hosts=["b2b.example"])


def decode(request: HttpRequest, **query: str) -> Decoded:
    (decoded,) = CLIENT.decode(replace(request, query=query), FORM)
    return decoded


def values(decoded: Decoded) -> dict[str, str]:
    return FORM.sort(decoded.fields, decoded.meanings).values


def test_what_steers_salesforce_is_not_kept() -> None:
    sent = {
        "oid": "00D", "orgid": "00D", "retURL": "https://b2b.example/t", "debug": "1",
        "debugEmail": "dev@b2b.example", "captcha_settings": "{}", "submit": "Send",
        "g-recaptcha-response": "x", "first_name": "Grace", "last_name": "Hopper",
        "lead_source": "Web", "description": "Call me", "00N2": "124",
    }  # fmt: skip
    decoded = decode(a_request(urlencode(sent)), encoding="UTF-8")
    assert values(decoded) == {
        "name": "Grace Hopper",
        "lead_source": "Web",
        "message": "Call me",
        "00N2": "124",
    }
    assert decoded.body == (
        "first_name=Grace&last_name=Hopper&lead_source=Web&description=Call+me&00N2=124"
    )
    assert decoded.next_url == "https://b2b.example/t"


@pytest.mark.parametrize(
    ("wanted", "target"),
    [
        ("https://b2b.example/thanks", "https://b2b.example/thanks"),
        ("https://evil.example/thanks", f"{PAGE}/thanks"),
        ("https://b2b.example@evil.example/", f"{PAGE}/thanks"),
        ("//evil.example", f"{PAGE}/thanks"),
        ("http://", f"{PAGE}/thanks"),
        ("", f"{PAGE}/thanks"),
        ("/done", f"{PAGE}/done"),
    ],
)
def test_a_visitor_is_sent_on_to_known_hosts_only(wanted: str, target: str) -> None:
    request = a_request(urlencode({"retURL": wanted}), accept=BROWSER, origin=PAGE)
    decoded = decode(request)
    reply = CLIENT.answer(Stored("1", FORM.thanks_for(decoded.next_url)), request)
    assert (reply.status, reply.headers["Location"]) == (303, target)


def test_the_way_on_survives_our_page_of_errors() -> None:
    assert decode(a_request("_next=https://b2b.example/t")).next_url == "https://b2b.example/t"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_fields_may_stand_in_the_address(method: str) -> None:
    assert method in CLIENT.methods
    request = a_request("", None, method=method)
    decoded = decode(
        request, oid="1", key="secret", first_name="Zoë", last_name="B", utm_source="v"
    )
    assert values(decoded) == {"name": "Zoë B"}
    assert decoded.body == "first_name=Zo%C3%AB&last_name=B&utm_source=v"
    assert ("utm_source", "v") in decoded.fields


def test_an_empty_request_has_no_fields() -> None:
    assert decode(a_request("", None, method="GET")).fields == ()


IVAN = "Иван".encode("cp1251")
WORD = "".join(f"%{byte:02X}" for byte in IVAN)


@pytest.mark.parametrize(
    ("sent", "query"),
    [
        (f"first_name={WORD}", {"encoding": "windows-1251"}),
        (f"encoding=Windows-1251&first_name={WORD}", {}),
        (f"first_name={WORD}&_charset_=windows-1251", {"encoding": "UTF-8"}),
        (urlencode({"first_name": "Иван"}), {"encoding": "UTF-8"}),
        (urlencode({"first_name": "Иван"}), {"encoding": "no-such"}),
    ],
)
def test_the_address_names_the_charset(sent: str, query: dict[str, str]) -> None:
    assert dict(decode(a_request(sent), **query).fields)["first_name"] == "Иван"


def test_the_type_names_the_charset_for_sure() -> None:
    request = a_request(f"first_name={WORD}", f"{URLENCODED}; charset=windows-1251")
    assert dict(decode(request, encoding="koi8-r").fields)["first_name"] == "Иван"


def test_a_body_in_another_encoding_is_its_own() -> None:
    request = a_request('{"first_name":"Grace"}', "application/json")
    assert decode(request, encoding="windows-1251").fields == (("first_name", "Grace"),)


def test_text_in_no_charset_is_refused() -> None:
    with pytest.raises(MalformedRequestError):
        decode(a_request("first_name=%98%FF"), encoding="UTF-8")


def test_the_case_of_the_vendor() -> None:
    case = worked_cases.load("salesforce/web-to-lead")
    submission = worked_cases.accepted(case)
    assert submission.values["Campaign_ID"] == "70120000001FDXr"
    assert submission.body is not None
    assert "oid" not in submission.body


@given(any_body(), any_headers(), st.dictionaries(st.text(max_size=5), st.text(max_size=5)))
def test_any_request_is_understood_or_refused(
    body: bytes, headers: dict[str, str], query: dict[str, Any]
) -> None:
    check_any(CLIENT, FORM, body, headers, query)
