"""What becomes of a request to a form's address: stored, found stored already, or refused."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from shared.clients import FormClient, Pinged, Refused, Stored, client_named
from shared.domain.definition import judge
from shared.domain.events import LeadCaptured
from shared.domain.form import Form
from shared.domain.policy import Policy
from shared.domain.submission import Decoded, Submission, accept
from shared.errors import (
    BodyTooLargeError,
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

if TYPE_CHECKING:
    from shared.adapters.lead_table import Filed

Outcome = Literal["created", "joined", "repeated", "refused", "not_stored", "pinged", "preflight"]

COUNTED_AS: Mapping[Outcome, str] = {
    "created": "SubmissionAccepted",
    "joined": "SubmissionAccepted",
    "repeated": "SubmissionRepeated",
    "refused": "SubmissionRefused",
    "not_stored": "SubmissionNotStored",
}
"""The metric of each outcome. What is no submission is not counted."""


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

    def facts(self) -> dict[str, Any]:
        """What there is to log."""
        return {"status": int(self.reply.status)} | {
            name: value for name, value in self._asdict().items() if value and name != "reply"
        }


def submit_form(request: HttpRequest, policies: Policies, leads: Leads, now: datetime) -> Answered:
    """Answers one request in the shape of the form's client.

    Raises PolicyError when a form names what was never published.
    """
    form: Form | None = None
    try:
        policy = policies.current()
        form = policy.form(request.path_parameters.get("form_id", ""))
        if form is None:
            raise UnknownFormError("unknown form")
        answered = _answer(request, form, policy, leads, now)
    except (RejectedError, RetryableError) as error:
        answered = _refuse(error, request, client_named("native"), form, None)
    reply = answered.reply.with_headers(cors_headers(request, form))
    return answered._replace(reply=reply, form_id=form.form_id if form else None)


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
        "refused" if isinstance(error, RejectedError) else "not_stored",
        code=error.code,
        fields=tuple(
            f"{mistake.field}:{mistake.code}" for mistake in wrong if mistake.field in known
        ),
    )
