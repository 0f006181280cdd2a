"""advance_follow_up, send_alert and sweep_follow_ups together, over the template's table and the
sample policy; SNS, SQS and Step Functions are stand-ins."""

import re
import sys
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from advance_follow_up import service as advance_service
from advance_follow_up.service import advance
from infra.cli.policy_files import read_policy
from send_alert import service as alert_service
from send_alert.service import send
from shared.adapters.dynamodb import Table
from shared.adapters.lead_table import LeadTable
from shared.adapters.policy_store import PolicyStore
from shared.domain.events import AlertFailed, AlertSent
from shared.domain.lead import Action, Lead, act
from shared.errors import AlertLeasedError, AlertNotSentError, LeadChangedError, PolicyError
from sweep_follow_ups.service import sweep
from tests.unit.adapters.samples import a_submission, captured
from tests.unit.domain.samples import ANNA, BORIS, MARIA, a_rep, at
from tests.unit.functions.fakes import FakeEscalation, FakeQueue, FakeSender

POLICY = Path(__file__).parents[3] / "infra/policy"


@pytest.fixture
def leads(table: Table) -> LeadTable:
    PolicyStore(table).publish(read_policy(POLICY, {"SITE": "https://example.com"}))
    leads = LeadTable(table)
    for rep in (a_rep("anna", phone="+447700900001", locale="ru"), BORIS, MARIA):
        leads.put_rep(rep)
    return leads


@pytest.fixture
def advancing(leads: LeadTable, table: Table) -> advance_service.Parts:
    return advance_service.Parts(
        leads, PolicyStore(table), FakeEscalation(), FakeQueue(), lambda _: None
    )


@pytest.fixture
def sending(leads: LeadTable) -> alert_service.Parts:
    return alert_service.Parts(
        leads, FakeSender(), "https://go.example.com", lambda _: None, lambda: at(3.5)
    )


@pytest.fixture
def lead_id(leads: LeadTable) -> str:
    submission = a_submission()
    return leads.capture(submission, captured(submission)).lead_id


def outbox(parts: alert_service.Parts) -> list[tuple[str, str, str]]:
    assert isinstance(parts.sender, FakeSender)
    return parts.sender.outbox


def wakes(parts: advance_service.Parts) -> dict[str, Any]:
    assert isinstance(parts.escalation, FakeEscalation)
    return parts.escalation.started


def queued(parts: advance_service.Parts) -> list[Any]:
    assert isinstance(parts.alert_queue, FakeQueue)
    return parts.alert_queue.messages


def event_types(leads: LeadTable, lead_id: str) -> list[str]:
    story = leads.story(lead_id)
    assert story is not None
    return [event.event.type for event in story.events]


def the_lead(leads: LeadTable, lead_id: str) -> Lead:
    lead = leads.lead(lead_id)
    assert lead is not None
    return lead


def rep_calls(leads: LeadTable, lead_id: str, now: datetime) -> None:
    lead = the_lead(leads, lead_id)
    change = act(lead, Action(name="no_answer", action_id=str(now)), "anna", now)
    assert change is not None
    leads.record(lead, change, actor="rep:anna", at=now)


def test_a_captured_lead_is_assigned_alerted_and_woken_again(
    lead_id: str, leads: LeadTable, advancing: advance_service.Parts, sending: alert_service.Parts
) -> None:
    advanced = advance(lead_id, advancing, at(0))

    assert (advanced.run, advanced.done) == (1, False)
    assert advanced.wake_at == "2026-11-20T09:02:00.000Z"
    assert wakes(advancing)[f"{lead_id}-1"].at == at(120)
    alerts = the_lead(leads, lead_id).open_alerts
    assert [send(lead_id, alert_id, sending, at(1)) for alert_id in alerts] == ["sent", "sent"]
    (sms, email) = outbox(sending)
    assert sms[:2] == ("sms", "+447700900001")
    assert "+44 7700 900001" in sms[2]
    assert re.search(r"https://go\.example\.com/l/\w{12}$", sms[2])
    assert email[:2] == ("email", "anna")
    assert the_lead(leads, lead_id).open_alerts == {}
    assert event_types(leads, lead_id) == [
        "LeadCaptured",
        "LeadAssigned",
        "AlertRequested",
        "AlertRequested",
        "AlertSent",
        "AlertSent",
    ]


def test_advancing_again_does_nothing_twice(
    lead_id: str, leads: LeadTable, advancing: advance_service.Parts
) -> None:
    advance(lead_id, advancing, at(0))
    before = event_types(leads, lead_id)

    again = advance(lead_id, advancing, at(1))
    from_machine = advance(lead_id, advancing, at(2), run=1)

    assert event_types(leads, lead_id) == before
    assert again.wake_at == from_machine.wake_at == "2026-11-20T09:02:00.000Z"
    assert len(wakes(advancing)) == 1


def test_an_execution_of_a_former_run_ends_when_it_wakes(
    lead_id: str, advancing: advance_service.Parts
) -> None:
    advance(lead_id, advancing, at(0))

    assert advance(lead_id, advancing, at(120), run=0).done
    assert advance("f" * 32, advancing, at(120), run=1).done, "a lead that was erased"


def test_the_machine_ends_after_a_call(
    lead_id: str, leads: LeadTable, advancing: advance_service.Parts
) -> None:
    advance(lead_id, advancing, at(0))
    rep_calls(leads, lead_id, at(60))

    assert advance(lead_id, advancing, at(120), run=1).done


def test_an_alert_whose_reason_is_gone_is_dropped(
    lead_id: str, leads: LeadTable, advancing: advance_service.Parts, sending: alert_service.Parts
) -> None:
    advance(lead_id, advancing, at(0))
    alerts = the_lead(leads, lead_id).open_alerts
    rep_calls(leads, lead_id, at(1))

    assert [send(lead_id, alert_id, sending, at(2)) for alert_id in alerts] == ["dropped"] * 2
    assert send("f" * 32, "x", sending, at(2)) == "dropped"
    assert outbox(sending) == []


def test_a_call_between_lease_and_publish_beats_the_alert(
    lead_id: str,
    leads: LeadTable,
    advancing: advance_service.Parts,
    sending: alert_service.Parts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    advance(lead_id, advancing, at(0))
    real = leads.lease_alert

    def lease_then_somebody_calls(*arguments: Any) -> object:
        code = real(*arguments)
        rep_calls(leads, lead_id, at(1))
        return code

    monkeypatch.setattr(leads, "lease_alert", lease_then_somebody_calls)
    assert send(lead_id, "1-new-anna-sms", sending, at(1)) == "dropped"
    assert outbox(sending) == []


def test_two_workers_send_one_message(
    lead_id: str, advancing: advance_service.Parts, sending: alert_service.Parts
) -> None:
    advance(lead_id, advancing, at(0))
    assert send(lead_id, "1-new-anna-sms", sending, at(1)) == "sent"

    assert send(lead_id, "1-new-anna-sms", sending, at(1)) == "dropped"
    assert len(outbox(sending)) == 1


def test_a_passing_trouble_of_sns_leaves_the_alert_to_be_sent(
    lead_id: str, advancing: advance_service.Parts, sending: alert_service.Parts
) -> None:
    advance(lead_id, advancing, at(0))
    sender = sending.sender
    assert isinstance(sender, FakeSender)
    sender.fail = True
    with pytest.raises(AlertNotSentError):
        send(lead_id, "1-new-anna-sms", sending, at(1))
    sender.fail = False

    with pytest.raises(AlertLeasedError):
        send(lead_id, "1-new-anna-sms", sending, at(2))
    assert send(lead_id, "1-new-anna-sms", sending, at(62)) == "sent"


@pytest.mark.parametrize("reason", ["opted_out", "invalid_address"])
def test_a_refusal_for_good_is_an_event(
    lead_id: str,
    leads: LeadTable,
    advancing: advance_service.Parts,
    sending: alert_service.Parts,
    reason: str,
) -> None:
    advance(lead_id, advancing, at(0))
    assert isinstance(sending.sender, FakeSender)
    sending.sender.refuse = reason

    assert send(lead_id, "1-new-anna-sms", sending, at(1)) == "failed"
    story = leads.story(lead_id)
    assert story is not None
    assert story.events[-1].event == AlertFailed(
        alert_id="1-new-anna-sms", rep_id="anna", via="sms", reason=reason
    )


def test_somebody_who_left_the_team_is_not_texted(
    lead_id: str, leads: LeadTable, advancing: advance_service.Parts, sending: alert_service.Parts
) -> None:
    advance(lead_id, advancing, at(0))
    leads.put_rep(ANNA.model_copy(update={"phone": None}))

    assert send(lead_id, "1-new-anna-sms", sending, at(1)) == "failed"
    assert outbox(sending) == []


def test_the_manager_gets_the_teams_list(
    lead_id: str, leads: LeadTable, advancing: advance_service.Parts, sending: alert_service.Parts
) -> None:
    for second in (0, 120, 180, 300):
        advance(lead_id, advancing, at(second), run=1 if second else None)

    assert send(lead_id, "1-breach-maria-sms", sending, at(300)) == "sent"
    (_, to, text) = outbox(sending)[-1]
    code = re.search(r"/r/(\w{12})$", text)
    assert code is not None
    assert to == MARIA.phone
    assert leads.link(code[1], at(301)).kind == "list"


def test_with_the_stream_off_the_sweeper_still_gets_the_alert_out(
    lead_id: str, leads: LeadTable, advancing: advance_service.Parts, sending: alert_service.Parts
) -> None:
    """Nothing was ever published: no event reaches a queue, and no execution was started."""
    sweeps = FakeQueue()

    assert sweep(leads, sweeps, at(59)) == 0
    assert sweep(leads, sweeps, at(119)) == 1
    (message,) = sweeps.messages
    assert message == {"lead_id": lead_id, "swept": True}
    advance(lead_id, advancing, at(119), swept=True)
    for alert in queued(advancing):
        assert send(alert["lead_id"], alert["alert_id"], sending, at(120)) == "sent"

    assert [via for via, *_ in outbox(sending)] == ["sms", "email"]
    assert len(wakes(advancing)) == 1
    assert sweep(leads, FakeQueue(), at(180)) == 0


def test_when_the_machine_overslept_another_execution_takes_over(
    lead_id: str, advancing: advance_service.Parts
) -> None:
    advance(lead_id, advancing, at(0))
    advance(lead_id, advancing, at(181), swept=True)

    assert set(wakes(advancing)) == {f"{lead_id}-1", f"{lead_id}-2"}
    assert wakes(advancing)[f"{lead_id}-2"].at == at(300)
    assert advance(lead_id, advancing, at(182), run=1).done


def test_who_asks_again_is_told_of_in_their_new_words(
    lead_id: str, leads: LeadTable, advancing: advance_service.Parts, sending: alert_service.Parts
) -> None:
    advance(lead_id, advancing, at(0))
    again = a_submission(
        9,
        email="anna1@example.com",
        phone="+447700900777",
        values={"message": "Wrong number before, this is mine"},
        received_at=at(10),
    )
    assert leads.capture(again, captured(again)).outcome == "joined"
    advance(lead_id, advancing, at(11))

    assert send(lead_id, "again2-anna-sms", sending, at(12)) == "sent"
    assert send(lead_id, "again2-anna-email", sending, at(12)) == "sent"
    for _, _, text in outbox(sending):
        assert "+44 7700 900777" in text
    assert "this is mine" in outbox(sending)[1][2]
    assert the_lead(leads, lead_id).phone == "+447700900001", "nothing old is overwritten"


def test_an_alert_that_nobody_confirms_is_put_on_the_queue_until_somebody_does(
    lead_id: str, leads: LeadTable, advancing: advance_service.Parts
) -> None:
    advance(lead_id, advancing, at(0))
    before = event_types(leads, lead_id)

    assert sweep(leads, FakeQueue(), at(121)) == 1
    advance(lead_id, advancing, at(119), swept=True)

    assert [message["alert_id"] for message in queued(advancing)] == [
        "1-new-anna-sms",
        "1-new-anna-email",
    ]
    assert event_types(leads, lead_id) == before, "asked for once, put on the queue twice"


def test_the_planner_reads_and_plans_again_when_somebody_was_faster(
    lead_id: str,
    leads: LeadTable,
    advancing: advance_service.Parts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = leads.record
    once: list[Callable[[], None]] = [lambda: rep_calls(leads, lead_id, at(1))]

    def somebody_calls_first(*arguments: Any, **named: Any) -> Lead:
        if once and named["actor"] == "advance_follow_up":
            once.pop()()
        return real(*arguments, **named)

    monkeypatch.setattr(leads, "record", somebody_calls_first)
    advance(lead_id, advancing, at(2))

    assert "AlertRequested" not in event_types(leads, lead_id)


def test_a_planner_that_always_comes_second_gives_up_by_name(
    lead_id: str,
    leads: LeadTable,
    advancing: advance_service.Parts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def always_late(*_: Any, **__: Any) -> Lead:
        raise LeadChangedError(lead_id)

    monkeypatch.setattr(leads, "record", always_late)
    with pytest.raises(LeadChangedError):
        advance(lead_id, advancing, at(0))


def test_an_alert_is_recorded_on_the_lead_as_it_is_by_then(
    lead_id: str,
    leads: LeadTable,
    advancing: advance_service.Parts,
    sending: alert_service.Parts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    advance(lead_id, advancing, at(0))
    real = leads.record
    once = [True]

    def somebody_calls_first(*arguments: Any, **named: Any) -> Lead:
        if once and named["actor"] == "send_alert":
            once.pop()
            rep_calls(leads, lead_id, at(1))
        return real(*arguments, **named)

    monkeypatch.setattr(leads, "record", somebody_calls_first)
    assert send(lead_id, "1-new-anna-sms", sending, at(1)) == "sent"
    assert event_types(leads, lead_id)[-2:] == ["LeadAttempted", "AlertSent"]


def test_an_alert_that_could_not_be_recorded_is_recorded_later_and_not_sent_again(
    lead_id: str,
    leads: LeadTable,
    advancing: advance_service.Parts,
    sending: alert_service.Parts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    advance(lead_id, advancing, at(0))

    def always_late(*_: Any, **__: Any) -> Lead:
        raise LeadChangedError(lead_id)

    with monkeypatch.context() as busy:
        busy.setattr(leads, "record", always_late)
        with pytest.raises(LeadChangedError):
            send(lead_id, "1-new-anna-sms", sending, at(1))
    assert len(outbox(sending)) == 1

    assert send(lead_id, "1-new-anna-sms", sending, at(62)) == "sent"
    assert len(outbox(sending)) == 1
    assert event_types(leads, lead_id)[-1] == "AlertSent"
    assert send(lead_id, "1-new-anna-sms", sending, at(63)) == "dropped"


def waited(leads: LeadTable, lead_id: str) -> list[tuple[str, Decimal | None]]:
    """Who was alerted, and what the alert says of how long that took."""
    story = leads.story(lead_id)
    assert story is not None
    sent = [event.event for event in story.events if isinstance(event.event, AlertSent)]
    return [(alert.rep_id, alert.after_seconds) for alert in sent]


def test_an_alert_took_until_sns_had_it_whoever_records_that_and_when(
    lead_id: str,
    leads: LeadTable,
    advancing: advance_service.Parts,
    sending: alert_service.Parts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    advance(lead_id, advancing, at(0))
    with monkeypatch.context() as dying:
        dying.setattr(leads, "record", lambda *_, **__: sys.exit("killed"))
        with pytest.raises(SystemExit):
            send(lead_id, "1-new-anna-sms", sending, at(1))

    later = sending._replace(clock=lambda: at(90))
    assert send(lead_id, "1-new-anna-sms", later, at(62)) == "sent"
    assert send(lead_id, "1-new-anna-email", later, at(90)) == "sent"

    assert waited(leads, lead_id) == [("anna", Decimal("3.500")), ("anna", None)]


def test_the_first_to_hear_of_a_lead_is_a_rep_and_no_manager(
    lead_id: str, leads: LeadTable, advancing: advance_service.Parts, sending: alert_service.Parts
) -> None:
    for rep in leads.people("sales"):
        leads.put_rep(rep.model_copy(update={"on_duty": False}))
    advance(lead_id, advancing, at(0))
    assert send(lead_id, "unassigned-maria-sms", sending, at(1)) == "sent"
    leads.put_rep(BORIS)
    advance(lead_id, advancing, at(120), run=1)
    (first, *_) = [
        key
        for key, alert in the_lead(leads, lead_id).open_alerts.items()
        if alert.rep_id == "boris"
    ]
    assert send(lead_id, first, sending._replace(clock=lambda: at(121)), at(120)) == "sent"

    assert waited(leads, lead_id) == [("maria", None), ("boris", Decimal("121.000"))]


def test_a_worker_who_finds_an_alert_settled_leaves_it_to_its_sender_to_record(
    lead_id: str,
    leads: LeadTable,
    advancing: advance_service.Parts,
    sending: alert_service.Parts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise both record it, and the lead is alerted twice in every figure."""
    advance(lead_id, advancing, at(0))
    real = leads.settle_alert

    def settle_then_another_worker_comes(*arguments: Any) -> None:
        real(*arguments)
        with pytest.raises(AlertLeasedError):
            send(lead_id, "1-new-anna-sms", sending, at(2))

    monkeypatch.setattr(leads, "settle_alert", settle_then_another_worker_comes)
    assert send(lead_id, "1-new-anna-sms", sending, at(1)) == "sent"
    assert send(lead_id, "1-new-anna-sms", sending, at(62)) == "dropped"
    assert event_types(leads, lead_id).count("AlertSent") == 1


def test_a_sender_that_died_before_it_noted_the_answer_sends_once_more(
    lead_id: str,
    leads: LeadTable,
    advancing: advance_service.Parts,
    sending: alert_service.Parts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The one case in which somebody is told twice: never zero times is the promise."""
    advance(lead_id, advancing, at(0))

    class KilledError(BaseException):
        pass

    def killed(*_: Any) -> None:
        raise KilledError

    with monkeypatch.context() as dying:
        dying.setattr(leads, "settle_alert", killed)
        with pytest.raises(KilledError):
            send(lead_id, "1-new-anna-sms", sending, at(1))

    assert send(lead_id, "1-new-anna-sms", sending, at(62)) == "sent"
    assert len(outbox(sending)) == 2


def test_a_lead_of_a_form_that_never_was_is_a_bug_and_says_so(
    leads: LeadTable, advancing: advance_service.Parts
) -> None:
    submission = a_submission(5, form_id="ghost")
    ghost = leads.capture(submission, captured(submission)).lead_id

    with pytest.raises(PolicyError, match="ghost"):
        advance(ghost, advancing, at(0))
