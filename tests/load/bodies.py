"""What the worst bodies cost: CPU of the handler for 128 KB of nothing good, in milliseconds.

    python -S bodies.py EVENT.json

Each form client meets each body. The last line that it prints is JSON: milliseconds by client and
body, the worst first; logs go before it.
"""

import base64
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shared.adapters.policy_store import PolicyStore
from shared.adapters.receipts import Filed
from shared.domain.bursts import Bursts
from submit_form import handler as function
from tests.load.probe import Context

MOST = 128 * 1024
CLIENTS = (
    "calltouch cf7 elementor formspree generic google_ads gravity hubspot jotform linkedin meta "
    "native netlify salesforce tilda typeform unbounce vk webflow wpforms yandex_forms"
)
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
PART = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'


def bodies() -> Iterator[tuple[str, str, bytes]]:
    """A name, a content type, and as many bytes as are taken."""
    yield "pairs", FORM, b"a=b&" * (MOST // 4)
    yield "percents", FORM, b"a=" + b"%" * (MOST - 2)
    yield "letters", FORM, b"message=" + b"%D0%B0" * (MOST // 6 - 2)
    yield "references", f"{FORM};charset=windows-1251", b"message=" + b"&#1200;" * (MOST // 7 - 2)
    yield "brackets", FORM, b"a" + b"[x]" * (MOST // 3 - 2) + b"=1"
    yield "phone", FORM, b"phone=" + b"+7916" * (MOST // 5 - 2)
    yield "e-mail", FORM, b"email=" + b"a@" * (MOST // 2 - 4)
    yield "words", FORM, b"message=" + b"a%D0%B0" * (MOST // 7 - 2)
    yield "objects", JSON, b'{"a":' * (MOST // 6) + b"1" + b"}" * (MOST // 6)
    yield "lists", JSON, b'{"a":' + b"[" * (MOST // 2 - 4) + b"]" * (MOST // 2 - 4) + b"}"
    yield "keys", JSON, b"{" + b",".join(b'"%06x":1' % n for n in range(MOST // 12)) + b"}"
    yield "long name", JSON, b'{"%s":[%s]}' % (b"k" * (MOST // 2), b",".join([b"1"] * (MOST // 5)))
    yield "digits", JSON, b'{"a":' + b"9" * (MOST - 6) + b"}"
    yield "escapes", JSON, b'{"message":"' + b"\\u0430" * (MOST // 6 - 4) + b'"}'
    yield "parts", "multipart/form-data; boundary=b", PART * (MOST // len(PART) - 1) + b"--b--"
    yield "no boundary", "multipart/form-data; boundary=b", b"\r\n--" * (MOST // 4)
    yield "lines", "text/plain", b"a=b\n" * (MOST // 4)
    yield "noise", "", bytes(range(256)) * (MOST // 256)


class Nothing:
    """Takes whatever is kept."""

    def keep(self, *_: object) -> None:
        """It is gone."""

    def send(self, *_: object) -> None:
        """So is this."""

    def capture(self, submission: Any, *_: object) -> Filed:
        return Filed(submission.submission_id, "created", "0" * 32)

    def quarantine(self, _: object, submission: Any) -> Filed:
        return self.capture(submission)


class Forms:
    """The published policy, its first form made one of each client."""

    def __init__(self, policies: PolicyStore) -> None:
        self._policy = policies.current()
        self._form = self._policy.form("demo-en")

    def current(self) -> "Forms":
        return self

    def form(self, form_id: str) -> Any:
        assert self._form is not None
        return self._form.model_copy(
            update={"form_id": form_id, "client": form_id.replace("-", "_")}
        )

    def form_label(self, _: str) -> str:
        return "other"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._policy, name)


def main() -> None:
    event = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    parts = function.parts()
    nothing: Any = Nothing()
    policies: Any = Forms(parts.policies)  # type: ignore[arg-type] # the store that the handler made
    mute = parts._replace(policies=policies, filing=nothing, intake=nothing, spill=nothing)
    context: Any = Context()
    found = []
    for client in CLIENTS.split():
        for name, content_type, body in bodies():
            function.parts = lambda: mute._replace(bursts=Bursts())  # type: ignore[assignment] # for this process
            headers = {**event["headers"], "content-type": content_type}
            asked = {
                **event,
                "headers": headers,
                "pathParameters": {"form_id": client.replace("_", "-")},
                "body": base64.b64encode(body[:MOST]).decode(),
                "isBase64Encoded": True,
            }
            taken, statuses = [], set()
            for _ in range(3):
                started = time.process_time()
                statuses.add(function.handler(asked, context)["statusCode"])
                taken.append((time.process_time() - started) * 1e3)
            assert max(statuses) < 500, (client, name, statuses)
            found.append((round(sorted(taken)[1], 1), client, name))
    print(json.dumps(sorted(found, reverse=True)))


if __name__ == "__main__":
    main()
