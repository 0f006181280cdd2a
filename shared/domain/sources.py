"""Where visits come from: sources by category, search engines by host, click ids. Data, not rules.

`GA4` is a part of the list that Google publishes for its default channel group. `ALIASES` goes on
top: names that the list does not have and that people here write into their links.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

Category = Literal["search", "social", "shopping", "video"]


class Sources(NamedTuple):
    """A source's category by its name in lower case."""

    categories: Mapping[str, Category]

    def category(self, source: str) -> Category | None:
        return self.categories.get(source)


def _by_name(lists: Mapping[Category, str]) -> dict[str, Category]:
    return {name: category for category, names in lists.items() for name in names.split()}


_GA4 = _by_name(
    {
        "search": """
            360.cn alice aol ask avg babylon baidu biglobe bing cnn comcast conduit daum dogpile
            duckduckgo ecosia.org exalead.com eniro goo.ne.jp google googlemail incredimail kvasir
            mail.ru mail.yandex.ru mamma msn naver ozu qwant qwant.com rambler rambler.ru sogou
            search.smt.docomo.ne.jp seznam startsiden startsiden.no terra tut.by ukr virgilio yahoo
            yahoo.co.jp yandex yandex.by yandex.com yandex.com.tr yandex.fr yandex.kz yandex.ru
            yandex.ua yandex.uz zen.yandex.ru go.mail.ru
        """,
        "social": """
            facebook facebook.com fb l.facebook.com lm.facebook.com m.facebook.com
            instagram instagram.com l.instagram.com ig linkedin linkedin.com lnkd.in
            twitter twitter.com t.co pinterest pinterest.com reddit reddit.com old.reddit.com
            tiktok tiktok.com snapchat snapchat.com tumblr tumblr.com vk.com m.vk.com away.vk.com
            odnoklassniki.ru livejournal livejournal.com quora quora.com medium.com
            news.ycombinator.com whatsapp whatsapp.com telegram.org t.me web.telegram.org wechat
            weibo.com xing xing.com yammer slack discord.com meetup.com tripadvisor tripadvisor.com
            yelp yelp.com wordpress.com blogspot.com habr.com pikabu.ru
        """,
        "shopping": """
            aliexpress alibaba alibaba.com amazon amazon.com amazon.co.uk ebay ebay.com etsy
            etsy.com google.shopping mercadolibre.com shopify shopping.google.com walmart
            walmart.com igshopping shop.app
        """,
        "video": """
            youtube youtube.com m.youtube.com vimeo vimeo.com dailymotion dailymotion.com twitch
            twitch.tv netflix netflix.com hulu disneyplus.com ted.com wistia.com
        """,
    }
)

_ALIASES = _by_name(
    {
        "search": "ya ya.ru",
        "social": """
            vk vkontakte telegram tg ok ok.ru odnoklassniki dzen dzen.ru zen x.com threads.net
        """,
        "shopping": """
            market.yandex.ru ozon ozon.ru wildberries wildberries.ru avito avito.ru
        """,
        "video": "rutube rutube.ru",
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
)
"""Hosts of search companies where nobody searches the web: what comes from there is a referral."""


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
    "srsltid": ClickId("google.shopping", "organic"),
    "ysclid": ClickId("yandex", "organic"),
    "etext": ClickId("yandex", "organic"),
    "fbclid": ClickId("facebook", None),
    "igshid": ClickId("instagram", None),
}
"""The first of these that is present decides: proof of a paid click before anything weaker."""
