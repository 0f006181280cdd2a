"""A form: the published definition of what a page sends, and what is wrong with what it sent."""

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Literal, NamedTuple, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.domain.aliases import CANONICAL, NAME_PARTS, canonical_name
from shared.domain.attribution import tells_of_visit
from shared.domain.contact import MAX_EMAIL_LENGTH, MAX_PHONE_LENGTH, example_phone
from shared.domain.hostnames import web_address
from shared.domain.text import is_blank, storable, tidy

Locale = Literal["en", "ru"]
FieldType = Literal["text", "phone", "email", "consent"]
ErrorCode = Literal["missing", "blank", "unusable", "too_long"]
Gettext = Callable[[str], str]
"""Says an English sentence in the reader's language."""

FormId = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
"""What other documents and modules are called by."""
FieldName = Annotated[str, Field(min_length=1, max_length=200)]
"""A canonical name, or whatever a page calls a field of its own."""

HIDDEN_KEYS = frozenset({"idempotency_key", "idempotency-key", "utf8"})
"""Fields of the machinery between page and endpoint, no answers of a person."""

UNNAMED = "unnamed"

NO_CONSENT = frozenset(
    {"no", "n", "false", "f", "0", "off", "нет", "не согласен", "не согласна", "unchecked"}
    | {"disagree", "denied", "null", "none", "undefined"}
)
"""Any other text is a ticked box: pages give their boxes any value, often the whole sentence."""

MAX_LENGTHS = {
    "name": 200,
    "phone": MAX_PHONE_LENGTH,
    "email": MAX_EMAIL_LENGTH,
    "company": 200,
    "message": 5000,
}
MAX_LENGTH = 2000


class FieldRule(BaseModel):
    """What a form expects of one field."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: FieldType = "text"
    required: bool = False
    max_length: Annotated[int, Field(gt=0, le=20_000)] | None = None
    label: str | None = None
    """For custom fields: what the page calls it."""


class Sorted(NamedTuple):
    """What was sent, by what it is: answers by canonical name or own key, and tags of the visit."""

    values: dict[str, str]
    tags: dict[str, str]


class Form(BaseModel):
    """A policy document."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    form_id: FormId
    client: Name = "native"
    """The module of shared/clients that understands what the page sends."""
    locale: Locale = "en"
    team: Name
    chain: Name = "default"
    calendar: Name = "always"
    definition: Name = "default"
    title: Annotated[str, Field(min_length=1, max_length=200)]
    """Where a lead came from, in the words of those who call it."""
    default_region: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    origins: tuple[str, ...] = ()
    thanks_url: str | None = None
    """Where a visitor without scripts goes after sending; webhooks need none."""
    redirect_hosts: tuple[str, ...] = ()
    fields: dict[FieldName, FieldRule]
    mapping: dict[FieldName, str] = {}
    consent_text: str = ""
    consent_version: str = ""
    is_test: bool = False
    """What this form takes is followed up like any lead, and counted nowhere."""
    metrics: bool = False
    """Counted under its own id; other forms are counted together."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.thanks_url is None and self.client == "native":
            raise ValueError("a form that people send needs a thanks_url")
        if self.thanks_url is not None and web_address(self.thanks_url) is None:
            raise ValueError("thanks_url is not an http(s) address")
        if len(set(self.mapping.values())) < len(self.mapping):
            raise ValueError("mapping takes one incoming key for two fields")
        if unknown := set(self.mapping) - CANONICAL - set(NAME_PARTS) - set(self.fields):
            raise ValueError(f"mapping names fields that the form does not have: {unknown}")
        for name, rule in self.fields.items():
            if name in {"phone", "email", "consent"} and rule.type != name:
                raise ValueError(f"{name} is of type {name}")
        return self

    def allows(self, origin: str) -> bool:
        """Whether a page of this origin, `https://landing.example`, may send."""
        return origin.lower() in {known.lower().rstrip("/") for known in self.origins}

    def thanks_for(self, wanted: str | None) -> str:
        """Where a visitor goes after sending: where the page wants, if the form knows that host."""
        thanks = urlsplit(self.thanks_url or "")
        target = web_address(wanted) if wanted and wanted.isascii() else None
        if wanted is None or target is None or target.scheme not in {"https", thanks.scheme}:
            return thanks.geturl()
        return wanted if target.netloc.lower() in self._known_hosts else thanks.geturl()

    @property
    def thanks_origins(self) -> tuple[str, ...]:
        """The origins that a visitor may be sent on to."""
        thanks = urlsplit(self.thanks_url or "")
        return tuple(f"{thanks.scheme or 'https'}://{host}" for host in sorted(self._known_hosts))

    @property
    def _known_hosts(self) -> set[str]:
        thanks = urlsplit(self.thanks_url or "")
        return {host.lower() for host in (thanks.netloc, *self.redirect_hosts) if host}

    def sort(self, sent: Iterable[tuple[str, str]]) -> Sorted:
        """Tells answers from tags and names the answers.

        The form's mapping names a field for sure; else a field is called by its canonical name or
        by one of its usual spellings. The first field of a meaning has it, the others stay custom.
        """
        texts: dict[str, list[str]] = {}
        tags: dict[str, str] = {}
        for key, text in sent:
            if tells_of_visit(key.lower()):
                tags.setdefault(key.lower(), storable(text))
            elif not key.startswith("_") and key.lower() not in HIDDEN_KEYS:
                texts.setdefault(storable(key) or UNNAMED, []).append(storable(text))
        taken = self._names(tuple(texts))
        name_of = {key: name for name, key in taken.items()}
        values: dict[str, str] = {}
        for key, all_texts in texts.items():
            # A custom field must not pass for a canonical one that another key was mapped to.
            name = name_of.get(key) or (f"sent_{key}" if key in taken else key)
            # A hidden "0" under a box is how pages send an unticked one: the last word counts.
            text = all_texts[-1] if name == "consent" else ", ".join(dict.fromkeys(all_texts))
            values[name] = text
        return Sorted(_with_whole_name(values), tags)

    def _names(self, keys: tuple[str, ...]) -> dict[str, str]:
        """Which incoming key holds each field that is known by name."""
        taken = {name: key for name, key in self.mapping.items() if key in keys}
        used = set(taken.values())
        own = [(key, key) for key in keys if key in self.fields or key in CANONICAL]
        spelled = [(canonical_name(key), key) for key in keys]
        usual = [(name, key) for name, key in spelled if name and name not in self.mapping]
        for name, key in (*own, *usual):
            if name not in taken and key not in used:
                taken[name] = key
                used.add(key)
        return taken


def _with_whole_name(values: dict[str, str]) -> dict[str, str]:
    """Puts a name together that a page asked for in parts; one given whole stays."""
    if not any(part in values for part in NAME_PARTS) or {"name", "given_name"} <= values.keys():
        return values
    given = {"given_name": values["name"]} if "name" in values else {}
    parts = {**values, **given}
    words = [parts[part] for part in NAME_PARTS if parts.get(part)]
    kept = {name: text for name, text in values.items() if name not in NAME_PARTS}
    return {**kept, "name": " ".join(words)}


def consent_of(text: str | None) -> bool | None:
    """True, False, or None when nothing was said."""
    if text is None:
        return None
    word = tidy(text).lower()
    return word not in NO_CONSENT and word != ""


def mistake(rule: FieldRule, name: str, text: str | None, *, usable: bool) -> ErrorCode | None:
    """What is wrong with one field; `usable` is whether its text makes what its type promises."""
    if text is None:
        return "missing" if rule.required else None
    if len(text) > max_length(rule, name):
        return "too_long"
    if is_blank(text):
        return "blank" if rule.required else None
    if rule.type == "consent" and not rule.required:
        return None
    return None if usable else "unusable"


def max_length(rule: FieldRule, name: str) -> int:
    """In letters."""
    return rule.max_length or MAX_LENGTHS.get(name, MAX_LENGTH)


def label(form: Form, name: str, gettext: Gettext) -> str:
    """What a person calls the field."""
    rule = form.fields.get(name)
    if rule is not None and rule.label:
        return rule.label
    if name == "consent" and form.consent_text:
        return form.consent_text
    labels: Mapping[str, str] = {
        "name": gettext("Name"),
        "phone": gettext("Phone"),
        "email": gettext("E-mail"),
        "company": gettext("Company"),
        "message": gettext("Message"),
        "consent": gettext("Consent"),
    }
    return labels.get(name, name)


def advice(form: Form, name: str, code: ErrorCode, gettext: Gettext) -> str:
    """What to do about a mistake: one sentence."""
    rule = form.fields.get(name, FieldRule())
    if code == "too_long":
        most = max_length(rule, name)
        return gettext("Shorten this to %(number)s characters.") % {"number": most}
    if rule.type == "consent":
        return gettext("Tick the box: without your consent we may not call you back.")
    if code == "unusable":
        if rule.type == "email":
            return gettext("Check the e-mail address: it should look like name@example.com.")
        if rule.type == "phone":
            return gettext("Check the phone number: it should look like %(example)s.") % {
                "example": example_phone(form.default_region)
            }
    sentences: Mapping[str, str] = {
        "name": gettext("Enter your name."),
        "phone": gettext("Enter your phone number."),
        "email": gettext("Enter your e-mail address."),
        "company": gettext("Enter the name of your company."),
        "message": gettext("Write what you need."),
    }
    if name in CANONICAL:
        return sentences[name]
    return gettext("Fill in “%(field)s”.") % {"field": label(form, name, gettext)}
