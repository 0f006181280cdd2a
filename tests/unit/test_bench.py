"""What `make bench` makes of its figures, and the stub that it measures against."""

from pathlib import Path

import pytest

from tests.load.report import BEGIN, END, Measured, Row, Size, middle, replaced, table
from tests.load.stub import Policy

DOCUMENT = Path(__file__).parents[2] / "docs" / "performance.md"


def measured(cold_ms: float, warm_us: float) -> Measured:
    return Measured(cold_ms - 10, 10, warm_us, 6, 1.0, 50.0)


def test_ratios_are_taken_within_a_round() -> None:
    # The machine was twice as slow in the second round: both were, and the ratio stays.
    floor = Row("floor", [measured(100, 500), measured(200, 1000), measured(100, 500)], None)
    ours = Row("ours", [measured(130, 600), measured(260, 1200), measured(150, 600)], None)
    row = table([floor, ours]).splitlines()[3]
    assert "| 150 (130–260) | 1.30 (1.30–1.50) |" in row
    assert "| 600 (600–1200) | 1.20 (1.20–1.20) | 6 / 1 | 50 | – |" in row


def test_a_size_is_in_megabytes() -> None:
    row = Row("floor", [measured(100, 500)], Size(23_400_000, 5_600_000))
    assert table([row]).splitlines()[2].endswith("| 23.4 (5.6) |")


def test_the_median_comes_with_its_range() -> None:
    assert middle([3.0, 1.0, 2.26], 1) == "2.3 (1.0–3.0)"


def test_the_document_has_a_place_for_the_table() -> None:
    document = replaced(DOCUMENT.read_text("utf-8"), "NEW")
    assert f"{BEGIN}\n\nNEW\n\n{END}" in document
    with pytest.raises(ValueError, match="no place"):
        replaced("nothing", "NEW")


def test_the_stub_knows_policy_and_counts() -> None:
    stub = Policy()
    key = {"PK": {"S": "POLICY"}, "SK": {"S": "CURRENT"}}
    lead = {"PK": {"S": "LEAD#1"}, "SK": {"S": "LEAD"}}
    stub.answer(
        "TransactWriteItems",
        {"TransactItems": [{"Put": {"Item": {**key, "n": {"N": "1"}}}}, {"Put": {"Item": lead}}]},
    )
    assert stub.answer("GetItem", {"Key": key}) == {"Item": {**key, "n": {"N": "1"}}}
    assert stub.answer("GetItem", {"Key": lead}) == {}
    batch = stub.answer("BatchGetItem", {"RequestItems": {"leads": {"Keys": [key, lead]}}})
    assert batch["Responses"] == {"leads": [{**key, "n": {"N": "1"}}]}
    assert stub.calls == 4
