"""Every sentence that Leadline says, in the reader's language, and the pages that say it.

The English sentence is the key: `translation(locale).gettext("Nobody yet")`. Sentences in code and
templates are collected into `locale/`, translated there and compiled; a test fails while one has no
translation.
"""

from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

FOLDER = Path(__file__).parent
LOCALES = ("en", "ru")
DEFAULT_LOCALE = LOCALES[0]


def mark(message: str) -> str:
    """The sentence itself: marks one in a table, to be translated where it is used."""
    return message


def known_locale(locale: str) -> str:
    """The language for a tag such as `ru`, `ru-RU` or `ru_RU`; English where we have none."""
    language = locale.replace("_", "-").partition("-")[0].lower()
    return language if language in LOCALES else DEFAULT_LOCALE


def translation(locale: str) -> NullTranslations:
    """The sentences of a language; English for one that Leadline does not speak."""
    return _translation(known_locale(locale))


@cache
def _translation(locale: str) -> NullTranslations:
    if locale == DEFAULT_LOCALE:
        return NullTranslations()
    with (FOLDER / "locale" / locale / "LC_MESSAGES" / "leadline.mo").open("rb") as compiled:
        return GNUTranslations(compiled)


def render(template: str, locale: str, **context: object) -> str:
    """A page of `templates/` in a language.

    Everything in the context is escaped. Raises jinja2.UndefinedError for a name that a template
    needs and the context does not have.
    """
    # Only who renders a page pays for Jinja2: capture imports this module for its sentences.
    from shared.texts.pages import environment  # noqa: PLC0415

    return environment(known_locale(locale)).get_template(template).render(context)
