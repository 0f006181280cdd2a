"""Form clients: one module for each kind of page, page builder and ad platform that posts to us.

A module defines one `CLIENT`: how a request is recognised, verified, decoded and answered. A form's
policy names its module; native is for pages that people wrote themselves, generic for everything
that has no module of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from http import HTTPStatus
from importlib import import_module
from typing import Literal, NamedTuple, cast

from shared.clients.signatures import verify_key
from shared.domain.form import Form, Keys
from shared.domain.submission import Decoded
from shared.errors import PolicyError
from shared.http import HttpRequest, Problem, Reply

Kind = Literal["submission", "ping", "handshake"]
"""What a request is: something to keep, the client trying whether anybody is there, or the client
asking for a proof that the address is ours."""


class Promise(NamedTuple):
    """By when somebody will call: told to who comes while nobody is there."""

    by: datetime
    zone: str
    """The company's; the visitor's own is not known."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The submission is safe. A retry gets the id of the first one."""

    submission_id: str
    thanks_url: str = ""
    partial: bool = False
    """It was what a visitor left unfinished."""
    spilled: bool = False
    """It waits in the spill queue, because the table could not take it."""
    form: Form | None = None
    """As far as it got known: with the table out of reach nobody knows the form."""
    promise: Promise | None = None
    """Vendors' own answers have no place for it."""


@dataclass(frozen=True, slots=True)
class Pinged:
    """A try-out, or nothing of ours: nothing was stored and nothing was wrong."""


@dataclass(frozen=True, slots=True)
class Handshake:
    """The answer proves that the address belongs to who holds the keys."""

    keys: Keys
    at: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was accepted; `form` and `decoded` as far as they got known."""

    problem: Problem
    form: Form | None = None
    decoded: Decoded | None = None


Result = Stored | Pinged | Handshake | Refused


class About(NamedTuple):
    """What whoever connects a client has to know: a row of docs/form-clients.md."""

    title: str
    connect: str
    """How to connect it, in one or two sentences."""
    authenticates: str
    """What proves where a request comes from, and the names of the secrets that its forms have."""
    confirmed: str
    """What vendor documentation or published source says."""
    unconfirmed: str = ""
    """What is only observed or remembered, or unknown."""


def always_submission(request: HttpRequest) -> Kind:  # noqa: ARG001 - most clients send nothing else
    return "submission"


def answer_webhook(result: Result, request: HttpRequest) -> Reply:  # noqa: ARG001 - machines read the status
    """200 and `ok`: what every webhook takes for a success; an error as problem details."""
    if isinstance(result, Refused):
        return result.problem.reply()
    return Reply(HTTPStatus.OK, {"Content-Type": "text/plain; charset=utf-8"}, "ok")


def acknowledge(result: Result, request: HttpRequest) -> Reply:
    """As `answer_webhook`, and 200 also for answers with a mistake: they are kept, nobody sees an
    error, and what the vendor would try again for hours cannot become better."""
    is_mistake = (
        isinstance(result, Refused) and result.problem.status == HTTPStatus.UNPROCESSABLE_ENTITY
    )
    if is_mistake and request.body:
        return answer_webhook(Stored(""), request)
    return answer_webhook(result, request)


@dataclass(frozen=True, slots=True)
class FormClient:
    """What Leadline must know of one client."""

    about: tuple[About, ...]
    decode: Callable[[HttpRequest, Form], tuple[Decoded, ...]]
    """What a request says: mostly one submission, sometimes several or none. Raises
    MalformedRequestError, BodyTooLargeError."""
    recognise: Callable[[HttpRequest], Kind] = always_submission
    """Tells what a request is. Raises MalformedRequestError."""
    verify: Callable[[HttpRequest, Form, Keys, datetime], None] = verify_key
    """Raises NotAuthenticatedError for a request that does not prove where it comes from. What the
    form has no secret for is not asked for."""
    signs: bool = False
    """Whether it signs what it sends, with the form's secret `signing`."""
    answer: Callable[[Result, HttpRequest], Reply] = answer_webhook
    """Says what became of a request, in the client's own status and shape."""
    methods: tuple[str, ...] = ("POST",)
    in_browser: bool | Callable[[HttpRequest], bool] = False
    """Whether a visitor's browser sends the request: its origin is looked at, and what tells bots
    from people. Where both browsers and machines use a client, a function tells them apart."""

    def read(self, request: HttpRequest, form: Form) -> tuple[Decoded, ...]:
        """Decodes a request, within the limits of what is stored."""
        from shared.clients.encodings import check_size  # noqa: PLC0415 - every module that decodes has it

        messages = self.decode(request, form)
        for decoded in messages:
            check_size(decoded.fields)
        return messages

    def comes_from_browser(self, request: HttpRequest) -> bool:
        return self.in_browser(request) if callable(self.in_browser) else self.in_browser


@cache
def client_named(name: str) -> FormClient:
    """The client that a form names. Only the modules of forms in use are ever loaded."""
    try:
        return cast("FormClient", import_module(f"{__name__}.{name}").CLIENT)
    except (ModuleNotFoundError, AttributeError) as error:
        raise PolicyError(f"there is no form client {name}") from error
