"""What stands on a list of open leads: a rep's own, and a manager's."""

import re

import pytest

from follow_up_lead.team import see_list
from follow_up_lead.team_pages import list_page
from shared.domain.calendar import Calendar
from shared.domain.lead import Said
from tests.unit.domain.samples import MARIA, a_rep, at
from tests.unit.follow_up_lead.fakes import LIST_CODE, FakeLeads, parts_on
from tests.unit.follow_up_lead.scene import ANNA, callbacks, listed
from tests.unit.texts.skeleton import text_of


def test_a_manager_sees_what_is_late_first() -> None:
    text = text_of(listed())

    assert "Open leads of the team 4 leads, as of 09:00. Refresh · The team" in text
    order = [
        "Overdue 1",
        "Nobody has these 1",
        "Called, no answer yet 1",
        "Talked, no outcome yet 1",
    ]
    assert sorted(order, key=text.index) == order
    for words in (
        "7 minutes late The call was due by 08:53 waiting 12 min, all of it in opening hours",
        "New Anna Novak",
        "Call by 09:04 waiting 1 min",
        "Nobody yet",
        "No answer, calls: 2 Boris Weber",
        "First call at 07:01 received 2 h ago",
        "+44 7700 900123",
        "A machine that calculates",
    ):
        assert words in text
    assert 'href="tel:+447700900123"' in listed()


@pytest.mark.parametrize(
    ("seconds", "heading", "clock"),
    [
        (3000, "Waiting for a call 1", "Call agreed for 11:00 received 49 min ago"),
        (3660, "Waiting for a call 1", "Call back, agreed for 11:00 waiting 1 min"),
        (4000, "Overdue 1", "1 minute late Call back, agreed for 11:00 waiting 6 min"),
    ],
)
def test_whom_somebody_is_to_call_back_is_not_done_with(
    seconds: float, heading: str, clock: str
) -> None:
    page = callbacks(seconds=seconds)

    text = text_of(page)
    assert f"{heading} Ada Lovelace {clock}" in text
    assert "Talked, no outcome yet 2" in text
    assert text.index(heading) < text.index("Talked, no outcome yet")


@pytest.mark.parametrize("seconds", [3000, 3660, 4000])
def test_each_heading_of_a_list_comes_once(seconds: float) -> None:
    headings = re.findall(r'<h2 id="(\w+)"', callbacks(seconds=seconds))

    assert len(headings) == len(set(headings)) == 2


def test_a_row_says_what_was_asked_last() -> None:
    again = Said(asked="And payroll, too")

    text = text_of(listed(said_again=again))

    assert "And payroll, too" in text
    assert "A machine that calculates" not in text


def test_a_row_shows_both_times() -> None:
    calendar = Calendar.model_validate({"zone": "UTC", "week": {"fri": ["09:00-10:02"]}})

    text = text_of(callbacks(calendar=calendar))

    assert "waiting 6 min, 2 min in opening hours" in text
    assert "received 1 h 6 min ago, 1 h 2 min in opening hours" in text


def test_a_row_without_policy_shows_what_is_known() -> None:
    text = text_of(listed(form_id="gone"))

    assert "waiting 12 min" in text
    assert "opening hours" not in text


def test_a_russian_list_says_whom_to_call_back() -> None:
    text = text_of(callbacks(a_rep("anna", locale="ru", zone="Europe/Moscow")))

    assert (
        "Опоздание 1 минута Перезвонить, договорились на 13:00 ждёт 6 мин, всё в рабочее время"
        in text
    )


def test_a_rep_sees_their_own_list_and_what_is_free() -> None:
    text = text_of(listed(ANNA))

    assert "My open leads 2 leads and 1 free to take, as of 10:00." in text
    assert "New You" in text
    assert "You can take these 1" in text
    assert text.count("Take it") == 1
    assert "You are on duty New leads come to you. Go off duty" in text
    assert "Boris Weber" not in text


def test_each_lead_of_a_list_leads_to_its_page() -> None:
    found = re.findall(r'<h3><a href="([^"]+)">', listed())

    assert found == [f"/r/{LIST_CODE}/{number}" for number in "1234"]


def test_a_list_without_ones_own_leads_says_so() -> None:
    viewer = a_rep("clara", locale="ru", zone="Europe/Moscow")

    assert "Мои открытые лиды 0 лидов и ещё 1 можно взять, на 12:00." in text_of(listed(viewer))


def test_what_a_manager_may_take_counts_as_the_teams() -> None:
    assert "free to take" not in text_of(listed())


def test_a_manager_sees_how_late_a_further_call_is() -> None:
    text = text_of(callbacks(MARIA))

    assert "Overdue 1 Ada Lovelace 1 minute late Call back, agreed for 10:00 waiting 6 min" in text


def test_a_manager_sees_who_of_the_team_is_there_and_why_others_are_not() -> None:
    text = text_of(listed())

    team = text[text.index("The team Anna") :]
    assert "Anna Novak On duty 2 open leads, late: 1" in team
    assert "Boris Weber On duty 1 open lead" in team
    assert "Maria" not in team, "a manager is given no leads"


def test_an_empty_list() -> None:
    leads = FakeLeads(ANNA)
    leads.link_to(LIST_CODE, ANNA)

    text = text_of(str(list_page(see_list(LIST_CODE, parts_on(leads), at(0))).body))

    assert "No open leads. Well done." in text


def test_a_list_in_russian() -> None:
    viewer = a_rep("maria", role="manager", locale="ru", zone="Europe/Moscow")
    text = text_of(listed(viewer, asked=None, phone=None))

    for words in ("4 лида", "Опоздание 7 минут", "ждёт 12 мин", "Пока никто", "получен 2 ч назад"):
        assert words in text
    assert "Просрочены 1" in text


def test_who_has_written_since_the_call_is_not_done_with() -> None:
    text = text_of(listed(resubmitted_at=at(-30), said_again=Said(asked="And two more, please")))

    order = ["Nobody has these", "Asked again since the call 2", "Asked again at 08:59"]
    assert sorted(order, key=text.index) == order
    assert "And two more, please" in text
    assert "Talked, no outcome yet" not in text
