"""Stand-ins for what lies behind the ports, where the real thing is AWS."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from shared.adapters.alerts import AlertRefusedError
from shared.adapters.dynamodb import Table
from shared.adapters.filing import Filing
from shared.adapters.intake_table import IntakeTable
from shared.adapters.policy_store import PolicyStore
from shared.domain.bursts import Bursts
from shared.domain.form import Form, Keys
from shared.domain.roster import Rep
from shared.errors import AlertNotSentError, EventsNotPublishedError
from submit_form.service import Parts


class Wake(NamedTuple):
    lead_id: str
    run: int
    at: datetime


class FakeEscalation:
    """Remembers what it was told to wake; a run is started once."""

    def __init__(self) -> None:
        self.started: dict[str, Wake] = {}

    def wake(self, lead_id: str, run: int, at: datetime) -> None:
        self.started.setdefault(f"{lead_id}-{run}", Wake(lead_id, run, at))


class FakeQueue:
    """Remembers its messages; `fail` makes it refuse them."""

    def __init__(self) -> None:
        self.messages: list[Mapping[str, object]] = []
        self.fail = False

    def send(self, messages: Sequence[Mapping[str, object]]) -> None:
        if self.fail:
            raise EventsNotPublishedError("queue")
        self.messages += messages


class FakeSender:
    """An outbox. `refuse` and `fail` make the next message end so."""

    def __init__(self) -> None:
        self.outbox: list[tuple[str, str, str]] = []
        self.refuse: str | None = None
        self.fail = False

    def sms(self, phone: str, text: str) -> str:
        return self._send("sms", phone, text)

    def email(self, rep: Rep, subject: str, text: str) -> str:
        return self._send("email", rep.rep_id, f"{subject}\n{text}")

    def _send(self, via: str, to: str, text: str) -> str:
        if self.refuse:
            raise AlertRefusedError(self.refuse)
        if self.fail:
            raise AlertNotSentError("Throttled")
        self.outbox.append((via, to, text))
        return f"message-{len(self.outbox)}"


class FakeBus:
    """Takes everything but the events at `refused` places."""

    def __init__(self, refused: Sequence[int] = ()) -> None:
        self.refused = list(refused)
        self.published: list[Mapping[str, object]] = []

    def publish(self, flats: Sequence[Mapping[str, object]]) -> list[int]:
        self.published += flats
        return self.refused


class FakeSecrets:
    """The secrets of every form."""

    def __init__(self, **values: str) -> None:
        self.values = values

    def of(self, form: Form) -> Keys:
        return {name: (self.values[name],) for name in form.secrets}


class FakeRobots:
    """Takes nobody for a robot, or everybody."""

    def __init__(self, *, sees: bool = False) -> None:
        self.sees = sees

    def signal(self, *_: object) -> Literal["turnstile"] | None:
        return "turnstile" if self.sees else None


def parts_on(table: Table, store: PolicyStore | None = None) -> Parts:
    """What submit_form works with: the real table, and stand-ins for the rest of AWS."""
    return Parts(
        store or PolicyStore(table),
        Filing(table),
        IntakeTable(table),
        FakeSecrets(),
        Bursts(),
        FakeRobots(),
        FakeQueue(),
    )
