"""`make clients`: the table of docs/form-clients.md, from what the modules tell of themselves."""

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import shared.clients
from shared.clients import About, FormClient

DOCUMENT = Path(__file__).with_name("form-clients.md")
MARK = "<!-- Below this line: `make clients`. -->\n"
HEADER = (
    "| client | `client:` | how to connect it | what authenticates it | confirmed "
    "| not confirmed |\n"
    "|---|---|---|---|---|---|\n"
)


def clients() -> dict[str, FormClient]:
    """Every client by the name of its module."""
    modules = {
        found.name: import_module(f"{shared.clients.__name__}.{found.name}")
        for found in iter_modules(shared.clients.__path__)
    }
    return {name: module.CLIENT for name, module in modules.items() if hasattr(module, "CLIENT")}


def document() -> str:
    """The document with its table as the modules have it."""
    head, mark, _ = DOCUMENT.read_text("utf-8").partition(MARK)
    if not mark:
        raise ValueError(f"{DOCUMENT} has no line {MARK!r}")
    rows = [(about, name) for name, client in clients().items() for about in client.about]
    rows.sort(key=lambda row: row[0].title.casefold())
    return head + mark + "\n" + HEADER + "".join(_row(about, name) for about, name in rows)


def _row(about: About, name: str) -> str:
    cells = [text.replace("|", r"\|") or "–" for text in (about.title, f"`{name}`", *about[1:])]
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), "utf-8")
