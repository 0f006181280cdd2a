"""Strangers' words made fit for places that have structure: a line, a header, a text message."""

import unicodedata

JOINERS = "\u200c\u200d"
"""Invisible, and part of how Persian, Hindi and emoji are written."""


def one_line(text: str) -> str:
    """The text on one line, without anything invisible that could turn or break it."""
    return " ".join(_visible(text).split())


def paragraphs(text: str) -> str:
    """The same with its lines kept; several empty lines become one."""
    lines = [" ".join(line.split()) for line in _visible(text).splitlines()]
    kept = [line for place, line in enumerate(lines) if line or (place and lines[place - 1])]
    return "\n".join(kept).strip()


def cut(text: str, length: int, ellipsis: str = "…") -> str:
    """At most `length` characters, up to the end of a word where one is near."""
    if len(text) <= length:
        return text
    room = length - len(ellipsis)
    if room < 1:
        return ""
    kept = text[:room]
    word = kept.rpartition(" ")[0]
    if not text[room].isspace() and len(word) * 3 > room * 2:
        kept = word
    kept = kept.rstrip(" ,.;:-–—" + JOINERS)
    return kept + ellipsis if kept else ""


def _visible(text: str) -> str:
    return "".join(filter(None, map(_visible_character, text)))


def _visible_character(character: str) -> str:
    match unicodedata.category(character):
        case "Cc":  # controls, among them the line breaks and the tab
            return {"\n": "\n", "\r": "\n", "\t": " "}.get(character, "")
        case "Zl" | "Zp":
            return "\n"
        case "Cf":  # overrides of the direction of writing, zero-width spaces, hidden tags
            return character if character in JOINERS else ""
        case "Cs":  # half a character: it cannot be encoded
            return ""
        case _:
            return character
