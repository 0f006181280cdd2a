"""Every sentence has its translation, and what is compiled is what was translated."""

import io
import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from shared.texts import FOLDER, LOCALES, mark, render, translation
from tests.unit.template import ROOT

TRANSLATED = [locale for locale in LOCALES if locale != "en"]
each_language = pytest.mark.parametrize("locale", TRANSLATED)


def folder_of(locale: str) -> Path:
    return FOLDER / "locale" / locale / "LC_MESSAGES"


def catalogue(locale: str) -> Catalog:
    with (folder_of(locale) / "leadline.po").open("rb") as file:
        return read_po(file, locale=locale)


def messages(locale: str) -> list[Message]:
    return [message for message in catalogue(locale) if message.id]


def forms(text: object) -> list[str]:
    """A sentence's forms: one, or one for each plural."""
    return [str(form) for form in text] if isinstance(text, list | tuple) else [str(text or "")]


@cache
def sentences() -> frozenset[str | tuple[str, ...]]:
    """What code and templates say, collected as `make texts` does."""
    with (FOLDER / "locale" / "babel.cfg").open() as file:
        # Babel has no types for it.
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    keywords = {**DEFAULT_KEYWORDS, "mark": None}
    found: set[str | tuple[str, ...]] = set()
    for folder in ("shared", "functions"):
        for _, _, message, _, _ in extract_from_dir(
            ROOT / folder, methods, options, keywords=keywords
        ):
            found.add(message)
    return frozenset(found)


@each_language
def test_every_sentence_is_translated_and_no_translation_is_left_over(locale: str) -> None:
    assert {message.id for message in messages(locale)} == sentences(), "run `make texts`"
    assert not catalogue(locale).obsolete


@each_language
def test_no_translation_is_empty_or_only_a_guess(locale: str) -> None:
    plural_forms = catalogue(locale).num_plurals
    for message in messages(locale):
        said = forms(message.string)
        assert all(said), message.id
        assert len(said) == (plural_forms if message.pluralizable else 1)
        assert not message.fuzzy, message.id


@each_language
def test_a_translation_keeps_the_places_for_data(locale: str) -> None:
    places = re.compile(r"%(?:\(\w+\))?[sd]")
    for message in messages(locale):
        wanted = forms(message.id)[-1]
        for said in forms(message.string):
            assert sorted(places.findall(said)) == sorted(places.findall(wanted)), wanted


@each_language
def test_what_is_compiled_is_what_was_translated(locale: str) -> None:
    fresh = io.BytesIO()
    write_mo(fresh, catalogue(locale))

    assert (folder_of(locale) / "leadline.mo").read_bytes() == fresh.getvalue(), "run `make texts`"


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (1, "1 минуту назад"),
        (2, "2 минуты назад"),
        (5, "5 минут назад"),
        (11, "11 минут назад"),
        (21, "21 минуту назад"),
        (22, "22 минуты назад"),
    ],
)
def test_russian_counts_in_three_forms(count: int, said: str) -> None:
    form = translation("ru").ngettext("%(count)d minute ago", "%(count)d minutes ago", count)

    assert form % {"count": count} == said


@pytest.mark.parametrize("tag", ["ru", "ru-RU", "ru_RU", "RU"])
def test_a_language_is_found_by_any_of_its_tags(tag: str) -> None:
    assert translation(tag).gettext("Nobody yet") == "Пока никто"


@pytest.mark.parametrize("tag", ["en", "en-GB", "de", "", "../../etc", "*"])
def test_who_speaks_something_else_reads_english(tag: str) -> None:
    assert translation(tag).gettext("Nobody yet") == "Nobody yet"
    assert 'lang="en"' in render("link_unknown.html", tag, languages={})


def test_marking_a_sentence_changes_nothing() -> None:
    assert mark("Nobody yet") == "Nobody yet"
