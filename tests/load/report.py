"""What was measured, as a table in Markdown: medians, ratios within a round, and their range."""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import NamedTuple

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


class Measured(NamedTuple):
    """One subject in one round. CPU is user and system time."""

    init_ms: float
    """From the start of the interpreter to a handler that is imported."""
    first_ms: float
    """The first request."""
    warm_us: float
    """A further request."""
    cold_calls: int
    """Calls to AWS up to the first answer."""
    warm_calls: float
    peak_mb: float | None

    @property
    def cold_ms(self) -> float:
        return self.init_ms + self.first_ms


class Size(NamedTuple):
    """What is deployed, in bytes."""

    unzipped: int
    zipped: int


class Row(NamedTuple):
    """One subject: its rounds, and its package where one is known."""

    name: str
    rounds: Sequence[Measured]
    size: Size | None


HEAD = (
    "",
    "cold start, CPU ms",
    "× floor",
    "of it the first request",
    "warm request, CPU µs",
    "× floor",
    "AWS calls, cold / warm",
    "peak MB",
    "package MB (zip)",
)


def table(rows: Sequence[Row]) -> str:
    """All rows; the first is the floor that the others are compared with."""
    floor = rows[0].rounds
    lines = [HEAD, ("---", *["---:"] * (len(HEAD) - 1)), *(_cells(row, floor) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cells(row: Row, floor: Sequence[Measured]) -> tuple[str, ...]:
    rounds = row.rounds
    pairs = list(zip(rounds, floor, strict=True))
    peaks = [measured.peak_mb for measured in rounds if measured.peak_mb is not None]
    return (
        row.name,
        middle((m.cold_ms for m in rounds), 0),
        ratio(m.cold_ms / f.cold_ms for m, f in pairs),
        middle((m.first_ms for m in rounds), 0),
        middle((m.warm_us for m in rounds), 0),
        ratio(m.warm_us / f.warm_us for m, f in pairs),
        f"{median(m.cold_calls for m in rounds):g} / {median(m.warm_calls for m in rounds):g}",
        f"{median(peaks):.0f}" if peaks else "–",
        f"{row.size.unzipped / 1e6:.1f} ({row.size.zipped / 1e6:.1f})" if row.size else "–",
    )


def middle(values: Iterable[float], digits: int) -> str:
    """`310 (298–350)`: the median, and from the smallest to the largest."""
    numbers = sorted(values)
    shown = [f"{number:.{digits}f}" for number in (median(numbers), numbers[0], numbers[-1])]
    return f"{shown[0]} ({shown[1]}–{shown[2]})"


def ratio(values: Iterable[float]) -> str:
    return middle(values, 2)


def replaced(document: str, content: str) -> str:
    """The document with new content between its two marks. Raises ValueError without them."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the document has no place for what was measured")
    return f"{before}{BEGIN}\n\n{content}\n\n{END}{after}"
