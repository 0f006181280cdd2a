"""Runs actors against AWS one call at a time, in every order that there is.

Each actor is a thread that stops before each of its calls. Of those that wait at a call one is let
go on, up to its next call; which one is the choice that makes the schedule. All choices are gone
through, depth first: an actor that tries again because another was faster makes its schedule
longer, and those schedules are gone through as well.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Self

from botocore.client import BaseClient

from tests.crash.faults import aws_answered_by

Actor = Callable[[], object]
PATIENCE_SECONDS = 30.0
"""An actor that neither calls nor ends for so long hangs, and the harness with it."""


class Call(NamedTuple):
    """One call of AWS that came to an end; `error` is its refusal."""

    actor: str
    operation: str
    parameters: Mapping[str, Any]
    error: Exception | None


class Choice(NamedTuple):
    """Which of the waiting actors went on, by its place among them."""

    picked: int
    waiting: int


class Run(NamedTuple):
    """One schedule, gone through to the end of every actor."""

    choices: list[Choice]
    schedule: str
    """Who went on at each choice: `planner person planner`."""
    calls: list[Call]
    """In the order in which AWS did them."""
    endings: dict[str, object]
    """What each actor returned, or the error that it raised."""


class _Thread(threading.Thread):
    """An actor on its way from call to call."""

    def __init__(self, name: str, actor: Actor, arrived: threading.Semaphore) -> None:
        super().__init__(name=name, daemon=True)
        self.actor = actor
        self.arrived = arrived
        self.may_go = threading.Semaphore(0)
        self.has_ended = False
        self.ending: object = None

    def run(self) -> None:
        try:
            self.ending = self.actor()
        except BaseException as error:  # noqa: BLE001 - how an actor ended is for the oracle to judge
            self.ending = error
        self.has_ended = True
        self.arrived.release()

    def wait_for_turn(self) -> None:
        self.arrived.release()
        if not self.may_go.acquire(timeout=PATIENCE_SECONDS):
            raise TimeoutError(f"nobody let {self.name} go on")


class Stage:
    """While it is entered, no call reaches AWS: `answer` answers in its place.

    It gets the client, the operation and its parameters. Calls that commute with all others,
    because nobody writes what they read, need no turn: where they stand in a schedule makes no
    difference.
    """

    def __init__(
        self,
        answer: Callable[[BaseClient, str, dict[str, Any]], object],
        commutes: Callable[[Call], bool],
    ) -> None:
        self._answer = answer
        self._commutes = commutes
        self._calls: list[Call] = []

    def __enter__(self) -> Self:
        self._aws = aws_answered_by(self._call)
        self._aws.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._aws.__exit__(None, None, None)

    def every_run(self, actors: Callable[[], Mapping[str, Actor]]) -> Iterator[Run]:
        """Every schedule, one after the other; `actors` sets the scene anew for each."""
        choices: list[int] = []
        while True:
            run = self.run(actors(), choices)
            yield run
            # The last choice that could have been another one.
            taken = list(run.choices)
            while taken and taken[-1].picked + 1 == taken[-1].waiting:
                taken.pop()
            if not taken:
                return
            choices = [*(choice.picked for choice in taken[:-1]), taken[-1].picked + 1]

    def run(self, actors: Mapping[str, Actor], choices: Sequence[int] = ()) -> Run:
        """Goes through one schedule: `choices` first, counted round those who wait, and then always
        the first who waits.
        """
        arrived = threading.Semaphore(0)
        threads = [_Thread(name, actor, arrived) for name, actor in actors.items()]
        taken: list[Choice] = []
        names: list[str] = []
        self._calls = []
        for thread in threads:
            thread.start()
            _until_next_call(arrived)
        while waiting := [thread for thread in threads if not thread.has_ended]:
            picked = choices[len(taken)] % len(waiting) if len(taken) < len(choices) else 0
            taken.append(Choice(picked, len(waiting)))
            names.append(waiting[picked].name)
            waiting[picked].may_go.release()
            _until_next_call(arrived)
        endings = {thread.name: thread.ending for thread in threads}
        return Run(taken, " ".join(names), self._calls, endings)

    def _call(self, client: BaseClient, operation: str, parameters: dict[str, Any]) -> object:
        thread = threading.current_thread()
        if not isinstance(thread, _Thread):
            return self._answer(client, operation, parameters)
        call = Call(thread.name, operation, parameters, None)
        if not self._commutes(call):
            thread.wait_for_turn()
        try:
            answer = self._answer(client, operation, parameters)
        except Exception as error:
            self._calls.append(call._replace(error=error))
            raise
        self._calls.append(call)
        return answer


def _until_next_call(arrived: threading.Semaphore) -> None:
    if not arrived.acquire(timeout=PATIENCE_SECONDS):
        raise TimeoutError("an actor hangs")
