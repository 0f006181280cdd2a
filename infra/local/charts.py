"""Shapes of charts: numbers into places on a plot of 100 x 100, which the page stretches.

Words stand outside the plot, so that they stay readable at any width.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from infra.local.dashboard import Series, Widget

SIZE = 100.0


class Column(NamedTuple):
    """A part of a stacked column."""

    x: float
    y: float
    width: float
    height: float


class Shape(NamedTuple):
    """A series as it is drawn: columns, or a line and the points that it goes through."""

    columns: tuple[Column, ...] = ()
    line: str = ""
    points: tuple[tuple[float, float], ...] = ()


class Plot(NamedTuple):
    """The shapes of a widget's series, in their order."""

    highest: float
    shapes: tuple[Shape, ...]
    target_y: float | None


def plot(widget: Widget) -> Plot:
    """A chart over time."""
    everything = [value for series in widget.series for value in series.values if value is not None]
    if widget.is_stacked:
        moments = zip(*(series.values for series in widget.series), strict=True)
        everything = [sum(value or 0 for value in moment) for moment in moments]
    if widget.target:
        everything.append(widget.target.value)
    highest = widget.maximum or rounded_up(max(everything, default=0))
    shapes = stack(widget.series, highest) if widget.is_stacked else lines(widget.series, highest)
    target_y = SIZE - widget.target.value / highest * SIZE if widget.target else None
    return Plot(highest, tuple(shapes), target_y)


def rounded_up(value: float) -> float:
    """The next of 1, 2, 4, 6, 8, 10, 20, 40…: half of it is a round number too."""
    if value <= 1:
        return 1
    ten = 10.0 ** math.floor(math.log10(value))
    return next(step * ten for step in (1, 2, 4, 6, 8, 10) if step * ten >= value)


def stack(series: Sequence[Series], highest: float) -> Iterator[Shape]:
    below = [0.0] * (len(series[0].values) if series else 0)
    for one in series:
        width = SIZE / len(one.values)
        parts = []
        for place, value in enumerate(one.values):
            if value:
                height = value / highest * SIZE
                below[place] += height
                parts.append(
                    Column(place * width + width * 0.1, SIZE - below[place], width * 0.8, height)
                )
        yield Shape(columns=tuple(parts))


def lines(series: Sequence[Series], highest: float) -> Iterator[Shape]:
    for one in series:
        width = SIZE / len(one.values)
        points = [
            ((place + 0.5) * width, SIZE - min(value / highest, 1) * SIZE)
            for place, value in enumerate(one.values)
            if value is not None
        ]
        yield Shape(line=" ".join(f"{x:.2f},{y:.2f}" for x, y in points), points=tuple(points))
