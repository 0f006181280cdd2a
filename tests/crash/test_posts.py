"""However often one request comes, and in whatever order its copies are taken: once."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import NamedTuple, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.http import HttpRequest
from submit_form.service import Answered
from tests.crash.interleaving import Stage
from tests.crash.scene import VISITOR, Aws, Scene
from tests.unit.domain.samples import at
from tests.unit.samples import BROWSER, URLENCODED, a_request


class Theatre(NamedTuple):
    stage: Stage
    aws: Aws
    scene: Scene
    empty: object


@pytest.fixture(scope="module")
def theatre() -> Iterator[Theatre]:
    aws, scene = Aws(), Scene()
    # The table is empty but for policy, which nobody writes.
    commutes = lambda call: call.operation == "BatchGetItem" or "'POLICY'" in str(call.parameters)  # noqa: E731
    with Stage(aws.answer, commutes) as stage:
        scene.furnish()
        yield Theatre(stage, aws, scene, aws.remember())


def request_with(key: str, trap: str) -> HttpRequest:
    """One request, with its key in a header, in a hidden field, or without one."""
    fields = {**VISITOR, "_gotcha": trap}
    match key:
        case "header":
            return a_request(json.dumps(fields), "application/json", idempotency_key='"k-1"')
        case "field":
            body = "&".join(f"{n}={v}" for n, v in {**fields, "idempotency_key": "k-1"}.items())
            return a_request(body.replace("+", "%2B"), URLENCODED, accept=BROWSER)
        case _:
            return a_request(json.dumps(fields), "text/plain;charset=UTF-8")


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    copies=st.integers(2, 5),
    key=st.sampled_from(("header", "field", "none")),
    trap=st.sampled_from(("", "https://spam.example")),
    choices=st.lists(st.integers(0, 4), max_size=16),
    seconds=st.lists(st.integers(0, 500), min_size=5, max_size=5),
)
def test_every_copy_gets_the_same_answer_and_one_is_filed(
    theatre: Theatre, copies: int, key: str, trap: str, choices: list[int], seconds: list[int]
) -> None:
    cast("Mapping[str, object]", theatre)
    theatre.empty()  # type: ignore[operator] # brings the table back
    request = request_with(key, trap)
    actors = {
        f"copy {number}": partial(
            theatre.scene.take, replace(request), at(0) + timedelta(seconds=seconds[number])
        )
        for number in range(copies)
    }
    run = theatre.stage.run(actors, choices)
    answers = [cast("Answered", ending) for ending in run.endings.values()]
    assert {type(answer) for answer in answers} == {Answered}
    assert len({(a.reply.status, a.reply.body) for a in answers}) == 1
    assert sorted(answer.outcome for answer in answers) == sorted(
        ["quarantined" if trap else "created", *["repeated"] * (copies - 1)]
    )
    items = theatre.aws.database.items()
    filed = [item for item in items if item["SK"].startswith("SUBMISSION#")]
    assert [item["PK"].partition("#")[0] for item in filed] == ["INTAKE" if trap else "LEAD"]
    assert sum(item["SK"] == "LEAD" for item in items) == (0 if trap else 1)
