"""What becomes of a request to a form's address: each has a place, a reason and a way back."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from shared.clients import FormClient, Handshake, Pinged, Promise, Refused, Stored, client_named
from shared.domain.aliases import CANONICAL
from shared.domain.capture import captured
from shared.domain.events import LeadCaptured
from shared.domain.form import Form, Keys, Locale, is_form_id
from shared.domain.intake import IntakeKind, Kept, same_id
from shared.domain.policy import OTHER, Policy
from shared.domain.raw_request import Spilled
from shared.domain.submission import Aside, Decoded, Submission, accept, read_contact
from shared.domain.suspicion import Signal, is_suspicious, signals_of
from shared.errors import (
    BodyTooLargeError,
    FieldError,
    InvalidSubmissionError,
    LeadlineError,
    PolicyError,
    RejectedError,
    RetryableError,
    TooManyRequestsError,
    UnknownFormError,
    WrongMethodError,
)
from shared.http import (
    MAX_BODY_BYTES,
    HttpRequest,
    Reply,
    check_origin,
    cors_headers,
    gettext_in,
    preflight,
    problem_of,
)
from shared.observability import Label, Measurement, Metric, report_unexpected

if TYPE_CHECKING:
    from shared.adapters.receipts import Filed

Outcome = Literal[
    "created",
    "joined",
    "repeated",
    "quarantined",
    "partial",
    "partial_not_kept",
    "reference",
    "erasure",
    "test",
    "rejected",
    "spilled",
    "not_stored",
    "pinged",
    "handshake",
    "preflight",
]

ACCEPTED = Metric("SubmissionAccepted")
CATALOGUE: Mapping[Outcome, Metric] = {
    "created": ACCEPTED,
    "joined": ACCEPTED,
    "repeated": Metric("SubmissionRepeated"),
    "quarantined": Metric("SubmissionQuarantined", ("form",)),
    "partial": Metric("SubmissionPartial"),
    "partial_not_kept": Metric("PartialNotKept"),
    "reference": Metric("SubmissionReferenced"),
    "erasure": Metric("ErasureRequested"),
    "rejected": Metric("SubmissionRejected", ("form", "reason")),
    "spilled": Metric("SubmissionSpilled"),
    "not_stored": Metric("SubmissionNotStored"),
}
"""What each outcome is counted as. What is no submission, and a test, counts nowhere."""

DECODED_FROM = frozenset(
    {"accept-language", "content-type", "hx-current-url", "idempotency-key", "origin", "referer"}
    | {"x-requested-with"}
)
"""Headers that are kept with what could not be decoded: none of them is a secret."""


PROOFS = frozenset({"key", "signing"})
"""Secrets by which a machine proves who it is."""


class Policies(Protocol):
    """Where the policy in force is asked for."""

    def current(self) -> Policy: ...


class Filing(Protocol):
    """Where submissions are filed, in one transaction."""

    def capture(self, submission: Submission, captured: LeadCaptured) -> "Filed": ...


class Intake(Protocol):
    """Where submissions are kept that make no lead."""

    def keep(self, kept: Kept) -> None: ...

    def quarantine(self, kept: Kept, submission: Submission) -> "Filed": ...


class Secrets(Protocol):
    """Where the values of a form's secrets are asked for."""

    def of(self, form: Form) -> Keys: ...


class Bursts(Protocol):
    """Who counts how much comes from where."""

    def signal(self, form: Form, source_ip: str, now: datetime) -> Literal["burst"] | None:
        """Raises TooManyRequestsError over the hard limit."""


class Robots(Protocol):
    """Who can tell a page's visitor from a robot."""

    def signal(
        self, decoded: Decoded, keys: Keys, source_ip: str
    ) -> Literal["turnstile"] | None: ...


class Spill(Protocol):
    """The queue where a request waits that the table could not take."""

    def send(self, messages: Sequence[Mapping[str, object]]) -> None:
        """Raises RetryableError."""


class Parts(NamedTuple):
    policies: Policies
    filing: Filing
    intake: Intake
    secrets: Secrets
    bursts: Bursts
    robots: Robots
    spill: Spill


class Received(NamedTuple):
    """When a request came in, and the id that its submission has."""

    at: datetime
    submission_id: str
    replayed: bool = False
    """It comes from the spill queue: who sent it was answered."""
    signals: tuple[Signal, ...] = ()
    """What was suspicious of it when it came in, and cannot be seen any more."""


class Answered(NamedTuple):
    """The answer, and what to log and count of it: codes and ids, nothing of the visitor's."""

    reply: Reply
    outcome: Outcome
    form_id: str | None = None
    lead_id: str | None = None
    code: str | None = None
    fields: tuple[str, ...] = ()
    """`phone:blank`: what was wrong with a form's own fields."""
    reasons: tuple[str, ...] = ()
    """Why it made no lead, in our own words only: `custom:blank` for a field named by a page."""
    measurements: tuple[Measurement, ...] = ()
    further: tuple["Answered", ...] = ()
    """What became of the others, where one request brought several."""

    def facts(self) -> dict[str, Any]:
        """What there is to log."""
        told = ("outcome", "form_id", "lead_id", "code", "fields", "reasons")
        facts = {name: getattr(self, name) for name in told if getattr(self, name)}
        return {"status": int(self.reply.status), **facts}


def submit_form(request: HttpRequest, parts: Parts, received: Received) -> Answered:
    """Answers one request in the shape of the form's client.

    Whatever goes wrong, a visitor's request is kept or refused. A replayed one raises what went
    wrong, so that it stays in its queue.
    """
    visit = _Visit(request, parts, received)
    try:
        visit = visit.at_its_form()
        answered = visit.answered()
    except (RejectedError, RetryableError) as error:
        answered = visit.refused(error)
    except Exception as error:
        if received.replayed:
            raise
        report_unexpected(error)
        answered = visit.refused(LeadlineError())
    reply = answered.reply.with_headers(cors_headers(request, visit.form))
    answered = answered._replace(reply=reply, form_id=visit.form.form_id if visit.form else None)
    if visit.form and visit.form.is_test:
        return answered
    if answered.outcome == "rejected" and visit.is_no_form(answered.code):
        return answered
    measured = (_measured(one, visit.form_label) for one in (answered, *answered.further))
    return answered._replace(measurements=tuple(filter(None, measured)))


def _measured(answered: Answered, form_label: str) -> Measurement | None:
    metric = CATALOGUE.get(answered.outcome)
    if metric is None:
        return None
    reasons: list[Label] = [("reason", reason) for reason in answered.reasons]
    return Measurement(metric, labels=(("form", form_label), *reasons))


@dataclass(frozen=True, slots=True)
class _Visit:
    """One request, and as much of the policy as it led to."""

    request: HttpRequest
    parts: Parts
    received: Received
    policy: Policy | None = None
    form: Form | None = None
    noticed: list[Signal] = field(default_factory=list)
    """What is suspicious of it and can be seen now only: a burst, what Cloudflare said."""

    def at_its_form(self) -> "_Visit":
        """Raises RetryableError."""
        policy = self.parts.policies.current()
        form = policy.form(self.form_id)
        return replace(self, policy=policy, form=form)

    def answered(self) -> Answered:
        if self.form is None or self.policy is None:
            raise UnknownFormError("unknown form")
        if self.request.method == "OPTIONS":
            check_origin(self.request, self.form)
            return Answered(preflight(), "preflight")
        return _Taking(self, self.policy, self.form, client_named(self.form.client)).answered()

    @property
    def form_id(self) -> str:
        return self.request.path_parameters.get("form_id", "")

    @property
    def client(self) -> FormClient:
        """Who answers: also for a form that nobody knows, or whose client this code has not."""
        if self.form is None:
            # It stops sending at a 404, and has its own answer.
            is_typeform = "typeform-signature" in self.request.headers
            return client_named("typeform" if is_typeform else "native")
        try:
            return client_named(self.form.client)
        except PolicyError:
            return client_named("native")

    def is_no_form(self, code: str | None) -> bool:
        """Whether no visitor sent a form: a browser asked first, or somebody tries addresses."""
        is_question = self.request.method == "OPTIONS" or code == WrongMethodError.code
        return is_question or self.form is None or self._is_handshake

    @property
    def form_label(self) -> str:
        return self.policy.form_label(self.form.form_id) if self.policy and self.form else OTHER

    @property
    def locale(self) -> Locale:
        return self.request.answer_in(self.form)

    def refused(
        self,
        error: LeadlineError,
        decoded: Decoded | None = None,
        promise: Promise | None = None,
    ) -> Answered:
        """Answers what cannot be accepted, after it is kept where it can be found again.

        `promise` is for what would have been accepted, had the table answered.
        """
        worth_keeping = self._is_worth_keeping(error)
        if not isinstance(error, RejectedError):
            if self.received.replayed:
                raise error
            if worth_keeping and self._spill():
                return self._spilled(decoded, promise)
        elif worth_keeping:
            # The same once more takes its own place: webhooks are tried again for hours.
            place = same_id(self.form_id, "rejected", _digest(self.request))
            try:
                self.parts.intake.keep(self.kept("rejected", _reasons(error), decoded, place))
            except RetryableError as trouble:
                return self.refused(trouble, decoded)
            except Exception as trouble:
                if self.received.replayed:
                    raise
                report_unexpected(trouble)
                return self.refused(LeadlineError(), decoded)
        problem = problem_of(error, gettext_in(self.locale), self.request)
        if isinstance(error, WrongMethodError):
            allowed = {"Allow": ", ".join((*self.client.methods, "OPTIONS"))}
            problem = replace(problem, headers=allowed)
        wrong = error.errors if isinstance(error, InvalidSubmissionError) else ()
        known = self.form.fields if self.form else {}
        return Answered(
            self.client.answer(Refused(problem, self.form, decoded), self.request),
            "rejected" if isinstance(error, RejectedError) else "not_stored",
            code=error.code,
            fields=tuple(
                f"{mistake.field}:{mistake.code}" for mistake in wrong if mistake.field in known
            ),
            reasons=_reasons(error),
        )

    @property
    def _is_handshake(self) -> bool:
        """Whether GET is how this client asks for a proof: nobody typed what stands in it."""
        return self.request.method == "GET" and self.client.recognise(self.request) == "handshake"

    def _is_worth_keeping(self, error: LeadlineError) -> bool:
        """Whether somebody may have typed something: not what tries addresses, or floods us."""
        request = self.request
        says_something = request.body or (request.method == "GET" and request.query)
        return (
            bool(says_something)
            and is_form_id(self.form_id)
            and self._may_bring_a_form(request.method)
            and len(request.body) <= MAX_BODY_BYTES
            and not (self.form and self._is_handshake)
            and not isinstance(error, (TooManyRequestsError, WrongMethodError))
        )

    def _may_bring_a_form(self, method: str) -> bool:
        if self.form is None:
            return method not in {"OPTIONS", "HEAD"}
        return method in self.client.methods

    def _spill(self) -> bool:
        spilled = Spilled(
            submission_id=self.received.submission_id,
            received_at=self.received.at,
            form_id=self.form_id,
            source_ip=self.request.source_ip,
            signals=tuple(self.noticed),
            raw=self.request.raw({*self.request.headers} - {"cookie"}),
        )
        try:
            self.parts.spill.send([spilled.model_dump(mode="json")])
        except RetryableError:
            return False
        except Exception as error:  # noqa: BLE001 - whatever it is, the visitor gets an answer
            report_unexpected(error)
            return False
        return True

    def _spilled(self, decoded: Decoded | None, promise: Promise | None) -> Answered:
        thanks = self.form.thanks_for(decoded.next_url if decoded else None) if self.form else ""
        stored = Stored(
            self.received.submission_id, thanks, spilled=True, form=self.form, promise=promise
        )
        return Answered(self.client.answer(stored, self.request), "spilled")

    def kept(
        self,
        kind: IntakeKind,
        reasons: tuple[str, ...],
        decoded: Decoded | None,
        submission_id: str | None = None,
        promised_by: datetime | None = None,
    ) -> Kept:
        """What the intake keeps of the request: its answers, or all of it where nobody knows."""
        raw = None
        if decoded is None:
            raw = self.request.raw(DECODED_FROM)
            query = {name: text for name, text in raw.query.items() if name != "key"}
            keyless = {"query": query, "raw_query": self.request.query_without("key")}
            raw = raw.model_copy(update=keyless)
        return Kept(
            submission_id=submission_id or self.received.submission_id,
            kind=kind,
            form_id=self.form_id,
            received_at=self.received.at,
            locale=self.locale,
            reasons=reasons,
            decoded=decoded,
            raw=raw,
            promised_by=promised_by,
        )


@dataclass(frozen=True, slots=True)
class _Taking:
    """A request to a form that there is."""

    visit: _Visit
    policy: Policy
    form: Form
    client: FormClient

    def answered(self) -> Answered:
        request, form, client = self.visit.request, self.form, self.client
        parts, received = self.visit.parts, self.visit.received
        decoded: Decoded | None = None
        promise: Promise | None = None
        try:
            if request.method not in client.methods:
                raise WrongMethodError(request.method)
            if len(request.body) > MAX_BODY_BYTES:
                raise BodyTooLargeError(len(request.body))
            if self._counts():
                burst = parts.bursts.signal(form, request.source_ip, received.at)
                self.visit.noticed.extend((burst,) if burst else ())
            keys = parts.secrets.of(form) if form.secrets else {}
            client.verify(request, form, keys, received.at)
            kind = client.recognise(request)
            if kind == "handshake":
                return Answered(client.answer(Handshake(keys, received.at), request), "handshake")
            messages = client.read(request, form) if kind == "submission" else ()
            answers: list[Answered] = []
            for place, decoded in enumerate(messages):
                # Only now, so that a visitor who is refused for the page's sake keeps what was
                # typed.
                if client.comes_from_browser(request):
                    check_origin(request, form)
                # What came in one post is told apart the same way when the post comes again.
                first = received.submission_id
                submission_id = same_id(form.form_id, first, str(place)) if place else first
                if decoded.kind != "submission":
                    answers.append(self._set_aside(decoded, decoded.kind, submission_id))
                    continue
                submission, event = self._judged(decoded, submission_id)
                promise = self._promise(event.promised_by)
                answers.append(self._filed(decoded, submission, event, keys))
        except (RejectedError, RetryableError) as error:
            return self.visit.refused(error, decoded, promise)
        if not answers:
            return Answered(client.answer(Pinged(), request), "pinged")
        return answers[0]._replace(further=tuple(answers[1:]))

    def _counts(self) -> bool:
        """Whether the request counts for the form's limits: not a page that asks when it opened."""
        request = self.visit.request
        return (
            not self.visit.received.replayed
            and self.client.comes_from_browser(request)
            and self.client.recognise(request) == "submission"
        )

    def _judged(self, decoded: Decoded, submission_id: str) -> tuple[Submission, LeadCaptured]:
        """The submission, and what the policy says of it. Raises InvalidSubmissionError."""
        form, at, locale = self.form, self.visit.received.at, self.visit.locale
        submission = accept(decoded, form, submission_id, at, locale, gettext_in(locale))
        return submission, captured(submission, form, self.policy, at)

    def _promise(self, promised_by: datetime | None) -> Promise | None:
        if promised_by is None:
            return None
        return Promise(promised_by, self.policy.calendar(self.form.calendar).zone)

    def _filed(
        self, decoded: Decoded, submission: Submission, event: LeadCaptured, keys: Keys
    ) -> Answered:
        visit, form = self.visit, self.form
        signals = self._signals(decoded, submission, keys)
        if is_suspicious(signals):
            # Promised the same: by what it is told, nobody finds out that it waits for a person.
            kept = visit.kept(
                "quarantined", signals, decoded, submission.submission_id, event.promised_by
            )
            filed = visit.parts.intake.quarantine(kept, submission)
        else:
            filed = visit.parts.filing.capture(submission, event)
        stored = Stored(
            filed.submission_id,
            form.thanks_for(decoded.next_url),
            form=form,
            promise=self._promise(filed.promised_by),
        )
        return Answered(
            self.client.answer(stored, visit.request),
            filed.outcome,
            lead_id=filed.lead_id or None,
            reasons=signals,
        )

    def _signals(self, decoded: Decoded, submission: Submission, keys: Keys) -> tuple[Signal, ...]:
        """What makes the submission suspicious; a machine that proved who it is, is no bot."""
        visit = self.visit
        is_proved = not PROOFS.isdisjoint(self.form.secrets)
        if is_proved and not self.client.comes_from_browser(visit.request):
            return ()
        seen = signals_of(
            decoded, submission, self.form, visit.received.at, keys.get("time_trap", ())
        )
        if "turnstile" in keys and not visit.received.replayed:
            robot = visit.parts.robots.signal(decoded, keys, visit.request.source_ip)
            visit.noticed.extend((robot,) if robot else ())
        return (*seen, *visit.received.signals, *visit.noticed)

    def _set_aside(self, decoded: Decoded, kind: Aside, submission_id: str) -> Answered:
        """Keeps what makes no lead by itself. Sent again, it takes its own place."""
        visit, form = self.visit, self.form
        outcome: Outcome = kind
        if kind == "partial":
            contact, consent = read_contact(decoded, form)
            outcome = "partial" if form.keeps_partial(consent) else "partial_not_kept"
            key = decoded.external_id or decoded.idempotency_key
            known = (key,) if key else contact.guards
            if known:
                submission_id = same_id(form.form_id, kind, *known)
        elif decoded.external_id:
            submission_id = same_id(form.form_id, kind, decoded.external_id)
        if outcome != "partial_not_kept":
            visit.parts.intake.keep(visit.kept(kind, (), decoded, submission_id))
        thanks = form.thanks_for(decoded.next_url)
        stored = Stored(submission_id, thanks, partial=kind == "partial", form=form)
        return Answered(self.client.answer(stored, visit.request), outcome)


def submission_id_of(request: HttpRequest) -> str:
    """The id that the submission of a request has if it is the first.

    With a key it is the same when the request comes again: the one that is filed and the one that
    was spilled before it are told the same.
    """
    key = request.headers.get("idempotency-key")
    if not key:
        return secrets.token_hex(16)
    return same_id(request.path_parameters.get("form_id", ""), key, _digest(request))


def _digest(request: HttpRequest) -> str:
    """The same for the same words, wherever in the request they stand."""
    sent = [*map("=".join, sorted(request.query.items())), ""]
    words = "&".join(sent).encode("utf-8", "surrogatepass") + request.body
    return hashlib.sha256(words).hexdigest()


def _reasons(error: LeadlineError) -> tuple[str, ...]:
    wrong = error.errors if isinstance(error, InvalidSubmissionError) else ()
    return tuple(dict.fromkeys(map(_reason, wrong))) or (error.code,)


def _reason(mistake: FieldError) -> str:
    """Few and known beforehand, whatever pages call their fields: each is a series of a metric."""
    return f"{mistake.field if mistake.field in CANONICAL else 'custom'}:{mistake.code}"
