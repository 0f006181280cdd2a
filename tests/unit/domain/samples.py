"""A lead, a chain and people to test with."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from shared.domain.calendar import Calendar
from shared.domain.chain import Chain
from shared.domain.clocks import Terms
from shared.domain.events import LeadResubmitted
from shared.domain.lead import FollowUp, Lead
from shared.domain.roster import Rep, Roster
from shared.domain.routing import EVERYBODY

RECEIVED = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
ALWAYS = Calendar(zone="UTC", always=True)
SAMPLE_CHAIN = Chain.model_validate(
    yaml.safe_load((Path(__file__).parents[3] / "infra/policy/chain/default.yaml").read_text())
)
TERMS = Terms(SAMPLE_CHAIN, ALWAYS, "always", EVERYBODY.rules, 1)

A_FORM: Mapping[str, Any] = {
    "form_id": "demo",
    "team": "sales",
    "title": "Demo",
    "default_region": "GB",
    "thanks_url": "https://ours.net/thanks",
    "fields": {"phone": {"type": "phone"}},
}
"""A document of policy: the least that a form needs."""

IDLE = FollowUp(planned=True, is_idle=True)
"""Of a lead that policy does not follow up."""


def at(seconds: float) -> datetime:
    """So many seconds after the lead was received."""
    return RECEIVED + timedelta(seconds=seconds)


def a_lead(**fields: Any) -> Lead:
    """A lead that was captured a moment ago."""
    return Lead.model_validate(
        {
            "lead_id": "a" * 32,
            "version": 1,
            "sequence": 1,
            "form_id": "demo-en",
            "form_title": "Free consultation",
            "channel": "Direct",
            "team": "sales",
            "locale": "en",
            "policy_version": 1,
            "verdict": "qualified",
            "received_at": RECEIVED,
            "clock_started_at": RECEIVED,
            "respond_by": at(300),
            "name": "Ada Lovelace",
            "phone": "+447700900123",
            "email": "ada@example.com",
            "asked": "A machine that calculates",
            "guards": ("phone#1", "email#2"),
            **fields,
        }
    )


def a_rep(rep_id: str, **fields: Any) -> Rep:
    return Rep.model_validate(
        {
            "rep_id": rep_id,
            "team": "sales",
            "name": rep_id.title(),
            "phone": "+447700900001",
            "email": f"{rep_id}@example.com",
            **fields,
        }
    )


ANNA, BORIS, CLARA = a_rep("anna"), a_rep("boris"), a_rep("clara")
MARIA = a_rep("maria", role="manager")
TEAM = (ANNA, BORIS, CLARA, MARIA)


def a_roster(*people: Rep, now: datetime = RECEIVED) -> Roster:
    return Roster(people or TEAM, now)


def resubmitted(second: float = 600, **fields: Any) -> LeadResubmitted:
    """One more submission of the same person."""
    return LeadResubmitted.model_validate(
        {
            "submission_id": "s",
            "form_id": "demo-en",
            "channel": "Direct",
            "verdict": "qualified",
            "respond_by": at(second + 300),
            **fields,
        }
    )
