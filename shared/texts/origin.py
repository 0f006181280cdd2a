"""Where a lead came from, as people read it: also for alerts, so that it loads little."""

from collections.abc import Mapping

from shared.domain.events import Came
from shared.domain.lead import Lead
from shared.texts import mark, translation

_CAME: Mapping[Came, str] = {"phone": mark("Phone call"), "walk-in": mark("Walk-in")}

_CHANNELS = {
    "Direct": mark("Direct"),
    "Cross-network": mark("Cross-network"),
    "Paid Shopping": mark("Paid Shopping"),
    "Paid Search": mark("Paid Search"),
    "Paid Social": mark("Paid Social"),
    "Paid Video": mark("Paid Video"),
    "Display": mark("Display"),
    "Paid Other": mark("Paid Other"),
    "Organic Shopping": mark("Organic Shopping"),
    "Organic Social": mark("Organic Social"),
    "Organic Video": mark("Organic Video"),
    "Organic Search": mark("Organic Search"),
    "Referral": mark("Referral"),
    "Email": mark("Email"),
    "Affiliates": mark("Affiliates"),
    "Audio": mark("Audio"),
    "SMS": mark("SMS"),
    "Mobile Push Notifications": mark("Mobile Push Notifications"),
    "AI Assistant": mark("AI Assistant"),
    "Unassigned": mark("Unassigned"),
}
"""In English as Google calls them: so they stand in figures, too."""


def channel(name: str, locale: str) -> str:
    """The words for a channel group; one of a newer version stays as it is."""
    return translation(locale).gettext(_CHANNELS.get(name, name))


def channel_of(lead: Lead, locale: str) -> str:
    """The channel of the visit that a lead came from; empty where there was no visit."""
    return "" if lead.came else channel(lead.channel, locale)


def came(how: Came, locale: str) -> str:
    """How somebody came who sent no form."""
    return translation(locale).gettext(_CAME[how])


def source_of(lead: Lead, locale: str) -> str:
    """Where a lead came from: how the person came, the tags of the visit, or else its channel."""
    if lead.came:
        return came(lead.came, locale)
    return lead.source or channel(lead.channel, locale)
