"""Why an alert did not, or would not, reach somebody: for the story of a lead, and for the daily
warning to managers.
"""

from collections.abc import Mapping
from typing import NamedTuple

from shared.domain.channels import Problem
from shared.texts import mark, translation
from shared.texts.alerts import SEGMENTS, Email, segments, subject_line
from shared.texts.plain import cut, one_line

_REASONS: Mapping[str, str] = {
    "unreachable": mark("there is no number or address, or the person has left"),
    "no_channel": mark("neither phone nor e-mail is entered"),
    "invalid_address": mark("no valid number or address"),
    "opted_out": mark("the number answered STOP"),
    "not_verified": mark("the account may not send to this number yet"),
    "not_subscribed": mark("the address is not subscribed"),
    "not_confirmed": mark("the address is not confirmed"),
    "wrong_filter": mark("the address gets other messages than it should"),
    "suppressed": mark("mail to the address came back, or was called spam"),
    "refused": mark("the mail was refused"),
    "sender_not_verified": mark("the sender's address is not verified"),
    "sending_paused": mark("sending is paused for the whole account"),
    "quota": mark("the quota is used up"),
    "topic_missing": mark("the topic of alerts is gone"),
}

_REMEDIES: Mapping[str, str] = {
    "no_channel": mark("Enter a phone or an e-mail address for them."),
    "opted_out": mark("Opt the number in again in the SNS console: once in 30 days."),
    "not_verified": mark("Ask AWS to leave the SMS sandbox, or verify the number in the console."),
    "not_subscribed": mark("Enter the person again: AWS asks the address to confirm."),
    "not_confirmed": mark("Follow the link in AWS's mail; entering the person sends another."),
    "wrong_filter": mark("Enter the person again: that mends it."),
    "suppressed": mark("Take the address off the suppression list of SES once it works."),
}

_CHANNELS = {"sms": mark("SMS"), "email": mark("E-mail"), None: mark("No channel")}


class Warning(NamedTuple):  # noqa: A001 - nobody warns Python here
    """What a team's managers are told. `sms_limit` in dollars where SMS stop almost at once."""

    team: str
    problems: tuple[Problem, ...]
    sms_limit: float | None = None


def reason(code: str, locale: str) -> str:
    """Why a channel carries nothing; a code of a newer version stays a code."""
    return translation(locale).gettext(_REASONS.get(code, code))


def email(warning: Warning, locale: str) -> Email:
    """Who, what is wrong, and what mends it."""
    _ = translation(locale).gettext
    names = ", ".join(dict.fromkeys(one_line(p.rep.name) for p in warning.problems))
    subject = _("Alerts may not arrive") + (f": {names}" if names else "")
    blocks = [_("Of the team %(team)s, alerts would not reach:") % {"team": warning.team}]
    if not warning.problems:
        blocks = []
    blocks += [
        f"{one_line(problem.rep.name)}\n"
        f"{_(_CHANNELS[problem.via])}: {reason(problem.code, locale)}.\n"
        f"{_(_REMEDIES[problem.code])}"
        for problem in warning.problems
    ]
    if warning.sms_limit is not None:
        limit = {"usd": f"{warning.sms_limit:g}"}
        blocks.append(
            _("SMS stop without an error after %(usd)s USD a month: ask AWS for more.") % limit
        )
    if warning.problems:
        blocks.append(
            _(
                "Until then they are told by their other channel, or somebody else is told."
                " This comes once a day for as long as it is so."
            )
        )
    return Email(subject_line(subject), "\n\n".join(blocks) + "\n")


def sms(warning: Warning, locale: str) -> str:
    """The same in short, as many people as fit."""
    _ = translation(locale).gettext
    text = _("Alerts may not arrive") + ":"
    lines = [
        f"{cut(one_line(problem.rep.name), 40, '..')}: {reason(problem.code, locale)}"
        for problem in warning.problems
    ]
    if warning.sms_limit is not None:
        lines.append(_("SMS stop after %(usd)s USD a month") % {"usd": f"{warning.sms_limit:g}"})
    for place, line in enumerate(lines):
        left = len(lines) - place
        more = "\n" + _("and %(count)d more") % {"count": left}
        rest = more if left > 1 else ""
        if segments(f"{text}\n{line}{rest}") > SEGMENTS:
            return text + more
        text = f"{text}\n{line}"
    return text
