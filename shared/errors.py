"""Every error of Leadline's own.

LeadlineError
├── RejectedError              the caller's fault: a clear 4xx, never retried
│   ├── MalformedRequestError      the body cannot be decoded
│   ├── UnknownFormError           no such form
│   ├── WrongMethodError           the route exists, the method does not
│   ├── OriginNotAllowedError      a page that the form does not list
│   ├── NotAuthenticatedError      no key or signature that the form's client would send
│   ├── TooManyRequestsError       a burst over the hard limit
│   ├── BodyTooLargeError          over the limit, which is in the answer
│   ├── InvalidSubmissionError     one entry per field that is missing, blank or unusable
│   ├── IdempotencyConflictError   a key used again with other content
│   ├── AlreadySettledError        the intake has the submission no more, or it was seen to
│   ├── UnknownLinkError           wrong, expired and foreign codes look the same
│   └── IllegalActionError         what a person asked for is not possible in the lead's state
├── RetryableError             nobody's fault: try again
│   ├── LeadChangedError           somebody else wrote the lead first
│   ├── AlertLeasedError           another worker is sending this alert right now
│   ├── AlertNotSentError          SNS did not take the message this time
│   ├── ChannelsNotCheckedError    AWS did not say whom alerts would reach
│   ├── EventsNotPublishedError    EventBridge or SQS did not take every message
│   ├── WakeUpNotSetError          Step Functions did not start the execution that wakes the lead
│   ├── SecretUnavailableError     SSM did not give a form's secret
│   └── StorageUnavailableError    DynamoDB refused even after the SDK's retries
├── UnexpectedError            stands for an exception whose text could quote a person
└── PolicyError                the policy names something that does not exist: a bug of whoever
published it

`code` is the machine's word for the error: it stands in problem details, logs and state-machine
retries. HTTP status lives in shared/http.py, which has the one table from error to status.
"""

from typing import ClassVar, NamedTuple


class LeadlineError(Exception):
    """The root: anything else that is raised is a bug."""

    code: ClassVar[str] = "internal_error"


class RejectedError(LeadlineError):
    """The caller can mend it."""

    code = "rejected"


class MalformedRequestError(RejectedError):
    code = "malformed_request"


class UnknownFormError(RejectedError):
    code = "unknown_form"


class WrongMethodError(RejectedError):
    code = "wrong_method"


class OriginNotAllowedError(RejectedError):
    code = "origin_not_allowed"


class NotAuthenticatedError(RejectedError):
    code = "not_authenticated"


class TooManyRequestsError(RejectedError):
    code = "too_many_requests"


class BodyTooLargeError(RejectedError):
    code = "body_too_large"


class FieldError(NamedTuple):
    """What is wrong with one field, by its canonical name: missing, blank, unusable, too_long…"""

    field: str
    code: str
    detail: str


class InvalidSubmissionError(RejectedError):
    code = "invalid_submission"

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        super().__init__(", ".join(f"{error.field}:{error.code}" for error in errors))
        self.errors = errors


class IdempotencyConflictError(RejectedError):
    code = "idempotency_conflict"


class AlreadySettledError(RejectedError):
    code = "already_settled"


class UnknownLinkError(RejectedError):
    code = "unknown_link"


class IllegalActionError(RejectedError):
    """`reason` says which rule stands in the way: a word of the domain, such as `closed`."""

    code = "illegal_action"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RetryableError(LeadlineError):
    """The same call may succeed later."""

    code = "try_again"


class LeadChangedError(RetryableError):
    code = "lead_changed"


class AlertLeasedError(RetryableError):
    code = "alert_leased"


class AlertNotSentError(RetryableError):
    code = "alert_not_sent"


class ChannelsNotCheckedError(RetryableError):
    code = "channels_not_checked"


class EventsNotPublishedError(RetryableError):
    code = "events_not_published"


class WakeUpNotSetError(RetryableError):
    code = "wake_up_not_set"


class SecretUnavailableError(RetryableError):
    code = "secret_unavailable"


class StorageUnavailableError(RetryableError):
    code = "storage_unavailable"


class UnexpectedError(LeadlineError):
    """Names the kind of an exception that nobody expected, without its text."""

    code = "unexpected_error"


class PolicyError(LeadlineError):
    code = "policy_error"
