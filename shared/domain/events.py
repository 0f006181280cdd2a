"""Everything that can happen to a lead, one class per event, named in the past tense.

An event holds codes, ids, times and figures, never a name, a phone, an e-mail or a person's words:
those live in the lead, its submissions and its notes, so that events may travel over the bus and
outlive an erasure.
"""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from shared.domain.instants import Instant

Verdict = Literal["qualified", "raw", "non_target"]
Via = Literal["sms", "email"]
AlertKind = Literal["new", "repeat", "backup", "reminder", "breach", "offer", "unassigned", "again"]
AttemptResult = Literal["talked", "no_answer"]

VISITOR = "visitor"


class LeadEvent(BaseModel):
    """What happened, without when and to whom: `RecordedEvent` adds that."""

    # Unknown fields are ignored: an older function may meet the event of a newer one.
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    registry: ClassVar[dict[str, type["LeadEvent"]]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        LeadEvent.registry[cls.__name__] = cls

    @property
    def type(self) -> str:
        """The event's name on the bus, in the table and in policy."""
        return type(self).__name__


class LeadCaptured(LeadEvent):
    """A submission opened a lead."""

    submission_id: str
    form_id: str
    channel: str
    team: str
    verdict: Verdict
    failed_criteria: tuple[str, ...] = ()
    policy_version: int
    respond_by: Instant
    """When the response clock runs out."""
    waited_seconds: Decimal | None = None
    """How long the submission waited in the intake; the clock starts only after that."""
    untagged: bool | None = None
    """True for a visit that may have cost money when nothing says on what."""
    previous_lead_id: str | None = None
    """The contact's last lead, which is closed."""


class LeadResubmitted(LeadEvent):
    """A further submission of a contact whose lead is still open."""

    submission_id: str
    form_id: str
    channel: str
    verdict: Verdict
    respond_by: Instant
    """When its own response clock runs out, should it be the first worth following up."""
    other_lead_id: str | None = None
    """Another open lead that one of the submission's contacts belongs to."""


class LeadAssigned(LeadEvent):
    rep_id: str
    rule: str


class AssignmentFailed(LeadEvent):
    """Nobody is on duty. Never a silent fallback: the manager is told."""

    reason: str


class AlertRequested(LeadEvent):
    """One message to one person through one channel.

    `alert_id` is the same however often the step is planned.
    """

    alert_id: str
    round: int
    step: str
    kind: AlertKind
    rep_id: str
    via: Via


class AlertSent(LeadEvent):
    alert_id: str
    rep_id: str
    via: Via
    message_id: str
    after_seconds: Decimal | None = None
    """On the first alert of a lead to a rep: from the start of its response clock until it was out.
    """


class AlertFailed(LeadEvent):
    """SNS refused for good, such as for an opted-out number or an invalid address."""

    alert_id: str
    rep_id: str
    via: Via
    reason: str


class LeadAcknowledged(LeadEvent):
    """A rep said "I'm on it". It steers paging and never stops the response clock."""

    rep_id: str


class LeadAttempted(LeadEvent):
    """A person called. This stops the response clock, whatever came of the call."""

    rep_id: str
    result: AttemptResult
    after_seconds: Decimal | None = None
    """On the first attempt, where a response was promised: since the response clock started."""
    in_time: bool | None = None
    """With it: before the deadline, and nobody had recorded a breach. Each lead is judged once."""


class LeadContacted(LeadEvent):
    rep_id: str


class ResponseBreached(LeadEvent):
    """The target passed and nobody had called."""

    step: str
    """A step of the chain; `attempt` when a call came first, and too late."""


class LeadEscalated(LeadEvent):
    """A step of the chain went beyond the owner."""

    step: str
    to: Literal["backup", "manager", "team"]
    ends_chain: bool = False
    """The chain's defined end: nobody is woken, the lead stays open in the manager's list."""


class LeadReassigned(LeadEvent):
    from_rep_id: str
    to_rep_id: str
    reason: str


class LeadRejected(LeadEvent):
    """Sales say that this is not a lead, and why."""

    rep_id: str
    reason: str


class DealWon(LeadEvent):
    rep_id: str
    amount: Decimal
    currency: str


class DealLost(LeadEvent):
    rep_id: str
    reason: str


class NoteAdded(LeadEvent):
    """A person wrote something; the words are in the note."""

    note_id: str


class RecordedEvent(BaseModel):
    """An event in its place: number `sequence` of the lead, at a time, by an actor."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    lead_id: str
    sequence: int
    at: Instant
    actor: str
    form_id: str
    channel: str
    is_test: bool = False
    """The lead is counted nowhere."""
    event: Annotated[LeadEvent, Field(exclude=True)]

    @property
    def event_id(self) -> str:
        return f"{self.lead_id}-{self.sequence}"

    def flat(self) -> dict[str, object]:
        """How it is stored and travels: the event's fields over the envelope's, JSON types only."""
        return {
            **self.model_dump(mode="json", exclude_defaults=True),
            **self.event.model_dump(mode="json", exclude_none=True),
            "event_id": self.event_id,
            "type": self.event.type,
        }

    @classmethod
    def parse(cls, flat: dict[str, object]) -> Self:
        """The inverse of `flat`. Raises KeyError for a type that this version does not know."""
        event = LeadEvent.registry[str(flat["type"])].model_validate(flat)
        return cls.model_validate({**flat, "event": event})
