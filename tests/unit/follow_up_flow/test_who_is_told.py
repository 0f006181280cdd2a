"""Who hears of a lead, and in which words."""

import re
from decimal import Decimal

import pytest

from advance_follow_up.service import advance
from send_alert.service import send
from shared.domain.draft import EVERY_CHANNEL
from shared.domain.events import AlertRequested
from shared.domain.lead import Change
from shared.texts.alerts import segments
from tests.unit.adapters.samples import a_submission, captured
from tests.unit.domain.samples import ANNA, BORIS, MARIA, at
from tests.unit.follow_up_flow.flow import Flow


def test_the_manager_gets_the_teams_list(flow: Flow) -> None:
    for second in (0, 120, 180, 300):
        advance(flow.lead_id, flow.advancing, at(second), run=1 if second else None)

    assert send(flow.lead_id, "1-breach-maria-sms", flow.sending, at(300)) == "sent"
    (_, to, text) = flow.outbox[-1]
    code = re.search(r"/r/(\w{12})$", text)
    assert code is not None
    assert to == MARIA.phone
    assert flow.links.link(code[1], at(301)).kind == "list"


def test_the_first_to_hear_of_a_lead_is_a_rep_and_no_manager(flow: Flow) -> None:
    for rep in flow.people.of_team("sales"):
        flow.people.put_rep(rep.model_copy(update={"on_duty": False}))
    advance(flow.lead_id, flow.advancing, at(0))
    assert send(flow.lead_id, "unassigned-maria-sms", flow.sending, at(1)) == "sent"
    flow.people.put_rep(BORIS)
    advance(flow.lead_id, flow.advancing, at(120), run=1)
    (first, *_) = [key for key, alert in flow.lead.open_alerts.items() if alert.rep_id == "boris"]
    later = flow.sending._replace(clock=lambda: at(121))
    assert send(flow.lead_id, first, later, at(120)) == "sent"

    assert flow.waited == [("maria", None), ("boris", Decimal("121.000"))]


def test_who_asks_again_is_told_of_in_their_new_words(flow: Flow) -> None:
    advance(flow.lead_id, flow.advancing, at(0))
    again = a_submission(
        9,
        email="anna1@example.com",
        phone="+447700900777",
        values={"message": "Wrong number before, this is mine"},
        received_at=at(10),
    )
    assert flow.filing.capture(again, captured(again)).outcome == "joined"
    advance(flow.lead_id, flow.advancing, at(11))

    assert send(flow.lead_id, "again2-anna-sms", flow.sending, at(12)) == "sent"
    assert send(flow.lead_id, "again2-anna-email", flow.sending, at(12)) == "sent"
    for _, _, text in flow.outbox:
        assert "+44 7700 900777" in text
    assert "this is mine" in flow.outbox[1][2]
    assert flow.lead.phone == "+447700900001", "nothing old is overwritten"


def test_somebody_who_left_the_team_is_not_texted(flow: Flow) -> None:
    advance(flow.lead_id, flow.advancing, at(0))
    flow.people.put_rep(ANNA.model_copy(update={"phone": None}))

    assert send(flow.lead_id, "1-new-anna-sms", flow.sending, at(1)) == "failed"
    assert flow.outbox == []


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


def test_whoever_is_handed_a_lead_hears_from_whom_and_what_they_said(flow: Flow) -> None:
    advance(flow.lead_id, flow.advancing, at(0))
    flow.rep_does("hand_over", at(20), to_rep_id="boris", note="After five. Two warehouses")
    advance(flow.lead_id, flow.advancing, at(20))

    assert flow.send_all(flow.lead_id, at(21)) == ["sent", "sent"]
    (_, _, sms), (_, _, email) = flow.outbox
    assert "From Anna: After five…" in sms
    assert "Note from Anna:\n> After five. Two warehouses" in email


def test_a_lead_that_is_handed_on_says_nothing_of_the_hand_before(flow: Flow) -> None:
    advance(flow.lead_id, flow.advancing, at(0))
    flow.rep_does("hand_over", at(20), to_rep_id="boris", note="After five")
    flow.rep_does("hand_over", at(30), "boris", to_rep_id="maria")
    advance(flow.lead_id, flow.advancing, at(30))

    flow.send_all(flow.lead_id, at(31))
    told = [text for _, to, text in flow.outbox if to in {MARIA.phone, "maria"}]
    assert len(told) == 2
    for text in told:
        assert "From Boris" in text
        assert "After five" not in text


def test_whoever_is_to_see_to_it_hears_whose_lead_it_is(flow: Flow) -> None:
    for second in (0, 120, 180, 299):
        advance(flow.lead_id, flow.advancing, at(second), run=1 if second else None)
        flow.send_all(flow.lead_id, at(second))
    flow.rep_does("acknowledge", at(299))
    advance(flow.lead_id, flow.advancing, at(300), run=1)
    flow.send_all(flow.lead_id, at(300))

    texts = [text for via, _, text in flow.outbox if via == "sms"]
    beside = [text for text in texts if text.startswith(("Please step in", "Nobody called"))]
    assert len(beside) == 2, "a colleague and the manager"
    assert all("\nWith Anna\n" in text for text in beside)


def test_a_manager_who_has_the_lead_is_not_told_that_they_have_it(flow: Flow) -> None:
    advance(flow.lead_id, flow.advancing, at(0))
    flow.rep_does("hand_over", at(1), to_rep_id="maria")
    for second in (1, 120, 180):
        advance(flow.lead_id, flow.advancing, at(second))
        flow.send_all(flow.lead_id, at(second))
    flow.rep_does("acknowledge", at(181), "maria")  # so that nobody takes it from her
    for second in (182, 300):
        advance(flow.lead_id, flow.advancing, at(second))
        flow.send_all(flow.lead_id, at(second))

    breach = [text for _, to, text in flow.outbox if to == "maria" and "Nobody called" in text]
    assert len(breach) == 1
    assert "With Maria" not in breach[0]
