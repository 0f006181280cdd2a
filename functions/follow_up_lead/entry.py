"""A lead that somebody enters by hand: a call, a walk-in. It takes the way of every submission."""

import secrets
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Literal, NamedTuple, get_args

from follow_up_lead.rights import may_see
from follow_up_lead.service import Parts, behind
from shared.acting import terms_of
from shared.adapters.filing import ByHand
from shared.adapters.receipts import Filed
from shared.domain.actions import Action, act
from shared.domain.capture import captured
from shared.domain.events import Came, LeadCaptured
from shared.domain.form import FieldRule, Form, Gettext
from shared.domain.intake import same_id
from shared.domain.lead import Change, Lead
from shared.domain.roster import Rep
from shared.domain.submission import Decoded, Submission, accept
from shared.errors import FieldError, IllegalActionError, InvalidSubmissionError
from shared.texts import translation

Then = Literal["call", "talked", "team"]
"""How it goes on: whoever enters it calls, has talked to the person, or leaves it to the team."""

FIELDS: Mapping[str, FieldRule] = {
    "name": FieldRule(),
    "phone": FieldRule(type="phone"),
    "email": FieldRule(type="email"),
    "company": FieldRule(),
    "message": FieldRule(),
}
"""What can be entered of a person, in the order of the page. Nobody ticks a box on the phone."""


class SeenEntry(NamedTuple):
    """The page to enter a lead on, with what was typed and what is wrong with it."""

    viewer: Rep
    path: str
    """Where the list is."""
    forms: list[Form]
    """What the lead may belong to: the forms of the team."""
    posted: Mapping[str, str]
    errors: tuple[FieldError, ...] = ()


class Entered(NamedTuple):
    """What became of it: filed, or `refused` with the page that says why."""

    path: str
    codes: Mapping[str, str | None]
    refused: SeenEntry | None = None


def see_entry(
    code: str, parts: Parts, now: datetime, posted: Mapping[str, str] | None = None
) -> SeenEntry:
    """The page behind the code of a list. Raises UnknownLinkError."""
    _, viewer, _ = behind(code, "list", parts.links, parts.people, now)
    forms = [form for form in parts.policies.current().forms if form.team == viewer.team]
    forms = [form for form in forms if not form.is_test]
    # What people who speak like the person most likely called about stands first.
    forms.sort(key=lambda form: form.language != viewer.locale)
    return SeenEntry(viewer, f"/r/{code}", forms, posted or {})


def enter_lead(code: str, posted: Mapping[str, str], parts: Parts, now: datetime) -> Entered:
    """Files what was typed as a submission; it joins the open lead of its contact, if there is one.

    Raises UnknownLinkError.
    """
    seen = see_entry(code, parts, now, posted)
    viewer = seen.viewer
    codes: dict[str, str | None] = {"rep_id": viewer.rep_id}
    try:
        filed = _file(seen, parts, now)
    except InvalidSubmissionError as error:
        return Entered(
            seen.path, {**codes, "refusal": str(error)}, seen._replace(errors=error.errors)
        )
    codes |= {"action": "enter", "lead_id": filed.lead_id, "outcome": filed.outcome}
    lead = parts.leads.lead(filed.lead_id)
    # What is left to the team a colleague has in the next moment: whoever entered it has no page of
    # it any more.
    is_left = viewer.role == "rep" and posted["then"] == "team"
    if is_left and _has_opened(filed, parts):
        return Entered(f"{seen.path}?told=given", codes)
    is_nobodys = lead is None or lead.rep_id is None
    has_page = lead and may_see(lead, viewer, lambda lead: terms_of(lead, parts.policies))
    if has_page and not (is_left and is_nobodys):
        return Entered(f"{seen.path}/{filed.lead_id}", codes)
    return Entered(f"{seen.path}?told={'added' if is_nobodys else 'joined'}", codes)


def _has_opened(filed: Filed, parts: Parts) -> bool:
    """Whether what was entered became a lead of its own, also when it is sent once more."""
    if filed.outcome != "repeated":
        return filed.outcome == "created"
    story = parts.leads.story(filed.lead_id)
    opened = story.events[0].event if story else None
    return isinstance(opened, LeadCaptured) and opened.submission_id == filed.submission_id


def _file(seen: SeenEntry, parts: Parts, now: datetime) -> Filed:
    """Raises InvalidSubmissionError with everything that is wrong with what was typed."""
    posted, viewer = seen.posted, seen.viewer
    gettext = translation(viewer.locale).gettext
    form = next((form for form in seen.forms if form.form_id == posted.get("form_id")), None)
    errors = tuple(_not_chosen(posted, form, gettext))
    if not seen.forms:
        raise InvalidSubmissionError(errors)
    try:
        submission = _submission(posted, form or seen.forms[0], gettext, now)
    except InvalidSubmissionError as error:
        raise InvalidSubmissionError((*errors, *error.errors)) from error
    if errors or form is None:
        raise InvalidSubmissionError(errors)
    event = captured(submission, form, parts.policies.current(), now)
    # Whoever enters it promises what they say, and not what a page would have said.
    event = event.model_copy(update={"promised_by": None})
    by_hand = _by_hand(posted["then"], viewer, parts, now)
    return parts.filing.capture(submission, event, by_hand=by_hand)


def _not_chosen(
    posted: Mapping[str, str], form: Form | None, gettext: Gettext
) -> Iterator[FieldError]:
    if form is None:
        yield FieldError("form_id", "missing", gettext("Choose what it is about."))
    if posted.get("came") not in get_args(Came):
        yield FieldError("came", "missing", gettext("Choose how the person came."))
    if not (posted.get("phone", "").strip() or posted.get("email", "").strip()):
        says = gettext("Enter a phone number or an e-mail address.")
        yield FieldError("phone", "missing", says)
    if posted.get("then") not in get_args(Then):
        yield FieldError("then", "missing", gettext("Choose how it goes on."))


def _submission(
    posted: Mapping[str, str], form: Form, gettext: Gettext, now: datetime
) -> Submission:
    """What was typed, as the form takes it, which asks for nothing here. Sent twice it is the same.

    Raises InvalidSubmissionError.
    """
    typed = tuple((name, text) for name in FIELDS if (text := posted.get(name, "")).strip())
    came = posted.get("came", "")
    words = (posted.get("action_id", ""), came, *(text for pair in typed for text in pair))
    decoded = Decoded(
        client="by_hand",
        fields=(*typed, ("utm_source", came), ("utm_medium", "offline")),
        idempotency_key=same_id(form.form_id, *words),
    )
    asks_nothing = form.model_copy(update={"fields": FIELDS, "mapping": {}, "null_literals": ()})
    submission = accept(decoded, asks_nothing, secrets.token_hex(16), now, form.language, gettext)
    # No campaign has paid for it, so nobody has forgotten a tag.
    return submission.model_copy(update={"untagged": False, "came": came})


def _by_hand(then: str, viewer: Rep, parts: Parts, now: datetime) -> ByHand:
    """What whoever enters the lead has done about it. A colleague's lead that it joins stays theirs
    until somebody has talked to the person: they are told that the person asked again. Another
    team's stays that team's.
    """
    action_id = secrets.token_hex(16)

    def done(lead: Lead) -> Change | None:
        is_anothers = lead.rep_id not in (None, viewer.rep_id)
        if lead.team != viewer.team or then == "team" or (then == "call" and is_anothers):
            return None
        name: Literal["talked", "acknowledge"] = "talked" if then == "talked" else "acknowledge"
        action = Action(name=name, action_id=f"{action_id}-{name}")
        try:
            return act(lead, action, viewer.rep_id, now, terms_of(lead, parts.policies))
        except IllegalActionError:
            return None

    return ByHand(viewer.rep_id, done)
