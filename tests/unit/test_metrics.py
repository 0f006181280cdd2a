"""Every metric there is, against docs/metrics.md; and what it may cost at most."""

import re
from typing import get_args

import pytest

from advance_follow_up.service import WAKE_UP_MISSED
from measure_events.service import CATALOGUE as OF_EVENTS
from run_canary.handler import ARRIVED as CANARY_ARRIVED
from shared.domain.aliases import CANONICAL
from shared.domain.attribution import RULES
from shared.domain.chain import MOST_STEPS
from shared.domain.form import ErrorCode
from shared.domain.policy import MOST_MEASURED
from shared.errors import (
    IllegalActionError,
    InvalidSubmissionError,
    RejectedError,
    UnknownFormError,
    UnknownLinkError,
    WrongMethodError,
)
from shared.observability import UNEXPECTED_ERROR, Dimension, Measurement, Metric, emit
from submit_form.service import CATALOGUE as OF_SUBMISSIONS
from sweep_follow_ups.service import LEADS_SWEPT
from tests.unit.template import ROOT

METRICS = {
    *OF_SUBMISSIONS.values(),
    *(rule.metric for rule in OF_EVENTS),
    UNEXPECTED_ERROR,
    WAKE_UP_MISSED,
    LEADS_SWEPT,
    CANARY_ARRIVED,
}
DOCS = (ROOT / "docs/metrics.md").read_text("utf-8")
PRICE = 0.30
"""Dollars a month for one series."""
MOST = 300
"""What a company may be expected to pay for without asking it."""

ELSEWHERE = {
    InvalidSubmissionError,
    UnknownFormError,
    WrongMethodError,
    UnknownLinkError,
    IllegalActionError,
}
"""Counted by field, or not counted because no visitor sent it, or raised by the rep's page."""
CODES = {error.code for error in RejectedError.__subclasses__() if error not in ELSEWHERE}
MISTAKES = len(get_args(ErrorCode)) + 1  # and file_not_accepted
LARGEST: dict[Dimension, int] = {
    "form": MOST_MEASURED + 1,
    "channel": len({channel for _, channel, _ in RULES}) + 1,
    "step": MOST_STEPS + 1,
    "reason": len(CODES) + (len(CANONICAL) + 1) * MISTAKES,
}
SAMPLE: dict[Dimension, int] = {**LARGEST, "form": 3 + 1, "step": 4}
QUIET: dict[Dimension, int] = {**SAMPLE, "channel": 8, "reason": 15}


def series(sizes: dict[Dimension, int]) -> int:
    return len(METRICS) + sum(sizes[dimension] for metric in METRICS for dimension in metric.by)


def test_a_name_is_one_metric() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS)


def test_the_docs_name_every_metric_with_unit_and_dimensions() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| ([a-z, ]*?) *\| \S", DOCS, re.MULTILINE)

    assert sorted(rows) == sorted(
        (metric.name, metric.unit.value, ", ".join(metric.by)) for metric in METRICS
    )


def test_the_docs_say_what_it_costs_and_it_is_little() -> None:
    assert series(LARGEST) <= MOST
    assert f"**{series(LARGEST)} series**, ${series(LARGEST) * PRICE:.2f} a month" in DOCS
    assert f"| **{series(SAMPLE)}** | **{series(LARGEST)}** |" in DOCS
    assert f"| ${series(SAMPLE) * PRICE:.2f} | ${series(LARGEST) * PRICE:.2f} |" in DOCS
    assert f"{series(QUIET)} series, ${series(QUIET) * PRICE:.2f}" in DOCS
    for dimension, most in LARGEST.items():
        count = sum(dimension in metric.by for metric in METRICS)
        cells = (f"{count} × {n}" for n in (f"{dimension}s", SAMPLE[dimension], most))
        assert f"| by {dimension} | {' | '.join(cells)} |" in DOCS


def test_form_and_channel_are_never_crossed(capsys: pytest.CaptureFixture[str]) -> None:
    metric = Metric("LeadCaptured", ("form", "channel"))

    emit([Measurement(metric, labels=(("form", "a"), ("channel", "b"), ("step", "c")))])

    lines = capsys.readouterr().out.splitlines()
    assert [re.findall(r'"Dimensions":\[\[(.*?)\]\]', line)[0] for line in lines] == [
        '"service"',
        '"form","service"',
        '"channel","service"',
    ]


def test_a_label_without_a_value_is_no_series(capsys: pytest.CaptureFixture[str]) -> None:
    metric = Metric("LeadCaptured", ("form", "channel"))

    emit([Measurement(metric, labels=(("form", "a"), ("channel", "")))])

    lines = capsys.readouterr().out.splitlines()
    assert [re.findall(r'"Dimensions":\[\[(.*?)\]\]', line)[0] for line in lines] == [
        '"service"',
        '"form","service"',
    ]


def test_nothing_measured_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    emit([])

    assert capsys.readouterr().out == ""
