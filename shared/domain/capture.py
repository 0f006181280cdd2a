"""How a submission becomes a lead: what the policy says of it in the moment it does."""

from datetime import datetime

from shared.domain.definition import judge
from shared.domain.events import LeadCaptured
from shared.domain.form import Form
from shared.domain.instants import seconds_between
from shared.domain.intake import Kept
from shared.domain.policy import Policy
from shared.domain.routing import Facts
from shared.domain.submission import Submission


def captured(
    submission: Submission, form: Form, policy: Policy, now: datetime, kept: Kept | None = None
) -> LeadCaptured:
    """The event of a new lead: what the agreed definition says of it, and by when to call.

    `kept` is the place in the intake where it waited: only what its visitor was told there is
    promised. Everybody else is promised a call if nobody is there to make it now, and somebody
    will: policy follows such a lead up.
    """
    judgement = judge(policy.definition(form.definition), submission)
    facts = Facts(form.form_id, submission.channel, submission.locale, submission.contact.country)
    chain, calendar = policy.chain_of(form, facts), policy.calendar(form.calendar)
    respond_by = calendar.due(now, chain.respond_within_seconds)
    is_promised = judgement.verdict in chain.follow and not calendar.is_open(now)
    promised_now = respond_by if is_promised else None
    return LeadCaptured(
        submission_id=submission.submission_id,
        form_id=form.form_id,
        channel=submission.channel,
        team=form.team,
        verdict=judgement.verdict,
        failed_criteria=judgement.failed,
        policy_version=policy.version,
        respond_by=respond_by,
        promised_by=kept.promised_by if kept else promised_now,
        waited_seconds=seconds_between(submission.received_at, now) or None,
        untagged=submission.untagged or None,
        came=submission.came,
    )
