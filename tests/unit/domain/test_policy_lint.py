"""Follow-up that is not published: chains that leave a lead alone, rules that lead nowhere."""

from collections.abc import Mapping
from typing import Any

import pytest

from shared.domain.policy import check
from tests.unit.domain.samples import A_FORM

NEW = {
    "step": "new",
    "after_seconds": 0,
    "alert": [{"who": "owner", "kind": "new", "via": ["sms"]}],
}
TELL_MANAGER = {
    "step": "breach",
    "after_seconds": 300,
    "alert": [{"who": "manager", "kind": "breach", "via": ["sms"]}],
}
SOUND: Mapping[str, Any] = {
    "form/demo": A_FORM,
    "chain/default": {"steps": [NEW, TELL_MANAGER]},
    "calendar/always": {"zone": "UTC", "always": True},
    "definition/default": {
        "title": "Any",
        "criteria": [{"id": "reachable", "check": "reachable", "otherwise": "raw"}],
    },
    "routing/default": {"rules": [{"rule": "everybody"}]},
}


def problems(**changed: object) -> list[str]:
    """Of sound policy with some documents changed, `chain_default` for `chain/default`."""
    return check({**SOUND, **{name.replace("_", "/"): body for name, body in changed.items()}})


def test_sound_policy_has_no_problem() -> None:
    assert check(SOUND) == []


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        (
            [TELL_MANAGER],
            "its first step does not tell the owner of the new lead",
        ),
        (
            [{**NEW, "when": "acknowledged"}, TELL_MANAGER],
            "its first step does not tell the owner of the new lead",
        ),
        (
            [
                {**NEW, "alert": [{"who": "owner", "kind": "reminder", "via": ["sms"]}]},
                TELL_MANAGER,
            ],
            "its first step does not tell the owner of the new lead",
        ),
        (
            [{**NEW, "after_seconds": 300}, {**TELL_MANAGER, "after_seconds": 400}],
            "its first step comes at 300 seconds, too late for a first call within 300",
        ),
        ([NEW], "no manager is told when nobody reacts: a step without `when` must do it"),
        (
            [NEW, {**TELL_MANAGER, "when": "not_acknowledged"}],
            "no manager is told when nobody reacts: a step without `when` must do it",
        ),
        (
            [NEW, {"step": "enough", "after_seconds": 60, "stop": True}, TELL_MANAGER],
            "it may stop at enough before a manager was told",
        ),
    ],
)
def test_a_chain_that_may_leave_a_lead_alone_is_refused(
    steps: list[dict[str, Any]], why: str
) -> None:
    assert problems(chain_default={"steps": steps}) == [f"chain/default: {why}"]


def test_a_chain_whose_owner_is_told_after_the_deadline_is_refused() -> None:
    late = [{**NEW, "after_seconds": 800}, {**TELL_MANAGER, "after_seconds": 850}]

    assert problems(chain_default={"respond_within_seconds": 60, "steps": late}) == [
        "chain/default: its first step comes at 800 seconds, too late for a first call within 60"
    ]
    assert problems(chain_default={"respond_within_seconds": 801, "steps": late}) == []


def test_a_chain_that_takes_leads_before_anybody_could_react_is_refused() -> None:
    soon = {"step": "soon", "after_seconds": 100, "reassign": True}
    chain = {"acknowledge_within_seconds": 120, "steps": [NEW, soon, TELL_MANAGER]}

    assert problems(chain_default=chain) == [
        "chain/default: soon takes the lead before acknowledge_within_seconds are over"
    ]
    assert problems(chain_default={**chain, "acknowledge_within_seconds": 100}) == []


def test_a_chain_that_stops_with_the_manager_told_is_sound() -> None:
    assert problems(chain_default={"steps": [NEW, {**TELL_MANAGER, "stop": True}]}) == []


def test_a_chain_that_does_not_follow_qualified_leads_is_refused() -> None:
    chain = {**SOUND["chain/default"], "follow": ["raw"]}

    assert problems(chain_default=chain) == ["chain/default: it does not follow qualified leads"]


def test_only_the_chain_of_tests_alone_may_tell_nobody() -> None:
    canary = {**A_FORM, "form_id": "canary", "is_test": True, "chain": "canary"}
    alone = {"steps": [NEW]}

    assert problems(form_canary=canary, chain_canary=alone) == []
    assert problems(form_canary=canary, chain_canary=alone, form_demo={**A_FORM, "chain": "canary"})


def test_a_chain_that_no_form_names_is_looked_at_too() -> None:
    """A rule may want it, or the next form."""
    assert len(problems(chain_spare={"steps": [NEW]})) == 1


def test_a_calendar_that_never_opens_is_refused() -> None:
    never = {"zone": "UTC", "exceptions": {"2026-12-24": ["10:00-13:00"]}}

    assert problems(calendar_office=never) == ["calendar/office: it never opens"]


@pytest.mark.parametrize(
    ("rule", "missing"),
    [
        ({"forms": ["demo", "gone"]}, "form/gone does not exist"),
        ({"chain": "gone"}, "chain/gone does not exist"),
        ({"channels": ["Direct", "Telepathy"]}, "there is no channel Telepathy"),
    ],
)
def test_a_rule_names_what_there_is(rule: dict[str, object], missing: str) -> None:
    rules = [{"rule": "odd", "languages": ["ru"], **rule}, {"rule": "everybody"}]

    assert problems(routing_default={"rules": rules}) == [f"routing/default: odd: {missing}"]


def test_a_rule_may_name_forms_chains_and_channels_that_exist() -> None:
    rule = {"rule": "fine", "forms": ["demo"], "chain": "default", "channels": ["Direct"]}

    assert problems(routing_default={"rules": [rule, {"rule": "everybody"}]}) == []


def test_a_form_names_routing_that_exists() -> None:
    """All but `default`, which means everybody by turns where there is none."""
    missing = problems(form_demo={**A_FORM, "routing": "vip"})
    without = {name: body for name, body in SOUND.items() if name != "routing/default"}

    assert missing == ["form/demo: routing/vip does not exist"]
    assert check(without) == []
