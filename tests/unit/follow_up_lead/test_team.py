"""What a person does on their list: going on and off duty, and taking a lead."""

from datetime import timedelta

import pytest

from follow_up_lead.rights import is_free
from follow_up_lead.service import Parts, act_on_lead, see_lead
from follow_up_lead.team import ActedOnList, act_on_list, see_list
from follow_up_lead.team_pages import list_answer, list_page
from shared.acting import terms_of
from shared.domain.actions import Action, act
from shared.domain.calendar import Calendar
from shared.domain.lead import FollowUp, Lead
from shared.domain.policy import Policy
from shared.domain.roster import MISSED_PAGES, Absence, Rep
from shared.domain.routing import Rotation
from shared.errors import EventsNotPublishedError, PolicyError, UnknownLinkError
from tests.unit.domain.samples import ANNA, BORIS, MARIA, TERMS, a_lead, a_rep, at
from tests.unit.follow_up_lead.fakes import LIST_CODE, FakeLeads, FakePolicies, parts_on
from tests.unit.functions.fakes import FakeQueue
from tests.unit.texts.skeleton import text_of

ACTION_ID = "5e" * 16


class Desk:
    """Somebody's list, and what happens to it."""

    def __init__(self, viewer: Rep = ANNA, *others: Rep) -> None:
        self.leads = FakeLeads(*(others or (ANNA, BORIS, MARIA)), viewer)
        self.leads.link_to(LIST_CODE, viewer)
        self.advance_queue = FakeQueue()
        self.parts: Parts = parts_on(self.leads)._replace(advance_queue=self.advance_queue)

    def act(self, action: str, **posted: str) -> ActedOnList:
        form = {"action": action, "action_id": ACTION_ID, **posted}
        return act_on_list(LIST_CODE, form, self.parts, at(60))

    def person(self, rep_id: str = "anna") -> Rep:
        return next(rep for rep in self.leads.reps if rep.rep_id == rep_id)

    def text(self) -> str:
        return text_of(str(list_page(see_list(LIST_CODE, self.parts, at(60))).body))

    def lead(self, lead_id: str) -> Lead:
        return self.leads.stories[lead_id].lead


# --- duty ----------------------------------------------------------------------------------------


def test_who_goes_off_duty_is_given_no_leads() -> None:
    desk = Desk()

    acted = desk.act("duty_off")

    assert list_answer(acted).headers["Location"] == f"/r/{LIST_CODE}"
    assert not desk.person().on_duty
    assert desk.advance_queue.messages == []
    assert "You are off duty New leads go to others. Go on duty" in desk.text()


def test_who_comes_on_duty_is_given_what_nobody_has() -> None:
    desk = Desk(a_rep("anna", on_duty=False))
    for lead_id, fields in (
        ("1" * 32, {}),
        ("2" * 32, {"rep_id": "boris"}),
        ("3" * 32, {"first_attempt_at": at(10)}),
        ("4" * 32, {"follow_up": FollowUp(is_idle=True, planned=True)}),
        ("5" * 32, {"team": "support"}),
    ):
        desk.leads.add(a_lead(lead_id=lead_id, **fields))

    desk.act("duty_on")

    assert desk.person().on_duty
    assert desk.advance_queue.messages == [{"lead_id": "1" * 32}]


def test_who_was_put_off_duty_for_not_answering_is_back_with_one_press() -> None:
    desk = Desk(a_rep("anna", missed_pages=MISSED_PAGES))
    assert (
        "You are off duty New leads go to others. Two alerts were not answered. Go" in desk.text()
    )

    desk.act("duty_on")

    assert desk.person().missed_pages == 0
    assert "You are on duty New leads come to you. Go off duty" in desk.text()


def test_the_switch_keeps_what_an_operator_has_just_changed() -> None:
    desk = Desk()
    newer = ANNA.model_copy(update={"weight": 3})
    desk.leads.change_rep("sales", "anna", lambda _: newer)

    desk.act("duty_off")

    assert (desk.person().weight, desk.person().on_duty) == (3, False)


def test_a_manager_has_no_switch() -> None:
    desk = Desk(MARIA)

    acted = desk.act("duty_off")

    assert acted.refused is not None
    answer = list_answer(acted)
    assert answer.status_code == 422
    assert "Choose one of the buttons." in text_of(str(answer.body))
    assert desk.person("maria").on_duty
    assert "duty_o" not in str(answer.body)


def test_a_queue_in_trouble_is_said_and_pressing_again_mends_it() -> None:
    desk = Desk(a_rep("anna", on_duty=False))
    desk.leads.add(a_lead())
    desk.advance_queue.fail = True
    with pytest.raises(EventsNotPublishedError):
        desk.act("duty_on")
    desk.advance_queue.fail = False

    desk.act("duty_on")

    assert len(desk.advance_queue.messages) == 1


def test_what_keeps_somebody_from_leads_is_said_in_their_time() -> None:
    away = Absence(since=at(-60), until=at(7200))
    viewer = a_rep("anna", zone="Europe/Berlin", absences=(away,), daily_cap=1)
    desk = Desk(viewer)
    desk.leads.rotations["sales"] = Rotation().after(viewer, at(0))

    assert (
        "You are on duty New leads go to others."
        " You are away until 12:00. You have had all leads of the day. Go off duty" in desk.text()
    )


def test_a_manager_sees_why_somebody_gets_no_leads_and_who_left_leads_behind() -> None:
    left, gone = (a_rep(rep_id, active=False) for rep_id in ("cyd", "eve"))
    shifted = a_rep("dan", calendar="hours")
    desk = Desk(MARIA, ANNA, left, shifted, gone)
    hours = Calendar.model_validate({"zone": "UTC", "week": {"fri": ["12:00-18:00"]}})
    desk.parts = desk.parts._replace(policies=FakePolicies(hours))
    desk.leads.add(a_lead(rep_id="cyd"))

    text = desk.text()

    assert "Anna On duty 0 open leads" in text
    assert "Cyd Has left the team 1 open lead" in text
    assert "Dan Out of shift until 12:00 0 open leads" in text
    assert "Eve" not in text


# --- taking --------------------------------------------------------------------------------------


def offered(desk: Desk, **fields: object) -> Lead:
    """Boris's lead in the second round of its chain: by then it was offered to the team."""
    usual = {"rep_id": "boris", "follow_up": FollowUp(round=2, step=0, planned=True)}
    return desk.leads.add(a_lead(**{"lead_id": "0f" * 16, **usual, **fields}))


@pytest.mark.parametrize("owner", [None, "boris"])
def test_the_first_to_take_a_lead_has_it(owner: str | None) -> None:
    desk = Desk()
    lead = offered(desk, rep_id=owner)
    desk.leads.link_to("Boris0000001", desk.person("boris"))

    first = desk.act("take", lead_id=lead.lead_id)

    assert list_answer(first).headers["Location"] == f"/r/{LIST_CODE}/{lead.lead_id}"
    assert (desk.lead(lead.lead_id).rep_id, desk.lead(lead.lead_id).acknowledged_by) == (
        "anna",
        "anna",
    )
    form = {"action": "take", "action_id": "6f" * 16, "lead_id": lead.lead_id}
    second = act_on_list("Boris0000001", form, desk.parts, at(61))
    answer = list_answer(second)
    assert answer.status_code == 409
    assert "This lead is not free any more" in text_of(str(answer.body))
    assert desk.lead(lead.lead_id).rep_id == "anna"


def test_of_two_who_take_it_in_the_same_moment_one_has_it() -> None:
    desk = Desk()
    lead = offered(desk)
    desk.leads.link_to("Boris0000001", desk.person("boris"))
    form = {"action": "take", "action_id": "6f" * 16, "lead_id": lead.lead_id}

    def boris_is_faster() -> None:
        desk.leads.before_record = lambda: None
        assert act_on_list("Boris0000001", form, desk.parts, at(60)).refused is None

    desk.leads.before_record = boris_is_faster
    acted = desk.act("take", lead_id=lead.lead_id)

    assert acted.refused is not None
    assert acted.refused.refusal == "not_free"
    assert desk.lead(lead.lead_id).acknowledged_by == "boris"
    types = [recorded.event.type for recorded in desk.leads.stories[lead.lead_id].events]
    assert types.count("LeadAcknowledged") == 1


def test_taking_twice_is_taking_once() -> None:
    desk = Desk()
    lead = offered(desk)

    for _ in range(2):
        assert desk.act("take", lead_id=lead.lead_id).refused is None

    assert desk.leads.writes == 1


@pytest.mark.parametrize(
    ("fields", "free"),
    [
        ({}, True),
        ({"follow_up": FollowUp(round=1, step=1, planned=True)}, False),
        ({"follow_up": FollowUp(round=2, is_idle=True, planned=True)}, False),
        ({"acknowledged_by": "boris"}, False),
        ({"first_attempt_at": at(10)}, False),
        ({"status": "closed"}, False),
        ({"form_id": "gone"}, False),
        ({"rep_id": None, "form_id": "gone"}, True),
        ({"rep_id": None, "status": "closed"}, False),
    ],
)
def test_a_lead_is_free_when_nobody_is_on_it_and_everybody_was_asked(
    fields: dict[str, object], free: bool
) -> None:
    desk = Desk()
    lead = offered(desk, **fields)

    assert is_free(lead, lambda lead: terms_of(lead, desk.parts.policies)) == free
    listed = [one.lead for one in see_list(LIST_CODE, desk.parts, at(60)).leads]
    assert listed == ([lead] if free else [])


def test_what_was_handed_over_is_in_the_list_no_more() -> None:
    desk = Desk()
    lead = desk.leads.add(a_lead(rep_id="anna"))
    form = {"action": "hand_over", "action_id": ACTION_ID, "to_rep_id": "boris"}

    for _ in range(2):  # a second press is told the same
        acted = act_on_lead(LIST_CODE, form, desk.parts, at(60), lead.lead_id)
        assert acted.path == f"/r/{LIST_CODE}?told=handed_over&lead={lead.lead_id}"

    assert desk.lead(lead.lead_id).rep_id == "boris"
    with pytest.raises(UnknownLinkError):
        see_lead(LIST_CODE, desk.parts, at(61), lead.lead_id)
    again = {**form, "action_id": "6f" * 16}
    with pytest.raises(UnknownLinkError):
        act_on_lead(LIST_CODE, again, desk.parts, at(61), lead.lead_id)


def handed_over(desk: Desk) -> Lead:
    """A lead of Anna's that she has handed to Boris from her list."""
    lead = desk.leads.add(a_lead(rep_id="anna"))
    form = {"action": "hand_over", "action_id": ACTION_ID, "to_rep_id": "boris"}
    act_on_lead(LIST_CODE, form, desk.parts, at(60), lead.lead_id)
    return lead


def after_hand_over(desk: Desk, second: float, lead_id: str) -> str:
    seen = see_list(LIST_CODE, desk.parts, at(second), handed_over=lead_id)
    return str(list_page(seen, "handed_over").body)


def take_back(desk: Desk, second: float, lead: Lead, name: str = "hand_over") -> str:
    form = {"action": "undo", "undoes": f"{ACTION_ID}-{name}"}
    return act_on_lead(LIST_CODE, form, desk.parts, at(second), lead.lead_id).path


def test_a_hand_over_is_taken_back_from_the_list_for_a_minute() -> None:
    desk = Desk()
    lead = handed_over(desk)

    page = after_hand_over(desk, 120, lead.lead_id)
    assert "Saved: handed over. Undo within a minute" in text_of(page)
    assert f'<form method="post" action="/r/{LIST_CODE}/{lead.lead_id}">' in page
    assert f'name="undoes" value="{ACTION_ID}-hand_over"' in page
    late = after_hand_over(desk, 121, lead.lead_id)
    assert "Saved: handed over." in text_of(late)
    assert "undoes" not in late
    assert "undoes" not in str(list_page(see_list(LIST_CODE, desk.parts, at(70))).body)

    for _ in range(2):  # a second press is told the same
        assert take_back(desk, 90, lead) == f"/r/{LIST_CODE}/{lead.lead_id}"
    assert desk.lead(lead.lead_id).rep_id == "anna"
    assert "undoes" not in after_hand_over(desk, 91, lead.lead_id)


def test_nobody_is_offered_to_take_back_what_a_colleague_handed_over() -> None:
    desk = Desk()
    lead = handed_over(desk)
    desk.leads.link_to(LIST_CODE, a_rep("clara"))
    desk.leads.reps += (a_rep("clara"),)

    assert "undoes" not in after_hand_over(desk, 61, lead.lead_id)
    assert "undoes" not in after_hand_over(desk, 61, "absent")


@pytest.mark.parametrize(
    ("second", "word", "says"),
    [(121, "undo_late", "Too late to undo"), (90, "undo_gone", "something else has happened")],
)
def test_whoever_takes_back_too_late_is_told_so_on_their_list(
    second: float, word: str, says: str
) -> None:
    desk = Desk()
    lead = handed_over(desk)
    if word == "undo_gone":
        desk.leads.link_to("Boris0000002", BORIS)
        form = {"action": "acknowledge", "action_id": "6f" * 16}
        act_on_lead("Boris0000002", form, desk.parts, at(80), lead.lead_id)

    assert take_back(desk, second, lead) == f"/r/{LIST_CODE}?told={word}"

    page = str(list_page(see_list(LIST_CODE, desk.parts, at(second)), word).body)
    assert says in text_of(page)
    assert 'role="alert"' in page
    with pytest.raises(UnknownLinkError):
        take_back(desk, second, a_lead(lead_id="f" * 32))


@pytest.mark.parametrize(
    ("locale", "says"),
    [
        ("en", "Undone. The lead is not in your list any more."),
        ("ru", "Отменено. Лида больше нет в вашем списке."),
    ],
)
def test_whoever_gives_a_lead_back_is_told_that_and_not_something_else(
    locale: str, says: str
) -> None:
    desk = Desk(a_rep("anna", locale=locale))
    lead = desk.leads.add(a_lead(rep_id="boris"))
    # As whoever enters a lead by hand that a colleague has already.
    talked = act(
        lead, Action(name="talked", action_id=f"{ACTION_ID}-talked"), "anna", at(60), TERMS
    )
    assert talked is not None
    desk.leads.record(lead, talked, actor="anna", at=at(60))

    assert take_back(desk, 90, lead, "talked") == f"/r/{LIST_CODE}?told=undone"
    page = str(list_page(see_list(LIST_CODE, desk.parts, at(90)), "undone").body)
    assert says in text_of(page)
    assert "undoes" not in page


def test_a_form_sent_again_when_the_lead_is_a_colleagues_is_not_told_of_a_hand_over() -> None:
    desk = Desk()
    lead = desk.leads.add(a_lead(rep_id="anna"))
    form = {"action": "no_answer", "action_id": ACTION_ID}
    act_on_lead(LIST_CODE, form, desk.parts, at(60), lead.lead_id)
    given = {"action": "hand_over", "action_id": "6f" * 16, "to_rep_id": "boris"}
    act_on_lead(LIST_CODE, given, desk.parts, at(70), lead.lead_id)

    again = act_on_lead(LIST_CODE, form, desk.parts, at(80), lead.lead_id)

    assert again.path == f"/r/{LIST_CODE}"


def test_a_manager_hands_over_what_nobody_has_and_still_sees_it() -> None:
    desk = Desk(MARIA)
    lead = desk.leads.add(a_lead())
    form = {"action": "hand_over", "action_id": ACTION_ID, "to_rep_id": "boris"}

    acted = act_on_lead(LIST_CODE, form, desk.parts, at(60), lead.lead_id)

    assert acted.path == f"/r/{LIST_CODE}/{lead.lead_id}"
    assert desk.lead(lead.lead_id).rep_id == "boris"


def test_a_page_that_was_too_old_takes_nothing() -> None:
    desk = Desk()
    lead = offered(desk)

    acted = act_on_list(LIST_CODE, {"action": "take", "lead_id": lead.lead_id}, desk.parts, at(60))

    answer = list_answer(acted)
    assert answer.status_code == 422
    assert "This page was too old" in text_of(str(answer.body))
    assert desk.leads.writes == 0


def test_a_list_says_what_was_done_and_is_in_it_no_more() -> None:
    desk = Desk()
    seen = see_list(LIST_CODE, desk.parts, at(60))

    for told, says in (("handed_over", "Saved: handed over."), ("joined", "open lead already")):
        assert says in text_of(str(list_page(seen, told).body))
    for word in (None, "", "<b>", "nonsense"):
        assert "Saved" not in str(list_page(seen, word).body)
    refused = seen._replace(refusal="not_free", at=at(60) + timedelta(seconds=1))
    assert "Saved" not in str(list_page(refused, "handed_over").body)


def test_without_a_policy_shifts_hold_nobody_back() -> None:
    class Unpublished(FakePolicies):
        def current(self) -> Policy:
            raise PolicyError("no policy is published")

    desk = Desk(a_rep("anna", calendar="hours"))
    desk.parts = desk.parts._replace(policies=Unpublished())

    assert "New leads come to you." in desk.text()
