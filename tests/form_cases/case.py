"""A case as its file tells it, and the form that it assumes as a document of our policy."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from pydantic import ValidationError

from shared.clients import client_named
from shared.domain.aliases import CANONICAL, NAME_PARTS
from shared.domain.attribution import tells_of_visit
from shared.domain.form import KEPT_APART, Form
from shared.errors import PolicyError

CASES = Path(__file__).parents[1] / "cases"

PLAIN_BROWSER = frozenset({"alpine", "beacon", "fetch", "html", "html-form", "htmx", "native"})
"""Names that cases give to pages which people wrote themselves."""
TYPES = {"phone": "phone", "email": "email", "consent": "consent"}
OUR_NAMES = {
    "name.full": "name",
    "name.given": "given_name",
    "name.family": "family_name",
    "name.patronymic": "patronymic",
}
SECRETS = {
    "signing": re.compile(r"sign|hmac|jws|webhook|app_|client_"),
    "handshake": re.compile(r"verify|confirm|challenge|handshake"),
    "time_trap": re.compile(r"time_?trap"),
    "turnstile": re.compile(r"turnstile"),
}
"""What a secret is for, by what cases call it; any other one is a key that is sent as it is."""
SIGNED_TIME = re.compile(r"(?<!\d)(\d{10}|\d{13})(?!\d)")
NEAR = timedelta(days=1)


class UnreadableCaseError(Exception):
    """The file is no case."""


class Sent(NamedTuple):
    """One request, as it goes over the wire."""

    method: str
    target: str
    """Path and query."""
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True)
class Case:
    """A case that is ready to be sent."""

    name: str
    """`tilda/test-ping`."""
    form: Form
    secrets: dict[str, str]
    """Values by the name of their parameter."""
    request: Sent
    repeat: int
    then: tuple[Sent, ...]
    """What is sent after it, once each."""
    now: datetime
    """When it was made: a signed time in it is fresh then."""
    needs_clock: bool
    expected: Mapping[str, Any]
    then_expected: tuple[Mapping[str, Any], ...] = field(default=())
    """What is expected of the answers to `then`, as far as the case says."""

    @property
    def client(self) -> str:
        return self.name.partition("/")[0]


@dataclass(frozen=True)
class Unreadable:
    """A file that is no case, and why."""

    name: str
    reason: str

    @property
    def client(self) -> str:
        return self.name.partition("/")[0]


def read_folder(folder: Path) -> list[Case | Unreadable]:
    """Every case below a folder, by name. What starts with `_` holds none."""
    found: list[Case | Unreadable] = []
    for file in sorted(folder.rglob("request.json")):
        parts = file.parent.relative_to(folder).parts
        if any(part.startswith(("_", ".")) for part in parts):
            continue
        name = "/".join(parts) or folder.resolve().name
        try:
            found.append(read_case(file, name, len(found)))
        except UnreadableCaseError as error:
            found.append(Unreadable(name, str(error)))
    return found


def read_case(file: Path, name: str, number: int = 0) -> Case:
    """`number` makes the id of its form unlike those of other cases. Raises UnreadableCaseError."""
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise UnreadableCaseError(f"no JSON: {error}") from error
    try:
        return _case(content, name, number)
    except KeyError as error:
        raise UnreadableCaseError(f"{error} is missing") from error
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, mistake['loc']))}: {mistake['msg']}" for mistake in error.errors()
        )
        raise UnreadableCaseError(f"its form makes no sense: {wrong}") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise UnreadableCaseError(f"not in the format of a case: {error}") from error


def _case(content: Mapping[str, Any], name: str, number: int) -> Case:
    settings: Mapping[str, Any] = content["form"]
    slug = re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")
    form_id = f"{slug[:50]}-{number}"
    more = content.get("then") or []
    seconds = [more] if isinstance(more, Mapping) else list(more)
    first = dict(content["request"])
    sent = _sent(first, settings.get("id"), form_id)
    then = tuple(
        _sent(_second(first, second.get("request") or second), settings.get("id"), form_id)
        for second in seconds
    )
    wanted = content["expected"]
    if wanted["outcome"] not in OUTCOMES:
        raise ValueError(f"there is no outcome {wanted['outcome']}")
    leads = wanted.get("leads") or []
    if not isinstance(leads, list) or not all(isinstance(lead, Mapping) for lead in leads):
        raise TypeError("leads is no list of leads")
    repeat = int(content.get("repeat", 1))
    if repeat < 1:
        raise ValueError("repeat is less than 1")
    secrets = dict(_secrets(settings))
    origins = set(settings.get("origins") or settings.get("allowed_origins") or ()) or {
        value for one in (sent, *then) for key, value in one.headers if key.lower() == "origin"
    }
    now = _clock(content)
    return Case(
        name=name,
        form=Form.model_validate(_document(settings, form_id, name, secrets, origins)),
        secrets={f"{form_id}-{use}": value for use, value in secrets.items()},
        request=sent,
        repeat=repeat,
        then=then,
        now=now,
        needs_clock="time_trap" in settings or ("signing" in secrets and _tells_time(sent, now)),
        expected=wanted,
        then_expected=tuple(_expected_then(second) for second in seconds),
    )


OUTCOMES = frozenset(
    {"lead", "reference", "partial", "test_ping", "challenge", "spam", "spam_suspected", "rejected"}
    | {"erasure"}
)


def _second(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """What it leaves out it has from the first."""
    own_body = {"body", "body_base64"} & second.keys() or second.get("method", "POST") != "POST"
    left_out = {"body", "body_base64"} if own_body else set()
    return {**{key: value for key, value in first.items() if key not in left_out}, **second}


def _expected_then(second: Mapping[str, Any]) -> Mapping[str, Any]:
    expected = second.get("expected") or {}
    response: Mapping[str, Any] = second.get("response") or expected.get("response") or {}
    return response


def _clock(content: Mapping[str, Any]) -> datetime:
    """The time that the case was made for; now, for one that does not say."""
    stated = content.get("now")
    now = datetime.fromisoformat(stated) if stated else datetime.now(UTC)
    return now if now.tzinfo else now.replace(tzinfo=UTC)


def _sent(request: Mapping[str, Any], assumed: str | None, form_id: str) -> Sent:
    """A signature covers the body and not the path, so the form can be called as we like."""
    path = str(request["path"])
    segments = path.split("/")
    if len(segments) > 3 and segments[3] == (assumed or segments[3]):
        segments[3] = form_id
    query = request.get("query") or ""
    if not isinstance(query, str):
        query = urlencode(query, doseq=True)
    raw = request.get("body_base64")
    body = base64.b64decode(raw, validate=True) if raw else _text(request.get("body"))
    headers = tuple(
        (str(name), str(value))
        for name, values in (request.get("headers") or {}).items()
        for value in (values if isinstance(values, list) else [values])
    )
    target = "/".join(segments) + (f"?{query}" if query else "")
    return Sent(str(request["method"]).upper(), target, headers, body)


def _text(body: object) -> bytes:
    if body is None or isinstance(body, str):
        return (body or "").encode()
    raise TypeError("body is no text")


def _tells_time(sent: Sent, now: datetime) -> bool:
    """Whether a header holds a time near the case's own: its signature grows stale."""
    numbers = (found for _, value in sent.headers for found in SIGNED_TIME.findall(value))
    return any(abs(int(found[:10]) - now.timestamp()) < NEAR.total_seconds() for found in numbers)


# --- the form -------------------------------------------------------------------------------------


def _document(
    settings: Mapping[str, Any],
    form_id: str,
    name: str,
    secrets: Mapping[str, str],
    origins: set[str],
) -> dict[str, Any]:
    client = _client(settings.get("adapter"))
    required = set(settings.get("required") or ())
    mapping = _mapping(settings)
    known = CANONICAL | KEPT_APART | {*NAME_PARTS}
    own = {key for key in {*required, *mapping} - known if not tells_of_visit(key)}
    thanks_url = settings.get("redirect_url")
    if client == "native" and not thanks_url:
        thanks_url = f"{min(origins, default='https://landing.example')}/thanks"
    region = settings.get("default_region") or "GB"
    return {
        "form_id": form_id,
        "client": client,
        "locale": "ru" if region == "RU" else "en",
        "team": "sales",
        "title": name[:200],
        "default_region": region,
        "origins": sorted(origins),
        "thanks_url": thanks_url,
        "redirect_hosts": settings.get("allowed_redirect_hosts") or [],
        "fields": {
            key: {"type": TYPES.get(key, "text"), "required": key in required}
            for key in sorted({*CANONICAL, *own})
        },
        "mapping": mapping,
        "null_literals": settings.get("null_literals") or [],
        "legacy_charset": settings.get("legacy_charset") or "",
        "allow_files": bool(settings.get("allow_files")),
        "secrets": {use: f"{form_id}-{use}" for use in secrets},
        "key_header": _key_header(settings),
        "honeypots": _listed(settings.get("honeypot")),
        "time_trap_seconds": _seconds(settings.get("time_trap")),
        # Such a case says nothing of a consent that its beacon could hold.
        "partials": "always" if settings.get("partial") else "never",
    }


def _client(adapter: str | None) -> str:
    """Our module for an adapter; generic for those that have none."""
    if adapter in PLAIN_BROWSER:
        return "native"
    name = (adapter or "generic").lower().replace("-", "_")
    try:
        client_named(name)
    except (PolicyError, ImportError):
        return "generic"
    return name


def _mapping(settings: Mapping[str, Any]) -> dict[str, str]:
    mapping = {_our_name(key): str(path) for key, path in (settings.get("mapping") or {}).items()}
    consent = settings.get("consent_field")
    if consent and consent not in mapping.values():
        mapping.setdefault("consent", consent)
    return mapping


def _our_name(canonical: str) -> str:
    group, dot, rest = canonical.partition(".")
    if canonical in OUR_NAMES or not dot:
        return OUR_NAMES.get(canonical, canonical)
    return f"utm_{rest}" if group == "utm" else rest


def _secrets(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What each secret is for, and its values: one a line."""
    stated: Mapping[str, Any] = settings.get("secrets") or {}
    values: dict[str, list[str]] = {}
    if "value" in stated:
        values["key"] = [text.removeprefix("Bearer ") for text in _listed(stated["value"])]
    for name, value in stated.items():
        if name in {"header", "query", "value"}:
            continue
        values.setdefault(_use(name, settings), []).extend(_listed(value))
    for use, texts in values.items():
        if not any(texts):
            raise ValueError(f"a secret for {use} is empty")
        yield use, "\n".join(texts)


def _use(name: str, settings: Mapping[str, Any]) -> str:
    known = next((use for use, pattern in SECRETS.items() if pattern.search(name.lower())), None)
    return known or ("signing" if settings.get("signature") == "required" else "key")


def _key_header(settings: Mapping[str, Any]) -> str:
    header = str((settings.get("secrets") or {}).get("header") or "x-api-key").lower()
    return "x-api-key" if header == "authorization" else header


def _listed(value: object) -> list[str]:
    if value is None:
        return []
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _seconds(time_trap: object) -> int:
    """A case may give a number, a mapping that holds one, or only say that there is one."""
    if isinstance(time_trap, Mapping):
        found = [
            value / 1000 if "ms" in name or "milli" in name else value
            for name, value in time_trap.items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        ]
        time_trap = found[0] if found else bool(time_trap)
    if isinstance(time_trap, int | float) and not isinstance(time_trap, bool):
        return min(60, max(1, round(time_trap)))
    return 3 if time_trap else 0
