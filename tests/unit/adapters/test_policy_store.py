"""Policy in the table: immutable versions, and which one is in force."""

from pathlib import Path
from typing import cast

import pytest
import yaml
from botocore.exceptions import EndpointConnectionError

from infra.cli import __main__ as cli
from infra.cli.policy_files import read_policy
from shared.adapters import keys
from shared.adapters.dynamodb import Table
from shared.adapters.policy_store import PolicyStore
from shared.domain.policy import check
from shared.errors import PolicyError, StorageUnavailableError

SAMPLE = read_policy(Path(__file__).parents[3] / "infra/policy", {"SITE": "https://example.com"})


ALWAYS_OPEN = {"zone": "UTC", "always": True}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(table: Table, clock: Clock) -> PolicyStore:
    return PolicyStore(table, clock)


def test_the_sample_policy_is_whole() -> None:
    assert check(SAMPLE) == []


def test_what_is_published_is_in_force(store: PolicyStore) -> None:
    assert store.publish(SAMPLE) == 1
    policy = store.current()

    assert policy.version == 1
    form = policy.form("demo-ru")
    assert form is not None
    assert form.thanks_url == "https://example.com/demo-ru/thanks"
    assert policy.form("no-such-form") is None
    assert policy.chain(form.chain).respond_within_seconds == 300
    assert policy.calendar(form.calendar).always
    assert policy.definition(form.definition)


def test_publishing_the_same_again_changes_nothing(store: PolicyStore) -> None:
    assert store.publish(SAMPLE) == 1
    assert store.publish(SAMPLE) == 1


def test_a_lead_keeps_the_version_that_it_was_captured_under(store: PolicyStore) -> None:
    store.publish(SAMPLE)
    calendar = {"zone": "Europe/Madrid", "always": True}

    assert store.publish({**SAMPLE, "calendar/always": calendar}) == 2
    assert store.version(1).calendar("always").zone == "Europe/London"
    assert store.version(2).calendar("always").zone == "Europe/Madrid"
    assert store.version(2).chain("default") is store.version(1).chain("default")


def test_a_container_learns_of_a_new_version_within_a_minute(
    store: PolicyStore, table: Table, clock: Clock
) -> None:
    store.publish(SAMPLE)
    store.current()
    changed = {**SAMPLE, "calendar/always": {"zone": "Europe/Madrid", "always": True}}
    PolicyStore(table).publish(changed)

    clock.now = 59
    assert store.current().version == 1
    clock.now = 61
    assert store.current().version == 2


def test_a_table_that_does_not_answer_leaves_the_last_policy_in_force(
    store: PolicyStore, table: Table, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.publish(SAMPLE)
    store.current()

    def refuse(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://dynamodb")

    monkeypatch.setattr(table.dynamodb, "get_item", refuse)
    clock.now = 100
    assert store.current().version == 1
    with pytest.raises(StorageUnavailableError):
        PolicyStore(table).current()


def test_without_a_policy_it_says_so(store: PolicyStore) -> None:
    with pytest.raises(PolicyError, match="no policy"):
        store.current()
    with pytest.raises(PolicyError, match="version 7"):
        store.version(7)


def test_two_who_publish_at_once_do_not_overwrite_each_other(
    store: PolicyStore, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = table.transact
    writes: list[object] = []

    def somebody_is_faster(items: object) -> None:
        if not writes:
            writes.append(items)
            PolicyStore(table).publish({**SAMPLE, "calendar/x": ALWAYS_OPEN})
        real(items)  # type: ignore[arg-type] # handed through

    monkeypatch.setattr(table, "transact", somebody_is_faster)
    mine = {**SAMPLE, "calendar/x": {"zone": "Europe/Paris", "always": True}}
    with pytest.raises(PolicyError, match="somebody else"):
        store.publish(mine)
    theirs = PolicyStore(table).version(1)
    assert theirs.calendar("x").zone == "UTC", "a version in force never changes"


def test_more_changes_than_fit_one_transaction_are_refused(store: PolicyStore) -> None:
    with pytest.raises(PolicyError, match="98 at a time"):
        store.publish({f"calendar/c{number}": ALWAYS_OPEN for number in range(99)})


def forms(*names: str, **fields: object) -> dict[str, object]:
    form = cast("dict[str, object]", SAMPLE["form/demo-en"])
    return {f"form/{name}": {**form, "form_id": name, "metrics": True, **fields} for name in names}


def test_forms_that_ask_for_it_are_measured_by_name(store: PolicyStore, table: Table) -> None:
    unmeasured = {**forms("quiet", metrics=False), **forms("probe", is_test=True)}
    store.publish({**SAMPLE, **unmeasured})

    for policy in (PolicyStore(table).current(), PolicyStore(table).version(1)):
        assert policy.form_label("demo-en") == "demo-en"
        for other in ("quiet", "probe", "no-such-form", ""):
            assert policy.form_label(other) == "other"


def test_ten_forms_at_most_are_measured_and_it_costs_no_read(
    store: PolicyStore, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.publish({**SAMPLE, **forms(*(f"a{number:02d}" for number in range(10)), "a99")})
    reads: list[object] = []
    get = table.get

    def counted(key: dict[str, str]) -> object:
        reads.append(key)
        return get(key)

    monkeypatch.setattr(table, "get", counted)
    policy = PolicyStore(table).current()

    assert policy.form_label("a09") == "a09"
    assert {policy.form_label(name) for name in ("a99", "demo-en")} == {"other"}
    assert reads == [keys.policy_current()]


def test_in_a_policy_of_an_earlier_version_no_form_is_measured(
    store: PolicyStore, table: Table
) -> None:
    store.publish(SAMPLE)
    table.transact([table.update(keys.policy_current(), "REMOVE measured_forms")])

    policy = store.current()
    assert policy.form_label("demo-en") == "other"
    assert policy.form("demo-en") is not None


def test_whoever_asks_for_too_many_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def check_folder(*names: str) -> str:
        for name, body in {**SAMPLE, **forms(*names)}.items():
            path = tmp_path / f"{name}.yaml"
            path.parent.mkdir(exist_ok=True)
            path.write_text(yaml.safe_dump(body))
        assert cli.main(["policy", "check", str(tmp_path)]) == 0
        return capsys.readouterr().out

    seven = tuple(f"a{number}" for number in range(7))
    assert "note" not in check_folder(*seven)
    assert "counted as other: demo-ru, demo-tilda" in check_folder(*seven, "b0", "b1")


def a_chain(*numbers: int) -> dict[str, object]:
    alert = [{"who": who, "kind": "new", "via": ["sms"]} for who in ("owner", "manager")]
    steps = [{"step": f"s{number}", "after_seconds": 0, "alert": alert} for number in numbers]
    return {"steps": steps}


@pytest.mark.parametrize(
    ("documents", "problem"),
    [
        ({"form/x": {"form_id": "y"}}, "form/x"),
        ({"poem/x": {}}, "no such kind"),
        ({"chain/x": {"steps": []}}, "steps"),
        ({"chain/x": a_chain(*range(13))}, "at most 12"),
        (
            {"chain/x": a_chain(*range(12)), "chain/y": a_chain(*range(1, 13))},
            "13 names of steps in all chains together, 12 at most",
        ),
        (
            {name: body for name, body in SAMPLE.items() if name != "chain/default"},
            "chain/default does not exist",
        ),
        ({**SAMPLE, "form/other": SAMPLE["form/demo-en"]}, "form_id is demo-en"),
    ],
)
def test_policy_that_cannot_work_is_refused(documents: dict[str, object], problem: str) -> None:
    assert problem in "\n".join(check(documents))


def test_steps_of_the_same_name_are_one_series() -> None:
    assert check({"chain/x": a_chain(*range(12)), "chain/y": a_chain(*range(12))}) == []


def test_a_file_with_an_unknown_variable_is_refused(tmp_path: Path) -> None:
    (tmp_path / "form.yaml").write_text("origins: ['${SITE}']")

    with pytest.raises(PolicyError, match="SITE"):
        read_policy(tmp_path, {})
    with pytest.raises(PolicyError, match="no policy"):
        read_policy(tmp_path / "empty", {})
    (tmp_path / "form.yaml").write_text("a: [")
    with pytest.raises(PolicyError, match="form"):
        read_policy(tmp_path, {})


def test_a_new_container_reads_the_policy_in_two_round_trips(store: PolicyStore) -> None:
    store.publish(SAMPLE)
    calls: list[str] = []
    store._table.dynamodb.meta.events.register(
        "before-call.dynamodb", lambda model, **_: calls.append(model.name)
    )
    fresh = PolicyStore(store._table)

    form = fresh.current().form("demo-ru")
    assert form is not None
    policy = fresh.current()
    policy.chain(form.chain)
    policy.calendar(form.calendar)
    policy.definition(form.definition)

    assert calls == ["GetItem", "BatchGetItem"]


def test_who_has_very_many_documents_reads_them_one_by_one(
    store: PolicyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.adapters.policy_store.FETCHED_AT_ONCE", 2)
    store.publish(SAMPLE)

    policy = PolicyStore(store._table).current()

    assert policy.form("demo-en") is not None
    assert policy.calendar("always").always


def test_a_document_that_was_lost_is_named(store: PolicyStore, table: Table) -> None:
    store.publish(SAMPLE)
    lost = {name: {"S": value} for name, value in keys.policy_document("chain/default", 1).items()}
    table.dynamodb.delete_item(TableName=table.name, Key=lost)

    with pytest.raises(PolicyError, match="chain/default version 1"):
        PolicyStore(table).current().chain("default")
