"""How long things took, and whether that was in time: in wall time and in time that was open.

A clock is read where it stops, by the policy that the lead follows, and the reading is kept with
the event: whatever is logged or published later, a late result stays late. Only what a person did
stops a clock, never a message that was sent.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, Self, get_args

from shared.domain.calendar import Calendar
from shared.domain.chain import Chain
from shared.domain.events import ClockName, Reading
from shared.domain.instants import seconds_between, to_millisecond
from shared.domain.lead import Lead
from shared.domain.policy import Policy
from shared.domain.routing import Facts, Rule
from shared.errors import PolicyError

A_MOMENT = Decimal("0.001")


class Terms(NamedTuple):
    """What one version of the policy says of a lead's follow-up."""

    chain: Chain
    calendar: Calendar
    calendar_name: str
    rules: tuple[Rule, ...]
    """Of the routing, those that match the lead."""
    policy_version: int

    @classmethod
    def of(cls, policy: Policy, lead: Lead) -> Self:
        """Raises PolicyError when the lead's form is not in this version."""
        form = policy.form(lead.form_id)
        if form is None:
            raise PolicyError(f"form/{lead.form_id} is not in version {policy.version}")
        facts = Facts(lead.form_id, lead.channel, lead.locale, lead.country)
        return cls(
            policy.chain_of(form, facts),
            policy.calendar(form.calendar),
            form.calendar,
            policy.routing(form).matching(facts),
            policy.version,
        )

    def stopped(self, lead: Lead, at: datetime, *clocks: ClockName) -> tuple[Reading, ...] | None:
        """The readings of those of the clocks that run and stop now; None when none does."""
        started = _running_since(lead)
        readings = tuple(
            self._read(lead, clock, started[clock], at, is_stopped=True)
            for clock in clocks
            if clock in started
        )
        return readings or None

    def read(self, lead: Lead, now: datetime) -> tuple[Reading, ...]:
        """Every clock of the lead that runs or was stopped, in their order."""
        running = {
            clock: self._read(lead, clock, start, now)
            for clock, start in _running_since(lead).items()
        }
        known = {**running, **lead.readings}
        return tuple(known[clock] for clock in get_args(ClockName) if clock in known)

    def call_by(self, lead: Lead) -> datetime:
        """When the call that a lead awaits is due.

        The first one by the customer's clock, and not before an agreed time; one more as soon after
        the follow-up began anew as a first one after the lead came.
        """
        if lead.first_attempt_at is None:
            return max(lead.respond_by, lead.snoozed_until or lead.respond_by)
        due = self.calendar.due_if_ever(lead.counts_from, self.chain.respond_within_seconds)
        return due or lead.counts_from

    def acknowledged_until(self, lead: Lead, at: datetime) -> datetime | None:
        """When an acknowledgement ends; None when nobody waits for a call."""
        if not _is_promised(lead):
            return None
        start = max(at, lead.snoozed_until or at)
        return self.calendar.due_if_ever(start, self.chain.acknowledgement_lasts_seconds)

    def _read(
        self,
        lead: Lead,
        clock: ClockName,
        start: datetime,
        now: datetime,
        *,
        is_stopped: bool = False,
    ) -> Reading:
        now = to_millisecond(now)
        due = self._due_of(lead, clock, start)
        late_by = seconds_between(due, now) if due else Decimal(0)
        if clock == "response" and lead.breached_at is not None:
            # Recorded by a machine whose watch is ahead of ours; its word stands.
            late_by = max(late_by, A_MOMENT)
        return Reading(
            clock=clock,
            started_at=start,
            due_at=due,
            stopped_at=now if is_stopped else None,
            wall_seconds=seconds_between(start, now),
            business_seconds=Decimal(round(self.calendar.elapsed(start, now) * 1000)).scaleb(-3),
            late_by=late_by,
            calendar=self.calendar_name,
            policy_version=self.policy_version,
        )

    def _due_of(self, lead: Lead, clock: ClockName, start: datetime) -> datetime | None:
        if clock == "response":
            return lead.respond_by
        within_seconds = {
            "acknowledge": self.chain.acknowledge_within_seconds,
            "contact": self.chain.contact_within_seconds,
            "qualify": self.chain.qualify_within_seconds,
            "owner": self.chain.respond_within_seconds,
        }
        counted_from = max(start, lead.agreed_at or start)
        return self.calendar.due_if_ever(counted_from, within_seconds[clock])


def _running_since(lead: Lead) -> Mapping[ClockName, datetime]:
    """When the clocks were started that run."""
    if lead.status == "closed" or not _is_promised(lead):
        return {}
    start = lead.clock_started_at
    started: dict[ClockName, datetime] = {
        "response": start,
        "acknowledge": start,
        "contact": start,
        "qualify": start,
    }
    if lead.assigned_at is not None:
        # A lead may have had an owner before there was a reason to call.
        started["owner"] = max(start, lead.assigned_at)
    return {clock: moment for clock, moment in started.items() if clock not in lead.readings}


def _is_promised(lead: Lead) -> bool:
    """Whether policy follows the lead up. The first call of such a lead stopped its clock: a lead
    that was called without that had none, or was called before clocks were kept.
    """
    if lead.first_attempt_at is not None:
        return "response" in lead.readings
    return not lead.follow_up.is_idle
