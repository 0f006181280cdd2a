"""What waits in the intake is seen to by two at once, or while its visitor writes again: in every
order of their AWS calls it becomes one lead, or part of one, once."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Literal, NamedTuple

import pytest
from botocore.client import BaseClient
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from infra.cli.intake import Desk, admitted
from shared.adapters.intake_table import IntakeTable
from shared.adapters.receipts import Filed
from shared.domain import events as happened
from shared.domain.intake import Admission, Kept
from shared.domain.lead import Change
from shared.errors import AlreadySettledError, RetryableError
from submit_form.service import Answered
from tests.crash.faults import aws_answered_by
from tests.crash.interleaving import Actor, Stage
from tests.crash.scene import VISITOR, Aws, Scene
from tests.unit.domain.samples import at
from tests.unit.samples import a_request

Actors = Mapping[str, Actor]
TRAPPED = {"_gotcha": "https://spam.example"}
LATER = at(300)


class Theatre(NamedTuple):
    stage: Stage
    aws: Aws
    scene: Scene
    empty: Callable[[], None]


@pytest.fixture(scope="module")
def theatre() -> Iterator[Theatre]:
    aws, scene = Aws(), Scene()
    with Stage(aws.answer, lambda call: "'POLICY'" in str(call.parameters)) as stage:
        scene.furnish()
        scene.policies.current()
        yield Theatre(stage, aws, scene, aws.remember())


def post(scene: Scene, **fields: str) -> Answered:
    return scene.take(a_request(json.dumps({**VISITOR, **fields}), "application/json"), LATER)


def waiting(scene: Scene, **fields: str) -> Kept:
    """A submission that made no lead."""
    scene.take(a_request(json.dumps({**VISITOR, **fields}), "application/json"), at(0))
    (kept,) = IntakeTable(scene.table).received_on(at(0).date(), at(0))
    return kept


def admit(scene: Scene, kept: Kept) -> Filed:
    policy, intake = scene.policies.current(), IntakeTable(scene.table)
    desk = Desk(policy, intake, scene.leads, scene.filing, LATER)
    return admitted(desk, Admission(kept, LATER, "operator"))


def dismiss(scene: Scene, kept: Kept) -> None:
    IntakeTable(scene.table).settle(Admission(kept, LATER, "operator"), None)


def two_releases(scene: Scene) -> Actors:
    kept = waiting(scene, **TRAPPED)
    return {"one": partial(admit, scene, kept), "another": partial(admit, scene, kept)}


def release_and_retry(scene: Scene) -> Actors:
    kept = waiting(scene, **TRAPPED)
    return {"release": partial(admit, scene, kept), "visitor": partial(post, scene, **TRAPPED)}


def release_and_new_wish(scene: Scene) -> Actors:
    kept = waiting(scene, **TRAPPED)
    return {"release": partial(admit, scene, kept), "visitor": partial(post, scene, message="x")}


def release_and_dismissal(scene: Scene) -> Actors:
    kept = waiting(scene, **TRAPPED)
    return {"release": partial(admit, scene, kept), "dismissal": partial(dismiss, scene, kept)}


def admission_and_correction_by_the_visitor(scene: Scene) -> Actors:
    kept = waiting(scene, phone="1")
    assert kept.decoded is not None
    fields = tuple({**dict(kept.decoded.fields), "phone": VISITOR["phone"]}.items())
    kept = Kept.model_validate(
        {**kept.model_dump(), "decoded": {"client": "native", "fields": fields}}
    )
    return {"admission": partial(admit, scene, kept), "visitor": partial(post, scene, message="x")}


def two_of_a_contact_whose_lead_is_closed(scene: Scene) -> Actors:
    scene.arrive(at(0))
    lead = scene.leads.lead(scene.lead_id)
    assert lead is not None
    lost = happened.LeadRejected(rep_id="anna", reason="wrong_number")
    scene.leads.record(lead, Change((lost,)), actor="anna", at=at(100))
    return {
        "one": partial(post, scene, message="x"),
        "another": partial(post, scene, message="y", email="other@example.com"),
    }


CASES: Mapping[Callable[[Scene], Actors], set[tuple[int, tuple[int, ...]]]] = {
    two_releases: {(1, (1,))},
    release_and_retry: {(1, (1,))},
    release_and_new_wish: {(1, (2,))},
    release_and_dismissal: {(0, ()), (1, (1,))},
    admission_and_correction_by_the_visitor: {(1, (2,))},
    two_of_a_contact_whose_lead_is_closed: {(2, (1, 2))},
}
"""How many leads there may be in the end, and how many submissions each has."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_in_every_order_it_is_filed_once(theatre: Theatre, case: Callable[[Scene], Actors]) -> None:
    def anew() -> Actors:
        theatre.empty()
        return case(theatre.scene)

    schedules = 0
    for run in theatre.stage.every_run(anew):
        schedules += 1
        for ending in run.endings.values():
            assert isinstance(ending, (Filed, Answered, AlreadySettledError, type(None))), run
        items = theatre.aws.database.items()
        leads = [item for item in items if item["SK"] == "LEAD"]
        numbers = tuple(sorted(int(lead["submissions"]) for lead in leads))
        filed = [item for item in items if item["SK"].startswith("SUBMISSION#")]
        in_leads = [item for item in filed if item["PK"].startswith("LEAD#")]
        assert len(in_leads) == sum(numbers), run.schedule
        assert (len(leads), numbers) in CASES[case], run.schedule
        waits = [i for i in filed if i["PK"].startswith("INTAKE#") and not i.get("settled_as")]
        assert not waits, run.schedule
        if case is two_of_a_contact_whose_lead_is_closed:
            previous = {lead.get("previous_lead_id") for lead in leads}
            assert previous == {None, theatre.scene.lead_id}, run.schedule
    assert schedules > 1


@pytest.mark.parametrize("lost", ["request", "answer"])
@pytest.mark.parametrize("fields", [TRAPPED, {"consent": "no"}], ids=["release", "admission"])
def test_an_operator_whose_line_breaks_anywhere_tries_again(
    theatre: Theatre, fields: Mapping[str, str], lost: Literal["request", "answer"]
) -> None:
    for number in range(100):
        theatre.empty()
        kept = waiting(theatre.scene, **fields)
        assert kept.decoded is not None
        answers = (*kept.decoded.fields, ("consent", "yes"))
        kept = Kept.model_validate(
            {**kept.model_dump(), "decoded": {"client": "native", "fields": answers}}
        )
        calls = 0

        def answer(
            client: BaseClient,
            operation: str,
            parameters: dict[str, Any],
            number: int = number,
        ) -> object:
            nonlocal calls
            calls += 1
            if calls - 1 == number and lost == "request":
                raise EndpointConnectionError(endpoint_url="https://aws.example")
            answered = theatre.aws.answer(client, operation, parameters)
            if calls - 1 == number:
                raise ReadTimeoutError(endpoint_url="https://aws.example")
            return answered

        with aws_answered_by(answer):
            for _ in range(2):
                with suppress(AlreadySettledError, RetryableError):
                    admit(theatre.scene, kept)
        items = theatre.aws.database.items()
        assert [int(item["submissions"]) for item in items if item["SK"] == "LEAD"] == [1], number
        (seen,) = (item for item in items if item["PK"].startswith("INTAKE#"))
        assert seen["settled_as"] in {"admitted", "released"}
        if calls <= number:
            break
    assert number > 0
