"""The structure of a page without its words, to compare what strangers' words did to it."""

from html.parser import HTMLParser

FREE = {"value", "href", "id", "for", "action", "datetime", "aria-describedby"}
"""Attributes whose value may come from data."""
VOID = {"input", "meta", "link", "br"}


class _Skeleton(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.open: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        shown = [name if name in FREE else f"{name}={value}" for name, value in attrs]
        self.found.append(f"{'/'.join(self.open)}/{tag} {' '.join(shown)}")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> in the wrong place"

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.found.append(f"comment {bool(data)}")


def _parse(html: str) -> _Skeleton:
    parser = _Skeleton()
    parser.feed(html)
    parser.close()
    assert not parser.open, f"never closed: {parser.open}"
    return parser


def skeleton(html: str) -> list[str]:
    """Every element with its place and attributes; fails on a page that is not well nested."""
    return _parse(html).found


def text_of(html: str) -> str:
    """What a person reads, on one line."""
    inside = html.partition("<body>")[2]
    return " ".join(" ".join(_parse(f"<body>{inside}".partition("</html>")[0]).texts).split())


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</textarea></select></style></title><svg onload=alert(1)>",
    "<!-- ",
    "]]>",
    "{{ 7 * 7 }} {% raw %} %(name)s %s {0}",
    "&lt;b&gt; &amp; &#60;",
    "javascript:alert(1)",
    "line\r\nSubject: forged\n\nbody",
    "\u202egnp.exe\u2066 \u200bzero\ufeff",
    "\x00\x07\x1b[31m",
    "👩‍👩‍👧‍👦 ёж ﷽",
    "=cmd|' /C calc'!A0",
)
"""Words that have broken pages, headers and messages elsewhere."""
