"""Times, spans, phones and sums of money, as people of a locale write them."""

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import phonenumbers

from shared.texts import known_locale, mark, translation

MONTHS = (
    mark("Jan"),
    mark("Feb"),
    mark("Mar"),
    mark("Apr"),
    mark("May"),
    mark("Jun"),
    mark("Jul"),
    mark("Aug"),
    mark("Sep"),
    mark("Oct"),
    mark("Nov"),
    mark("Dec"),
)
NO_BREAK_SPACE = "\u00a0"
MINUTE, HOUR, DAY = 60, 3600, 86400


def clock(moment: datetime, zone: str, now: datetime, locale: str) -> str:
    """`14:05` in the reader's zone; `23 Nov, 14:05` when that is not today."""
    local = moment.astimezone(ZoneInfo(zone))
    time = f"{local:%H:%M}"
    if local.date() == now.astimezone(ZoneInfo(zone)).date():
        return time
    month = translation(locale).gettext(MONTHS[local.month - 1])
    return f"{local.day} {month}, {time}"


def span(length: timedelta, locale: str) -> str:
    """`8 min`, `2 h 10 min`, `3 d 4 h`: two units at most, cut and not rounded."""
    _ = translation(locale).gettext
    seconds = max(0, int(length.total_seconds()))
    days, hours, minutes = seconds // DAY, seconds % DAY // HOUR, seconds % HOUR // MINUTE
    parts = [
        _("%(count)d d") % {"count": days} if days else "",
        _("%(count)d h") % {"count": hours} if hours else "",
        _("%(count)d min") % {"count": minutes} if not days and (minutes or not hours) else "",
    ]
    return " ".join(filter(None, parts))


def time_left(length: timedelta, locale: str) -> str:
    """`3 minutes left`."""
    texts = translation(locale)
    minutes = int(length.total_seconds()) // MINUTE
    if minutes < 1:
        return texts.gettext("Less than a minute left")
    if minutes < MINUTE:
        return texts.ngettext("%(count)d minute left", "%(count)d minutes left", minutes) % {
            "count": minutes
        }
    return texts.gettext("%(span)s left") % {"span": span(length, locale)}


def lateness(length: timedelta, locale: str) -> str:
    """`7 minutes late`."""
    texts = translation(locale)
    minutes = int(length.total_seconds()) // MINUTE
    if minutes < 1:
        return texts.gettext("Less than a minute late")
    if minutes < MINUTE:
        return texts.ngettext("%(count)d minute late", "%(count)d minutes late", minutes) % {
            "count": minutes
        }
    return texts.gettext("%(span)s late") % {"span": span(length, locale)}


def ago(length: timedelta, locale: str) -> str:
    """`4 minutes ago`."""
    texts = translation(locale)
    minutes = int(length.total_seconds()) // MINUTE
    if minutes < 1:
        return texts.gettext("just now")
    if minutes < MINUTE:
        return texts.ngettext("%(count)d minute ago", "%(count)d minutes ago", minutes) % {
            "count": minutes
        }
    return texts.gettext("%(span)s ago") % {"span": span(length, locale)}


def phone(e164: str, extension: str | None, locale: str) -> str:
    """`+7 916 123-45-67`, with ` ext. 12` when there is one."""
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        readable = e164
    else:
        readable = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    if not extension:
        return readable
    called = translation(locale).gettext("ext. %s") % extension
    return f"{readable} {called}"


def money(amount: Decimal, currency: str, locale: str) -> str:
    """`1,200.50 EUR`; whole sums without the cents."""
    written = f"{amount:,.2f}".removesuffix(".00")
    if known_locale(locale) == "ru":
        written = written.replace(",", NO_BREAK_SPACE).replace(".", ",")
    return f"{written}{NO_BREAK_SPACE}{currency}"
