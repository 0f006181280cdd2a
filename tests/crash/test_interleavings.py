"""Two at once on one lead, in every order of their AWS calls."""

import copy
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

import pytest

from shared.adapters import keys
from shared.adapters.dynamodb import Table
from shared.errors import AlertLeasedError
from tests.crash.interleaving import Actor, Call, Run, Stage
from tests.crash.promises import broken
from tests.crash.scene import Aws, PatientTable, Scene
from tests.unit.domain.samples import ANNA, BORIS, MARIA, at

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

Act = Callable[[datetime], object]
Actors = Mapping[str, Act]

SMS, EMAIL = "1-new-anna-sms", "1-new-anna-email"
HANDED_OVER = "handed_over5-boris-sms"
AGAIN_SECONDS = 62
"""When a message that failed is handed out once more."""


Before = Literal[
    "nothing",
    "captured",
    "two",
    "alerted",
    "closed",
    "replaced",
    "called",
    "acknowledged",
    "handed_over",
    "rejected",
    "reopened",
]
"""What had become of the lead: `two` of them came, `replaced` is its policy by another version. The
last five are what Anna has done a moment ago."""


class Case(NamedTuple):
    """Who acts at once, so many seconds after the lead came, and what had become of it by then."""

    second: float
    before: Before
    actors: Callable[[Scene], Actors]
    is_queued_after: bool = False
    """Whether events of the actors bring the planner, once they are done."""


CASES: dict[str, Case] = {}


def case(
    second: float, before: Before = "alerted", *, is_queued_after: bool = False
) -> Callable[[Callable[[Scene], Actors]], Callable[[Scene], Actors]]:
    """Makes a case of a function from a scene to those who act in it."""

    def add(actors: Callable[[Scene], Actors]) -> Callable[[Scene], Actors]:
        CASES[actors.__name__] = Case(second, before, actors, is_queued_after)
        return actors

    return add


# --- machines ----------------------------------------------------------------------------------


@case(1, "captured")
def planner_and_planner(scene: Scene) -> Actors:
    return {"queue": scene.advance, "another": scene.advance}


@case(121, "captured")
def planner_and_sweeper(scene: Scene) -> Actors:
    return {"queue": scene.advance, "sweeper": scene.sweep}


@case(120)
def planner_and_machine(scene: Scene) -> Actors:
    return {"queue": scene.advance, "machine": partial(scene.advance, run=1)}


@case(181)
def sweeper_and_machine(scene: Scene) -> Actors:
    return {"sweeper": scene.sweep, "machine": partial(scene.advance, run=1)}


@case(1)
def two_senders_of_one_alert(scene: Scene) -> Actors:
    return {"one": partial(scene.send, SMS), "another": partial(scene.send, SMS)}


@case(120)
def sender_and_machine(scene: Scene) -> Actors:
    return {"sender": partial(scene.send, SMS), "machine": partial(scene.advance, run=1)}


# --- people and machines -----------------------------------------------------------------------


@case(1, "captured")
def planner_and_call(scene: Scene) -> Actors:
    return {"queue": scene.advance, "anna": partial(scene.act, ANNA, "talked")}


@case(300)
def machine_and_call(scene: Scene) -> Actors:
    machine = partial(scene.advance, run=1)
    return {"machine": machine, "anna": partial(scene.act, ANNA, "no_answer")}


@case(300)
def machine_and_acknowledgement(scene: Scene) -> Actors:
    machine = partial(scene.advance, run=1)
    return {"machine": machine, "anna": partial(scene.act, ANNA, "acknowledge")}


@case(181)
def sweeper_and_call(scene: Scene) -> Actors:
    return {"sweeper": scene.sweep, "anna": partial(scene.act, ANNA, "no_answer")}


@case(1)
def sender_and_call(scene: Scene) -> Actors:
    return {"sender": partial(scene.send, SMS), "anna": partial(scene.act, ANNA, "no_answer")}


@case(1)
def sender_and_rejection(scene: Scene) -> Actors:
    reject = partial(scene.act, MARIA, "reject", reason="data.spam")
    return {"sender": partial(scene.send, SMS), "maria": reject}


# --- people ------------------------------------------------------------------------------------


@case(5)
def acknowledgement_and_acknowledgement(scene: Scene) -> Actors:
    return {name: partial(scene.act, rep, "acknowledge") for name, rep in TWO.items()}


@case(1, "captured", is_queued_after=True)
def take_and_take(scene: Scene) -> Actors:
    """From their lists, while nobody has the lead: two at once are enough to double it."""
    return {name: partial(scene.take_from_list, rep) for name, rep in TWO.items()}


@case(1, "captured")
def take_and_planner(scene: Scene) -> Actors:
    return {"anna": partial(scene.take_from_list, ANNA), "queue": scene.advance}


@case(5)
def acknowledgement_and_call(scene: Scene) -> Actors:
    call = partial(scene.act, BORIS, "no_answer")
    return {"anna": partial(scene.act, ANNA, "acknowledge"), "boris": call}


@case(5)
def call_and_call(scene: Scene) -> Actors:
    return {name: partial(scene.act, rep, "talked") for name, rep in TWO.items()}


@case(5)
def call_and_rejection(scene: Scene) -> Actors:
    reject = partial(scene.act, BORIS, "reject", reason="data.spam")
    return {"anna": partial(scene.act, ANNA, "talked"), "boris": reject}


@case(5)
def one_button_pressed_twice(scene: Scene) -> Actors:
    return {name: partial(scene.act, ANNA, "no_answer") for name in ("once", "twice")}


TWO = {"anna": ANNA, "boris": BORIS}


def agreed(second: float) -> str:
    """A time of a day as a page sends it."""
    return f"{at(second):%Y-%m-%dT%H:%M:%S}"


@case(60, is_queued_after=True)
def snooze_and_call(scene: Scene) -> Actors:
    snooze = partial(scene.act, ANNA, "snooze", until=agreed(7200))
    return {"anna": snooze, "boris": partial(scene.act, BORIS, "no_answer")}


@case(300, is_queued_after=True)
def snooze_and_machine(scene: Scene) -> Actors:
    machine = partial(scene.advance, run=1)
    return {"queue": machine, "anna": partial(scene.act, ANNA, "snooze", until=agreed(7200))}


@case(60, is_queued_after=True)
def hand_over_and_call(scene: Scene) -> Actors:
    hand_over = partial(scene.act, MARIA, "hand_over", to_rep_id="boris")
    return {"maria": hand_over, "anna": partial(scene.act, ANNA, "no_answer")}


@case(300, is_queued_after=True)
def hand_over_and_machine(scene: Scene) -> Actors:
    hand_over = partial(scene.act, MARIA, "hand_over", to_rep_id="boris")
    return {"queue": partial(scene.advance, run=1), "maria": hand_over}


@case(60, is_queued_after=True)
def two_hand_overs(scene: Scene) -> Actors:
    to_maria = partial(scene.act, ANNA, "hand_over", to_rep_id="maria")
    return {"anna": to_maria, "maria": partial(scene.act, MARIA, "hand_over", to_rep_id="boris")}


@case(90, "closed", is_queued_after=True)
def reopening_and_another_post(scene: Scene) -> Actors:
    again = partial(scene.post, "again", message="again")
    return {"maria": partial(scene.act, MARIA, "reopen"), "visitor": again}


@case(90, "closed", is_queued_after=True)
def two_reopenings(scene: Scene) -> Actors:
    return {
        name: partial(scene.act, rep, "reopen") for name, rep in {**TWO, "maria": MARIA}.items()
    }


@case(300, "replaced", is_queued_after=True)
def replanning_and_machine(scene: Scene) -> Actors:
    return {"queue": partial(scene.advance, run=1), "operator": scene.replan}


@case(60, "replaced", is_queued_after=True)
def replanning_and_call(scene: Scene) -> Actors:
    return {"operator": scene.replan, "anna": partial(scene.act, ANNA, "talked")}


@case(30, "called", is_queued_after=True)
def undoing_and_undoing(scene: Scene) -> Actors:
    return {name: partial(scene.undo, ANNA) for name in ("once", "twice")}


@case(120, "acknowledged", is_queued_after=True)
def undoing_and_machine(scene: Scene) -> Actors:
    return {"queue": partial(scene.advance, run=1), "anna": partial(scene.undo, ANNA)}


@case(30, "called", is_queued_after=True)
def undoing_and_call(scene: Scene) -> Actors:
    call = partial(scene.act, BORIS, "no_answer")
    return {"anna": partial(scene.undo, ANNA), "boris": call}


@case(30, "handed_over", is_queued_after=True)
def undoing_a_hand_over_and_its_answer(scene: Scene) -> Actors:
    answer = partial(scene.act, BORIS, "acknowledge")
    return {"anna": partial(scene.undo, ANNA), "boris": answer}


@case(30, "rejected", is_queued_after=True)
def undoing_an_outcome_and_another_post(scene: Scene) -> Actors:
    again = partial(scene.post, "again", message="again")
    return {"anna": partial(scene.undo, ANNA), "visitor": again}


@case(70, "reopened", is_queued_after=True)
def undoing_a_reopening_and_another_post(scene: Scene) -> Actors:
    again = partial(scene.post, "again", message="again")
    return {"anna": partial(scene.undo, ANNA), "visitor": again}


@case(30, "handed_over", is_queued_after=True)
def undoing_a_hand_over_and_sender(scene: Scene) -> Actors:
    return {"sender": partial(scene.send, HANDED_OVER), "anna": partial(scene.undo, ANNA)}


@case(10, "called", is_queued_after=True)
def undoing_and_two_senders(scene: Scene) -> Actors:
    senders = {name: partial(scene.send, EMAIL) for name in ("sender", "another")}
    return {"anna": partial(scene.undo, ANNA), **senders}


@case(1, "two")
def two_leads_take_turns(scene: Scene) -> Actors:
    return {"queue": scene.advance, "another": scene.advance_other}


# --- visitors ----------------------------------------------------------------------------------


@case(0, "nothing")
def post_and_its_retry(scene: Scene) -> Actors:
    return {name: partial(scene.post, "first") for name in ("post", "retry")}


@case(0, "nothing")
def two_posts_of_one_visitor(scene: Scene) -> Actors:
    return {name: partial(scene.post, name, message=name) for name in ("one", "another")}


@case(10)
def two_more_posts_of_a_visitor(scene: Scene) -> Actors:
    return {name: partial(scene.post, name, message=name) for name in ("one", "another")}


@case(1, "captured")
def another_post_and_planner(scene: Scene) -> Actors:
    return {"visitor": partial(scene.post, "again", message="again"), "queue": scene.advance}


@case(10)
def another_post_and_call(scene: Scene) -> Actors:
    call = partial(scene.act, ANNA, "no_answer")
    return {"visitor": partial(scene.post, "again", message="again"), "anna": call}


@case(10)
def another_post_and_rejection(scene: Scene) -> Actors:
    reject = partial(scene.act, ANNA, "reject", reason="data.spam")
    return {"visitor": partial(scene.post, "again", message="again"), "anna": reject}


# --- the play ----------------------------------------------------------------------------------


def begin(before: str, scene: Scene) -> None:
    if before != "nothing":
        scene.arrive(at(0))
    if before == "two":
        scene.another_arrives(at(0))
    if before not in {"nothing", "captured", "two"}:
        scene.advance(at(0))
    match before:
        case "called":
            scene.has_acted("no_answer", at(1))
        case "acknowledged":
            scene.has_acted("acknowledge", at(100))
            scene.advance(at(100))
        case "handed_over":
            scene.has_acted("hand_over", at(20), to_rep_id="boris")
            scene.advance(at(20))
        case "rejected":
            scene.has_acted("reject", at(20), reason="data.spam")
        case "reopened":
            scene.close(at(60))
            scene.has_acted("reopen", at(65))
    if before == "closed":
        scene.close(at(60))
    if before == "replaced":
        scene.publish_slower()


def commutes(call: Call, lead_id: str) -> bool:
    """Whether it reads what nobody writes while the actors act: policy, people, links."""
    if call.operation == "BatchGetItem":
        return "'POLICY#" in str(call.parameters)
    if call.operation not in {"GetItem", "Query"}:
        return False
    values = str(call.parameters.get("Key") or call.parameters.get("ExpressionAttributeValues"))
    if "DUE#" in values:
        return keys.due_shard(keys.shard(lead_id)) not in values
    if "'TEAM#" in values:
        return call.operation == "Query"  # people, not their rotation
    return any(kind in values for kind in ("'POLICY", "'LINK#"))


def play(
    name: str, table: type[Table] = PatientTable
) -> Generator[tuple[Run, list[str]], None, None]:
    """Every schedule of a case, and the promises that it broke."""
    case = CASES[name]
    aws, scene = Aws(), Scene(table)
    with Stage(aws.answer, lambda call: commutes(call, scene.lead_id)) as stage:
        scene.furnish()
        begin(case.before, scene)
        bring_back = aws.remember()

        def actors() -> Mapping[str, Actor]:
            bring_back()
            return {name: partial(act, at(case.second)) for name, act in case.actors(scene).items()}

        for run in stage.every_run(actors):
            calls, endings = list(run.calls), dict(run.endings)
            for actor, act in case.actors(scene).items():
                if isinstance(endings[actor], AlertLeasedError):
                    again = stage.run({actor: partial(act, at(case.second + AGAIN_SECONDS))})
                    calls += again.calls
                    endings |= again.endings
            if case.is_queued_after:
                queued = stage.run({"queue after": partial(scene.advance, at(case.second))})
                calls += queued.calls
            yield run, broken(aws.database.items(), set(aws.executions), calls, endings)


@pytest.mark.parametrize("name", CASES)
def test_no_order_of_calls_breaks_a_promise(
    name: str, record_property: Callable[[str, object], None]
) -> None:
    schedules = set()
    with closing(play(name)) as played:
        for run, wrong in played:
            assert not wrong, run.schedule
            assert run.schedule not in schedules
            schedules.add(run.schedule)

    assert len(schedules) > 1
    record_property("schedules", {name: len(schedules)})


class CheckThenAct(PatientTable):
    """A table that checks its conditions first and writes afterwards."""

    def transact(self, items: "Sequence[TransactWriteItemTypeDef]") -> None:
        checks, writes = [], []
        for item in copy.deepcopy(items):
            ((kind, write),) = cast("dict[str, dict[str, Any]]", item).items()
            key = write.get("Key") or {name: write["Item"][name] for name in ("PK", "SK")}
            condition = write.pop(
                "ConditionExpression", "attribute_exists(PK) OR NOT attribute_exists(PK)"
            )
            values = write.pop("ExpressionAttributeValues", {})
            write.pop("ReturnValuesOnConditionCheckFailure", None)
            checks.append(
                {
                    "ConditionCheck": {
                        "TableName": self.name,
                        "Key": key,
                        "ConditionExpression": condition,
                        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                        **used(values, condition),
                    }
                }
            )
            writes.append({kind: {**write, **used(values, write.get("UpdateExpression", ""))}})
        super().transact(cast("Any", checks))
        super().transact(cast("Any", writes))


def used(values: Mapping[str, object], expression: str) -> dict[str, object]:
    """The values that an expression names; DynamoDB refuses others."""
    found = {name: values[name] for name in re.findall(r":\w+", expression)}
    return {"ExpressionAttributeValues": found} if found else {}


@pytest.mark.parametrize("name", CASES)
def test_check_then_act_is_found_out(name: str) -> None:
    with closing(play(name, CheckThenAct)) as played:
        _, wrong = next(played)
        assert not wrong, "one after the other is right"
        assert any(wrong for _, wrong in played)
