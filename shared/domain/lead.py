"""A lead: one contact's open request as the sum of its events."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from shared.domain import events as happened
from shared.domain.events import (
    AttemptResult,
    Came,
    ClockName,
    LeadCaptured,
    LeadEvent,
    Reading,
    Verdict,
    Via,
)
from shared.domain.instants import Instant

if TYPE_CHECKING:
    # Types only: who plans or sweeps leads has no use for what reads submissions.
    from shared.domain.submission import Submission

ASKED_LENGTH = 280
ALERT_CONFIRMED_WITHIN = timedelta(seconds=30)
"""An alert neither sent nor failed for so long is looked after: with the sweeper's minute of grace
and the minute until it comes, within three minutes even when stream or bus are dead."""

MISSED_AFTER = timedelta(seconds=60)
"""What should have happened so long ago is not just busy: it does not happen by itself any more."""

TELL_AGAIN_AFTER = timedelta(minutes=10)
"""A visitor who sends a form a hundred times costs the owner one message, and the company one SMS.
"""

UNDOABLE_FOR = timedelta(minutes=1)
"""How long somebody can take back what they did."""

VERDICTS: tuple[Verdict, ...] = ("qualified", "raw", "non_target")
"""From the best to the worst."""

LeadStatus = Literal["open", "closed"]
Outcome = Literal["rejected", "won", "lost"]


ALONE = "-alone"
"""How the id of an SMS ends that rings by itself, because the e-mail beside it did not arrive."""


class OpenAlert(BaseModel):
    """An alert that was asked for and neither sent nor failed yet."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    rep_id: str
    via: Via
    kind: happened.AlertKind
    requested_at: Instant
    about: str | None = None
    """Another person whom the message is about."""
    by_email_too: bool | None = None
    step: str = ""
    round: int = 1
    instead_of: tuple[str, ...] | None = None
    """Who should have been told, and could not be reached."""

    def message(self, alert_id: str) -> "Message":
        """The message that this alert carries to one person by one channel."""
        of_channel = f"-{self.rep_id}-{self.via}"
        return Message(alert_id.removesuffix(ALONE).removesuffix(of_channel), self.kind)


class SettledAlert(OpenAlert):
    """An alert that went out, or failed for good, while its message is still in question."""

    failed: str | None = None
    """Why; None when it went out."""
    covered: bool = False
    """An SMS about other leads stands for it, and an e-mail is to tell of this one."""


class Message(NamedTuple):
    """What one or more people are told at one step, each by one or more channels."""

    prefix: str
    """What the ids of its alerts begin with."""
    kind: happened.AlertKind


class Unheard(NamedTuple):
    """A message that no channel took to a person, of those that were tried."""

    message: Message
    alert_ids: tuple[str, ...]
    alert: SettledAlert
    """The last that failed."""
    tried: tuple[Via, ...]


class Passed(NamedTuple):
    """Up to which step the chain went while it was true, or not, that somebody is on it."""

    round: int
    step: int
    when: Literal["acknowledged", "not_acknowledged"]


class Reminded(NamedTuple):
    """Whom the planner reminded of a call by SMS, when, and at which step."""

    rep_id: str
    at: Instant
    step: str


class FollowUp(BaseModel):
    """The planner's bookmark in the chain."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    round: int = 1
    step: int = 0
    """The next step, counted from 0."""
    run: int = 0
    """Which execution wakes this lead; one with another run ends when it wakes."""
    wake_at: Instant | None = None
    counts_from: Instant | None = None
    """Where the steps are counted from, when that is not the start of the response clock."""
    cycle: int = 0
    """How often the chain has begun anew, or another version took over: it tells alerts apart."""
    walked_seconds: int | None = None
    """How far the chain had come, in counted time, when another version took over."""
    because: Literal["captured", "snoozed", "reopened", "reassigned"] = "captured"
    """Why the chain began, this time."""
    tell_owner: bool = False
    """Somebody was handed the lead, or is to call at an agreed time, and has not been told."""
    quiet_until: Instant | None = None
    """When it opens next: news that waits for no call is told then."""
    paged_at: Instant | None = None
    """The first alert that reached the present owner, while they answered none."""
    missed_by: tuple[str, ...] = ()
    """Who answered none and lost the lead, or had their time for it: once each."""
    reminded: Reminded | None = None
    """Whose phone rang last to remind them."""
    knows: bool = False
    """The owner was not told of the lead, as they were on it already."""
    told_submissions: int = 1
    """Up to which submission the owner was told."""
    told_again_at: Instant | None = None
    planned: bool = False
    """False until the planner has seen the lead once."""
    is_idle: bool = False
    """The planner saw the lead and found that policy does not follow it up."""
    passed: Passed | None = None
    """How far the chain had come when what it depends on was undone."""

    @property
    def may_tell_again_at(self) -> datetime:
        """Before this moment the owner hears of no further submission: many count as one."""
        told_at = self.told_again_at
        moments = (told_at + TELL_AGAIN_AFTER if told_at else None, self.quiet_until)
        return max(filter(None, moments), default=datetime.min.replace(tzinfo=UTC))

    def restarted(
        self, at: datetime, because: Literal["snoozed", "reopened", "reassigned"]
    ) -> "FollowUp":
        """The bookmark of a chain that begins anew at a moment, woken by a run of its own."""
        return self.model_copy(
            update={
                "round": 1,
                "step": 0,
                "run": self.run + 1,
                "wake_at": at,
                "counts_from": at,
                "cycle": self.cycle + 1,
                "walked_seconds": None,
                "paged_at": None,
                "missed_by": (),
                "passed": None,
                "tell_owner": False,
                "knows": False,
                "because": because,
                "planned": True,
                "is_idle": False,
            }
        )


class LastAction(BaseModel):
    """The last thing that a person did, and what it takes to undo it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    action_id: str
    rep_id: str
    at: Instant
    sequences: tuple[int, ...]
    """Numbers of its events, as far as they can be undone."""
    events: tuple[str, ...]
    """Their types."""
    fields: dict[str, Any] = {}
    """What it changed on the lead, as it was before."""
    readings: dict[ClockName, Reading | None] = {}
    """The clocks that it stopped (None) or set going again."""
    open_alerts: dict[str, OpenAlert] = {}
    """The alerts that it called off, and that have not been sent since."""
    settled_alerts: dict[str, SettledAlert] = {}
    """What came of the others of messages that were in question then."""
    earlier_alerts: tuple[str, ...] = ()
    """Ids of the alerts that were there before and that it left alone."""
    follow_up: dict[str, Any] = {}
    """What it changed in the planner's bookmark; all of it where the chain began anew."""
    begins_anew: bool = False
    in_time: bool | None = None
    """What its call was counted as, if it was the first."""
    promise_kept: bool | None = None

    @property
    def has_reopened(self) -> bool:
        """Whether the lead is closed again when this is undone."""
        return "LeadReopened" in self.events

    @property
    def undoable_until(self) -> datetime:
        """The last moment to take it back."""
        return self.at + UNDOABLE_FOR


def _shortened(text: str) -> str:
    """The beginning of a long text, to the end of a word, and marked as such."""
    if len(text) <= ASKED_LENGTH:
        return text
    kept = text[: ASKED_LENGTH - 1]
    return f"{kept.rpartition(' ')[0] or kept}…"


class Said(BaseModel):
    """What a person told in one submission, as far as it is shown."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    form_title: str = ""
    name: str | None = None
    phone: str | None = None
    phone_extension: str | None = None
    email: str | None = None
    company: str | None = None
    company_domain: str | None = None
    asked: str | None = None
    """What the person asked for, cut to a few lines; the submission has all of it."""
    source: str | None = None
    """Where the visit came from, in the words of its tags: `yandex / cpc / autumn`."""
    came: Came | None = None
    """How the person came, where there was no visit: somebody of the team entered it by hand."""
    page: str | None = None
    channel: str | None = None

    @classmethod
    def of(cls, submission: "Submission") -> "Said":
        """What the lead shows of a submission."""
        contact, touch = submission.contact, submission.touch
        return Said(
            form_title=submission.form_title,
            name=contact.name,
            phone=contact.phone,
            phone_extension=contact.phone_extension,
            email=contact.email,
            company=contact.company,
            company_domain=contact.company_domain,
            asked=_shortened(submission.message or "") or None,
            source=touch.describe(),
            came=submission.came,
            page=touch.landing_page,
            channel=submission.channel,
        )


class Lead(Said):
    """The projection of a lead's events, 1 to 3 KB. `version` grows by one with every write."""

    lead_id: str
    version: int
    sequence: int
    """Number of the last event."""
    form_id: str
    channel: str
    team: str
    locale: str
    country: str | None = None
    """Of the phone number, by ISO 3166-1."""
    policy_version: int
    verdict: Verdict
    received_at: Instant
    clock_started_at: Instant
    """When the response clock started: with the first submission that was worth following up."""
    respond_by: Instant
    promised_by: Instant | None = None
    """The first time by which the visitor was told to expect the call; it is never moved."""
    is_test: bool = False
    """Followed up like any other, counted nowhere, and gone after a while."""

    guards: tuple[str, ...] = ()
    """The contact guards that name this lead, as `kind#hash`."""

    status: LeadStatus = "open"
    outcome: Outcome | None = None
    reason: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    closed_at: Instant | None = None

    rep_id: str | None = None
    assigned_at: Instant | None = None
    handed_by: str | None = None
    """Who handed the lead to its owner; None when nobody did."""
    handed_with: str | None = None
    """The id of the note that came with it."""
    assignment_failed_at: Instant | None = None
    acknowledged_at: Instant | None = None
    acknowledged_by: str | None = None
    acknowledged_until: Instant | None = None
    attempts: int = 0
    first_attempt_at: Instant | None = None
    first_attempt_by: str | None = None
    last_attempt_at: Instant | None = None
    last_result: AttemptResult | None = None
    contacted_at: Instant | None = None
    breached_at: Instant | None = None
    promise_broken: bool | None = None
    """True when the breach was one of the promise, too."""
    snoozed_until: Instant | None = None
    snoozes: int = 0
    agreed_at: Instant | None = None
    """When the person asked for the first call, which was put off: the targets count from then."""
    submissions: int = 1
    resubmitted_at: Instant | None = None
    previous_lead_id: str | None = None
    """The contact's last one, which was closed."""
    said_again: Said | None = None
    """The last submission after the first: what the lead was told first is never overwritten."""
    open_alerts: dict[str, OpenAlert] = {}
    settled_alerts: dict[str, SettledAlert] = {}
    """Of each message that somebody may still have to be told another way: what came of it."""
    readings: dict[ClockName, Reading] = {}
    """What the clocks showed when they were stopped."""
    alerted_at: Instant | None = None
    """When it was recorded that the first alert to a rep went out."""
    follow_up: FollowUp = FollowUp()
    actions: tuple[str, ...] = ()
    """Ids of the last few things people did, so that a form sent twice counts once."""
    last_action: LastAction | None = None
    """None, too, when the lead has gone on since in a way that cannot be taken back."""
    counted_in_time: bool | None = None
    """What a first call was counted as that was undone: the same is not counted again."""

    @classmethod
    def opened_by(
        cls, submission: "Submission", captured: LeadCaptured, lead_id: str, at: datetime
    ) -> "Lead":
        """The lead that a submission opens. Its clock starts at `at`: later than the receipt when
        it had to wait in the intake."""
        return cls(
            **Said.of(submission).model_dump(),
            lead_id=lead_id,
            version=1,
            sequence=1,
            form_id=submission.form_id,
            team=captured.team,
            locale=submission.locale,
            country=submission.contact.country,
            policy_version=captured.policy_version,
            verdict=captured.verdict,
            previous_lead_id=captured.previous_lead_id,
            received_at=submission.received_at,
            clock_started_at=at,
            respond_by=captured.respond_by,
            promised_by=captured.promised_by,
            is_test=submission.is_test,
            # A test never joins anybody's lead, and nobody's submission joins a test.
            guards=() if submission.is_test else submission.contact.guards,
        )

    def told_by(self, said: Said, *, is_last: bool = True) -> "Lead":
        """The lead after a further submission, which also fills in what was missing so far.

        One that is filed late does not stand for what the person said last.
        """
        missing = {
            name: getattr(said, name)
            for name in ("name", "phone", "email", "company", "company_domain")
            if getattr(self, name) is None
        }
        return self.model_copy(
            update={**missing, "said_again": said if is_last else self.said_again}
        )

    @property
    def as_said_last(self) -> "Lead":
        """The lead in the words of its last submission, where that says something, and from where
        that came.
        """
        if self.said_again is None:
            return self
        last = self.said_again.model_dump(exclude_none=True)
        origin = {"came": self.said_again.came, "source": self.said_again.source}
        return self.model_copy(update={**last, **origin})

    @property
    def awaits_attempt(self) -> bool:
        """Nobody has called yet and somebody should: the first time, or once more since the
        follow-up began anew.
        """
        called_at = self.last_attempt_at or self.first_attempt_at
        begun_at = self.follow_up.counts_from
        is_called = called_at is not None and (begun_at is None or called_at >= begun_at)
        return self.status == "open" and not is_called

    @property
    def asked_again_at(self) -> datetime | None:
        """When the person last wrote to an open lead that nobody has called since, and that is to
        be called by nothing else; None when they did not.
        """
        if self.status == "closed" or self.awaits_attempt or self.resubmitted_at is None:
            return None
        called_at = self.last_attempt_at or self.first_attempt_at
        is_answered = called_at is not None and called_at >= self.resubmitted_at
        return None if is_answered else self.resubmitted_at

    @property
    def counts_from(self) -> datetime:
        """Where the steps of the chain are counted from."""
        return self.follow_up.counts_from or self.clock_started_at

    @property
    def tells_owner_at(self) -> datetime | None:
        """When the owner is told what they do not know: that they were handed the lead, or that an
        agreed time has come. None when there is nothing to tell, or nobody.
        """
        if not self.follow_up.tell_owner or self.assigned_at is None:
            return None
        return max(self.assigned_at, self.snoozed_until or self.assigned_at)

    @property
    def acknowledgement_ends_at(self) -> datetime | None:
        """When somebody who said "I'm on it" should have called; None when nobody is to call."""
        awaited = self.awaits_attempt and not self.follow_up.is_idle
        return self.acknowledged_until if awaited else None

    def breached(self, step: str) -> happened.ResponseBreached:
        """That the deadline has passed. What the visitor was told is broken with it, unless that
        was a later time, because they wrote again: then the first call tells.
        """
        broken = self.promised_by is not None and self.promised_by <= self.respond_by
        return happened.ResponseBreached(step=step, promise_broken=broken or None)

    @property
    def unheard(self) -> list[Unheard]:
        """Messages that somebody was to get, did not get, and is not being sent either."""
        under_way = {(a.message(key), a.rep_id) for key, a in self.open_alerts.items()}
        failed: dict[tuple[Message, str], list[tuple[str, SettledAlert]]] = {}
        for key, alert in self.settled_alerts.items():
            told = alert.message(key), alert.rep_id
            if alert.failed is not None and told not in under_way:
                failed.setdefault(told, []).append((key, alert))
        return [
            Unheard(
                message,
                tuple(key for key, _ in alerts),
                alerts[-1][1],
                tuple(alert.via for _, alert in alerts),
            )
            for (message, _), alerts in failed.items()
        ]

    @property
    def due_at(self) -> datetime | None:
        """When something should happen at the latest; None when nothing is awaited.

        The start of the clock until the planner has seen the lead, so that one whose event was
        never published is found by the sweeper too.
        """
        if self.status == "closed":
            return None
        if not self.follow_up.planned:
            return self.clock_started_at
        awaited = [*self.open_alerts.values(), *(one.alert for one in self.unheard)]
        moments = [alert.requested_at + ALERT_CONFIRMED_WITHIN for alert in awaited]
        if self.follow_up.wake_at is not None:
            moments.append(self.follow_up.wake_at)
        if self.acknowledgement_ends_at is not None:
            moments.append(self.acknowledgement_ends_at)
        if self.tells_owner_at is not None:
            moments.append(self.tells_owner_at)
        if self.resubmitted_at and self.submissions > self.follow_up.told_submissions:
            moments.append(max(self.resubmitted_at, self.follow_up.may_tell_again_at))
        return min(moments, default=None)

    def overslept(self, now: datetime) -> bool:
        """Whether the execution that should have woken the lead will not come any more."""
        wake_at = self.follow_up.wake_at
        return wake_at is not None and wake_at + MISSED_AFTER < now

    def was_missed(self, now: datetime) -> bool:
        """Whether something that should have happened by itself did not.

        The planner never saw the lead, nobody woke it, nobody ended an acknowledgement, an alert is
        neither sent nor failed, or failed without another taking its place, or its owner was not
        told of it or of a further submission. Not
        what waits by design: submissions that are held back, and a lead without an owner.
        """
        if self.status == "closed":
            return False
        long_ago = now - MISSED_AFTER
        if not self.follow_up.planned:
            return self.clock_started_at < long_ago
        ends_at = self.acknowledgement_ends_at
        if self.overslept(now) or (ends_at is not None and ends_at < long_ago):
            return True
        awaited = [*self.open_alerts.values(), *(one.alert for one in self.unheard)]
        if any(alert.requested_at < long_ago for alert in awaited):
            return True
        if self.tells_owner_at is not None and self.tells_owner_at < long_ago:
            return True
        untold = self.submissions > self.follow_up.told_submissions and self.rep_id is not None
        if not untold or self.resubmitted_at is None:
            return False
        return self.follow_up.may_tell_again_at <= self.resubmitted_at < long_ago

    @property
    def late_seconds(self) -> float | None:
        """Wall seconds from the deadline to the first attempt, 0 in time, None without one."""
        if self.first_attempt_at is None:
            return None
        return max(0.0, (self.first_attempt_at - self.respond_by).total_seconds())


class Change(NamedTuple):
    """Events to record together, and where the follow-up stands after them.

    None for `follow_up` leaves it where it stood.
    """

    events: tuple[LeadEvent, ...]
    follow_up: FollowUp | None = None
    notes: tuple["Note", ...] = ()
    action_id: str | None = None
    rep_id: str | None = None
    """Whose action it is, where it can be undone."""
    missed_by: "Missed | None" = None
    """Who was alerted, and lost the lead without an answer."""
    answered_by: str | None = None
    """Who showed that they are there after all."""


class Missed(NamedTuple):
    """Who did not answer, and how many times in a row they had not before."""

    rep_id: str
    before: int


class Note(BaseModel):
    """A person's words about a lead."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    note_id: str
    author: str
    at: Instant
    text: str
