"""A lead: one contact's open request as the sum of its events."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from shared.domain import events as happened
from shared.domain.events import (
    AlertFailed,
    AlertSent,
    AttemptResult,
    LeadCaptured,
    LeadEvent,
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

VERDICTS: tuple[Verdict, ...] = ("qualified", "raw", "non_target")
"""From the best to the worst."""

LeadStatus = Literal["open", "closed"]
Outcome = Literal["rejected", "won", "lost"]


class OpenAlert(BaseModel):
    """An alert that was asked for and neither sent nor failed yet."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    rep_id: str
    via: Via
    kind: happened.AlertKind
    requested_at: Instant


class FollowUp(BaseModel):
    """The planner's bookmark in the chain."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    round: int = 1
    step: int = 0
    """The next step, counted from 0."""
    run: int = 0
    """Which execution wakes this lead; one with another run ends when it wakes."""
    wake_at: Instant | None = None
    told_submissions: int = 1
    """Up to which submission the owner was told."""
    told_again_at: Instant | None = None
    planned: bool = False
    """False until the planner has seen the lead once."""

    @property
    def may_tell_again_at(self) -> datetime:
        """Before this moment the owner hears of no further submission: many count as one."""
        if self.told_again_at is None:
            return datetime.min.replace(tzinfo=UTC)
        return self.told_again_at + TELL_AGAIN_AFTER

    @property
    def is_idle(self) -> bool:
        """The planner saw the lead and found that policy does not follow it up."""
        return self.planned and self.wake_at is None and (self.round, self.step) == (1, 0)


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
    page: str | None = None

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
            asked=(submission.message or "")[:ASKED_LENGTH] or None,
            source=touch.describe(),
            page=touch.landing_page,
        )


class Lead(Said):
    """The projection of a lead's events, about 1 KB. `version` grows by one with every write."""

    lead_id: str
    version: int
    sequence: int
    """Number of the last event."""
    form_id: str
    channel: str
    team: str
    locale: str
    policy_version: int
    verdict: Verdict
    received_at: Instant
    clock_started_at: Instant
    """When the response clock started: with the first submission that was worth following up."""
    respond_by: Instant
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
    assignment_failed_at: Instant | None = None
    acknowledged_at: Instant | None = None
    acknowledged_by: str | None = None
    attempts: int = 0
    first_attempt_at: Instant | None = None
    first_attempt_by: str | None = None
    last_result: AttemptResult | None = None
    contacted_at: Instant | None = None
    breached_at: Instant | None = None
    submissions: int = 1
    resubmitted_at: Instant | None = None
    previous_lead_id: str | None = None
    """The contact's last one, which was closed."""
    said_again: Said | None = None
    """The last submission after the first: what the lead was told first is never overwritten."""
    open_alerts: dict[str, OpenAlert] = {}
    alerted_at: Instant | None = None
    """When it was recorded that the first alert to a rep went out."""
    follow_up: FollowUp = FollowUp()
    actions: tuple[str, ...] = ()
    """Ids of the last few things people did, so that a form sent twice counts once."""

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
            channel=submission.channel,
            team=captured.team,
            locale=submission.locale,
            policy_version=captured.policy_version,
            verdict=captured.verdict,
            previous_lead_id=captured.previous_lead_id,
            received_at=submission.received_at,
            clock_started_at=at,
            respond_by=captured.respond_by,
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
        """The lead in the words of its last submission, where that says something."""
        last = self.said_again.model_dump(exclude_none=True) if self.said_again else {}
        return self.model_copy(update=last)

    @property
    def awaits_attempt(self) -> bool:
        """Nobody has called yet and somebody should."""
        return self.status == "open" and self.first_attempt_at is None

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
        moments = [
            alert.requested_at + ALERT_CONFIRMED_WITHIN for alert in self.open_alerts.values()
        ]
        if self.follow_up.wake_at is not None:
            moments.append(self.follow_up.wake_at)
        if self.resubmitted_at and self.submissions > self.follow_up.told_submissions:
            moments.append(max(self.resubmitted_at, self.follow_up.may_tell_again_at))
        return min(moments, default=None)

    def overslept(self, now: datetime) -> bool:
        """Whether the execution that should have woken the lead will not come any more."""
        wake_at = self.follow_up.wake_at
        return wake_at is not None and wake_at + MISSED_AFTER < now

    def was_missed(self, now: datetime) -> bool:
        """Whether something that should have happened by itself did not.

        The planner never saw the lead, nobody woke it, an alert is neither sent nor failed, or its
        owner was not told of a further submission. Not what waits by design: submissions that are
        held back, and a lead without an owner.
        """
        if self.status == "closed":
            return False
        long_ago = now - MISSED_AFTER
        if not self.follow_up.planned:
            return self.clock_started_at < long_ago
        if self.overslept(now):
            return True
        if any(alert.requested_at < long_ago for alert in self.open_alerts.values()):
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


class Note(BaseModel):
    """A person's words about a lead."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    note_id: str
    author: str
    at: Instant
    text: str


def apply(lead: Lead, change: Change, at: datetime) -> Lead:
    """The lead after the events of a change, all of them at one moment."""
    for event in change.events:
        lead = lead.model_copy(update=_effect(lead, event, at))
    update: dict[str, object] = {
        "version": lead.version + 1,
        "sequence": lead.sequence + len(change.events),
    }
    follow_up = change.follow_up or lead.follow_up
    if not lead.awaits_attempt:
        # What was asked for because nobody had called makes no sense any more.
        follow_up = follow_up.model_copy(update={"wake_at": None, "planned": True})
        update["open_alerts"] = {
            alert_id: alert
            for alert_id, alert in lead.open_alerts.items()
            if alert.kind == "again" and lead.status == "open"
        }
    update["follow_up"] = follow_up
    if change.action_id is not None:
        update["actions"] = (*lead.actions, change.action_id)[-5:]
    return lead.model_copy(update=update)


def settled(lead: Lead, outcome: AlertSent | AlertFailed) -> AlertSent | AlertFailed:
    """What to record of an alert: only the first to a rep says how long it took."""
    if isinstance(outcome, AlertFailed) or lead.alerted_at is None:
        return outcome
    return outcome.model_copy(update={"after_seconds": None})


def _effect(lead: Lead, event: LeadEvent, at: datetime) -> dict[str, object]:
    """The fields that one event changes; an event without an effect of its own changes none."""
    match event:
        case happened.LeadResubmitted():
            return _resubmitted(lead, event, at)
        case happened.LeadAssigned(rep_id=rep_id):
            return {"rep_id": rep_id, "assigned_at": at, "assignment_failed_at": None}
        case happened.AssignmentFailed():
            return {"assignment_failed_at": at}
        case happened.LeadReassigned(from_rep_id=former, to_rep_id=rep_id):
            kept = {key: a for key, a in lead.open_alerts.items() if a.rep_id != former}
            return {"rep_id": rep_id, "assigned_at": at, "open_alerts": kept}
        case happened.AlertRequested(alert_id=alert_id, rep_id=rep_id, via=via, kind=kind):
            alert = OpenAlert(rep_id=rep_id, via=via, kind=kind, requested_at=at)
            return {"open_alerts": {**lead.open_alerts, alert_id: alert}}
        case AlertSent(alert_id=alert_id) | AlertFailed(alert_id=alert_id):
            left = {key: a for key, a in lead.open_alerts.items() if key != alert_id}
            is_first = isinstance(event, AlertSent) and event.after_seconds is not None
            return {"open_alerts": left, "alerted_at": at if is_first else lead.alerted_at}
        case happened.LeadAcknowledged(rep_id=rep_id):
            return {"acknowledged_at": at, "acknowledged_by": rep_id}
        case happened.LeadAttempted(rep_id=rep_id, result=result):
            first = (
                {"first_attempt_at": at, "first_attempt_by": rep_id}
                if lead.first_attempt_at is None
                else {}
            )
            return {"attempts": lead.attempts + 1, "last_result": result, **first}
        case happened.LeadContacted():
            return {"contacted_at": lead.contacted_at or at}
        case happened.ResponseBreached():
            return {"breached_at": at}
        case happened.LeadRejected(reason=reason):
            return _closed("rejected", at, reason=reason)
        case happened.DealWon(amount=amount, currency=currency):
            return _closed("won", at, amount=amount, currency=currency)
        case happened.DealLost(reason=reason):
            return _closed("lost", at, reason=reason)
        case _:
            return {}


def _resubmitted(lead: Lead, event: happened.LeadResubmitted, at: datetime) -> dict[str, object]:
    """A further submission counts; a better one than all before makes the lead better.

    When nobody followed the lead up so far, because of its verdict, it starts anew with this one.
    """
    latest = max(at, lead.resubmitted_at or lead.received_at)
    fields: dict[str, object] = {"submissions": lead.submissions + 1, "resubmitted_at": latest}
    if VERDICTS.index(event.verdict) < VERDICTS.index(lead.verdict):
        fields["verdict"] = event.verdict
        if lead.awaits_attempt and lead.follow_up.is_idle:
            fields |= {
                "clock_started_at": at,
                "respond_by": event.respond_by,
                "follow_up": FollowUp(run=lead.follow_up.run),
            }
    return fields


def _closed(outcome: Outcome, at: datetime, **details: object) -> dict[str, object]:
    return {"status": "closed", "outcome": outcome, "closed_at": at, **details}
