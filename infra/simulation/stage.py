"""A stage: people and a policy, as they are or could be, around the real planner.

What functions, queues and the table do around the planner happens here in memory and at once: turns
are taken, every message that is asked for goes out, and who did not answer is noted.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from infra.simulation.remembered import remembered
from shared.domain.actions import Action, ActionName, act
from shared.domain.calendar import Calendar
from shared.domain.clocks import Terms
from shared.domain.events import AlertRequested, AlertSent, Verdict
from shared.domain.follow_up import needs_rep, plan
from shared.domain.form import Form
from shared.domain.lead import Change, Lead
from shared.domain.policy import Policy
from shared.domain.projection import apply
from shared.domain.roster import Rep, Roster
from shared.domain.routing import Chosen, Facts, Nobody, Rotation, choose
from shared.errors import PolicyError


class Arrival(NamedTuple):
    """What rules know of a lead when it comes. Nothing of a person."""

    at: datetime
    facts: Facts
    verdict: Verdict = "qualified"


def facts_of(lead: Lead) -> Facts:
    """What rules may ask about a lead."""
    return Facts(lead.form_id, lead.channel, lead.locale, lead.country)


class Advanced(NamedTuple):
    """What came of looking at a lead."""

    lead: Lead
    change: Change
    """Without events when nothing was due."""
    turn: Chosen | Nobody | None
    """Who was to get it, where it needed somebody."""
    sent: tuple[AlertRequested, ...] = ()
    """The messages that went out."""
    outcomes: tuple[AlertSent, ...] = ()


class Stage:
    """People by team and id; their records change as the play goes on."""

    def __init__(
        self,
        policy: Policy,
        people: Iterable[Rep],
        rotations: Mapping[str, Rotation] | None = None,
    ) -> None:
        self.policy = policy
        self.people: dict[str, dict[str, Rep]] = {}
        for rep in people:
            self.people.setdefault(rep.team, {})[rep.rep_id] = rep
        self.rotations = dict(rotations or {})
        """Whose turn it is, by team; in a team without one it begins with the first by id."""
        self._terms: dict[Facts, Terms] = {}
        self._rosters: dict[str, Roster] = {}
        self._shifts: dict[str, Calendar | None] = {}

    def captured(self, arrival: Arrival, lead_id: str) -> Lead:
        """The lead in the moment in which it comes.

        Raises PolicyError for an unknown form, and for one whose calendar has ended.
        """
        at, facts = arrival.at, arrival.facts
        form = self._form(facts.form_id)
        lead = Lead(
            lead_id=lead_id,
            version=1,
            sequence=1,
            form_id=facts.form_id,
            form_title=form.title,
            channel=facts.channel,
            team=form.team,
            locale=facts.language,
            country=facts.country,
            policy_version=self.policy.version,
            verdict=arrival.verdict,
            received_at=at,
            clock_started_at=at,
            respond_by=at,
        )
        terms = self.terms(lead)
        due = terms.calendar.due_if_ever(at, terms.chain.respond_within_seconds)
        if due is None:
            raise PolicyError(f"calendar/{terms.calendar_name} does not open any more")
        # As `shared.domain.capture` has it, of a verdict that is given here and not judged.
        is_promised = lead.verdict in terms.chain.follow and not terms.calendar.is_open(at)
        promised_by = due if is_promised else None
        return lead.model_copy(update={"respond_by": due, "promised_by": promised_by})

    def terms(self, lead: Lead) -> Terms:
        """What the lead goes by: the same for all of which the rules know the same."""
        facts = facts_of(lead)
        if facts not in self._terms:
            terms = Terms.of(self.policy, lead)
            self._terms[facts] = terms._replace(calendar=remembered(terms.calendar))
        return self._terms[facts]

    def chain_name(self, lead: Lead) -> str:
        """What the chain is called that the lead goes through."""
        form = self._form(lead.form_id)
        return self.policy.routing(form).chain(facts_of(lead)) or form.chain

    def shift(self, rep: Rep) -> Calendar | None:
        """The calendar of a person's shift."""
        if rep.calendar is None:
            return None
        if rep.calendar not in self._shifts:
            shift = self.policy.shift(rep)
            self._shifts[rep.calendar] = remembered(shift) if shift else None
        return self._shifts[rep.calendar]

    def roster(self, team: str, now: datetime) -> Roster:
        """The team at a moment; at an opening many leads ask for the same."""
        if team not in self._rosters or self._rosters[team].now != now:
            self._rosters[team] = Roster(self.people.get(team, {}).values(), now, self.shift)
        return self._rosters[team]

    def teams_of(self, rep_id: str) -> list[str]:
        return [team for team, people in self.people.items() if rep_id in people]

    def there_at(self, team: str, rep_id: str, now: datetime) -> datetime | None:
        """When somebody can call: `now` for whoever is there, None when that is not foreseen."""
        rep = self.people[team][rep_id]
        return Roster((rep,), now, self.shift).there_at(rep)

    def rotation(self, team: str) -> Rotation:
        return self.rotations.get(team, Rotation())

    def advance(self, lead: Lead, now: datetime, previous_owner: str | None = None) -> Advanced:
        """Does what is due for a lead; what that sends goes out at once."""
        terms, roster = self.terms(lead), self.roster(lead.team, now)
        turn = None
        if needs_rep(lead, terms, roster):
            rotation = self.rotation(lead.team)
            turn, self.rotations[lead.team] = choose(terms.rules, roster, rotation, previous_owner)
        change = plan(lead, terms, roster, turn=turn)
        if change is None:
            return Advanced(lead, Change(()), turn)
        lead = self._record(lead, change, now)
        sent = tuple(
            event
            for event in change.events
            if isinstance(event, AlertRequested) and event.alert_id in lead.open_alerts
        )
        outcomes = tuple(
            AlertSent(alert_id=alert.alert_id, rep_id=alert.rep_id, via=alert.via, message_id="")
            for alert in sent
        )
        lead = apply(lead, Change(outcomes), now) if outcomes else lead
        return Advanced(lead, change, turn, sent, outcomes)

    def act(self, lead: Lead, name: ActionName, rep_id: str, now: datetime) -> tuple[Lead, Change]:
        """A person does something. Raises IllegalActionError."""
        action = Action(name=name, action_id=f"{name}{lead.sequence}")
        change = act(lead, action, rep_id, now, self.terms(lead)) or Change(())
        change = change._replace(answered_by=rep_id)
        return self._record(lead, change, now), change

    def is_back(self, team: str, rep_id: str) -> None:
        """Somebody who was put off duty says that they are there."""
        self._note(team, rep_id, missed_pages=0)

    def _form(self, form_id: str) -> Form:
        form = self.policy.form(form_id)
        if form is None:
            raise PolicyError(f"there is no form {form_id}")
        return form

    def _record(self, lead: Lead, change: Change, now: datetime) -> Lead:
        if change.missed_by is not None:
            rep_id, before = change.missed_by
            self._note(lead.team, rep_id, missed_pages=before + 1)
        if change.answered_by is not None:
            self._note(lead.team, change.answered_by, missed_pages=0, answered_at=now)
        return apply(lead, change, now)

    def _note(self, team: str, rep_id: str, **standing: object) -> None:
        rep = self.people[team][rep_id]
        self.people[team][rep_id] = rep.model_copy(update=standing)
        self._rosters.pop(team, None)
