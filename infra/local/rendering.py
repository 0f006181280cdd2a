"""How the laptop's own pages are made.

Their words stand in the templates, both languages side by side: `t("Inbox", "Входящие")`.
"""

import os
import re
from datetime import datetime
from functools import cache
from pathlib import Path
from urllib.parse import urlencode
from zoneinfo import available_timezones

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from shared.texts import DEFAULT_LOCALE, LOCALES

PAGES = Path(__file__).with_name("pages")
LOCALTIME = Path("/etc/localtime")
LINK = re.compile(r"https?://[^\s<>\"]+|tel:\+\d+|\+\d{8,15}\b")
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


def locale_of(request: Request) -> str:
    """The language chosen by `?lang=`, else the one the browser likes best."""
    chosen = request.query_params.get("lang")
    if chosen in LOCALES:
        return chosen
    for language in accepted_languages(request.headers.get("accept-language", "")):
        if language in LOCALES:
            return language
    return DEFAULT_LOCALE


def this_zone() -> str:
    """The name of this computer's time zone; UTC where it says none."""
    told = os.environ.get("TZ", "").removeprefix(":")
    name = told or str(LOCALTIME.resolve()).partition("/zoneinfo/")[2]
    return name if name in available_timezones() else "UTC"


def accepted_languages(header: str) -> list[str]:
    """`de, ru-RU;q=0.9, en;q=0.8` -> de, ru, en."""
    weighted = []
    for part in header.split(","):
        tag, _, weight = part.partition(";q=")
        try:
            quality = float(weight or 1)
        except ValueError:
            continue
        weighted.append((-quality, tag.strip().partition("-")[0].lower()))
    by_weight = sorted(weighted, key=lambda w: w[0])
    return [language for quality, language in by_weight if quality and language]


def page(
    request: Request,
    template: str,
    *,
    locale: str | None = None,
    status: int = 200,
    **context: object,
) -> HTMLResponse:
    """Render a template of `pages/`; everything in the context is escaped."""
    language = locale or locale_of(request)

    def translate(english: str, russian: str) -> str:
        return russian if language == "ru" else english

    def here(path: str, **query: str) -> str:
        """The address of a page, in the language that was chosen for this one."""
        if "lang" in request.query_params:
            query.setdefault("lang", language)
        return f"{path}?{urlencode(query)}" if query else path

    text = (
        environment()
        .get_template(template)
        .render(context, locale=language, t=translate, here=here, path=request.url.path)
    )
    return HTMLResponse(text, status, HEADERS)


@cache
def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(PAGES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "links": links,
        "clock": clock,
        "markdown": markdown,
        "number": number,
        "moment": moment,
    }
    return made


def links(text: str) -> Markup:
    """The text with its addresses and phone numbers clickable, as a phone shows it."""
    parts = []
    end = 0
    for found in LINK.finditer(text):
        address = found[0].rstrip(".,;:!?)")
        target = f"tel:{address}" if address.startswith("+") else address
        parts += [
            escape(text[end : found.start()]),
            Markup('<a href="{}">{}</a>').format(target, address),
        ]
        end = found.start() + len(address)
    return Markup("").join([*parts, escape(text[end:])])


def markdown(text: str) -> Markup:
    """Headings, lists, paragraphs, **bold** and *italic*: what the dashboard's texts use."""
    blocks = []
    for block in text.split("\n\n"):
        lines = [emphasised(line) for line in block.splitlines()]
        if block.startswith("- "):
            items = (Markup("<li>{}</li>").format(line.removeprefix("- ")) for line in lines)
            blocks.append(Markup("<ul>{}</ul>").format(Markup("").join(items)))
        elif block.startswith("## "):
            blocks.append(Markup("<h2>{}</h2>").format(lines[0].removeprefix("## ")))
        else:
            blocks.append(Markup("<p>{}</p>").format(Markup(" ").join(lines)))
    return Markup("").join(blocks)


def emphasised(line: str) -> Markup:
    marked = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", str(escape(line)))
    return Markup(re.sub(r"\*(.+?)\*", r"<em>\1</em>", marked))  # noqa: S704 - escaped above


def number(value: float, locale: str) -> str:
    """`1 234` or `0.5`, with the language's own point."""
    digits = 0 if value == round(value) or value >= 100 else 1
    text = f"{value:,.{digits}f}".replace(",", "\u202f")
    return text.replace(".", ",") if locale == "ru" else text


def clock(moment: datetime | str) -> str:
    """`14:05:09`, with the date when that is not today, in this computer's time zone."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    local = moment.astimezone()
    is_today = local.date() == datetime.now().astimezone().date()
    return f"{local:%H:%M:%S}" if is_today else f"{local:%d.%m. %H:%M}"


def moment(at: datetime, hours: int) -> str:
    """A place on the time axis of a chart of so many hours, in this computer's time zone."""
    local = at.astimezone()
    return f"{local:%H:%M}" if hours <= 24 else f"{local:%d.%m.}"
