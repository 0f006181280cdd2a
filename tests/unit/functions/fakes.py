"""Stand-ins for what lies behind the ports, where the real thing is AWS."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from shared.adapters.alerts import AlertRefusedError
from shared.domain.roster import Rep
from shared.errors import AlertNotSentError


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
    def __init__(self) -> None:
        self.messages: list[Mapping[str, object]] = []

    def send(self, messages: Sequence[Mapping[str, object]]) -> None:
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
