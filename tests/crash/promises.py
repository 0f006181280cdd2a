"""What must hold whoever was faster.

Judged from what people were told, from the raw items of the table and from the calls that AWS got:
the code under test is asked nothing. Each promise yields what broke it, in words.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from advance_follow_up.service import Advanced
from follow_up_lead.service import Acted
from follow_up_lead.team import ActedOnList
from shared.adapters.dynamodb import Item, from_wire
from submit_form.service import Answered
from tests.crash.interleaving import Call

BEFORE = "before"
"""Whoever acted before the actors did."""
CLOSING = {"LeadRejected", "DealWon", "DealLost"}
TOLD_AFTER_A_CALL = {"again", "handed_over", "reopened", "callback", "off_duty"}
"""Alerts that are planned although somebody has called."""
BY_PRESSING = {
    "acknowledge": "LeadAcknowledged",
    "take": "LeadAcknowledged",
    "no_answer": "LeadAttempted",
    "talked": "LeadAttempted",
    "reject": "LeadRejected",
    "snooze": "LeadSnoozed",
    "hand_over": "LeadReassigned",
    "reopen": "LeadReopened",
    "undo": "ActionUndone",
}


def broken(
    items: Sequence[Item],
    executions: set[str],
    calls: Sequence[Call],
    endings: Mapping[str, object],
) -> list[str]:
    """Every promise that does not hold after the actors ended so."""
    leads = [item for item in items if item["SK"] == "LEAD"]
    found = [
        *_endings(endings),
        *_told_is_stored(items, endings),
        *_contacts(items, leads),
        *_actions(items, endings),
        *_none_after_a_call(calls),
        *_events_stay(calls),
    ]
    found += _turns(items)
    for lead in leads:
        events = sorted(
            (i for i in items if i["PK"] == lead["PK"] and i["SK"].startswith("EVENT#")),
            key=lambda item: str(item["SK"]),
        )
        found += _history(lead, events)
        found += _steps(events)
        found += _alerts(lead, events, calls)
        found += _wake(lead, executions, endings)
    return found


def _endings(endings: Mapping[str, object]) -> Iterator[str]:
    for actor, ending in endings.items():
        if isinstance(ending, BaseException):
            yield f"{actor} ended with {ending!r}"


def _told_is_stored(items: Sequence[Item], endings: Mapping[str, object]) -> Iterator[str]:
    """Whoever was told that a form is stored finds it once, in the story of a lead."""
    for actor, ending in endings.items():
        if not isinstance(ending, Answered):
            continue
        if ending.reply.status != 201:
            yield f"{actor} was answered {ending.reply.status}"
            continue
        told = [item for item in items if item["SK"].startswith("SUBMISSION#")]
        stored = [item for item in told if str(item["submission_id"]) in ending.reply.body]
        events = [i for s in stored for i in items if i.get("submission_id") == s["submission_id"]]
        kinds = Counter(str(item["SK"]).partition("#")[0] for item in events)
        if kinds != {"SUBMISSION": 1, "EVENT": 1, "RECEIPT": 1}:
            yield f"{actor} was told of a submission that is there as {dict(kinds)}"


def _contacts(items: Sequence[Item], leads: Sequence[Item]) -> Iterator[str]:
    """A contact has one open lead at most, and its guard names that one."""
    holders: dict[str, list[str]] = defaultdict(list)
    for lead in leads:
        if lead["status"] == "open":
            for guard in lead["guards"]:
                holders[f"CONTACT#{guard}"].append(lead["lead_id"])
    guards = {item["PK"]: item for item in items if item["SK"] == "CONTACT"}
    for pk, guard in guards.items():
        expected = [guard["lead_id"]] if guard["is_open"] else []
        if holders.pop(pk, []) != expected:
            yield f"guard {guard} is not that of its open lead"
    if holders:
        yield f"open leads without a guard: {dict(holders)}"


def _history(lead: Item, events: Sequence[Item]) -> Iterator[str]:
    """The lead is what its events say, and each event was possible when it happened."""
    numbers = [int(event["sequence"]) for event in events]
    if numbers != list(range(1, int(lead["sequence"]) + 1)):
        yield f"events {numbers}, and the lead knows of {lead['sequence']}"
    state = _State()
    former: dict[int, _State] = {}
    for event in events:
        kind = event["type"]
        former[int(event["sequence"])] = replace(state)
        if kind == "ActionUndone":
            undone = former[min(map(int, event["sequences"]))]
            if undone.status == "closed" and state.submissions > undone.submissions:
                yield "what a visitor wrote was closed with the lead, unread"
            state = replace(undone, submissions=state.submissions)
            continue
        if state.status == "closed" and not kind.startswith(("Alert", "LeadReopened")):
            yield f"{kind} after the lead was closed"
        planned = event["actor"] == "advance_follow_up"
        planned = planned and event.get("kind") not in TOLD_AFTER_A_CALL
        if planned and (state.is_called or state.status == "closed"):
            yield f"{kind} was planned after a call"
        if not state.take(event):
            yield f"{kind} when {state}"
    state.is_called = None
    for name, value in vars(state).items():
        if value != lead.get(name):
            yield f"{name} is {lead.get(name)}, and by its events {value}"


@dataclass
class _State:
    """What events make of a lead."""

    rep_id: str | None = None
    attempts: int = 0
    submissions: int = 0
    status: str = "open"
    acknowledged_by: str | None = None
    is_called: bool | None = False
    """Since the follow-up began, or began anew."""

    def take(self, event: Item) -> bool:
        """False when the event was not possible."""
        was_possible = True
        match event["type"]:
            case "LeadCaptured" | "LeadResubmitted":
                self.submissions += 1
            case "LeadAssigned":
                was_possible, self.rep_id = self.rep_id is None, event["rep_id"]
            case "LeadReassigned":
                was_possible = self.rep_id == event.get("from_rep_id")
                self.rep_id = event["to_rep_id"]
                self.acknowledged_by = None
            case "AcknowledgementExpired":
                was_possible = self.acknowledged_by == event["rep_id"] and not self.is_called
                self.acknowledged_by = None
            case "LeadEscalated" if event["to"] == "team":
                self.acknowledged_by = None
            case "LeadAcknowledged":
                others = self.acknowledged_by not in (None, event["rep_id"])
                was_possible = not others and not self.is_called
                self.acknowledged_by = event["rep_id"]
            case "LeadAttempted":
                self.attempts, self.is_called = self.attempts + 1, True
            case "LeadSnoozed":
                self.acknowledged_by, self.is_called = None, False
            case "LeadReopened":
                was_possible = self.status == "closed"
                self.status, self.is_called = "open", False
                # Whoever opens their own lead is on it.
                is_own = event["rep_id"] == self.rep_id
                self.acknowledged_by = event["rep_id"] if is_own else None
            case kind if kind in CLOSING:
                self.status = "closed"
        return was_possible


def _turns(items: Sequence[Item]) -> Iterator[str]:
    """Leads that came one after the other went to people who took turns."""
    taken = Counter(
        str(item["rep_id"])
        for item in items
        if item["SK"].startswith("EVENT#")
        and item["type"] == "LeadAssigned"
        and item["rule"] == "everybody"
    )
    if taken and max(taken.values()) > 1 + min(taken[name] for name in ("anna", "boris")):
        yield f"turns were not fair: {dict(taken)}"


def _steps(events: Sequence[Item]) -> Iterator[str]:
    """Each step of the chain is done once."""
    once = Counter(
        (event["type"], event.get("alert_id") or event.get("step"))
        for event in events
        if event["type"] in {"AlertRequested", "AlertSent", "LeadEscalated", "ResponseBreached"}
    )
    yield from (f"{what} {count} times" for what, count in once.items() if count > 1)


def _alerts(lead: Item, events: Sequence[Item], calls: Sequence[Call]) -> Iterator[str]:
    """What was published is recorded, once each; what waits was asked for and not sent."""
    by_type: dict[str, set[str]] = defaultdict(set)
    for event in events:
        by_type[event["type"]].add(str(event.get("alert_id")))
    published = sum(call.operation == "Publish" and call.error is None for call in calls)
    if published != len(by_type["AlertSent"]):
        yield f"{published} messages, and {sorted(by_type['AlertSent'])} recorded as sent"
    waiting = set(lead["open_alerts"])
    if not waiting <= by_type["AlertRequested"] - by_type["AlertSent"] - by_type["AlertFailed"]:
        yield f"{waiting} wait although they were sent or never asked for"


def _wake(lead: Item, executions: set[str], endings: Mapping[str, object]) -> Iterator[str]:
    """A lead that is to be woken has one execution that will, and in time."""
    wake_at, run = lead["follow_up"].get("wake_at"), int(lead["follow_up"]["run"])
    if wake_at is None:
        if not lead["follow_up"]["planned"] and not any(
            isinstance(ending, Answered) for ending in endings.values()
        ):
            yield "nobody planned for the lead"
        return
    if f"{lead['lead_id']}-{run}" not in executions:
        yield f"no execution for run {run}: {sorted(executions)}"
    machine = endings.get("machine")
    if isinstance(machine, Advanced) and machine.run == run:
        if machine.done:
            yield "the execution that should wake the lead has ended"
        elif machine.wake_at is None or machine.wake_at > wake_at:
            yield f"the execution wakes at {machine.wake_at}, the lead is due at {wake_at}"


def _actions(items: Sequence[Item], endings: Mapping[str, object]) -> Iterator[str]:
    """What a person was told is recorded is there once; what was refused is not there."""
    accepted = {
        (str(ending.codes["rep_id"]), BY_PRESSING[str(ending.codes["action"])])
        for ending in endings.values()
        if isinstance(ending, Acted | ActedOnList) and ending.refused is None
    }
    recorded = Counter(
        (str(item["actor"]), str(item["type"]))
        for item in items
        if item["SK"].startswith("EVENT#")
        and item["type"] in BY_PRESSING.values()
        and item.get("reason") not in {"took_over", "no_reaction"}
        and item["actor"] != BEFORE
    )
    if set(recorded) != accepted or any(count > 1 for count in recorded.values()):
        yield f"people were told {sorted(accepted)}, and recorded is {dict(recorded)}"


def _none_after_a_call(calls: Sequence[Call]) -> Iterator[str]:
    """Nobody is paged after a call, but by a sender whose last look was before it."""
    for place, call in enumerate(calls):
        if call.operation != "Publish":
            continue
        looks = [p for p, other in enumerate(calls[:place]) if other.actor == call.actor]
        known = [_says_of_a_call(other) for other in calls[: max(looks, default=0)]]
        if next((said for said in reversed(known) if said is not None), False):
            yield "a message went out although its sender could have known of the call"


def _says_of_a_call(call: Call) -> bool | None:
    """Whether somebody has called by what was written; None when it says nothing of that."""
    kinds = {item.get("type") for item in _put(call)}
    if "ActionUndone" in kinds:
        return False
    return True if kinds & {"LeadAttempted", *CLOSING} else None


def _events_stay(calls: Sequence[Call]) -> Iterator[str]:
    """An event is written once: what is written over it never reaches the bus."""
    written = Counter(
        (str(item["PK"]), str(item["SK"]))
        for call in calls
        for item in _put(call)
        if item["SK"].startswith("EVENT#")
    )
    yield from (f"{key} written {count} times" for key, count in written.items() if count > 1)


def _put(call: Call) -> list[Item]:
    """The items that a call put into the table."""
    writes = call.parameters.get("TransactItems", ()) if call.error is None else ()
    return [from_wire(write["Put"]["Item"]) for write in writes if "Put" in write]
