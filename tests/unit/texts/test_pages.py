"""Pages in general, and the form that is shown again to a browser without scripts."""

import base64
import hashlib
import re

import jinja2
import pytest

from shared.texts import render
from shared.texts.pages import TEMPLATES, page_headers, style
from tests.unit.texts.skeleton import HOSTILE, skeleton, text_of


def form_page(locale: str = "en", typed: str = "Ada", **context: object) -> str:
    """A form with an error in each kind of field; `typed` is all that a stranger can choose."""
    fields = [
        {"name": "name", "label": "Name", "type": "text"},
        {"name": "phone", "label": "Phone", "type": "phone"},
        {"name": "email", "label": "E-mail", "type": "email"},
        {"name": "message", "label": "Message", "type": "text"},
        {"name": "consent", "label": "I agree", "type": "consent"},
    ]
    return render(
        "form_error.html",
        locale,
        **{
            "form_id": "demo-en",
            "title": "Free consultation",
            "action": "/v1/forms/demo-en/submissions",
            "fields": [
                {**field, "value": typed, "error": f"Not {typed}", "required": True}
                for field in fields
            ],
            "hidden": {"utm_source": typed},
            "kept": True,
            "heading": "Please check the form",
            "errors": [{"field": "phone", "detail": f"Not {typed}"}],
            **context,
        },
    )


def test_what_was_typed_and_what_is_wrong_stand_on_the_page() -> None:
    page = form_page(typed="Ada")

    assert 'value="Ada"' in page
    assert '<form method="post" action="/v1/forms/demo-en/submissions"' in page
    assert '<input type="hidden" name="utm_source" value="Ada">' in page
    assert re.search(r'<textarea id="field-4" name="message"[^>]*>\nAda</textarea>', page)
    assert 'type="tel" id="field-2" name="phone"' in page
    assert 'aria-invalid="true" aria-describedby="field-2-error"' in page
    assert '<a href="#field-2">Not Ada</a>' in page
    assert " checked" in page
    assert "Please check the form" in text_of(page)
    assert "What you typed is still here" in text_of(page)


def test_a_field_that_is_right_is_not_called_wrong() -> None:
    right = {"name": "company", "label": "Company", "type": "text", "value": "", "error": None}
    page = form_page(fields=[{**right, "required": False}])

    assert 'aria-invalid="' not in page
    assert "Company optional" in text_of(page)
    assert 'autocomplete="organization"' in page


def test_an_unticked_box_stays_unticked() -> None:
    box = {"name": "consent", "label": "I agree", "type": "consent", "value": "", "required": True}

    assert " checked" not in form_page(fields=[{**box, "error": "Tick the box"}])


def test_a_text_of_several_lines_gets_room() -> None:
    field = {"name": "task", "label": "Task", "type": "text", "value": "a\nb", "required": True}

    assert "<textarea" in form_page(fields=[{**field, "error": None}])


def test_without_a_form_only_the_error_is_shown() -> None:
    errors = [{"field": None, "detail": "Check the address"}]
    page = form_page(
        fields=[], hidden={}, kept=False, errors=errors, heading="The form is too large"
    )

    assert "<form" not in page
    assert "The form is too large" in text_of(page)
    assert "still here" not in text_of(page)


def test_the_page_speaks_the_visitors_language() -> None:
    page = form_page("ru")

    assert '<html lang="ru">' in page
    assert "Отправить ещё раз" in text_of(page)


@pytest.mark.parametrize("words", HOSTILE)
def test_what_strangers_type_changes_no_page(words: str) -> None:
    # A text of several lines is shown in a larger field; that is ours to choose.
    words = words.replace("\n", " ").replace("\r", " ")

    assert skeleton(form_page(typed=words)) == skeleton(form_page(typed="Ada"))


def test_a_page_that_lacks_something_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError):
        render("form_error.html", "en", title="Free consultation")


def test_a_browser_runs_no_script_and_takes_only_our_style() -> None:
    policy = page_headers()["Content-Security-Policy"]

    digest = base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    (in_page,) = re.findall(r"<style>(.*?)</style>", form_page(), re.DOTALL)
    assert in_page == style()


def test_a_post_may_be_redirected_to_a_forms_thanks_page() -> None:
    policy = page_headers(["https://example.com"])["Content-Security-Policy"]

    assert "form-action 'self' https://example.com;" in policy


def test_a_page_is_kept_nowhere_and_tells_nobody() -> None:
    headers = page_headers()

    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Robots-Tag"] == "noindex"
    assert headers["Content-Type"] == "text/html; charset=utf-8"


def test_no_template_has_a_style_or_a_script_of_its_own() -> None:
    for path in TEMPLATES.glob("*.html"):
        text = path.read_text()
        assert not re.search(r"\sstyle=|<script|\son\w+=|\|\s*safe", text), path.name


def test_the_style_is_small_and_fetches_nothing() -> None:
    assert len(style()) < 9500
    assert "url(" not in style()
    assert "@import" not in style()
