"""What an event of a lead measures."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from aws_lambda_powertools.metrics import MetricUnit

from shared.domain.policy import OTHER, Policy
from shared.errors import LeadlineError
from shared.observability import Label, Measurement, Metric, logger, report_unexpected

Flat = Mapping[str, Any]
"""An event as it travels: `RecordedEvent.flat`."""


class Policies(Protocol):
    def current(self) -> Policy: ...


def _always(_: Flat) -> float:
    return 1


def _seconds(flat: Flat) -> float | None:
    return float(flat["after_seconds"]) if "after_seconds" in flat else None


def _waited(flat: Flat) -> float | None:
    return float(flat["waited_seconds"]) if "waited_seconds" in flat else None


def _untagged(flat: Flat) -> float | None:
    return 1 if flat.get("untagged") else None


def _in_time(flat: Flat) -> float | None:
    return 100 if flat.get("in_time") else None


def _too_late(_: Flat) -> float:
    return 0


def _kept(flat: Flat) -> float | None:
    return 1 if flat.get("promise_kept") else None


def _broken(flat: Flat) -> float | None:
    """Told by the breach, or by a first call that came too late for what the visitor was told."""
    return 1 if flat.get("promise_broken") or flat.get("promise_kept") is False else None


def _less(kind: str) -> Callable[[Flat], float | None]:
    """Takes one event of a type off its count again."""
    return lambda flat: -1 if kind in flat["undone"] else None


def _less_kept(flat: Flat) -> float | None:
    return -1 if flat.get("promise_kept") else None


def _less_broken(flat: Flat) -> float | None:
    return -1 if flat.get("promise_kept") is False else None


class Rule(NamedTuple):
    """What one type of event measures; nothing when the value is None."""

    event: str
    metric: Metric
    value: Callable[[Flat], float | None] = _always


TO_ALERT = Metric("TimeToAlert", ("form",), MetricUnit.Seconds)
TO_FIRST_ATTEMPT = Metric("TimeToFirstAttempt", ("form", "channel"), MetricUnit.Seconds)
IN_TIME = Metric("RespondedInTime", ("form", "channel"), MetricUnit.Percent)
"""Its average is the share: each lead is either breached or attempted in time, once."""
PROMISE_KEPT = Metric("PromiseKept")
PROMISE_BROKEN = Metric("PromiseBroken")
BY_PEOPLE = (
    Metric("LeadAcknowledged"),
    Metric("LeadContacted", ("channel",)),
    Metric("LeadRejected", ("channel",)),
    Metric("DealWon", ("channel",)),
    Metric("DealLost", ("channel",)),
)
"""What people do, each counted under the name of its event; less what they take back."""

CATALOGUE = (
    Rule("LeadCaptured", Metric("LeadCaptured", ("form", "channel"))),
    Rule("LeadCaptured", Metric("LeadUntagged"), _untagged),
    Rule("LeadCaptured", Metric("TimeInIntake", unit=MetricUnit.Seconds), _waited),
    Rule("LeadResubmitted", Metric("LeadResubmitted")),
    Rule("AssignmentFailed", Metric("AssignmentFailed")),
    Rule("AlertSent", Metric("AlertSent")),
    Rule("AlertSent", TO_ALERT, _seconds),
    Rule("AlertFailed", Metric("AlertFailed")),
    Rule("LeadAttempted", TO_FIRST_ATTEMPT, _seconds),
    Rule("LeadAttempted", IN_TIME, _in_time),
    Rule("LeadAttempted", PROMISE_KEPT, _kept),
    Rule("LeadAttempted", PROMISE_BROKEN, _broken),
    Rule("ResponseBreached", IN_TIME, _too_late),
    Rule("ResponseBreached", PROMISE_BROKEN, _broken),
    Rule("ResponseBreached", Metric("ResponseBreached", ("form",))),
    Rule("LeadEscalated", Metric("LeadEscalated", ("step",))),
    *(Rule(metric.name, metric) for metric in BY_PEOPLE),
    *(Rule("ActionUndone", metric, _less(metric.name)) for metric in BY_PEOPLE),
    Rule("ActionUndone", PROMISE_KEPT, _less_kept),
    Rule("ActionUndone", PROMISE_BROKEN, _less_broken),
)
"""Everything that events are counted as. Other types, and tests, count nowhere."""


def measure(flat: Flat, form_label: Callable[[str], str]) -> list[Measurement]:
    """What one event measures. Raises KeyError or ValueError for what is no event of ours."""
    if flat.get("is_test"):
        return []
    labels: tuple[Label, ...] = (
        ("form", form_label(flat["form_id"])),
        ("channel", str(flat["channel"])),
        ("step", str(flat.get("step", ""))),
    )
    found = [(rule.metric, rule.value(flat)) for rule in CATALOGUE if rule.event == flat["type"]]
    return [Measurement(metric, value, labels) for metric, value in found if value is not None]


def labelling(policies: Policies) -> Callable[[str], str]:
    """How forms are called in metrics. Without a policy all are `other`: it is better to know
    roughly than not at all, and the queue would lose what waits for policy too long.
    """
    try:
        return policies.current().form_label
    except LeadlineError as error:
        logger.warning("forms are counted together", error=error.code)
    except Exception as error:  # noqa: BLE001 - a missing right costs the names, not the figures
        report_unexpected(error)
    return lambda _: OTHER
