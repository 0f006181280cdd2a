"""What stream, bus or machine lost is found by the sweeper."""

from advance_follow_up.service import advance
from send_alert.service import send
from sweep_follow_ups.service import sweep
from tests.unit.domain.samples import at
from tests.unit.follow_up_flow.flow import Flow
from tests.unit.functions.fakes import FakeQueue


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


def test_an_acknowledgement_whose_event_was_lost_is_found_by_the_sweeper(flow: Flow) -> None:
    advance(flow.lead_id, flow.advancing, at(2700))
    for alert_id in flow.lead.open_alerts:
        send(flow.lead_id, alert_id, flow.sending, at(2701))
    flow.rep_does("acknowledge", at(5000))

    assert sweep(flow.leads, FakeQueue(), at(5300)) == 0
    assert sweep(flow.leads, FakeQueue(), at(5361)) == 1
    assert advance(flow.lead_id, flow.advancing, at(5361), swept=True).missed
    assert flow.event_types.count("AcknowledgementExpired") == 1
