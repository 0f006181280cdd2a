"""Cases of `tests/cases` at the level of a client: what its decoder makes of the very request, and
how it answers."""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from shared.clients import Refused, Stored, client_named
from shared.domain.form import Form, Keys
from shared.domain.submission import Decoded, Submission, accept
from shared.errors import RejectedError
from shared.http import HttpRequest, Reply, problem_of
from tests.unit.samples import CASES, HOST, a_form

Case = dict[str, Any]

NATIVE = frozenset({"html-form", "fetch", "beacon", "htmx", "alpine"})
SIGNING = frozenset({"jws_secret"})


def load(name: str) -> Case:
    case: Case = json.loads((CASES / name / "request.json").read_text("utf-8"))
    return case


def changed(case: Case, **parts: Any) -> Case:
    """The same case with another request."""
    return {**case, "request": {**case["request"], **parts}}


def request_of(case: Case) -> HttpRequest:
    sent = case["request"]
    raw = sent.get("body_base64")
    form_id = sent["path"].split("/")[3]
    return HttpRequest(
        method=sent["method"],
        path=sent["path"],
        path_parameters={"form_id": form_id},
        query=dict(parse_qsl(sent.get("query", ""), keep_blank_values=True)),
        headers={"host": HOST, **{name.lower(): v for name, v in sent["headers"].items()}},
        body=base64.b64decode(raw) if raw else sent.get("body", "").encode(),
        request_id="request-1",
    )


def form_of(case: Case, **more: Any) -> Form:
    wanted = case["form"]
    required = set(wanted["required"])
    adapter = wanted["adapter"]
    client = "native" if adapter in NATIVE else adapter
    thanks_url = wanted.get("redirect_url")
    if client == "native":
        thanks_url = thanks_url or "https://landing.example/thanks"
    settings: dict[str, Any] = {
        "form_id": wanted["id"],
        "client": client,
        "default_region": wanted["default_region"],
        "mapping": {"consent": wanted["consent_field"]} if "consent_field" in wanted else {},
        "thanks_url": thanks_url,
        "redirect_hosts": wanted.get("allowed_redirect_hosts", []),
        "honeypots": wanted.get("honeypot", []),
        "allow_files": wanted.get("allow_files", False),
        "fields": {
            "name": {"required": "name" in required},
            "phone": {"type": "phone", "required": "phone" in required},
            "email": {"type": "email", "required": "email" in required},
            "consent": {"type": "consent", "required": "consent" in required},
        },
        "consent_text": "",
        "consent_version": "",
    }
    return a_form(**{**settings, **more})


def keys_of(case: Case) -> Keys:
    secrets: Mapping[str, str] = case["form"].get("secrets", {})
    return {"signing" if name in SIGNING else "key": (value,) for name, value in secrets.items()}


def decoded(case: Case, form: Form | None = None) -> Decoded:
    """The one message of a request that its client recognises and believes."""
    form, request = form or form_of(case), request_of(case)
    client = client_named(form.client)
    assert request.method in client.methods
    client.verify(request, form, keys_of(case), datetime.fromisoformat(case["now"]))
    assert client.recognise(request) == "submission"
    (message,) = client.decode(request, form)
    return message


def accepted(case: Case, form: Form | None = None) -> Submission:
    form = form or form_of(case)
    now = datetime.fromisoformat(case["now"])
    return accept(decoded(case, form), form, "0" * 32, now, form.language, str)


def refused(case: Case, form: Form | None = None) -> Refused:
    """What becomes of a case that is to be refused."""
    form, request, message = form or form_of(case), request_of(case), None
    now = datetime.fromisoformat(case["now"])
    try:
        message = decoded(case, form)
        submission = accept(message, form, "0" * 32, now, form.language, str)
    except RejectedError as error:
        return Refused(problem_of(error, str, request), form, message)
    raise AssertionError(f"accepted: {submission.values}")


def answered(case: Case, form: Form | None = None) -> Reply:
    """How the client answers a case, whichever way it ends."""
    form, request = form or form_of(case), request_of(case)
    client = client_named(form.client)
    if case["expected"]["outcome"] == "rejected":
        return client.answer(refused(case, form), request)
    message = decoded(case, form)
    stored = Stored(
        "1" * 32,
        form.thanks_for(message.next_url),
        partial=message.kind == "partial",
        form=form,
    )
    return client.answer(stored, request)


def check_lead(case: Case, submission: Submission) -> None:
    """Compares what is listed of the expected lead with what was understood."""
    (lead,) = case["expected"]["leads"]
    contact, touch = submission.contact, submission.touch
    name = lead.get("name", {})
    for part, read in {
        "full": contact.name,
        "given": contact.given_name,
        "family": contact.family_name,
    }.items():
        if part in name:
            assert read == name[part], part
    found = {
        "phone": contact.phone,
        "phone_ext": contact.phone_extension,
        "email": contact.email,
        "company": contact.company,
        "message": submission.message,
        "consent": submission.consent,
        "consent_text": submission.consent_text,
        "external_id": submission.external_id,
        "channel": submission.channel,
        "attachments": [file._asdict() for file in submission.attachments],
    }
    assert {key: found[key] for key in found if key in lead} == {
        key: lead[key] for key in found if key in lead
    }
    utm = lead.get("utm", {})
    assert {part: getattr(touch, part) for part in utm} == utm
    for kind, value in lead.get("click_ids", {}).items():
        assert (touch.click_id_kind, touch.click_id) == (kind, value)
    custom = lead.get("custom", {})
    assert {key: submission.values.get(key) for key in custom} == custom
    assert not {*lead.get("custom_absent", ())} & submission.values.keys()


def check_answer(case: Case, reply: Reply) -> None:
    """Compares an answer with what is listed of the expected one."""
    wanted = case["expected"]["response"]
    assert reply.status in wanted["status"], reply.body
    kind = reply.headers.get("Content-Type", "")
    if "content_type" in wanted:
        assert kind.startswith(tuple(wanted["content_type"]))
    if "content_type_not" in wanted:
        assert not kind.startswith(tuple(wanted["content_type_not"]))
    for text in wanted.get("body_not_contains", ()):
        assert text not in reply.body.lower()
    if "header_location" in wanted:
        assert reply.headers["Location"] == wanted["header_location"]
    if {"json_subset", "json_any_key"} & wanted.keys():
        content = json.loads(reply.body)
        assert holds(content, wanted.get("json_subset", {})), content
        assert content.keys() & set(wanted.get("json_any_key", content))


def holds(content: Any, wanted: Any) -> bool:
    """Whether JSON holds what is wanted; of a list, an item for each that is wanted."""
    if isinstance(wanted, dict):
        return all(key in content and holds(content[key], part) for key, part in wanted.items())
    if isinstance(wanted, list):
        return all(any(holds(item, part) for item in content) for part in wanted)
    return bool(content == wanted)
