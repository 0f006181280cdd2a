"""Strangers' words stay words, and an error's page says little."""

from typing import Any

import pytest

from follow_up_lead import pages
from shared.adapters.lead_table import Words
from shared.domain import events as happened
from shared.errors import LeadChangedError, StorageUnavailableError, UnknownLinkError
from tests.unit.domain.samples import MARIA, a_lead, a_rep, at
from tests.unit.follow_up_lead.scene import Scene, listed, say
from tests.unit.texts.skeleton import HOSTILE, skeleton, text_of


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


# --- errors --------------------------------------------------------------------------------------


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
    assert "That did not work" in text_of(str(answer.body))
