"""advance_follow_up, send_alert and sweep_follow_ups together, over the template's table and the
sample policy; SNS, SQS and Step Functions are stand-ins."""

import re
import sys
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from advance_follow_up import service as advance_service
from advance_follow_up.service import advance
from infra.cli.policy_files import read_policy
from send_alert import service as alert_service
from send_alert.service import send
from shared.adapters.alerts import AlertRefusedError
from shared.adapters.dynamodb import Table
from shared.adapters.lead_table import LeadTable
from shared.adapters.policy_store import PolicyStore
from shared.domain.actions import Action, ActionName, act, undo
from shared.domain.clocks import Terms
from shared.domain.events import (
    AlertFailed,
    AlertRequested,
    AlertSent,
    LeadAssigned,
    LeadEvent,
    LeadRejected,
)
from shared.domain.follow_up import EVERY_CHANNEL
from shared.domain.lead import Change, Lead
from shared.domain.roster import Rep
from shared.errors import AlertLeasedError, AlertNotSentError, LeadChangedError, PolicyError
from shared.texts.alerts import segments
from sweep_follow_ups.service import sweep
from tests.unit.adapters.samples import a_submission, captured
from tests.unit.domain.samples import ANNA, BORIS, MARIA, a_rep, at
from tests.unit.functions.fakes import FakeEscalation, FakeQueue, FakeSender

POLICY = Path(__file__).parents[3] / "infra/policy"


class Flow(NamedTuple):
    """A captured lead, and the parts that advance it and send its alerts."""

    lead_id: str
    leads: LeadTable
    advancing: advance_service.Parts
    sending: alert_service.Parts

    @property
    def lead(self) -> Lead:
        lead = self.leads.lead(self.lead_id)
        assert lead is not None
        return lead

    @property
    def events(self) -> list[LeadEvent]:
        story = self.leads.story(self.lead_id)
        assert story is not None
        return [recorded.event for recorded in story.events]

    @property
    def event_types(self) -> list[str]:
        return [event.type for event in self.events]

    @property
    def waited(self) -> list[tuple[str, Decimal | None]]:
        """Who was alerted, and what the alert says of how long that took."""
        sent = [event for event in self.events if isinstance(event, AlertSent)]
        return [(alert.rep_id, alert.after_seconds) for alert in sent]

    @property
    def wakes(self) -> dict[str, Any]:
        assert isinstance(self.advancing.escalation, FakeEscalation)
        return self.advancing.escalation.started

    @property
    def queued(self) -> list[Any]:
        assert isinstance(self.advancing.alert_queue, FakeQueue)
        return self.advancing.alert_queue.messages

    @property
    def sender(self) -> FakeSender:
        assert isinstance(self.sending.sender, FakeSender)
        return self.sending.sender

    @property
    def outbox(self) -> list[tuple[str, str, str]]:
        return self.sender.outbox

    def rep_calls(self, now: datetime) -> None:
        self.rep_does("no_answer", now)

    def rep_does(self, name: ActionName, now: datetime) -> None:
        lead = self.lead
        terms = Terms.of(self.advancing.policies.version(lead.policy_version), lead)
        change = act(lead, Action(name=name, action_id=str(now)), "anna", now, terms)
        assert change is not None
        self.leads.record(lead, change, actor="rep:anna", at=now)


@pytest.fixture
def flow(table: Table) -> Flow:
    policies = PolicyStore(table)
    policies.publish(read_policy(POLICY, {"SITE": "https://example.com"}))
    leads = LeadTable(table)
    for rep in (a_rep("anna", phone="+447700900001", locale="ru"), BORIS, MARIA):
        leads.put_rep(rep)
    submission = a_submission()
    return Flow(
        leads.capture(submission, captured(submission)).lead_id,
        leads,
        advance_service.Parts(leads, policies, FakeEscalation(), FakeQueue(), lambda _: None),
        alert_service.Parts(
            leads, FakeSender(), "https://go.example.com", lambda _: None, lambda: at(3.5)
        ),
    )


def test_a_captured_lead_is_assigned_alerted_and_woken_again(flow: Flow) -> None:
    advanced = advance(flow.lead_id, flow.advancing, at(0))

    assert (advanced.run, advanced.done) == (1, False)
    assert advanced.wake_at == "2026-11-20T09:02:00.000Z"
    assert flow.wakes[f"{flow.lead_id}-1"].at == at(120)
    alerts = flow.lead.open_alerts
    outcomes = [send(flow.lead_id, alert_id, flow.sending, at(1)) for alert_id in alerts]
    assert outcomes == ["sent", "sent"]
    (sms, email) = flow.outbox
    assert sms[:2] == ("sms", "+447700900001")
    assert "+44 7700 900001" in sms[2]
    assert re.search(r"https://go\.example\.com/l/\w{12}$", sms[2])
    assert email[:2] == ("email", "anna")
    assert flow.lead.open_alerts == {}
    assert flow.event_types == [
        "LeadCaptured",
        "LeadAssigned",
        "AlertRequested",
        "AlertRequested",
        "AlertSent",
        "AlertSent",
    ]


def test_advancing_again_does_nothing_twice(flow: Flow) -> None:
    advance(flow.lead_id, flow.advancing, at(0))
    before = flow.event_types

    again = advance(flow.lead_id, flow.advancing, at(1))
    from_machine = advance(flow.lead_id, flow.advancing, at(2), run=1)

    assert flow.event_types == before
    assert again.wake_at == from_machine.wake_at == "2026-11-20T09:02:00.000Z"
    assert len(flow.wakes) == 1


def test_an_execution_of_a_former_run_ends_when_it_wakes(flow: Flow) -> None:
    advance(flow.lead_id, flow.advancing, at(0))

    assert advance(flow.lead_id, flow.advancing, at(120), run=0).done
    assert advance("f" * 32, flow.advancing, at(120), run=1).done, "a lead that was erased"


def test_the_machine_ends_after_a_call(flow: Flow) -> None:
    advance(flow.lead_id, flow.advancing, at(0))
    flow.rep_calls(at(60))

    assert advance(flow.lead_id, flow.advancing, at(120), run=1).done


def test_an_acknowledgement_without_a_call_ends_once_and_its_owner_is_told(flow: Flow) -> None:
    advance(flow.lead_id, flow.advancing, at(0))
    flow.rep_does("acknowledge", at(20))
    for second in (21, 120, 180, 300, 320, 320, 381):
        advance(flow.lead_id, flow.advancing, at(second), swept=second == 381)

    assert flow.event_types.count("AcknowledgementExpired") == 1
    expired = [alert_id for alert_id in flow.lead.open_alerts if alert_id.startswith("expired")]
    assert len(expired) == 1, "a step has just rung, so this is an e-mail"
    for alert_id in expired:
        assert send(flow.lead_id, alert_id, flow.sending, at(382)) == "sent"


def test_an_acknowledgement_whose_event_was_lost_is_found_by_the_sweeper(flow: Flow) -> None:
    advance(flow.lead_id, flow.advancing, at(2700))
    for alert_id in flow.lead.open_alerts:
        send(flow.lead_id, alert_id, flow.sending, at(2701))
    flow.rep_does("acknowledge", at(5000))

    assert sweep(flow.leads, FakeQueue(), at(5300)) == 0
    assert sweep(flow.leads, FakeQueue(), at(5361)) == 1
    assert advance(flow.lead_id, flow.advancing, at(5361), swept=True).missed
    assert flow.event_types.count("AcknowledgementExpired") == 1


def test_an_alert_whose_reason_is_gone_is_dropped(flow: Flow) -> None:
    advance(flow.lead_id, flow.advancing, at(0))
    alerts = flow.lead.open_alerts
    flow.rep_calls(at(1))

    outcomes = [send(flow.lead_id, alert_id, flow.sending, at(2)) for alert_id in alerts]
    assert outcomes == ["dropped"] * 2
    assert send("f" * 32, "x", flow.sending, at(2)) == "dropped"
    assert flow.outbox == []


def test_a_call_between_lease_and_publish_beats_the_alert(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance(flow.lead_id, flow.advancing, at(0))
    real = flow.leads.lease_alert

    def lease_then_somebody_calls(*arguments: Any) -> object:
        code = real(*arguments)
        flow.rep_calls(at(1))
        return code

    monkeypatch.setattr(flow.leads, "lease_alert", lease_then_somebody_calls)
    assert send(flow.lead_id, "1-new-anna-sms", flow.sending, at(1)) == "dropped"
    assert flow.outbox == []


def test_two_workers_send_one_message(flow: Flow) -> None:
    advance(flow.lead_id, flow.advancing, at(0))
    assert send(flow.lead_id, "1-new-anna-sms", flow.sending, at(1)) == "sent"

    assert send(flow.lead_id, "1-new-anna-sms", flow.sending, at(1)) == "dropped"
    assert len(flow.outbox) == 1


def test_a_passing_trouble_of_sns_leaves_the_alert_to_be_sent(flow: Flow) -> None:
    advance(flow.lead_id, flow.advancing, at(0))
    flow.sender.fail = True
    with pytest.raises(AlertNotSentError):
        send(flow.lead_id, "1-new-anna-sms", flow.sending, at(1))
    flow.sender.fail = False

    with pytest.raises(AlertLeasedError):
        send(flow.lead_id, "1-new-anna-sms", flow.sending, at(2))
    assert send(flow.lead_id, "1-new-anna-sms", flow.sending, at(62)) == "sent"


@pytest.mark.parametrize("reason", ["opted_out", "invalid_address"])
def test_a_refusal_for_good_is_an_event(flow: Flow, reason: str) -> None:
    advance(flow.lead_id, flow.advancing, at(0))
    flow.sender.refuse = reason

    assert send(flow.lead_id, "1-new-anna-sms", flow.sending, at(1)) == "failed"
    assert flow.events[-1] == AlertFailed(
        alert_id="1-new-anna-sms", rep_id="anna", via="sms", reason=reason
    )


def test_somebody_who_left_the_team_is_not_texted(flow: Flow) -> None:
    advance(flow.lead_id, flow.advancing, at(0))
    flow.leads.put_rep(ANNA.model_copy(update={"phone": None}))

    assert send(flow.lead_id, "1-new-anna-sms", flow.sending, at(1)) == "failed"
    assert flow.outbox == []


def test_the_manager_gets_the_teams_list(flow: Flow) -> None:
    for second in (0, 120, 180, 300):
        advance(flow.lead_id, flow.advancing, at(second), run=1 if second else None)

    assert send(flow.lead_id, "1-breach-maria-sms", flow.sending, at(300)) == "sent"
    (_, to, text) = flow.outbox[-1]
    code = re.search(r"/r/(\w{12})$", text)
    assert code is not None
    assert to == MARIA.phone
    assert flow.leads.link(code[1], at(301)).kind == "list"


def test_with_the_stream_off_the_sweeper_still_gets_the_alert_out(flow: Flow) -> None:
    """Nothing was ever published: no event reaches a queue, and no execution was started."""
    sweeps = FakeQueue()

    assert sweep(flow.leads, sweeps, at(59)) == 0
    assert sweep(flow.leads, sweeps, at(119)) == 1
    (message,) = sweeps.messages
    assert message == {"lead_id": flow.lead_id, "swept": True}
    advance(flow.lead_id, flow.advancing, at(119), swept=True)
    for alert in flow.queued:
        assert send(alert["lead_id"], alert["alert_id"], flow.sending, at(120)) == "sent"

    assert [via for via, *_ in flow.outbox] == ["sms", "email"]
    assert len(flow.wakes) == 1
    assert sweep(flow.leads, FakeQueue(), at(180)) == 0


def test_when_the_machine_overslept_another_execution_takes_over(flow: Flow) -> None:
    advance(flow.lead_id, flow.advancing, at(0))
    advance(flow.lead_id, flow.advancing, at(181), swept=True)

    assert set(flow.wakes) == {f"{flow.lead_id}-1", f"{flow.lead_id}-2"}
    assert flow.wakes[f"{flow.lead_id}-2"].at == at(300)
    assert advance(flow.lead_id, flow.advancing, at(182), run=1).done


def test_who_asks_again_is_told_of_in_their_new_words(flow: Flow) -> None:
    advance(flow.lead_id, flow.advancing, at(0))
    again = a_submission(
        9,
        email="anna1@example.com",
        phone="+447700900777",
        values={"message": "Wrong number before, this is mine"},
        received_at=at(10),
    )
    assert flow.leads.capture(again, captured(again)).outcome == "joined"
    advance(flow.lead_id, flow.advancing, at(11))

    assert send(flow.lead_id, "again2-anna-sms", flow.sending, at(12)) == "sent"
    assert send(flow.lead_id, "again2-anna-email", flow.sending, at(12)) == "sent"
    for _, _, text in flow.outbox:
        assert "+44 7700 900777" in text
    assert "this is mine" in flow.outbox[1][2]
    assert flow.lead.phone == "+447700900001", "nothing old is overwritten"


def test_an_alert_that_nobody_confirms_is_put_on_the_queue_until_somebody_does(flow: Flow) -> None:
    advance(flow.lead_id, flow.advancing, at(0))
    before = flow.event_types

    assert sweep(flow.leads, FakeQueue(), at(121)) == 1
    advance(flow.lead_id, flow.advancing, at(119), swept=True)

    assert [message["alert_id"] for message in flow.queued] == [
        "1-new-anna-sms",
        "1-new-anna-email",
    ]
    assert flow.event_types == before, "asked for once, put on the queue twice"


def test_the_planner_reads_and_plans_again_when_somebody_was_faster(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = flow.leads.record
    once: list[Callable[[], None]] = [lambda: flow.rep_calls(at(1))]

    def somebody_calls_first(*arguments: Any, **named: Any) -> Lead:
        if once and named["actor"] == "advance_follow_up":
            once.pop()()
        return real(*arguments, **named)

    monkeypatch.setattr(flow.leads, "record", somebody_calls_first)
    advance(flow.lead_id, flow.advancing, at(2))

    assert "AlertRequested" not in flow.event_types


def test_a_planner_that_always_comes_second_gives_up_by_name(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    def always_late(*_: Any, **__: Any) -> Lead:
        raise LeadChangedError(flow.lead_id)

    monkeypatch.setattr(flow.leads, "record", always_late)
    with pytest.raises(LeadChangedError):
        advance(flow.lead_id, flow.advancing, at(0))


def test_an_alert_is_recorded_on_the_lead_as_it_is_by_then(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance(flow.lead_id, flow.advancing, at(0))
    real = flow.leads.record
    once = [True]

    def somebody_calls_first(*arguments: Any, **named: Any) -> Lead:
        if once and named["actor"] == "send_alert":
            once.pop()
            flow.rep_calls(at(1))
        return real(*arguments, **named)

    monkeypatch.setattr(flow.leads, "record", somebody_calls_first)
    assert send(flow.lead_id, "1-new-anna-sms", flow.sending, at(1)) == "sent"
    assert flow.event_types[-2:] == ["LeadAttempted", "AlertSent"]


def test_an_alert_that_could_not_be_recorded_is_recorded_later_and_not_sent_again(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance(flow.lead_id, flow.advancing, at(0))

    def always_late(*_: Any, **__: Any) -> Lead:
        raise LeadChangedError(flow.lead_id)

    with monkeypatch.context() as busy:
        busy.setattr(flow.leads, "record", always_late)
        with pytest.raises(LeadChangedError):
            send(flow.lead_id, "1-new-anna-sms", flow.sending, at(1))
    assert len(flow.outbox) == 1

    assert send(flow.lead_id, "1-new-anna-sms", flow.sending, at(62)) == "sent"
    assert len(flow.outbox) == 1
    assert flow.event_types[-1] == "AlertSent"
    assert send(flow.lead_id, "1-new-anna-sms", flow.sending, at(63)) == "dropped"


def test_an_alert_took_until_sns_had_it_whoever_records_that_and_when(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance(flow.lead_id, flow.advancing, at(0))
    with monkeypatch.context() as dying:
        dying.setattr(flow.leads, "record", lambda *_, **__: sys.exit("killed"))
        with pytest.raises(SystemExit):
            send(flow.lead_id, "1-new-anna-sms", flow.sending, at(1))

    later = flow.sending._replace(clock=lambda: at(90))
    assert send(flow.lead_id, "1-new-anna-sms", later, at(62)) == "sent"
    assert send(flow.lead_id, "1-new-anna-email", later, at(90)) == "sent"

    assert flow.waited == [("anna", Decimal("3.500")), ("anna", None)]


def test_the_first_to_hear_of_a_lead_is_a_rep_and_no_manager(flow: Flow) -> None:
    for rep in flow.leads.people("sales"):
        flow.leads.put_rep(rep.model_copy(update={"on_duty": False}))
    advance(flow.lead_id, flow.advancing, at(0))
    assert send(flow.lead_id, "unassigned-maria-sms", flow.sending, at(1)) == "sent"
    flow.leads.put_rep(BORIS)
    advance(flow.lead_id, flow.advancing, at(120), run=1)
    (first, *_) = [key for key, alert in flow.lead.open_alerts.items() if alert.rep_id == "boris"]
    later = flow.sending._replace(clock=lambda: at(121))
    assert send(flow.lead_id, first, later, at(120)) == "sent"

    assert flow.waited == [("maria", None), ("boris", Decimal("121.000"))]


def test_a_worker_who_finds_an_alert_settled_leaves_it_to_its_sender_to_record(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise both record it, and the lead is alerted twice in every figure."""
    advance(flow.lead_id, flow.advancing, at(0))
    real = flow.leads.settle_alert

    def settle_then_another_worker_comes(*arguments: Any) -> None:
        real(*arguments)
        with pytest.raises(AlertLeasedError):
            send(flow.lead_id, "1-new-anna-sms", flow.sending, at(2))

    monkeypatch.setattr(flow.leads, "settle_alert", settle_then_another_worker_comes)
    assert send(flow.lead_id, "1-new-anna-sms", flow.sending, at(1)) == "sent"
    assert send(flow.lead_id, "1-new-anna-sms", flow.sending, at(62)) == "dropped"
    assert flow.event_types.count("AlertSent") == 1


def test_a_sender_that_died_before_it_noted_the_answer_sends_once_more(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one case in which somebody is told twice: never zero times is the promise."""
    advance(flow.lead_id, flow.advancing, at(0))

    class KilledError(BaseException):
        pass

    def killed(*_: Any) -> None:
        raise KilledError

    with monkeypatch.context() as dying:
        dying.setattr(flow.leads, "settle_alert", killed)
        with pytest.raises(KilledError):
            send(flow.lead_id, "1-new-anna-sms", flow.sending, at(1))

    assert send(flow.lead_id, "1-new-anna-sms", flow.sending, at(62)) == "sent"
    assert len(flow.outbox) == 2


def test_a_lead_of_a_form_that_never_was_is_a_bug_and_says_so(flow: Flow) -> None:
    submission = a_submission(5, form_id="ghost")
    ghost = flow.leads.capture(submission, captured(submission)).lead_id

    with pytest.raises(PolicyError, match="ghost"):
        advance(ghost, flow.advancing, at(0))


def test_a_returning_contact_goes_to_whoever_had_its_last_lead(flow: Flow) -> None:
    leads = flow.leads
    first = flow.lead
    leads.record(
        first, Change((LeadAssigned(rep_id="boris", rule="everybody"),)), actor="test", at=at(0)
    )
    closed = Change((LeadRejected(rep_id="boris", reason="data.spam"),))
    leads.record(flow.lead, closed, actor="boris", at=at(60))
    again = a_submission(2, phone=str(first.phone), email="other@example.com", received_at=at(90))
    lead_id = leads.capture(again, captured(again)).lead_id

    advance(lead_id, flow.advancing, at(90))

    lead = leads.lead(lead_id)
    assert lead is not None
    assert (lead.previous_lead_id, lead.rep_id) == (first.lead_id, "boris")


@pytest.mark.parametrize(
    ("rep_id", "subject"), [("boris", "You are off duty now"), ("maria", "Boris is off duty now")]
)
def test_who_is_off_duty_is_told_in_words_for_the_reader(
    flow: Flow, rep_id: str, subject: str
) -> None:
    asked = tuple(
        AlertRequested(
            alert_id=f"off-{via}",
            round=1,
            step="off_duty",
            kind="off_duty",
            rep_id=rep_id,
            via=via,
            about="boris",
        )
        for via in EVERY_CHANNEL
    )
    flow.leads.record(flow.lead, Change(asked), actor="test", at=at(0))

    for alert in asked:
        assert send(flow.lead_id, alert.alert_id, flow.sending, at(1)) == "sent"

    (sms, email) = flow.outbox
    assert sms[2].startswith(subject.removesuffix(" now"))
    assert segments(sms[2]) <= 2
    assert email[2].startswith(f"{subject}\n")


# --- many at once --------------------------------------------------------------------------------


def a_burst(flow: Flow, size: int, **fields: object) -> list[str]:
    """So many leads of Anna's within a second, advanced and alerted: their ids."""
    flow.leads.put_rep(a_rep("boris", active=False))
    flow.leads.put_rep(a_rep("anna", phone="+447700900001", **fields))
    lead_ids = []
    for number in range(size):
        submission = a_submission(number + 10)
        lead_ids.append(flow.leads.capture(submission, captured(submission)).lead_id)
    for lead_id in lead_ids:
        advance(lead_id, flow.advancing, at(1))
        lead = flow.leads.lead(lead_id)
        assert lead is not None
        for alert_id in lead.open_alerts:
            assert send(lead_id, alert_id, flow.sending, at(2)) == "sent"
    return lead_ids


def test_of_many_leads_at_once_one_text_leads_to_the_list(flow: Flow) -> None:
    lead_ids = a_burst(flow, 6)

    texts = [text for via, _, text in flow.outbox if via == "sms"]
    assert [bool(re.search(r"/l/\w{12}$", text)) for text in texts] == [True] * 3 + [False]
    assert re.fullmatch(
        r"More leads than one at a time. All of them:\nhttps://go\.example\.com/r/\w{12}", texts[3]
    )
    assert sum(via == "email" for via, *_ in flow.outbox) == 6, "each is told of"
    assert rang(flow, lead_ids) == [None, None, None, "together", "covered", "covered"]


def rang(flow: Flow, lead_ids: list[str]) -> list[str | None]:
    """How the SMS about each lead went."""
    stories = [flow.leads.story(lead_id) for lead_id in lead_ids]
    return [
        recorded.event.rang
        for story in stories
        if story is not None
        for recorded in story.events
        if isinstance(recorded.event, AlertSent) and recorded.event.via == "sms"
    ]


def test_who_has_no_mail_is_texted_of_each_lead(flow: Flow) -> None:
    lead_ids = a_burst(flow, 6, email=None)

    assert rang(flow, lead_ids) == [None] * 6
    assert sum(via == "sms" for via, *_ in flow.outbox) == 6


def test_a_step_by_text_alone_goes_by_mail_where_a_text_stands_for_many(flow: Flow) -> None:
    lead_ids = a_burst(flow, 6)
    del flow.outbox[:]
    for lead_id in lead_ids:
        for second in (120, 180):
            advance(lead_id, flow.advancing, at(second))
            lead = flow.leads.lead(lead_id)
            assert lead is not None
            for alert_id in lead.open_alerts:
                send(lead_id, alert_id, flow.sending, at(second))

    reminders = [text for _, _, text in flow.outbox if "Not called yet" in text]
    assert len(reminders) == 6, "three by SMS, three by e-mail"
    assert sum(via == "email" and "Not called yet" in text for via, _, text in flow.outbox) == 3


def test_an_alert_that_an_undone_call_had_called_off_is_sent_after_all(flow: Flow) -> None:
    advance(flow.lead_id, flow.advancing, at(0))
    waiting = [*flow.lead.open_alerts]
    assert len(waiting) == 2
    assert send(flow.lead_id, waiting[0], flow.sending, at(1)) == "sent"
    flow.rep_calls(at(2))
    assert send(flow.lead_id, waiting[1], flow.sending, at(3)) == "dropped"
    lead = flow.lead
    change = undo(lead, str(at(2)), "anna", at(20))
    assert change is not None
    flow.leads.record(lead, change, actor="rep:anna", at=at(20))
    assert flow.lead.due_at is not None
    assert flow.lead.due_at <= at(20), "the sweeper finds it, should nobody hear of it"

    advance(flow.lead_id, flow.advancing, at(20), undone=True)

    assert flow.queued == [{"lead_id": flow.lead_id, "alert_id": waiting[1]}]
    assert send(flow.lead_id, waiting[1], flow.sending, at(21)) == "sent"
    assert len(flow.outbox) == 2
    assert flow.lead.follow_up.wake_at == at(120)


# --- many at once, and a channel that fails -------------------------------------------------------


class PickySender(FakeSender):
    """Refuses some people's channels for good."""

    def __init__(self, *refused: tuple[str, str]) -> None:
        super().__init__()
        self.refused = refused

    def _send(self, via: str, to: str, text: str) -> str:
        if (via, to) in self.refused:
            raise AlertRefusedError("opted_out" if via == "sms" else "not_confirmed")
        return super()._send(via, to, text)


ANNAS_PHONE = "+447700900001"


def burst_of(
    table: Table, refused: tuple[tuple[str, str], ...], people: tuple[Rep, ...], *seconds: int
) -> tuple[list[str], list[tuple[str, str, str]], LeadTable]:
    """Seven leads within a second, looked at in these moments until nothing is left to send."""
    policies, leads, sender = PolicyStore(table), LeadTable(table), PickySender(*refused)
    policies.publish(read_policy(POLICY, {"SITE": "https://example.com"}))
    for rep in people:
        leads.put_rep(rep)
    advancing = advance_service.Parts(
        leads, policies, FakeEscalation(), FakeQueue(), lambda _: None
    )
    sending = alert_service.Parts(
        leads, sender, "https://go.example.com", lambda _: None, lambda: at(3.5)
    )
    submissions = [a_submission(number) for number in range(1, 8)]
    lead_ids = [leads.capture(one, captured(one)).lead_id for one in submissions]
    for second in seconds:
        for lead_id in lead_ids * 5:
            advance(lead_id, advancing, at(second))
            lead = leads.lead(lead_id)
            assert lead is not None
            for alert_id in lead.open_alerts:
                send(lead_id, alert_id, sending, at(second))
    return lead_ids, sender.outbox, leads


def test_in_a_burst_who_is_reached_by_nothing_is_stood_in_for_with_every_lead(
    table: Table,
) -> None:
    anna = a_rep("anna", phone=ANNAS_PHONE)
    refused = (("sms", ANNAS_PHONE), ("email", "anna"))

    lead_ids, outbox, leads = burst_of(table, refused, (anna, MARIA), 1)

    for lead_id in lead_ids:
        story = leads.story(lead_id)
        assert story is not None
        types = [recorded.event.type for recorded in story.events]
        assert types.count("RepNotReached") == 1, "for every one of them"
    mails = [text for via, to, text in outbox if (via, to) == ("email", "maria")]
    assert len(mails) == 7, "each once"
    assert not [to for _, to, _ in outbox if to in {ANNAS_PHONE, "anna"}]


def test_in_a_burst_whose_mail_is_broken_hears_of_each_lead_by_text(table: Table) -> None:
    anna = a_rep("anna", phone=ANNAS_PHONE)

    _, outbox, _ = burst_of(table, (("email", "anna"),), (anna, MARIA), 1)

    texts = [text for via, to, text in outbox if (via, to) == ("sms", ANNAS_PHONE)]
    told = {text.splitlines()[1] for text in texts if "/l/" in text}
    assert len(told) == 6, "all but the one that the list was sent for"
    assert sum("/r/" in text for text in texts) == 1


def test_in_a_burst_a_reminder_by_text_alone_is_not_lost_with_a_broken_mail(table: Table) -> None:
    anna = a_rep("anna", phone=ANNAS_PHONE)

    _, outbox, _ = burst_of(table, (("email", "anna"),), (anna, MARIA), 1, 121, 241)

    to_anna = [text for via, to, text in outbox if (via, to) == ("sms", ANNAS_PHONE)]
    assert len([text for text in to_anna if "Not called" in text]) == 6
    assert len([text for text in to_anna if "/r/" in text]) == 3, "one in each moment"


def test_who_stands_in_at_quiet_hours_is_mailed(table: Table) -> None:
    anna = a_rep("anna", phone=ANNAS_PHONE)
    quiet = MARIA.model_copy(update={"quiet": a_rep("x", quiet=["00:00-23:59"]).quiet})
    refused = (("sms", ANNAS_PHONE), ("email", "anna"))

    _, outbox, _ = burst_of(table, refused, (anna, quiet), 1)

    assert {via for via, _, _ in outbox} == {"email"}


def test_who_is_on_it_is_stood_in_for_by_nobody(flow: Flow) -> None:
    advance(flow.lead_id, flow.advancing, at(0))
    flow.rep_does("acknowledge", at(2))
    flow.sender.refuse = "opted_out"
    for alert_id in flow.lead.open_alerts:
        send(flow.lead_id, alert_id, flow.sending, at(3))
    flow.sender.refuse = None

    advance(flow.lead_id, flow.advancing, at(4))

    assert "RepNotReached" in flow.event_types
    assert flow.lead.open_alerts == {}
