"""Figures of the last hours."""

from datetime import UTC, datetime, timedelta

from infra.local.dashboard import BUCKETS, Series, floor, in_buckets

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def test_values_fall_into_their_five_minutes() -> None:
    moments = [START, START + timedelta(minutes=5), START + timedelta(minutes=7)]

    sums = in_buckets(moments, [1, 2, 3], START)

    assert sums[:3] == (1, 5, 0)
    assert len(sums) == BUCKETS


def test_what_is_outside_the_hours_is_left_out() -> None:
    outside = [START - timedelta(minutes=6), START + timedelta(hours=3)]

    assert sum(in_buckets(outside, [1, 1], START)) == 0


def test_five_minutes_begin_on_the_clock() -> None:
    assert floor(datetime(2026, 11, 20, 9, 14, 59, 999, tzinfo=UTC)) == datetime(
        2026, 11, 20, 9, 10, tzinfo=UTC
    )


def test_the_line_spans_its_frame() -> None:
    points = Series("AlertSent", (), (0.0,) * (BUCKETS - 1) + (4.0,)).points.split()

    assert points[0] == "0.0,23.0"
    assert points[-1] == "120.0,1.0"
