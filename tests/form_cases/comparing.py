"""What differs between what a case expects and what came of it, in words."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from shared.domain.aliases import CANONICAL
from shared.domain.attribution import read_addresses, read_touch
from shared.domain.contact import Contact, read_name
from shared.domain.form import Form
from shared.domain.intake import IntakeKind, Kept
from shared.domain.submission import Submission, read_contact
from tests.form_cases.case import Case
from tests.form_cases.records import Records
from tests.form_cases.sending import Answer

Differences = list[str]

KEPT_AS: Mapping[str, IntakeKind] = {
    "reference": "reference",
    "partial": "partial",
    "erasure": "erasure",
    "spam": "quarantined",
    "spam_suspected": "quarantined",
    "rejected": "rejected",
}
"""Where an outcome that makes no lead is found again."""
MISTAKES: Mapping[str, frozenset[str]] = {
    "required": frozenset({"missing", "blank"}),
    "invalid": frozenset({"unusable", "too_long"}),
}
"""A case's words for ours; others are our own."""
NOT_KEPT = frozenset({404, 405, 413, 429})
"""Statuses of what nobody could have typed into a form, or of a flood."""
SEPARATORS = re.compile(r"\s*(?:\|\||[,;|\n])\s*")
ABSENT: tuple[Any, ...] = (None, "", [], {}, ())


def compare(case: Case, answers: Sequence[Answer], records: Records) -> Differences:
    """What differs; empty for a case that passed. The first answers are to the request of the case,
    the last ones to what it sends then."""
    first = answers[: case.repeat]
    found: Differences = []
    for answer in first:
        found += [text for text in in_answer(_response(case), answer) if text not in found]
    if case.expected["outcome"] == "lead" and len({(one.status, one.body) for one in first}) > 1:
        found.append("the same request got different answers")
    for wanted, answer in zip(case.then_expected, answers[case.repeat :], strict=True):
        found += [f"then: {text}" for text in in_answer(wanted, answer)]
        if answer.status >= 500:
            found.append(f"then: status {answer.status}")
    return [*found, *in_records(case, first[0], records)]


# --- the answer -----------------------------------------------------------------------------------


def in_answer(wanted: Mapping[str, Any], answer: Answer) -> Iterator[str]:
    statuses = _as_list(wanted.get("status", answer.status))
    if answer.status not in statuses:
        yield f"status {answer.status} and not {_any_of(statuses)} ({answer.body[:200]})"
    if "body" in wanted and answer.body != wanted["body"]:
        yield f"body {answer.body[:200]!r} and not {wanted['body']!r}"
    kind = answer.headers.get("content-type", "")
    if "content_type" in wanted and not kind.startswith(tuple(_as_list(wanted["content_type"]))):
        yield f"content type {kind!r} and not {_any_of(_as_list(wanted['content_type']))}"
    if kind.startswith(tuple(_as_list(wanted.get("content_type_not", [])))):
        yield f"content type {kind!r}"
    location = answer.headers.get("location", "")
    if "header_location" in wanted and location != wanted["header_location"]:
        yield f"location {location!r} and not {wanted['header_location']!r}"
    if urlsplit(location).hostname in _as_list(wanted.get("header_location_not_host", [])):
        yield f"location {location!r}"
    for text in _as_list(wanted.get("body_not_contains", [])):
        if text.lower() in answer.body.lower():
            yield f"body contains {text!r}"
    if {"json", "json_subset", "json_any_key"} & wanted.keys():
        yield from _in_json(wanted, answer)


def _in_json(wanted: Mapping[str, Any], answer: Answer) -> Iterator[str]:
    try:
        content = json.loads(answer.body)
    except ValueError:
        yield f"body {answer.body[:200]!r} is no JSON"
        return
    if "json" in wanted and content != wanted["json"]:
        yield f"JSON {answer.body[:200]} and not {_shown(wanted['json'])}"
    if not _holds(content, wanted.get("json_subset", {})):
        yield f"JSON {answer.body[:300]} does not hold {_shown(wanted['json_subset'])}"
    keys = _as_list(wanted.get("json_any_key", []))
    if keys and not (isinstance(content, dict) and content.keys() & set(keys)):
        yield f"JSON {answer.body[:200]} has no key {_any_of(keys)}"


def _holds(content: Any, wanted: Any) -> bool:
    """Whether JSON holds what is wanted; of a list, an item for each that is wanted."""
    if isinstance(wanted, dict):
        if not isinstance(content, dict):
            return not wanted
        return all(key in content and _holds(content[key], part) for key, part in wanted.items())
    if isinstance(wanted, list):
        return isinstance(content, list) and all(
            any(_holds(item, part) for item in content) for part in wanted
        )
    return bool(content == wanted)


# --- the table ------------------------------------------------------------------------------------


def in_records(case: Case, answer: Answer, records: Records) -> Iterator[str]:
    expected, outcome = case.expected, case.expected["outcome"]
    wanted: list[Mapping[str, Any]] = list(expected.get("leads") or ())
    leads = [[_of_submission(one) for one in told] for told in records.leads.values()]
    kinds = [kept.kind for kept in records.kept]
    if outcome == "lead":
        if len(leads) != len(wanted):
            kept = [f"{one.kind}: {', '.join(one.reasons)}" for one in records.kept]
            yield f"{len(leads)} leads and not {len(wanted)}" + (f" (kept: {kept})" if kept else "")
        if not case.then and (strangers := set(kinds)):
            yield f"also kept as {_any_of(sorted(strangers))}"
        yield from _in_leads(wanted, leads)
        return
    if leads:
        yield f"{len(leads)} leads and not 0"
    kind = KEPT_AS.get(outcome)
    if outcome == "test_ping":
        kinds = [one for one in kinds if one != "test"]
    elif kind is not None and not (kind == "rejected" and answer.status in NOT_KEPT):
        many = kinds.count(kind)
        if not many or (wanted and many != len(wanted)):
            yield f"{many} kept as {kind} and not {len(wanted) or 'one'}"
    if others := {one for one in kinds if one != kind and not case.then}:
        yield f"also kept as {_any_of(sorted(others))}"
    if kind == "rejected":
        yield from _in_errors(expected.get("errors") or (), records.kept)
    asides = [
        [_of_kept(one, case.form)] for one in records.kept if one.kind == kind and one.decoded
    ]
    yield from _in_leads(wanted, asides)


def _in_errors(wanted: Sequence[Mapping[str, str]], kept: Sequence[Kept]) -> Iterator[str]:
    """Each field that is wrong, and no other, under a code that means what the case says."""
    if not wanted:
        return
    found = {tuple(reason.split(":", 1)) for one in kept for reason in one.reasons if ":" in reason}
    for error in wanted:
        field = error["field"] if error["field"] in CANONICAL else "custom"
        codes = MISTAKES.get(error["code"], frozenset({error["code"]}))
        if not any((field, code) in found for code in codes):
            yield f"{error['field']} is not found {error['code']} (found: {sorted(found)})"
    fields = {error["field"] if error["field"] in CANONICAL else "custom" for error in wanted}
    if others := sorted(reason for reason in found if reason[0] not in fields):
        yield f"also wrong: {others}"


def _in_leads(wanted: Sequence[Mapping[str, Any]], found: Sequence[list["Facts"]]) -> Iterator[str]:
    """Pairs each expected lead with the one that differs least; of several submissions that a lead
    has, with the nearest."""
    left = list(found)
    for place, lead in enumerate(wanted):
        if not left:
            break
        told = [min((list(in_lead(lead, one)) for one in facts), key=len) for facts in left]
        nearest = min(range(len(left)), key=lambda number: len(told[number]))
        del left[nearest]
        which = f"lead {place + 1}: " if len(wanted) > 1 else ""
        yield from (f"{which}{text}" for text in told[nearest])


def remarks(case: Case, records: Records) -> Differences:
    """What fails nothing: advisory keys that differ, and keys that nobody here knows."""
    leads = list(case.expected.get("leads") or ())
    facts = [_of_submission(one) for told in records.leads.values() for one in told]
    found: Differences = []
    for lead, told in zip(leads, facts, strict=False):
        found += in_lead(
            {key.removesuffix(ADVISORY): lead[key] for key in lead if key.endswith(ADVISORY)}, told
        )
    keys = {key for lead in leads for key in lead if not key.endswith(ADVISORY)} - KNOWN
    keys |= _response(case).keys() - KNOWN_OF_ANSWERS
    return [*found, *(f"{key} is not compared" for key in sorted(keys))]


ADVISORY = "_advisory"
KNOWN = frozenset(
    {"name", "phone", "phone_ext", "email", "company", "message", "consent", "consent_text"}
    | {"external_id", "utm", "click_ids", "client_ids", "channel", "page_url", "referrer", "custom"}
    | {"custom_absent", "attachments", "partial", "spam", "alert", "fetch_required", "is_test"}
)
KNOWN_OF_ANSWERS = frozenset(
    {"status", "body", "json", "json_subset", "json_any_key", "content_type", "content_type_not"}
    | {"header_location", "header_location_not_host", "body_not_contains"}
)


def _response(case: Case) -> Mapping[str, Any]:
    return case.expected.get("response") or {}


# --- one lead -------------------------------------------------------------------------------------

Facts = dict[str, Any]
"""What is stored, in the words of a case."""


def _of_contact(contact: Contact) -> Facts:
    return {
        "name": {
            "full": contact.name,
            "given": contact.given_name,
            "family": contact.family_name,
            "patronymic": read_name(contact.name or "").patronymic,
        },
        "phone": contact.phone,
        "phone_ext": contact.phone_extension,
        "email": contact.email,
        "company": contact.company,
    }


def _of_submission(submission: Submission) -> Facts:
    touch = submission.touch
    return {
        **_of_contact(submission.contact),
        "message": submission.message,
        "consent": submission.consent,
        "consent_text": submission.consent_text,
        "external_id": submission.external_id,
        "utm": touch.model_dump(),
        "click_ids": touch.click_ids,
        "client_ids": {**touch.model_dump(), **touch.client_ids},
        # Google's group, and the one that knows more sources: a case means one of them.
        "channel": (submission.channel, submission.aliased_channel),
        "page_url": submission.page_url,
        "referrer": submission.referrer_url,
        "custom": submission.values,
        "attachments": [file._asdict() for file in submission.attachments],
        "partial": False,
        "spam": False,
        "alert": True,
        "fetch_required": False,
        "is_test": submission.is_test,
    }


def _of_kept(kept: Kept, form: Form) -> Facts:
    """What a submission that made no lead says, read as it will be when it makes one."""
    decoded = kept.decoded
    assert decoded is not None
    told = form.sort(decoded.fields, decoded.meanings)
    contact, consent = read_contact(decoded, form)
    touch = read_touch(told.tags, decoded.page)
    addresses = read_addresses(told.tags, decoded.page)
    return {
        **_of_contact(contact),
        "message": told.values.get("message"),
        "consent": consent,
        "consent_text": told.apart.get("consent_text"),
        "external_id": decoded.external_id or told.apart.get("external_id"),
        "utm": touch.model_dump(),
        "click_ids": touch.click_ids,
        "client_ids": {**touch.model_dump(), **touch.client_ids},
        "channel": None,
        "page_url": addresses.page_url,
        "referrer": addresses.referrer_url,
        "custom": told.values,
        "attachments": [file._asdict() for file in decoded.files],
        "partial": kept.kind == "partial",
        "spam": kept.kind == "quarantined",
        "alert": False,
        "fetch_required": kept.kind == "reference",
        "is_test": kept.kind == "test",
    }


def in_lead(wanted: Mapping[str, Any], facts: Facts) -> Iterator[str]:
    """What differs of what is listed; keys that nobody knows are for other readers."""
    for key, value in wanted.items():
        if key == "custom_absent":
            stored = {name.lower() for name in facts["custom"]}
            yield from (f"{name} is stored" for name in value if name.lower() in stored)
        elif key in facts:
            found = facts[key]
            same = _SAME.get(key, _same)
            if isinstance(value, Mapping):
                yield from _in_parts(key, value, found or {}, same)
            elif key == "name":
                yield from _in_parts(key, {"full": value}, found, same)
            elif not same(value, found):
                yield f"{key} {_shown(found)} and not {_shown(value)}"


def _in_parts(
    key: str, wanted: Mapping[str, Any], found: Mapping[str, Any], same: Callable[[Any, Any], bool]
) -> Iterator[str]:
    by_name = {str(name).lower(): value for name, value in found.items()}
    for name, value in wanted.items():
        stored = by_name.get(name.lower())
        if not same(value, stored):
            yield f"{key}.{name} {_shown(stored)} and not {_shown(value)}"


def _same(wanted: Any, found: Any) -> bool:
    if wanted in ABSENT:
        return found in ABSENT
    if isinstance(wanted, str) and isinstance(found, str):
        return _lines(wanted) == _lines(found)
    return bool(wanted == found)


def _same_name(wanted: Any, found: Any) -> bool:
    return _same(_folded(wanted), _folded(found))


def _same_consent(wanted: Any, found: Any) -> bool:
    return wanted is found


def _same_channel(wanted: Any, found: Any) -> bool:
    return wanted in found if found else wanted is None


def _same_answer(wanted: Any, found: Any) -> bool:
    """Lists may be stored joined, and everything is stored as text."""
    if wanted in ABSENT or found is None:
        return wanted in ABSENT and found in ABSENT
    if isinstance(wanted, list):
        parts = [part for item in wanted for part in SEPARATORS.split(_plain(item))]
        return SEPARATORS.split(str(found)) == parts
    return _lines(_plain(wanted)) == _lines(str(found))


def _same_files(wanted: Any, found: Any) -> bool:
    files = list(found)
    return len(files) == len(wanted) and all(
        {name: file.get(name) for name in expected if name in file}
        == {name: value for name, value in expected.items() if name in file}
        for expected, file in zip(wanted, files, strict=True)
    )


_SAME: Mapping[str, Callable[[Any, Any], bool]] = {
    "name": _same_name,
    "email": _same_name,
    "consent": _same_consent,
    "channel": _same_channel,
    "custom": _same_answer,
    "client_ids": _same_answer,
    "attachments": _same_files,
}


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _any_of(values: Sequence[Any]) -> str:
    return " or ".join(map(str, values))


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
