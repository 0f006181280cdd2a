"""How a submission becomes a lead: what the policy says of it in the moment it does."""

from datetime import datetime

from shared.domain.definition import judge
from shared.domain.events import LeadCaptured
from shared.domain.form import Form
from shared.domain.instants import seconds_between
from shared.domain.policy import Policy
from shared.domain.submission import Submission


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
        waited_seconds=seconds_between(submission.received_at, now) or None,
        untagged=submission.untagged or None,
    )
