"""A lead that somebody enters by hand goes the way of every submission."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from shared.adapters.dynamodb import Table
from shared.domain.calendar import Calendar
from shared.domain.events import LeadAssigned
from shared.domain.lead import Change, Lead
from tests.unit.adapters.samples import a_submission, captured
from tests.unit.domain.samples import ANNA, BORIS, a_rep
from tests.unit.follow_up_lead.fakes import FakePolicies
from tests.unit.follow_up_lead.site import Site
from tests.unit.texts.skeleton import HOSTILE, skeleton, text_of

NAME = "Анна-Мария О'Нил 👋"
TYPED = {
    "action_id": "5e" * 16,
    "came": "phone",
    "name": NAME,
    "phone": "07700 900777",
    "email": "",
    "company": "",
    "message": "Wants the price by Friday",
    "form_id": "demo-en",
    "then": "call",
}


class Counter(Site):
    """Anna at the phone."""

    viewer = ANNA

    @property
    def code(self) -> str:
        return self.links.make_link(self.link(kind="list", rep_id=self.viewer.rep_id))

    def enter(self, **typed: str) -> dict[str, Any]:
        return self.send("POST", f"/r/{self.code}/new", urlencode({**TYPED, **typed}))

    def entered(self, **typed: str) -> Lead:
        answer = self.enter(**typed)
        assert answer["statusCode"] == 303, text_of(answer["body"])
        path, _, told = answer["headers"]["Location"].partition("?told=")
        lead_id = path.rpartition("/")[2]
        if told:
            found = self.leads.open_leads("sales", [None, "anna", "boris"])
            (lead_id,) = (lead.lead_id for lead in found if lead.phone == "+447700900777")
        lead = self.leads.lead(lead_id)
        assert lead is not None
        return lead

    def shown(self, lead: Lead) -> str:
        """The text of its page, which whoever enters it is sent to."""
        page: str = self.send("GET", f"/r/{self.code}/{lead.lead_id}")["body"]
        return text_of(page.partition("</style>")[2])

    def types(self, lead: Lead) -> list[str]:
        story = self.leads.story(lead.lead_id)
        assert story is not None
        return [recorded.event.type for recorded in story.events]


@pytest.fixture
def counter(table: Table, monkeypatch: pytest.MonkeyPatch) -> Counter:
    counter = Counter(table)
    monkeypatch.setattr("follow_up_lead.handler.parts", lambda: counter.parts)
    return counter


def test_the_page_asks_for_what_a_call_tells(counter: Counter) -> None:
    before = counter.everything()
    code = counter.code

    page = counter.send("GET", f"/r/{code}/new")

    text = text_of(page["body"])
    for words in ("Name optional", "Phone or e-mail", "Free consultation", "I will call them"):
        assert words in text
    assert len(counter.everything()) == len(before) + 1, "the link, which the test made"


def test_a_lead_by_phone_is_that_of_whoever_enters_it(counter: Counter) -> None:
    lead = counter.entered()

    assert (lead.name, lead.phone) == (NAME, "+447700900777")
    assert (lead.rep_id, lead.acknowledged_by) == ("anna", "anna")
    assert (lead.source, lead.form_title, lead.team) == (
        "phone / offline",
        "Free consultation",
        "sales",
    )
    assert lead.awaits_attempt
    assert counter.types(lead) == ["LeadCaptured", "LeadAssigned", "LeadAcknowledged"]
    story = counter.leads.story(lead.lead_id)
    assert story is not None
    assert {recorded.actor for recorded in story.events} == {"anna"}
    assert [recorded.sequence for recorded in story.events] == [1, 2, 3]
    assert lead.sequence == 3
    captured = story.events[0].flat()
    assert "untagged" not in captured


def test_who_was_talked_to_is_called_by_nobody(counter: Counter) -> None:
    lead = counter.entered(then="talked", came="walk-in")

    assert (lead.rep_id, lead.last_result, lead.source) == ("anna", "talked", "walk-in / offline")
    assert lead.contacted_at is not None
    assert lead.due_at is None
    assert counter.types(lead)[-2:] == ["LeadAttempted", "LeadContacted"]


def test_what_is_given_to_the_team_is_nobodys_until_it_is_assigned(counter: Counter) -> None:
    lead = counter.entered(then="team")

    assert lead.rep_id is None
    assert counter.types(lead) == ["LeadCaptured"]
    assert lead.due_at == lead.clock_started_at, "the planner is to see it"


@pytest.mark.parametrize(
    ("locale", "says"),
    [("en", "Saved: given to the team."), ("ru", "Сохранено: передано команде.")],
)
def test_who_gives_it_to_the_team_is_back_at_the_list_whoever_has_it_by_then(
    counter: Counter, locale: str, says: str
) -> None:
    counter.viewer = a_rep("anna", locale=locale)
    counter.people.put_rep(counter.viewer)

    for _ in range(2):  # also when a double click meets what was filed
        path, _, told = counter.enter(then="team")["headers"]["Location"].partition("?told=")
        assert told == "given"
        assert re.fullmatch(r"/r/\w{12}", path)
        shown = counter.send("GET", path, queryStringParameters={"told": told})
        assert says in text_of(shown["body"])


def test_a_manager_who_gives_it_to_the_team_sees_who_gets_it(counter: Counter) -> None:
    counter.viewer = a_rep("maria", role="manager")
    counter.people.put_rep(counter.viewer)

    answer = counter.enter(then="team")

    assert re.fullmatch(r"/r/\w{12}/\w{32}", answer["headers"]["Location"])


def test_who_gives_the_team_more_of_what_nobody_has_is_told_so(counter: Counter) -> None:
    submission = a_submission(77, phone="+447700900777")
    free = counter.filing.capture(submission, captured(submission))

    path, _, told = counter.enter(then="team")["headers"]["Location"].partition("?told=")

    lead = counter.leads.lead(free.lead_id)
    assert lead is not None
    assert lead.submissions == 2
    shown = counter.send("GET", path, queryStringParameters={"told": told})
    says = "Saved. The person has an open lead already: it was added there."
    assert says in text_of(shown["body"])


@pytest.mark.parametrize(
    ("locale", "came", "then", "says", "says_not"),
    [
        (
            "en",
            "walk-in",
            "team",
            ("Saved: given to the team", "Entered by hand · Anna", "Source Walk-in"),
            ("Sent the form", "Unassigned", "offline", "Channel", "Saved: Entered"),
        ),
        (
            "ru",
            "phone",
            "team",
            ("Сохранено: передано команде", "Внесён вручную · Anna", "Источник Звонок"),
            ("Отправлена форма", "Unassigned", "phone", "Канал"),
        ),
        ("en", "phone", "call", ("Saved: On it Undo", "Entered by hand · Anna"), ("given to",)),
        (
            "en",
            "walk-in",
            "talked",
            ("Saved: Talked Undo", "Talked · Anna"),
            ("Called, talked", "given to"),
        ),
    ],
)
def test_the_page_tells_who_entered_it_and_what_became_of_it(
    counter: Counter,
    locale: str,
    came: str,
    then: str,
    says: tuple[str, ...],
    says_not: tuple[str, ...],
) -> None:
    counter.viewer = a_rep("anna", locale=locale)
    counter.people.put_rep(counter.viewer)

    page = counter.shown(counter.entered(came=came, then=then))

    for words in says:
        assert words in page
    for words in says_not:
        assert words not in page


@pytest.mark.parametrize(
    ("then", "says"),
    [
        ("team", "Saved: added to the open lead that this person has"),
        ("call", "Saved: added to the open lead that this person has Saved: On it Undo"),
        ("talked", "Saved: added to the open lead that this person has Saved: Talked Undo"),
    ],
)
def test_whoever_enters_a_person_with_an_open_lead_is_told_so(
    counter: Counter, then: str, says: str
) -> None:
    sent = counter.filing.capture(
        (submission := a_submission(77, phone="+447700900777")), captured(submission)
    )

    lead = counter.entered(then=then, came="walk-in")

    assert lead.lead_id == sent.lead_id
    page = counter.shown(lead)
    assert says in page
    assert "Asked again, entered by hand · Anna" in page
    assert "Sent the form" in page, "the first time the person did"
    assert "given to the team" not in page


def test_a_double_click_on_what_joins_a_lead_is_told_the_same_twice(counter: Counter) -> None:
    submission = a_submission(77, phone="+447700900777")
    counter.filing.capture(submission, captured(submission))
    counter.people.put_rep(a_rep("boris"))
    lead = counter.entered(then="team")
    given = LeadAssigned(rep_id="boris", rule="everybody")
    counter.leads.record(lead, Change((given,)), actor="advance_follow_up", at=lead.received_at)

    told = [counter.enter(then="team")["headers"]["Location"].partition("?")[2] for _ in range(2)]

    assert told == ["told=joined"] * 2


def test_sent_twice_it_is_one_lead(counter: Counter) -> None:
    first, second = counter.entered(), counter.entered()

    assert first.lead_id == second.lead_id
    assert counter.types(second) == ["LeadCaptured", "LeadAssigned", "LeadAcknowledged"]


def test_mended_and_sent_again_it_is_more_of_the_same_person(counter: Counter) -> None:
    first, second = counter.entered(), counter.entered(message="By Monday")

    assert first.lead_id == second.lead_id
    assert second.submissions == 2
    assert counter.types(second)[3:] == ["LeadResubmitted"]


@pytest.mark.parametrize(("then", "owner"), [("call", "boris"), ("team", "boris")])
def test_it_joins_a_colleagues_open_lead_and_leaves_it_to_them(
    counter: Counter, then: str, owner: str
) -> None:
    theirs = counter.entered(then="team")
    counter.viewer = BORIS
    counter.send(
        "POST",
        f"/r/{counter.code}",
        urlencode({"action": "take", "action_id": "6f" * 16, "lead_id": theirs.lead_id}),
    )
    counter.viewer = ANNA

    answer = counter.enter(then=then, message="Asks again", action_id="7f" * 16)

    code = re.fullmatch(r"/r/(\w{12})\?told=joined", answer["headers"]["Location"])
    assert code is not None
    lead = counter.leads.lead(theirs.lead_id)
    assert lead is not None
    assert (lead.rep_id, lead.submissions) == (owner, 2)
    shown = counter.send("GET", f"/r/{code[1]}", queryStringParameters={"told": "joined"})
    assert "The person has an open lead already" in text_of(shown["body"])


def test_who_has_talked_to_a_colleagues_customer_has_the_lead(counter: Counter) -> None:
    theirs = counter.entered()
    counter.viewer = BORIS

    lead = counter.entered(then="talked", action_id="7f" * 16)

    assert (lead.lead_id, lead.rep_id, lead.attempts) == (theirs.lead_id, "boris", 1)
    assert counter.types(lead)[3:] == [
        "LeadResubmitted",
        "LeadReassigned",
        "LeadAttempted",
        "LeadContacted",
    ]


@pytest.mark.parametrize("then", ["call", "talked", "team"])
def test_another_teams_lead_is_joined_and_stays_theirs(counter: Counter, then: str) -> None:
    submission = a_submission(77, phone="+447700900777")
    theirs = counter.filing.capture(submission, captured(submission, team="support"))

    answer = counter.enter(then=then)

    assert answer["headers"]["Location"].endswith("?told=added")
    lead = counter.leads.lead(theirs.lead_id)
    assert lead is not None
    assert (lead.team, lead.rep_id, lead.submissions) == ("support", None, 2)
    assert lead.awaits_attempt
    assert lead in counter.leads.open_leads("support", [None])


@pytest.mark.parametrize("then", ["call", "talked", "team"])
def test_whoever_enters_a_lead_outside_opening_hours_promises_nothing(
    counter: Counter, then: str
) -> None:
    in_two_days = datetime.now(UTC) + timedelta(days=2)
    week = {f"{in_two_days:%a}".lower(): ["10:00-18:00"]}
    counter.policies = FakePolicies(Calendar.model_validate({"zone": "UTC", "week": week}))

    lead = counter.entered(then=then)

    assert lead.promised_by is None


def test_what_was_called_already_is_filed_and_stays_as_it_is(counter: Counter) -> None:
    counter.entered(then="talked")

    lead = counter.entered(action_id="7f" * 16)

    assert counter.types(lead)[-1] == "LeadResubmitted"
    assert (lead.submissions, lead.attempts) == (2, 1)


@pytest.mark.parametrize(
    ("typed", "field", "says"),
    [
        ({"phone": ""}, "phone", "Enter a phone number or an e-mail address."),
        ({"phone": "  ", "email": "\t"}, "phone", "Enter a phone number"),
        ({"phone": "call me"}, "phone", "Check the phone number: it should look like"),
        ({"email": "at home"}, "email", "Check the e-mail address"),
        ({"name": "x" * 201}, "name", "Shorten this to 200 characters."),
        ({"form_id": "elsewhere"}, "form_id", "Choose what it is about."),
        ({"came": "pigeon"}, "came", "Choose how the person came."),
        ({"then": ""}, "then", "Choose how it goes on."),
    ],
)
def test_what_is_refused_is_said_beside_its_field_and_nothing_is_lost(
    counter: Counter, typed: dict[str, str], field: str, says: str
) -> None:
    code = counter.code
    before = counter.everything()

    answer = counter.send("POST", f"/r/{code}/new", urlencode({**TYPED, **typed}))

    assert answer["statusCode"] == 422
    page = answer["body"]
    assert f'id="{field}-error">{says}' in page.replace("&#34;", '"')
    assert f'href="#{field}"' in page
    assert f'id="{field}"' in page
    assert f'aria-describedby="{field}-error"' in page
    for name in {"name", "company", "email"} - typed.keys():
        assert f'name="{name}" value="{TYPED[name]}"'.replace("'", "&#39;") in page
    assert TYPED["message"] in page
    assert 'value="call" id="then" required checked' in page or "then" in typed
    assert counter.everything() == before


def test_several_mistakes_are_told_at_once(counter: Counter) -> None:
    page = counter.enter(phone="?", email="?", form_id="", came="", then="")["body"]

    assert page.count('class="error"') == 5


def test_a_form_of_another_team_or_of_the_canary_cannot_be_chosen(counter: Counter) -> None:
    form = counter.policies.documents["form/demo-en"]
    for update in ({"team": "support"}, {"is_test": True}):
        other = form.model_copy(update=update)
        counter.policies.documents = {**counter.policies.documents, "form/demo-en": other}
        page = counter.send("GET", f"/r/{counter.code}/new")["body"]
        assert "Your team has no form" in text_of(page)
        assert counter.enter()["statusCode"] == 422


@pytest.mark.parametrize("words", HOSTILE[::40])
def test_hostile_words_stay_words(counter: Counter, words: str) -> None:
    typed = dict.fromkeys(("name", "company", "message", "email"), words)

    plain = counter.enter(**{**dict.fromkeys(typed, "x"), "phone": "?"})["body"]
    page = counter.enter(**typed, phone="?")["body"]

    assert skeleton(page) == skeleton(plain)


def test_the_page_speaks_the_viewers_language(counter: Counter) -> None:
    counter.viewer = a_rep("anna", locale="ru")
    counter.people.put_rep(counter.viewer)

    page = text_of(counter.enter(phone="")["body"])

    for words in ("Добавить лид", "Укажите телефон или почту.", "Я перезвоню", "По телефону"):
        assert words in page
