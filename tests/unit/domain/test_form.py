from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.domain.aliases import canonical_name
from shared.domain.form import FieldRule, advice, consent_of, label, mistake
from tests.unit.samples import a_form


def values(*sent: tuple[str, str], **fields: Any) -> dict[str, str]:
    return a_form(**fields).sort(sent).values


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("Name", "name"),
        ("your-name", "name"),
        ("Ваше имя", "name"),
        ("ФИО", "name"),
        ("fio", "name"),
        ("Телефон", "phone"),
        ("Phone Number", "phone"),
        ("tel", "phone"),
        ("E-mail", "email"),
        ("Электронная почта", "email"),
        ("company_name", "company"),
        ("Комментарий", "message"),
        ("Comments", "message"),
        ("agree", "consent"),
        ("Согласие на обработку персональных данных", "consent"),
        ("phoneNumber", "phone"),
        ("PhoneNumbers", "phone"),
        ("FullName", "name"),
        ("Ваш номер телефона", "phone"),
        ("I agree to the privacy policy", "consent"),
        ("budget", None),
        ("username", None),
        ("policy", None),
        ("почтовый адрес", None),
        ("", None),
        ("name" * 100, None),
    ],
)
def test_usual_spellings_are_known(key: str, name: str | None) -> None:
    assert canonical_name(key) == name


def test_a_mapping_goes_before_a_name_and_a_name_before_a_spelling() -> None:
    sent = (("mail", "spelled"), ("email", "named"), ("f7", "mapped"))
    assert values(*sent)["email"] == "named"
    assert values(*sent, mapping={"email": "f7"}) == {
        "mail": "spelled",
        "sent_email": "named",
        "email": "mapped",
    }


NESTED = (
    ("answers.0.id", "name"),
    ("answers.0.value", "Ann"),
    ("answers.1.id", "tel"),
    ("answers.1.value", "8"),
    ("answers.1.more.0.kind", "ext"),
    ("answers.1.more.0.text", "12"),
    ("people[0][role]", "buyer"),
    ("people[0][mail]", "a@b.example"),
    ("topics[]", "x"),
    ("topics[]", "y"),
    ("list", "first"),
    ("1.3", "dot"),
    ("0.id", "top"),
    ("0.text", "of a list"),
)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("answers[id=tel].value", "8"),
        ("answers[id=tel].more[kind=ext].text", "12"),
        ("answers.1.value", "8"),
        ("answers[1][value]", "8"),
        ("people[role=buyer].mail", "a@b.example"),
        ("people.0.mail", "a@b.example"),
        ("people[0][mail]", "a@b.example"),
        ("topics", "x, y"),
        ("topics[]", "x, y"),
        ("list[0]", "first"),
        ("1.3", "dot"),
        ("[id=top].text", "of a list"),
        ("answers[id=fax].value", None),
        ("answers[id=tel].nothing", None),
        ("nothing", None),
        ("[", None),
    ],
)
def test_a_mapping_is_a_path(path: str, text: str | None) -> None:
    assert values(*NESTED, mapping={"message": path}).get("message") == text


def test_an_empty_field_does_not_stand_before_a_filled_one() -> None:
    assert values(("phone", " "), ("tel", "8"))["phone"] == "8"
    assert values(("email", ""), ("mail", ""))["email"] == ""


def test_machines_wrap_fields() -> None:
    sent = (("data.contact.phone", "8"), ("payload[data][name]", "A"), ("product.name", "Cup"))
    assert values(*sent) == {"phone": "8", "name": "A", "product.name": "Cup"}
    assert a_form().sort((("data.utm_source", "vk"),)).tags == {"utm_source": "vk"}


def test_texts_that_stand_for_nothing_are_nothing() -> None:
    assert values(("tel", " undefined "), ("name", "A"), null_literals=["undefined"]) == {
        "name": "A"
    }


@given(st.text(max_size=120))
def test_a_name_is_stable(key: str) -> None:
    name = canonical_name(key)
    assert name == canonical_name(key.upper().lower()) or not key.isascii()
    assert name is None or canonical_name(name) == name
    assert canonical_name(f"data.{key}") == name or "." in key or "[" in key or len(key) > 95


def test_a_mapping_whose_key_was_not_sent_leaves_the_canonical_name() -> None:
    assert values(("phone", "1"), ("tel", "2"), mapping={"phone": "f7"}) == {
        "phone": "1",
        "tel": "2",
    }


def test_a_key_that_repeats_is_one_answer() -> None:
    assert values(("topic", "a"), ("topic", "b"), ("topic", "a")) == {"topic": "a, b"}


def test_a_hidden_no_under_a_ticked_box_is_a_yes() -> None:
    assert values(("consent", "0"), ("consent", "1"))["consent"] == "1"


def test_a_name_in_parts_is_put_together() -> None:
    assert values(("last_name", "Lee"), ("first_name", "Ann")) == {"name": "Ann Lee"}
    assert values(("Имя", "Анна"), ("Фамилия", "Ли")) == {"name": "Анна Ли"}


def test_a_whole_name_beside_its_parts_stays() -> None:
    sent = (("name", "Ann Lee"), ("first_name", "Ann"), ("last_name", "Lee"))
    assert values(*sent)["name"] == "Ann Lee"


def test_tags_and_machinery_are_no_answers() -> None:
    kept = a_form().sort(
        (
            ("UTM_Source", "vk"),
            ("_ga", "1.2"),
            ("first_touch.utm_source", "ya"),
            ("_next", "x"),
            ("idempotency_key", "k"),
            ("", "?"),
        )
    )
    assert kept.tags == {"utm_source": "vk", "_ga": "1.2", "first_touch.utm_source": "ya"}
    assert kept.values == {"unnamed": "?"}


@pytest.mark.parametrize(
    ("text", "consent"),
    [
        (None, None),
        ("on", True),
        ("yes", True),
        ("1", True),
        ("true", True),
        ("Да", True),
        ("Я согласен на обработку данных", True),
        ("no", False),
        ("FALSE", False),
        ("0", False),
        ("нет", False),
        ("", False),
        (" ", False),
    ],
)
def test_consent_is_yes_no_or_nothing(text: str | None, consent: bool | None) -> None:
    assert consent_of(text) is consent


@pytest.mark.parametrize(
    ("text", "usable", "code"),
    [
        (None, False, "missing"),
        ("", False, "blank"),
        ("\xa0\u200b", False, "blank"),
        ("12", False, "unusable"),
        ("12", True, None),
        ("1" * 201, False, "too_long"),
    ],
)
def test_mistakes_are_told_apart(text: str | None, usable: bool, code: str | None) -> None:
    required = FieldRule(type="phone", required=True)
    assert mistake(required, "phone", text, usable=usable) == code
    if code in {"missing", "blank"}:
        assert mistake(FieldRule(type="phone"), "phone", text, usable=usable) is None


def test_each_mistake_has_a_sentence() -> None:
    form = a_form(
        fields={
            "phone": {"type": "phone"},
            "email": {"type": "email"},
            "consent": {"type": "consent"},
            "budget": {"label": "Budget, £"},
            "city": {"max_length": 7},
            "name": {},
        }
    )

    def say(name: str, code: Any) -> str:
        return advice(form, name, code, str)

    assert say("phone", "missing") == "Enter your phone number."
    assert "+44" in say("phone", "unusable")
    assert "@" in say("email", "unusable")
    assert say("email", "blank") == "Enter your e-mail address."
    assert "consent" in say("consent", "missing")
    assert say("budget", "missing") == "Fill in “Budget, £”."
    assert say("city", "blank") == "Fill in “city”."
    assert say("city", "too_long") == "Shorten this to 7 characters."
    assert say("name", "too_long") == "Shorten this to 200 characters."


def test_a_consent_is_labelled_by_its_own_text() -> None:
    assert label(a_form(), "consent", str) == "You may call me."
    assert label(a_form(consent_text=""), "consent", str) == "Consent"


@pytest.mark.parametrize(
    "fields",
    [
        {"thanks_url": None},
        {"thanks_url": "/thanks"},
        {"thanks_url": "javascript:alert(1)"},
        {"form_id": "A b"},
        {"client": "../native"},
        {"fields": {"phone": {"type": "text"}}},
        {"fields": {"phone": {"typ": "phone"}}},
        {"mapping": {"name": "x", "phone": "x"}},
        {"mapping": {"nobody": "x"}},
        {"default_region": "gb"},
        {"colour": "red"},
    ],
)
def test_a_form_that_cannot_work_is_not_published(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        a_form(**fields)


def test_only_listed_origins_may_send() -> None:
    form = a_form(origins=["https://landing.example/"])
    assert form.allows("https://landing.example")
    assert form.allows("https://LANDING.example")
    for other in ("http://landing.example", "https://landing.example.evil", "https://x"):
        assert not form.allows(other)


@pytest.mark.parametrize(
    "wanted",
    [
        None,
        "",
        "https://evil.example/phish",
        "//evil.example",
        "/\\evil.example",
        "https:evil.example",
        "https:///evil.example",
        "https://landing.example@evil.example/",
        "https://user@landing.example/",
        "https://landing.example\\@evil.example/",
        "https://landing.example.evil.example/",
        "https://landing.example:8443/",
        "http://landing.example/",
        "javascript:alert(1)//landing.example",
        "https://landing.example/\r\nSet-Cookie: a=b",
        "https://landing.example/\x7f",
        "https://lаnding.example/",
        "https://landing.example/" + "a" * 5000,
    ],
)
def test_a_visitor_is_never_sent_to_a_host_that_the_form_does_not_know(wanted: str | None) -> None:
    assert a_form().thanks_for(wanted) == "https://landing.example/thanks"


def test_a_page_may_choose_its_own_thanks_page() -> None:
    form = a_form(redirect_hosts=["other.example"])
    for wanted in ("https://landing.example/thanks?plan=2", "https://other.example/"):
        assert form.thanks_for(wanted) == wanted
    assert form.thanks_origins == ("https://landing.example", "https://other.example")


def test_a_webhook_form_has_no_thanks_page() -> None:
    form = a_form(client="tilda", thanks_url=None)
    assert form.thanks_for("https://evil.example/") == ""
    assert form.thanks_origins == ()


@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=12)), max_size=12))
def test_whatever_is_sent_every_answer_stays_somewhere(sent: list[tuple[str, str]]) -> None:
    kept = a_form().sort(sent)
    everything = " ".join([*kept.values.values(), *kept.tags.values()])
    machinery = {"idempotency_key", "idempotency-key", "utf8"}
    answers = [(k, t) for k, t in sent if not k.startswith("_") and k.lower() not in machinery]
    lost = [t for k, t in answers if canonical_name(k) != "consent" and t.strip() not in everything]
    assert not [t for t in lost if "\r" not in t and t.isprintable()]
