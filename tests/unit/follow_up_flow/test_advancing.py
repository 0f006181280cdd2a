"""What is due is done once, whoever asks for it: a queue, the machine, two of them at a time."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from advance_follow_up.service import advance
from send_alert.service import send
from shared.domain.events import (
    LeadAssigned,
    LeadRejected,
)
from shared.domain.lead import Change, Lead
from shared.errors import LeadChangedError, PolicyError
from tests.unit.adapters.samples import a_submission, captured
from tests.unit.domain.samples import at
from tests.unit.follow_up_flow.flow import Flow


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


def test_a_returning_contact_goes_to_whoever_had_its_last_lead(flow: Flow) -> None:
    leads = flow.leads
    first = flow.lead
    leads.record(
        first, Change((LeadAssigned(rep_id="boris", rule="everybody"),)), actor="test", at=at(0)
    )
    closed = Change((LeadRejected(rep_id="boris", reason="data.spam"),))
    leads.record(flow.lead, closed, actor="boris", at=at(60))
    again = a_submission(2, phone=str(first.phone), email="other@example.com", received_at=at(90))
    lead_id = flow.filing.capture(again, captured(again)).lead_id

    advance(lead_id, flow.advancing, at(90))

    lead = leads.lead(lead_id)
    assert lead is not None
    assert (lead.previous_lead_id, lead.rep_id) == (first.lead_id, "boris")


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


def test_a_lead_of_a_form_that_never_was_is_a_bug_and_says_so(flow: Flow) -> None:
    submission = a_submission(5, form_id="ghost")
    ghost = flow.filing.capture(submission, captured(submission)).lead_id

    with pytest.raises(PolicyError, match="ghost"):
        advance(ghost, flow.advancing, at(0))
