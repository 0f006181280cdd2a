"""The dashboard on a phone, in both languages; it needs no script."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewPage
from tests.browser.test_first_lead import PHONE, fits
from tests.integration.conftest import World, until

pytestmark = pytest.mark.browser

WORDS = {"en": ("In the chosen time", "Leads"), "ru": ("За выбранное время", "Лиды")}


@pytest.mark.parametrize("language", WORDS)
def test_a_lead_is_counted_and_nothing_lies_beside_the_phone(
    world: World, new_page: NewPage, language: str
) -> None:
    title, leads = WORDS[language]
    page = new_page(**PHONE, java_script_enabled=False)
    page.goto(f"{world.url}/dashboard?hours=1&lang={language}")
    before = figure(page, title, leads)

    number = "301" if language == "en" else "302"
    person = {"name": "Counted", "phone": f"+44 20 7946 0{number}", "consent": "yes"}
    answer = world.post("demo-en", person | {"message": "Please count me"})
    assert answer.status_code == 201, answer.text

    def counted() -> bool:
        page.reload()
        return figure(page, title, leads) > before

    until(counted, "the lead on the dashboard", 60)
    assert fits(page)
    expect(page.get_by_text("demo-en").first).to_be_visible()


def figure(page: Page, title: str, name: str) -> int:
    tile = page.locator("section", has=page.get_by_role("heading", name=title, exact=True))
    text = tile.locator("dl > div", has=page.get_by_text(name, exact=True)).locator("dd")
    return int(re.sub(r"\D", "", text.inner_text()))
