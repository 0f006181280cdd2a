"""Strangers' words: nothing invisible, nothing that breaks a line or a header."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.texts.plain import cut, one_line, paragraphs

anything = st.text(st.characters(codec=None), max_size=200)


def categories(text: str) -> set[str]:
    return {unicodedata.category(letter) for letter in text if letter not in "\u200c\u200d"}


@given(anything)
def test_a_line_is_one_line_and_visible(text: str) -> None:
    line = one_line(text)

    assert not categories(line) & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert line == line.strip()
    assert one_line(line) == line
    line.encode()


@given(anything)
def test_paragraphs_keep_only_line_breaks(text: str) -> None:
    lines = paragraphs(text)

    assert not categories(lines.replace("\n", "")) & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert "\n\n\n" not in lines
    assert paragraphs(lines) == lines


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("  Ada \t Lovelace\r\n", "Ada Lovelace"),
        ("Ada\u202egnp.exe", "Adagnp.exe"),
        ("Ada\u2028Subject: forged", "Ada Subject: forged"),
        ("A\x00d\x1ba", "Ada"),
        ("Ada\ud800", "Ada"),
        ("👩\u200d👧 می\u200cروم", "👩\u200d👧 می\u200cروم"),
        ("O'Neil & <b>", "O'Neil & <b>"),
    ],
)
def test_what_stays_of_a_line(text: str, line: str) -> None:
    assert one_line(text) == line


def test_paragraphs_stay_apart() -> None:
    assert paragraphs("a\r\n\r\n\r\n\r\nb\rc\u2028d ") == "a\n\nb\nc\nd"


@given(anything, st.integers(min_value=0, max_value=50))
def test_a_cut_is_never_longer_than_asked(text: str, length: int) -> None:
    shortened = cut(text, length)

    assert len(shortened) <= length
    assert shortened == text or not shortened or shortened.endswith("…")


@pytest.mark.parametrize(
    ("text", "length", "shortened"),
    [
        ("short", 10, "short"),
        ("a longer sentence", 10, "a longer…"),
        ("a longer, sentence", 11, "a longer…"),
        ("Donaudampfschiff", 6, "Donau…"),
        ("a Donaudampfschiff", 9, "a Donaud…"),
        ("cafe\u0301s", 5, "cafe…"),
        ("👩\u200d👧\u200d👦", 4, "👩\u200d👧…"),
        ("word", 1, ""),
        ("-----", 3, ""),
    ],
)
def test_a_cut_ends_where_a_word_does(text: str, length: int, shortened: str) -> None:
    assert cut(text, length) == shortened
