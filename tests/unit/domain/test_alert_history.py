"""What became of each alert is told as the lead itself knows it, whatever happens to it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain import events as happened
from shared.domain.actions import Action, act, replan, undo
from shared.domain.alert_history import Alerted, alert_history
from shared.domain.events import LeadEvent, RecordedEvent
from shared.domain.lead import Change, Lead
from shared.domain.projection import apply, settled
from shared.errors import IllegalActionError
from tests.unit.domain.following import a_terms, planned
from tests.unit.domain.samples import RECEIVED, TERMS, a_lead, at, resubmitted

CAPTURED = happened.LeadCaptured(
    submission_id="s" * 32,
    form_id="demo-en",
    channel="Direct",
    team="sales",
    verdict="qualified",
    policy_version=1,
    respond_by=at(300),
)


@dataclass
class Life:
    """A lead with all its events."""

    lead: Lead = field(default_factory=a_lead)
    now: datetime = RECEIVED
    events: list[RecordedEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._record(CAPTURED)

    def change(self, change: Change | None) -> None:
        if change is not None:
            self.lead = apply(self.lead, change, self.now)
            for event in change.events:
                self._record(event)

    def happen(self, seconds: float, *events: LeadEvent) -> None:
        self.now = at(seconds)
        self.change(Change(events))

    def do(self, deed: str, rep_id: str) -> None:
        if deed == "wake":
            self.change(planned(self.lead, self.now))
        elif deed in ("send", "refuse"):
            for alert_id, alert in list(self.lead.open_alerts.items())[:1]:
                of = {"alert_id": alert_id, "rep_id": alert.rep_id, "via": alert.via}
                sent = happened.AlertSent.model_validate({**of, "message_id": "m"})
                failed = happened.AlertFailed.model_validate({**of, "reason": "opted_out"})
                outcome = sent if deed == "send" else failed
                self.change(Change((settled(self.lead, outcome),)))
        elif deed == "resubmit" and self.lead.status == "open":
            self.change(Change((resubmitted((self.now - RECEIVED).total_seconds()),)))
        elif deed == "replan":
            other = a_terms(version=3 - self.lead.policy_version)
            mine = a_terms(version=self.lead.policy_version)
            self.change(replan(self.lead, mine, other, self.now))
        elif deed == "undo":
            self._undo()
        elif deed != "resubmit":
            self._act(deed, rep_id)

    def _undo(self) -> None:
        last = self.lead.last_action
        if last is None:
            return
        try:
            self.change(undo(self.lead, last.action_id, last.rep_id, self.now))
        except IllegalActionError:
            return

    def _act(self, deed: str, rep_id: str) -> None:
        action = Action.model_validate(
            {
                "name": deed,
                "action_id": f"{deed}{self.now}{self.lead.sequence}",
                "until": self.now + timedelta(minutes=10),
                "to_rep_id": "clara",
                "reason": "data.spam",
            }
        )
        try:
            self.change(act(self.lead, action, rep_id, self.now, TERMS))
        except IllegalActionError:
            return

    def _record(self, event: LeadEvent) -> None:
        recorded = RecordedEvent(
            lead_id=self.lead.lead_id,
            sequence=len(self.events) + 1,
            at=self.now,
            actor="somebody",
            form_id="demo-en",
            channel="Direct",
            event=event,
        )
        self.events.append(recorded)

    @property
    def history(self) -> list[Alerted]:
        return alert_history(self.lead, self.events)


DEEDS = (
    *("wake", "wake", "wake", "send", "send", "refuse", "acknowledge", "no_answer", "talked"),
    *("snooze", "hand_over", "reject", "reopen", "resubmit", "replan", "undo", "undo", "undo"),
)
deeds = st.tuples(
    st.sampled_from(DEEDS),
    st.sampled_from([0, 1, 30, 120, 600, 3000]),
    st.sampled_from(["anna", "boris", "maria"]),
)


@given(st.lists(deeds, max_size=25))
def test_those_on_their_way_are_those_that_the_lead_waits_for(
    done: list[tuple[str, int, str]],
) -> None:
    life = Life()
    for deed, seconds, rep_id in done:
        life.now += timedelta(seconds=seconds)
        life.do(deed, rep_id)

    history = life.history
    pending = {alerted.request.alert_id for alerted in history if alerted.became == "pending"}
    assert pending == set(life.lead.open_alerts)
    asked = [e.event for e in life.events if isinstance(e.event, happened.AlertRequested)]
    assert [alerted.request for alerted in history] == asked
    for alerted in history:
        assert (alerted.because is None) == (alerted.became == "pending")
        assert alerted.settled_at is None or alerted.settled_at >= alerted.at


def asked(via: happened.Via, rep_id: str = "anna") -> happened.AlertRequested:
    return happened.AlertRequested(
        alert_id=via, round=1, step="new", kind="new", rep_id=rep_id, via=via
    )


@pytest.fixture
def life() -> Life:
    """A lead whose owner is told by both channels."""
    life = Life()
    life.happen(
        1, happened.LeadAssigned(rep_id="anna", rule="everybody"), asked("sms"), asked("email")
    )
    return life


def told(life: Life) -> list[tuple[str, str | None]]:
    return [
        (alerted.became, alerted.because.type if alerted.because else None)
        for alerted in life.history
    ]


def test_each_alert_says_what_became_of_it(life: Life) -> None:
    assert told(life) == [("pending", None)] * 2

    sent = happened.AlertSent(alert_id="sms", rep_id="anna", via="sms", message_id="m")
    life.happen(4, sent)
    life.happen(
        9, happened.AlertFailed(alert_id="email", rep_id="anna", via="email", reason="opted_out")
    )

    assert told(life) == [("sent", "AlertSent"), ("failed", "AlertFailed")]
    assert [alerted.settled_at for alerted in life.history] == [at(4), at(9)]


def test_a_call_takes_the_reason_from_what_is_not_sent_yet(life: Life) -> None:
    life.happen(5, happened.LeadAttempted(rep_id="anna", result="no_answer"))
    life.happen(9, happened.LeadRejected(rep_id="anna", reason="data.spam"))

    assert told(life) == [("dropped", "LeadAttempted")] * 2


def test_what_was_with_sns_already_was_sent_after_all(life: Life) -> None:
    life.happen(5, happened.LeadAttempted(rep_id="anna", result="no_answer"))
    life.happen(6, happened.AlertSent(alert_id="sms", rep_id="anna", via="sms", message_id="m"))

    assert told(life) == [("sent", "AlertSent"), ("dropped", "LeadAttempted")]


def test_what_an_undone_call_had_called_off_waits_again(life: Life) -> None:
    life.now = at(10)
    life.do("talked", "anna")
    assert told(life) == [("dropped", "LeadAttempted")] * 2

    life.now = at(20)
    life.do("undo", "anna")
    assert told(life) == [("pending", None)] * 2

    life.happen(21, happened.AlertSent(alert_id="sms", rep_id="anna", via="sms", message_id="m"))
    life.now = at(30)
    life.do("talked", "anna")
    assert told(life) == [("sent", "AlertSent"), ("dropped", "LeadAttempted")]
    assert life.history[1].settled_at == at(30)


def test_what_was_asked_for_by_what_is_undone_is_dropped_by_that(life: Life) -> None:
    life.now = at(10)
    life.do("hand_over", "anna")
    life.happen(
        11,
        happened.AlertRequested(
            alert_id="handed", round=1, step="new", kind="handed_over", rep_id="clara", via="sms"
        ),
    )
    life.now = at(20)
    life.do("undo", "anna")

    assert told(life) == [("pending", None), ("pending", None), ("dropped", "ActionUndone")]


def test_a_story_without_its_beginning_keeps_what_is_known(life: Life) -> None:
    """Events outlive nothing: a restored table may lack the first ones."""
    del life.events[0]
    life.happen(6, happened.AlertSent(alert_id="sms", rep_id="anna", via="sms", message_id="m"))

    assert told(life) == [("sent", "AlertSent"), ("pending", None)]
