"""Ways to write to a number: links to messengers that are likely to know it.

They only open an app. A message that was written is no call, and nothing is recorded of it.
"""

from typing import NamedTuple
from urllib.parse import quote

import phonenumbers
from phonenumbers import PhoneNumberType

MOBILE = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}
"""In North America nobody can tell one from the other by the number."""

OF_VIBER = "AM AZ BA BG BY CY GE GR HR HU KG KZ MD ME MK MM PH RO RS RU SI UA UZ VN"
"""Where Viber is widespread. Elsewhere a third button would only be in the way."""


class Messenger(NamedTuple):
    name: str
    href: str


def messengers(phone: str | None, extension: str | None) -> list[Messenger]:
    """Those for a mobile number; none for a landline, or for somebody behind an extension."""
    try:
        number = phonenumbers.parse(phone or "")
    except phonenumbers.NumberParseException:
        return []
    if extension or phonenumbers.number_type(number) not in MOBILE:
        return []
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    found = [
        Messenger("WhatsApp", f"https://wa.me/{e164.removeprefix('+')}"),
        Messenger("Telegram", f"https://t.me/{e164}"),
    ]
    if phonenumbers.region_code_for_number(number) in OF_VIBER.split():
        found.append(Messenger("Viber", f"viber://chat?number={quote(e164, safe='')}"))
    return found
