from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.clients import Stored
from shared.clients.generic import CLIENT
from shared.errors import NotAuthenticatedError
from shared.http import HttpRequest
from tests.unit.samples import BROWSER, PAGE, URLENCODED, a_form, a_request

FORM = a_form(
    client="generic",
    mapping={
        "phone": "contact.tel",
        "message": "answers[id=wish].value",
        "external_id": "meta.lead_id",
    },
)
JSON_BODY = """{"contact": {"tel": "8"}, "answers": [{"id": "wish", "value": "Tea"}],
"meta": {"lead_id": 77}, "data": {"Имя": "Оля", "utm_source": "vk"}}"""
PHP_BODY = (
    "contact[tel]=8&answers[0][id]=wish&answers[0][value]=Tea&meta[lead_id]=77"
    "&data[Имя]=Оля&data[utm_source]=vk"
)


@pytest.mark.parametrize(
    "request_",
    [
        a_request(JSON_BODY, "application/json"),
        a_request(JSON_BODY, "text/plain"),
        a_request(JSON_BODY, None, method="PUT"),
        a_request(PHP_BODY),
        replace(
            a_request(b"", None, method="GET"),
            query=dict(pair.split("=", 1) for pair in PHP_BODY.split("&")),
        ),
    ],
)
def test_one_mapping_serves_every_encoding(request_: HttpRequest) -> None:
    assert request_.method in CLIENT.methods
    (decoded,) = CLIENT.decode(request_, FORM)
    kept = FORM.sort(decoded.fields)
    assert kept.values["phone"] == "8"
    assert kept.values["message"] == "Tea"
    assert kept.values["name"] == "Оля"
    assert kept.tags == {"utm_source": "vk"}
    assert kept.apart == {"external_id": "77"}
    assert decoded.external_id is None, "no id is guessed: a wrong one would merge two leads"
    assert not decoded.somebody_waits


def test_a_browser_is_answered_as_one() -> None:
    request = a_request("name=A&api_key=k", origin=PAGE, accept=BROWSER)
    (decoded,) = CLIENT.decode(request, FORM)
    assert (decoded.fields, decoded.somebody_waits) == ((("name", "A"),), True)
    assert CLIENT.comes_from_browser(request)
    assert CLIENT.answer(Stored("1", f"{PAGE}/thanks"), request).status == 303
    machine = a_request("name=A", accept="*/*")
    assert not CLIENT.comes_from_browser(machine)
    assert CLIENT.answer(Stored("1"), machine).status == 200


def test_a_key_is_asked_for_wherever_it_may_stand_and_never_kept() -> None:
    now, keys = datetime(2026, 11, 24, tzinfo=UTC), {"key": ("new", "old")}
    form = a_form(client="generic", key_header="X-Token")
    for request in (
        a_request("name=A", x_token="new"),
        a_request("name=A", authorization="Bearer old"),
        a_request("name=A&x-token=new"),
        a_request('{"api_key":"old"}', "application/json"),
        replace(a_request("name=A"), query={"key": "new"}),
    ):
        CLIENT.verify(request, form, keys, now)
        (decoded,) = CLIENT.decode(request, form)
        assert "new" not in str(decoded)
        assert "old" not in str(decoded)
    for wrong in (a_request("name=A"), a_request("api_key=x"), a_request("<", "text/xml")):
        with pytest.raises(NotAuthenticatedError):
            CLIENT.verify(wrong, form, keys, now)
    CLIENT.verify(a_request("name=A", URLENCODED), form, {}, now)
