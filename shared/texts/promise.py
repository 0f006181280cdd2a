"""What a visitor is told who comes outside opening hours: when somebody will call.

Capture loads this only with the first such visitor; its words are a few tables, because what knows
the dates of all languages is larger than all of capture.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shared.texts import mark, translation
from shared.texts.zones import zone_time

WEEKDAYS = (
    mark("on Monday"),
    mark("on Tuesday"),
    mark("on Wednesday"),
    mark("on Thursday"),
    mark("on Friday"),
    mark("on Saturday"),
    mark("on Sunday"),
)
DATES = (
    mark("%(day)d January"),
    mark("%(day)d February"),
    mark("%(day)d March"),
    mark("%(day)d April"),
    mark("%(day)d May"),
    mark("%(day)d June"),
    mark("%(day)d July"),
    mark("%(day)d August"),
    mark("%(day)d September"),
    mark("%(day)d October"),
    mark("%(day)d November"),
    mark("%(day)d December"),
)


def told(promised_by: datetime, zone: str, locale: str) -> str:
    """The sentence, in the clock time of an IANA zone, which it names: a visitor may be anywhere.

    A time between two minutes is told as the later one, so that whoever keeps it keeps what was
    told.
    """
    _ = translation(locale).gettext
    whole = promised_by + timedelta(seconds=-promised_by.second % 60)
    local = whole.astimezone(ZoneInfo(zone))
    sentence = _(
        "We are closed now. We will call you %(weekday)s, %(date)s, by %(time)s (%(zone)s)."
    )
    return sentence % {
        "weekday": _(WEEKDAYS[local.weekday()]),
        "date": _(DATES[local.month - 1]) % {"day": local.day},
        "time": f"{local:%H:%M}",
        "zone": zone_time(zone, local, locale),
    }
