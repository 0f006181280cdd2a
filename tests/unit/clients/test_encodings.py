import base64
import json
import string
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.clients import client_named
from shared.clients.encodings import MAX_FIELDS, Body, read_body, read_json
from shared.domain.submission import Decoded, NamedFile, accept
from shared.errors import BodyTooLargeError, InvalidSubmissionError, MalformedRequestError
from shared.http import MAX_BODY_BYTES
from tests.unit.samples import URLENCODED, a_form, a_request

JSON = "application/json"
MULTIPART = "multipart/form-data; boundary=----x"


def read(body: bytes | str, content_type: str | None = URLENCODED) -> Body:
    return read_body(a_request(body, content_type))


def fields(body: bytes | str, content_type: str | None = URLENCODED) -> dict[str, str]:
    return dict(read(body, content_type).fields)


def part(name: str, value: bytes, more: str = "", charset: str = "utf-8") -> bytes:
    head = f'------x\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode(charset) + value + b"\r\n"


def multipart(*parts: bytes) -> bytes:
    return b"".join(parts) + b"------x--\r\n"


# --- urlencoded


def test_urlencoded_is_read() -> None:
    assert read("name=%D0%98%D0%B2%D0%B0%D0%BD+%26&phone=%2B7&phone=8&empty=&bare").fields == (
        ("name", "Иван &"),
        ("phone", "+7"),
        ("phone", "8"),
        ("empty", ""),
        ("bare", ""),
    )


def test_a_percent_that_escapes_nothing_stays() -> None:
    assert fields("discount=100%&x=%zz") == {"discount": "100%", "x": "%zz"}


def test_a_charset_may_stand_in_the_type_or_in_a_field() -> None:
    body = "fio=%CF%B8%F2%F0"
    assert fields(body, f"{URLENCODED}; charset=windows-1251") == {"fio": "Пётр"}
    assert fields(f"{body}&_charset_=windows-1251")["fio"] == "Пётр"
    assert fields("a=%E9", f"{URLENCODED};charset=ISO-8859-1") == {"a": "é"}


def test_letters_that_the_charset_lacks_are_restored() -> None:
    body = "fio=%26%231200%3B%F3&x=%26%23xD800%3B%26%2355296%3B"
    assert fields(body, f"{URLENCODED}; charset=windows-1251") == {
        "fio": "Ұу",
        "x": "&#xD800;&#55296;",
    }
    typed = fields("x=%26%231200%3B", f"{URLENCODED}; charset=utf-8")
    assert typed == {"x": "&#1200;"}, "in UTF-8 the visitor typed that"
    assert fields("x=%26%231200%3B&y=%D0%9F") == {"x": "&#1200;", "y": "П"}, "so in UTF-8"
    assert fields('{"x":"&#1200;"}', JSON) == {"x": "&#1200;"}, "no browser writes JSON so"


def test_letters_of_a_page_without_a_charset_are_restored() -> None:
    assert fields("x=%26%231040%3B%26%231085%3Ba&y=%26%2339%3B") == {"x": "Анa", "y": "&#39;"}


@pytest.mark.parametrize("charset", ["", "windows-1251"])
@pytest.mark.parametrize(
    ("cut", "left"), [("%D0", ""), ("%F0%9F%91", ""), ("%E2%82", ""), ("!", "!")]
)
def test_a_letter_that_a_program_cut_in_two_spoils_no_other(
    cut: str, left: str, charset: str
) -> None:
    sent = read_body(a_request(f"fio=%D0%9F%D1%91&message=a{cut}"), charset)
    assert sent.fields == (("fio", "Пё"), ("message", f"a{left}"))


def test_what_may_be_another_charset_is_not_cut() -> None:
    assert legacy("fio=a%D0") == {"fio": "aР"}
    assert legacy("fio=%E0%E1%D0") == {"fio": "абР"}
    with pytest.raises(MalformedRequestError, match="charset"):
        read("fio=a%D0")


LEGACY = "windows-1251"


def legacy(body: bytes | str, content_type: str | None = URLENCODED) -> dict[str, str]:
    return dict(read_body(a_request(body, content_type), LEGACY).fields)


def test_a_page_that_names_no_charset_is_read_in_the_forms_own() -> None:
    assert legacy("fio=%CF%B8%F2%F0") == {"fio": "Пётр"}
    assert legacy("fio=%D0%9F%D1%91%D1%82%D1%80") == {"fio": "Пётр"}, "UTF-8 goes before it"
    assert legacy("fio=%F0%C5%D4%D2&_charset_=koi8-r")["fio"] == "Петр"
    assert legacy("fio=%F0%C5%D4%D2", f"{URLENCODED}; charset=koi8-r") == {"fio": "Петр"}
    assert legacy('{"fio":"Пётр"}'.encode("cp1251"), JSON) == {"fio": "Пётр"}
    assert legacy("fio=Пётр\r\nb=1".encode("cp1251"), "text/plain") == {"fio": "Пётр", "b": "1"}
    assert legacy("fio=%CF%B8%F2%F0", f"{URLENCODED}; charset=utf-8") == {"fio": "Пётр"}


def test_letters_are_restored_in_the_forms_charset_too() -> None:
    assert legacy("a=%26%231200%3B&b=%26%23128512%3B") == {"a": "Ұ", "b": "😀"}
    assert legacy("a=%CF%26%238381%3B") == {"a": "П₽"}
    assert legacy("a=%26%231055%3B") == {"a": "&#1055;"}, "the charset has it: somebody typed that"
    assert legacy("a=%D0%9F%26%231200%3B") == {"a": "П&#1200;"}, "a page in UTF-8"
    assert legacy("a=%26%239999999%3B%26%2355296%3B") == {"a": "&#9999999;&#55296;"}


def test_parts_and_files_are_read_in_the_forms_charset_too() -> None:
    body = multipart(
        part("имя", "Пётр".encode("cp1251"), charset="cp1251"),
        part("f", b"1", '; filename="ТЗ.pdf"', charset="cp1251"),
    )
    sent = read_body(a_request(body, MULTIPART), LEGACY)
    assert sent.fields == (("имя", "Пётр"),)
    assert sent.files[0].filename == "ТЗ.pdf"


def test_a_part_may_name_the_charset() -> None:
    value = "Пётр".encode("koi8-r")
    body = multipart(part("a", value, "\r\nContent-Type: text/plain; charset=koi8-r"))
    assert fields(body, MULTIPART) == {"a": "Пётр"}


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("utf-8''%D0%A2%D0%97.pdf", "ТЗ.pdf"),
        ("windows-1251'ru'%D2%C7.pdf", "ТЗ.pdf"),
        ("UTF-8''%FF.pdf", ""),
        ("a.pdf", ""),
    ],
)
def test_a_file_may_be_named_in_the_long_form(sent: str, name: str) -> None:
    body = multipart(part("f", b"1", f"; filename*={sent}"))
    assert read(body, MULTIPART).files == (NamedFile("f", name, "", 1),)


def test_an_unknown_charset_counts_as_none() -> None:
    assert fields("a=%C3%A9", f"{URLENCODED}; charset=klingon") == {"a": "é"}
    for charset in ("klingon", "rot13", "idna", "zlib", "utf-8"):
        with pytest.raises(MalformedRequestError, match="charset"):
            read("fio=%CF%B8%F2%F0", f"{URLENCODED}; charset={charset}")


def test_json_that_calls_itself_urlencoded_is_read_as_json() -> None:
    assert fields('{"name":"Ann & Co=1"}') == {"name": "Ann & Co=1"}


def test_there_is_a_limit_to_fields_and_their_names() -> None:
    assert len(read("&".join(f"f{n}=1" for n in range(MAX_FIELDS))).fields) == MAX_FIELDS
    for body in ("&".join(f"f{n}=1" for n in range(MAX_FIELDS + 1)), "a&" * 60_000, "k" * 201):
        with pytest.raises(MalformedRequestError):
            read(body)


def test_the_limit_holds_for_what_will_be_stored_too() -> None:
    with pytest.raises(BodyTooLargeError):
        read(b"a" * (MAX_BODY_BYTES + 1))
    with pytest.raises(BodyTooLargeError):
        read(b"a=" + b"\xcf" * (MAX_BODY_BYTES - 2), f"{URLENCODED}; charset=windows-1251")


def test_the_body_is_kept_verbatim() -> None:
    assert read("a=%D0%98&b").text == "a=%D0%98&b"
    raw = "fio=Пётр".encode("cp1251")
    kept = read(raw, f"{URLENCODED}; charset=cp1251")
    assert kept.text is None
    assert base64.b64decode(kept.base64 or "") == raw


# --- plain text and no type


def test_a_beacons_string_is_read() -> None:
    assert fields('{"name":"Оля"}', "text/plain;charset=UTF-8") == {"name": "Оля"}
    assert fields("name=%D0%9E&phone=1", "text/plain") == {"name": "О", "phone": "1"}


def test_lines_of_an_unescaped_form_are_read() -> None:
    body = "name=Ann & Lee 100%\r\nmessage=one\r\ntwo\r\nphone=+44 20\r\n"
    assert fields(body, "text/plain") == {
        "name": "Ann & Lee 100%",
        "message": "one\ntwo",
        "phone": "+44 20",
    }
    assert fields("\nno key\nname=A\n", "text/plain") == {"name": "A"}
    named = "_charset_=windows-1251\r\nname=Пётр\r\n".encode("cp1251")
    assert fields(named, "text/plain")["name"] == "Пётр"


@pytest.mark.parametrize("content_type", [None, "", "application/octet-stream"])
def test_a_body_without_a_type_is_looked_at(content_type: str | None) -> None:
    assert fields('{"name":"A"}', content_type) == {"name": "A"}
    assert fields("name=A", content_type) == {"name": "A"}
    assert fields("", content_type) == {}


def test_a_type_that_is_no_form_is_refused_with_those_that_are() -> None:
    with pytest.raises(MalformedRequestError, match="application/json"):
        read("<a/>", "application/xml")


# --- JSON


def test_json_is_read() -> None:
    body = {"name": "Оля", "phone": 79161234567, "consent": True, "no": False, "nothing": None}
    assert fields(json.dumps(body), "application/json; charset=utf-8") == {
        "name": "Оля",
        "phone": "79161234567",
        "consent": "true",
        "no": "false",
    }


def test_numbers_stay_the_text_they_were() -> None:
    body = b'{"a":1.10,"b":1e5,"c":-0,"d":%s}' % (b"9" * 5000)
    assert fields(body, JSON) == {"a": "1.10", "b": "1e5", "c": "-0", "d": "9" * 5000}


def test_nested_json_is_named_by_its_path() -> None:
    body = {
        "address": {"city": "Bath"},
        "topics": ["a", "b"],
        "items": [{"title": "x"}, {"title": "y"}],
        "grid": [["1", ["2"]]],
    }
    assert read(json.dumps(body), JSON).fields == (
        ("address.city", "Bath"),
        ("topics", "a"),
        ("topics", "b"),
        ("items.0.title", "x"),
        ("items.1.title", "y"),
        ("grid.0", "1"),
        ("grid.1", "2"),
    )


def test_what_a_page_knows_of_the_visit_are_fields_of_the_form() -> None:
    body = {"attribution": {"page_url": "https://l.example/", "first_touch": {"utm_source": "x"}}}
    assert fields(json.dumps(body), JSON) == {
        "page_url": "https://l.example/",
        "first_touch.utm_source": "x",
    }


def test_a_list_of_names_and_values_is_a_form() -> None:
    body = '[{"name":"phone","value":"8"},{"name":"t","value":"a"},{"name":"t","value":"b"}]'
    for content_type in (JSON, "text/plain", None, URLENCODED):
        assert read(body, content_type).fields == (("phone", "8"), ("t", "a"), ("t", "b"))
    assert fields('[{"name":"Ann","phone":"8"}]', JSON) == {"name": "Ann", "phone": "8"}


def test_json_can_be_had_as_it_is_nested() -> None:
    body = '\ufeff{"a":{"b":[1,2.50,null,true]}}'
    assert read_json(a_request(body)) == {"a": {"b": ["1", "2.50", None, True]}}
    for wrong in (
        "[]",
        "{",
        '{"a":1,"a":2}',
        '{"a":NaN}',
        '{"a":1e999}',
        '{"a":' * 30 + "1" + "}" * 30,
    ):
        with pytest.raises(MalformedRequestError):
            read_json(a_request(wrong, JSON))
    with pytest.raises(BodyTooLargeError):
        read_json(a_request("1" * (MAX_BODY_BYTES + 1)))


def test_json_may_begin_with_a_byte_order_mark() -> None:
    assert fields(b'\xef\xbb\xbf{"a":"1"}', JSON) == {"a": "1"}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ('{"name":"A",}', "not valid JSON"),
        ("", "not valid JSON"),
        ("nul", "not valid JSON"),
        ('{"a":"\t"}', "not valid JSON"),
        (b'{"a":"\xff"}', "charset"),
        ("[]", "object"),
        ("[1]", "object"),
        ('[{"name":1},{}]', "object"),
        ('"a"', "object"),
        ("1", "object"),
        ("null", "object"),
        ('{"a":NaN}', "no number"),
        ('{"a":-Infinity}', "no number"),
        ('{"a":1e999}', "no number"),
        ('{"a":1,"a":2}', "twice"),
        ('{"x":{"a":1,"a":2}}', "twice"),
        ('{"a":' * 30 + "1" + "}" * 30, "deeply"),
        ('{"a":' + "[" * 60_000 + "]" * 60_000 + "}", "deeply"),
        ('{"a":' * 20_000, "deeply"),
        ('{"a":[' + "1," * 60_000 + "1]}", "too many fields"),
        ('{"%s":1}' % ("k" * 201), "too long"),
    ],
)
def test_bad_json_is_refused_with_the_reason(body: str | bytes, why: str) -> None:
    with pytest.raises(MalformedRequestError, match=why):
        read(body, JSON)


def test_half_an_emoji_in_json_costs_nobody_a_lead() -> None:
    sent = read(r'{"name":"Ann \ud83d"}', JSON)
    assert a_form().sort(sent.fields).values == {"name": "Ann "}
    assert sent.text == r'{"name":"Ann \ud83d"}'


# --- multipart


def test_multipart_is_read() -> None:
    body = multipart(
        part("name", "Мария".encode()), part("topic", b"a"), part("topic", b"b"), part("e", b"")
    )
    assert read(body, MULTIPART).fields == (
        ("name", "Мария"),
        ("topic", "a"),
        ("topic", "b"),
        ("e", ""),
    )


def test_multipart_in_another_charset_says_so_in_a_field() -> None:
    body = multipart(
        part("имя", "Пётр".encode("cp1251"), charset="cp1251"),
        part("_charset_", b"windows-1251"),
    )
    assert fields(body, MULTIPART)["имя"] == "Пётр"


def test_files_are_named() -> None:
    body = multipart(
        part("name", b"A"),
        part("brief", b"%PDF\xff", '; filename="ТЗ.pdf"\r\nContent-Type: application/pdf'),
        part("photo", b"", '; filename=""'),
        part("scan", b"\xff", "; filename*=UTF-8''a.png"),
    )
    sent = read(body, MULTIPART)
    assert dict(sent.fields) == {"name": "A"}
    assert sent.files == (
        NamedFile("brief", "ТЗ.pdf", "application/pdf", 5),
        NamedFile("scan", "a.png", "", 1),
    )


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (multipart(part("a", b"1")), "multipart/form-data"),
        (multipart(part("a", b"1")), "multipart/form-data; boundary="),
        (multipart(part("a", b"1")), "multipart/form-data; boundary=" + "x" * 201),
        (multipart(part("a", b"1")), "multipart/form-data; boundary=other"),
        (part("a", b"1"), MULTIPART),
        (b"", MULTIPART),
        (b"------x\r\nX: \xff\r\n\r\n1\r\n------x--\r\n", MULTIPART),
        (b"------x\r\n: \r\n\r\n1\r\n------x--\r\n", MULTIPART),
        (multipart(*[part("a", b"1")] * (MAX_FIELDS + 1)), MULTIPART),
    ],
)
def test_damaged_multipart_is_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(MalformedRequestError, match="multipart"):
        read(body, content_type)


# --- anything at all

TYPES = [
    None,
    "",
    "application/json",
    "application/ld+json",
    URLENCODED,
    f"{URLENCODED}; charset=windows-1251",
    f"{URLENCODED}; charset=utf-16",
    f"{URLENCODED}; charset=gbk",
    "text/plain",
    "text/plain; charset=koi8-r",
    "multipart/form-data; boundary=x",
    'multipart/form-data; boundary="x"; charset=shift_jis',
    "application/xml",
    "application/octet-stream",
]
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
BODIES = st.one_of(
    st.binary(max_size=400),
    st.text(st.sampled_from('{}[]",:=&%+0123456789abcdef\r\n\\u-.eE x;'), max_size=200).map(
        str.encode
    ),
    st.builds(
        lambda chunks: b"--x\r\n" + b"--x\r\n".join(chunks) + b"--x--\r\n",
        st.lists(
            st.builds(
                lambda head, value: b"Content-Disposition: " + head + b"\r\n\r\n" + value + b"\r\n",
                st.one_of(
                    st.binary(max_size=30),
                    st.text(string.printable, max_size=20).map(
                        lambda text: b"form-data; name=" + text.encode()
                    ),
                    st.just(b'form-data; name="a"; filename='),
                    st.just(b'form-data; name="a"'),
                ),
                st.binary(max_size=30),
            ),
            max_size=4,
        ),
    ),
    JSON_VALUES.map(lambda value: json.dumps(value).encode()),
)


@settings(max_examples=400)
@given(BODIES, st.one_of(st.sampled_from(TYPES), st.text(max_size=40)))
@example(b'--x\r\nContent-Disposition: form-data; name="\r\n\r\n1\r\n--x--', TYPES[10])
@example(b"a=1", "text/plain; charset=\ud800")
def test_any_bytes_are_fields_or_a_clear_refusal(body: bytes, content_type: str | None) -> None:
    sent = read_or_reason(body, content_type)
    if isinstance(sent, str):
        assert sent.endswith(".")
        return
    assert sent.text is None or sent.text.encode() == body
    kept: Any = accepted_or_refused(sent)
    if kept is not None:
        json.dumps(kept, ensure_ascii=False, allow_nan=False).encode("utf-8")


def read_or_reason(body: bytes, content_type: str | None) -> Body | str:
    try:
        return read(body, content_type)
    except MalformedRequestError as refused:
        return str(refused)
    except BodyTooLargeError:
        return "Too large."


def accepted_or_refused(sent: Body) -> dict[str, Any] | None:
    form = a_form(fields={"name": {}, "phone": {"type": "phone"}})
    decoded = Decoded("native", sent.fields, body=sent.text, body_base64=sent.base64)
    try:
        now = datetime(2026, 11, 20, tzinfo=UTC)
        return accept(decoded, form, "0" * 32, now, "en", str).model_dump(mode="json")
    except InvalidSubmissionError:
        return None


@pytest.mark.parametrize("client", ["native", "generic", "tilda"])
def test_no_client_keeps_cookies(client: str) -> None:
    form = a_form(client=client)
    found = client_named(client).read(a_request("name=A&COOKIES=sid%3Dsecret"), form)
    assert "secret" not in repr(found)
