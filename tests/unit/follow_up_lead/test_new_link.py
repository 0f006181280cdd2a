"""Whoever asks for a new link gets it on their own number, and everybody is told the same."""

import re
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from follow_up_lead.new_link import ANSWERED_AFTER_SECONDS, ask_for_link
from send_alert.new_link import send_link
from send_alert.service import Parts as Sending
from shared.adapters.alert_table import AlertTable
from shared.adapters.link_table import MOST_LINKS_AN_HOUR
from shared.adapters.ringing_table import RingingTable
from shared.domain.instants import iso
from shared.errors import AlertNotSentError, PolicyError
from tests.unit.domain.samples import ANNA, BORIS, a_rep, at
from tests.unit.follow_up_lead.site import Site
from tests.unit.functions.fakes import FakeSender
from tests.unit.samples import logged
from tests.unit.texts.skeleton import text_of

OLGA = a_rep("olga", phone="+79161234567", locale="ru")


@pytest.fixture(autouse=True)
def people(site: Site) -> None:
    site.people.put_rep(OLGA)
    site.people.put_rep(BORIS.model_copy(update={"phone": "+447700900102"}))


def ask(site: Site, phone: str, **more: Any) -> dict[str, Any]:
    return site.send("POST", "/r", urlencode({"phone": phone}), **more)


def sending(site: Site, sender: FakeSender | None = None) -> Sending:
    return Sending(
        site.leads,
        site.people,
        AlertTable(site.table),
        RingingTable(site.table),
        site.links,
        sender or FakeSender(),
        "https://go.test",
        lambda _: None,
        lambda: at(0),
    )


def asked(site: Site) -> list[str]:
    return [str(message["rep_id"]) for message in site.alert_queue.messages]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_page_asks_for_a_number_and_changes_nothing(site: Site, method: str) -> None:
    before = site.everything()

    page = site.send(method, "/r")

    assert page["statusCode"] == 200
    assert 'type="tel"' in page["body"]
    assert site.everything() == before
    assert site.alert_queue.messages == []


def test_a_browser_is_answered_in_its_language(site: Site) -> None:
    russian = {"Accept-Language": "ru-RU,ru;q=0.9,en;q=0.8"}

    assert "Прислать ссылку" in text_of(site.send("GET", "/r", headers=russian)["body"])
    assert "ссылка уже отправлена" in text_of(ask(site, "1", headers=russian)["body"])


@pytest.mark.parametrize(
    ("lang", "wanted"), [("ru", "Прислать ссылку"), ("xx", "Send me a link"), ("", "Send me")]
)
def test_who_comes_from_a_page_of_ours_reads_on_in_its_language(
    site: Site, lang: str, wanted: str
) -> None:
    page = site.send("GET", "/r", queryStringParameters={"lang": lang})["body"]

    assert wanted in text_of(page)
    language = "ru" if lang == "ru" else "en"
    assert f'action="/r?lang={language}"' in page
    from_it = {"queryStringParameters": {"lang": language}}
    answer = site.send("POST", "/r", "phone=1", **from_it)["body"]
    assert f'<html lang="{language}">' in answer
    assert f'href="/r?lang={language}"' in answer, "who mistyped the number types it anew"


@pytest.mark.parametrize(
    "typed",
    [
        *("+7 916 123-45-67", "8 (916) 123-45-67", "007 916 1234567", "916 123 45 67"),
        *("79161234567", "+7 (8) 916 123-45-67", "8 (916) 123-45-67 доб. 12", "٨٩١٦١٢٣٤٥٦٧"),
    ],
)
def test_a_person_means_their_number_however_they_write_it(site: Site, typed: str) -> None:
    ask(site, typed)

    assert asked(site) == ["olga"]


@pytest.mark.parametrize(
    "typed",
    [
        *("+44 (0)7700 900102", "+44 07700 900102", "0044 (0) 7700-900-102", "07700 900102"),
        *("(07700) 900102", "7700900102", "tel:+447700900102"),
    ],
)
def test_a_british_number_may_have_its_zero(site: Site, typed: str) -> None:
    ask(site, typed)

    assert asked(site) == ["boris"]


@pytest.mark.parametrize("typed", ["", "4567", "+7 916 123-45-68", "olga", "1" * 5000, "+", "%00"])
def test_everybody_is_told_the_same(site: Site, typed: str) -> None:
    known = ask(site, "+79161234567")
    before = site.everything()

    unknown = ask(site, typed)

    assert unknown == known
    assert site.everything() == before
    assert asked(site) == ["olga"]
    assert site.pauses == [ANSWERED_AFTER_SECONDS] * 2, "as fast, too"


def test_who_has_left_is_sent_nothing(site: Site) -> None:
    site.people.put_rep(OLGA.model_copy(update={"active": False}))

    ask(site, "+79161234567")

    assert asked(site) == []


def test_a_second_wish_within_ten_minutes_is_not_heard(site: Site) -> None:
    for seconds in (0, 1, 599, 600, 900):
        ask_for_link("+79161234567", site.parts, at(seconds))

    assert [message["asked_at"] for message in site.alert_queue.messages] == [
        iso(at(0)),
        iso(at(600)),
    ]


def test_an_hour_has_so_many_links_whoever_asks(site: Site) -> None:
    team = [a_rep(f"r{n:03d}", phone=f"+4477009{n:05d}") for n in range(MOST_LINKS_AN_HOUR + 5)]
    for rep in team:
        site.people.put_rep(rep)
        ask_for_link(rep.phone or "", site.parts, at(0))

    assert len(asked(site)) == MOST_LINKS_AN_HOUR
    ask_for_link(team[-1].phone or "", site.parts, at(3600))
    assert len(asked(site)) == MOST_LINKS_AN_HOUR + 1


def test_trouble_is_not_shown_because_only_known_numbers_meet_it(site: Site) -> None:
    unknown = ask(site, "+79160000000")
    site.alert_queue.fail = True

    assert ask(site, "+79161234567") == unknown


def test_a_number_is_neither_logged_nor_queued(site: Site) -> None:
    with logged() as lines:
        ask(site, "+7 916 123-45-67")
        ask(site, "+7 916 999-99-99")

    for secret in ("9161234567", "123-45-67", "999-99-99"):
        assert secret not in repr(lines)
        assert secret not in repr(site.alert_queue.messages)


@pytest.mark.parametrize("is_published", [True, False])
def test_people_of_a_team_that_no_form_names_any_more_get_one_too(
    site: Site, monkeypatch: pytest.MonkeyPatch, is_published: bool
) -> None:
    def unpublished() -> None:
        raise PolicyError("no policy is published")

    zoe = a_rep("zoe", team="former", phone="+447700900555")
    site.people.change_rep("former", "zoe", lambda _: zoe)
    assert site.people.teams() == ["former"]
    if not is_published:
        monkeypatch.setattr(site.policies, "current", unpublished)

    ask(site, "07700 900555")

    assert [(m["team"], m["rep_id"]) for m in site.alert_queue.messages] == [("former", "zoe")]


def test_without_a_policy_nobody_is_found(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def unpublished() -> None:
        raise PolicyError("no policy is published")

    monkeypatch.setattr(site.policies, "current", unpublished)

    assert ask(site, "+79161234567")["statusCode"] == 200
    assert asked(site) == []


# --- sending -------------------------------------------------------------------------------------


def wish(site: Site, seconds: float = 0) -> dict[str, Any]:
    assert site.links.ask_for_link("sales", "olga", at(seconds))
    return {"team": "sales", "rep_id": "olga", "asked_at": iso(at(seconds))}


def test_the_link_goes_to_the_number_in_the_roster_and_opens_the_list(site: Site) -> None:
    sender = FakeSender()

    assert send_link(**wish(site), parts=sending(site, sender), now=at(1)) == "sent"

    ((via, to, text),) = sender.outbox
    assert (via, to) == ("sms", OLGA.phone)
    assert text.startswith("Ваши открытые лиды.")
    code = re.search(r"https://go\.test/r/(\w{12})$", text)
    assert code is not None
    link = site.links.link(code[1], at(2))
    assert (link.kind, link.rep_id, link.lead_id) == ("list", "olga", None)


def test_a_message_that_comes_twice_is_sent_once(site: Site) -> None:
    message, sender = wish(site), FakeSender()

    outcomes = [send_link(**message, parts=sending(site, sender), now=at(1)) for _ in range(2)]

    assert outcomes == ["sent", "dropped"]
    assert len(sender.outbox) == 1


def test_what_sns_did_not_take_is_tried_again(site: Site) -> None:
    message, sender = wish(site), FakeSender()
    sender.fail = True
    with pytest.raises(AlertNotSentError):
        send_link(**message, parts=sending(site, sender), now=at(1))
    sender.fail = False

    assert send_link(**message, parts=sending(site, sender), now=at(62)) == "sent"


def test_an_older_wish_gives_way_to_a_newer_one(site: Site) -> None:
    older = wish(site)
    newer = wish(site, 601)

    assert send_link(**older, parts=sending(site), now=at(602)) == "dropped"
    assert send_link(**newer, parts=sending(site), now=at(602)) == "sent"


@pytest.mark.parametrize("update", [{"active": False}, {"phone": None}, {"team": "support"}])
def test_who_has_left_meanwhile_gets_no_link(site: Site, update: dict[str, Any]) -> None:
    message, sender = wish(site), FakeSender()
    site.people.put_rep(OLGA.model_copy(update=update))
    if update.get("team"):
        site.people.put_rep(OLGA.model_copy(update={"active": False}))

    assert send_link(**message, parts=sending(site, sender), now=at(1)) == "dropped"
    assert sender.outbox == []


def test_a_number_that_wants_no_sms_is_left_alone(site: Site) -> None:
    sender = FakeSender()
    sender.refuse = "opted_out"

    assert send_link(**wish(site), parts=sending(site, sender), now=at(1)) == "failed"


# --- numbers -------------------------------------------------------------------------------------


@given(st.text(max_size=40))
def test_whatever_is_typed_only_a_number_of_the_roster_is_meant(typed: str) -> None:
    digits = re.sub(r"[^0-9]", "", typed)

    if OLGA.has_number(typed):
        assert len(digits) >= 8
        assert digits[-8:] == "79161234567"[-8:]


@given(st.from_regex(r"[1-9][0-9]{7,14}", fullmatch=True), st.sampled_from(["", "+", "00", " "]))
def test_a_person_has_the_number_that_they_have(number: str, before: str) -> None:
    rep = a_rep("anna", phone=f"+{number}")

    assert rep.has_number(before + number)
    assert not rep.has_number(f"1{number}0")


def test_a_person_without_a_phone_has_no_number() -> None:
    assert not ANNA.model_copy(update={"phone": None}).has_number("+447700900001")
    assert ANNA.has_number("07700 900001")
