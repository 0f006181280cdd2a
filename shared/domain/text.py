"""Typed text as it arrives: what looks empty, what cannot be seen, what cannot be stored."""

import unicodedata

BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters by their category, and yet nothing is to be seen: fillers and the empty Braille cell."""

SOFT_HYPHEN, VOWEL_SEPARATOR, BYTE_ORDER_MARK = 0x00AD, 0x180E, 0xFEFF
DIRECTIONS = (0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
JOINTS = (0x200B, *range(0x2060, 0x2065))
"""Without the zero-width joiners proper: some scripts spell with them."""

_SHOWN: dict[int, str | None] = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)), " ")
_SHOWN |= dict.fromkeys((SOFT_HYPHEN, VOWEL_SEPARATOR, BYTE_ORDER_MARK, *DIRECTIONS, *JOINTS), None)


def is_blank(text: str) -> bool:
    """Whether a person would say that nothing is written: spaces of any kind, invisible marks."""
    return all(
        unicodedata.category(letter) in {"Zs", "Zl", "Zp", "Cc", "Cf"} or letter in BLANK_LETTERS
        for letter in text
    )


def tidy(text: str) -> str:
    """One line without invisible marks and doubled spaces: for what is matched and shown."""
    if not text.isprintable():
        text = text.translate(_SHOWN)
    return " ".join(text.split())


def storable(text: str) -> str:
    """The text with line breaks as one letter and without halves of characters.

    A script that cuts a text to a length may cut an emoji in two; UTF-8 has no such half.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.isascii() else text.encode("utf-8", "ignore").decode("utf-8")
