"""`make pictures`: the pictures of the README, taken from a running Leadline.

A laptop with data of its own, a visitor who fills in a demo page, and the rep on duty who gets the
SMS and opens its link: the three screens side by side, once in English and once in Russian.
"""

import argparse
import base64
import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from infra.local.run import Laptop

PICTURES = Path(__file__).with_name("pictures")
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE_SECONDS = 30
DESKTOP = ViewportSize(width=920, height=1030)
PHONE = ViewportSize(width=390, height=812)
SHARPNESS = 1.4
"""Pixels of the picture for each pixel of its layout: sharp on a page, and below 400 KB."""


class Scene(NamedTuple):
    """One picture: who fills in which page, who is alerted, and the words above the screens."""

    picture: str
    locale: str
    landing_page: str
    rep_id: str
    typed: dict[str, str]
    """What the visitor types, by the field's name."""
    captions: tuple[str, str, str]


SCENES = (
    Scene(
        picture="first-lead.png",
        locale="en-GB",
        landing_page="/demo-en?utm_source=google&utm_medium=cpc&utm_campaign=autumn",
        rep_id="alice",
        typed={
            "name": "Emma Hughes",
            "phone": "020 7946 0018",
            "email": "emma@hughes-bakery.example",
            "company": "Hughes Bakery",
            "message": "Bookkeeping for two bakeries",
        },
        captions=(
            "A visitor sends the form",
            "The rep gets SMS and e-mail",
            "The link opens the lead",
        ),
    ),
    Scene(
        picture="first-lead.ru.png",
        locale="ru-RU",
        landing_page="/demo-ru?utm_source=yandex&utm_medium=cpc&utm_campaign=osen",
        # The second lead is the second rep's turn, and his language is Russian.
        rep_id="boris",
        typed={
            "name": "Анна Соколова",
            "phone": "8 495 000-00-18",
            "email": "anna@pekarnya.example",
            "company": "Пекарня «Колос»",
            "message": "Учёт для двух пекарен",
        },
        captions=(
            "Посетитель отправляет форму",
            "Менеджеру: SMS и письмо",
            "По ссылке открывается лид",
        ),
    ),
)

SHEET = """
<style>
  body {{ margin: 0; padding: 28px; background: #dfe6e8;
         display: flex; gap: 28px; align-items: flex-start; font: 600 17px system-ui, sans-serif; }}
  figure {{ margin: 0; }}
  figcaption {{ margin: 0 2px 12px; color: #16323a; }}
  img {{ display: block; border-radius: 12px; border: 1px solid #9fb0b5; }}
</style>
{figures}
"""
FIGURE = '<figure><figcaption>{caption}</figcaption><img width="{width}" src="{source}"></figure>'
WIDTHS = (614, 330, 330)
"""Of each screen in the picture."""
SHEET_SIZE = ViewportSize(width=sum(WIDTHS) + 4 * 28 + 6, height=100)
"""With the gaps and borders; the height is as much as it takes."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="make pictures", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="stands in the links of the picture")
    port = parser.parse_args().port
    chromium = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)))
    PICTURES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        Laptop(port, Path(folder) / "state", Path(folder) / "log") as laptop,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for scene in SCENES:
            screens = take_screens(browser, laptop.url, scene)
            compose(browser, scene, screens, PICTURES / scene.picture)
        browser.close()
    return 0


def take_screens(browser: Browser, url: str, scene: Scene) -> tuple[bytes, bytes, bytes]:
    """The landing page as it is sent, the rep's messages, and the rep's page of the lead."""
    desktop = browser.new_context(viewport=DESKTOP, device_scale_factor=2, locale=scene.locale)
    phone = browser.new_context(
        viewport=PHONE, device_scale_factor=2, locale=scene.locale, is_mobile=True
    )
    visitor = opened(desktop, url + scene.landing_page)
    for name, text in scene.typed.items():
        visitor.locator(f'[name="{name}"]').fill(text)
    visitor.locator('[name="consent"]').check()
    landing_page = visitor.screenshot(animations="disabled", caret="hide")
    visitor.locator("form button").click()
    visitor.locator("#thanks").wait_for()

    link = link_in_sms(phone, f"{url}/inbox.json", scene.typed["name"])
    inbox = opened(phone, f"{url}/inbox?person={scene.rep_id}")
    inbox.locator("article.email").wait_for()
    screens = landing_page, inbox.screenshot(), opened(phone, link).screenshot()
    desktop.close()
    phone.close()
    return screens


def opened(context: BrowserContext, address: str) -> Page:
    page = context.new_page()
    page.goto(address)
    return page


def link_in_sms(context: BrowserContext, address: str, name: str) -> str:
    """The link of the SMS about a person, once it is there together with the e-mail."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        messages = [m for m in context.request.get(address).json() if name in m["text"]]
        texts = {message["channel"]: message["text"] for message in messages}
        found = re.search(r"http\S+/l/\w+", texts.get("sms", ""))
        if found and "email" in texts:
            return found[0]
        time.sleep(0.2)
    raise TimeoutError(f"no SMS and e-mail about {name}")


def compose(browser: Browser, scene: Scene, screens: tuple[bytes, bytes, bytes], to: Path) -> None:
    figures = [
        FIGURE.format(
            caption=caption,
            width=width,
            source="data:image/png;base64," + base64.b64encode(screen).decode(),
        )
        for caption, width, screen in zip(scene.captions, WIDTHS, screens, strict=True)
    ]
    sheet = browser.new_page(viewport=SHEET_SIZE, device_scale_factor=SHARPNESS)
    sheet.set_content(SHEET.format(figures="".join(figures)))
    sheet.screenshot(path=to, full_page=True)
    sheet.close()


if __name__ == "__main__":
    sys.exit(main())
