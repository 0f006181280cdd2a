"""Alerts: short enough, whole where it counts, and closed to what visitors type."""

import re
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.events import AlertKind
from shared.domain.lead import Lead, Said
from shared.domain.roster import Rep
from shared.texts.alerts import (
    HEADLINES,
    SUBJECT_LENGTH,
    Colleague,
    email,
    new_link_sms,
    off_duty_sms,
    segments,
    sms,
    together_sms,
)
from tests.unit.domain.samples import a_lead, a_rep, at
from tests.unit.texts.skeleton import HOSTILE

OWN_HOST = "https://go.example.com/l/aB3dE5gH7jK9"
DEFAULT_HOST = "https://a1b2c3d4e5.execute-api.ap-southeast-1.amazonaws.com/l/aB3dE5gH7jK9"
TEAM_LINK = "https://go.example.com/r/aB3dE5gH7jK9"

RUSSIAN: dict[str, Any] = {
    "name": "Екатерина Смирнова",
    "phone": "+79161234567",
    "asked": "Меняем таблицы на нормальную систему: 40 водителей, два склада.",
    "form_title": "Консультация",
    "source": "yandex / cpc",
}

anything = st.none() | st.text(st.characters(codec=None), max_size=400)
leads = st.builds(
    a_lead,
    name=anything,
    asked=anything,
    company=anything,
    source=anything,
    page=anything,
    form_title=st.text(max_size=120),
    phone=st.sampled_from([None, "+447700900123", "+79161234567", "+4915112345678901"]),
    phone_extension=st.sampled_from([None, "12", "123456"]),
    email=st.none() | st.emails(),
    first_attempt_at=st.sampled_from([None, at(30)]),
)
links = st.sampled_from([OWN_HOST, DEFAULT_HOST, TEAM_LINK])
kinds = st.sampled_from(sorted(HEADLINES))
locales = st.sampled_from(["en", "ru"])
colleagues = st.none() | st.builds(Colleague, st.text(st.characters(codec=None)), anything)
moments = st.sampled_from([at(0), at(299), at(300), at(100_000)])


def reads(locale: str, zone: str = "Europe/Berlin", **fields: Any) -> Rep:
    """Somebody to whom an alert goes."""
    return a_rep("maria", **{"locale": locale, "zone": zone, "role": "manager", **fields})


def english(kind: AlertKind = "new", link: str = OWN_HOST, seconds: int = 20, **fields: Any) -> str:
    return sms(a_lead(**fields), kind, reads("en"), link, at(seconds))


def russian(kind: AlertKind = "new", link: str = OWN_HOST, **fields: Any) -> str:
    lead = a_lead(**{**RUSSIAN, **fields})
    return sms(lead, kind, reads("ru", "Europe/Moscow"), link, at(20))


# --- SMS -----------------------------------------------------------------------------------------


@given(leads, kinds, locales, links, moments, colleagues)
def test_a_text_message_keeps_its_budget_and_what_counts(
    lead: Lead,
    kind: AlertKind,
    locale: str,
    link: str,
    now: Any,
    colleague: Colleague | None,
) -> None:
    text = sms(lead, kind, reads(locale, "Asia/Kathmandu"), link, now, colleague)

    assert segments(text) <= 2
    assert text.splitlines()[-1] == link
    assert not {unicodedata.category(letter) for letter in text} & {"Cs", "Zl", "Zp"}
    assert all(letter == "\n" or unicodedata.category(letter) != "Cc" for letter in text)
    if lead.phone:
        assert lead.phone[1:] in re.sub(r"\D", "", "".join(text.splitlines()[:-1]))
        if lead.awaits_attempt:
            assert re.search(r"\d\d:\d\d", text)


def test_it_says_who_what_where_from_until_when_and_where_to_answer() -> None:
    assert english(source="google / cpc / autumn").splitlines() == [
        "New lead: Ada Lovelace",
        "+44 7700 900123",
        "A machine that calculates",
        "Free consultation, google / cpc / autumn",
        "call by 10:05",
        OWN_HOST,
    ]


def test_russian_says_the_same_on_an_own_domain() -> None:
    text = russian()

    assert segments(text) == 2
    assert text.splitlines() == [
        "Новый лид: Екатерина Смирнова",
        "+7 916 123-45-67",
        "Меняем таблицы на нормальную систему…",
        "до 12:05",
        OWN_HOST,
    ]


def test_russian_on_the_default_host_keeps_name_phone_deadline_and_link() -> None:
    assert russian(link=DEFAULT_HOST).splitlines() == [
        "Новый лид: Екатерина Смирнова",
        "+7 916 123-45-67",
        "до 12:05",
        DEFAULT_HOST,
    ]


def test_what_was_asked_is_cut_before_the_name() -> None:
    text = english(name="N" * 40, asked="word " * 100, link=DEFAULT_HOST)

    assert "N" * 40 in text
    assert re.search(r"^word (word )+word\.\.$", text, re.MULTILINE)


def test_a_name_is_cut_before_phone_and_link() -> None:
    first, phone, *_, link = russian(name="Ж" * 200, link=DEFAULT_HOST).splitlines()

    assert first.startswith("Новый лид: ЖЖЖЖ")
    assert first.endswith("…")
    assert (phone, link) == ("+7 916 123-45-67", DEFAULT_HOST)


def test_a_latin_name_stays_whole_when_the_mark_of_a_cut_would_double_the_price() -> None:
    text = english(name="N" * 40, asked="\N{TELEPHONE RECEIVER}" * 200, link=DEFAULT_HOST)

    assert text.splitlines()[0] == f"New lead: {'N' * 40}"
    assert segments(text) == 2


def test_typographic_marks_do_not_double_the_price() -> None:
    assert segments(english(asked="“Quotes” – and ‘dashes’…" * 5)) == 2
    assert '"Quotes" - and' in english(asked="“Quotes” – and ‘dashes’…")


@pytest.mark.parametrize("kind", HEADLINES)
def test_each_kind_has_words_of_its_own(kind: AlertKind) -> None:
    others = [english(other) for other in HEADLINES if other != kind]

    assert english(kind) not in others
    assert russian(kind).splitlines()[0] != english(kind).splitlines()[0]


ALICE = Colleague("Alice Clarke", "Prefers mornings.\nAsk about the two warehouses")


@pytest.mark.parametrize("kind", ["breach", "backup", "unreachable", "reminder", "repeat"])
def test_whoever_is_told_of_anothers_lead_is_told_whose(kind: AlertKind) -> None:
    lead, owner = a_lead(**RUSSIAN), Colleague("Анна Новак")

    for locale, said, now in (
        ("en", "With Анна Новак", "Now with Анна Новак"),
        ("ru", "Ведёт Анна Новак", "Сейчас ведёт Анна Новак"),
    ):
        text = sms(lead, kind, reads(locale), OWN_HOST, at(300), owner)
        assert (text.splitlines()[2] == said) == (kind != "unreachable"), "its headline is long"
        mail = email(lead, kind, reads(locale), OWN_HOST, at(300), colleague=owner).text.split(
            "\n\n"
        )
        assert mail[0].splitlines()[-1] == now


def test_whoever_is_handed_a_lead_is_told_by_whom_and_what_they_said() -> None:
    text = sms(a_lead(), "handed_over", reads("en"), OWN_HOST, at(60), ALICE)
    assert text.splitlines()[:4] == [
        "Handed over to you: Ada Lovelace",
        "+44 7700 900123",
        "From Alice Clarke: Prefers mornings. Ask about the two warehouses",
        "A machine that calculates",
    ]

    mail = email(a_lead(), "handed_over", reads("en"), OWN_HOST, at(60), colleague=ALICE)
    assert mail.text.split("\n\n")[:2] == [
        "Handed over to you\nCall by 10:05. 4 minutes left.",
        "Note from Alice Clarke:\n> Prefers mornings.\n> Ask about the two warehouses",
    ]
    without = email(
        a_lead(),
        "handed_over",
        reads("ru"),
        OWN_HOST,
        at(60),
        colleague=Colleague("Ян"),
    )
    assert without.text.split("\n\n")[0].splitlines()[-1] == "Передаёт Ян"


def test_a_long_word_of_a_colleague_leaves_room_for_phone_and_link() -> None:
    note = Colleague("Анна-Мария О'Нил 👋", "Перезвонить после пяти, спросить про склад. " * 9)
    text = sms(
        a_lead(**RUSSIAN), "handed_over", reads("ru", "Europe/Moscow"), OWN_HOST, at(20), note
    ).splitlines()

    assert text[1] == "+7 916 123-45-67"
    assert text[2].startswith("Передаёт Анна-Мария О'Нил 👋")
    assert text[-1] == OWN_HOST


def test_a_lead_that_comes_from_a_colleague_was_called_or_not() -> None:
    assert english("reassigned").startswith("Now yours, nobody called: Ada")
    assert english("reassigned", first_attempt_at=at(60)).startswith("Now yours: Ada")


def test_no_owner_is_offered_what_they_have() -> None:
    assert sms(a_lead(rep_id="maria"), "offer", reads("en"), OWN_HOST, at(600)).startswith(
        "Still waiting: Ada"
    )
    assert sms(a_lead(rep_id="anna"), "offer", reads("en"), OWN_HOST, at(600)).startswith(
        "Free to take: Ada"
    )


def test_a_name_that_is_cut_goes_before_a_scrap_of_what_was_asked() -> None:
    text = russian("breach", DEFAULT_HOST).splitlines()

    assert text[0].startswith("Не позвонили вовремя: Екатер")
    assert "+7 916 123-45-67" in text


def test_a_late_call_was_due() -> None:
    assert "call was due 10:05" in english("breach", TEAM_LINK, seconds=300)


def test_after_the_call_there_is_no_deadline() -> None:
    assert "10:05" not in english("again", first_attempt_at=at(60))


def test_a_deadline_of_another_day_says_which() -> None:
    assert "call by 23 Nov, 10:05" in english(respond_by=at(3 * 86400 + 300))


def test_somebody_without_a_phone_is_reached_by_email() -> None:
    assert english(phone=None).splitlines()[1] == "ada@example.com"
    assert english(phone=None, email=None, name=None).splitlines()[0] == "New lead"


def test_the_headline_goes_before_phone_deadline_and_link() -> None:
    fields = {"phone_extension": "123456", "respond_by": at(-86400), "name": None}

    assert russian("breach", DEFAULT_HOST, **fields).splitlines() == [
        "+7 916 123-45-67 доб. 123456",
        "срок был 19 ноя, 12:00",
        DEFAULT_HOST,
    ]


def test_an_email_that_is_too_long_for_a_message_is_left_out() -> None:
    address = f"{'a' * 64}@{'b' * 63}.{'c' * 63}.example"
    text = russian(phone=None, email=address, link=DEFAULT_HOST)

    assert "aaa" not in text
    assert text.endswith(DEFAULT_HOST)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("я" * 70, 1),
        ("я" * 71, 2),
        ("я" * 134, 2),
        ("я" * 135, 3),
        ("👋" * 35, 1),
        ("👋" * 36, 2),
        ("👋" * 66, 2),
        ("👋" * 67, 3),
        ("a" * 152 + "€" + "a" * 151, 2),
        ("a" * 152 + "€" + "a" * 152, 3),
        ("", 1),
    ],
)
def test_segments_are_counted_as_carriers_do(text: str, count: int) -> None:
    assert segments(text) == count


# --- SMS about people ----------------------------------------------------------------------------

DOMAINS = ("amazonaws.com", "amazonaws.com.cn", "amazonaws.eu")
REGIONS = ("us-east-1", "eu-central-1", "us-gov-west-1", "ap-southeast-1")
HOSTS = [
    "go.ours.net",
    *(f"a1b2c3d4e5.execute-api.{region}.{domain}" for region in REGIONS for domain in DOMAINS),
]
to_people = st.builds(
    "https://{}/{}/aB3dE5gH7jK9".format, st.sampled_from(HOSTS), st.sampled_from("lr")
)
LONG_NAMES = (
    "Ж" * 40,
    "Жж " * 13,
    "👋" * 40,
    "Анна-Мария О'Нил 👋 " * 3,
    "N" * 40 + "👋",
    "€" * 40,
)
names = st.sampled_from(LONG_NAMES) | st.text(st.characters(codec=None), min_size=1, max_size=100)


@given(names, locales, to_people)
def test_what_is_texted_about_people_keeps_its_budget_too(
    name: str, locale: str, link: str
) -> None:
    reader, other = a_rep("maria", locale=locale), a_rep("olga", name=name, locale=locale)

    for text in (
        new_link_sms(locale, link),
        together_sms(reader, link),
        off_duty_sms(reader, reader, link),
        off_duty_sms(other, reader, link),
    ):
        assert segments(text) <= 2
        said, last = text.split("\n")
        assert last == link
        assert said


@pytest.mark.parametrize("locale", ["en", "ru"])
@pytest.mark.parametrize("name", ["Екатерина Смирнова", "Анна-Мария О'Нил 👋"])
def test_an_everyday_name_is_whole_on_the_default_host(name: str, locale: str) -> None:
    about = off_duty_sms(a_rep("olga", name=name), a_rep("maria", locale=locale), DEFAULT_HOST)

    assert about.startswith((f"{name} is off duty: two", f"{name} не на смене: два"))


def test_a_long_name_of_a_colleague_is_cut_and_not_dropped() -> None:
    olga, link = a_rep("olga", name="Ж" * 40), DEFAULT_HOST

    assert off_duty_sms(olga, a_rep("maria", locale="ru"), link).startswith("Ж" * 18 + "… не на")
    assert off_duty_sms(olga, a_rep("maria"), OWN_HOST).startswith("Ж" * 40 + " is off duty: two")


# --- e-mail --------------------------------------------------------------------------------------


@given(leads, kinds, locales, links, moments, colleagues)
def test_a_subject_is_one_that_sns_takes(
    lead: Lead,
    kind: AlertKind,
    locale: str,
    link: str,
    now: Any,
    colleague: Colleague | None,
) -> None:
    subject, text = email(
        lead, kind, reads(locale, "Asia/Kathmandu"), link, now, colleague=colleague
    )

    assert 0 < len(subject.encode("utf-16-le")) // 2 <= SUBJECT_LENGTH < 100
    assert subject[0].isalpha()
    assert subject == " ".join(subject.split())
    banned = {"Cc", "Cs", "Zl", "Zp"}
    assert not {unicodedata.category(letter) for letter in subject} & banned
    assert not {unicodedata.category(letter) for letter in text.replace("\n", "")} & banned
    assert text.splitlines()[-1] == link


def test_the_email_has_all_that_the_call_needs() -> None:
    lead = a_lead(
        company="Analytical Engines",
        source="google / cpc / autumn",
        page="https://example.com/demo-en",
        asked="A machine that calculates.\nAnd prints.",
        phone_extension="12",
    )

    subject, text = email(lead, "new", reads("en"), OWN_HOST, at(60))

    assert subject == "New lead: Ada Lovelace, Analytical Engines, Free consultation"
    assert text == (
        "New lead\n"
        "Call by 10:05. 4 minutes left.\n"
        "\n"
        "Name: Ada Lovelace\n"
        "Phone: +44 7700 900123 ext. 12 (tel:+447700900123)\n"
        "E-mail: ada@example.com\n"
        "Company: Analytical Engines\n"
        "Form: Free consultation\n"
        "Source: google / cpc / autumn\n"
        "Page: https://example.com/demo-en\n"
        "Received: 10:00, 1 minute ago\n"
        "\n"
        "What was asked:\n"
        "> A machine that calculates.\n"
        "> And prints.\n"
        "\n"
        "Open the lead and say how the call went:\n"
        f"{OWN_HOST}\n"
    )


@pytest.mark.parametrize(
    ("locale", "own", "teams"),
    [
        ("en", "Your open leads:", "The team's open leads:"),
        ("ru", "Ваши открытые лиды:", "Открытые лиды команды:"),
    ],
)
def test_a_reps_list_is_their_own(locale: str, own: str, teams: str) -> None:
    lead, now = a_lead(), at(20)
    of_rep = email(lead, "new", reads(locale, "UTC", role="rep"), TEAM_LINK, now).text
    of_manager = email(lead, "new", reads(locale, "UTC", role="manager"), TEAM_LINK, now).text

    assert f"\n{own}\n{TEAM_LINK}\n" in of_rep
    assert f"\n{teams}\n{TEAM_LINK}\n" in of_manager


def test_a_managers_link_is_the_teams_list() -> None:
    text = email(a_lead(), "breach", reads("en", "UTC"), TEAM_LINK, at(400)).text

    assert "The call was due by 09:05. 1 minute late." in text
    assert f"The team's open leads:\n{TEAM_LINK}\n" in text


def test_an_email_in_russian() -> None:
    subject, text = email(a_lead(**RUSSIAN), "new", reads("ru", "Europe/Moscow"), OWN_HOST, at(60))

    assert subject == "Новый лид: Екатерина Смирнова, Консультация"
    assert "Позвоните до 12:05. Осталось 4 минуты." in text
    assert "Телефон: +7 916 123-45-67 (tel:+79161234567)" in text


@pytest.mark.parametrize(
    ("came", "locale", "source"),
    [
        ("phone", "en", "Phone call"),
        ("walk-in", "en", "Walk-in"),
        ("phone", "ru", "Звонок"),
        ("walk-in", "ru", "Личный визит"),
    ],
)
def test_a_lead_that_was_entered_by_hand_says_how_the_person_came(
    came: str, locale: str, source: str
) -> None:
    lead = a_lead(came=came, source=f"{came} / offline", channel="Unassigned", asked=None)

    texts = (
        sms(lead, "new", reads(locale, "UTC"), OWN_HOST, at(20)),
        email(lead, "new", reads(locale, "UTC"), OWN_HOST, at(20)).text,
    )

    for text in texts:
        assert source in text
        assert "offline" not in text
        assert "Unassigned" not in text


def test_who_sends_the_form_after_a_call_is_told_of_by_the_visit() -> None:
    by_hand = a_lead(came="phone", source="phone / offline", channel="Unassigned")
    again = Said(form_title="Price", asked="And now?", source="google / cpc")

    text = email(by_hand.told_by(again), "again", reads("en", "UTC"), OWN_HOST, at(60)).text

    assert "Source: google / cpc" in text


def test_whoever_sends_the_form_without_a_tag_after_a_call_came_by_the_form() -> None:
    by_hand = a_lead(came="phone", source="phone / offline", channel="Unassigned")
    again = Said(form_title="Price", asked="And now?", channel="Direct")

    text = email(by_hand.told_by(again), "again", reads("en"), OWN_HOST, at(60)).text

    assert "Source: Direct" in text


def test_a_channel_is_told_in_the_readers_language() -> None:
    lead = a_lead(source=None, channel="Direct")

    assert "Источник: Прямой заход" in email(lead, "new", reads("ru", "UTC"), OWN_HOST, at(20)).text


def test_a_lead_of_whom_nothing_is_known_is_still_told_of() -> None:
    lead = a_lead(
        name=None, phone=None, email=None, asked=None, form_title="", first_attempt_at=at(1)
    )

    subject, text = email(lead, "again", reads("en", "UTC"), OWN_HOST, at(60))

    assert subject == "Asked again"
    assert "Form: demo-en" in text
    assert "asked:" not in text


@pytest.mark.parametrize("words", HOSTILE)
def test_a_visitor_can_forge_no_line(words: str) -> None:
    forged = f"{words}\nPhone: +1 555 0100\r\nOpen the lead: https://evil.example"
    plain = email(a_lead(asked="x"), "new", reads("en", "UTC"), OWN_HOST, at(1)).text

    hostile = a_lead(name=forged, company=forged, source=forged, page=forged, asked=forged)
    text = email(hostile, "new", reads("en", "UTC"), OWN_HOST, at(1)).text

    def ours(body: str) -> list[str]:
        lines = [line for line in body.splitlines() if not line.startswith(("> ", ">"))]
        return [line.partition(":")[0] for line in lines if line]

    assert set(ours(text)) == {*ours(plain), "Company", "Page"}
    assert len(ours(text)) == len(ours(plain)) + 2
