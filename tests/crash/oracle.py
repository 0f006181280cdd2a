"""Which promises were broken: judged from outside of the code under test.

From what clients were told, from what stands in the table, from what SNS took and from the
executions. The chain is read as the data that it is; when a step is due is computed here once more.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from shared.domain.roster import Rep
from tests.crash.clients import Outside
from tests.crash.deployment import Json
from tests.crash.faults import Call, Fired
from tests.crash.world import START, Published, World

GRACE = timedelta(seconds=300)
"""A step that is due so shortly before somebody calls may be overtaken by the call: two faults can
hold an alert up by two visibility time-outs and more."""
CALLED = frozenset({"LeadAttempted", "LeadRejected", "DealWon", "DealLost"})
LASTS = timedelta(seconds=300)
"""How long an acknowledgement lasts without a call, where the chain says nothing else."""
SETTLED_BY_RETRY = frozenset({"TransactionConflict"})
"""Faults that the code itself tries again within the same invocation."""

Item = dict[str, Any]


class Due(NamedTuple):
    """One person to be told through one channel, by the chain."""

    order: int
    round: int
    step: str
    at: datetime
    who: str
    via: str
    when: str | None


class Oracle:
    """Watches a world: some promises are judged at every call, the others when all is quiet."""

    def __init__(
        self, world: World, outside: Outside, chain: Json, people: tuple[Rep, ...], leads: int
    ) -> None:
        self.world = world
        self.outside = outside
        self.chain = chain
        self.people = {rep.rep_id: rep for rep in people}
        self.leads = leads
        self.broken: list[str] = []
        self.second_messages = 0
        world.on_call.append(self._after_call)

    def _say(self, promise: str) -> None:
        if promise not in self.broken:
            self.broken.append(promise)

    # --- at every call ---------------------------------------------------------------------------

    def _after_call(self, call: Call, _: Json) -> None:
        if call.operation == "sns.Publish":
            self._judge_message(self.world.outbox[-1])
        if call.operation == "stepfunctions.StartExecution":
            self._judge_executions()

    def _judge_message(self, message: Published) -> None:
        events = _events(self.world, message.lead_id)
        request = next((e for e in events if e.get("alert_id") == message.alert_id), None)
        if request is None or request["type"] != "AlertRequested":
            self._say(f"{message.alert_id} was sent and never asked for")
            return
        called = any(event["type"] in CALLED for event in _standing(events))
        if request["kind"] != "again" and called:
            self._say(f"{message.alert_id} was sent after a call")
        rep = self.people[str(request["rep_id"])]
        wanted = rep.phone if request["via"] == "sms" else rep.rep_id
        if (message.via, message.to) != (request["via"], wanted):
            self._say(f"{message.alert_id} went to somebody else")

    def _judge_executions(self) -> None:
        """One at most that will do anything: the others find their run replaced, and end."""
        current: Counter[str] = Counter()
        for execution in self.world.executions.started.values():
            lead_id, run = str(execution.input["lead_id"]), execution.input["run"]
            lead = self.world.database.item(f"LEAD#{lead_id}", "LEAD")
            if lead is None or execution.status != "RUNNING":
                continue
            current[lead_id] += int(lead["follow_up"]["run"]) == run
        if any(number > 1 for number in current.values()):
            self._say("a lead has two current executions")

    # --- when all is quiet -----------------------------------------------------------------------

    def judge(self, fired: list[Fired]) -> list[str]:
        """Every promise, once faults have stopped and all retries have run."""
        items = self.world.database.items()
        self._judge_told(items)
        leads = [item for item in items if item["SK"] == "LEAD"]
        if len(leads) != self.leads:
            self._say(f"{len(leads)} leads, not {self.leads}")
        stories = []
        for lead in leads:
            lead_id = str(lead["lead_id"])
            events = _events(self.world, lead_id)
            self._judge_story(lead, events)
            self._judge_undone(lead, events)
            events = _standing(events)
            stories.append(events)
            self._judge_steps(lead_id, events)
            self._judge_acknowledgements(lead_id, events)
            self._judge_hand_overs(lead_id, events)
            self._judge_again(lead_id, events)
            self._judge_refused(lead_id, events)
            self._judge_doubles(lead_id, events, fired)
        self._judge_missed(stories)
        self._judge_rest(leads)
        self._judge_executions()
        return self.broken

    def _judge_told(self, items: list[Item]) -> None:
        stored = {str(i["submission_id"]): i for i in items if i["SK"].startswith("SUBMISSION#")}
        lead_ids = {str(item["lead_id"]) for item in items if item["SK"] == "LEAD"}
        by_key: dict[str, set[str]] = {}
        for told in self.outside.told:
            by_key.setdefault(told.key, set()).add(told.submission_id)
            item = stored.get(told.submission_id)
            if item is None:
                self._say(f"{told.key} was told stored and is not")
            elif item.get("decoded", item)["body"] != told.body:
                self._say(f"{told.key} is not stored as it was sent")
            elif (
                not str(item["PK"]).startswith("INTAKE#")
                and str(item["PK"]).removeprefix("LEAD#") not in lead_ids
            ):
                self._say(f"{told.key} has no lead")
        for key, ids in by_key.items():
            if len(ids) > 1:
                self._say(f"{key} was stored {len(ids)} times")
        rejected = [i["decoded"]["body"] for i in stored.values() if i.get("kind") == "rejected"]
        if sorted(rejected) != sorted(self.outside.sent_back):
            self._say("what was sent back is not kept, or twice")
        if len(stored) != len(by_key) + len(self.outside.sent_back):
            self._say(f"{len(stored)} submissions stored, {len(by_key)} sent")
        leads = [item for item in items if item["SK"] == "LEAD"]
        done = [str(action) for lead in leads for action in lead["actions"]]
        for acted in self.outside.acted:
            times = done.count(f"{acted.action_id}-{acted.action}")
            if times != 1:
                self._say(f"{acted.action} was told recorded and stands {times} times")
        for given_up in self.outside.given_up:
            self._say(f"never answered: {given_up}")

    def _judge_story(self, lead: Item, events: list[Item]) -> None:
        if [int(e["sequence"]) for e in events] != list(range(1, int(lead["sequence"]) + 1)):
            self._say("events and lead disagree")
        times = [_moment(event["at"]) for event in events]
        if any(not START <= moment <= self.world.now for moment in times):
            self._say("something happened outside of the world's time")
        for kind in ("AlertRequested", "AlertSent"):
            counted = Counter(str(e["alert_id"]) for e in events if e["type"] == kind)
            for alert_id, number in counted.items():
                if number > 1:
                    self._say(f"{kind} {alert_id} stands {number} times")

    def _judge_undone(self, lead: Item, events: list[Item]) -> None:
        """What was taken back is not on the lead, and what was not, is."""
        calls = [event for event in _standing(events) if event["type"] == "LeadAttempted"]
        if int(lead["attempts"]) != len(calls):
            self._say(f"{lead['attempts']} calls, and {len(calls)} that stand")
        if bool(lead["readings"].get("response")) != bool(calls):
            self._say("the response clock does not show what is true")
        for event in events:
            if event["type"] == "ActionUndone" and event["actor"] != event["rep_id"]:
                self._say("somebody took back what another one did")

    def _judge_steps(self, lead_id: str, events: list[Item]) -> None:
        for start, cycle in _cycles(events):
            self._judge_cycle(lead_id, start, cycle, events[: events.index(cycle[0])])
        self._judge_marks(events, _first(events, CALLED))

    def _judge_cycle(
        self, lead_id: str, start: datetime, events: list[Item], earlier: list[Item]
    ) -> None:
        """The chain from where it began, or began anew: to its end, a call or an agreed time."""
        dues = self._dues(start)
        called = _first(events, CALLED | {"LeadSnoozed"})
        reached = 0
        for request in (e for e in events if e["type"] == "AlertRequested" and _is_step(e)):
            if _is_taken_up(request, events):
                if called and int(called["sequence"]) < int(request["sequence"]):
                    self._say(f"{request['alert_id']} was taken up after a call")
                continue
            named = (int(request["round"]), str(request["step"]))
            due = next((d for d in dues if (d.round, d.step) == named), None)
            alert_id = str(request["alert_id"])
            if due is None:
                self._say(f"{alert_id} belongs to no step")
                continue
            if due.order < reached:
                self._say(f"{alert_id} comes after a later step")
            reached = due.order
            if _moment(request["at"]) < due.at:
                self._say(f"{alert_id} came before its time")
            if called and int(called["sequence"]) < int(request["sequence"]):
                self._say(f"{alert_id} was asked for after a call")
            before = [*earlier, *events[: events.index(request)]]
            if due.when is not None and _is_acknowledged(before) != (due.when == "acknowledged"):
                self._say(f"{alert_id} does not fit what was acknowledged")
        for due in dues:
            if self._must_be_done(due, called, events) and not self._was_done(
                due, dues, lead_id, events, _owner(earlier)
            ):
                self._say(f"nobody was told of {due.round}-{due.step} ({due.who}, {due.via})")

    def _judge_marks(self, events: list[Item], called: Item | None) -> None:
        """What a chain leaves behind beside alerts: a breach once, an end once, one new owner."""
        counted = Counter(str(event["type"]) for event in events)
        ends = [event for event in events if event.get("ends_chain")]
        reassigning = [step for step in self.chain["steps"] if step.get("reassign")]
        if called is None and len(ends) != 1:
            self._say(f"the chain ended {len(ends)} times")
        if called is None and counted["ResponseBreached"] != 1:
            self._say(f"breached {counted['ResponseBreached']} times")
        replaced = [e for e in events if e.get("reason") == "no_reaction"]
        if len(replaced) > len(reassigning) * int(self.chain.get("rounds", 1)):
            self._say(f"reassigned {len(replaced)} times")
        if counted["LeadAssigned"] != 1:
            self._say(f"assigned {counted['LeadAssigned']} times")

    def _dues(self, start: datetime) -> list[Due]:
        found = []
        rounds = int(self.chain.get("rounds", 1))
        for number in range(1, rounds + 1):
            for place, step in enumerate(self.chain["steps"]):
                offset = (number - 1) * self.chain["round_seconds"] + step["after_seconds"]
                found += [
                    Due(
                        (number - 1) * len(self.chain["steps"]) + place,
                        number,
                        step["step"],
                        start + timedelta(seconds=offset),
                        audience["who"],
                        via,
                        step.get("when"),
                    )
                    for audience in step.get("alert", [])
                    for via in audience["via"]
                ]
        return found

    def _must_be_done(self, due: Due, called: Item | None, events: list[Item]) -> bool:
        if called is not None and _moment(called["at"]) < due.at + GRACE:
            return False
        acknowledged = [_moment(e["at"]) for e in events if e["type"] == "LeadAcknowledged"]
        if due.when == "acknowledged":
            return any(at <= due.at < at + LASTS for at in acknowledged)
        if due.when == "not_acknowledged":
            return all(at + LASTS <= due.at or due.at + GRACE <= at for at in acknowledged)
        return True

    def _judge_acknowledgements(self, lead_id: str, events: list[Item]) -> None:
        """Each ends with a call, with a new owner, or after its time: then once, and its owner is
        told.
        """
        ended = 0
        for place, event in enumerate(events):
            if event["type"] != "LeadAcknowledged":
                continue
            until = _moment(event["at"]) + LASTS
            end = next((e for e in events[place + 1 :] if _ends_acknowledgement(e)), None)
            if end is None:
                self._say("an acknowledgement never ended")
            elif end["type"] == "AcknowledgementExpired":
                ended += 1
                if not until <= _moment(end["at"]) < until + GRACE:
                    self._say("an acknowledgement did not end in time")
                asked = [e for e in events if _is_of_expiry(e) and e["at"] == end["at"]]
                if not any(self._arrived(lead_id, alert, events) for alert in asked):
                    self._say("nobody was told that an acknowledgement ended")
        if sum(event["type"] == "AcknowledgementExpired" for event in events) != ended:
            self._say("an acknowledgement ended more than once")

    def lateness(self) -> list[timedelta]:
        """How late each first message of a step was."""
        late: dict[tuple[str, str], timedelta] = {}
        for message in self.world.outbox:
            events = _events(self.world, message.lead_id)
            request = next(e for e in events if e.get("alert_id") == message.alert_id)
            named = (int(request["round"]), str(request["step"]))
            start = _moment(events[0]["at"])
            due = next(d for d in self._dues(start) if (d.round, d.step) == named)
            late.setdefault((message.lead_id, message.alert_id), message.at - due.at)
        return list(late.values())

    def _was_done(
        self, due: Due, dues: list[Due], lead_id: str, events: list[Item], owner: str
    ) -> bool:
        """A message of this step; or, when several steps came due at once, one of an earlier step
        to the same person, because nobody is told the same thing twice in one moment.
        """
        order = {(d.round, d.step): d.order for d in dues}
        for event in events:
            owner = _owner([event]) or owner
            if event["type"] != "AlertRequested" or not _is_step(event):
                continue
            place = order.get((int(event["round"]), str(event["step"])), -1)
            fits = place == due.order or (place < due.order and _moment(event["at"]) >= due.at)
            if (
                fits
                and event["via"] == due.via
                and self._has_role(str(event["rep_id"]), due.who, owner)
                and self._was_heard(lead_id, event, events)
            ):
                return True
        return False

    def _was_heard(self, lead_id: str, request: Item, events: list[Item]) -> bool:
        """It arrived; or, refused for good, the person heard of it by another channel, or somebody
        in their place did.
        """
        if self._arrived(lead_id, request, events):
            return True
        if not _is_refused(request, events):
            return False
        rep_id = str(request["rep_id"])
        prefix = str(request["alert_id"]).removesuffix(f"-{rep_id}-{request['via']}")
        others = [e for e in events if e["type"] == "AlertRequested" and e is not request]
        return any(
            (
                str(other["alert_id"]).startswith(f"{prefix}-{rep_id}-")
                and self._arrived(lead_id, other, events)
            )
            or (
                str(other["alert_id"]).startswith(f"{prefix}-for.{rep_id}-")
                and self._was_heard(lead_id, other, events)
            )
            for other in others
        )

    def _has_role(self, rep_id: str, who: str, owner: str) -> bool:
        match who:
            case "owner":
                return rep_id == owner
            case "backup":
                return rep_id != owner and self.people[rep_id].role == "rep"
            case "manager":
                return self.people[rep_id].role == "manager"
        raise NotImplementedError(who)

    def _arrived(self, lead_id: str, request: Item, events: list[Item]) -> bool:
        """SNS took it; or it was called off, because another person has the lead by now."""
        alert = (lead_id, str(request["alert_id"]))
        if any((message.lead_id, message.alert_id) == alert for message in self.world.outbox):
            return True
        asked = _moment(request["at"])
        return any(
            event.get("from_rep_id") == request["rep_id"]
            and int(event["sequence"]) > int(request["sequence"])
            and _moment(event["at"]) - asked < GRACE
            for event in events
        )

    def _judge_hand_overs(self, lead_id: str, events: list[Item]) -> None:
        """Whoever was handed the lead hears of it, once by each channel."""
        for event in events:
            if event.get("reason") != "handed_over":
                continue
            asked = [
                e
                for e in events
                if e.get("kind") == "handed_over" and e["rep_id"] == event["to_rep_id"]
            ]
            if sorted(str(request["via"]) for request in asked) != ["email", "sms"]:
                self._say("a hand-over was not told, or not once")
            if not all(self._was_heard(lead_id, request, events) for request in asked):
                self._say("the news of a hand-over did not arrive")

    def _judge_missed(self, stories: list[list[Item]]) -> None:
        """Alerts that arrived and that nobody answered before the lead went to somebody else."""
        missed: Counter[str] = Counter()
        for events in stories:
            for place, event in enumerate(events):
                before = events[:place]
                arrived = any(
                    e["type"] == "AlertSent" and e["rep_id"] == event.get("from_rep_id")
                    for e in before
                )
                if event.get("reason") == "no_reaction" and arrived:
                    missed[str(event["from_rep_id"])] += 1
        for rep in self.people.values():
            item = self.world.database.item(f"TEAM#{rep.team}", f"REP#{rep.rep_id}") or {}
            if int(item["missed_pages"]) != missed[rep.rep_id]:
                self._say(f"{rep.rep_id} missed {missed[rep.rep_id]} alerts, not that many counted")

    def _judge_again(self, lead_id: str, events: list[Item]) -> None:
        """Whoever has the lead hears of a further submission once: by news of it, or by whatever
        else was due in the same moment and says what the visitor said last.
        """
        joined = [int(e["sequence"]) for e in events if e["type"] == "LeadResubmitted"]
        if not joined:
            return
        for via in ("sms", "email"):
            asked = [e for e in events if e["type"] == "AlertRequested" and e["via"] == via]
            later = [e for e in asked if int(e["sequence"]) > joined[-1]]
            if not any(self._was_heard(lead_id, event, events) for event in later):
                self._say(f"nobody was told of a further submission ({via})")
            if sum(event["kind"] == "again" for event in asked) > 1:
                self._say(f"a further submission was told more than once ({via})")

    def _judge_refused(self, lead_id: str, events: list[Item]) -> None:
        """What one channel refused for good comes by another, or to another person, at once: unless
        somebody called, or has the lead instead, before that.
        """
        for failed in (e for e in events if e["type"] == "AlertFailed"):
            request = next(e for e in events if e.get("alert_id") == failed["alert_id"])
            after = events[events.index(failed) :]
            end = next((e for e in after if e["type"] in {*CALLED, "LeadSnoozed"}), None)
            is_over = end is not None and _moment(end["at"]) - _moment(failed["at"]) < GRACE
            if not is_over and not self._was_heard(lead_id, request, events):
                self._say(f"{failed['alert_id']} was refused and nobody heard of it")
            unheard = [e for e in events if failed["alert_id"] in e.get("alert_ids", ())]
            if len(unheard) > 1:
                self._say(f"{failed['alert_id']} was given up {len(unheard)} times")

    def _judge_doubles(self, lead_id: str, events: list[Item], fired: list[Fired]) -> None:
        """A second message only where a fault fell between SNS's answer and the note of it."""
        faults = {fault.call.number: fault.mode for fault in fired}
        messages = [message for message in self.world.outbox if message.lead_id == lead_id]
        recorded = {str(e["alert_id"]) for e in events if e["type"] == "AlertSent"}
        for alert_id, number in Counter(message.alert_id for message in messages).items():
            unavoidable = sum(
                faults.get(message.call) in {"timeout_after", "kill_after"}
                or faults.get(message.call + 1, "timeout_after")
                not in {"timeout_after", "kill_after", *SETTLED_BY_RETRY}
                for message in messages
                if message.alert_id == alert_id
            )
            self.second_messages += number - 1
            if number > 1 + unavoidable:
                self._say(f"{alert_id} was sent {number} times, {unavoidable} unavoidable")
            if alert_id not in recorded:
                self._say(f"{alert_id} was sent and not recorded")

    def _judge_rest(self, leads: list[Item]) -> None:
        for lead in leads:
            if lead["open_alerts"] or "due_at" in lead:
                self._say("something is still awaited")
        for name, messages in self.world.queues.items():
            if messages and name != "MeasureQueue":
                self._say(f"{len(messages)} messages are left in {name}")
        if self.world.stream:
            self._say("the stream was not read to its end")
        if any(e.status != "SUCCEEDED" for e in self.world.executions.started.values()):
            self._say("an execution did not end")


def _events(world: World, lead_id: str) -> list[Item]:
    return world.database.partition(f"LEAD#{lead_id}", "EVENT#")


def _standing(events: list[Item]) -> list[Item]:
    """The events that nobody took back."""
    undone = {int(n) for e in events if e["type"] == "ActionUndone" for n in e["sequences"]}
    return [event for event in events if int(event["sequence"]) not in undone]


def _moment(text: object) -> datetime:
    return datetime.fromisoformat(str(text))


def _cycles(events: list[Item]) -> list[tuple[datetime, list[Item]]]:
    """The stretches of a story in which the chain is counted from one moment. An agreed time ends
    one; the next is counted from it.
    """
    found: list[tuple[datetime, list[Item]]] = [(_moment(events[0]["at"]), [])]
    for event in events:
        found[-1][1].append(event)
        if event["type"] == "LeadSnoozed":
            found.append((_moment(event["until"]), []))
    return [(start, cycle) for start, cycle in found if cycle]


def _owner(events: list[Item]) -> str:
    """Who has the lead after these; nobody that they tell of when empty."""
    owner = ""
    for event in events:
        owner = str(event.get("to_rep_id") or owner)
        if event["type"] == "LeadAssigned":
            owner = str(event["rep_id"])
    return owner


def _first(events: list[Item], kinds: frozenset[str]) -> Item | None:
    return next((event for event in events if event["type"] in kinds), None)


def _is_step(request: Mapping[str, Any]) -> bool:
    """A further submission, an owner, or who is not there, is told beside the chain."""
    beside = {"again", "unassigned", "handed_over", "off_duty"}
    return request["kind"] not in beside and not _is_of_expiry(request)


def _is_refused(request: Mapping[str, Any], events: list[Item]) -> bool:
    return any(e["type"] == "AlertFailed" and e["alert_id"] == request["alert_id"] for e in events)


def _is_taken_up(request: Mapping[str, Any], events: list[Item]) -> bool:
    """Asked for because another channel, or another person, was refused."""
    prefix = str(request["alert_id"]).removesuffix(str(request["via"]))
    return "instead_of" in request or any(
        str(event["alert_id"]).removesuffix(str(event["via"])) == prefix
        for event in events
        if event["type"] == "AlertFailed" and int(event["sequence"]) < int(request["sequence"])
    )


def _is_of_expiry(event: Mapping[str, Any]) -> bool:
    return str(event["type"]) == "AlertRequested" and str(event["step"]) == "expired"


def _ends_acknowledgement(event: Mapping[str, Any]) -> bool:
    return event["type"] in {*CALLED, "AcknowledgementExpired", "LeadReassigned"}


def _is_acknowledged(events: list[Item]) -> bool:
    """Whether somebody is on it after these events, should nobody have called."""
    marks = [e for e in events if e["type"] == "LeadAcknowledged" or _ends_acknowledgement(e)]
    return bool(marks) and marks[-1]["type"] == "LeadAcknowledged"
