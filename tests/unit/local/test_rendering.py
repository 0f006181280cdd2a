"""The laptop's pages: languages and clickable text."""

from pathlib import Path

import pytest

from infra.local import rendering
from infra.local.rendering import accepted_languages, links, markdown, number, this_zone


@pytest.mark.parametrize(
    ("header", "languages"),
    [
        ("ru-RU,ru;q=0.9,en;q=0.8", ["ru", "ru", "en"]),
        ("en;q=0.1, ru;q=0.9", ["ru", "en"]),
        ("de, en;q=0, ru;q=0.5", ["de", "ru"]),
        ("ru;q=high, en", ["en"]),
        ("", []),
    ],
)
def test_languages_come_in_the_order_of_liking(header: str, languages: list[str]) -> None:
    assert accepted_languages(header) == languages


def test_addresses_and_numbers_are_clickable_as_on_a_phone() -> None:
    made = links("Call +442079460018 or tel:+79161234567.\nhttp://127.0.0.1:8080/l/aB3, thanks")

    assert made == (
        'Call <a href="tel:+442079460018">+442079460018</a> or '
        '<a href="tel:+79161234567">tel:+79161234567</a>.\n'
        '<a href="http://127.0.0.1:8080/l/aB3">http://127.0.0.1:8080/l/aB3</a>, thanks'
    )


def test_what_a_visitor_wrote_stays_text() -> None:
    made = links('<b>x</b> javascript:alert(1) http://a.example/"onmouseover=alert(1)')

    assert "<b>" not in made
    assert 'href="javascript' not in made
    assert '<a href="http://a.example/">' in made


def test_texts_of_the_dashboard_are_marked_up() -> None:
    made = markdown("## A & b\n\n- **One**: <i>\n- two\n\nThree *four*.")

    assert made == (
        "<h2>A &amp; b</h2><ul><li><strong>One</strong>: &lt;i&gt;</li><li>two</li></ul>"
        "<p>Three <em>four</em>.</p>"
    )


@pytest.mark.parametrize(
    ("value", "english", "russian"),
    [
        (0.0, "0", "0"),
        (90.0, "90", "90"),
        (91.13, "91.1", "91,1"),
        (431.6, "432", "432"),
        (12345.0, "12\u202f345", "12\u202f345"),
    ],
)
def test_a_number_is_as_exact_as_is_read(value: float, english: str, russian: str) -> None:
    assert (number(value, "en"), number(value, "ru")) == (english, russian)


@pytest.mark.parametrize(
    ("told", "file", "zone"),
    [
        ("Europe/Berlin", "nowhere", "Europe/Berlin"),
        (":Asia/Almaty", "nowhere", "Asia/Almaty"),
        ("", "usr/share/zoneinfo/Europe/Moscow", "Europe/Moscow"),
        ("", "etc/localtime", "UTC"),
        ("MSK-3", "usr/share/zoneinfo/Europe/Moscow", "UTC"),
    ],
)
def test_the_time_zone_is_that_of_the_computer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: str, file: str, zone: str
) -> None:
    monkeypatch.setenv("TZ", told)
    monkeypatch.setattr(rendering, "LOCALTIME", tmp_path / file)

    assert this_zone() == zone
