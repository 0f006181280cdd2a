"""What makes a submission suspicious: signals, none of which refuses a person."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from shared.domain.form import Form
from shared.domain.submission import Decoded, Submission

Signal = Literal[
    "honeypot", "time_trap", "turnstile", "burst", "links", "script_mix", "disposable_email"
]
STRONG: frozenset[Signal] = frozenset({"honeypot", "burst", "turnstile"})
"""What people hardly ever show. Of the others, one alone says nothing."""


def signals_of(
    decoded: Decoded,
    submission: Submission,  # noqa: ARG001
    form: Form,
    now: datetime,  # noqa: ARG001
    time_trap_keys: tuple[str, ...] = (),  # noqa: ARG001
) -> tuple[Signal, ...]:
    """What the submission itself shows."""
    filled = any(form.is_trap(key) and text.strip() for key, text in decoded.fields)
    return ("honeypot",) if filled else ()


def is_suspicious(signals: Sequence[Signal]) -> bool:
    """Whether the signals together are reason enough to look first."""
    return not STRONG.isdisjoint(signals) or len(signals) > 1
