"""What somebody records on the page of a lead, how it ends, and what is refused."""

import re

import pytest

from follow_up_lead import pages
from shared.domain import events as happened
from shared.domain.actions import LOSS_REASONS, REJECTION_REASONS
from shared.texts.refusals import REFUSALS
from tests.unit.follow_up_lead.scene import Scene
from tests.unit.texts.skeleton import text_of


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


def test_whom_a_lead_can_be_handed_to() -> None:
    page = Scene().html()

    assert re.findall(r'<option value="(boris|maria|anna)">', page) == ["boris", "maria"]


def test_a_closed_lead_is_opened_again() -> None:
    scene = Scene()
    scene.act(120, "reject", reason="data.spam")

    scene.act(180, "reopen")

    assert "Saved: Opened again" in scene.text(181)
    assert 'value="talked"' in scene.html(181)
    assert 'value="acknowledge"' not in scene.html(181), "they are on it"


def test_whoever_is_to_call_again_can_say_that_they_are_on_it() -> None:
    scene = Scene()
    scene.act(60, "talked")
    assert 'value="acknowledge"' not in scene.html(61)

    scene.act(70, "snooze", until="2026-11-21T15:30")

    assert 'value="acknowledge"' in scene.html(71)


# --- an outcome in two taps ----------------------------------------------------------------------


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


# --- refusals ------------------------------------------------------------------------------------


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

    assert 'value="acknowledge"' not in scene.html(30), "it would be refused"
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


def test_what_was_typed_stays_when_a_time_is_refused() -> None:
    answer = Scene().act(60, "snooze", until="2020-01-01T10:00", note="Asked for lunch")

    assert answer.status_code == 422
    assert 'value="2020-01-01T10:00"' in str(answer.body)
    assert "Asked for lunch" in str(answer.body)
    assert "Enter a time from now on, within three months." in text_of(str(answer.body))
