"""Whatever happens to a lead in whatever order, however often it is woken: never silent, nothing
before its time, nothing twice, nothing after a call.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain import events as happened
from shared.domain.actions import Action, act, replan, undo
from shared.domain.calendar import WEEKDAYS, Calendar
from shared.domain.chain import Audience, Chain, Step
from shared.domain.clocks import Terms
from shared.domain.lead import Change, LastAction, Lead
from shared.domain.projection import apply
from shared.domain.roster import Rep
from shared.errors import IllegalActionError
from tests.unit.domain.following import a_terms, planned
from tests.unit.domain.samples import ALWAYS, MARIA, RECEIVED, a_lead, a_rep, resubmitted

OFFICE = Calendar.model_validate(
    {
        "zone": "Europe/Berlin",
        "week": {day: ["10:00-13:00", "14:00-18:00"] for day in WEEKDAYS[:5]},
    }
)

audiences = st.builds(
    Audience,
    who=st.sampled_from(["owner", "backup", "manager", "team"]),
    kind=st.sampled_from(["new", "repeat", "backup", "reminder", "breach", "offer"]),
    via=st.sampled_from([("sms",), ("email",), ("sms", "email")]),
)


@st.composite
def chains(draw: st.DrawFn) -> Chain:
    times = sorted(draw(st.lists(st.integers(0, 899), min_size=1, max_size=6)))
    steps = [
        Step(
            step=f"step{number}",
            after_seconds=after,
            when=draw(st.sampled_from([None, "acknowledged", "not_acknowledged"])),
            breach=draw(st.booleans()),
            reassign=draw(st.booleans()),
            stop=draw(st.integers(0, 9)) == 0,
            alert=tuple(draw(st.lists(audiences, max_size=3))),
        )
        for number, after in enumerate(times)
    ]
    return Chain(
        rounds=draw(st.integers(1, 3)),
        respond_within_seconds=draw(st.integers(1, 1000)),
        acknowledgement_lasts_seconds=draw(st.integers(1, 1000)),
        steps=tuple(steps),
    )


DEEDS = (
    "wake",
    "wake",
    "wake",
    "send",
    "acknowledge",
    "no_answer",
    "voicemail",
    "talked",
    "snooze",
    "hand_over",
    "reject",
    "reopen",
    "undo",
    "undo",
    "replan",
    "resubmit",
    "leave",
    "come",
)
deeds = st.tuples(
    st.sampled_from(DEEDS),
    st.sampled_from([0, 1, 30, 120, 600, 3000, 8000]),
    st.sampled_from(["anna", "boris", "maria"]),
)


@dataclass
class Life:
    """One lead, its people and its policy; each deed is checked as it is done."""

    terms: Terms
    other: Terms
    lead: Lead = field(default_factory=a_lead)
    now: datetime = RECEIVED
    there: set[str] = field(default_factory=lambda: {"anna", "boris"})
    asked: set[str] = field(default_factory=set)
    sent: set[str] = field(default_factory=set)
    before: Lead | None = None
    """The lead before the last action, and whether its chain had ended."""
    had_ended: bool = False
    breaches: int = 0
    has_ended: bool = False
    executions: dict[int, datetime] = field(default_factory=dict)
    """Those that wait, by run, and for when."""
    started: set[int] = field(default_factory=set)

    @property
    def people(self) -> tuple[Rep, ...]:
        reps = (a_rep(name, on_duty=name in self.there) for name in ("anna", "boris"))
        return (*reps, MARIA)

    def do(self, deed: str, rep_id: str) -> None:
        for run in [run for run, at in self.executions.items() if at <= self.now]:
            # Its state machine calls, and ends when another run took over.
            del self.executions[run]
            if run == self.lead.follow_up.run:
                self.plan()
                if self.lead.follow_up.wake_at is not None:
                    self.executions[run] = self.lead.follow_up.wake_at
        self.do_one(deed, rep_id)
        if self.lead.awaits_attempt and not self.has_ended:
            # An alert that waits to be sent is no wake-up.
            sent = self.lead.model_copy(update={"open_alerts": {}})
            assert sent.due_at is not None, "never silent: a moment to look, or a recorded end"

    def do_one(self, deed: str, rep_id: str) -> None:
        match deed:
            case "wake":
                self.wake()
            case "send":
                sent = tuple(
                    happened.AlertSent(alert_id=key, rep_id=a.rep_id, via=a.via, message_id="m")
                    for key, a in self.lead.open_alerts.items()
                )
                self.sent |= {*self.lead.open_alerts}
                self.record(Change(sent))
            case "resubmit":
                if self.lead.status == "open":
                    self.record(Change((resubmitted(),)))
            case "replan":
                change = replan(self.lead, self.terms, self.other, self.now)
                if change is not None:
                    self.terms, self.other = self.other, self.terms
                    self.record(change)
            case "leave":
                self.there.discard(rep_id)
            case "come":
                self.there.add(rep_id)
            case "undo":
                self.undo()
            case name:
                self.act(name, rep_id)

    def act(self, name: str, rep_id: str) -> None:
        action = Action.model_validate(
            {
                "name": name,
                "action_id": f"{name}{self.now}",
                "until": self.now + timedelta(hours=2),
                "to_rep_id": "boris" if rep_id == "anna" else "anna",
                "reason": "data.spam",
            }
        )
        before, had_ended = self.lead, self.has_ended
        try:
            change = act(self.lead, action, rep_id, self.now, self.terms)
        except IllegalActionError:
            return
        if change is not None:
            self.record(change)
            self.before, self.had_ended = before, had_ended

    def undo(self) -> None:
        """Whoever did something last takes it back, where that can be done."""
        last = self.lead.last_action
        if last is None:
            return
        try:
            change = undo(self.lead, last.action_id, last.rep_id, self.now)
        except IllegalActionError:
            assert self.now > last.at + timedelta(minutes=1), "within a minute it can be undone"
            return
        assert change is not None
        open_before = set(self.lead.open_alerts)
        self.record(change)
        # Its end was told before what is undone made the chain begin anew.
        self.has_ended = self.has_ended or self.had_ended
        self.look_at_what_is_back(last, open_before)

    def look_at_what_is_back(self, last: LastAction, open_before: set[str]) -> None:
        """Everything that the action changed is as it was; what happened since, stays."""
        lead, before = self.lead, self.before
        assert before is not None
        for name in ("status", "rep_id", "acknowledged_by", "attempts", "first_attempt_at"):
            assert getattr(lead, name) == getattr(before, name)
        for name in ("contacted_at", "snoozed_until", "snoozes", "outcome", "closed_at"):
            assert getattr(lead, name) == getattr(before, name)
        assert lead.readings == before.readings
        assert lead.awaits_attempt == before.awaits_attempt
        assert lead.follow_up.counts_from == before.follow_up.counts_from
        assert lead.follow_up.is_idle == before.follow_up.is_idle
        swallowed = {*before.open_alerts} - {*lead.open_alerts} - self.sent
        assert not swallowed, "what was called off waits again"
        assert {*lead.open_alerts} <= {*before.open_alerts, *open_before}
        assert lead.last_action is None, f"{last.action_id} is undone once"

    def record(self, change: Change) -> None:
        self.breaches += sum(isinstance(e, happened.ResponseBreached) for e in change.events)
        cycle = self.lead.follow_up.cycle
        self.lead = apply(self.lead, change, self.now)
        ends = [getattr(event, "ends_chain", False) for event in change.events]
        follow_up = self.lead.follow_up
        if follow_up.cycle != cycle and follow_up.round <= self.terms.chain.rounds:
            self.has_ended = False
        self.has_ended = self.has_ended or any(ends)

    def wake(self) -> None:
        """By a queue, which also sees to it that the lead is woken again."""
        self.plan()
        run, wake_at = self.lead.follow_up.run, self.lead.follow_up.wake_at
        if wake_at is None:
            return
        if run not in self.started:
            self.started.add(run)
            self.executions[run] = wake_at
        assert self.executions[run] <= wake_at, "an execution wakes the lead in time"

    def plan(self) -> None:
        before, follow_up = self.lead, self.lead.follow_up
        change = planned(before, self.now, self.people, self.terms)
        if change is not None:
            for event in change.events:
                self.look_at(event, before)
            self.record(change)
        self.look_at_the_plan()
        assert self.lead.follow_up.run >= follow_up.run
        again = planned(self.lead, self.now, self.people, self.terms)
        assert again is None, "a second look in the same moment finds nothing"

    def look_at(self, event: happened.LeadEvent, before: Lead) -> None:
        match event:
            case happened.AlertRequested(alert_id=alert_id, step=name, round=number):
                assert alert_id not in self.asked, "each alert once"
                self.asked.add(alert_id)
                for step in self.terms.chain.steps:
                    if step.step == name:
                        assert before.awaits_attempt, "no step after a call"
                        self.is_in_time(step, number, before)
            case happened.ResponseBreached():
                assert before.first_attempt_at is None
                assert self.now >= before.respond_by
            case happened.AcknowledgementExpired():
                assert before.acknowledged_at is not None
            case happened.LeadAssigned(rep_id=rep_id):
                assert before.rep_id is None
                assert rep_id in self.there

    def is_in_time(self, step: Step, number: int, before: Lead) -> None:
        chain = self.terms.chain
        offset = chain.offset_seconds(number, chain.steps.index(step))
        assert self.now >= self.terms.calendar.due(before.counts_from, offset)

    def look_at_the_plan(self) -> None:
        lead = self.lead
        wake_at = lead.follow_up.wake_at
        assert wake_at is None or wake_at > self.now, "never woken for what is done"
        if lead.status == "closed" or not lead.awaits_attempt:
            assert wake_at is None
            return
        assert self.breaches <= 1


@settings(max_examples=400)
@given(
    chain=chains(),
    other=chains(),
    calendar=st.sampled_from([ALWAYS, OFFICE]),
    life=st.lists(deeds, min_size=1, max_size=40),
)
def test_a_lead_is_never_silent_and_nothing_happens_twice_or_out_of_time(
    chain: Chain, other: Chain, calendar: Calendar, life: list[tuple[str, int, str]]
) -> None:
    one = Life(a_terms(chain, calendar, version=1), a_terms(other, calendar, version=2))
    one.lead = a_lead(respond_by=calendar.due(RECEIVED, chain.respond_within_seconds))
    for deed, seconds, rep_id in life:
        one.now += timedelta(seconds=seconds)
        one.do(deed, rep_id)
    one.wake()


@settings(max_examples=100)
@given(chain=chains(), calendar=st.sampled_from([ALWAYS, OFFICE]), late=st.integers(0, 2000))
def test_a_lead_that_nobody_touches_comes_to_its_end(
    chain: Chain, calendar: Calendar, late: int
) -> None:
    one = Life(a_terms(chain, calendar), a_terms(chain, calendar, version=2))
    one.lead = a_lead(respond_by=calendar.due(RECEIVED, chain.respond_within_seconds))
    for _ in range(200):
        if one.lead.due_at is None:
            break
        one.now = max(one.now, one.lead.due_at) + timedelta(seconds=late)
        one.do("wake", "anna")
        one.do("send", "anna")
    assert one.has_ended
    assert one.breaches <= 1
