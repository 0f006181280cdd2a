"""A submission: one post, kept verbatim, with what could be read from it."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from shared.domain.attribution import (
    Touch,
    channel_of,
    is_untagged,
    read_addresses,
    read_first_touch,
    read_touch,
)
from shared.domain.contact import (
    Contact,
    company_domain,
    is_untouched_mask,
    read_email,
    read_name,
    read_phone,
)
from shared.domain.events import Came
from shared.domain.form import (
    MAX_LENGTHS,
    FieldType,
    Form,
    Gettext,
    Locale,
    advice,
    consent_of,
    mistake,
)
from shared.domain.instants import Instant
from shared.domain.sources import ALIASES
from shared.domain.text import tidy
from shared.errors import FieldError, InvalidSubmissionError

KEY_SECONDS = 7 * 86_400
"""How long a key of the page's, or the client's own id, means the same submission."""
MAX_CONSENT_TEXT = 5000
FINGERPRINT_SECONDS = 600
"""How long the same words of the same person are a double click and not a second wish."""


class NamedFile(NamedTuple):
    """A file that came along: named, never stored."""

    field: str
    filename: str
    content_type: str
    size: int


Aside = Literal["partial", "reference", "erasure", "test"]
"""What a visitor left unfinished; the id of answers that are to be fetched; the wish that answers
are forgotten; a vendor's try-out with made-up answers."""
DecodedKind = Literal["submission"] | Aside
"""Somebody's answers, or what makes no lead by itself."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What one request says, before anybody judged it."""

    client: str
    fields: tuple[tuple[str, str], ...]
    """Incoming key and text, in the order sent; a key may repeat."""
    kind: DecodedKind = "submission"
    meanings: tuple[tuple[str, str], ...] = ()
    """Incoming key and the canonical name that the client knows it to be, from a type it sent."""
    content_type: str = ""
    body: str | None = None
    """The verbatim text that is kept: what was sent, without what must not be kept (cookies)."""
    body_base64: str | None = None
    """The verbatim bytes instead, where they are no UTF-8."""
    page: str | None = None
    """The page it was sent from, as far as the request itself tells."""
    external_id: str | None = None
    """The client's own id of this submission, without any prefix."""
    idempotency_key: str | None = None
    next_url: str | None = None
    files: tuple[NamedFile, ...] = ()
    somebody_waits: bool = True
    """Whether a person sees the answer and can mend what is wrong."""


class Receipt(NamedTuple):
    """What makes a further request the same submission, and for how long."""

    key: str
    seconds: int


class Submission(BaseModel):
    """An accepted submission."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    submission_id: str
    form_id: str
    form_title: str
    received_at: Instant
    client: str
    locale: Locale
    content_type: str
    body: str | None = None
    body_base64: str | None = None
    values: dict[str, str]
    """Everything that was answered, by canonical name or own key."""
    contact: Contact
    touch: Touch
    """The last one: the visit that it was sent from."""
    first_touch: Touch | None = None
    """The visitor's first one, where the page remembers it."""
    page_url: str | None = None
    referrer_url: str | None = None
    channel: str
    """GA4's default channel group."""
    channel_rule: str
    aliased_channel: str
    """The same with the sources that Google's list does not know."""
    aliased_channel_rule: str = ""
    untagged: bool = False
    """It may have cost money, and nothing says on what."""
    came: Came | None = None
    """How the person came, where nobody sent it: a colleague entered it by hand."""
    external_id: str | None = None
    consent: bool | None = None
    consent_text: str | None = None
    consent_version: str | None = None
    receipt_key: str
    receipt_seconds: int
    content_hash: str
    is_test: bool = False
    attachments: tuple[NamedFile, ...] = ()
    """Files that came along: they are not stored."""

    @property
    def message(self) -> str | None:
        """What the person asked for."""
        return self.values.get("message")


def accept(
    decoded: Decoded,
    form: Form,
    submission_id: str,
    received_at: datetime,
    locale: Locale,
    gettext: Gettext,
) -> Submission:
    """The submission that a request makes.

    Raises InvalidSubmissionError with one entry per field, in the order of the form; where nobody
    waits for the answer only for what the form cannot do without.
    """
    values, tags, apart = form.sort(decoded.fields, decoded.meanings)
    readings = _read(values, form)
    errors = [
        *_mistakes(values, readings, form, gettext, lenient=not decoded.somebody_waits),
        *(_refused(file, gettext) for file in decoded.files if not form.allow_files),
    ]
    if errors:
        raise InvalidSubmissionError(tuple(errors))
    touch = read_touch(tags, decoded.page)
    addresses = read_addresses(tags, decoded.page)
    channel, aliased = channel_of(touch), channel_of(touch, ALIASES)
    consent = readings.consent
    digest = content_hash(values, consent)
    external_id = decoded.external_id or apart.get("external_id") or None
    receipt = receipt_of(external_id, decoded.idempotency_key, digest)
    return Submission(
        submission_id=submission_id,
        form_id=form.form_id,
        form_title=form.title,
        received_at=received_at,
        client=decoded.client,
        locale=locale,
        content_type=decoded.content_type,
        body=decoded.body,
        body_base64=decoded.body_base64,
        values=values,
        contact=readings.contact,
        touch=touch,
        first_touch=read_first_touch(tags),
        page_url=addresses.page_url,
        referrer_url=addresses.referrer_url,
        channel=channel.name,
        channel_rule=channel.rule,
        aliased_channel=aliased.name,
        aliased_channel_rule=aliased.rule,
        untagged=is_untagged(touch, ALIASES),
        external_id=external_id,
        consent=consent,
        consent_text=_agreed("consent_text", form.consent_text, consent, apart),
        consent_version=_agreed("consent_version", form.consent_version, consent, apart),
        receipt_key=receipt.key,
        receipt_seconds=receipt.seconds,
        content_hash=digest,
        is_test=form.is_test,
        attachments=decoded.files,
    )


def _agreed(what: str, of_form: str, consent: bool | None, sent: Mapping[str, str]) -> str | None:
    """What the page says it showed, or what the form's policy says it shows."""
    if consent is None:
        return None
    return tidy(sent.get(what, "")[:MAX_CONSENT_TEXT]) or of_form or None


class Readings(NamedTuple):
    """What the canonical fields say."""

    contact: Contact
    consent: bool | None


def read_contact(decoded: Decoded, form: Form) -> Readings:
    """Who sent something, and whether they agreed, where nothing is required of them."""
    return _read(form.sort(decoded.fields, decoded.meanings).values, form)


def _read(values: Mapping[str, str], form: Form) -> Readings:
    """What the canonical fields say, wherever they can be read."""
    short = {name: tidy(values.get(name, "")[: MAX_LENGTHS[name]]) for name in ("name", "company")}
    name = read_name(short["name"])
    phone = read_phone(values.get("phone", ""), form.default_region)
    email = read_email(values.get("email", ""))
    contact = Contact(
        name=short["name"] or None,
        given_name=name.given,
        family_name=name.family,
        phone=phone.number if phone else None,
        phone_extension=phone.extension if phone else None,
        country=phone.country if phone else None,
        email=email,
        company=short["company"] or None,
        company_domain=company_domain(email),
    )
    return Readings(contact, consent_of(values.get("consent")))


def _mistakes(
    values: Mapping[str, str], readings: Readings, form: Form, gettext: Gettext, *, lenient: bool
) -> Iterator[FieldError]:
    for name, rule in form.fields.items():
        if lenient and not rule.required:
            continue
        text = values.get(name)
        if text is not None and rule.type == "phone" and is_untouched_mask(text):
            text = ""
        usable = text is None or _is_usable(rule.type, name, text, readings, form)
        code = mistake(rule, name, text, usable=usable)
        if code is not None and not (lenient and code == "too_long"):
            yield FieldError(name, code, advice(form, name, code, gettext))


def _is_usable(kind: FieldType, name: str, text: str, readings: Readings, form: Form) -> bool:
    """Whether the text makes what the field's type promises."""
    match kind:
        case "phone":
            read = readings.contact.phone if name == "phone" else None
            return (read or read_phone(text, form.default_region)) is not None
        case "email":
            read = readings.contact.email if name == "email" else None
            return (read or read_email(text)) is not None
        case "consent":
            return consent_of(text) is True
        case "text":
            return True


def _refused(file: NamedFile, gettext: Gettext) -> FieldError:
    sentence = gettext("Files are not accepted here. Send the form again without “%(file)s”.")
    return FieldError(file.field, "file_not_accepted", sentence % {"file": tidy(file.filename)})


def content_hash(values: Mapping[str, str], consent: bool | None) -> str:
    """The same for the same answers, whatever the encoding, the order and the idempotency key.

    Tags of the visit do not count: a retry may come from an address that has lost its query.
    """
    answers = {name: text.strip() for name, text in values.items() if text.strip()}
    answers["consent"] = str(consent)
    canonical = json.dumps(answers, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def receipt_of(external_id: str | None, idempotency_key: str | None, digest: str) -> Receipt:
    """The client's own id recognises a repeat best, then a key, then the content itself."""
    for kind, key in (("client", external_id), ("key", idempotency_key)):
        if key:
            return Receipt(_receipt_key(kind, key), KEY_SECONDS)
    return Receipt(_receipt_key("content", digest), FINGERPRINT_SECONDS)


def _receipt_key(kind: str, key: str) -> str:
    return hashlib.sha256(f"{kind}:{key}".encode()).hexdigest()
