"""What the modules of the commands share: how they are added, and how a table is printed."""

import argparse
import shutil
import textwrap
from collections.abc import Sequence
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - no public name
"""Where a module adds its commands."""


def lines(rows: Sequence[Sequence[str]]) -> str:
    """Rows in columns; the last column is folded to the width of the terminal."""
    width = max(72, min(120, shutil.get_terminal_size().columns))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    indent = sum(widths) + 2 * len(widths)
    return "\n".join(
        textwrap.fill(
            row[-1],
            width,
            initial_indent="".join(f"{c:<{w}}  " for c, w in zip(row, widths, strict=False)),
            subsequent_indent=" " * indent,
            break_on_hyphens=False,
            break_long_words=False,
        )
        for row in rows
    )
