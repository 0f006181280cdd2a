"""What the modules of the commands share: how they are added, how a table is printed, and who does
something.
"""

import argparse
import getpass
import shutil
import textwrap
from collections.abc import Sequence
from typing import TypeAlias

from shared.domain.events import OPERATOR

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - no public name
"""Where a module adds its commands."""


def lines(rows: Sequence[Sequence[str]], margin: str = "") -> str:
    """Rows in columns; the last column is folded to the width of the terminal."""
    width = max(72, min(120, shutil.get_terminal_size().columns))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    indent = len(margin) + sum(widths) + 2 * len(widths)
    told = []
    for row in rows:
        others = margin + "".join(f"{c:<{w}}  " for c, w in zip(row, widths, strict=False))
        folded = textwrap.fill(
            row[-1],
            width,
            initial_indent=others,
            subsequent_indent=" " * indent,
            break_on_hyphens=False,
            break_long_words=False,
        )
        # Of an empty last column nothing is filled, not even the indent.
        told.append(folded or others.rstrip())
    return "\n".join(told)


def operator(name: str | None = None) -> str:
    """Who does something, as it is recorded: `operator alice`. You, unless it says who."""
    return f"{OPERATOR} {name or getpass.getuser()}"
