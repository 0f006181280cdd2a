"""Any bytes with any type, to a form of any client: kept as they came, or a clear 4xx.

LEADLINE_EXAMPLES=20000 goes through more of them than the suite does.
"""

import base64
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import shared.clients
from infra.cli.policy_files import read_policy
from shared.adapters.receipts import Filed
from shared.domain.bursts import Bursts
from shared.domain.intake import Kept
from shared.domain.policy import Policy, parse_document
from shared.domain.submission import Submission
from submit_form.service import Parts, Received, submission_id_of, submit_form
from tests.unit.clients.anything import any_body
from tests.unit.functions.fakes import FakeQueue, FakeRobots, FakeSecrets
from tests.unit.samples import BROWSER, PAGE, a_request

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
NO_CLIENTS = {"encodings", "signatures"}
CLIENTS = sorted({m.name for m in iter_modules(shared.clients.__path__)} - NO_CLIENTS)
POLICY = read_policy(Path(__file__).parents[3] / "infra/policy", {"SITE": PAGE})
TYPES = st.sampled_from(
    [
        "application/json",
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; charset=koi8-r",
        "multipart/form-data; boundary=b",
        "multipart/form-data",
        "text/plain;charset=utf-8",
        "text/plain;charset=no-such",
        "image/png",
        "",
    ]
)
PERSON = b"name=Ann&phone=020+7946+0958&consent=on&message="
PART = b'--b\r\nContent-Disposition: form-data; name="phone"\r\n\r\n020 7946 0958\r\n--b\r\n'
BODIES = (
    any_body()
    | st.binary(max_size=60).map(lambda some: PERSON + some)
    | st.binary(max_size=60).map(lambda some: PART + some)
    | st.text(max_size=40).map(
        lambda text: json.dumps({"phone": "020 7946 0958", "name": text}).encode()
    )
)


class Policies:
    """A form of every client, as policy publishes it."""

    def __init__(self) -> None:
        demo: Any = POLICY["form/demo-en"]
        fields = {"phone": {"type": "phone"}}
        forms = {
            f"form/{name.replace('_', '-')}{end}": {
                **demo,
                "form_id": name.replace("_", "-") + end,
                "client": name,
                "fields": fields,
                "partials": "always",
                "secrets": secrets,
            }
            for name in CLIENTS
            for end, secrets in (("", {}), ("-signed", {"signing": "s"}))
        }
        documents: Mapping[str, object] = {**POLICY, **forms}
        parsed = {name: parse_document(name, body) for name, body in documents.items()}
        self.policy = Policy(1, parsed.get)

    def current(self) -> Policy:
        return self.policy


class Taken:
    """Remembers what was taken, of one request."""

    def __init__(self) -> None:
        self.texts: list[bytes] = []

    def capture(self, submission: Submission, *_: object) -> Filed:
        self._keep(submission.body, submission.body_base64)
        return Filed(submission.submission_id, "created", "0" * 32)

    def quarantine(self, _: object, submission: Submission) -> Filed:
        return self.capture(submission)

    def keep(self, kept: Kept) -> None:
        if kept.raw:
            self.texts.append(kept.raw.body)
        elif kept.decoded:
            self._keep(kept.decoded.body, kept.decoded.body_base64)

    def _keep(self, text: str | None, encoded: str | None) -> None:
        # A body that held what is never kept (a secret, a cookie) is kept by its answers only.
        if text is not None:
            self.texts.append(text.encode())
        elif encoded is not None:
            self.texts.append(base64.b64decode(encoded))


POLICIES = Policies()


@settings(max_examples=int(os.environ.get("LEADLINE_EXAMPLES", "400")), derandomize=True)
@given(
    client=st.sampled_from(CLIENTS),
    body=BODIES,
    content_type=TYPES,
    accept=st.sampled_from([BROWSER, "application/json", "*/*"]),
    signed=st.booleans(),
)
def test_any_bytes_are_kept_or_refused_clearly(
    client: str, body: bytes, content_type: str, accept: str, signed: bool
) -> None:
    taken, queue = Taken(), FakeQueue()
    secrets = FakeSecrets(signing="k")
    parts = Parts(POLICIES, taken, taken, secrets, Bursts(), FakeRobots(), queue)
    form_id = client.replace("_", "-") + ("-signed" if signed else "")
    request = a_request(body, content_type, form_id=form_id, accept=accept)

    answered = submit_form(request, parts, Received(NOW, submission_id_of(request)))

    assert answered.outcome not in {"spilled", "not_stored"}, "a bug"
    assert queue.messages == []
    assert 200 <= answered.reply.status < 500
    json.dumps(answered.reply.to_event()).encode()
    assert "Traceback" not in answered.reply.body
    if client == "native" and body:
        assert taken.texts == [body]
