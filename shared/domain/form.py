"""A form: the published definition of what a page sends, and what is wrong with what it sent."""

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Literal, NamedTuple, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.domain.aliases import CANONICAL, NAME_PARTS, canonical_name, dotted, unwrapped
from shared.domain.attribution import tells_of_visit
from shared.domain.contact import MAX_EMAIL_LENGTH, MAX_PHONE_LENGTH, example_phone
from shared.domain.hostnames import web_address
from shared.domain.names import Name
from shared.domain.text import is_blank, storable, tidy

Locale = Literal["en", "ru"]
FieldType = Literal["text", "phone", "email", "consent"]
ErrorCode = Literal["missing", "blank", "unusable", "too_long"]
Gettext = Callable[[str], str]
"""Says an English sentence in the reader's language."""

FORM_ID = r"^[a-z0-9-]{1,64}$"
Keys = Mapping[str, tuple[str, ...]]
"""A form's secrets: by what each is for (`key`, `signing`, `handshake`…), its current value and,
while it is rotated, the former one."""

SecretUse = Literal["key", "signing", "handshake", "time_trap", "turnstile"]
FormId = Annotated[str, Field(pattern=FORM_ID)]
"""What other documents and modules are called by."""
ParameterName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,128}$")]
FieldName = Annotated[str, Field(min_length=1, max_length=200)]
"""A canonical name, or whatever a page calls a field of its own."""

HIDDEN_KEYS = frozenset(
    {"idempotency_key", "idempotency-key", "utf8"}
    | {"cf-turnstile-response", "g-recaptcha-response", "h-captcha-response"}
)
"""Fields of the machinery between page and endpoint, no answers of a person."""

TRAPS = frozenset({"_gotcha", "_honey", "_honeypot", "bot-field", "form-spec-comments"})
"""Honeypots by the names that form services gave them: pages that moved to us still have them."""

UNNAMED = "unnamed"

NO_CONSENT = frozenset(
    {"no", "n", "false", "f", "0", "off", "нет", "не согласен", "не согласна", "unchecked"}
    | {"disagree", "denied", "never"}
)
REFUSALS = (
    *(
        "no ",
        "no,",
        "no:",
        "not ",
        "нет ",
        "нет,",
        "нет:",
        "не ",
        "без ",
        "я не ",
        "i do not",
        "i don",
    ),
    *("declin", "refus", "отказ", "disagree", "не согл"),
)
WILLING = (
    "не против",
    "не возраж",
    "я не против",
    "я не возраж",
    "no objection",
    "i do not object",
)
"""Any other text is a ticked box: pages give their boxes any value, often the whole sentence."""
NO_ANSWER = frozenset({"null", "none", "undefined", "unknown", "n/a", "-", "—"})

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


WHAT_WAS_AGREED = frozenset({"consent_text", "consent_version"})
KEPT_APART = WHAT_WAS_AGREED | {"external_id"}
"""What tells of the submission itself: the client's id of it, and what the person agreed to."""


class Limits(BaseModel):
    """How many submissions a minute one network may send, before a container has its doubts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    soft: Annotated[int, Field(gt=0)] = 60
    """Over this they are quarantined."""
    hard: Annotated[int, Field(gt=0)] = 300
    """Over this they are refused for a minute."""


class Sorted(NamedTuple):
    """What was sent, by what it is."""

    values: dict[str, str]
    """Answers, by canonical name or own key."""
    tags: dict[str, str]
    """What tells of the visit."""
    apart: dict[str, str]
    """What is of `KEPT_APART`."""


class Form(BaseModel):
    """A policy document."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    form_id: FormId
    client: Name = "native"
    """The module of shared/clients that understands what the page sends."""
    locale: Locale | None = None
    """The language of its page, in which its visitors are answered. None where the page comes in
    several: then their browsers decide."""
    team: Name
    chain: Name = "default"
    calendar: Name = "always"
    routing: Name = "default"
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
    """Incoming key by field: `Phone`, `contact.tel`, or `answers[id=tel].value` for the item of a
    list whose `id` is `tel`. Also for the page's address, tags of the visit and `KEPT_APART`."""
    null_literals: tuple[str, ...] = ()
    """Texts that stand for no answer, such as `undefined`."""
    legacy_charset: str = ""
    """What a page that names no charset and sends no UTF-8 writes in, such as `windows-1251`."""
    allow_files: bool = False
    """Files are taken note of (name, type, size) and never stored; else they are refused."""
    secrets: dict[SecretUse, ParameterName] = {}
    """Parameters under `/<stack>/forms/` by what each is for: `key`, `signing`, `handshake`,
    `time_trap`, `turnstile`. A parameter holds one value a line: two while it is rotated."""
    key_header: str = "x-api-key"
    """Where a client sends its key, beside `Authorization: Bearer` and the query's `key`."""
    honeypots: tuple[FieldName, ...] = ()
    """Fields that people do not see, and bots fill in."""
    time_trap_seconds: Annotated[int, Field(ge=0, le=60)] = 0
    """How fast nobody can fill the form in; 0 does not look."""
    limits: Limits = Limits()
    partials: Literal["never", "with_consent", "always"] = "never"
    """Whether what a visitor leaves unfinished is kept. `always` is for pages that send it only
    after they asked; a box left unticked forbids it whatever stands here."""
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
        known = CANONICAL | KEPT_APART | {*NAME_PARTS, *self.fields}
        if unknown := {name for name in set(self.mapping) - known if not tells_of_visit(name)}:
            raise ValueError(f"mapping names fields that the form does not have: {unknown}")
        for name, rule in self.fields.items():
            if name in {"phone", "email", "consent"} and rule.type != name:
                raise ValueError(f"{name} is of type {name}")
        return self

    @property
    def language(self) -> Locale:
        """The language of its page, as far as policy tells."""
        return self.locale or "en"

    def allows(self, origin: str) -> bool:
        """Whether a page of this origin, `https://landing.example`, may send."""
        return origin.lower() in {known.lower().rstrip("/") for known in self.origins}

    def keeps_partial(self, consent: bool | None) -> bool:
        """Whether what a visitor left unfinished may be kept, who said this of their consent."""
        if self.partials == "with_consent":
            return consent is True
        return self.partials == "always" and consent is not False

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

    def sort(
        self, sent: Iterable[tuple[str, str]], meanings: Iterable[tuple[str, str]] = ()
    ) -> Sorted:
        """Tells answers from tags and names the answers.

        The form's mapping names a field for sure, `meanings` what the client knows of it; else a
        field is called by its canonical name or by one of its usual spellings. The first field of
        a meaning has it, the others stay custom.
        """
        fields = [
            (storable(key) or UNNAMED, storable(text))
            for key, text in sent
            if text.strip() not in self.null_literals
        ]
        known = dict(meanings)
        mapped = {name: mapped_key(path, fields) for name, path in self.mapping.items()}
        name_of_mapped = {key: name for name, key in mapped.items() if key is not None}
        texts: dict[str, list[str]] = {}
        tags: dict[str, str] = {}
        apart: dict[str, str] = {}
        for key, text in fields:
            name = name_of_mapped.get(key, "")
            tag = name or unwrapped(key).lower()
            if name in KEPT_APART or tag in {"consent_text", "consent_version"}:
                apart.setdefault(tag, text)
            elif tells_of_visit(tag):
                tags.setdefault(tag, text)
            elif name or key in known or not (key.startswith("_") or self._is_hidden(key)):
                texts.setdefault(key, []).append(text)
        taken = self._names(texts, name_of_mapped, known)
        name_of = {key: name for name, key in taken.items()}
        values: dict[str, str] = {}
        for key, all_texts in texts.items():
            # A custom field must not pass for a canonical one that another key was mapped to.
            name = name_of.get(key) or (f"sent_{key}" if key in taken else key)
            values[name] = (
                _of_box(all_texts) if name == "consent" else ", ".join(dict.fromkeys(all_texts))
            )
        return Sorted(_with_whole_name(values), tags, apart)

    def _is_hidden(self, key: str) -> bool:
        return key.lower() in HIDDEN_KEYS or self.is_trap(key)

    def is_trap(self, key: str) -> bool:
        """Whether only a bot fills this field in."""
        return key in self.honeypots or key in TRAPS

    def _names(
        self,
        keys: Mapping[str, Iterable[str]],
        mapped: Mapping[str, str],
        meanings: Mapping[str, str],
    ) -> dict[str, str]:
        """Which incoming key holds each field that is known by name."""
        taken = {mapped[key]: key for key in keys if key in mapped}
        used = set(taken.values())
        own = [(key, key) for key in keys if key in self.fields or key in CANONICAL]
        known = [(meanings[key], key) for key in keys if key in meanings]
        spelled = [(canonical_name(key), key) for key in keys]
        usual = [(name, key) for name, key in spelled if name and name not in self.mapping]
        # A field left empty does not stand before a filled one of the same meaning.
        blank = {key for key, texts in keys.items() if all(map(is_blank, texts))}
        for name, key in sorted(
            (*own, *known, *usual), key=lambda pair: _gives_way(pair[0], pair[1], blank)
        ):
            if name not in taken and key not in used:
                taken[name] = key
                used.add(key)
        return taken


def _gives_way(name: str, key: str, blank: Container[str]) -> bool:
    """Whether a filled field of the same meaning goes first: but an empty consent is a no."""
    return key in blank and name != "consent"


def _of_box(texts: Sequence[str]) -> str:
    """A hidden `0` before the box, or `false` after it, is how pages send an unticked one."""
    return next((text for text in texts if consent_of(text)), texts[-1])


_ITEM = re.compile(r"\[([^\[\]=]+)=([^\[\]]*)\]")


def mapped_key(path: str, fields: Sequence[tuple[str, str]]) -> str | None:
    """The incoming key that a mapping means: the one so called, `fields[tel][value]` and
    `fields.tel.value` being the same; or the item of a list whose field has the wanted text:
    `answers[id=tel].value` is `answers.3.value` where `answers.3.id` is `tel`.
    """
    if any(key == path for key, _ in fields):
        return path
    sent = [(dotted(key), text, key) for key, text in fields]
    head, *steps = _ITEM.split(path)
    places = [dotted(head)]
    for field, wanted, rest in zip(steps[::3], steps[1::3], steps[2::3], strict=True):
        items = [item for place in places for item in _items(place, field, wanted, sent)]
        places = [item + dotted(rest) for item in items]
    # What stands in a list by itself goes by the name of the list.
    known = {key: verbatim for key, _, verbatim in reversed(sent)}
    found = (known.get(place) or known.get(place.removesuffix(".0")) for place in places)
    return next(filter(None, found), None)


def _items(
    place: str, field: str, wanted: str, sent: Iterable[tuple[str, str, str]]
) -> Iterator[str]:
    """The items of the list at a place whose field has the wanted text."""
    start, end = f"{place}." if place else "", f".{dotted(field)}"
    for key, text, _ in sent:
        number = key[len(start) : -len(end)]
        if text == wanted and key == f"{start}{number}{end}" and number.isdecimal():
            yield f"{start}{number}"


def _with_whole_name(values: dict[str, str]) -> dict[str, str]:
    """Puts a name together that a page asked for in parts; one given whole stays."""
    if not any(part in values for part in NAME_PARTS) or {"name", "given_name"} <= values.keys():
        return values
    given = {"given_name": values["name"]} if "name" in values else {}
    parts = {**values, **given}
    words = [parts[part] for part in NAME_PARTS if parts.get(part)]
    kept = {name: text for name, text in values.items() if name not in NAME_PARTS}
    return {**kept, "name": " ".join(words)}


def is_form_id(text: str) -> bool:
    """Whether a form could be called so."""
    return re.match(FORM_ID, text) is not None


def consent_of(text: str | None) -> bool | None:
    """True, False, or None when nothing was said."""
    if text is None:
        return None
    word = tidy(text).lower().rstrip(".!")
    if word in NO_ANSWER:
        return None
    refuses = word.startswith(REFUSALS) and not word.startswith(WILLING)
    return word not in NO_CONSENT and word != "" and not refuses


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
