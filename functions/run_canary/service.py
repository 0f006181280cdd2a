"""One trip of the canary: a submission goes in at the public door, and every alert that it must set
off is waited for where alerts come out. A green answer says nothing about delivery; this does.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple, Protocol

from run_canary.page import Answer
from shared.domain.events import AlertKind
from shared.domain.roster import Rep
from shared.texts.alerts import HEADLINES

FORM_ID = "canary"

REP = Rep(rep_id="canary", team="canary", name="Canary", email="canary@example.invalid")
"""Nobody: only the canary's queue is subscribed to what the team `canary` is sent."""

EXPECTED: tuple[AlertKind, ...] = ("new", "reminder")
"""The alerts of chain/canary: the first comes by stream and bus, the last only when Step Functions
woke the lead for it."""

PATIENCE_SECONDS = 50.0
"""Less than the sweeper needs: what it had to repair does not count as arrived."""


class Page(Protocol):
    def send(self, form_id: str, fields: Mapping[str, str], idempotency_key: str) -> Answer: ...


class Mailbox(Protocol):
    def take(self, wait_seconds: int) -> list[str]: ...


class People(Protocol):
    def put_rep(self, rep: Rep) -> None: ...


class Parts(NamedTuple):
    """What a trip needs; `clock` counts seconds."""

    people: People
    page: Page
    mailbox: Mailbox
    clock: Callable[[], float]


class Trip(NamedTuple):
    """How far the canary came."""

    seconds: float
    """From the post to the last alert, or until it was given up."""
    answer: Answer
    missing: tuple[str, ...]
    """`submission` when it was not taken, else the kinds of the alerts that did not come."""

    def facts(self) -> dict[str, Any]:
        """What there is to log."""
        return {
            "form_id": FORM_ID,
            "seconds": self.seconds,
            "missing": self.missing,
            **self.answer._asdict(),
        }


def run_canary(parts: Parts, token: str) -> Trip:
    """Sends a submission that `token` tells from all others and waits for its alerts.

    Whatever else lies in the mailbox, such as what came too late for another trip, is thrown away.
    """
    parts.people.put_rep(REP)
    started = parts.clock()
    answer = parts.page.send(FORM_ID, _submission(token), token)
    missing: tuple[str, ...] = ("submission",)
    if answer.status == HTTPStatus.CREATED:
        missing = _wait(parts, token, started + PATIENCE_SECONDS)
    return Trip(round(parts.clock() - started, 3), answer, missing)


def _submission(token: str) -> dict[str, str]:
    """Like a person's, so that it takes a person's way. The number and the domain are nobody's."""
    return {
        "name": f"Canary {token}",
        "phone": "+44 7700 900123",
        "email": "canary@example.com",
        "message": "Does an alert still come out when a form is sent?",
        "consent": "yes",
    }


def _wait(parts: Parts, token: str, deadline: float) -> tuple[AlertKind, ...]:
    """The kinds of alerts that did not come in time."""
    missing = EXPECTED
    while missing and (left := deadline - parts.clock()) > 0:
        texts = [text for text in parts.mailbox.take(max(1, int(left))) if token in text]
        missing = tuple(
            kind for kind in missing if not any(text.startswith(HEADLINES[kind]) for text in texts)
        )
    return missing
