"""What becomes of a request to a form's address: stored, found stored already, or rejected."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from shared.clients import FormClient, Pinged, Refused, Stored, client_named
from shared.domain.aliases import CANONICAL
from shared.domain.definition import judge
from shared.domain.events import LeadCaptured
from shared.domain.form import Form
from shared.domain.policy import OTHER, Policy
from shared.domain.submission import Decoded, Submission, accept
from shared.errors import (
    BodyTooLargeError,
    FieldError,
    InvalidSubmissionError,
    RejectedError,
    RetryableError,
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
from shared.observability import Label, Measurement, Metric

if TYPE_CHECKING:
    from shared.adapters.lead_table import Filed

Outcome = Literal["created", "joined", "repeated", "rejected", "not_stored", "pinged", "preflight"]

ACCEPTED = Metric("SubmissionAccepted")
CATALOGUE: Mapping[Outcome, Metric] = {
    "created": ACCEPTED,
    "joined": ACCEPTED,
    "repeated": Metric("SubmissionRepeated"),
    "rejected": Metric("SubmissionRejected", ("form", "reason")),
    "not_stored": Metric("SubmissionNotStored"),
}
"""What each outcome is counted as. What is no submission, and a test, counts nowhere."""


class Policies(Protocol):
    """Where the policy in force is asked for."""

    def current(self) -> Policy: ...


class Leads(Protocol):
    """Where submissions are filed, in one transaction."""

    def capture(self, submission: Submission, captured: LeadCaptured) -> "Filed": ...


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
    """Why it was rejected, in our own words only: `custom:blank` for a field named by a page."""
    measurements: tuple[Measurement, ...] = ()

    def facts(self) -> dict[str, Any]:
        """What there is to log."""
        told = ("outcome", "form_id", "lead_id", "code", "fields")
        facts = {name: getattr(self, name) for name in told if getattr(self, name)}
        return {"status": int(self.reply.status), **facts}


def submit_form(request: HttpRequest, policies: Policies, leads: Leads, now: datetime) -> Answered:
    """Answers one request in the shape of the form's client.

    Raises PolicyError when a form names what was never published.
    """
    form: Form | None = None
    form_label = OTHER
    try:
        policy = policies.current()
        form = policy.form(request.path_parameters.get("form_id", ""))
        if form is None:
            raise UnknownFormError("unknown form")
        form_label = policy.form_label(form.form_id)
        answered = _answer(request, form, policy, leads, now)
    except (RejectedError, RetryableError) as error:
        answered = _refuse(error, request, client_named("native"), form, None)
    reply = answered.reply.with_headers(cors_headers(request, form))
    answered = answered._replace(reply=reply, form_id=form.form_id if form else None)
    if form and form.is_test:
        return answered
    return answered._replace(measurements=_measure(answered, request, form_label))


def _measure(answered: Answered, request: HttpRequest, form_label: str) -> tuple[Measurement, ...]:
    metric = CATALOGUE.get(answered.outcome)
    if metric is None:
        return ()
    if answered.outcome == "rejected" and (request.method != "POST" or not answered.form_id):
        # No visitor sent a form: a browser asked first, or somebody tries addresses.
        return ()
    reasons: list[Label] = [("reason", reason) for reason in answered.reasons]
    return (Measurement(metric, labels=(("form", form_label), *reasons)),)


def _answer(
    request: HttpRequest, form: Form, policy: Policy, leads: Leads, now: datetime
) -> Answered:
    client = client_named(form.client)
    decoded: Decoded | None = None
    try:
        if request.method == "OPTIONS":
            check_origin(request, form)
            return Answered(preflight(), "preflight")
        if request.method != "POST":
            raise WrongMethodError(request.method)
        if len(request.body) > MAX_BODY_BYTES:
            raise BodyTooLargeError(len(request.body))
        client.verify(request, form)
        if client.recognise(request) == "ping":
            return Answered(client.answer(Pinged(), request), "pinged")
        decoded = client.decode(request)
        # Only now, so that a visitor who is refused for the page's sake keeps what was typed.
        check_origin(request, form)
        locale = request.locale(form.locale)
        submission = accept(decoded, form, secrets.token_hex(16), now, locale, gettext_in(locale))
        filed = leads.capture(submission, captured(submission, form, policy, now))
    except (RejectedError, RetryableError) as error:
        return _refuse(error, request, client, form, decoded)
    stored = Stored(filed.submission_id, form.thanks_for(decoded.next_url))
    return Answered(client.answer(stored, request), filed.outcome, lead_id=filed.lead_id)


def captured(submission: Submission, form: Form, policy: Policy, now: datetime) -> LeadCaptured:
    """The event of a new lead: what the agreed definition says of it, and by when to call."""
    judgement = judge(policy.definition(form.definition), submission)
    seconds = policy.chain(form.chain).respond_within_seconds
    return LeadCaptured(
        submission_id=submission.submission_id,
        form_id=form.form_id,
        channel=submission.channel,
        team=form.team,
        verdict=judgement.verdict,
        failed_criteria=judgement.failed,
        policy_version=policy.version,
        respond_by=policy.calendar(form.calendar).due(now, seconds),
    )


def _refuse(
    error: RejectedError | RetryableError,
    request: HttpRequest,
    client: FormClient,
    form: Form | None,
    decoded: Decoded | None,
) -> Answered:
    gettext = gettext_in(request.locale(form.locale if form else "en"))
    problem = problem_of(error, gettext, request)
    wrong = error.errors if isinstance(error, InvalidSubmissionError) else ()
    known = form.fields if form else {}
    return Answered(
        client.answer(Refused(problem, form, decoded), request),
        "rejected" if isinstance(error, RejectedError) else "not_stored",
        code=error.code,
        fields=tuple(
            f"{mistake.field}:{mistake.code}" for mistake in wrong if mistake.field in known
        ),
        reasons=tuple(dict.fromkeys(map(_reason, wrong))) or (error.code,),
    )


def _reason(mistake: FieldError) -> str:
    """Few and known beforehand, whatever pages call their fields: each is a series of a metric."""
    return f"{mistake.field if mistake.field in CANONICAL else 'custom'}:{mistake.code}"
