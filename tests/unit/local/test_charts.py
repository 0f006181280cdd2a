"""Numbers into shapes."""

import pytest

from infra.local.charts import Column, plot, rounded_up
from infra.local.dashboard import Series, Target, Widget


def series(*values: float | None) -> Series:
    return Series("a", sum(filter(None, values)), values, is_sum=True)


@pytest.mark.parametrize(
    ("value", "highest"),
    [
        (0, 1),
        (0.3, 1),
        (1, 1),
        (1.1, 2),
        (3, 4),
        (5, 6),
        (7, 8),
        (9, 10),
        (460, 600),
        (61_000, 80_000),
    ],
)
def test_a_scale_ends_at_a_round_number(value: float, highest: float) -> None:
    assert rounded_up(value) == highest


def test_columns_stand_on_each_other() -> None:
    widget = Widget("timeSeries", 12, is_stacked=True, series=(series(1, None), series(3, 2)))

    drawn = plot(widget)

    assert drawn.highest == 4
    lower, upper = (shape.columns for shape in drawn.shapes)
    assert lower == (Column(5, 75, 40, 25),)
    assert upper == (Column(5, 0, 40, 75), Column(55, 50, 40, 50))


def test_a_line_goes_through_what_there_is() -> None:
    (shape,) = plot(Widget("timeSeries", 12, series=(series(10, None, 0, 5),))).shapes

    assert shape.points == ((12.5, 0), (62.5, 100), (87.5, 50))
    assert shape.line == "12.50,0.00 62.50,100.00 87.50,50.00"
    assert not shape.columns


def test_the_scale_holds_the_target() -> None:
    drawn = plot(Widget("timeSeries", 12, target=Target(300, "five minutes"), series=(series(9),)))

    assert drawn.highest == 400
    assert drawn.target_y == 25


def test_a_given_maximum_is_kept() -> None:
    drawn = plot(Widget("timeSeries", 12, maximum=100, series=(series(50, 100),)))

    assert drawn.highest == 100
    assert drawn.shapes[0].points == ((25, 50), (75, 0))


def test_nothing_measured_is_an_empty_plot() -> None:
    assert plot(Widget("timeSeries", 12, is_stacked=True)).shapes == ()
    assert plot(Widget("timeSeries", 12, series=(series(None, None),))).shapes[0].points == ()
