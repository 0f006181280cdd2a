"""Which metrics a batch of events makes."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

MEASURED = frozenset(
    {
        "LeadCaptured",
        "LeadResubmitted",
        "AssignmentFailed",
        "AlertSent",
        "AlertFailed",
        "LeadAcknowledged",
        "LeadAttempted",
        "LeadContacted",
        "ResponseBreached",
        "LeadRejected",
        "DealWon",
        "DealLost",
    }
)


def fold(flats: Iterable[Mapping[str, Any]]) -> Counter[tuple[str, str, str]]:
    """Counts events as (metric, dimension, value).

    By form and by channel apart: crossed, each pair would be a series that is paid for every month.
    """
    counts: Counter[tuple[str, str, str]] = Counter()
    for flat in flats:
        if flat["type"] in MEASURED:
            counts[flat["type"], "form", flat["form_id"]] += 1
            counts[flat["type"], "channel", flat["channel"]] += 1
    return counts
