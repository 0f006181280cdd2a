import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.text import is_blank, storable, tidy


@pytest.mark.parametrize(
    "text", ["", " ", "\t\r\n", "\xa0", "\u200b", "\ufeff \u2060", "\u3164", "\u2800", "\x00"]
)
def test_what_cannot_be_seen_is_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", ["0", ".", "\u200bа", " 👋", "___"])
def test_what_can_be_seen_is_not_blank(text: str) -> None:
    assert not is_blank(text)


def test_tidying_leaves_one_line_without_marks() -> None:
    assert tidy("\u202d  Анна\u00a0\n Ли\u200b\x00 ") == "Анна Ли"


def test_joiners_that_letters_need_stay() -> None:
    assert tidy("می\u200cخواهم") == "می\u200cخواهم"


def test_half_an_emoji_is_dropped_and_the_rest_is_kept() -> None:
    assert storable("до свидания \ud83d") == "до свидания "


def test_line_breaks_become_one_letter() -> None:
    assert storable("a\r\nb\rc\nd") == "a\nb\nc\nd"


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_can_be_stored_afterwards(text: str) -> None:
    storable(text).encode("utf-8")


@given(st.text())
def test_tidying_twice_changes_nothing_more(text: str) -> None:
    assert tidy(tidy(text)) == tidy(text)
