"""How a lead stands against its clocks, on its page."""

import re

import pytest

from follow_up_lead.service import act_on_lead
from shared.domain import events as happened
from shared.domain.calendar import Calendar
from shared.domain.lead import FollowUp
from tests.unit.domain.samples import a_rep, at
from tests.unit.follow_up_lead.scene import BORIS, Scene
from tests.unit.texts.skeleton import text_of


def test_a_late_lead_says_how_late() -> None:
    scene = Scene()
    scene.happen(300, happened.ResponseBreached(step="breach"))

    text = scene.text(745)

    assert "7 minutes late" in text
    assert "The call was due by 10:05" in text
    assert "10:05 Time ran out, nobody had called" in text


def test_an_attempt_in_time_stops_the_clock() -> None:
    scene = Scene()
    assert scene.act(120, "no_answer").status_code == 303

    text = scene.text(1000)

    assert "First call at 10:02 in time" in text
    assert "minutes late" not in text
    assert "No answer" in text
    assert 'value="acknowledge"' not in scene.html(1000)


def test_a_late_attempt_stays_late() -> None:
    scene = Scene()
    scene.act(400, "talked")

    assert "First call at 10:06 1 minute late" in scene.text(1000)


def test_a_message_on_a_machine_is_a_call() -> None:
    scene = Scene()
    assert scene.act(120, "voicemail").status_code == 303
    text = scene.text(130)

    assert "Saved: Called, left a message" in text
    assert "First call at 10:02 in time" in text
    assert "<title>Saved: Called, left a message. Left a message: Free" in scene.html(130)
    assert "<title>Left a message: Free" in scene.html(241)


def test_who_said_so_and_did_not_call_is_not_on_it_any_more() -> None:
    scene = Scene()
    scene.act(10, "acknowledge")
    scene.happen(310, happened.AcknowledgementExpired(rep_id="anna"))
    page = scene.html(320)

    assert 'value="acknowledge"' in page
    assert "10:05 On it, and no call: free again · Anna Novak" in text_of(page)


# --- both times ----------------------------------------------------------------------------------

OFFICE = Calendar.model_validate(
    {"zone": "UTC", "week": {"fri": ["09:00-18:00"], "mon": ["09:00-18:00"]}}
)

FRIDAY_EVENING, MONDAY_MORNING = 11 * 3600, 73 * 3600


def clocks_on(page: str) -> list[str]:
    """The rows of the table."""
    return [text_of(f"<body>{row}</body>") for row in re.findall(r"<tr.*?</tr>", page, re.DOTALL)]


def test_both_times_of_each_clock_stand_side_by_side() -> None:
    scene = Scene(calendar=OFFICE)
    scene.act(60, "acknowledge")
    scene.act(FRIDAY_EVENING, "no_answer")
    assert clocks_on(scene.html(MONDAY_MORNING)) == [
        "in all in opening hours",
        "First call 10 h 55 min late 11 h 9 h",
        "Somebody is on it in time 1 min all of it",
        "First talk 3 d late, running 3 d 1 h 10 h",
        "Outcome 2 d 17 h late, running 3 d 1 h 10 h",
    ]


def test_a_time_that_is_the_same_on_both_clocks_is_said_once() -> None:
    scene = Scene(calendar=OFFICE)
    scene.act(60, "acknowledge")
    page = scene.html(90)

    assert "How long it took All of it in opening hours. First call" in text_of(page)
    assert clocks_on(page) == [
        "First call by 10:05, running 1 min",
        "Somebody is on it in time 1 min",
        "First talk by 11:00, running 1 min",
        "Outcome by 18:00, running 1 min",
    ]


def test_the_owners_clock_is_shown_once_it_is_another_one() -> None:
    scene = Scene(calendar=OFFICE)
    scene.happen(240, happened.LeadReassigned(from_rep_id="anna", to_rep_id="boris", reason="left"))
    rows = clocks_on(scene.html(260))

    assert rows[0] == "First call by 10:05, running 4 min"
    assert rows[-1] == "First call by the owner by 10:09, running 0 min"

    scene.leads.link_to("Boris0000001", BORIS, scene.lead)
    called = {"action": "no_answer", "action_id": "b" * 32}
    act_on_lead("Boris0000001", called, scene.parts, at(280))
    rows = clocks_on(scene.html(300))

    assert rows[0] == "First call in time 4 min"
    assert rows[-1] == "First call by the owner in time 0 min"


def test_a_closed_lead_shows_the_clocks_that_were_stopped_as_they_were() -> None:
    scene = Scene(calendar=OFFICE)
    scene.act(60, "talked")
    scene.act(120, "lose", reason="deal.price")
    page = scene.html(MONDAY_MORNING)

    assert "running" not in page
    assert clocks_on(page) == [
        "First call in time 1 min",
        "Somebody is on it in time 1 min",
        "First talk in time 1 min",
        "Outcome in time 2 min",
    ]


def test_a_call_by_a_watch_that_is_behind_the_recorded_breach_is_late_everywhere() -> None:
    scene = Scene()
    scene.happen(300, happened.ResponseBreached(step="breach"))
    scene.act(299.9, "no_answer")
    page = scene.html(310)

    assert "First call at 10:04 Less than a minute late" in text_of(page)
    assert "First call Less than a minute late 4 min" in clocks_on(page)


def test_a_lead_that_nobody_promised_to_call_has_no_clocks() -> None:
    page = Scene(verdict="non_target", follow_up=FollowUp(planned=True, is_idle=True)).html()

    assert "How long it took" not in page


def test_what_never_comes_is_not_due() -> None:
    fair = Calendar.model_validate({"zone": "UTC", "exceptions": {"2026-11-20": ["09:00-09:06"]}})

    assert "Outcome running 1 min" in clocks_on(Scene(calendar=fair).html())


# --- agreed times, and calling again -------------------------------------------------------------


def test_an_agreed_time_stands_where_the_deadline_stood() -> None:
    scene = Scene()
    scene.act(60, "snooze", until="2026-11-21T15:30")

    assert "Call agreed for 21 Nov, 15:30 1 d 5 h left" in scene.text(61)
    assert "Saved: Call agreed for 21 Nov, 15:30 Undo" in scene.text(61)


@pytest.mark.parametrize(
    ("locale", "zone", "says"),
    [
        ("en", "Europe/Berlin", "When the person asked to be called (Berlin time)"),
        ("ru", "Europe/Berlin", "Когда человек просил позвонить (по берлинскому времени)"),
        ("en", "America/New_York", "When the person asked to be called (New York time)"),
        ("en", "UTC", "When the person asked to be called (UTC+00:00)"),
    ],
)
def test_a_zone_is_called_as_people_call_it(locale: str, zone: str, says: str) -> None:
    page = Scene(a_rep("anna", locale=locale, zone=zone)).html()

    assert says in text_of(page)
    assert zone == "UTC" or zone not in page


def test_an_agreed_call_stands_on_the_page_until_it_is_made() -> None:
    scene = Scene()
    scene.act(60, "talked")
    scene.act(70, "snooze", until="2026-11-20T11:00")

    assert "Call agreed for 11:00 1 minute left" in scene.text(3500)
    assert "Call back, agreed for 11:00 4 minutes left" in scene.text(3601)
    assert "5 minutes late Call back, agreed for 11:00" in scene.text(4200)
    scene.act(4210, "talked")
    assert "First call at 10:01 in time" in scene.text(4220)


def test_who_was_called_before_it_was_opened_again_is_to_be_called_again() -> None:
    scene = Scene()
    scene.act(60, "no_answer")
    scene.act(120, "reject", reason="data.spam")
    scene.act(180, "reopen")

    assert "Call again by 10:08 4 minutes left" in scene.text(200)
    assert "2 minutes late Another call was due by 10:08" in scene.text(600)
