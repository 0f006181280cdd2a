"""Where a visit came from: the touch that its tags, click ids and referrer show, and its channel.

Tags beat a click id, a click id beats the referrer. What a page did not fill in is no value:
unexpanded macros and the placeholders of analytics tools.
"""

import re
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict

from shared.domain.hostnames import WebAddress, registrable_domain, web_address
from shared.domain.sources import (
    ALIASES,
    CLICK_IDS,
    GA4,
    NOT_SEARCH_HOSTS,
    SEARCH_ENGINES,
    SEARCH_HOSTS,
    SEARCH_LABELS,
    Sources,
)
from shared.domain.text import tidy

Basis = Literal["utm", "click_id", "referrer", "none"]

UTM = {
    "utm_source": "source",
    "utm_medium": "medium",
    "utm_campaign": "campaign",
    "utm_content": "content",
    "utm_term": "term",
}
PAGE_KEYS = ("page_url", "pageurl", "landing_page", "landing_url", "source_url", "request_url")
REFERRER_KEYS = ("referrer", "referer", "http_referer", "document_referrer", "page_referrer")
GA_KEYS = ("ga_client_id", "_ga", "ga_cid")
YM_KEYS = ("ym_uid", "_ym_uid", "ym_client_id")

CLIENT_KEYS = ("_fbp", "_fbc", "hubspotutk", "calltouch_session_id", "roistat_visit")
"""Ids that other tools gave to the visitor's browser."""

KEYS = frozenset({*UTM, *CLICK_IDS, *PAGE_KEYS, *REFERRER_KEYS, *GA_KEYS, *YM_KEYS, *CLIENT_KEYS})
"""Names of fields that tell of the visit and not of the person, in lower case."""

FIRST_TOUCH = ("first_touch.", "first_touch_", "first.", "first_")
"""Fields of the first visit start so: `first_touch_utm_source`."""
LAST_TOUCH = ("last_touch.", "last_touch_", "last.", "last_")
"""Fields of the last visit may start so, where a page keeps two."""

PLACEHOLDERS = frozenset(
    {"(none)", "(not set)", "(not provided)", "none", "null", "undefined", "nan", "-", "(direct)"}
)
MAX_TAG_LENGTH = 300
MAX_URL_SHOWN = 1000
MAX_URL_KEPT = 4000


def tells_of_visit(key: str) -> bool:
    """Whether a field, named in lower case, tells of the visit and not of the person."""
    return key in KEYS or _without(FIRST_TOUCH + LAST_TOUCH, key) is not None


def _without(prefixes: tuple[str, ...], key: str) -> str | None:
    """What a field of the visit is called without what says which visit."""
    names = (key.removeprefix(prefix) for prefix in prefixes if key.startswith(prefix))
    return next((name for name in names if name in KEYS), None)


def _of(prefixes: tuple[str, ...], tags: Mapping[str, str]) -> dict[str, str]:
    """The tags of one visit, by their plain names."""
    return {name: text for key, text in tags.items() if (name := _without(prefixes, key))}


class Touch(BaseModel):
    """One visit. Addresses are kept without their queries, cookies not at all."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    basis: Basis = "none"
    """What told the source."""
    source: str | None = None
    medium: str | None = None
    campaign: str | None = None
    content: str | None = None
    term: str | None = None
    click_id_kind: str | None = None
    click_id: str | None = None
    """The one that decides, where there are several."""
    click_ids: dict[str, str] = {}
    """All of them."""
    referrer: str | None = None
    """Host and path."""
    landing_page: str | None = None
    """Origin and path."""
    ga_client_id: str | None = None
    ym_uid: str | None = None
    client_ids: dict[str, str] = {}
    """Of `CLIENT_KEYS`."""

    def describe(self) -> str | None:
        """`yandex / cpc / autumn`, for people; None for a direct visit."""
        if self.basis == "none":
            return None
        return " / ".join(filter(None, (self.source, self.medium, self.campaign))) or None


class Channel(NamedTuple):
    """A channel group, and the rule that decided: the basis of the touch and the rule's name."""

    name: str
    rule: str


def read_touch(tags: Mapping[str, str], page: str | None = None) -> Touch:
    """The touch that a submission shows.

    `tags` are its fields of `KEYS`; `page` is the page it was sent from, for want of a field.
    """
    tags = {**_of(LAST_TOUCH, tags), **tags}
    page_url = web_address(_first(tags, PAGE_KEYS)) or web_address(page)
    query = _query(page_url)
    sources = {_value(tags.get("utm_source")), _value(query.get("utm_source"))} - {None}
    if len(sources) > 1:
        # Of two visits: what the page says stands, and is not filled up from its address.
        query = {name: text for name, text in query.items() if name not in UTM}

    def tag(name: str) -> str | None:
        return _value(tags.get(name)) or _value(query.get(name))

    utm = {part: value for name, part in UTM.items() if (value := tag(name)) is not None}
    click_ids = {kind: value for kind in CLICK_IDS if (value := tag(kind))}
    kind = next(iter(click_ids), None)
    referrer = _foreign(web_address(_first(tags, REFERRER_KEYS)), page_url)
    basis, source, medium = _origin(utm, kind, referrer)
    return Touch(
        basis=basis,
        source=source,
        medium=medium,
        campaign=utm.get("campaign"),
        content=utm.get("content"),
        term=utm.get("term"),
        click_id_kind=kind,
        click_id=click_ids[kind] if kind else None,
        click_ids=click_ids,
        referrer=f"{referrer.host}{referrer.path}"[:MAX_URL_SHOWN] if referrer else None,
        landing_page=_without_query(page_url),
        ga_client_id=_ga_client_id(_first(tags, GA_KEYS)),
        ym_uid=_value(_first(tags, YM_KEYS)),
        client_ids={key: value for key in CLIENT_KEYS if (value := _value(tags.get(key)))},
    )


def read_first_touch(tags: Mapping[str, str]) -> Touch | None:
    """The visitor's first touch, where the page remembers it."""
    first = _of(FIRST_TOUCH, tags)
    return read_touch(first) if first else None


class Addresses(NamedTuple):
    """Where the visitor was, with all that the addresses say. For the record, not for showing."""

    page_url: str | None
    referrer_url: str | None


def read_addresses(tags: Mapping[str, str], page: str | None = None) -> Addresses:
    """The addresses as they were sent; `page` is as in `read_touch`."""
    return Addresses(
        _verbatim(_first(tags, PAGE_KEYS)) or _verbatim(page),
        _verbatim(_first(tags, REFERRER_KEYS)),
    )


def _verbatim(address: str | None) -> str | None:
    """An address of the web, without a name and a password in it."""
    found = web_address(address)
    if address is None or found is None or "@" in found.netloc:
        return None
    return tidy(address[:MAX_URL_KEPT]) or None


def _origin(
    utm: Mapping[str, str], click_id_kind: str | None, referrer: WebAddress | None
) -> tuple[Basis, str | None, str | None]:
    if "source" in utm or "medium" in utm:
        click = CLICK_IDS.get(click_id_kind or "")
        paid = click.medium if click and click.source == utm.get("source", "").lower() else None
        return "utm", utm.get("source"), utm.get("medium") or paid
    if click_id_kind is not None:
        click = CLICK_IDS[click_id_kind]
        if click.medium is not None:
            return "click_id", click.source, click.medium
    if referrer is not None:
        return "referrer", *_referrer_source(referrer.host)
    if click_id_kind is not None:
        return "click_id", CLICK_IDS[click_id_kind].source, "social"
    if "campaign" in utm:
        return "utm", None, None
    return "none", "(direct)", "(none)"


def _referrer_source(host: str) -> tuple[str, str]:
    host = host.removeprefix("www.")
    if host in SEARCH_HOSTS:
        return SEARCH_HOSTS[host], "organic"
    if ALIASES.category(host) not in {None, "search"}:
        return host, "referral"
    domain = registrable_domain(host)
    engine = domain.partition(".")[0]
    labels = host.removesuffix(domain).split(".")[:-1]
    searches = all(label in SEARCH_LABELS or len(label) == 2 for label in labels)
    if engine in SEARCH_ENGINES and searches and NOT_SEARCH_HOSTS.isdisjoint({host, domain}):
        return engine, "organic"
    return host, "referral"


def _foreign(referrer: WebAddress | None, page: WebAddress | None) -> WebAddress | None:
    """The referrer, unless it is the site itself."""
    if referrer is None or page is None:
        return referrer
    same = registrable_domain(referrer.host) == registrable_domain(page.host)
    return None if same else referrer


def _first(tags: Mapping[str, str], keys: tuple[str, ...]) -> str | None:
    return next((tags[key].strip() for key in keys if tags.get(key, "").strip()), None)


def _query(page: WebAddress | None) -> dict[str, str]:
    """The tags in an address; the first of a repeated one, as analytics tools read it."""
    if page is None or not page.query:
        return {}
    pairs = parse_qsl(page.query, errors="replace")
    return {key.lower(): value for key, value in reversed(pairs) if key.lower() in KEYS}


def _value(text: str | None) -> str | None:
    """A tag's value; None for a placeholder or a macro that was never expanded."""
    if text is None or "\ufffd" in text:
        return None
    text = tidy(text[:MAX_TAG_LENGTH])
    if not text or text.lower() in PLACEHOLDERS or _is_macro(text):
        return None
    return text


def _is_macro(text: str) -> bool:
    """`{campaign_id}`, `{{ad.name}}`, `${x}`, `[[x]]`, `%CAMPAIGN%`, whole or as a part."""
    braces = "{" in text and "}" in text
    brackets = "[[" in text and "]]" in text
    percent = len(text) > 2 and text[0] == text[-1] == "%"
    return braces or brackets or percent


def _ga_client_id(text: str | None) -> str | None:
    """`2095662112.1674837243` of the cookie `GA1.2.2095662112.1674837243`, or as it is."""
    groups = (text or "").split(".")[-2:]
    whole = len(groups) == 2 and all(g.isascii() and g.isdigit() and len(g) < 20 for g in groups)
    return ".".join(groups) if whole else None


def _without_query(page: WebAddress | None) -> str | None:
    # Not `netloc`: it may hold a name and a password.
    if page is None:
        return None
    port = f":{page.port}" if page.port else ""
    return f"{page.scheme}://{page.host}{port}{page.path}"[:MAX_URL_SHOWN]


# --- channels: the default channel group of support.google.com/analytics/answer/9756891 ---


_SHOP = re.compile(r"(?:[^a-df-z]|^)shop|shopping")


class _Visit(NamedTuple):
    source: str
    medium: str
    campaign: str
    category: str | None

    @property
    def paid(self) -> bool:
        return (
            "cp" in self.medium
            or self.medium in {"ppc", "retargeting"}
            or self.medium.startswith("paid")
        )

    @property
    def shop(self) -> bool:
        """`eshop` is one, `workshop` is none."""
        return _SHOP.search(self.campaign) is not None


PAID_OTHER = "Paid Other"
Rule = tuple[str, str, Callable[[_Visit], bool]]

_SOCIAL_MEDIA = frozenset(
    {"social", "social-network", "social-media", "sm", "social network", "social media"}
)
_DISPLAY = frozenset({"display", "banner", "expandable", "interstitial", "cpm"})
_EMAIL = frozenset({"email", "e-mail", "e_mail", "e mail"})
_DIRECT_MEDIA = frozenset({"(none)", "(not set)", ""})

RULES: tuple[Rule, ...] = (
    ("direct", "Direct", lambda v: v.source == "(direct)" and v.medium in _DIRECT_MEDIA),
    ("cross_network", "Cross-network", lambda v: "cross-network" in v.campaign),
    ("paid_shopping", "Paid Shopping", lambda v: v.paid and (v.category == "shopping" or v.shop)),
    ("paid_search", "Paid Search", lambda v: v.paid and v.category == "search"),
    ("paid_social", "Paid Social", lambda v: v.paid and v.category == "social"),
    ("paid_video", "Paid Video", lambda v: v.paid and v.category == "video"),
    ("display", "Display", lambda v: v.medium in _DISPLAY),
    ("paid_other", PAID_OTHER, lambda v: v.paid),
    ("organic_shopping", "Organic Shopping", lambda v: v.category == "shopping" or v.shop),
    (
        "organic_social",
        "Organic Social",
        lambda v: v.category == "social" or v.medium in _SOCIAL_MEDIA,
    ),
    ("organic_video", "Organic Video", lambda v: v.category == "video" or "video" in v.medium),
    ("organic_search", "Organic Search", lambda v: v.category == "search" or v.medium == "organic"),
    ("referral", "Referral", lambda v: v.medium in {"referral", "app", "link"}),
    ("email", "Email", lambda v: v.source in _EMAIL or v.medium in _EMAIL),
    ("affiliates", "Affiliates", lambda v: v.medium == "affiliate"),
    ("audio", "Audio", lambda v: v.medium == "audio"),
    ("sms", "SMS", lambda v: "sms" in {v.source, v.medium}),
    (
        "mobile_push",
        "Mobile Push Notifications",
        lambda v: (
            v.medium.endswith("push")
            or "mobile" in v.medium
            or "notification" in v.medium
            or v.source == "firebase"
        ),
    ),
)
"""In order; the first that holds decides."""

UNASSIGNED = "Unassigned"
AI_ASSISTANT = "AI Assistant"
"""No group of Google's: only with the aliases."""
CHANNELS = frozenset({UNASSIGNED, AI_ASSISTANT, *(name for _, name, _ in RULES)})
"""All that a lead's channel may be called."""


def channel_of(touch: Touch, sources: Sources = GA4) -> Channel:
    """The channel group of a touch: Google's with Google's list, others with a longer one."""
    source = (touch.source or "").strip().lower()
    visit = _Visit(
        source,
        (touch.medium or "").strip().lower(),
        (touch.campaign or "").strip().lower(),
        sources.category(source),
    )
    if visit.category == "assistant" and not visit.paid:
        return Channel(AI_ASSISTANT, f"{touch.basis}:ai_assistant")
    for rule, name, holds in RULES:
        if holds(visit):
            return Channel(name, f"{touch.basis}:{rule}")
    return Channel(UNASSIGNED, f"{touch.basis}:none")


def is_untagged(touch: Touch, sources: Sources) -> bool:
    """Whether money was spent on a visit, or may have been, and no rule can say where: tags that
    match nothing, and paid traffic from a source that nobody knows.
    """
    channel = channel_of(touch, sources).name
    if channel == PAID_OTHER:
        return sources.category((touch.source or "").strip().lower()) is None
    return channel == UNASSIGNED
