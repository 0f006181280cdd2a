"""What stands on the page of a lead, in both languages, and how the person is reached."""

import re
from typing import Any, get_args

import pytest

from shared.domain import events as happened
from shared.domain.actions import ActionName
from shared.domain.lead import Change, Note, Said
from tests.unit.domain.samples import a_rep, at, resubmitted
from tests.unit.follow_up_lead.scene import Scene
from tests.unit.texts.skeleton import text_of


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
    assert re.findall(r'href="(/r[^"]*)"', page) == [f"/r?lang={fields.get('locale', 'en')}"]


def test_whom_no_sms_reaches_is_offered_no_link_by_sms() -> None:
    assert 'href="/r' not in Scene(a_rep("anna", phone=None)).html()


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


def handed(by: str, to: str = "anna") -> happened.LeadReassigned:
    return happened.LeadReassigned(
        from_rep_id="boris", to_rep_id=to, reason="handed_over", by_rep_id=by, note_id="note1"
    )


def test_who_gave_the_lead_and_why_stands_above_it_until_the_call() -> None:
    scene = Scene()
    scene.happen(20, handed("boris", "boris"))
    assert "Handed over to you" not in scene.text(), "it is somebody else's"

    lead = scene.leads.lead(scene.lead.lead_id)
    assert lead is not None
    note = Note(note_id="note1", author="boris", at=at(30), text="Ask for <b>")
    scene.leads.record(lead, Change((handed("boris"),), notes=(note,)), actor="boris", at=at(30))
    page = scene.html()
    text = text_of(page)
    assert text.index("Handed over to you by Boris Weber Ask for <b>") < text.index("Ada Lovelace")
    assert "<b>" not in page

    scene.happen(40, handed("gone"))
    assert "Handed over to you by a former colleague" in scene.text()

    scene.act(60, "no_answer")
    assert "Handed over to you" not in scene.text(90)


def test_a_colleague_who_left_is_named_as_such() -> None:
    scene = Scene()
    scene.happen(
        30, happened.LeadReassigned(from_rep_id="anna", to_rep_id="gone", reason="no_reaction")
    )

    text = scene.text()

    assert "Anna Novak → a former colleague" in text
    assert "Owner Nobody yet" in text


def test_a_lead_of_whom_little_is_known() -> None:
    fields: dict[str, Any] = dict.fromkeys(("name", "company", "asked", "phone", "source", "page"))
    text = Scene(**fields).text()

    assert "No name given" in text
    assert "The message was left empty." in text
    assert "Write ada@example.com" in text
    assert "Source Direct" in text
    assert "Page" not in text


def test_several_submissions_are_counted() -> None:
    scene = Scene()
    scene.happen(30, resubmitted(30))

    assert "2 submissions" in scene.text()


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
        "Всё в рабочее время. Первый звонок до 12:05, идёт 1 мин Взят",
    ):
        assert words in text
    assert "Позвонить +7 916 123-45-67" in text
    assert "<option selected>RUB</option>" in page


def test_what_the_visitor_was_promised_and_the_channel() -> None:
    text = Scene(promised_by=at(300), channel="Paid Search").text()

    assert "Channel Paid Search" in text
    assert "Promised a call by 10:05" in text
    assert "Promised" not in Scene().text()


# --- ways to the person --------------------------------------------------------------------------

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


def test_somebody_without_phone_and_email_cannot_be_called() -> None:
    page = Scene(phone=None, email=None).html()

    assert "tel:" not in page
    assert "mailto:" not in page


def test_who_left_another_number_is_called_on_it() -> None:
    scene = Scene(said_again=Said(phone="+447700900777", asked="I mistyped my number"))

    page = scene.html()
    assert 'class="button call" href="tel:+447700900777"' in page
    assert 'href="tel:+447700900123"' in page
    assert "Earlier phone: +44 7700 900123" in scene.text()
    assert "A machine that calculates" in scene.text()
    assert "I mistyped my number" in scene.text()
