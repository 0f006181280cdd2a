"""Where visits come from: sources by category, search engines by host, click ids. Data, not rules.

`GA4` is the list that Google publishes for its default channel group. `ALIASES` goes on
top: names that the list does not have and that people here write into their links.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from shared.domain.ga4_sources import SEARCH, SHOPPING, SOCIAL, VIDEO

Category = Literal["search", "social", "shopping", "video", "assistant"]
"""Google knows no assistants: only the aliases have them."""


class Sources(NamedTuple):
    """A source's category by its name in lower case."""

    categories: Mapping[str, Category]

    def category(self, source: str) -> Category | None:
        return self.categories.get(source)


def _by_name(lists: Mapping[Category, str]) -> dict[str, Category]:
    return {
        name: category
        for category, names in lists.items()
        for word in names.split()
        for name in _spelled(word.replace("_", " "))
    }


def _spelled(word: str) -> tuple[str, ...]:
    """`bing` as it is, `ebay*` also as `ebay.com`."""
    return (word[:-1], f"{word[:-1]}.com") if word.endswith("*") else (word,)


_GA4 = _by_name({"search": SEARCH, "social": SOCIAL, "shopping": SHOPPING, "video": VIDEO})

_ALIASES = _by_name(
    {
        "search": "ya ya.ru mail.ru nova.rambler.ru",
        "social": """
            vk vkontakte telegram telegram.org web.telegram.org tg ok ok.ru odnoklassniki dzen
            dzen.ru zen m.ok.ru m.vk.com x.com threads.net max max.ru discord.com habr.com pikabu.ru
        """,
        "shopping": """
            market.yandex.ru ozon ozon.ru wildberries wildberries.ru avito avito.ru
        """,
        "video": "rutube rutube.ru",
        "assistant": """
            chatgpt* chat.openai.com openai perplexity perplexity.ai gemini gemini.google.com
            bard.google.com copilot copilot.microsoft.com claude claude.ai deepseek*
            chat.deepseek.com you.com grok grok.com meta.ai chat.mistral.ai poe.com phind.com
            alice.yandex.ru giga.chat gigachat
        """,
    }
)

GA4 = Sources(_GA4)
ALIASES = Sources({**_GA4, **_ALIASES})

SEARCH_ENGINES = frozenset(
    "google yandex bing yahoo duckduckgo baidu rambler naver seznam sogou ask aol qwant".split()  # noqa: SIM905 - reads better than fourteen quoted words
)
"""A host `www.google.co.uk` is the source `google`: Google's list holds sources, not hosts."""

SEARCH_HOSTS = {
    "ya.ru": "yandex",
    "go.mail.ru": "mail.ru",
    "ecosia.org": "ecosia.org",
    "nova.rambler.ru": "rambler",
}
NOT_SEARCH_HOSTS = frozenset(
    {"mail.google.com", "docs.google.com", "mail.yandex.ru", "market.yandex.ru", "mail.yahoo.com"}
    | {"yandex.cloud", "ask.fm"}
    | {"gemini.google.com", "bard.google.com", "alice.yandex.ru"}
)
"""Hosts of search companies where nobody searches the web: what comes from there is a referral."""


SEARCH_LABELS = frozenset({"m", "search", "images", "r", "l", "html", "lite", "go"})
"""What stands before a search engine's own name where the web is searched, beside two letters of a
country: `uk.search.yahoo.com`. Its other services are no search."""


class ClickId(NamedTuple):
    """What a click id in an address tells. No medium: the platform puts it on unpaid links too."""

    source: str
    medium: str | None


CLICK_IDS: Mapping[str, ClickId] = {
    "gclid": ClickId("google", "cpc"),
    "gbraid": ClickId("google", "cpc"),
    "wbraid": ClickId("google", "cpc"),
    "dclid": ClickId("google", "cpc"),
    "yclid": ClickId("yandex", "cpc"),
    "ymclid": ClickId("market.yandex.ru", "cpc"),
    "msclkid": ClickId("bing", "cpc"),
    "ttclid": ClickId("tiktok", "cpc"),
    "twclid": ClickId("twitter", "cpc"),
    "li_fat_id": ClickId("linkedin", "cpc"),
    "rb_clickid": ClickId("vk", "cpc"),
    "gad_source": ClickId("google", "cpc"),
    "srsltid": ClickId("google shopping", "organic"),
    "ysclid": ClickId("yandex", "organic"),
    "etext": ClickId("yandex", "organic"),
    "fbclid": ClickId("facebook", None),
    "igshid": ClickId("instagram", None),
}
"""The first of these that is present decides: proof of a paid click before anything weaker."""
