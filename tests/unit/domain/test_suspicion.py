"""What makes a submission suspicious, and above all what does not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.form import Form
from shared.domain.submission import Decoded, accept
from shared.domain.suspicion import (
    STARTED,
    Signal,
    is_suspicious,
    signals_of,
    started_token,
)
from tests.unit.samples import a_form

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
OPEN = a_form(fields={"message": {}}, time_trap_seconds=3)
KEYS = ("new", "former")


def shown(
    fields: dict[str, str], form: Form = OPEN, keys: tuple[str, ...] = ()
) -> tuple[Signal, ...]:
    decoded = Decoded(client="native", fields=tuple(fields.items()))
    submission = accept(decoded, form, "0" * 32, NOW, "en", str)
    return signals_of(decoded, submission, form, NOW, keys)


HONEST: list[dict[str, Any]] = [
    {"name": "Анна-Мария О'Нил 👋", "message": "Перезвоните, пожалуйста 🙏"},
    {"name": "Ann Lee", "message": "How much is it? Our site: https://acme.example"},
    {"name": "Иван", "message": "Сайт www.firma.example, соцсеть https://vk.com/firma"},
    {"name": "SEOшник Пётр", "message": "IT-отдел, нужен Wi-Fi роутер и iPhone-чехол"},
    {"name": "Ольга", "message": "VIP-клиент, 1С, 3D-принтер, USB-кабель, т-shirt"},
    {"name": "ООО «Рога и копыта»", "company": "ООО Ромашка", "message": "Цена 1 200 ₽?"},
    {"name": "Zoë Müller-Łukasz", "company": "Müller & Söhne GmbH", "message": "Ab 1.000 €?"},
    {"name": "O", "message": "ok"},
    {"name": "Дмитрий", "message": "Пришлите КП на почту, копию на boss@firma.example"},
    {"name": "Jean-François", "message": "C'est combien? Merci!!!"},
    {"name": "Мария", "message": "ПОЗВОНИТЕ СРОЧНО!!!"},
    {"name": "Аня", "message": "Хочу как тут https://a.example/1 и тут https://a.example/2"},
    {"name": "Сергей", "company": "Hаrd&Soft"},
    {"name": "Test", "email": "test@mailinator.com", "message": "just trying"},
    {"name": "李小龙", "message": "多少钱？"},
    {"name": "Олег", "message": "Есть ли API? JSON, XML, CRM «Битрикс24», amoCRM, Telegram-бот"},
    {"name": "Карина", "message": "Размер XL или ХL, цвет чёрный"},
    {"name": "Paul", "message": "Call +44 20 7946 0958 or +44 20 7946 0959 after 5pm"},
    {"name": "Ирина", "message": "скиньте прайс\nи сроки\nспасибо"},
    {"name": "Вадим", "message": "Нужен e-mail-маркетинг и landing-page под ключ"},
    {"name": "Наталья", "message": "PR-агентство, HR-специалист, web-дизайнер, DIY-набор"},
    {"name": "Андрей", "message": "Ищу запчасти на BMW X5, VIN WBA00000000000000"},
    {"name": "Mr. T", "message": "50% off? I pity the fool :)"},
    {"name": "Алёна", "message": "Ёлка, ёжик, ещё"},
    {"name": "Ася", "message": "<3 спасибо за <b>отличный</b> сервис"},
]
SPAM: list[dict[str, Any]] = [
    {"name": "SEO Expert", "_gotcha": "x", "message": "Rank #1"},
    {"name": "https://casino.example", "message": "Hеllо, сhеар lоаns"},
    {"name": "Bot", "email": "a@mailinator.com", "message": "http://a http://b http://c"},
    {"name": "Viagra www.pills.example", "email": "b@mailinator.com"},
    {"name": "Robert", "message": "[url=http://a]x[/url] [link=http://b]y[/link] Ноt оffеr"},
    {"name": "Аnnа Smith", "email": "c@mailinator.com", "message": "Мееt mе"},
    {"name": "Mike", "message": "<a href='x'>a</a><a href=y>b</a> http://c Вuу nоw"},
]


@pytest.mark.parametrize("fields", HONEST, ids=lambda fields: fields["name"])
def test_honest_people_are_not_kept_waiting(fields: dict[str, str]) -> None:
    assert not is_suspicious(shown(fields)), shown(fields)


@pytest.mark.parametrize("fields", SPAM, ids=lambda fields: fields["name"])
def test_spam_is_looked_at_first(fields: dict[str, str]) -> None:
    assert is_suspicious(shown(fields)), shown(fields)


@pytest.mark.parametrize("signal", ["time_trap", "links", "script_mix", "disposable_email"])
def test_a_weak_signal_alone_says_nothing(signal: Signal) -> None:
    assert not is_suspicious([signal])
    assert is_suspicious([signal, "links" if signal != "links" else "time_trap"])


@pytest.mark.parametrize("signal", ["honeypot", "burst", "turnstile"])
def test_a_strong_one_is_reason_enough(signal: Signal) -> None:
    assert is_suspicious([signal])


def test_an_empty_trap_caught_nobody() -> None:
    assert shown({"_gotcha": " "}) == ()
    assert shown({"fax": "1"}, a_form(fields={}, honeypots=("fax",))) == ("honeypot",)


@pytest.mark.parametrize(
    ("age", "signals"),
    [(2, ("time_trap",)), (3, ()), (86_400, ()), (86_401, ("time_trap",)), (-1, ("time_trap",))],
)
@pytest.mark.parametrize("key", KEYS)
def test_a_form_is_filled_in_neither_at_once_nor_days_later(
    age: int, signals: tuple[str, ...], key: str
) -> None:
    token = started_token(OPEN.form_id, NOW - timedelta(seconds=age), key)
    assert shown({STARTED: token}, keys=KEYS) == signals


def test_who_sends_no_token_may_have_an_old_page() -> None:
    assert shown({}, keys=KEYS) == ()
    old = started_token("demo-en", NOW, "new")
    assert shown({STARTED: old}, a_form(fields={}), KEYS) == (), "the form has no time trap"
    assert shown({STARTED: old}) == (), "nor has it a key"


@given(st.text(max_size=80) | st.integers(0, 2**40).map(str))
def test_no_other_token_is_ours(token: str) -> None:
    assert shown({STARTED: token}, keys=KEYS) == ("time_trap",)


def test_a_token_of_another_form_is_not_of_this_one() -> None:
    token = started_token("other", NOW - timedelta(minutes=1), "new")
    assert shown({STARTED: token}, keys=KEYS) == ("time_trap",)
