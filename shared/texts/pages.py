"""How pages are made: templates, their style, and the headers that keep a page to itself."""

import base64
import hashlib
import re
from collections.abc import Iterable
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.ext import InternationalizationExtension
from markupsafe import Markup

from shared.texts import FOLDER, translation

TEMPLATES = FOLDER / "templates"


@cache
def environment(locale: str) -> Environment:
    """The templates in one language; whatever a page is given is escaped, quotes too."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=[InternationalizationExtension],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.policies["ext.i18n.trimmed"] = True
    texts = translation(locale)
    made.globals |= {"locale": locale, "style": Markup(style())}  # noqa: S704 - our own file
    # The extension adds this method to the environment, which types cannot know.
    made.install_gettext_callables(texts.gettext, texts.ngettext, newstyle=True)  # type: ignore[attr-defined]
    return made


@cache
def style() -> str:
    """The style sheet. It stands in each page, because on a slow network a request is dear."""
    text = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    without_comments = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return re.sub(r"\s*([\n{};,])\s*", lambda found: found[1].strip(), without_comments)


@cache
def _style_source() -> str:
    digest = hashlib.sha256(style().encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def page_headers(forward_to: Iterable[str] = ()) -> dict[str, str]:
    """The headers of a page: no scripts, no frames, no referrer, kept nowhere, found by nobody.

    `forward_to` are origins that a post of the page's form may be redirected to: browsers hold
    redirects to `form-action` as well.
    """
    policy = {
        "default-src": "'none'",
        "style-src": _style_source(),
        "form-action": " ".join(["'self'", *forward_to]),
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Cache-Control": "no-store",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex",
    }
