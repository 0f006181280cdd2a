"""The agreed follow-up chain: who is told what, and when, while nobody has called."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.domain.events import AlertKind, Verdict, Via

MOST_STEPS = 12
"""In one chain, and different names in all chains: each is a series of a metric, and paid for."""


class Audience(BaseModel):
    """One line of a step: whom to alert, in which words, through which channels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    who: Literal["owner", "backup", "manager", "team"]
    kind: AlertKind
    via: Annotated[tuple[Via, ...], Field(min_length=1)]


class Step(BaseModel):
    """What happens `after_seconds` of counted time after the lead arrived, if nobody has called."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
    after_seconds: Annotated[int, Field(ge=0)]
    when: Literal["acknowledged", "not_acknowledged"] | None = None
    breach: bool = False
    reassign: bool = False
    alert: tuple[Audience, ...] = ()


class Chain(BaseModel):
    """A policy document.

    The steps are gone through once per round; then the manager has the lead.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    follow: tuple[Verdict, ...] = ("qualified", "raw")
    """The verdicts that are followed up; the others stay in the table and ring nobody."""
    respond_within_seconds: Annotated[int, Field(gt=0)] = 300
    rounds: Annotated[int, Field(ge=1, le=9)] = 1
    round_seconds: Annotated[int, Field(gt=0)] = 900
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=MOST_STEPS)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        times = [step.after_seconds for step in self.steps]
        if times != sorted(times) or times[-1] >= self.round_seconds:
            raise ValueError("steps stand in the order of their times, all before the round ends")
        if len({step.step for step in self.steps}) < len(self.steps):
            raise ValueError("two steps have the same name")
        return self

    def offset_seconds(self, round_number: int, step: int) -> int:
        """Counted time from the arrival to a step; the step after the last ends the round."""
        start = (round_number - 1) * self.round_seconds
        if step >= len(self.steps):
            return start + self.round_seconds
        return start + self.steps[step].after_seconds
