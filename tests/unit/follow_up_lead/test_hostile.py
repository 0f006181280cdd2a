"""What strangers write changes no page's structure: thousands of texts, in every field."""

import re
from typing import Any

from shared.domain import events as happened
from shared.texts import alerts
from tests.unit.domain.samples import MARIA, a_lead, a_rep, at
from tests.unit.follow_up_lead.scene import Scene, listed
from tests.unit.texts.hostile import at_once, hostile
from tests.unit.texts.skeleton import skeleton

TOGETHER = 12
SAID = ("name", "company", "phone", "phone_extension", "email", "asked", "source", "page")


def lead_page(value: str) -> str:
    """Every word on it is a stranger's, or a colleague's, with a form that was sent back."""
    people = [a_rep("anna", name=f"Anna {value}"), a_rep("boris", name=f"Boris {value}")]
    said: dict[str, Any] = dict.fromkeys(SAID, f"Ada {value}")
    scene = Scene(people[0], **said, form_title=value)
    scene.leads.reps = (people[0], people[1], MARIA)
    scene.act(10, "no_answer", note=f"x{value}")
    scene.happen(20, happened.LeadAcknowledged(rep_id="boris"))
    return str(scene.act(30, "reject", reason=value, note=value, amount=value).body)


def test_there_are_thousands() -> None:
    texts = [*hostile()]
    assert len(texts) == len({*texts}) > 3000


def test_no_text_changes_the_structure_of_a_leads_page() -> None:
    plain = skeleton(lead_page("Ada"))
    for text in at_once(TOGETHER):
        assert skeleton(lead_page(text)) == plain, text


def test_no_text_changes_the_structure_of_the_list() -> None:
    plain = skeleton(listed(name="A", asked="A", company="A", form_title="A", source="A"))
    for text in at_once(TOGETHER):
        said: dict[str, Any] = dict.fromkeys(("company", "form_title", "source"), text)
        assert skeleton(listed(name=f"A {text}", asked=text, **said)) == plain, text


def test_no_text_begins_a_line_of_its_own_or_reaches_a_header() -> None:
    ours = [line for line in told("Ada")[0].splitlines() if not line.startswith(">")]
    for text in hostile():
        mail, subject, sms = told(f"Ada {text}")
        assert len([line for line in mail.splitlines() if not line.startswith(">")]) == len(ours)
        assert len(subject) < 100
        assert not re.search(r"[\x00-\x1f\x7f\u2028\u2029]", subject)
        assert sms.splitlines()[-1] == "https://go.example.com/l/aB3dE6gH9jK2"
        assert alerts.segments(sms) <= alerts.SEGMENTS


def told(value: str) -> tuple[str, str, str]:
    lead = a_lead(**dict.fromkeys(("name", "company", "asked", "source", "form_title"), value))
    link = "https://go.example.com/l/aB3dE6gH9jK2"
    mail = alerts.email(lead, "new", a_rep("anna"), link, at(1))
    return mail.text, mail.subject, alerts.sms(lead, "new", a_rep("anna"), link, at(1))
