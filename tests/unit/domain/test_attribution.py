from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.attribution import (
    KEYS,
    RULES,
    Touch,
    channel_of,
    is_untagged,
    read_addresses,
    read_first_touch,
    read_touch,
)
from shared.domain.sources import ALIASES, CLICK_IDS, GA4, Sources
from tests.unit.samples import rows

WITHOUT_ASSISTANTS = Sources({n: c for n, c in ALIASES.categories.items() if c != "assistant"})
"""The aliases that the vectors are made with."""


@pytest.mark.parametrize("row", rows("channel"), ids=lambda row: row["page_url"] + row["referrer"])
def test_a_visit_shows_its_source_and_channel(row: dict[str, Any]) -> None:
    touch = read_touch({"page_url": row["page_url"], "referrer": row["referrer"]})
    assert (touch.source, touch.medium, touch.campaign) == (
        row["source"],
        row["medium"],
        row["campaign"],
    )
    assert channel_of(touch).name == row["channel_ga4_strict"]
    assert channel_of(touch, WITHOUT_ASSISTANTS).name == row["channel_with_aliases"]


@pytest.mark.parametrize(
    ("source", "medium", "campaign", "channel"),
    [
        ("google", "cpc", "", "Paid Search"),
        ("Google", "CPC ", "", "Paid Search"),
        ("google", "cpm", "", "Paid Search"),
        ("somenet", "cpm", "", "Display"),
        ("vk", "cpc", "", "Paid Social"),
        ("vk", "post", "", "Organic Social"),
        ("newsletter", "email", "", "Email"),
        ("email", "newsletter", "", "Email"),
        ("google", "cpc", "workshop_spb", "Paid Search"),
        ("site", "cpc", "workshop_spb", "Paid Other"),
        ("site", "referral", "eshop-sale", "Organic Shopping"),
        ("site", "referral", "shop", "Organic Shopping"),
        ("site", "referral", "workshopshop", "Referral"),
        ("site", "ppc", "spring-shopping", "Paid Shopping"),
        ("partner", "referral", "workshop", "Referral"),
        ("partner", "partner", "", "Unassigned"),
        ("telegram", "bot", "", "Organic Social"),
        ("", "", "", "Direct"),
        ("(direct)", "(none)", "", "Direct"),
        ("google", "organic", "", "Organic Search"),
        ("youtube", "cpv", "", "Paid Video"),
        ("facebook", "paidsocial", "", "Paid Social"),
        ("x", "social", "", "Organic Social"),
        ("x", "my-video", "", "Organic Video"),
        ("x", "affiliate", "", "Affiliates"),
        ("x", "audio", "", "Audio"),
        ("sms", "x", "", "SMS"),
        ("x", "web-push", "", "Mobile Push Notifications"),
        ("app", "mobile-banner", "", "Mobile Push Notifications"),
        ("firebase", "x", "", "Mobile Push Notifications"),
        ("x", "x", "Cross-Network 1", "Cross-network"),
        ("x", "retargeting", "", "Paid Other"),
    ],
)
def test_tags_decide_the_channel(source: str, medium: str, campaign: str, channel: str) -> None:
    tags = {"utm_source": source, "utm_medium": medium, "utm_campaign": campaign}
    assert channel_of(read_touch(tags), ALIASES).name == channel


def test_the_rule_that_decided_is_told_with_what_it_went_by() -> None:
    assert channel_of(read_touch({"gclid": "x"})) == ("Paid Search", "click_id:paid_search")
    assert channel_of(read_touch({"utm_source": "x"})) == ("Unassigned", "utm:none")
    assert channel_of(read_touch({})) == ("Direct", "none:direct")


def test_tags_beat_a_click_id_and_a_click_id_beats_the_referrer() -> None:
    tags = {"utm_source": "vk", "utm_medium": "cpc", "yclid": "1", "referrer": "https://bing.com/"}
    touch = read_touch(tags)
    assert (touch.basis, touch.source, touch.click_id_kind) == ("utm", "vk", "yclid")
    del tags["utm_source"], tags["utm_medium"]
    assert (read_touch(tags).basis, read_touch(tags).source) == ("click_id", "yandex")
    del tags["yclid"]
    assert (read_touch(tags).basis, read_touch(tags).source) == ("referrer", "bing")


def test_fields_beat_the_address_of_the_page() -> None:
    tags = {"utm_source": "vk", "page_url": "https://l.example/?utm_source=google&utm_medium=cpc"}
    touch = read_touch(tags)
    assert (touch.source, touch.medium) == ("vk", None)
    both = {**tags, "page_url": "https://l.example/?utm_source=vk&utm_medium=cpc"}
    assert read_touch(both).medium == "cpc"


def test_the_page_that_the_request_names_stands_in_for_a_field() -> None:
    touch = read_touch({}, "https://l.example/a?utm_source=vk&yclid=7#x")
    assert (touch.source, touch.click_id) == ("vk", "7")
    assert touch.landing_page == "https://l.example/a"


@pytest.mark.parametrize(
    "value",
    [
        "{campaign_id}",
        "{{ad.name}}",
        "x_{network}",
        "[[campaign]]",
        "%CAMPAIGN%",
        "(none)",
        "(not set)",
        "undefined",
        "NULL",
        " ",
        "-",
        "\ufffd",
    ],
)
def test_an_unexpanded_macro_or_placeholder_is_no_value(value: str) -> None:
    touch = read_touch({"utm_campaign": value, "utm_source": value, "gclid": value})
    assert (touch.campaign, touch.basis, touch.click_id) == (None, "none", None)


def test_a_facebook_click_id_is_no_proof_of_a_paid_click() -> None:
    assert channel_of(read_touch({"fbclid": "1"})) == ("Organic Social", "click_id:organic_social")


def test_a_campaign_alone_is_untagged_money() -> None:
    touch = read_touch({"utm_campaign": "spring"})
    assert (touch.basis, channel_of(touch).name) == ("utm", "Unassigned")


def test_the_site_itself_is_no_referrer() -> None:
    tags = {"page_url": "https://www.l.example/a", "referrer": "https://l.example/b"}
    assert read_touch(tags).referrer is None


def test_where_nobody_searches_is_a_referral() -> None:
    touch = read_touch({"referrer": "https://mail.google.com/mail/u/0?id=secret"})
    assert (touch.source, touch.medium) == ("mail.google.com", "referral")
    assert touch.referrer == "mail.google.com/mail/u/0"


def test_a_search_engine_is_known_by_any_of_its_hosts() -> None:
    assert read_touch({"referrer": "https://ya.ru/"}).source == "yandex"
    assert read_touch({"referrer": "https://www.google.co.uk/"}).source == "google"
    assert read_touch({"referrer": "https://google.evil.example/"}).medium == "referral"


def test_addresses_are_kept_without_query_and_password() -> None:
    touch = read_touch(
        {
            "page_url": "https://u:p@l.example:8443/a?t=1#f",
            "referrer": "https://u:p@r.example/b?q=1",
        }
    )
    assert touch.landing_page == "https://l.example:8443/a"
    assert touch.referrer == "r.example/b"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://", "https://[", "https://a:99999/", "a b", "ftp://a.b"]
)
def test_what_is_no_web_address_is_no_page(url: str) -> None:
    assert read_touch({"page_url": url, "referrer": url}, url).landing_page is None


def test_client_ids_are_taken_and_nothing_else_of_a_cookie() -> None:
    touch = read_touch({"_ga": "GA1.2.2095662112.1674837243", "_ym_uid": "1668581346714918248"})
    assert touch.ga_client_id == "2095662112.1674837243"
    assert touch.ym_uid == "1668581346714918248"
    assert read_touch({"_ga": "GA1.2.<b>.x"}).ga_client_id is None


def test_people_read_the_tags_of_a_touch() -> None:
    assert Touch(basis="utm", source="a", medium="b", campaign="c").describe() == "a / b / c"
    assert Touch(basis="utm", campaign="c").describe() == "c"
    assert Touch(source="(direct)", medium="(none)").describe() is None


def test_each_rule_has_a_name_of_its_own() -> None:
    assert len({rule for rule, _, _ in RULES}) == len(RULES) == 18


@given(
    st.dictionaries(st.sampled_from(sorted(KEYS)), st.text(max_size=80)),
    st.one_of(
        st.none(), st.text(max_size=80), st.just("https://l.example/?gclid=%ff&utm_source=%")
    ),
)
def test_any_tags_make_a_touch_in_some_channel(tags: dict[str, str], page: str | None) -> None:
    touch = read_touch(tags, page)
    assert channel_of(touch).rule.startswith(f"{touch.basis}:")
    assert "?" not in (touch.landing_page or "")
    assert touch.click_id_kind is None or touch.click_id_kind in CLICK_IDS


def test_the_list_is_google_s() -> None:
    assert Counter(GA4.categories.values()) == {
        "search": 131,
        "social": 590,
        "shopping": 52,
        "video": 46,
    }
    assert {name: GA4.category(name) for name in ("ebay", "ebay.com", "google shopping", "vk")} == {
        "ebay": "shopping",
        "ebay.com": "shopping",
        "google shopping": "shopping",
        "vk": None,
    }


@pytest.mark.parametrize(
    "referrer",
    ["https://chatgpt.com/", "https://www.perplexity.ai/search", "https://gemini.google.com/app"],
)
def test_an_assistant_is_a_channel_of_its_own_beside_google_s(referrer: str) -> None:
    touch = read_touch({"page_url": "https://a.example/", "referrer": referrer})
    assert channel_of(touch).name == "Referral"
    assert channel_of(touch, ALIASES) == ("AI Assistant", "referrer:ai_assistant")


def test_paid_traffic_of_an_assistant_is_paid() -> None:
    touch = read_touch({"utm_source": "chatgpt.com", "utm_medium": "cpc"})
    assert channel_of(touch, ALIASES).name == "Paid Other"
    assert not is_untagged(touch, ALIASES)


@pytest.mark.parametrize(
    ("source", "medium", "untagged"),
    [
        ("partner", "partner", True),
        ("somenet", "cpc", True),
        ("", "cpc", True),
        ("vk", "cpc", False),
        ("google", "cpc", False),
        ("site.example", "referral", False),
        ("", "", False),
    ],
)
def test_money_that_nothing_tells_of_is_untagged(source: str, medium: str, untagged: bool) -> None:
    touch = read_touch({"utm_source": source, "utm_medium": medium})
    assert is_untagged(touch, ALIASES) == untagged


def test_the_first_touch_is_told_apart_from_the_last() -> None:
    tags = {
        "utm_source": "vk",
        "first_touch.utm_source": "google",
        "first_utm_medium": "cpc",
        "first_touch_gclid": "g1",
        "first_touch.page_url": "https://a.example/start?utm_campaign=spring",
        "_fbp": "fb.1",
        "yclid": "y1",
        "fbclid": "f1",
    }
    last, first = read_touch(tags), read_first_touch(tags)
    assert first is not None
    assert (last.source, first.source, first.medium, first.campaign) == (
        "vk",
        "google",
        "cpc",
        "spring",
    )
    assert first.click_ids == {"gclid": "g1"}
    assert (last.click_ids, last.click_id_kind) == ({"yclid": "y1", "fbclid": "f1"}, "yclid")
    assert last.client_ids == {"_fbp": "fb.1"}
    assert read_first_touch({"utm_source": "vk", "first_name": "Ann"}) is None


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("https://a.example/p?utm_source=x&id=7#top", "https://a.example/p?utm_source=x&id=7#top"),
        ("https://user:secret@a.example/", None),
        ("javascript:alert(1)", None),
        ("", None),
    ],
)
def test_addresses_are_kept_as_they_were_sent(sent: str, kept: str | None) -> None:
    assert read_addresses({"page_url": sent, "referrer": sent}) == (kept, kept)
    assert read_addresses({}, sent) == (kept, None)
