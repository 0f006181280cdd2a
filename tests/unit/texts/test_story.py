"""The story of a lead in words."""

from decimal import Decimal

import pytest

from shared.domain import events as happened
from shared.domain.actions import LOSS_REASONS, REJECTION_REASONS
from shared.domain.events import LeadEvent, RecordedEvent
from shared.domain.lead import Note
from shared.domain.standing import Hindrance
from shared.texts import words
from shared.texts.clocks import Reader
from shared.texts.story import Line, lines
from tests.unit.domain.samples import a_lead, at


def told(*events: LeadEvent, locale: str = "en", zone: str = "UTC", seconds: int = 0) -> list[Line]:
    recorded = [
        RecordedEvent(
            lead_id="a" * 32,
            sequence=number,
            at=at(number * seconds),
            actor=getattr(event, "rep_id", "advance_follow_up"),
            form_id="demo-en",
            channel="Direct",
            event=event,
        )
        for number, event in enumerate(events, start=1)
    ]
    return lines(recorded, [], Reader(zone, at(0), locale))


def sent(via: happened.Via, rep_id: str = "anna") -> happened.AlertSent:
    return happened.AlertSent(alert_id=via, rep_id=rep_id, via=via, message_id="m")


@pytest.mark.parametrize(
    ("event", "text", "people"),
    [
        (happened.LeadAssigned(rep_id="anna", rule="round_robin"), "Assigned", ("anna",)),
        (happened.LeadAssigned(rep_id="anna", rule="took_over"), "Taken", ("anna",)),
        (
            happened.LeadReassigned(from_rep_id="anna", to_rep_id="boris", reason="took_over"),
            "Taken over",
            ("anna", "boris"),
        ),
        (
            happened.LeadReassigned(from_rep_id="anna", to_rep_id="boris", reason="no_reaction"),
            "Reassigned",
            ("anna", "boris"),
        ),
        (happened.AssignmentFailed(reason="nobody_on_duty"), "Nobody was on duty", ()),
        (sent("sms"), "Alert by SMS", ("anna",)),
        (
            happened.AlertFailed(alert_id="1", rep_id="anna", via="email", reason="opted_out"),
            "E-mail could not be sent: the number answered STOP",
            ("anna",),
        ),
        (happened.LeadAcknowledged(rep_id="anna"), "On it", ("anna",)),
        (
            happened.AcknowledgementExpired(rep_id="anna"),
            "On it, and no call: free again",
            ("anna",),
        ),
        (
            happened.LeadAttempted(rep_id="anna", result="voicemail"),
            "Called, left a message",
            ("anna",),
        ),
        (
            happened.LeadAttempted(rep_id="anna", result="no_answer"),
            "Called, no answer",
            ("anna",),
        ),
        (
            happened.RepNotReached(
                rep_id="anna", alert_ids=("1-new-anna-sms",), step="new", instead_rep_id="boris"
            ),
            "Reached by no channel, somebody else is told",
            ("anna", "boris"),
        ),
        (
            happened.RepNotReached(rep_id="anna", alert_ids=("1-new-anna-sms",), step="new"),
            "Reached by no channel, and nobody is left to tell",
            ("anna",),
        ),
        (happened.ResponseBreached(step="breach"), "Time ran out, nobody had called", ()),
        (happened.LeadEscalated(step="a", to="team"), "Offered to the whole team", ()),
        (
            happened.LeadEscalated(step="end", to="manager", ends_chain=True),
            "No more alerts, the manager's list keeps it",
            (),
        ),
        (
            happened.LeadRejected(rep_id="anna", reason="fit.region"),
            "Not a fit: Not our region",
            ("anna",),
        ),
        (happened.DealLost(rep_id="anna", reason="deal.price"), "Lost: Price", ("anna",)),
        (
            happened.DealWon(rep_id="anna", amount=Decimal(1200), currency="EUR"),
            "Won: 1,200\u00a0EUR",
            ("anna",),
        ),
    ],
)
def test_what_happened_in_words(event: LeadEvent, text: str, people: tuple[str, ...]) -> None:
    (line,) = told(event)

    assert (line.text, line.people) == (text, people)


def test_each_event_that_a_person_reads_has_russian_words() -> None:
    (english,) = told(happened.LeadAcknowledged(rep_id="anna"))
    (russian,) = told(happened.LeadAcknowledged(rep_id="anna"), locale="ru")

    assert (english.text, russian.text) == ("On it", "В работе")


@pytest.mark.parametrize(
    ("zone", "locale", "text"),
    [
        ("UTC", "en", "Call agreed for 12:00"),
        ("Asia/Vladivostok", "en", "Call agreed for 22:00"),
        ("Pacific/Auckland", "en", "Call agreed for 21 Nov, 01:00"),
        ("Europe/Moscow", "ru", "Договорились о звонке: 15:00"),
    ],
)
def test_an_agreed_time_is_told_in_the_readers_zone(zone: str, locale: str, text: str) -> None:
    agreed = happened.LeadSnoozed(rep_id="anna", until=at(3 * 3600))

    (line,) = told(agreed, zone=zone, locale=locale)

    assert (line.text, line.people) == (text, ("anna",))


def test_an_alert_that_another_one_covered_is_told_in_plain_words() -> None:
    (line,) = told(sent("sms").model_copy(update={"rang": "covered"}))

    assert line.text == "Several leads at once: one SMS leads to all of them"


def test_what_only_the_machinery_needs_is_left_out() -> None:
    asked = happened.AlertRequested(
        alert_id="1", round=1, step="new", kind="new", rep_id="anna", via="sms"
    )

    assert told(asked, happened.LeadContacted(rep_id="anna")) == []


def test_an_sms_and_an_email_to_one_person_are_one_line() -> None:
    (line,) = told(sent("sms"), sent("email"), seconds=10)

    assert line.text == "Alert by SMS and e-mail"
    assert line.is_minor


@pytest.mark.parametrize(
    ("events", "seconds"),
    [
        ((sent("sms"), sent("email")), 60),
        ((sent("sms"), sent("sms")), 1),
        ((sent("sms"), sent("email", "boris")), 1),
        (
            (
                happened.AlertFailed(alert_id="1", rep_id="anna", via="sms", reason="opted_out"),
                sent("email"),
            ),
            1,
        ),
    ],
)
def test_other_alerts_are_told_one_by_one(events: tuple[LeadEvent, ...], seconds: int) -> None:
    assert len(told(*events, seconds=seconds)) == 2


def test_a_note_is_told_in_its_writers_words() -> None:
    event = RecordedEvent(
        lead_id="a" * 32,
        sequence=2,
        at=at(60),
        actor="anna",
        form_id="demo-en",
        channel="Direct",
        event=happened.NoteAdded(note_id="1"),
    )
    note = Note(
        note_id="1", author="anna", at=at(60), text="Call \u202eback\r\n\r\n\r\nat <11>\x00"
    )

    (line,) = lines([event], [note], Reader("UTC", at(0), "en"))

    assert (line.people, line.note) == (("anna",), "Call back\n\nat <11>")


# --- words for codes ---------------------------------------------------------------------------


@pytest.mark.parametrize("locale", ["en", "ru"])
def test_every_reason_of_the_domain_can_be_chosen_and_read(locale: str) -> None:
    for groups, codes in (
        (words.rejection_reasons(locale), REJECTION_REASONS),
        (words.loss_reasons(locale), LOSS_REASONS),
    ):
        offered = [reason for group in groups for reason in group.reasons]
        assert [code for code, _ in offered] == list(codes)
        assert all(label not in ("", code) for code, label in offered)
        assert all(words.reason(code, locale) == label for code, label in offered)


@pytest.mark.parametrize(
    ("found", "english", "russian"),
    [
        (Hindrance("off_duty"), "", ""),
        (Hindrance("suspended"), "Two alerts were not answered.", "Два оповещения остались"),
        (Hindrance("absent", at(60)), "You are away until 10:01.", "Вас нет до 10:01."),
        (Hindrance("out_of_shift", at(86400)), "You are out of shift until 21 Nov, 10:00.", "Нач"),
        (Hindrance("never_on_shift"), "Your shift never begins: tell your manager.", "Ваша смена"),
        (Hindrance("at_cap"), "You have had all leads of the day.", "Все ваши лиды за день"),
        (Hindrance("unreachable"), "Your phone and e-mail are not entered: tell", "Ваши телефон"),
    ],
)
def test_what_keeps_somebody_from_leads_in_words_to_them(
    found: Hindrance, english: str, russian: str
) -> None:
    for locale, words_of_it in (("en", english), ("ru", russian)):
        said = words.own_hindrance(found, "Europe/Berlin", at(0), locale)
        assert said.startswith(words_of_it)
        assert bool(said) == bool(words_of_it)


def test_a_reason_of_a_newer_version_stays_a_code() -> None:
    assert words.reason("fit.weather", "ru") == "fit.weather"
    assert words.reason(None, "ru") == ""


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "New"),
        ({"acknowledged_at": at(1)}, "On it"),
        ({"first_attempt_at": at(2), "acknowledged_at": at(1), "attempts": 1}, "No answer"),
        ({"first_attempt_at": at(2), "attempts": 3}, "No answer, calls: 3"),
        (
            {"first_attempt_at": at(2), "attempts": 2, "last_result": "voicemail"},
            "Left a message, calls: 2",
        ),
        ({"first_attempt_at": at(2), "contacted_at": at(2)}, "Talked"),
        ({"outcome": "won", "contacted_at": at(2)}, "Won"),
        ({"outcome": "lost", "contacted_at": at(2)}, "Lost"),
        ({"outcome": "rejected"}, "Not a fit"),
        ({"snoozed_until": at(7200)}, "Call agreed"),
        ({"snoozed_until": at(7200), "first_attempt_at": at(2), "attempts": 1}, "No answer"),
    ],
)
def test_where_a_lead_stands(fields: dict[str, object], text: str) -> None:
    assert words.state(a_lead(**fields), "en").text == text
