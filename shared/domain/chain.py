"""The agreed follow-up chain: who is told what, and when, while nobody has called."""

from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.domain.events import AlertKind, Verdict, Via

Seconds = Annotated[int, Field(gt=0)]

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
    """Gives the lead to the next one, unless its owner has just got it."""
    alert: tuple[Audience, ...] = ()
    stop: bool = False
    """The chain ends here, after what the step does."""


class Chain(BaseModel):
    """A policy document.

    The steps are gone through once per round; then the manager has the lead.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    follow: tuple[Verdict, ...] = ("qualified", "raw")
    """The verdicts that are followed up; the others stay in the table and ring nobody."""
    respond_within_seconds: Seconds = 300
    acknowledge_within_seconds: Seconds = 120
    contact_within_seconds: Seconds = 3600
    qualify_within_seconds: Seconds = 28800
    """The targets of the clocks, in counted time from the start of the response clock."""
    acknowledgement_lasts_seconds: Seconds = 300
    """Whoever said "I'm on it" and has not called by then has it no more."""
    rounds: Annotated[int, Field(ge=1, le=9)] = 1
    round_seconds: Seconds = 900
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

    def done_seconds(self, round_number: int, step: int) -> int | None:
        """The time of the last step before this place; None when there is none."""
        last = len(self.steps) - 1
        if round_number > self.rounds:
            return self.rounds * self.round_seconds
        if step:
            return self.offset_seconds(round_number, min(step - 1, last))
        return None if round_number == 1 else self.offset_seconds(round_number - 1, last)

    def position_after(self, seconds: int | None) -> tuple[int, int]:
        """Round and step of the first step that comes later than a time, or of the end."""
        if seconds is None:
            return 1, 0
        round_number, into = divmod(seconds, self.round_seconds)
        if round_number >= self.rounds:
            return self.rounds, len(self.steps)
        return round_number + 1, sum(step.after_seconds <= into for step in self.steps)

    @property
    def tells_manager_at(self) -> int | None:
        """The step by which a manager learns of every lead without a call; None without one."""
        tells = (
            number
            for number, step in enumerate(self.steps)
            if step.when is None and any(told.who == "manager" for told in step.alert)
        )
        return next(tells, None)

    def has_told_manager(self, round_number: int, step: int) -> bool:
        """Whether that step lies before a place."""
        tells = self.tells_manager_at
        return tells is not None and (round_number, step) > (1, tells)

    def has_offered(self, round_number: int, step: int) -> bool:
        """Whether a step before a place offered the lead to the whole team. One that was passed
        over, because somebody was on it, counts too: it is free again once they are not.
        """
        steps = self.steps if round_number > 1 else self.steps[:step]
        return any(told.who == "team" for done in steps for told in done.alert)

    @property
    def leaves_alone(self) -> str | None:
        """How a lead could stay without anybody being told; None when it cannot.

        Its owner must be told first, and somebody beyond, whatever the owner says of it.
        """
        first, within_seconds = self.steps[0], self.respond_within_seconds
        if not self.owner_via or first.when == "acknowledged":
            return "its first step does not tell the owner of the new lead"
        if first.after_seconds >= within_seconds:
            comes = f"its first step comes at {first.after_seconds} seconds"
            return f"{comes}, too late for a first call within {within_seconds}"
        if "qualified" not in self.follow:
            return "it does not follow qualified leads"
        if self.manager_via:
            return None
        if stop := next((step.step for step in self.steps if step.stop), None):
            return f"it may stop at {stop} before a manager was told"
        return "no manager is told when nobody reacts: a step without `when` must do it"

    @property
    def takes_too_early(self) -> str | None:
        """The step that would take leads from people who have had no time to say "I'm on it": the
        planner leaves them the lead. None where there is none.
        """
        since = self.steps[0].after_seconds + self.acknowledge_within_seconds
        return next((s.step for s in self.steps if s.reassign and s.after_seconds < since), None)

    @property
    def owner_via(self) -> tuple[Via, ...]:
        """The channels through which the first step tells the owner of the new lead."""
        return _channels(
            told for told in self.steps[0].alert if told.who == "owner" and told.kind == "new"
        )

    @property
    def manager_via(self) -> tuple[Via, ...]:
        """The channels through which managers are told whatever the owner says of it: by steps
        without `when`, up to the first that may end the chain.
        """
        ends = next((number for number, step in enumerate(self.steps, 1) if step.stop), None)
        steps = (step for step in self.steps[:ends] if step.when is None)
        return _channels(told for step in steps for told in step.alert if told.who == "manager")


def _channels(lines: Iterable[Audience]) -> tuple[Via, ...]:
    return tuple(dict.fromkeys(via for told in lines for via in told.via))
