"""What people call the time of a zone: `Berlin time`, and not `Europe/Berlin`."""

from datetime import datetime
from zoneinfo import ZoneInfo

from shared.texts import mark, translation

NAMED = frozenset(
    {
        mark("Almaty time"),
        mark("Amsterdam time"),
        mark("Baku time"),
        mark("Berlin time"),
        mark("Bishkek time"),
        mark("Chicago time"),
        mark("Dubai time"),
        mark("Irkutsk time"),
        mark("Istanbul time"),
        mark("Kaliningrad time"),
        mark("Kamchatka time"),
        mark("Krasnoyarsk time"),
        mark("Kyiv time"),
        mark("London time"),
        mark("Los Angeles time"),
        mark("Magadan time"),
        mark("Minsk time"),
        mark("Moscow time"),
        mark("New York time"),
        mark("Novosibirsk time"),
        mark("Omsk time"),
        mark("Paris time"),
        mark("Samara time"),
        mark("Tashkent time"),
        mark("Tbilisi time"),
        mark("Vienna time"),
        mark("Vladivostok time"),
        mark("Warsaw time"),
        mark("Yakutsk time"),
        mark("Yekaterinburg time"),
        mark("Yerevan time"),
        mark("Zurich time"),
    }
)
"""The zones that other languages have an expression for."""


def zone_time(zone: str, moment: datetime, locale: str) -> str:
    """`Berlin time` for Europe/Berlin; for a zone that is named after no place what it is ahead of
    UTC at a moment, such as `UTC+03:00`.
    """
    _ = translation(locale).gettext
    area, _slash, place = zone.rpartition("/")
    if area in {"", "Etc"}:
        return "UTC" + moment.astimezone(ZoneInfo(zone)).isoformat()[-6:]
    name = place.replace("_", " ")
    english = f"{name} time"
    return _(english) if english in NAMED else _("%(place)s time") % {"place": name}
