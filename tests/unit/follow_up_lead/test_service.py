"""Who may see what behind a link, and that what a person did is recorded once and never lost."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from follow_up_lead.service import Acted, act_on_lead, see_lead
from follow_up_lead.team import see_list
from shared.domain import events as happened
from shared.domain.calendar import Calendar
from shared.domain.lead import Lead
from shared.domain.roster import Rep
from shared.domain.typed_action import CURRENCIES, NOTE_LENGTH, read_sum, usual_currency
from shared.errors import LeadChangedError, UnknownLinkError
from shared.races import TRIES
from tests.unit.domain.samples import ANNA, BORIS, MARIA, a_lead, a_rep, at
from tests.unit.follow_up_lead.fakes import LEAD_CODE, LIST_CODE, FakeLeads, parts_on

ACTION_ID = "5e" * 16


@pytest.fixture
def leads() -> FakeLeads:
    return FakeLeads()


@pytest.fixture
def lead(leads: FakeLeads) -> Lead:
    """A lead of Anna's, who has a link to it."""
    lead = leads.add(a_lead())
    leads.link_to(LEAD_CODE, ANNA, lead)
    return leads.happen(lead, at(1), happened.LeadAssigned(rep_id="anna", rule="round_robin"))


def post(leads: FakeLeads, action: str, code: str = LEAD_CODE, **posted: str) -> Acted:
    form = {"action_id": ACTION_ID, "action": action, **posted}
    return act_on_lead(code, form, parts_on(leads), at(60))


def now(leads: FakeLeads, lead: Lead) -> Lead:
    return leads.stories[lead.lead_id].lead


def types(leads: FakeLeads, lead: Lead) -> list[str]:
    return [recorded.event.type for recorded in leads.stories[lead.lead_id].events]


# --- who sees what -----------------------------------------------------------------------------


def test_a_link_shows_its_lead_to_its_person(leads: FakeLeads, lead: Lead) -> None:
    seen = see_lead(LEAD_CODE, parts_on(leads), at(5))

    assert (seen.viewer, seen.story.lead.lead_id) == (ANNA, lead.lead_id)
    assert seen.refusal is None


@pytest.mark.usefixtures("lead")
@pytest.mark.parametrize("code", ["", "Anna00000009", LIST_CODE, "anna00000001", "x" * 300])
def test_a_code_that_opens_no_lead_is_unknown(leads: FakeLeads, code: str) -> None:
    leads.link_to(LIST_CODE, ANNA)

    with pytest.raises(UnknownLinkError):
        see_lead(code, parts_on(leads), at(5))
    with pytest.raises(UnknownLinkError):
        post(leads, "talked", code)


@pytest.mark.usefixtures("lead")
def test_a_lead_link_opens_no_list(leads: FakeLeads) -> None:
    with pytest.raises(UnknownLinkError):
        see_list(LEAD_CODE, parts_on(leads), at(5))


@pytest.mark.usefixtures("lead")
def test_a_link_expires(leads: FakeLeads) -> None:
    with pytest.raises(UnknownLinkError):
        see_lead(LEAD_CODE, parts_on(leads), at(0) + timedelta(days=15))


@pytest.mark.usefixtures("lead")
@pytest.mark.parametrize(
    "left", [(BORIS,), (a_rep("anna", active=False), BORIS), (a_rep("anna", team="support"),)]
)
def test_who_has_left_the_team_sees_nothing(leads: FakeLeads, left: tuple[Rep, ...]) -> None:
    leads.reps = left

    with pytest.raises(UnknownLinkError):
        see_lead(LEAD_CODE, parts_on(leads), at(5))


def test_a_lead_that_was_erased_or_went_to_another_team_is_unknown(
    leads: FakeLeads, lead: Lead
) -> None:
    story = leads.stories[lead.lead_id]
    for gone in (None, story._replace(lead=lead.model_copy(update={"team": "support"}))):
        leads.stories.pop(lead.lead_id, None)
        if gone:
            leads.stories[lead.lead_id] = gone
        with pytest.raises(UnknownLinkError):
            see_lead(LEAD_CODE, parts_on(leads), at(5))
        with pytest.raises(UnknownLinkError):
            post(leads, "talked")
    assert leads.writes == 1


def open_leads(leads: FakeLeads) -> None:
    def add(name: str, received: float, rep_id: str | None, **fields: object) -> None:
        leads.add(
            a_lead(
                lead_id=name,
                received_at=at(received),
                respond_by=at(received + 300),
                rep_id=rep_id,
                **fields,
            )
        )

    add("talked", -900, "anna", first_attempt_at=at(-800), contacted_at=at(-800))
    add("no answer", -1000, "anna", first_attempt_at=at(-800))
    add("waiting", -100, "anna")
    add("waiting less", -50, None)
    add("late", -400, "boris")
    add("later", -500, "anna")
    add("closed", -600, "anna", status="closed", outcome="lost")
    add("elsewhere", -600, "anna", team="support")


def test_a_manager_sees_the_teams_open_leads_by_urgency(leads: FakeLeads) -> None:
    open_leads(leads)
    leads.link_to(LIST_CODE, MARIA)

    seen = see_list(LIST_CODE, parts_on(leads), at(0))

    assert [listed.lead.lead_id for listed in seen.leads] == [
        "later",
        "late",
        "waiting less",
        "waiting",
        "no answer",
        "talked",
    ]


def test_a_rep_sees_their_own_and_what_nobody_has(leads: FakeLeads) -> None:
    open_leads(leads)
    leads.link_to(LIST_CODE, BORIS)

    late, free = see_list(LIST_CODE, parts_on(leads), at(0)).leads
    assert (late.lead.lead_id, late.stage, late.is_free) == ("late", "late", False)
    assert (free.lead.lead_id, free.stage, free.is_free) == ("waiting less", "free", True)


AGREED = at(3600)


def a_callback(leads: FakeLeads) -> None:
    """Talked to in time, and to be called once more an hour after the lead came."""
    lead = leads.add(a_lead(rep_id="anna"))
    talked = (
        happened.LeadAttempted(rep_id="anna", result="talked"),
        happened.LeadContacted(rep_id="anna"),
    )
    leads.happen(lead, at(60), *talked)
    leads.happen(lead, at(90), happened.LeadSnoozed(rep_id="anna", until=AGREED))


@pytest.mark.parametrize(
    ("seconds", "stage", "since"),
    [
        (100, "waiting", at(0)),
        (3599, "waiting", at(0)),
        (3600, "waiting", AGREED),
        (3899, "waiting", AGREED),
        (3900, "late", AGREED),
    ],
)
def test_an_agreed_call_waits_until_it_is_as_late_as_a_first_one_would_be(
    leads: FakeLeads, seconds: float, stage: str, since: datetime
) -> None:
    a_callback(leads)
    leads.link_to(LIST_CODE, ANNA)

    (listed,) = see_list(LIST_CODE, parts_on(leads), at(seconds)).leads

    assert (listed.stage, listed.call_by, listed.since) == (stage, at(3900), since)


@pytest.mark.usefixtures("lead")
def test_a_lead_that_begins_anew_without_a_call_is_as_late_as_it_was(leads: FakeLeads) -> None:
    (story,) = leads.stories.values()
    leads.happen(story.lead, at(200), happened.LeadRejected(rep_id="anna", reason="data.spam"))
    leads.happen(story.lead, at(400), happened.LeadReopened(rep_id="anna"))
    leads.link_to(LIST_CODE, ANNA)

    (listed,) = see_list(LIST_CODE, parts_on(leads), at(401)).leads

    assert (listed.stage, listed.since) == ("late", at(0))


@pytest.mark.usefixtures("lead")
def test_a_late_first_call_that_was_put_off_waits_for_the_agreed_time(leads: FakeLeads) -> None:
    (story,) = leads.stories.values()
    leads.happen(story.lead, at(300), happened.ResponseBreached(step="breach"))
    leads.happen(story.lead, at(400), happened.LeadSnoozed(rep_id="anna", until=AGREED))
    leads.link_to(LIST_CODE, ANNA)

    before, after = (see_list(LIST_CODE, parts_on(leads), at(s)).leads[0] for s in (3599, 3600))

    assert (before.stage, after.stage) == ("waiting", "late")


def test_time_in_opening_hours_is_by_the_calendar_of_the_lead(leads: FakeLeads) -> None:
    calendar = Calendar.model_validate({"zone": "UTC", "week": {"fri": ["09:00-10:00"]}})
    leads.add(a_lead(rep_id="anna"))
    leads.link_to(LIST_CODE, ANNA)

    (listed,) = see_list(LIST_CODE, parts_on(leads, calendar), at(7200)).leads

    assert listed.business_seconds == 3600


def test_a_calendar_that_never_opens_again_leaves_the_agreed_time(leads: FakeLeads) -> None:
    fair = Calendar.model_validate({"zone": "UTC", "exceptions": {"2026-11-20": ["09:00-09:30"]}})
    a_callback(leads)
    leads.link_to(LIST_CODE, ANNA)

    (listed,) = see_list(LIST_CODE, parts_on(leads, fair), at(3600)).leads

    assert (listed.stage, listed.call_by) == ("late", AGREED)


def test_a_lead_whose_policy_cannot_be_read_hides_no_other(leads: FakeLeads) -> None:
    for form_id in ("demo-en", "gone"):
        leads.add(a_lead(lead_id=form_id, form_id=form_id, rep_id="anna"))
    leads.link_to(LIST_CODE, ANNA)

    found = see_list(LIST_CODE, parts_on(leads), at(60)).leads

    assert {listed.lead.form_id: listed.business_seconds for listed in found} == {
        "demo-en": 60,
        "gone": None,
    }
    assert {listed.stage for listed in found} == {"waiting"}


def test_looking_changes_nothing(leads: FakeLeads, lead: Lead) -> None:
    before = leads.stories[lead.lead_id]
    leads.link_to(LIST_CODE, ANNA)

    see_lead(LEAD_CODE, parts_on(leads), at(5))
    see_list(LIST_CODE, parts_on(leads), at(5))

    assert leads.stories[lead.lead_id] is before


# --- what a person did -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "posted", "recorded"),
    [
        ("acknowledge", {}, ["LeadAcknowledged"]),
        ("no_answer", {}, ["LeadAttempted"]),
        ("voicemail", {}, ["LeadAttempted"]),
        ("talked", {}, ["LeadAttempted", "LeadContacted"]),
        ("talked", {"note": " Call back at 11 "}, ["LeadAttempted", "LeadContacted", "NoteAdded"]),
        ("reject", {"reason": "fit.region"}, ["LeadRejected"]),
        ("reject", {"reason": "other", "note": "A neighbour"}, ["LeadRejected", "NoteAdded"]),
        ("lose", {"reason": "deal.price"}, ["LeadAttempted", "LeadContacted", "DealLost"]),
        (
            "win",
            {"amount": "1 200,50", "currency": "EUR"},
            ["LeadAttempted", "LeadContacted", "DealWon"],
        ),
    ],
)
def test_what_a_person_did_is_recorded(
    leads: FakeLeads, lead: Lead, action: str, posted: dict[str, str], recorded: list[str]
) -> None:
    acted = post(leads, action, **posted)

    assert acted.refused is None
    assert acted.codes == {"lead_id": lead.lead_id, "rep_id": "anna", "action": action}
    assert types(leads, lead)[2:] == recorded
    assert {event.actor for event in leads.stories[lead.lead_id].events[2:]} == {"anna"}
    assert [note.text for note in leads.stories[lead.lead_id].notes] == [
        posted["note"].strip() for _ in range("note" in posted)
    ]


def test_a_sum_is_kept_as_money(leads: FakeLeads, lead: Lead) -> None:
    post(leads, "win", amount="1 200,50", currency="USD")

    assert (now(leads, lead).amount, now(leads, lead).currency) == (Decimal("1200.50"), "USD")


def test_a_form_sent_again_counts_once(leads: FakeLeads, lead: Lead) -> None:
    for _ in range(3):
        assert post(leads, "no_answer").refused is None

    assert now(leads, lead).attempts == 1
    assert leads.writes == 2


def test_a_form_sent_again_after_it_closed_the_lead_is_no_error(
    leads: FakeLeads, lead: Lead
) -> None:
    for _ in range(2):
        assert post(leads, "reject", reason="data.spam").refused is None

    assert types(leads, lead).count("LeadRejected") == 1


def test_another_button_of_the_same_page_is_another_action(leads: FakeLeads, lead: Lead) -> None:
    post(leads, "no_answer")
    post(leads, "talked")

    assert now(leads, lead).attempts == 2


def test_whoever_acts_owns_the_lead(leads: FakeLeads, lead: Lead) -> None:
    leads.link_to("Boris0000001", BORIS, lead)

    post(leads, "talked", "Boris0000001")

    assert now(leads, lead).rep_id == "boris"
    assert "LeadReassigned" in types(leads, lead)


@pytest.mark.parametrize(
    ("action", "posted", "reason"),
    [
        ("talked", {"action_id": ""}, "stale_page"),
        ("talked", {"action_id": "5E" * 16}, "stale_page"),
        ("talked", {"action_id": "5e" * 17}, "stale_page"),
        ("", {}, "unknown_action"),
        ("erase", {}, "unknown_action"),
        ("talked", {"note": "x" * (NOTE_LENGTH + 1)}, "note_too_long"),
        ("reject", {}, "reason_needed"),
        ("reject", {"reason": "deal.price"}, "reason_needed"),
        ("reject", {"reason": "other", "note": "  "}, "note_needed"),
        ("lose", {"reason": "fit.region"}, "reason_needed"),
        ("win", {"currency": "EUR"}, "amount_needed"),
        ("win", {"amount": "a lot", "currency": "EUR"}, "amount_needed"),
        ("win", {"amount": "-5", "currency": "EUR"}, "amount_needed"),
        ("win", {"amount": "NaN", "currency": "EUR"}, "amount_needed"),
        ("win", {"amount": "1e9", "currency": "EUR"}, "amount_needed"),
        ("win", {"amount": "5"}, "currency_needed"),
        ("win", {"amount": "5", "currency": "eur"}, "currency_needed"),
    ],
)
def test_what_cannot_be_is_refused_and_not_recorded(
    leads: FakeLeads, lead: Lead, action: str, posted: dict[str, str], reason: str
) -> None:
    before = leads.stories[lead.lead_id]

    acted = post(leads, action, **posted)

    assert acted.refused is not None
    assert acted.refused.refusal is not None
    assert acted.refused.refusal.reason == reason
    assert acted.codes == {"lead_id": lead.lead_id, "rep_id": "anna", "refusal": reason}
    assert leads.stories[lead.lead_id] is before


def test_a_closed_lead_takes_no_action(leads: FakeLeads, lead: Lead) -> None:
    leads.happen(lead, at(30), happened.DealLost(rep_id="boris", reason="deal.price"))

    acted = post(leads, "talked")

    assert acted.codes["refusal"] == "closed"


def test_clocks_are_read_by_the_version_that_the_lead_came_under(leads: FakeLeads) -> None:
    lead = leads.add(a_lead(policy_version=7, rep_id="anna", assigned_at=at(0)))
    leads.link_to(LEAD_CODE, ANNA, lead)

    (running, *_) = see_lead(LEAD_CODE, parts_on(leads), at(30)).clocks
    assert (running.policy_version, running.stopped_at) == (7, None)
    post(leads, "no_answer")

    stopped = now(leads, lead).readings["response"]
    assert (stopped.policy_version, stopped.calendar, stopped.stopped_at) == (7, "hours", at(60))
    assert see_lead(LEAD_CODE, parts_on(leads), at(9000)).clocks[0] == stopped


# --- races -------------------------------------------------------------------------------------


class Rival:
    """Writes the lead just before the person's own write, so many times."""

    def __init__(self, leads: FakeLeads, lead: Lead, times: int, *events: happened.LeadEvent):
        self.leads, self.lead, self.times, self.events = leads, lead, times, events
        leads.before_record = self.write

    def write(self) -> None:
        if self.times:
            self.times -= 1
            self.leads.happen(self.lead, at(59), *self.events)


def test_a_person_never_loses_to_a_machine(leads: FakeLeads, lead: Lead) -> None:
    Rival(leads, lead, TRIES - 1, happened.ResponseBreached(step="breach"))

    acted = post(leads, "no_answer")

    assert acted.refused is None
    assert now(leads, lead).attempts == 1
    assert types(leads, lead).count("ResponseBreached") == TRIES - 1


def test_who_reads_again_judges_again(leads: FakeLeads, lead: Lead) -> None:
    Rival(leads, lead, 1, happened.DealLost(rep_id="boris", reason="deal.price"))

    acted = post(leads, "talked")

    assert acted.codes["refusal"] == "closed"
    assert types(leads, lead)[-1] == "DealLost"


def test_a_lead_that_never_stands_still_is_an_error_that_says_so(
    leads: FakeLeads, lead: Lead
) -> None:
    Rival(leads, lead, TRIES, happened.ResponseBreached(step="breach"))
    pauses: list[float] = []

    with pytest.raises(LeadChangedError):
        act_on_lead(
            LEAD_CODE,
            {"action_id": ACTION_ID, "action": "talked"},
            parts_on(leads, pause=pauses.append),
            at(60),
        )

    assert now(leads, lead).attempts == 0
    assert len(pauses) == TRIES - 1
    assert max(pauses) < 1


# --- sums --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        ("0", "0"),
        ("1200", "1200"),
        ("1200.5", "1200.50"),
        ("1 200,50", "1200.50"),
        ("1\u00a0200\u202f000", "1200000"),
        ("1,200.50", "1200.50"),
        ("1.200,50", "1200.50"),
        ("1,200", "1200"),
        ("1.200.000", "1200000"),
        ("1'200.50", "1200.50"),
        ("999999999999.99", "999999999999.99"),
    ],
)
def test_a_sum_as_people_type_it(typed: str, amount: str) -> None:
    assert read_sum(typed) == Decimal(amount)


@pytest.mark.parametrize(
    "typed",
    ["", " ", "-1", "1e3", "inf", "NaN", "0.500", "1,2,3", "1.2345", "12 EUR", "١٢", "9" * 13, "."],
)
def test_what_is_no_sum(typed: str) -> None:
    assert read_sum(typed) is None


@given(st.text(max_size=30) | st.from_regex(r"[0-9 .,']{1,20}", fullmatch=True))
def test_a_sum_is_finite_and_never_below_zero(typed: str) -> None:
    amount = read_sum(typed)

    assert amount is None or (amount.is_finite() and 0 <= amount < 10**12)


def test_currencies_are_codes() -> None:
    assert all(len(code) == 3 and code.isupper() for code in CURRENCIES)


# --- another time, another person ----------------------------------------------------------------


def test_an_agreed_time_is_that_of_the_person_who_types_it(leads: FakeLeads, lead: Lead) -> None:
    leads.reps = (a_rep("anna", zone="Asia/Kathmandu"), BORIS, MARIA)

    acted = post(leads, "snooze", until="2026-11-21T10:00")

    assert acted.refused is None
    assert now(leads, lead).snoozed_until == datetime(2026, 11, 21, 4, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("posted", "reason"),
    [
        ({"action": "snooze"}, "time_needed"),
        ({"action": "snooze", "until": "tomorrow"}, "time_needed"),
        ({"action": "snooze", "until": "2026-11-21T10:00Z"}, "time_needed"),
        ({"action": "snooze", "until": "2026-11-20T08:00"}, "time_needed"),
        ({"action": "hand_over"}, "person_needed"),
        ({"action": "hand_over", "to_rep_id": "anna"}, "person_needed"),
        ({"action": "hand_over", "to_rep_id": "nobody"}, "person_needed"),
        ({"action": "hand_over", "to_rep_id": "left"}, "person_needed"),
        ({"action": "reopen"}, "open"),
    ],
)
def test_a_time_or_a_person_that_cannot_be_is_refused(
    leads: FakeLeads, lead: Lead, posted: dict[str, str], reason: str
) -> None:
    leads.reps = (ANNA, BORIS, MARIA, a_rep("left", active=False))

    acted = post(leads, **posted)

    assert acted.refused is not None
    assert acted.refused.refusal is not None
    assert acted.refused.refusal.reason == reason
    assert leads.writes == 1


def test_a_lead_is_handed_to_a_colleague(leads: FakeLeads, lead: Lead) -> None:
    assert post(leads, "hand_over", to_rep_id="boris", note="Speaks Czech").refused is None

    assert now(leads, lead).rep_id == "boris"
    assert types(leads, lead)[-2:] == ["LeadReassigned", "NoteAdded"]


def test_whoever_acts_has_answered(leads: FakeLeads, lead: Lead) -> None:
    leads.reps = (a_rep("anna", missed_pages=2), BORIS, MARIA)

    post(leads, "acknowledge")

    assert leads.changes[-1].answered_by == "anna"


@pytest.mark.parametrize(
    ("country", "locale", "currency"),
    [
        ("GB", "en", "GBP"),
        ("KZ", "ru", "KZT"),
        ("DE", "ru", "EUR"),
        (None, "ru", "RUB"),
        (None, "en", "EUR"),
    ],
)
def test_the_currency_that_somebody_most_likely_pays_in_stands_first(
    country: str | None, locale: str, currency: str
) -> None:
    assert usual_currency(country, locale) == currency
    assert currency in CURRENCIES
