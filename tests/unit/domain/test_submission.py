from datetime import UTC, datetime
from typing import Any

import pytest

from shared.domain.submission import (
    FINGERPRINT_SECONDS,
    KEY_SECONDS,
    Decoded,
    NamedFile,
    Submission,
    accept,
)
from shared.errors import InvalidSubmissionError
from tests.unit.samples import ANSWERS, a_form

NOW = datetime(2026, 11, 20, 9, 0, 0, 123456, UTC)


def accepted(answers: dict[str, str] | None = None, **fields: Any) -> Submission:
    form = fields.pop("form", a_form())
    sent = tuple((ANSWERS if answers is None else answers).items())
    decoded = Decoded(client="native", fields=fields.pop("sent", sent), **fields)
    return accept(decoded, form, "0" * 32, NOW, "en", str)


def mistakes(answers: dict[str, str], **fields: Any) -> dict[str, str]:
    with pytest.raises(InvalidSubmissionError) as refused:
        accepted(answers, **fields)
    names = [error.field for error in refused.value.errors]
    assert len(names) == len(set(names)), "one entry per field"
    return {error.field: error.code for error in refused.value.errors}


def test_an_accepted_submission_is_read_and_kept() -> None:
    submission = accepted(
        {
            **ANSWERS,
            "Email": "Ann@Acme.example",
            "company": " Acme ",
            "message": "A machine\r\nthat calculates",
            "budget": "50k",
            "utm_source": "google",
            "utm_medium": "cpc",
        },
        body="verbatim",
        content_type="text/plain",
        page="https://landing.example/a?x=1",
    )
    assert submission.received_at == NOW.replace(microsecond=123000)
    assert submission.contact.model_dump() == {
        "name": "Ann Lee",
        "given_name": "Ann",
        "family_name": "Lee",
        "phone": "+442079460958",
        "phone_extension": None,
        "country": "GB",
        "email": "ann@acme.example",
        "company": "Acme",
        "company_domain": "acme.example",
    }
    assert submission.values == {
        **ANSWERS,
        "email": "Ann@Acme.example",
        "company": " Acme ",
        "message": "A machine\nthat calculates",
        "budget": "50k",
    }
    assert submission.message == "A machine\nthat calculates"
    assert (submission.channel, submission.channel_rule) == ("Paid Search", "utm:paid_search")
    assert submission.touch.landing_page == "https://landing.example/a"
    assert submission.form_title == "Free consultation"
    assert submission.body == "verbatim"


def test_a_stored_submission_reads_back_the_same() -> None:
    submission = accepted()
    assert Submission.model_validate(submission.model_dump(mode="json")) == submission


def test_the_text_of_the_consent_is_kept_with_it() -> None:
    submission = accepted()
    assert submission.consent is True
    assert (submission.consent_text, submission.consent_version) == ("You may call me.", "2026-11")


def test_a_payload_that_says_nothing_of_consent_keeps_none() -> None:
    form = a_form(fields={"phone": {"type": "phone"}})
    submission = accepted({"phone": "020 7946 0958"}, form=form)
    assert (submission.consent, submission.consent_text) == (None, None)


def test_an_optional_box_may_stay_unticked() -> None:
    form = a_form(fields={"consent": {"type": "consent"}})
    assert accepted({"consent": "no"}, form=form).consent is False


def test_missing_blank_and_unusable_are_told_apart() -> None:
    wrong = {"name": "\xa0\u200b", "phone": "12345", "email": "not-an-email", "message": "m" * 41}
    assert mistakes(wrong) == {
        "name": "blank",
        "phone": "unusable",
        "email": "unusable",
        "message": "too_long",
        "consent": "missing",
    }
    assert mistakes({**ANSWERS, "consent": "no"}) == {"consent": "unusable"}
    assert mistakes({**ANSWERS, "consent": ""}) == {"consent": "blank"}
    assert mistakes({}) == {"name": "missing", "phone": "missing", "consent": "missing"}


def test_a_mask_that_nobody_filled_in_is_blank() -> None:
    assert mistakes({**ANSWERS, "phone": "+7 (___) ___-__-__"}) == {"phone": "blank"}
    form = a_form(fields={"phone": {"type": "phone"}})
    assert accepted({"phone": "+7 (___) ___-__-__"}, form=form).contact.phone is None


def test_custom_fields_are_checked_by_their_type() -> None:
    form = a_form(
        fields={
            "second_phone": {"type": "phone"},
            "boss": {"type": "email"},
            "news": {"type": "consent", "required": True},
            "city": {"required": True},
        }
    )
    sent = {"second_phone": "12", "boss": "x", "news": "no", "city": " "}
    assert mistakes(sent, form=form) == {
        "second_phone": "unusable",
        "boss": "unusable",
        "news": "unusable",
        "city": "blank",
    }
    right = {"second_phone": "020 7946 0958", "boss": "b@example.com", "news": "1", "city": "Bath"}
    assert accepted(right, form=form).values == right


def test_a_file_is_named_and_refused_politely() -> None:
    file = NamedFile("brief", "ТЗ на сайт.pdf", "application/pdf", 45)
    with pytest.raises(InvalidSubmissionError) as refused:
        accepted(files=(file,))
    (error,) = refused.value.errors
    assert (error.field, error.code) == ("brief", "file_not_accepted")
    assert "ТЗ на сайт.pdf" in error.detail


def test_where_nobody_waits_only_required_fields_can_refuse() -> None:
    bad = {"email": "not-an-email", "message": "m" * 41, "name": "n" * 300}
    submission = accepted({**ANSWERS, **bad}, somebody_waits=False)
    assert submission.contact.email is None
    assert submission.values["email"] == "not-an-email"
    assert submission.contact.name == "n" * 200
    assert mistakes({**ANSWERS, "phone": "12"}, somebody_waits=False) == {"phone": "unusable"}


def test_the_content_is_the_same_whatever_the_order_and_the_key() -> None:
    first = accepted({**ANSWERS, "idempotency_key": "a", "utm_source": "x"})
    reordered = dict(reversed(ANSWERS.items())) | {"idempotency_key": "b", "consent": "true"}
    assert accepted(reordered).content_hash == first.content_hash
    assert accepted({**ANSWERS, "message": "more"}).content_hash != first.content_hash
    assert accepted({**ANSWERS, "name": "Bob"}).content_hash != first.content_hash


def test_the_clients_id_goes_before_a_key_and_a_key_before_the_content() -> None:
    by_content = accepted()
    by_key = accepted(idempotency_key="k")
    by_id = accepted(idempotency_key="k", external_id="k")
    assert by_content.receipt_seconds == FINGERPRINT_SECONDS
    assert by_key.receipt_seconds == by_id.receipt_seconds == KEY_SECONDS
    assert len({s.receipt_key for s in (by_content, by_key, by_id)}) == 3
    assert accepted({**ANSWERS, "message": "x"}, idempotency_key="k").receipt_key == (
        by_key.receipt_key
    )
    assert accepted().receipt_key == by_content.receipt_key


def test_what_a_test_form_takes_is_a_test() -> None:
    assert accepted(form=a_form(is_test=True)).is_test
    assert not accepted().is_test
