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
AlertKind = Literal[
    "new",
    "reassigned",
    "repeat",
    "backup",
    "reminder",
    "breach",
    "offer",
    "unassigned",
    "again",
    "handed_over",
    "callback",
    "reopened",
    "off_duty",
    "unreachable",
]
AttemptResult = Literal["talked", "no_answer", "voicemail"]
Came = Literal["phone", "walk-in"]
"""How somebody came whose wish a colleague entered by hand."""
ClockName = Literal["response", "acknowledge", "contact", "qualify", "owner"]

VISITOR = "visitor"
OPERATOR = "operator"
"""How the actor begins who did something from a terminal: `operator alice`."""


class Reading(BaseModel):
    """What a clock shows: when it was stopped, or now."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    clock: ClockName
    started_at: Instant
    due_at: Instant | None = None
    """None when the calendar never opens for so long."""
    stopped_at: Instant | None = None
    wall_seconds: Decimal
    business_seconds: Decimal
    """Of these, the seconds in which the calendar was open."""
    late_by: Decimal
    """Wall seconds since `due_at`, 0 before it."""
    calendar: str
    policy_version: int

    @property
    def state(self) -> Literal["open", "met", "late"]:
        """`late` as soon as it is, whether or not the clock still runs."""
        if self.late_by > 0:
            return "late"
        return "met" if self.stopped_at else "open"


class LeadEvent(BaseModel):
    """What happened, without when and to whom: `RecordedEvent` adds that."""

    # Unknown fields are ignored: an older function may meet the event of a newer one.
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    clocks: tuple[Reading, ...] | None = None
    """What the clocks showed that it stopped."""

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
    promised_by: Instant | None = None
    """By when the visitor was told to expect the call: only while nobody was there to make it."""
    waited_seconds: Decimal | None = None
    """How long the submission waited in the intake; the clock starts only after that."""
    untagged: bool | None = None
    """True for a visit that may have cost money when nothing says on what."""
    previous_lead_id: str | None = None
    """The contact's last lead, which is closed."""
    came: Came | None = None
    """No form was sent: the actor entered it by hand."""


class LeadResubmitted(LeadEvent):
    """A further submission of a contact whose lead is still open."""

    submission_id: str
    form_id: str
    channel: str
    verdict: Verdict
    respond_by: Instant
    """When its own response clock runs out, should it be the first worth following up."""
    promised_by: Instant | None = None
    """As in `LeadCaptured`; never after the first call."""
    other_lead_id: str | None = None
    """Another open lead that one of the submission's contacts belongs to."""
    came: Came | None = None
    """As in `LeadCaptured`."""


class LeadAssigned(LeadEvent):
    rep_id: str
    rule: str
    """Of the routing; `took_over` when the rep acted first."""
    passed_over: tuple[str, ...] | None = None
    """Rules that matched first, had nobody and say to go on."""


class AssignmentFailed(LeadEvent):
    """Nobody can be given the lead. Never a silent fallback: the manager is told."""

    reason: str
    """`nobody_on_duty` or `all_at_their_cap`."""
    rule: str | None = None
    """Of the routing. Absent in what was recorded before there was one."""


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
    about: str | None = None
    """Another person whom the message is about."""
    by_email_too: bool | None = None
    """True on an SMS that goes to the person by e-mail, too."""
    instead_of: tuple[str, ...] | None = None
    """Who should have been told, and has no channel that works; the last one last."""


class AlertSent(LeadEvent):
    alert_id: str
    rep_id: str
    via: Via
    message_id: str
    after_seconds: Decimal | None = None
    """On the first alert of a lead to a rep: from the start of its response clock until it was out.
    """
    rang: Literal["together", "covered"] | None = None
    """How one SMS among many went: as the one that leads to the list, or by that one alone."""


class AlertFailed(LeadEvent):
    """A channel refused for good: an opted-out number, an unconfirmed address, or none at all.

    The planner takes the next channel of the person, and then the next person.
    """

    alert_id: str
    rep_id: str
    via: Via
    reason: str


class RepNotReached(LeadEvent):
    """Every channel of a person refused a message, or there is none: somebody else is told."""

    rep_id: str
    alert_ids: tuple[str, ...]
    """What was tried."""
    step: str
    instead_rep_id: str | None = None
    """Who is told in their place; None when there is nobody left."""


class LeadAcknowledged(LeadEvent):
    """A rep said "I'm on it". It steers paging and never stops the response clock."""

    rep_id: str
    until: Instant | None = None
    """When it ends if nobody has called by then; None when nobody waits for a call."""


class AcknowledgementExpired(LeadEvent):
    """Who said "I'm on it" has not called since: the lead is free again, and its owner is told."""

    rep_id: str


class LeadAttempted(LeadEvent):
    """A person called. This stops the response clock, whatever came of the call."""

    rep_id: str
    result: AttemptResult
    after_seconds: Decimal | None = None
    """On the first attempt, where a response was promised: since the response clock started."""
    in_time: bool | None = None
    """With it: before the deadline, and nobody had recorded a breach. Each lead is judged once."""
    promise_kept: bool | None = None
    """On the first attempt: it came by the time that the visitor was told. None without a promise,
    and where a breach has told that it is broken."""


class LeadContacted(LeadEvent):
    rep_id: str


class ResponseBreached(LeadEvent):
    """The target passed and nobody had called."""

    step: str
    """A step of the chain; `deadline` when it says nothing of a breach, `attempt` when a call came
    first, and too late."""
    promise_broken: bool | None = None
    """True where the visitor was told to expect the call by now."""


class LeadEscalated(LeadEvent):
    """A step of the chain went beyond the owner."""

    step: str
    to: Literal["backup", "manager", "team"]
    ends_chain: bool = False
    """The chain's defined end: nobody is woken, the lead stays open in the manager's list."""


class LeadReassigned(LeadEvent):
    from_rep_id: str | None = None
    """None for a lead that nobody had, and that somebody was handed."""
    to_rep_id: str
    reason: str
    """`no_reaction` or `left` by the chain, `took_over` by the new owner, `handed_over` by anybody
    else."""
    by_rep_id: str | None = None
    """Who handed it over."""
    note_id: str | None = None
    """What they said with it."""


class LeadSnoozed(LeadEvent):
    """The person asked to be called at another time: until then nobody is alerted."""

    rep_id: str
    until: Instant
    respond_by: Instant | None = None
    """When the first call is due now, where it was neither made nor late."""


class LeadReopened(LeadEvent):
    """What was closed is not over: the follow-up begins anew, the customer's clock does not."""

    rep_id: str
    """Its owner is on it from then on: nobody has to tell them."""
    until: Instant | None = None
    """Then, as in `LeadAcknowledged`."""


class LeadReplanned(LeadEvent):
    """An operator put the lead under another version of the policy."""

    former_version: int
    policy_version: int
    respond_by: Instant | None = None
    """When the first call is due by that version, where it was neither made nor late."""
    clock_started_at: Instant | None = None
    """Now, where the former version did not follow the lead up and this one does."""


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


class ActionUndone(LeadEvent):
    """Whoever did something took it back within a minute: the lead is as it was before."""

    rep_id: str
    action_id: str
    sequences: tuple[int, ...]
    """Numbers of the events that do not count any more."""
    undone: tuple[str, ...]
    """Their types, in the same order."""
    promise_kept: bool | None = None
    """What the call said that is undone."""


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
