"""One alert is one message, though workers meet, die and find that the reason is gone."""

import sys
from decimal import Decimal
from typing import Any

import pytest

from advance_follow_up.service import advance
from send_alert.service import send
from shared.domain.actions import undo
from shared.domain.events import AlertFailed
from shared.domain.lead import Lead
from shared.errors import AlertLeasedError, AlertNotSentError, LeadChangedError
from tests.unit.domain.samples import at
from tests.unit.follow_up_flow.flow import Flow


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
    real = flow.alerts.lease_alert

    def lease_then_somebody_calls(*arguments: Any) -> object:
        code = real(*arguments)
        flow.rep_calls(at(1))
        return code

    monkeypatch.setattr(flow.alerts, "lease_alert", lease_then_somebody_calls)
    assert send(flow.lead_id, "1-new-anna-sms", flow.sending, at(1)) == "dropped"
    assert flow.outbox == []


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


def test_a_worker_who_finds_an_alert_settled_leaves_it_to_its_sender_to_record(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise both record it, and the lead is alerted twice in every figure."""
    advance(flow.lead_id, flow.advancing, at(0))
    real = flow.alerts.settle_alert

    def settle_then_another_worker_comes(*arguments: Any) -> None:
        real(*arguments)
        with pytest.raises(AlertLeasedError):
            send(flow.lead_id, "1-new-anna-sms", flow.sending, at(2))

    monkeypatch.setattr(flow.alerts, "settle_alert", settle_then_another_worker_comes)
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
        dying.setattr(flow.alerts, "settle_alert", killed)
        with pytest.raises(KilledError):
            send(flow.lead_id, "1-new-anna-sms", flow.sending, at(1))

    assert send(flow.lead_id, "1-new-anna-sms", flow.sending, at(62)) == "sent"
    assert len(flow.outbox) == 2
