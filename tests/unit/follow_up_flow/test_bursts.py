"""Many leads at once for one person, also where a channel fails."""

import re

from advance_follow_up.service import advance
from shared.adapters.alerts import AlertRefusedError
from shared.adapters.dynamodb import Table
from shared.domain.events import AlertSent
from shared.domain.roster import Rep
from tests.unit.domain.samples import MARIA, a_rep, at
from tests.unit.follow_up_flow.flow import ANNAS_PHONE, Flow, flow_on
from tests.unit.functions.fakes import FakeSender


def a_burst(flow: Flow, size: int, **fields: object) -> list[str]:
    """So many leads of Anna's within a second, advanced and alerted: their ids."""
    flow.people.put_rep(a_rep("boris", active=False))
    flow.people.put_rep(a_rep("anna", phone=ANNAS_PHONE, **fields))
    lead_ids = [flow.another(number) for number in range(10, size + 10)]
    for lead_id in lead_ids:
        advance(lead_id, flow.advancing, at(1))
        assert set(flow.send_all(lead_id, at(2))) == {"sent"}
    return lead_ids


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


def test_of_many_leads_at_once_one_text_leads_to_the_list(flow: Flow) -> None:
    lead_ids = a_burst(flow, 6)

    texts = [text for via, _, text in flow.outbox if via == "sms"]
    assert [bool(re.search(r"/l/\w{12}$", text)) for text in texts] == [True] * 3 + [False]
    assert re.fullmatch(
        r"Several leads at once. All of them:\nhttps://go\.example\.com/r/\w{12}", texts[3]
    )
    assert sum(via == "email" for via, *_ in flow.outbox) == 6, "each is told of"
    assert rang(flow, lead_ids) == [None, None, None, "together", "covered", "covered"]


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
            flow.send_all(lead_id, at(second))

    reminders = [text for _, _, text in flow.outbox if "Not called yet" in text]
    assert len(reminders) == 6, "three by SMS, three by e-mail"
    assert sum(via == "email" and "Not called yet" in text for via, _, text in flow.outbox) == 3


# --- and a channel that fails ---------------------------------------------------------------------


class PickySender(FakeSender):
    """Refuses some people's channels for good."""

    def __init__(self, *refused: tuple[str, str]) -> None:
        super().__init__()
        self.refused = refused

    def _send(self, via: str, to: str, text: str) -> str:
        if (via, to) in self.refused:
            raise AlertRefusedError("opted_out" if via == "sms" else "not_confirmed")
        return super()._send(via, to, text)


def burst_of(
    table: Table, refused: tuple[tuple[str, str], ...], people: tuple[Rep, ...], *seconds: int
) -> tuple[list[str], Flow]:
    """Seven leads within a second, looked at in these moments until nothing is left to send."""
    flow = flow_on(table, people, PickySender(*refused))
    lead_ids = [flow.lead_id, *map(flow.another, range(2, 8))]
    for second in seconds:
        for lead_id in lead_ids * 5:
            advance(lead_id, flow.advancing, at(second))
            flow.send_all(lead_id, at(second))
    return lead_ids, flow


def test_in_a_burst_who_is_reached_by_nothing_is_stood_in_for_with_every_lead(
    table: Table,
) -> None:
    anna = a_rep("anna", phone=ANNAS_PHONE)
    refused = (("sms", ANNAS_PHONE), ("email", "anna"))

    lead_ids, flow = burst_of(table, refused, (anna, MARIA), 1)

    for lead_id in lead_ids:
        story = flow.leads.story(lead_id)
        assert story is not None
        types = [recorded.event.type for recorded in story.events]
        assert types.count("RepNotReached") == 1, "for every one of them"
    mails = [text for via, to, text in flow.outbox if (via, to) == ("email", "maria")]
    assert len(mails) == 7, "each once"
    assert not [to for _, to, _ in flow.outbox if to in {ANNAS_PHONE, "anna"}]


def test_in_a_burst_whose_mail_is_broken_hears_of_each_lead_by_text(table: Table) -> None:
    anna = a_rep("anna", phone=ANNAS_PHONE)

    _, flow = burst_of(table, (("email", "anna"),), (anna, MARIA), 1)

    texts = [text for via, to, text in flow.outbox if (via, to) == ("sms", ANNAS_PHONE)]
    told = {text.splitlines()[1] for text in texts if "/l/" in text}
    assert len(told) == 6, "all but the one that the list was sent for"
    assert sum("/r/" in text for text in texts) == 1


def test_in_a_burst_a_reminder_by_text_alone_is_not_lost_with_a_broken_mail(table: Table) -> None:
    anna = a_rep("anna", phone=ANNAS_PHONE)

    _, flow = burst_of(table, (("email", "anna"),), (anna, MARIA), 1, 121, 241)

    to_anna = [text for via, to, text in flow.outbox if (via, to) == ("sms", ANNAS_PHONE)]
    assert len([text for text in to_anna if "Not called" in text]) == 6
    assert len([text for text in to_anna if "/r/" in text]) == 3, "one in each moment"


class SenderThatRefusesOneList(FakeSender):
    """Refuses the first text that leads to a list."""

    has_refused = False

    def _send(self, via: str, to: str, text: str) -> str:
        if via == "sms" and "/r/" in text and not self.has_refused:
            self.has_refused = True
            raise AlertRefusedError("opted_out")
        return super()._send(via, to, text)


def test_a_text_for_many_that_was_refused_stands_for_none(table: Table) -> None:
    flow = flow_on(table, (a_rep("anna", phone=ANNAS_PHONE),), SenderThatRefusesOneList())
    lead_ids = [flow.lead_id, *map(flow.another, range(2, 7))]
    for lead_id in lead_ids:
        advance(lead_id, flow.advancing, at(1))
        flow.send_all(lead_id, at(2))

    assert rang(flow, lead_ids) == [None, None, None, "together", "covered"]
    assert sum("/r/" in text for via, _, text in flow.outbox if via == "sms") == 1


def test_who_stands_in_at_quiet_hours_is_mailed(table: Table) -> None:
    anna = a_rep("anna", phone=ANNAS_PHONE)
    quiet = MARIA.model_copy(update={"quiet": a_rep("x", quiet=["00:00-23:59"]).quiet})
    refused = (("sms", ANNAS_PHONE), ("email", "anna"))

    _, flow = burst_of(table, refused, (anna, quiet), 1)

    assert {via for via, _, _ in flow.outbox} == {"email"}
