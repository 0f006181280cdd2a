"""The laptop's pages: languages and clickable text."""

import pytest

from infra.local.rendering import accepted_languages, links


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
