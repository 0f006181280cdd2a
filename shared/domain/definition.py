"""The definition both teams agreed on: when a submission makes a lead that is worth a call."""

from collections.abc import Callable, Mapping
from typing import Annotated, Literal, NamedTuple, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.domain.contact import Contact
from shared.domain.events import Verdict
from shared.domain.text import is_blank

MIN_NEED_LENGTH = 3
"""A message of two letters states nothing."""

Check = Literal["reachable", "named", "need_stated", "company_known", "business_email", "answer"]


class Criterion(BaseModel):
    """One agreed condition, and the verdict of a submission that does not meet it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    check: Check
    otherwise: Literal["raw", "non_target"]
    field: str = ""
    """For `answer`: which field of the form, by its canonical name or own key."""
    one_of: tuple[str, ...] = ()
    """For `answer`: the answers that meet the criterion, whatever their case."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.check == "answer") != bool(self.field and self.one_of):
            raise ValueError("field and one_of belong to the check `answer`, and both to it")
        return self


class Definition(BaseModel):
    """A policy document: the criteria, in the order in which people read them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({criterion.id for criterion in self.criteria}) < len(self.criteria):
            raise ValueError("two criteria have the same id")
        return self


class Finding(NamedTuple):
    """What one criterion came to. `reason` is a code: what was found, or what was not."""

    criterion: str
    met: bool
    reason: str


class Judgement(NamedTuple):
    """The verdict on a submission, with the reason per criterion."""

    verdict: Verdict
    findings: tuple[Finding, ...]

    @property
    def failed(self) -> tuple[str, ...]:
        """The ids of the criteria that were not met."""
        return tuple(finding.criterion for finding in self.findings if not finding.met)


class Judged(Protocol):
    """What of a submission a definition looks at."""

    @property
    def contact(self) -> Contact: ...
    @property
    def values(self) -> Mapping[str, str]: ...


def judge(definition: Definition, submission: Judged) -> Judgement:
    """The verdict: that of the worst criterion that is not met, `qualified` when all are."""
    findings = tuple(_find(criterion, submission) for criterion in definition.criteria)
    missed = {
        criterion.otherwise
        for criterion, finding in zip(definition.criteria, findings, strict=True)
        if not finding.met
    }
    if "non_target" in missed:
        return Judgement("non_target", findings)
    return Judgement("raw" if missed else "qualified", findings)


def _find(criterion: Criterion, submission: Judged) -> Finding:
    if criterion.check == "answer":
        given = submission.values.get(criterion.field, "").strip().casefold()
        met = given in {answer.casefold() for answer in criterion.one_of}
        return Finding(criterion.id, met, "wanted_answer" if met else "other_answer")
    met, reason = _CHECKS[criterion.check](submission)
    return Finding(criterion.id, met, reason)


def _reachable(submission: Judged) -> tuple[bool, str]:
    contact = submission.contact
    if contact.phone:
        return True, "phone_and_email" if contact.email else "phone"
    return (True, "email") if contact.email else (False, "no_phone_no_email")


def _named(submission: Judged) -> tuple[bool, str]:
    return (True, "name") if submission.contact.name else (False, "no_name")


def _need_stated(submission: Judged) -> tuple[bool, str]:
    message = submission.values.get("message", "").strip()
    if is_blank(message):
        return False, "no_message"
    return (True, "message") if len(message) >= MIN_NEED_LENGTH else (False, "message_too_short")


def _company_known(submission: Judged) -> tuple[bool, str]:
    if submission.contact.company:
        return True, "company"
    return (True, "company_domain") if submission.contact.company_domain else (False, "no_company")


def _business_email(submission: Judged) -> tuple[bool, str]:
    if not submission.contact.email:
        return False, "no_email"
    return (True, "business") if submission.contact.company_domain else (False, "free_mail")


_CHECKS: Mapping[str, Callable[[Judged], tuple[bool, str]]] = {
    "reachable": _reachable,
    "named": _named,
    "need_stated": _need_stated,
    "company_known": _company_known,
    "business_email": _business_email,
}
