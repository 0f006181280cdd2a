"""What stands on the pages, in both languages, and that strangers' words stay words."""

import re
from typing import Any, get_args

import pytest

from follow_up_lead import pages
from follow_up_lead.service import act_on_lead, see_lead
from follow_up_lead.team import see_list
from follow_up_lead.team_pages import list_page
from shared.adapters.lead_table import Words
from shared.domain import events as happened
from shared.domain.actions import LOSS_REASONS, REJECTION_REASONS, ActionName
from shared.domain.calendar import Calendar
from shared.domain.lead import Change, FollowUp, Lead, Said
from shared.domain.roster import Rep
from shared.errors import LeadChangedError, StorageUnavailableError, UnknownLinkError
from shared.texts.refusals import REFUSALS
from tests.unit.domain.samples import ALWAYS, MARIA, a_lead, a_rep, at, resubmitted
from tests.unit.follow_up_lead.fakes import LEAD_CODE, LIST_CODE, FakeLeads, parts_on
from tests.unit.texts.skeleton import HOSTILE, skeleton, text_of

ANNA = a_rep("anna", name="Anna Novak", zone="Europe/Berlin")
BORIS = a_rep("boris", name="Boris Weber")
FULL: dict[str, Any] = {
    "company": "Analytical Engines",
    "source": "google / cpc / autumn",
    "page": "https://example.com/demo-en",
}


class Scene:
    """A lead of Anna's and the page that she gets."""

    def __init__(self, viewer: Rep = ANNA, calendar: Calendar = ALWAYS, **fields: Any) -> None:
        self.leads = FakeLeads(viewer, BORIS, MARIA)
        self.parts = parts_on(self.leads, calendar)
        self.lead: Lead = self.leads.add(a_lead(**{**FULL, **fields}))
        self.leads.link_to(LEAD_CODE, viewer, self.lead)
        self.happen(1, happened.LeadAssigned(rep_id=viewer.rep_id, rule="round_robin"))

    def happen(self, seconds: float, *events: happened.LeadEvent) -> None:
        self.leads.happen(self.lead, at(seconds), *events)

    def act(self, seconds: float, action: str, **posted: str) -> Any:
        form = {"action": action, "action_id": f"{int(seconds):032x}", **posted}
        return pages.answer(act_on_lead(LEAD_CODE, form, self.parts, at(seconds)))

    def html(self, seconds: float = 60) -> str:
        answer = pages.lead_page(see_lead(LEAD_CODE, self.parts, at(seconds)))
        assert answer.status_code == 200
        return str(answer.body)

    def text(self, seconds: float = 60) -> str:
        return text_of(self.html(seconds))


# --- one lead ----------------------------------------------------------------------------------


def test_a_new_lead_says_who_what_where_from_and_until_when() -> None:
    page = Scene().html()
    text = text_of(page)

    for words in (
        "New",
        "Ada Lovelace",
        "Analytical Engines",
        "Call by 10:05",
        "4 minutes left",
        "A machine that calculates",
        "Call +44 7700 900123",
        "Form Free consultation",
        "Source google / cpc / autumn",
        "Page https://example.com/demo-en",
        "Received 10:00 1 minute ago",
        "E-mail ada@example.com",
        "Owner You",
        "10:00 Assigned · Anna Novak",
        "10:00 Sent the form",
    ):
        assert words in text
    assert '<html lang="en">' in page
    assert 'href="tel:+447700900123"' in page
    assert "<bdi>Ada Lovelace</bdi>" in page


def test_each_action_is_a_plain_form() -> None:
    page = Scene().html()

    assert page.count('<form method="post"') == 7
    for action in {*get_args(ActionName)} - {"reopen"}:
        assert f'value="{action}"' in page
    assert page.count('name="action_id"') == 7
    assert "<script" not in page


def test_each_page_has_an_action_id_of_its_own() -> None:
    scene = Scene()

    assert scene.html() != scene.html()


def test_every_field_has_its_label_and_every_reference_its_target() -> None:
    for answer in (Scene().html(), Scene().act(60, "win", amount="x", currency="EUR").body):
        page = str(answer)
        ids = re.findall(r'\bid="([^"]*)"', page)
        assert len(ids) == len(set(ids))
        wanted = re.findall(r'\b(?:for|aria-labelledby|aria-describedby)="([^"]*)"', page)
        assert set(wanted) <= set(ids)
        for field in re.findall(r"<(?:input|select|textarea)\b[^>]*>", page):
            identity = re.search(r'\bid="([^"]*)"', field)
            assert 'type="hidden"' in field or (identity and f'for="{identity[1]}"' in page)


def test_no_name_stands_in_the_title() -> None:
    title = Scene().html().partition("<title>")[2].partition("</title>")[0]

    assert title == "New: Free consultation"


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


# --- the clocks --------------------------------------------------------------------------------

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


def test_who_said_so_and_did_not_call_is_not_on_it_any_more() -> None:
    scene = Scene()
    scene.act(10, "acknowledge")
    scene.happen(310, happened.AcknowledgementExpired(rep_id="anna"))
    page = scene.html(320)

    assert 'value="acknowledge"' in page
    assert "10:05 On it, and no call: free again · Anna Novak" in text_of(page)


# --- what was done -----------------------------------------------------------------------------


def test_what_was_just_recorded_is_confirmed_for_a_while() -> None:
    scene = Scene()
    scene.act(60, "no_answer", note="Voicemail")

    assert "Saved: Called, no answer" in scene.text(61)
    assert "Voicemail" in scene.text(61)
    assert "Saved" not in scene.text(60 + 121)


def test_what_a_machine_recorded_is_no_confirmation() -> None:
    scene = Scene()

    assert "Saved" not in scene.text(2)


def test_who_is_on_it_need_not_say_so_again() -> None:
    scene = Scene()
    scene.act(10, "acknowledge")
    page = scene.html(20)

    assert 'value="acknowledge"' not in page
    assert 'value="no_answer"' in page
    assert "On it" in text_of(page)
    assert "Call by 10:05" in text_of(page), "an acknowledgement stops no clock"


def test_a_former_owner_sees_who_has_it_now() -> None:
    scene = Scene()
    scene.happen(
        30,
        happened.LeadReassigned(from_rep_id="anna", to_rep_id="boris", reason="no_reaction"),
    )

    text = scene.text()

    assert "Now in the hands of: Boris Weber" in text
    assert "Owner Boris Weber" in text
    assert "Reassigned · Anna Novak → Boris Weber" in text


def test_a_colleague_who_left_is_named_as_such() -> None:
    scene = Scene()
    scene.happen(
        30, happened.LeadReassigned(from_rep_id="anna", to_rep_id="gone", reason="no_reaction")
    )

    text = scene.text()

    assert "Anna Novak → a former colleague" in text
    assert "Owner Nobody yet" in text


def test_a_closed_lead_says_how_it_ended_and_offers_only_to_open_it_again() -> None:
    scene = Scene()
    scene.act(120, "win", amount="1200,50", currency="EUR")
    page = scene.html(130)

    assert "Won: 1,200.50\u00a0EUR".replace("\u00a0", " ") in text_of(page)
    assert re.findall(r'name="action" value="(\w+)"', page) == ["undo", "reopen"]
    assert "Saved: Won" in text_of(page)


def test_a_rejected_lead_says_why() -> None:
    scene = Scene()
    scene.act(120, "reject", reason="fit.region")

    assert "Not a fit: Not our region" in scene.text(10_000)


def test_a_lead_of_whom_little_is_known() -> None:
    fields: dict[str, Any] = dict.fromkeys(("name", "company", "asked", "phone", "source", "page"))
    text = Scene(**fields).text()

    assert "No name given" in text
    assert "The message was left empty." in text
    assert "Write ada@example.com" in text
    assert "Source Direct" in text
    assert "Page" not in text


def test_somebody_without_phone_and_email_cannot_be_called() -> None:
    page = Scene(phone=None, email=None).html()

    assert "tel:" not in page
    assert "mailto:" not in page


def test_several_submissions_are_counted() -> None:
    scene = Scene()
    scene.happen(30, resubmitted(30))

    assert "2 submissions" in scene.text()


def test_who_left_another_number_is_called_on_it() -> None:
    scene = Scene(said_again=Said(phone="+447700900777", asked="I mistyped my number"))

    page = scene.html()
    assert 'class="button call" href="tel:+447700900777"' in page
    assert 'href="tel:+447700900123"' in page
    assert "Earlier phone: +44 7700 900123" in scene.text()
    assert "A machine that calculates" in scene.text()
    assert "I mistyped my number" in scene.text()


def test_a_russian_rep_reads_russian() -> None:
    viewer = a_rep("anna", name="Анна Новак", locale="ru", zone="Europe/Moscow")
    scene = Scene(viewer, phone="+79161234567", locale="ru")
    page = scene.html()
    text = text_of(page)

    assert '<html lang="ru">' in page
    for words in (
        "Новый",
        "Позвоните до 12:05",
        "Осталось 4 минуты",
        "Беру в работу",
        "Ведёт Вы",
        "Всё — в рабочее время. Первый звонок до 12:05, идёт 1 мин Взят",
    ):
        assert words in text
    assert "Позвонить +7 916 123-45-67" in text
    assert "<option selected>RUB</option>" in page


# --- refusals ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "posted", "status", "sentence"),
    [
        ("acknowledge", {}, 409, "Somebody has called already."),
        ("reject", {}, 422, "Choose a reason."),
        ("lose", {"reason": "other"}, 422, "“Other” needs a few words in the note."),
        ("win", {"currency": "EUR"}, 422, "Enter the amount as a number"),
        ("win", {"amount": "5"}, 422, "Choose a currency."),
        ("talked", {"action_id": "x"}, 422, "This page was too old."),
        ("erase", {}, 422, "Choose one of the buttons."),
        ("talked", {"note": "x" * 2001}, 422, "The note is too long."),
    ],
)
def test_a_refusal_shows_the_page_and_says_why(
    action: str, posted: dict[str, str], status: int, sentence: str
) -> None:
    scene = Scene()
    scene.act(20, "no_answer")

    answer = scene.act(60, action, **posted)

    assert answer.status_code == status
    assert sentence in text_of(answer.body)
    assert "Saved" not in text_of(answer.body)
    assert scene.leads.writes == 2


def test_somebody_else_is_on_it() -> None:
    scene = Scene()
    scene.happen(20, happened.LeadAcknowledged(rep_id="boris"))

    answer = scene.act(60, "acknowledge")

    assert answer.status_code == 409
    assert "Somebody else is on it already." in text_of(answer.body)


def test_a_closed_lead_refuses() -> None:
    scene = Scene()
    scene.act(20, "reject", reason="data.spam")

    answer = scene.act(60, "talked")

    assert answer.status_code == 409
    assert "This lead is closed already." in text_of(answer.body)


def test_every_refusal_of_the_domain_has_its_sentence() -> None:
    from_act = {"closed", "taken", "already_called", "reason_needed", "note_needed"}

    assert from_act < set(pages.REFUSALS)
    assert set(REFUSALS) == set(pages.REFUSALS)


def test_what_was_typed_stays_and_its_form_is_open() -> None:
    answer = Scene().act(60, "win", amount="a lot", currency="USD", note="<b>Annual</b>")
    page = str(answer.body)

    assert 'value="a lot" aria-invalid="true" aria-describedby="amount-error"' in page
    assert "<option selected>USD</option>" in page
    assert "&lt;b&gt;Annual&lt;/b&gt;</textarea>" in page
    assert page.count('<details name="outcome" open>') == 1

    page = str(Scene().act(60, "reject", reason="other").body)
    assert page.count('<details name="outcome" open>') == 1
    assert 'maxlength="2000" aria-invalid="true" aria-describedby="note-error" autofocus>' in page


def test_a_note_of_a_call_stays_too() -> None:
    page = str(Scene().act(60, "talked", action_id="", note="Wants a demo").body)

    assert ">\nWants a demo</textarea>" in page


# --- lists -------------------------------------------------------------------------------------


def listed(viewer: Rep = MARIA, name: str = "Ada", **fields: Any) -> str:
    leads = FakeLeads(ANNA, BORIS, viewer)
    for lead_id, received, rep_id, more in (
        ("1", -720, "anna", {}),
        ("2", -60, None, {"company": None}),
        ("3", -7200, "boris", {"first_attempt_at": at(-7100), "attempts": 2}),
        ("4", -7300, "anna", {"first_attempt_at": at(-6000), "contacted_at": at(-6000)}),
    ):
        base = {"name": name, "received_at": at(received), "respond_by": at(received + 300)}
        leads.add(a_lead(lead_id=lead_id, rep_id=rep_id, **{**FULL, **base, **more, **fields}))
    leads.link_to(LIST_CODE, viewer)
    return str(list_page(see_list(LIST_CODE, parts_on(leads), at(0))).body)


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
        "No answer ×2 Boris Weber",
        "First call at 07:01 received 2 h ago",
        "+44 7700 900123",
        "A machine that calculates",
    ):
        assert words in text
    assert 'href="tel:+447700900123"' in listed()


def callbacks(viewer: Rep = ANNA, calendar: Calendar = ALWAYS, seconds: float = 4000) -> str:
    """The list of three: talked to, to be called back since 10:00, and talked to again."""
    leads = FakeLeads(ANNA, BORIS, MARIA, viewer)
    for number in range(3):
        lead = leads.add(a_lead(lead_id=f"{number}", rep_id="anna", received_at=at(number)))
        contacted = happened.LeadContacted(rep_id="anna")
        leads.happen(
            lead, at(60), happened.LeadAttempted(rep_id="anna", result="talked"), contacted
        )
        if number == 1:
            leads.happen(lead, at(90), happened.LeadSnoozed(rep_id="anna", until=at(3600)))
    leads.link_to(LIST_CODE, viewer)
    page = list_page(see_list(LIST_CODE, parts_on(leads, calendar), at(seconds)))
    return str(page.body)


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
        "Опоздание 1 минута Перезвонить, договорились на 13:00 ждёт 6 мин, всё — в рабочее время"
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


# --- taking back -------------------------------------------------------------------------------


def undoes(page: str) -> list[str]:
    return re.findall(r'name="undoes" value="([^"]*)"', page)


def test_what_was_done_can_be_undone_for_a_minute() -> None:
    scene = Scene()
    scene.act(60, "no_answer", note="Engaged")
    page = scene.html(90)
    (done,) = undoes(page)
    assert "Saved: Called, no answer Undo within a minute" in text_of(page)
    assert undoes(scene.html(120)) == [done]
    assert undoes(scene.html(121)) == []

    assert scene.act(100, "undo", undoes=done).status_code == 303

    text = scene.text(101)
    assert "Undone: Called, no answer What did" not in text
    assert text.index("Undone: Called, no answer") < text.index("Ada Lovelace")
    assert "Call by 10:05" in text
    assert "Called, no answer undone · Anna Novak" in text
    assert "Note undone · Anna Novak Engaged" in text, "words are kept"
    assert undoes(scene.html(101)) == []
    assert scene.act(102, "undo", undoes=done).status_code == 303, "sent twice, undone once"
    assert scene.leads.writes == 3


def test_what_is_undone_is_done_again_on_a_new_page_only() -> None:
    scene = Scene()
    scene.act(60, "talked")
    scene.act(70, "undo", undoes=f"{60:032x}-talked")

    again = scene.act(60, "talked")
    assert again.status_code == 409
    assert "This was undone." in text_of(again.body)
    assert scene.act(80, "talked").status_code == 303


@pytest.mark.parametrize(
    ("seconds", "posted", "status", "sentence"),
    [
        (121, f"{60:032x}-talked", 409, "Too late to undo: that is possible for one minute."),
        (100, f"{61:032x}-talked", 409, "This cannot be undone any more"),
        (100, "talked", 422, "This page was too old."),
        (100, "", 422, "This page was too old."),
    ],
)
def test_what_cannot_be_undone(seconds: float, posted: str, status: int, sentence: str) -> None:
    scene = Scene()
    scene.act(60, "talked")

    answer = scene.act(seconds, "undo", undoes=posted)

    assert answer.status_code == status
    assert sentence in text_of(answer.body)
    assert f"<title>{sentence}" in str(answer.body)
    assert scene.leads.writes == 2


def test_only_what_one_did_oneself_is_offered() -> None:
    scene = Scene()
    scene.act(60, "talked")
    scene.leads.link_to("Boris0000001", BORIS, scene.lead)
    seen = see_lead("Boris0000001", scene.parts, at(70))
    assert undoes(str(pages.lead_page(seen).body)) == []

    form = {"action": "no_answer", "action_id": "b" * 32}
    act_on_lead("Boris0000001", form, scene.parts, at(75))

    answer = scene.act(80, "undo", undoes=f"{60:032x}-talked")
    assert answer.status_code == 409
    assert "something else has happened since" in text_of(answer.body)


def test_a_button_stands_beside_what_it_undoes() -> None:
    """A lead that somebody enters may join one that they have just said something about."""
    scene = Scene()
    scene.act(60, "no_answer")
    again = Change((resubmitted(70),))
    scene.leads.record(scene.leads.stories[scene.lead.lead_id].lead, again, actor="anna", at=at(70))

    page = scene.html(80)

    text = text_of(page)
    assert "Saved: Sent a form again Saved: Called, no answer Undo within a minute" in text
    assert undoes(page) == [f"{60:032x}-no_answer"]
    assert "<title>Saved: Sent a form again. " in page
    late = scene.html(121)
    assert undoes(late) == []
    assert "Saved: Called, no answer" not in text_of(late)


def test_a_russian_rep_takes_back() -> None:
    scene = Scene(a_rep("anna", locale="ru"))
    scene.act(60, "acknowledge")
    assert "Отменить в течение минуты" in scene.text(61)

    scene.act(70, "undo", undoes=f"{60:032x}-acknowledge")

    assert "Отменено: " in scene.text(71)


# --- an outcome in two taps --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "reasons"), [("reject", REJECTION_REASONS), ("lose", LOSS_REASONS)]
)
def test_a_button_for_each_reason(action: str, reasons: tuple[str, ...]) -> None:
    page = Scene().html()
    form = next(f for f in page.split("<details") if f'name="action" value="{action}"' in f)

    assert re.findall(r'<button class="button" name="reason" value="([^"]*)"', form) == [*reasons]
    assert form.index("<textarea") < form.index('value="other"'), "what it needs comes first"
    assert "required" not in form, "only one of the buttons needs a note"


@pytest.mark.parametrize(("action", "reason"), [("reject", "fit.region"), ("lose", "deal.price")])
def test_a_tap_on_a_reason_closes_the_lead(action: str, reason: str) -> None:
    scene = Scene()

    assert scene.act(60, action, reason=reason, note="").status_code == 303
    assert scene.leads.stories[scene.lead.lead_id].lead.reason == reason


# --- ways to the person ------------------------------------------------------------------------

VIBER = "viber://chat?number=%2B79161234567"


@pytest.mark.parametrize(
    ("phone", "extension", "hrefs"),
    [
        (
            "+79161234567",
            None,
            ["https://wa.me/79161234567", "https://t.me/+79161234567", VIBER],
        ),
        ("+447400123456", None, ["https://wa.me/447400123456", "https://t.me/+447400123456"]),
        ("+12015550123", None, ["https://wa.me/12015550123", "https://t.me/+12015550123"]),
        ("+74951234567", None, []),
        ("+79161234567", "12", []),
        ("what I type", None, []),
        (None, None, []),
    ],
)
def test_messengers_where_they_make_sense(
    phone: str | None, extension: str | None, hrefs: list[str]
) -> None:
    scene = Scene(phone=phone, phone_extension=extension)
    page = scene.html()

    found = re.findall(r'href="([^"]*)" rel="noreferrer"', page)
    assert found == hrefs
    assert ("it does not count as a call" in text_of(page)) == bool(hrefs)


def test_an_extension_is_dialled_too() -> None:
    page = Scene(phone_extension="12").html()

    assert 'href="tel:+447700900123;ext=12"' in page


# --- what was said before ----------------------------------------------------------------------


def say(scene: Scene, *said: Words) -> None:
    story = scene.leads.stories[scene.lead.lead_id]
    scene.leads.stories[scene.lead.lead_id] = story._replace(said=said)


def words(second: float, **values: str) -> Words:
    return Words(received_at=at(second), form_title="Free consultation", values=values)


def test_one_short_message_is_said_once() -> None:
    scene = Scene()
    say(scene, words(0, message="A machine that calculates", name="Ada", phone="1", consent="on"))

    assert "Everything that was said" not in scene.text()


def test_every_submission_stands_in_its_own_words() -> None:
    scene = Scene()
    say(scene, words(0, message="x" * 900, budget="50 000"), words(40, message="After lunch"))
    text = scene.text()

    assert f"10:00 · Free consultation {'x' * 900} budget 50 000" in text
    assert "10:00 · Free consultation After lunch" in text
    assert "not shown here" not in text


def test_of_very_many_the_last_ones_are_shown() -> None:
    scene = Scene()
    say(scene, *(words(number, message=f"No. {number};") for number in range(30)))
    text = scene.text()

    assert "What was sent before is not shown here." in text
    assert "No. 9;" not in text
    assert "No. 10;" in text


def test_former_leads_of_the_person_and_what_they_came_to() -> None:
    scene = Scene(previous_lead_id="b" * 32)
    for lead_id, before, more in (
        ("b", "c", {"outcome": "lost", "reason": "deal.price", "rep_id": "boris"}),
        ("c", "d", {"outcome": "won", "amount": "900", "currency": "EUR", "rep_id": "gone"}),
        ("d", "e", {"outcome": "rejected", "reason": "reach.no_answer"}),
        ("e", "f", {"outcome": "rejected", "reason": "data.spam"}),
    ):
        former = {"status": "closed", "asked": f"Asked in {lead_id}", **more}
        scene.leads.add(a_lead(lead_id=lead_id * 32, previous_lead_id=before * 32, **former))
    text = scene.text()

    assert "Asked in b Lost: Price · Boris Weber" in text
    assert "Asked in c Won: 900 EUR" in text.replace("\u00a0", " ")
    assert "Asked in d Not a fit: Could not be reached" in text
    assert "Asked in e" not in text


def test_a_former_lead_of_another_team_is_not_shown() -> None:
    scene = Scene(previous_lead_id="b" * 32)
    scene.leads.add(a_lead(lead_id="b" * 32, team="others", status="closed", asked="Secret"))

    assert "Before that" not in scene.text()


def test_what_the_visitor_was_promised_and_the_channel() -> None:
    text = Scene(promised_by=at(300), channel="Paid Search").text()

    assert "Channel Paid Search" in text
    assert "Promised a call by 10:05" in text
    assert "Promised" not in Scene().text()


# --- strangers' words --------------------------------------------------------------------------


@pytest.mark.parametrize("words", HOSTILE)
def test_strangers_words_change_no_structure(words: str) -> None:
    fields = ("name", "company", "phone", "phone_extension", "email", "asked", "source", "page")

    def page(value: str) -> str:
        people = [a_rep("anna", name=f"Anna {value}"), a_rep("boris", name=f"Boris {value}")]
        said: dict[str, Any] = dict.fromkeys(fields, f"Ada {value}")
        scene = Scene(people[0], **said, form_title=value, previous_lead_id="b" * 32)
        answers = {"message": f"Ada {value}", f"own {value}": f"Ada {value}"}
        say(scene, Words(received_at=at(0), form_title=value, values=answers))
        before = {"form_title": value, "asked": f"Ada {value}", "rep_id": "boris"}
        scene.leads.add(a_lead(lead_id="b" * 32, status="closed", outcome="lost", **before))
        scene.leads.reps = (people[0], people[1], MARIA)
        scene.act(10, "no_answer", note=f"x{value}")
        scene.happen(20, happened.LeadAcknowledged(rep_id="boris"))
        refused = scene.act(30, "reject", reason=value, note=value, amount=value)
        return str(refused.body)

    assert skeleton(page(words)) == skeleton(page("Ada"))
    assert skeleton(listed(name=f"A {words}", asked=words)) == skeleton(listed(name="A", asked="A"))


def test_a_link_of_a_stranger_is_never_one_of_ours() -> None:
    page = Scene(page="javascript:alert(1)", email="a@b.example?subject=x&body=y").html()

    assert 'href="javascript' not in page
    assert 'href="mailto:a@b.example%3Fsubject%3Dx%26body%3Dy"' in page


# --- errors ------------------------------------------------------------------------------------


def test_an_unknown_link_says_little_in_both_languages() -> None:
    answers = [pages.error_page(UnknownLinkError(reason)) for reason in ("wrong", "expired")]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].body == answers[1].body
    assert "This link does not open anything" in text_of(str(answers[0].body))
    assert "Ссылка ничего не открывает" in text_of(str(answers[0].body))
    assert "Retry-After" not in answers[0].headers


@pytest.mark.parametrize("error", [LeadChangedError("x"), StorageUnavailableError("x")])
def test_what_was_not_saved_can_be_tried_again(error: Exception) -> None:
    answer = pages.error_page(error)

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "2"
    assert "Not saved" in text_of(str(answer.body))


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


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "My leads a new link comes by SMS"),
        ({"locale": "ru"}, "Мои лиды ссылка придёт по SMS"),
        ({"role": "manager"}, "The team's leads a new link comes by SMS"),
    ],
)
def test_from_a_lead_of_an_alert_one_asks_for_ones_list(fields: dict[str, Any], says: str) -> None:
    page = Scene(a_rep("anna", **fields)).html()

    assert says in text_of(page)
    assert page.count('href="/r') == page.count('href="/r"') == 1, "the code opens no list"


def test_whom_no_sms_reaches_is_offered_no_link_by_sms() -> None:
    assert 'href="/r' not in Scene(a_rep("anna", phone=None)).html()


def test_whom_a_lead_can_be_handed_to() -> None:
    page = Scene().html()

    assert re.findall(r'<option value="(boris|maria|anna)">', page) == ["boris", "maria"]


def test_what_was_typed_stays_when_a_time_is_refused() -> None:
    answer = Scene().act(60, "snooze", until="2020-01-01T10:00", note="Asked for lunch")

    assert answer.status_code == 422
    assert 'value="2020-01-01T10:00"' in str(answer.body)
    assert "Asked for lunch" in str(answer.body)
    assert "Enter a time from now on, within three months." in text_of(str(answer.body))


def test_whoever_is_to_call_again_can_say_that_they_are_on_it() -> None:
    scene = Scene()
    scene.act(60, "talked")
    assert 'value="acknowledge"' not in scene.html(61)

    scene.act(70, "snooze", until="2026-11-21T15:30")

    assert 'value="acknowledge"' in scene.html(71)


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


def test_a_closed_lead_is_opened_again() -> None:
    scene = Scene()
    scene.act(120, "reject", reason="data.spam")

    scene.act(180, "reopen")

    assert "Saved: Opened again" in scene.text(181)
    assert 'value="acknowledge"' in scene.html(181)
