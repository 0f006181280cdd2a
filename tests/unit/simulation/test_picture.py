"""The picture is one well-formed file that shows the figures and needs nothing else."""

import re
from xml.etree import ElementTree as ET

from infra.simulation.picture import HOURS, WAITS, picture
from infra.simulation.play import Outcome
from tests.unit.simulation.test_comparison import waited

SVG = "{http://www.w3.org/2000/svg}"


def drawn(one: list[Outcome], other: list[Outcome], caption: str = "4 leads") -> ET.Element:
    return ET.fromstring(picture(one, other, "Europe/Berlin", caption))  # noqa: S314 - our own


def words(svg: ET.Element) -> list[str]:
    return [text.text or "" for text in svg.iter(f"{SVG}text")]


def test_the_curves_rise_to_the_share_that_was_called() -> None:
    svg = drawn(waited(60, 120, 7200, None), waited(30, 40, 50, 60))
    heights = [
        [float(point.split(",")[1]) for point in line.get("points", "").split()]
        for line in svg.iter(f"{SVG}polyline")
    ]
    assert [max(line) for line in heights] == [WAITS.bottom, WAITS.bottom], "nobody in ten seconds"
    assert [min(line) for line in heights] == [WAITS.y(0.75), WAITS.top]
    assert all(line == sorted(line, reverse=True) for line in heights)
    assert {"50 %", "100 %"} <= set(words(svg))
    assert "as it is: 50 %; as it could be: 100 %" in (svg.findtext(f"{SVG}desc") or "")


def test_hours_are_those_of_the_zone() -> None:
    """All came at nine by UTC, which is ten in Berlin."""
    svg = drawn(waited(60, 400), waited(60, 60))
    bars = {
        float(bar.get("x", 0)): float(bar.get("height", 0))
        for bar in svg.iter(f"{SVG}rect")
        if float(bar.get("height", 0)) > 0 and float(bar.get("y", 0)) >= HOURS.top
    }
    half = (HOURS.bottom - HOURS.top) / 2
    assert [bars[x] for x in sorted(bars)] == [half, 2 * half]
    place = (min(bars) - 76) // ((936 - 76) / 24)
    assert place == 10


def test_what_policy_leaves_alone_is_not_drawn() -> None:
    left_alone = waited(None)
    left_alone[0].is_followed = False
    svg = drawn([*waited(60), *left_alone], [*waited(60), *left_alone])
    assert {text for text in words(svg) if text.endswith("%")} == {
        *("0 %", "25 %", "50 %", "75 %", "100 %")
    }


def test_sides_differ_without_colour_and_words_are_words() -> None:
    svg = drawn(waited(60), waited(60), "leads & <people>")
    dashes = {line.get("stroke-dasharray") for line in svg.iter(f"{SVG}polyline")}
    assert len(dashes) == 2
    assert "leads & <people>" in words(svg)
    assert not re.search(r"href|<image|<script|@import", ET.tostring(svg, "unicode"))


def test_no_leads_make_an_empty_picture() -> None:
    assert "as it is" in words(drawn([], []))
