"""A person's own page in a browser: without scripts with one thumb, and with the keyboard alone."""

import re

import pytest
from playwright.sync_api import Page, expect

from shared.adapters.link_table import Link
from tests.browser.conftest import NewPage
from tests.browser.test_first_lead import NAME, PHONE, fits
from tests.integration.conftest import DESK_TEAM, World, until
from tests.integration.test_first_lead import a_person
from tests.integration.test_team_page import only_lead, somebody

pytestmark = pytest.mark.browser


def test_without_scripts_a_rep_gets_a_link_enters_a_lead_and_comes_on_duty(
    world: World, new_page: NewPage
) -> None:
    rep = somebody(world, 21, on_duty=False, locale="ru")
    page = new_page(**PHONE, java_script_enabled=False, locale="ru-RU")
    page.goto(f"{world.url}/r/xxxxxxxxxxxx")
    page.get_by_role("link", name="Запросить новую ссылку").click()
    page.get_by_label("Ваш мобильный номер").fill("07700 900321")
    page.get_by_role("button", name="Прислать ссылку").click()
    expect(page.get_by_role("status")).to_be_visible()

    def arrived() -> list[str]:
        return [m["text"] for m in world.messages("Ваши открытые лиды.") if m["to"] == rep.phone]

    (text,) = until(arrived, "the SMS")
    link = re.search(r"http\S+/r/\w{12}", text)
    assert link is not None
    page.goto(link[0])
    page.get_by_role("button", name="Выйти на смену").click()
    expect(page.get_by_role("button", name="Уйти со смены")).to_be_visible()

    page.get_by_role("link", name="Добавить лид").click()
    page.get_by_label("Имя").fill(NAME)
    page.get_by_role("textbox", name="Телефон или e-mail").fill("позже")
    page.get_by_label("Запрос").fill("Заехал сам")
    page.get_by_label("Уже поговорили").check()
    page.get_by_role("button", name="Сохранить лид").click()
    expect(page.get_by_role("alert")).to_contain_text("Проверьте номер телефона")
    expect(page.get_by_label("Имя")).to_have_value(NAME)
    expect(page.get_by_label("Уже поговорили")).to_be_checked()
    page.get_by_role("textbox", name="Телефон или e-mail").fill("020 7946 0721")
    page.get_by_role("button", name="Сохранить лид").click()

    expect(page.get_by_role("heading", name=NAME)).to_be_visible()
    lead = only_lead(world, rep.rep_id, "+44 20 7946 0721")
    assert lead.contacted_at is not None
    page.get_by_role("link", name="Все открытые лиды").click()
    expect(page.get_by_role("heading", name="Поговорили, ждём итога")).to_be_visible()


def test_with_the_keyboard_a_rep_takes_a_lead_and_says_how_the_call_went(
    world: World, new_page: NewPage
) -> None:
    rep = somebody(world, 22, on_duty=False)
    person = a_person(722)
    world.post("desk", person)
    lead = only_lead(world, None, person["phone"])
    of_rep = Link(kind="list", team=DESK_TEAM, rep_id=rep.rep_id, expires_at=2**40)
    page = new_page(viewport={"width": 1280, "height": 800})
    page.goto(f"{world.url}/r/{world.links.make_link(of_rep)}")

    press(page, "Take it")
    expect(page.get_by_role("heading", name=person["name"])).to_be_visible()
    press(page, "Called: talked")
    expect(page.get_by_role("status")).to_be_visible()

    assert world.story(lead.lead_id).lead.contacted_at is not None


def press(page: Page, name: str) -> None:
    """Goes by the tabulator to what is called so, and presses it."""
    for _ in range(60):
        page.keyboard.press("Tab")
        said = page.evaluate("document.activeElement.innerText || ''")
        if str(said).startswith(name):
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"the keyboard does not reach {name}")


@pytest.mark.parametrize("locale", ["en", "ru"])
@pytest.mark.parametrize("width", [390, 1280])
def test_every_page_of_a_list_fits(
    world: World, new_page: NewPage, locale: str, width: int
) -> None:
    rep = somebody(world, 23, locale=locale)
    world.people.put_rep(rep.model_copy(update={"role": "manager"}))
    world.post("desk", a_person(723, name="Ausführungsbestimmungen" * 6, email=f"{'x' * 60}@b.com"))
    link = Link(kind="list", team=DESK_TEAM, rep_id=rep.rep_id, expires_at=2**40)
    page = new_page(viewport={"width": width, "height": 844})
    code = world.links.make_link(link)

    for path in ("/r", f"/r/{code}", f"/r/{code}/new", "/r/nothing"):
        page.goto(f"{world.url}{path}")
        assert fits(page), path


NEAREST_LABEL = """
Array.from(document.querySelectorAll("label[for]"))
  .filter((label) => label.checkVisibility())
  .map((label) => [label, document.getElementById(label.htmlFor)])
  .map(([label, field]) => field.getBoundingClientRect().top - label.getBoundingClientRect().bottom)
  .reduce((nearest, gap) => Math.min(nearest, gap), Infinity)
"""
RING = 5
"""How far the mark of the focus reaches beyond a field: its width, and what it stands off."""


@pytest.mark.parametrize("width", [390, 1280])
def test_the_ring_of_a_field_leaves_its_label_alone(
    world: World, new_page: NewPage, width: int
) -> None:
    rep = somebody(world, 24, on_duty=False)
    person = a_person(724)
    world.post("desk", person)
    lead = only_lead(world, None, person["phone"])
    of_lead = Link(
        kind="lead", team=DESK_TEAM, rep_id=rep.rep_id, lead_id=lead.lead_id, expires_at=2**40
    )
    page = new_page(viewport={"width": width, "height": 844})
    page.goto(f"{world.url}/l/{world.links.make_link(of_lead)}")

    for name in ("Call at an agreed time", "Won", "Lost"):
        page.locator("summary", has_text=name).click()
        assert page.evaluate(NEAREST_LABEL) > RING, name

    page.get_by_role("link", name="My leads").click()
    expect(page.get_by_label("Your mobile number")).to_be_visible()
