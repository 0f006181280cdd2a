"""A picture of two simulations: one SVG file that needs nothing else, on a screen and on paper.

The sides differ in lightness, in hue and in the dash, so that a grey print and colour-blind eyes
tell them apart.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import NamedTuple
from zoneinfo import ZoneInfo

from infra.simulation.comparison import is_fast, waited_seconds
from infra.simulation.play import FIVE_MINUTES, Outcome

WIDTH, HEIGHT = 960, 800
LEFT, RIGHT = 76, 936
INK, MUTED, RULE, GRID = "#1b1f24", "#57606a", "#8c959f", "#e3e6ea"
FASTEST, SLOWEST = 10, 7 * 86400
"""The ends of the axis of time, in seconds."""
TICKS = (
    (10, "10 s"),
    (30, "30 s"),
    (60, "1 min"),
    (120, "2 min"),
    (300, "5 min"),
    (900, "15 min"),
    (3600, "1 h"),
    (4 * 3600, "4 h"),
    (86400, "1 day"),
    (3 * 86400, "3 days"),
    (SLOWEST, "7 days"),
)


class Side(NamedTuple):
    label: str
    outcomes: Sequence[Outcome]
    """Of leads that are followed up."""
    colour: str
    dash: str


class Panel(NamedTuple):
    """Where a chart of shares stands: 100 % at its top, 0 at its bottom."""

    top: float
    bottom: float

    def y(self, share: float) -> float:
        return self.bottom - share * (self.bottom - self.top)


WAITS = Panel(160, 420)
HOURS = Panel(512, 724)


def picture(one: Sequence[Outcome], other: Sequence[Outcome], zone: str, caption: str) -> str:
    """The SVG. Hours are those of a zone; `caption` says which leads these are."""
    sides = (
        Side("as it is", [o for o in one if o.is_followed], "#12395b", "none"),
        Side("as it could be", [o for o in other if o.is_followed], "#c8780a", "9 4"),
    )
    body = [
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        _text(LEFT, 34, "How soon leads are called", size=20, weight=600),
        _text(LEFT, 56, caption, colour=MUTED),
        *_legend(sides),
        *_waits(sides),
        *_hours(sides, ZoneInfo(zone)),
    ]
    said = "; ".join(f"{side.label}: {_percent(_fast(side.outcomes))}" for side in sides)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"',
            '  role="img" aria-labelledby="title desc"',
            '  font-family="system-ui, DejaVu Sans, sans-serif">',
            '<title id="title">How soon leads are called</title>',
            f'<desc id="desc">{escape(f"Called within five minutes, {said}. {caption}")}</desc>',
            *body,
            "</svg>",
            "",
        ]
    )


def _legend(sides: Sequence[Side]) -> Iterator[str]:
    x = LEFT
    for side in sides:
        yield _line(x, 80, x + 40, 80, side.colour, width=3, dash=side.dash)
        yield f'<rect x="{x + 48}" y="74" width="12" height="12" fill="{side.colour}"/>'
        yield _text(x + 68, 85, side.label, weight=600)
        x += 190


# --- the wait ------------------------------------------------------------------------------------


def _waits(sides: Sequence[Side]) -> Iterator[str]:
    yield _text(LEFT, WAITS.top - 28, "Called within this time of coming", weight=600)
    yield from _shares(WAITS)
    for seconds, label in TICKS:
        x = _place(seconds)
        yield _line(x, WAITS.bottom, x, WAITS.bottom + 5, RULE)
        yield _text(x, WAITS.bottom + 20, label, anchor="middle", colour=MUTED)
    five = _place(FIVE_MINUTES.total_seconds())
    yield _line(five, WAITS.top - 10, five, WAITS.bottom, INK, dash="2 3")
    for side in sides:
        waits = sorted(map(waited_seconds, side.outcomes))
        points = " ".join(
            f"{x},{WAITS.y(_reached(waits, seconds)):.1f}" for x, seconds in _columns()
        )
        yield (
            f'<polyline points="{points}" fill="none" stroke="{side.colour}" stroke-width="3"'
            f' stroke-linejoin="round" stroke-dasharray="{side.dash}"/>'
        )
    yield from _at_five_minutes(sides, five)


def _at_five_minutes(sides: Sequence[Side], x: float) -> Iterator[str]:
    """The two shares, where the curves cross the line; the higher one above its point."""
    ordered = sorted(sides, key=lambda side: _fast(side.outcomes))
    for side, (dx, dy, anchor) in zip(ordered, ((10, 18, "start"), (-10, -8, "end")), strict=True):
        y = WAITS.y(_fast(side.outcomes))
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{side.colour}" stroke="#fff"/>'
        share = _percent(_fast(side.outcomes))
        yield _text(x + dx, y + dy, share, anchor=anchor, weight=600)


def _columns() -> Iterator[tuple[int, float]]:
    """Every second place on the axis and the seconds that it stands for."""
    span = math.log(SLOWEST / FASTEST)
    for x in range(LEFT, RIGHT + 1, 2):
        yield x, FASTEST * math.exp(span * (x - LEFT) / (RIGHT - LEFT))


def _place(seconds: float) -> float:
    return LEFT + math.log(seconds / FASTEST) / math.log(SLOWEST / FASTEST) * (RIGHT - LEFT)


def _reached(waits: Sequence[float], seconds: float) -> float:
    return bisect_right(waits, seconds) / len(waits) if waits else 0.0


# --- the hours -----------------------------------------------------------------------------------


def _hours(sides: Sequence[Side], zone: ZoneInfo) -> Iterator[str]:
    heading = f"Called within five minutes, by the hour of coming ({zone.key})"
    yield _text(LEFT, HOURS.top - 22, heading, weight=600)
    yield from _shares(HOURS)
    width = (RIGHT - LEFT) / 24

    def came_at(hour: int) -> Callable[[Outcome], bool]:
        return lambda outcome: outcome.arrival.at.astimezone(zone).hour == hour

    for hour in range(24):
        x = LEFT + hour * width
        yield _text(x + width / 2, HOURS.bottom + 18, f"{hour}", anchor="middle", colour=MUTED)
        for place, side in enumerate(sides):
            came = list(filter(came_at(hour), side.outcomes))
            y = HOURS.y(_fast(came))
            yield (
                f'<rect x="{x + 4 + place * (width / 2 - 3):.1f}" y="{y:.1f}"'
                f' width="{width / 2 - 5:.1f}" height="{HOURS.bottom - y:.1f}"'
                f' fill="{side.colour}"/>'
            )
        count = sum(map(came_at(hour), sides[0].outcomes))
        yield _text(
            x + width / 2, HOURS.bottom + 36, f"{count}", anchor="middle", colour=MUTED, size=11
        )
    yield _text(LEFT - 10, HOURS.bottom + 18, "hour", anchor="end", colour=MUTED)
    yield _text(LEFT - 10, HOURS.bottom + 36, "leads", anchor="end", colour=MUTED, size=11)


# --- both ----------------------------------------------------------------------------------------


def _fast(outcomes: Sequence[Outcome]) -> float:
    return sum(map(is_fast, outcomes)) / max(1, len(outcomes))


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")


def _shares(panel: Panel) -> Iterator[str]:
    for percent in (0, 25, 50, 75, 100):
        y = panel.y(percent / 100)
        yield _line(LEFT, y, RIGHT, y, RULE if percent == 0 else GRID)
        yield _text(LEFT - 10, y + 4, f"{percent} %", anchor="end", colour=MUTED)


def _line(
    x: float, y: float, to_x: float, to_y: float, colour: str, *, width: int = 1, dash: str = "none"
) -> str:
    return (
        f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{colour}"'
        f' stroke-width="{width}" stroke-dasharray="{dash}"/>'
    )


def _text(
    x: float,
    y: float,
    words: str,
    *,
    anchor: str = "start",
    size: int = 13,
    weight: int = 400,
    colour: str = INK,
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"'
        f' font-weight="{weight}" fill="{colour}">{escape(words)}</text>'
    )
