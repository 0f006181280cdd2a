"""Who wrote: name, phone, e-mail and company, as far as the text allows, without asking anybody."""

import hashlib
import unicodedata
from typing import NamedTuple

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from pydantic import BaseModel, ConfigDict

from shared.domain.hostnames import registrable_domain
from shared.domain.text import tidy

MAX_PHONE_LENGTH = 200
MAX_EMAIL_LENGTH = 320
MAX_MASK_DIGITS = 3
"""The country code that a mask brings along."""

_MAILBOXES_FOR_ALL = """
gmail.com googlemail.com outlook.com hotmail.com hotmail.co.uk hotmail.fr hotmail.de hotmail.it
live.com live.co.uk msn.com yahoo.com yahoo.co.uk yahoo.fr yahoo.de yahoo.it yahoo.es ymail.com
rocketmail.com icloud.com me.com mac.com aol.com proton.me protonmail.com pm.me gmx.com gmx.de
gmx.net gmx.at gmx.ch web.de t-online.de freenet.de mail.com zoho.com zohomail.com fastmail.com
hey.com tutanota.com tuta.io tuta.com hushmail.com yandex.com btinternet.com sky.com orange.fr
free.fr laposte.net wanadoo.fr libero.it virgilio.it comcast.net verizon.net att.net duck.com
mail.ru inbox.ru list.ru bk.ru internet.ru xmail.ru vk.com yandex.ru ya.ru yandex.by yandex.kz
yandex.ua yandex.uz narod.ru rambler.ru lenta.ru autorambler.ru myrambler.ru ro.ru pochta.ru
ukr.net i.ua meta.ua bigmir.net tut.by mail.kz
"""

FREE_MAIL = frozenset(_MAILBOXES_FOR_ALL.split())
"""Domains where anybody gets a mailbox. They say nothing about a company."""

EXTENSION_WORDS = ("добавочный", "внутренний", "внутр.", "внутр", "вн.")
"""How people write «доб.», the one Russian word that phonenumbers knows."""


class Contact(BaseModel):
    """A person, as one submission tells."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    phone: str | None = None
    """E.164."""
    phone_extension: str | None = None
    country: str | None = None
    """Of the phone, by ISO 3166-1."""
    email: str | None = None
    """Normalised, in lower case."""
    company: str | None = None
    company_domain: str | None = None
    """Of the e-mail address; None for free mail."""

    @property
    def guards(self) -> tuple[str, ...]:
        """What this person is recognised by: `kind#hash` of the phone and of the address.

        The extension is not part of it: a switchboard's lead is one lead.
        """
        reachable = {"phone": self.phone, "email": self.email}
        return tuple(
            f"{kind}#{hashlib.sha256(value.encode()).hexdigest()[:32]}"
            for kind, value in reachable.items()
            if value
        )


class Phone(NamedTuple):
    """A number that can be dialled. `extra` holds further numbers of the same field."""

    number: str
    extension: str | None = None
    country: str | None = None
    extra: tuple[str, ...] = ()


class PersonName(NamedTuple):
    """The parts of a name, where they can be told apart."""

    given: str | None = None
    family: str | None = None
    patronymic: str | None = None


def read_phone(text: str, region: str) -> Phone | None:
    """The phone that a person meant, None when the text cannot be one.

    `region` is where a number without a country code is from. A number is taken when it is
    *possible* there, not only when its range is known as assigned: ranges are newer than any
    release of a library, and a refused number is a lost customer.
    """
    if len(text) > MAX_PHONE_LENGTH:
        return None
    text = tidy(unicodedata.normalize("NFKC", text))
    for word in EXTENSION_WORDS:
        text = text.replace(word, "доб.")
    meant = _parse(text, region)
    if meant is not None and phonenumbers.is_valid_number(meant):
        return _phone(meant)
    others = [_parse(*reading) for reading in _other_readings(text, region)]
    for other in others:
        if other is not None and phonenumbers.is_valid_number(other):
            return _phone(other)
    # What is no number as written may also be one of a range that is not known as assigned.
    for possible in (meant,) if meant else others:
        if possible is not None and _is_plausible(possible):
            return _phone(possible)
    found = [match.number for match in phonenumbers.PhoneNumberMatcher(text, region)]
    return _phone(*found) if found else None


def region_of(number: str) -> str:
    """Where an E.164 number is from: of countries that share a code, the largest."""
    meant = _parse(number, "ZZ")
    code = meant.country_code if meant else None
    return str(phonenumbers.region_code_for_country_code(code or 0))


def is_untouched_mask(text: str) -> bool:
    """Whether an input mask was left as it came, `+7 (___) ___-__-__`: nothing was typed."""
    return "_" in text and sum(letter.isdigit() for letter in text) <= MAX_MASK_DIGITS


def _parse(text: str, region: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None


def _other_readings(text: str, region: str) -> list[tuple[str, str]]:
    """What a number that is wrong as written may have been, and where it is from."""
    digits = "".join(letter for letter in text if letter.isdigit())
    readings = []
    if text.startswith("+8"):
        # The trunk prefix of Russia and its neighbours, written like a country code.
        readings += [(text[1:], region), (text[1:], "RU")]
    if digits.startswith("00"):
        readings.append((f"+{digits[2:]}", region))
    if not text.startswith("+") and 10 < len(digits) <= 15:
        # The plus got lost, in an address for instance.
        readings += [(f"+{digits}", region), (text, "RU")]
    return readings


def _is_plausible(number: phonenumbers.PhoneNumber) -> bool:
    """Of a length that can be dialled from abroad too, and not one digit held down."""
    reason = phonenumbers.is_possible_number_with_reason(number)
    return (
        reason == phonenumbers.ValidationResult.IS_POSSIBLE
        and len(set(str(number.national_number))) > 1
    )


def _phone(first: phonenumbers.PhoneNumber, *others: phonenumbers.PhoneNumber) -> Phone:
    return Phone(
        _e164(first),
        first.extension or None,
        phonenumbers.region_code_for_number(first),
        tuple(_e164(other) for other in others),
    )


def _e164(number: phonenumbers.PhoneNumber) -> str:
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def example_phone(region: str) -> str:
    """How a number of the region is written at home, to show what is expected."""
    kind = phonenumbers.PhoneNumberType.MOBILE
    number = phonenumbers.example_number_for_type(region, kind)
    if number is None:
        return "+44 20 7946 0958"
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL))


def read_email(text: str) -> str | None:
    """The first usable address in the text, normalised. No name server is asked."""
    if len(text) > MAX_EMAIL_LENGTH:
        return None
    words = tidy(text).replace("mailto:", " ").replace(",", " ").replace(";", " ").split()
    addresses = [word.strip("<>()[]\"'.:") for word in words if "@" in word]
    for address in addresses:
        try:
            valid = validate_email(address, check_deliverability=False)
        except EmailNotValidError:
            continue
        # Local parts may differ by case on paper; people and their mail servers do not mean it.
        return valid.normalized.lower()
    return None


def company_domain(email: str | None) -> str | None:
    """The registered domain of an address, None for free mail and for a mailbox to throw away."""
    host = (email or "").rpartition("@")[2]
    if not host or host in FREE_MAIL:
        return None
    domain = registrable_domain(host)
    return None if domain in FREE_MAIL or _is_thrown_away(host, domain) else domain


def is_disposable(email: str) -> bool:
    """Whether the mailbox is one of those that are made to be thrown away."""
    host = email.rpartition("@")[2]
    return host not in FREE_MAIL and _is_thrown_away(host, registrable_domain(host))


def _is_thrown_away(host: str, domain: str | None) -> bool:
    # Ten thousand names: only who sees an address that may be one of them pays for the list.
    from disposable_email_domains import blocklist  # noqa: PLC0415 - see above

    return host in blocklist or domain in blocklist


PATRONYMIC_ENDS = ("ович", "евич", "ьич", "мич", "кич", "овна", "евна", "ична")
PATRONYMIC_WORDS = frozenset({"оглы", "кызы", "оглу", "гызы", "угли", "кизи"})
FAMILY_ENDS = ("ов", "ова", "ев", "ева", "ёв", "ёва", "ский", "ская", "цкий", "цкая")
MIN_FAMILY_LENGTH = 5
"""Shorter words that end so are given names: Лев, Ева, Яков is the longest that is."""


def read_name(text: str) -> PersonName:
    """The parts of a name; where the order is unclear, the given name is taken to come first."""
    words = [_as_written(word) for word in tidy(text).replace(",", " , ").split()]
    if "," in words[1:3]:  # "Ivanov, Ivan"
        comma = words.index(",")
        family, rest = words[:comma], [word for word in words[comma + 1 :] if word != ","]
        return PersonName(" ".join(rest) or None, " ".join(family) or None)
    words = [word for word in words if word != ","]
    patronymic = next((i for i in range(1, len(words)) if _is_patronymic(words[i])), None)
    if patronymic is None:
        return _given_and_family(words)
    since = (
        patronymic - 1
        if words[patronymic].lower() in PATRONYMIC_WORDS and patronymic > 1
        else patronymic
    )
    middle = " ".join(words[since : patronymic + 1])
    before, after = words[:since], words[patronymic + 1 :]
    if after:  # Иван Иванович Иванов
        return PersonName(" ".join(before) or None, " ".join(after), middle)
    return PersonName(before[-1] if before else None, " ".join(before[:-1]) or None, middle)


def _given_and_family(words: list[str]) -> PersonName:
    if len(words) < 2:
        return PersonName(words[0] if words else None)
    if len(words) == 2 and _is_family(words[0]) and not _is_family(words[1]):  # Смирнова Анна
        return PersonName(words[1], words[0])
    return PersonName(words[0], " ".join(words[1:]))


def _is_patronymic(word: str) -> bool:
    word = word.lower()
    return word in PATRONYMIC_WORDS or (len(word) > 4 and word.endswith(PATRONYMIC_ENDS))


def _is_family(word: str) -> bool:
    return len(word) > MIN_FAMILY_LENGTH and word.lower().endswith(FAMILY_ENDS)


def _as_written(word: str) -> str:
    """The word, without the shouting of a whole name in capitals."""
    return word.title() if len(word) > 1 and word.isupper() else word
