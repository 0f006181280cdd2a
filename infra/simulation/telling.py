"""What happens in one moment, as lines that say who hears what, and why."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple, get_args
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from infra.simulation.stage import Advanced
from infra.simulation.words import length, moment
from shared.domain import events as happened
from shared.domain.actions import ActionName
from shared.domain.chain import Step
from shared.domain.clocks import Terms
from shared.domain.events import AlertRequested, LeadEvent, Via
from shared.domain.lead import Change, Lead
from shared.domain.roster import MISSED_PAGES, Roster
from shared.domain.routing import Nobody
from shared.texts.alerts import headline

CHANNELS: tuple[Via, ...] = get_args(Via)
AS_ASKED = "what if"
ON_IT = "“I'm on it”"

BESIDE_THE_CHAIN = {
    "new": "theirs from now on, told at once",
    "reassigned": "theirs from now on, told at once",
    "unassigned": "there is nobody to give it to",
    "expired": f"their {ON_IT} has ended",
    "off_duty": f"{MISSED_PAGES} in a row not answered",
}
"""Why there are alerts that no step asks for."""

CONDITIONS = {
    None: "",
    "acknowledged": ", somebody is on it",
    "not_acknowledged": ", nobody is on it",
}


class Line(BaseModel):
    """One thing that happens."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    """In the zone of the form's calendar."""
    wall_seconds: float
    """Since the lead came."""
    event: str
    """Its name, as in the table. `NotAnswered`, `NotAlerted`, `NotDone` and `BegunAnew` stand in no
    table."""
    what: str
    who: str | None = None
    """A person's id."""
    name: str = ""
    via: tuple[Via, ...] = ()
    cannot: tuple[Via, ...] = ()
    """Channels that policy wants and that do not reach the person."""
    why: str = ""


class Page(NamedTuple):
    """A lead and its people in the moment before something happens."""

    lead: Lead
    terms: Terms
    roster: Roster
    zone: ZoneInfo

    def line(self, event: str, what: str, *, who: str | None = None, why: str = "") -> Line:
        now, rep = self.roster.now, self.roster.get(who)
        return Line(
            at=now.astimezone(self.zone),
            wall_seconds=(now - self.lead.received_at).total_seconds(),
            event=event,
            what=what,
            who=who,
            name=rep.name if rep else "",
            why=why,
        )

    # --- what people do ------------------------------------------------------------------------

    def acted(self, change: Change) -> Iterator[Line]:
        for event in change.events:
            match event:
                case happened.LeadAcknowledged(rep_id=rep_id):
                    yield self.line(event.type, f"says {ON_IT}", who=rep_id, why=AS_ASKED)
                case happened.LeadAttempted(rep_id=rep_id):
                    yield self.line(event.type, "calls", who=rep_id, why=AS_ASKED)
                case happened.ResponseBreached():
                    yield self._breached(event)

    def not_done(self, name: ActionName) -> Line:
        """Somebody should act, and nobody has the lead."""
        what = f"no {ON_IT}" if name == "acknowledge" else "no call"
        return self.line("NotDone", what, why=f"{AS_ASKED}, but nobody has the lead")

    # --- what the planner does -----------------------------------------------------------------

    def advanced(self, advanced: Advanced, wanted: Change) -> Iterator[Line]:
        """`wanted` is the change that it would be if every channel reached everybody."""
        change, lead = advanced.change, advanced.lead
        if change.missed_by is not None:
            yield self._missed(change.missed_by.rep_id)
        if lead.follow_up.cycle > self.lead.follow_up.cycle:
            why = "it had ended while nobody had the lead"
            yield self.line("BegunAnew", "the chain begins anew", why=why)
        sent: dict[str, list[Via]] = {}
        for alert in advanced.sent:
            sent.setdefault(_message(alert), []).append(alert.via)
        told: set[str] = set()
        for event in wanted.events:
            if not isinstance(event, AlertRequested):
                yield from self._happened(event, advanced)
            elif event.alert_id not in told:
                alerts = [*_in_the_same_words(event, wanted.events)]
                told |= {alert.alert_id for alert in alerts}
                yield from self._alerted(alerts, sent)

    def _happened(self, event: LeadEvent, advanced: Advanced) -> Iterator[Line]:
        match event:
            case happened.LeadAssigned(rep_id=rep_id, rule=rule, passed_over=passed_over):
                why = f"rule {rule}"
                why += "".join(f"; nobody is there by rule {other}" for other in passed_over or ())
                if self.lead.assignment_failed_at is not None:
                    why = f"there from now on: {why}"
                yield self.line(event.type, "gets the lead", who=rep_id, why=why)
            case happened.AssignmentFailed():
                yield self._unassigned(event, advanced)
            case happened.LeadReassigned(from_rep_id=former, to_rep_id=rep_id):
                rep = self.roster.get(former)
                why = f"{rep.name if rep else former} did not react"
                yield self.line(event.type, "gets the lead instead", who=rep_id, why=why)
            case happened.AcknowledgementExpired(rep_id=rep_id):
                lasts = length(self.terms.chain.acknowledgement_lasts_seconds)
                why = f"it lasts {lasts} of open time, and no call came"
                yield self.line(event.type, f"{ON_IT} ends", who=rep_id, why=why)
            case happened.ResponseBreached():
                yield self._breached(event)
            case happened.LeadEscalated(ends_chain=True, step=step):
                rounds = self.terms.chain.rounds
                why = (
                    f"step {step}" if step != "end" else f"after {rounds} round{'s'[: rounds > 1]}"
                )
                yield self.line(event.type, "the chain ends", why=why)

    def _breached(self, event: happened.ResponseBreached) -> Line:
        due = moment(self.lead.respond_by.astimezone(self.zone))
        return self.line(event.type, "target missed", why=f"a call was due by {due}")

    def _missed(self, rep_id: str) -> Line:
        missed = self.roster.people[rep_id].missed_pages + 1
        why = f"{missed} in a row, {MISSED_PAGES} put somebody off duty"
        return self.line("NotAnswered", "has not answered", who=rep_id, why=why)

    def _unassigned(self, event: happened.AssignmentFailed, advanced: Advanced) -> Line:
        reasons = {"all_at_their_cap": "all who are there have had their most for today"}
        why = f"rule {event.rule}: {reasons.get(event.reason, 'nobody is there')}"
        if isinstance(advanced.turn, Nobody):
            again_at = advanced.turn.again_at
            when = moment(again_at.astimezone(self.zone)) if again_at else "not known"
            why += f"; next time somebody is: {when}"
        return self.line(event.type, "nobody gets the lead", why=why)

    def _alerted(
        self, alerts: list[AlertRequested], sent: Mapping[str, list[Via]]
    ) -> Iterator[Line]:
        """An SMS and an e-mail of the same words are one line. Where none of the channels that are
        wanted reaches the person, others were taken.
        """
        first = alerts[0]
        rep = self.roster.people[first.rep_id]
        via = tuple(dict.fromkeys(v for alert in alerts for v in sent.get(_message(alert), ())))
        cannot = tuple(alert.via for alert in alerts if not rep.reachable_by(alert.via))
        if via or cannot:
            says = headline(self.lead, first.kind, rep).partition(":")[0]
            what = f"“{says}”" if via else f"not told “{says}”"
            event = first.type if via else "NotAlerted"
            line = self.line(event, what, who=first.rep_id, why=self._why(first))
            yield line.model_copy(update={"via": via, "cannot": cannot})

    def _why(self, alert: AlertRequested) -> str:
        # Alerts of a step are called by its round; the others are no steps, whatever their name.
        steps = {step.step: step for step in self.terms.chain.steps}
        if not alert.alert_id[0].isdigit() or alert.step not in steps:
            return BESIDE_THE_CHAIN.get(alert.step, alert.step)
        step = steps[alert.step]
        round_number = f"round {alert.round}: " if self.terms.chain.rounds > 1 else ""
        after = length(step.after_seconds) + CONDITIONS[step.when]
        return f"{round_number}{step.step} ({after}), {_audience(step, alert)}"


def _message(alert: AlertRequested) -> str:
    """What an alert says to whom, through whichever channel."""
    return alert.alert_id.removesuffix(f"-{alert.via}")


def _in_the_same_words(
    alert: AlertRequested, events: Iterable[LeadEvent]
) -> Iterator[AlertRequested]:
    """All messages of a step to one person that say the same."""
    same = (alert.rep_id, alert.kind, alert.step)
    for event in events:
        if isinstance(event, AlertRequested) and (event.rep_id, event.kind, event.step) == same:
            yield event


def _audience(step: Step, alert: AlertRequested) -> str:
    """Whom the step means: as policy has it."""
    wanted = [one for one in step.alert if alert.via in one.via]
    # In other words than those of policy where these would not be true.
    found = [one.who for one in wanted if one.kind == alert.kind] or [one.who for one in wanted]
    return " or ".join(dict.fromkeys(found))
