"""Form clients: one module for each kind of page, page builder and ad platform that posts to us.

A module has four functions, those of `FormClient`. A form's policy names its module; native is for
pages that people wrote themselves.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Literal, Protocol, cast

from shared.domain.form import Form
from shared.domain.submission import Decoded
from shared.errors import PolicyError
from shared.http import HttpRequest, Problem, Reply

Kind = Literal["submission", "ping"]
"""What a request is: somebody's answers, or the client trying whether anybody is there."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The submission is safe. A retry gets the id of the first one."""

    submission_id: str
    thanks_url: str


@dataclass(frozen=True, slots=True)
class Pinged:
    """A try-out: nothing was stored and nothing was wrong."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was stored; `form` and `decoded` as far as they got known."""

    problem: Problem
    form: Form | None = None
    decoded: Decoded | None = None


Result = Stored | Pinged | Refused


class FormClient(Protocol):
    """What Leadline must know of one client."""

    @property
    def recognise(self) -> Callable[[HttpRequest], Kind]:
        """Tells what a request is. Raises MalformedRequestError."""

    @property
    def verify(self) -> Callable[[HttpRequest, Form], None]:
        """Raises a RejectedError for a request that does not prove where it comes from."""

    @property
    def decode(self) -> Callable[[HttpRequest], Decoded]:
        """The answers in a request. Raises MalformedRequestError, BodyTooLargeError."""

    @property
    def answer(self) -> Callable[[Result, HttpRequest], Reply]:
        """Says what became of a request, in the client's own status and shape."""


@cache
def client_named(name: str) -> FormClient:
    """The client that a form names. Only the modules of forms in use are ever loaded."""
    try:
        return cast("FormClient", import_module(f"{__name__}.{name}"))
    except ModuleNotFoundError as error:
        raise PolicyError(f"there is no form client {name}") from error
