"""What is taken back on the page of a lead."""

import re

import pytest

from follow_up_lead import pages
from follow_up_lead.service import act_on_lead, see_lead
from shared.domain.lead import Change
from tests.unit.domain.samples import a_rep, at, resubmitted
from tests.unit.follow_up_lead.scene import BORIS, Scene
from tests.unit.texts.skeleton import text_of


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
