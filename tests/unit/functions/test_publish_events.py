"""publish_events: every event reaches the bus, and nothing can block the shard."""

import json
from typing import Any

import pytest

from publish_events.service import publish
from shared.adapters.dynamodb import to_wire
from shared.domain.events import AlertRequested, LeadCaptured, RecordedEvent
from shared.errors import EventsNotPublishedError
from tests.unit.adapters.samples import a_submission, captured
from tests.unit.domain.samples import at
from tests.unit.functions.fakes import FakeBus, FakeQueue


def a_record(sequence: int = 1, **changes: Any) -> dict[str, Any]:
    submission = a_submission()
    event = RecordedEvent(
        lead_id="a" * 32,
        sequence=sequence,
        at=at(0),
        actor="visitor",
        form_id="demo-en",
        channel="Direct",
        event=captured(submission),
    )
    keys = {"PK": f"LEAD#{'a' * 32}", "SK": f"EVENT#{sequence:06d}"}
    return {"Keys": to_wire(keys), "NewImage": to_wire({**keys, **event.flat(), **changes})}


def test_an_event_reaches_the_bus_with_its_ids_and_without_keys_of_the_table() -> None:
    bus = FakeBus()

    publish([a_record()], bus, FakeQueue())

    (flat,) = bus.published
    assert flat["event_id"] == f"{'a' * 32}-1"
    assert (flat["type"], flat["form_id"], flat["channel"]) == (
        "LeadCaptured",
        "demo-en",
        "Direct",
    )
    assert not {"PK", "SK"} & set(flat)
    assert isinstance(RecordedEvent.parse(json.loads(json.dumps(flat))).event, LeadCaptured)


def test_the_batch_is_read_again_while_the_bus_does_not_take_an_event() -> None:
    with pytest.raises(EventsNotPublishedError, match="1 of 3"):
        publish([a_record(n) for n in (1, 2, 3)], FakeBus(refused=[1]), FakeQueue())


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(a_record(type="EventOfTheFuture"), id="unknown type"),
        pytest.param(a_record(lead_id=None), id="no lead"),
        pytest.param(a_record(verdict="splendid"), id="no such verdict"),
        pytest.param({"Keys": to_wire({"PK": "x", "SK": "EVENT#1"})}, id="no image"),
        pytest.param({}, id="nothing"),
    ],
)
def test_a_record_that_is_no_event_is_parked_and_blocks_nothing(record: dict[str, Any]) -> None:
    bus, parking = FakeBus(), FakeQueue()

    publish([a_record(1), record, a_record(2)], bus, parking)

    assert len(bus.published) == 2
    assert len(parking.messages) == 1
    assert "demo-en" not in str(parking.messages), "keys only"


def test_no_event_has_a_field_for_personal_data() -> None:
    personal = {"name", "phone", "email", "text", "message", "note", "company"}
    for kind in AlertRequested.registry.values():
        assert not personal & set(kind.model_fields)
