"""A person fills the page, a rep gets the SMS on a phone and says how the call went."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewPage
from tests.integration.conftest import World, until

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
NAME = "Анна-Мария О'Нил 👋"


def fits(page: Page) -> bool:
    """Whether nothing has to be scrolled sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_from_the_page_to_the_reps_phone_and_back(world: World, new_page: NewPage) -> None:
    inbox = new_page()
    inbox.goto(f"{world.url}/inbox?lang=en")
    visitor = new_page(**PHONE)
    visitor.goto(f"{world.url}/demo-en?utm_source=google&utm_medium=cpc")
    assert fits(visitor)
    visitor.get_by_label("Name").fill(NAME)
    visitor.get_by_label("Phone").fill("020 7946 0101")
    visitor.get_by_label("What is it about?").fill("My books are a mess")
    visitor.get_by_role("checkbox").check()
    visitor.get_by_role("button", name="Call me back").click()
    expect(visitor.locator("#thanks")).to_be_visible()
    expect(visitor.locator("#thanks")).to_be_focused()

    # The messages appear by themselves.
    expect(inbox.get_by_text("+44 20 7946 0101").first).to_be_visible()
    sms = next(m for m in world.alerts("+44 20 7946 0101", "sms") if m["channel"] == "sms")
    link = re.search(r"http\S+/l/\w{12}", sms["text"])
    assert link is not None

    console = new_page(**PHONE)
    for locale in ("en", "ru"):
        for path in ("/", "/inbox", "/leads", "/dashboard", f"/leads/{sms['lead_id']}"):
            console.goto(f"{world.url}{path}?lang={locale}")
            assert fits(console), path
    console.goto(f"{world.url}/leads?lang=en")
    row = console.get_by_role("row").filter(has_text=NAME)
    row.evaluate("row => row.scrollIntoView()")
    expect(row.get_by_text("demo-en")).to_be_in_viewport(ratio=1)

    rep = new_page(**PHONE)
    rep.goto(link[0])
    assert fits(rep)
    expect(rep.get_by_role("heading", name=NAME)).to_be_visible()
    expect(rep.get_by_text("My books are a mess")).to_be_visible()
    expect(rep.locator('a[href="tel:+442079460101"]')).to_be_visible()
    assert world.story(sms["lead_id"]).lead.attempts == 0, "looking changes nothing"
    rep.locator('button[value="talked"]').click()
    expect(rep.get_by_role("status")).to_be_visible()
    assert world.story(sms["lead_id"]).lead.contacted_at is not None

    won = rep.locator("form", has=rep.locator('input[name="amount"]'))
    rep.locator("details", has=won).locator("summary").click()
    won.locator('input[name="amount"]').fill("1 200,50")
    won.get_by_role("button").click()
    lead = world.story(sms["lead_id"]).lead
    assert (lead.outcome, str(lead.amount)) == ("won", "1200.50")

    for target in rep.locator("main .button:visible, summary:visible").all():
        box = target.bounding_box()
        assert box is not None
        assert box["height"] >= 44, "large enough for a thumb"
    rep.locator('button[value="undo"]').click()
    expect(rep.get_by_role("status")).to_contain_text(re.compile("Undone: Won|Отменено: Продажа"))
    assert world.story(sms["lead_id"]).lead.status == "open"


def test_a_mistake_is_said_beside_its_field_and_the_way_back_is_short(
    world: World, new_page: NewPage
) -> None:
    page = new_page(**PHONE, locale="ru-RU")
    page.goto(f"{world.url}/demo-ru")
    page.get_by_label("Имя").fill("Пётр")
    page.get_by_label("Телефон").fill("123")
    page.get_by_role("button", name="Перезвоните мне").click()

    summary = page.locator("#summary")
    expect(summary).to_be_focused()
    phone = page.get_by_label("Телефон")
    expect(phone).to_have_attribute("aria-invalid", "true")
    described = (phone.get_attribute("aria-describedby") or "").split()
    assert any("номер" in (page.locator(f"#{id_}").text_content() or "") for id_ in described)
    summary.get_by_role("link").first.click()
    expect(phone).to_be_focused()

    phone.fill("8 (916) 123-45-67")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Перезвоните мне").click()
    expect(page.locator("#thanks")).to_be_visible()
    assert world.alerts("+7 916 123-45-67", "sms", "email")


def test_with_the_keyboard_only(world: World, new_page: NewPage) -> None:
    page = new_page()
    page.goto(f"{world.url}/demo-en")

    def focused() -> str:
        return str(page.evaluate("document.activeElement.name || document.activeElement.tagName"))

    texts = {
        "name": "Kay Board",
        "phone": "020 7946 0102",
        "email": "kay@example.com",
        "company": "Keys Ltd",
        "message": "No mouse here",
    }
    for _ in range(30):
        page.keyboard.press("Tab")
        if focused() in texts:
            page.keyboard.type(texts.pop(focused()))
        elif focused() == "consent":
            page.keyboard.press("Space")
        elif focused() == "BUTTON" and not texts:
            page.keyboard.press("Enter")
            break
    expect(page.locator("#thanks")).to_be_focused()
    sms = next(m for m in world.alerts("+44 20 7946 0102", "sms") if m["channel"] == "sms")

    link = re.search(r"http\S+/l/\w{12}", sms["text"])
    assert link is not None
    page.goto(link[0])
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.value") == "no_answer":
            page.keyboard.press("Enter")
            break
    expect(page.get_by_role("status")).to_be_visible()
    assert world.story(sms["lead_id"]).lead.last_result == "no_answer"


def test_without_javascript(world: World, new_page: NewPage) -> None:
    page = new_page(**PHONE, java_script_enabled=False)
    page.goto(f"{world.url}/demo-ru/plain")
    page.get_by_label("Имя").fill(NAME)
    page.get_by_label("Телефон").fill("не скажу")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Перезвоните мне").click()

    expect(page.locator('input[name="name"]')).to_have_value(NAME)
    phone = page.locator('input[name="phone"]')
    expect(phone).to_have_value("не скажу")
    expect(phone).to_have_attribute("aria-invalid", "true")
    phone.fill("+7 916 123-45-68")
    page.get_by_role("button").first.click()
    page.wait_for_url("**/demo-ru/thanks")

    sms = next(m for m in world.alerts("+7 916 123-45-68", "sms") if m["channel"] == "sms")
    link = re.search(r"http\S+/l/\w{12}", sms["text"])
    assert link is not None
    page.goto(link[0])
    reason = page.locator('button[value="data.spam"]')
    page.locator("details", has=reason).locator("summary").click()
    reason.click()
    lead = until(lambda: world.story(sms["lead_id"]).lead, "the lead")
    assert (lead.outcome, lead.reason) == ("rejected", "data.spam")

    page.locator('button[value="undo"]').click()
    expect(page.get_by_role("status")).to_contain_text(re.compile("Undone|Отменено"))
    lead = world.story(sms["lead_id"]).lead
    assert (lead.status, lead.outcome) == ("open", None)
