from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.contact import (
    Contact,
    Phone,
    company_domain,
    example_phone,
    is_disposable,
    is_untouched_mask,
    read_email,
    read_name,
    read_phone,
    region_of,
)
from tests.unit.samples import rows


@pytest.mark.parametrize("row", rows("phone"), ids=lambda row: row["input"])
def test_phones_are_read_as_people_write_them(row: dict[str, Any]) -> None:
    read = read_phone(row["input"], row["region"])
    wanted = Phone(row["e164"], row["extension"], row["country"], tuple(row["extra"]))
    assert read == (wanted if row["e164"] else None)


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        pytest.param("89161234567", "GB", "+79161234567", id="a Russian number on an English form"),
        pytest.param("79161234567", "GB", "+79161234567", id="the plus lost"),
        pytest.param("0079161234567", "RU", "+79161234567", id="00 for the plus"),
        pytest.param("+7 916 123-45-67 после 18:00", "RU", "+79161234567", id="words behind"),
        pytest.param("мой номер 89161234567", "RU", "+79161234567", id="words in front"),
        pytest.param("８９１６１２３４５６７", "RU", "+79161234567", id="full-width digits"),
        pytest.param("07700 900123", "GB", "+447700900123", id="possible, in no assigned range"),
        pytest.param("+7 000 000-00-00", "RU", None, id="one digit held down"),
        pytest.param("1111111111", "RU", None, id="one digit held down, no plus"),
        pytest.param("555-1234", "US", None, id="local only"),
        pytest.param("ext 12", "GB", None, id="only an extension"),
        pytest.param("9" * 201, "RU", None, id="too long to look at"),
    ],
)
def test_more_phones(text: str, region: str, number: str | None) -> None:
    read = read_phone(text, region)
    assert (read.number if read else None) == number


@pytest.mark.parametrize("text", ["8 (495) 123-45-67 вн. 12", "8 495 123-45-67 добавочный 12"])
def test_an_extension_is_kept_however_it_is_called(text: str) -> None:
    assert read_phone(text, "RU") == Phone("+74951234567", "12", "RU")


def test_a_mask_that_nobody_filled_in_is_no_attempt_at_a_phone() -> None:
    assert is_untouched_mask("+7 (___) ___-__-__")
    assert is_untouched_mask("+375 (__) ___-__-__")
    assert not is_untouched_mask("+7 (916) 12_-__-__")
    assert not is_untouched_mask("12345")


@pytest.mark.parametrize("region", ["GB", "RU", "US", "DE", "KZ"])
def test_the_example_of_a_region_is_a_phone_there(region: str) -> None:
    assert read_phone(example_phone(region), region)


def test_there_is_an_example_for_a_region_without_numbers() -> None:
    assert example_phone("XX").startswith("+")


@pytest.mark.parametrize("row", rows("email"), ids=lambda row: row["input"])
def test_emails_are_normalised(row: dict[str, Any]) -> None:
    email = read_email(row["input"])
    assert email == row["normalized"]
    assert company_domain(email) == row["company_domain"]
    if email is not None:
        assert is_disposable(email) == (row["kind"] == "disposable")


def test_a_mailbox_on_a_host_of_a_disposable_domain_is_disposable() -> None:
    assert is_disposable("a@mx.mailinator.com")
    assert company_domain("a@mx.mailinator.com") is None


@pytest.mark.parametrize(
    ("text", "email"),
    [
        ("Anna <Anna@Example.com>", "anna@example.com"),
        ("mailto:a@example.com", "a@example.com"),
        ("\u200ba@example.com.", "a@example.com"),
        ("a@example.com, b@example.com", "a@example.com"),
        ("a@@example.com b@example.com", "b@example.com"),
        ("иван@почта.рф", "иван@почта.рф"),
        ("a@localhost", None),
        ("a@example.invalid", None),
        ("@", None),
        (f"{'a' * 400}@example.com", None),
    ],
)
def test_an_address_is_found_in_what_people_paste(text: str, email: str | None) -> None:
    assert read_email(text) == email


@pytest.mark.parametrize(
    ("email", "domain"),
    [
        ("a@mail.gmail.com", None),
        ("a@hotmail.co.uk", None),
        ("a@eu.shop.example.co.uk", "example.co.uk"),
        ("a@shop.msk.ru", "shop.msk.ru"),
        (None, None),
    ],
)
def test_free_mail_says_nothing_of_a_company(email: str | None, domain: str | None) -> None:
    assert company_domain(email) == domain


@pytest.mark.parametrize("row", rows("name"), ids=lambda row: row["input"])
def test_names_fall_into_parts(row: dict[str, Any]) -> None:
    assert read_name(row["input"]) == (row["given"], row["family"], row["patronymic"])


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Ivanov, Ivan", ("Ivan", "Ivanov", None)),
        ("Смирнова Анна", ("Анна", "Смирнова", None)),
        ("Ирина Смирнова", ("Ирина", "Смирнова", None)),
        ("Мамедов Ахмед Али оглы", ("Ахмед", "Мамедов", "Али оглы")),
        ("Лев Толстой", ("Лев", "Толстой", None)),
        ("John Ronald Reuel Tolkien", ("John", "Ronald Reuel Tolkien", None)),
        (", ,", (None, None, None)),
        ("", (None, None, None)),
    ],
)
def test_more_names(text: str, parts: tuple[str | None, ...]) -> None:
    assert read_name(text) == parts


def test_the_same_phone_and_address_are_the_same_person() -> None:
    first = Contact(name="A", phone="+442079460958", phone_extension="1", email="a@example.com")
    second = Contact(name="B", phone="+442079460958", email="a@example.com")
    assert first.guards == second.guards
    kinds, digests = zip(*(guard.split("#") for guard in first.guards), strict=True)
    assert kinds == ("phone", "email")
    assert {len(digest) for digest in digests} == {32}
    assert Contact(name="C").guards == ()


@given(st.text(max_size=250), st.sampled_from(["RU", "GB", "US", "ZZ"]))
def test_any_text_is_a_phone_or_none(text: str, region: str) -> None:
    read = read_phone(text, region)
    assert read is None or (read.number.startswith("+") and read.number[1:].isdigit())


@given(st.text(st.sampled_from("+78( )-доб.12,/;\u202a９٣"), max_size=60))
def test_phone_like_text_is_a_phone_or_none(text: str) -> None:
    read = read_phone(text, "RU")
    assert read is None or 5 <= len(read.number) <= 16


@given(st.integers(9_000_000_000, 9_999_999_999), st.sampled_from(["8", "+7", "7", "", "+8"]))
def test_each_way_to_write_a_russian_mobile_is_the_same_phone(number: int, prefix: str) -> None:
    read = read_phone(f"{prefix}{number}", "RU")
    wanted = read_phone(f"+7{number}", "RU")
    assert wanted is not None
    assert read == wanted


@given(st.text(max_size=400))
def test_any_text_is_an_address_or_none(text: str) -> None:
    email = read_email(text)
    assert email is None or ("@" in email and email == email.lower())


@given(st.text(max_size=250))
def test_any_text_has_parts_of_a_name_or_none(text: str) -> None:
    parts = read_name(text)
    assert all(part is None or part.strip() for part in parts)


@pytest.mark.parametrize(
    ("number", "region"),
    [
        ("+447700900101", "GB"),
        ("+79161234567", "RU"),
        ("+77011234567", "RU"),
        ("+12025550123", "US"),
        ("+99999999999", "ZZ"),
        ("no number", "ZZ"),
    ],
)
def test_a_number_tells_where_it_is_from(number: str, region: str) -> None:
    assert region_of(number) == region
