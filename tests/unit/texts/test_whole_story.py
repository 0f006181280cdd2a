"""The whole story of a lead in words."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.domain import events as happened
from shared.domain.attribution import CHANNELS, Touch
from shared.domain.clocks import Terms
from shared.domain.events import LeadEvent, RecordedEvent
from shared.domain.lead import Lead, Note
from shared.domain.submission import NamedFile, Submission
from shared.texts import origin
from shared.texts.clocks import Reader
from shared.texts.whole_story import Fact, Known, WholeStory, who, whole_story
from tests.unit.adapters.samples import a_submission
from tests.unit.domain.samples import TERMS, a_lead, at

NAMES = {"anna": "Анна-Мария О'Нил 👋", "boris": "Boris"}


def known(
    *events: LeadEvent,
    lead: Lead | None = None,
    actor: str = "advance_follow_up",
    notes: tuple[Note, ...] = (),
    submissions: tuple[Submission, ...] = (),
    terms: Terms | None = TERMS,
) -> Known:
    recorded = [
        RecordedEvent(
            lead_id="a" * 32,
            sequence=number,
            at=at(number * 60),
            actor=actor,
            form_id="demo-en",
            channel="Direct",
            event=event,
        )
        for number, event in enumerate(events, start=1)
    ]
    return Known(lead or a_lead(), recorded, notes, submissions, terms, NAMES)


def told(known: Known, seconds: float = 3600, locale: str = "en") -> WholeStory:
    return whole_story(known, Reader("UTC", at(seconds), locale))


CAPTURED = happened.LeadCaptured(
    submission_id="s" * 32,
    form_id="demo-en",
    channel="Direct",
    team="sales",
    verdict="raw",
    failed_criteria=("has_need",),
    policy_version=1,
    respond_by=at(300),
    promised_by=at(600),
    waited_seconds=Decimal(7200),
)


@pytest.mark.parametrize(
    ("event", "details"),
    [
        (
            CAPTURED,
            [
                "Lacks a part of the definition (has_need)",
                "call promised by 09:10",
                "waited 2 h in the intake",
            ],
        ),
        (
            happened.LeadResubmitted(
                submission_id="s",
                form_id="f",
                channel="c",
                verdict="non_target",
                respond_by=at(0),
            ),
            ["Not a target customer"],
        ),
        (
            happened.LeadAssigned(rep_id="anna", rule="everybody", passed_over=("a", "b")),
            ["by the rule everybody", "nobody was there for a, b"],
        ),
        (happened.LeadAssigned(rep_id="anna", rule="took_over"), []),
        (
            happened.AssignmentFailed(reason="all_at_their_cap", rule="everybody"),
            ["all are at their daily cap", "by the rule everybody"],
        ),
        (happened.AssignmentFailed(reason="nobody_on_duty"), []),
        (
            happened.LeadReassigned(from_rep_id="anna", to_rep_id="boris", reason="no_reaction"),
            ["there was no reaction in time"],
        ),
        (
            happened.LeadReassigned(from_rep_id="anna", to_rep_id="boris", reason="left"),
            ["the owner has left"],
        ),
        (
            happened.LeadReassigned(from_rep_id="anna", to_rep_id="boris", reason="handed_over"),
            [],
        ),
        (happened.LeadAcknowledged(rep_id="anna", until=at(300)), ["until 09:05"]),
        (happened.LeadAcknowledged(rep_id="anna"), []),
        (happened.LeadSnoozed(rep_id="anna", until=at(86400)), []),
        (
            happened.LeadAttempted(
                rep_id="anna", result="no_answer", after_seconds=Decimal("42.5"), in_time=True
            ),
            ["after 42 s", "in time"],
        ),
        (
            happened.LeadAttempted(
                rep_id="anna", result="talked", after_seconds=Decimal(400), in_time=False
            ),
            ["after 6 min", "late"],
        ),
        (happened.LeadAttempted(rep_id="anna", result="talked"), []),
        (
            happened.ResponseBreached(step="breach", promise_broken=True),
            ["the visitor was promised a call by then"],
        ),
        (happened.ResponseBreached(step="breach"), []),
        (
            happened.LeadReplanned(former_version=3, policy_version=4),
            ["version 3, now 4"],
        ),
    ],
)
def test_an_event_tells_what_an_operator_asks(event: LeadEvent, details: list[str]) -> None:
    (line,) = told(known(event)).happened

    assert line.details == details


def test_people_are_called_by_their_names_and_who_left_by_their_id() -> None:
    event = happened.LeadReassigned(from_rep_id="gone", to_rep_id="anna", reason="handed_over")
    (line,) = told(known(event)).happened

    assert line.people == ["gone, a former colleague", "Анна-Мария О'Нил 👋"]


def test_what_an_operator_recorded_says_so() -> None:
    note = Note(note_id="n", author="anna", at=at(60), text="Call\u202e back\n\n\nlater")
    did = known(
        happened.LeadAttempted(rep_id="anna", result="talked"),
        happened.NoteAdded(note_id="n"),
        actor="operator olga",
        notes=(note,),
    )
    call, words = told(did).happened

    assert call.details == words.details == ["recorded by the operator olga"]
    assert words.people == ["Анна-Мария О'Нил 👋"], "who said it, not who typed it"
    assert words.note == "Call back\n\nlater"


def test_each_alert_says_to_whom_how_and_what_became_of_it() -> None:
    def asked(alert_id: str, kind: happened.AlertKind, via: happened.Via) -> LeadEvent:
        return happened.AlertRequested(
            alert_id=alert_id, round=1, step="new", kind=kind, rep_id="anna", via=via
        )

    story = told(
        known(
            CAPTURED,
            asked("1", "new", "sms"),
            asked("2", "new", "email"),
            happened.AlertSent(alert_id="1", rep_id="anna", via="sms", message_id="m"),
            happened.AlertFailed(alert_id="2", rep_id="anna", via="email", reason="unreachable"),
            asked("3", "backup", "sms"),
            happened.LeadAttempted(rep_id="anna", result="voicemail"),
            asked("4", "again", "sms"),
        )
    )

    assert [(line.headline, line.via, line.became, line.says) for line in story.told] == [
        ("New lead", "SMS", "sent", "sent after 2 min"),
        (
            "New lead",
            "E-mail",
            "failed",
            "refused: there is no number or address, or the person has left",
        ),
        (
            "Please step in",
            "SMS",
            "dropped",
            "not needed any more: Called, left a message",
        ),
        ("Asked again", "SMS", "pending", "not sent yet"),
    ]
    assert {line.person for line in story.told} == {"Анна-Мария О'Нил 👋"}


def test_an_alert_that_the_machinery_dropped_says_so() -> None:
    asked = happened.AlertRequested(
        alert_id="1", round=1, step="new", kind="new", rep_id="anna", via="sms"
    )
    called = happened.LeadAttempted(rep_id="anna", result="talked")
    story = told(known(CAPTURED, called, asked))

    assert [line.says for line in story.told] == ["not needed any more: its reason was gone"]


def facts(story: WholeStory) -> dict[str, str]:
    return dict(story.facts)


def test_a_lead_tells_what_is_known_and_nothing_else() -> None:
    story = told(known(lead=a_lead(rep_id="anna", promised_by=at(900))), seconds=60)

    assert story.title == "Ada Lovelace"
    assert story.state.text == "New"
    assert (story.clock.text, story.clock.detail) == ("Call by 09:05", "4 minutes left")
    assert " ".join(story.waited.split()) == "waiting 1 min, all of it in opening hours"
    assert facts(story) == {
        "Phone": "+44 7700 900123",
        "E-mail": "ada@example.com",
        "Owner": "Анна-Мария О'Нил 👋",
        "Team": "sales",
        "Form": "Free consultation",
        "Channel": "Direct",
        "Verdict": "Meets the definition",
        "Received": "09:00",
        "Call by": "09:05",
        "Call promised by": "09:15",
        "Policy": "version 1",
        "Lead": "a" * 32,
    }
    assert [row.name for row in story.clocks] == [
        "First call",
        "Somebody is on it",
        "First talk",
        "Outcome",
    ]


def test_a_closed_lead_tells_what_it_came_to() -> None:
    fields: dict[str, Any] = {"status": "closed", "closed_at": at(600), "phone": None}
    won = a_lead(outcome="won", amount=Decimal(1200), currency="EUR", **fields)
    lost = a_lead(outcome="lost", reason="deal.price", previous_lead_id="b" * 32, **fields)

    assert facts(told(known(lead=won)))["Amount"] == "1,200 EUR"
    closed = facts(told(known(lead=lost)))
    assert (closed["Reason"], closed["Earlier lead"]) == ("Price", "b" * 32)
    assert (closed["Owner"], closed.get("Call by")) == ("Nobody yet", None)
    assert told(known(lead=lost)).waited == ""


def test_without_its_policy_a_lead_keeps_the_clocks_that_were_stopped() -> None:
    reading = TERMS.read(a_lead(), at(60))[0].model_copy(update={"stopped_at": at(60)})
    story = told(known(lead=a_lead(readings={"response": reading}), terms=None))

    assert [(row.name, row.remark) for row in story.clocks] == [("First call", "in time")]
    assert story.waited == "waiting 1 h"


@pytest.mark.parametrize(
    ("fields", "title"),
    [({}, "Ada Lovelace"), ({"name": None}, "+447700900123"), ({"name": "A\u202e\nB"}, "A B")],
)
def test_somebody_is_called_by_what_is_known(fields: dict[str, Any], title: str) -> None:
    assert who(a_lead(**fields)) == title


def test_somebody_of_whom_nothing_is_known_has_no_name() -> None:
    nobody = a_lead(name=None, phone=None, email=None)

    assert told(known(lead=nobody)).title == "No name given"


def test_a_submission_tells_every_answer_and_where_it_came_from() -> None:
    sent = a_submission(
        values={
            "name": "Ada",
            "message": "One\nTwo",
            "bud\x1b[31mget\n": "10\x07 000",
            "empty": " ",
        },
        touch=Touch(
            basis="utm",
            source="google",
            medium="cpc",
            campaign="autumn",
            content="banner",
            term="crm",
            click_id_kind="gclid",
            click_id="secret-click",
            referrer="news.example/a",
            landing_page="https://ours.net/price",
        ),
        first_touch=Touch(basis="utm", source="vk", landing_page="https://ours.net/"),
        page_url="https://ours.net/price",
        channel="Paid Search",
        channel_rule="utm: paid",
        aliased_channel="Yandex Ads",
        aliased_channel_rule="alias",
        untagged=True,
        attachments=(NamedFile("cv", "cv.pdf", "application/pdf", 9),),
    )
    (story,) = told(known(submissions=(sent,))).sent

    assert (story.time, story.form) == ("09:00", "Free consultation")
    assert story.answers == [
        Fact("Name", "Ada"),
        Fact("Message", "One\nTwo"),
        Fact("bud[31mget", "10 000"),
    ]
    assert dict(story.origin) == {
        "Channel": "Yandex Ads (alias)",
        "Channel by Google": "Paid Search (utm: paid)",
        "Source": "google / cpc / autumn",
        "Ad": "banner / crm",
        "Click id": "gclid",
        "Came from": "news.example/a",
        "Landed on": "https://ours.net/price",
        "Tags": "none, and the visit may have cost money",
        "First visit": "vk, https://ours.net/",
        "Page": "https://ours.net/price",
        "Sent through": "native",
        "Consent": "given 1",
        "Files, not kept": "cv.pdf",
    }


def test_a_plain_submission_tells_little() -> None:
    sent = a_submission(
        received_at=at(0) - timedelta(days=1), consent=False, consent_version=None, form_title=""
    )
    (story,) = told(known(submissions=(sent,))).sent

    assert (story.time, story.form) == ("19 Nov, 09:00", "demo-en")
    assert dict(story.origin) == {
        "Channel": "Direct",
        "Sent through": "native",
        "Consent": "not given",
    }


@pytest.mark.parametrize(
    ("locale", "facts_", "origin", "line"),
    [
        (
            "en",
            {"Source": "Walk-in"},
            {"Source": "Walk-in", "Sent through": "entered by hand"},
            ("Entered by hand", ["Boris"]),
        ),
        (
            "ru",
            {"Источник": "Личный визит"},
            {"Источник": "Личный визит", "Отправлено через": "внесено вручную"},
            ("Внесён вручную", ["Boris"]),
        ),
    ],
)
def test_what_was_entered_by_hand_tells_who_did_and_how_the_person_came(
    locale: str, facts_: dict[str, str], origin: dict[str, str], line: tuple[str, list[str]]
) -> None:
    by_hand: dict[str, Any] = {"came": "walk-in", "channel": "Unassigned"}
    lead = a_lead(**by_hand, source="walk-in / offline")
    story = told(
        known(
            CAPTURED.model_copy(update=by_hand),
            lead=lead,
            actor="boris",
            submissions=(a_submission(**by_hand, client="by_hand", consent=None),),
        ),
        locale=locale,
    )

    shown = facts(story)
    assert facts_.items() <= shown.items()
    assert not {"Channel", "Канал"} & shown.keys()
    assert dict(story.sent[0].origin) == origin
    assert (story.happened[0].text, story.happened[0].people) == line


@pytest.mark.parametrize("name", sorted(CHANNELS))
def test_every_channel_has_words(name: str) -> None:
    assert origin.channel(name, "en") == name
    assert name == "SMS" or origin.channel(name, "ru") != name


def test_the_story_is_told_in_russian() -> None:
    story = told(known(CAPTURED, actor="operator olga"), seconds=60, locale="ru")

    assert story.headings.sent == "Что прислали"
    assert story.happened[0].text == "Отправлена форма"
    assert story.happened[0].details[-1] == "внёс оператор olga"
    assert facts(story)["Оценка"] == "Отвечает определению"


def test_a_company_is_known_by_its_domain() -> None:
    assert (
        facts(told(known(lead=a_lead(company_domain="acme.example"))))["Company"] == "acme.example"
    )
