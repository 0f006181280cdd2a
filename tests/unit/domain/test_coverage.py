"""Whether people stand behind the policy: whom rules ask for, and who is there when."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.coverage import LOOK_AHEAD, coverage, joined, stretch, unattended
from shared.domain.policy import Policy, parse_document
from shared.domain.roster import Rep, Roster
from tests.unit.domain.samples import A_FORM, a_rep

FRIDAY = datetime(2026, 11, 27, 8, tzinfo=UTC)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")


def hours(days: tuple[str, ...], *windows: str) -> dict[str, Any]:
    return {"zone": "Europe/Berlin", "week": {day: [*windows] for day in days}}


def a_chain(*owner_via: str, manager_via: Sequence[str] = ("sms", "email")) -> dict[str, Any]:
    """Of two steps: the owner is told through these channels, managers through those."""
    steps = (("new", "owner", owner_via), ("breach", "manager", manager_via))
    return {
        "steps": [
            {"step": kind, "after_seconds": at, "alert": [{"who": who, "kind": kind, "via": via}]}
            for at, (kind, who, via) in zip((0, 300), steps, strict=True)
        ]
    }


DOCUMENTS: Mapping[str, object] = {
    "form/demo": A_FORM,
    "chain/default": a_chain("sms", "email"),
    "calendar/always": {"zone": "UTC", "always": True},
    "calendar/shop": hours((*WEEKDAYS, "sat"), "10:00-18:00"),
    "calendar/week": hours(WEEKDAYS, "09:00-20:00"),
    "calendar/mornings": hours((*WEEKDAYS, "sat"), "08:00-14:00"),
    "calendar/never": {"zone": "UTC"},
}
ANNA, BOSS = a_rep("anna"), a_rep("boss", role="manager")


def a_policy(*rules: Mapping[str, object], **changed: object) -> Policy:
    """Of one form with these rules before the last, some documents changed."""
    documents = {
        **DOCUMENTS,
        "routing/default": {"rules": [*rules, {"rule": "everybody"}]},
        **{name.replace("_", "/"): body for name, body in changed.items()},
    }
    parsed = {name: parse_document(name, body) for name, body in documents.items()}
    return Policy(1, parsed.get, names=parsed)


def problems(policy: Policy, *people: Rep) -> tuple[str, ...]:
    return coverage(policy, people, FRIDAY).problems


def notes(policy: Policy, *people: Rep) -> tuple[str, ...]:
    return coverage(policy, people, FRIDAY).notes


OF_THE_SHOP = a_policy(form_demo={**A_FORM, "calendar": "shop"})
"""Open on six days from ten to six."""


def test_people_who_are_always_there_lack_nothing() -> None:
    assert coverage(a_policy(), [ANNA, BOSS], FRIDAY) == ((), (), ())


# --- teams ---------------------------------------------------------------------------------------


def test_a_team_without_people_is_no_problem_yet() -> None:
    """Policy is published before people can name its calendars."""
    assert coverage(a_policy(), [], FRIDAY) == ((), (), ("sales",))


@pytest.mark.parametrize(
    "rep",
    [
        BOSS,
        a_rep("x", active=False),
        a_rep("x", phone=None, email=None),
        a_rep("x", role="manager"),
    ],
)
def test_a_team_needs_somebody_who_can_be_given_a_lead(rep: Rep) -> None:
    assert problems(a_policy(), BOSS, rep) == ("team sales: nobody can be given a lead",)


@pytest.mark.parametrize(
    "manager",
    [
        ANNA,
        BOSS.model_copy(update={"active": False}),
        BOSS.model_copy(update={"phone": None, "email": None}),
    ],
)
def test_a_team_needs_a_manager_who_can_be_reached(manager: Rep) -> None:
    (problem,) = problems(a_policy(), ANNA, manager)

    assert problem.startswith("team sales: no manager can be reached")


def test_who_is_off_duty_today_can_be_given_leads_all_the_same() -> None:
    """A switch is not a hole in the policy; the hours say that nobody is there."""
    off = ANNA.model_copy(update={"on_duty": False})

    found = coverage(a_policy(), [off, BOSS], FRIDAY)

    assert found.problems == ()
    (note,) = found.notes

    assert note == (
        "form/demo: nobody of `everybody` is there at any time of the next 14 days: "
        "the manager will be told at once"
    )


def test_forms_of_tests_ask_for_nobody() -> None:
    test = {**A_FORM, "form_id": "canary", "team": "canary", "is_test": True}

    assert coverage(a_policy(form_canary=test), [ANNA, BOSS], FRIDAY) == ((), (), ())


def test_a_shift_by_a_calendar_that_does_not_exist_is_a_problem() -> None:
    lost = a_rep("lost", calendar="gone", team="support")

    assert problems(a_policy(), ANNA, BOSS, lost) == ("support/lost: calendar/gone does not exist",)
    assert problems(a_policy(), ANNA, BOSS, lost.model_copy(update={"active": False})) == ()


# --- channels ------------------------------------------------------------------------------------

NO_PHONE, NO_EMAIL = {"phone": None}, {"email": None}
SMS_ONLY = a_chain("sms")


def test_a_chain_reaches_everybody_who_may_be_given_its_leads() -> None:
    people = (a_rep("anna", **NO_PHONE), a_rep("boris"), a_rep("clara", **NO_PHONE), BOSS)

    assert problems(a_policy(), *people) == ()
    assert problems(a_policy(chain_default=SMS_ONLY), *people) == (
        "sales/anna: no alert of a new lead arrives: chain/default sends it by sms only",
        "sales/clara: no alert of a new lead arrives: chain/default sends it by sms only",
    )


@pytest.mark.parametrize("fields", [{"active": False}, {"role": "manager"}, {"team": "support"}])
def test_who_is_given_no_lead_need_not_be_reached(fields: dict[str, Any]) -> None:
    other = a_rep("x", **{**NO_PHONE, **fields})

    assert problems(a_policy(chain_default=SMS_ONLY), ANNA, BOSS, other) == ()


def test_a_chain_reaches_one_manager_at_least() -> None:
    policy = a_policy(chain_default=a_chain("sms", manager_via=["email"]))
    deaf = BOSS.model_copy(update=NO_EMAIL)
    unheard = ("team sales: no alert to a manager arrives: chain/default sends it by email only",)

    assert problems(policy, ANNA, deaf) == unheard
    assert problems(policy, ANNA, deaf, a_rep("max", role="manager", active=False)) == unheard
    assert problems(policy, ANNA, deaf, a_rep("max", role="manager")) == ()


def test_what_a_manager_is_told_only_sometimes_does_not_count() -> None:
    new, breach = a_chain("sms", manager_via=["email"])["steps"]
    by_sms = {**breach, "alert": [{"who": "manager", "kind": "breach", "via": ["sms"]}]}
    on_it = {**by_sms, "step": "on_it", "when": "acknowledged"}
    stop, too_late = {**breach, "stop": True}, {**by_sms, "step": "too_late", "after_seconds": 600}
    deaf = BOSS.model_copy(update=NO_EMAIL)

    for steps in ([new, on_it, breach], [new, stop, too_late]):
        assert problems(a_policy(chain_default={"steps": steps}), ANNA, deaf)
    assert problems(a_policy(chain_default={"steps": [new, breach, too_late]}), ANNA, deaf) == ()


def test_a_chain_of_a_rule_has_only_the_people_of_the_rule() -> None:
    rule = {"rule": "german", "countries": ["DE"], "skill": "de", "chain": "german"}
    dora, emma = a_rep("dora", skills=["de"], **NO_PHONE), a_rep("emma", skills=["en"], **NO_PHONE)
    known = {"rule": "known", "to": "previous_owner"}
    english = {"rule": "english", "languages": ["en"], "skill": "en"}
    by_sms = "no alert of a new lead arrives: chain/german sends it by sms only"

    assert problems(a_policy(rule, chain_german=SMS_ONLY), dora, emma, BOSS) == (
        f"sales/dora: {by_sms}",
    )
    passing = {**rule, "when_empty": "next_rule"}
    for rules in ([passing, english], [known, rule]):
        found = problems(a_policy(*rules, chain_german=SMS_ONLY), dora, emma, BOSS)
        assert found == (f"sales/dora: {by_sms}", f"sales/emma: {by_sms}")


def test_people_of_several_forms_are_named_once() -> None:
    policy = a_policy(chain_default=SMS_ONLY, form_more={**A_FORM, "form_id": "more"})

    assert len(problems(policy, a_rep("anna", **NO_PHONE), BOSS)) == 1


# --- skills --------------------------------------------------------------------------------------

GERMAN: dict[str, object] = {"rule": "german", "countries": ["DE", "AT"], "skill": "de"}


def test_a_skill_that_nobody_has_is_a_problem() -> None:
    assert problems(a_policy(GERMAN), ANNA, BOSS) == (
        "routing/default: german: nobody of team sales who can be given a lead has the skill de",
    )


@pytest.mark.parametrize(
    "fields",
    [{"active": False}, {"phone": None, "email": None}, {"role": "manager"}, {"team": "support"}],
)
def test_somebody_who_cannot_be_given_leads_has_the_skill_in_vain(fields: dict[str, Any]) -> None:
    assert problems(a_policy(GERMAN), ANNA, BOSS, a_rep("dora", skills=["de"], **fields))


def test_a_rule_that_goes_on_to_the_next_is_only_noted() -> None:
    policy = a_policy({**GERMAN, "when_empty": "next_rule"})

    assert problems(policy, ANNA, BOSS) == ()
    (note,) = notes(policy, ANNA, BOSS)

    assert note == (
        "routing/default: german: nobody of team sales who can be given a lead has the skill de, "
        "so it is always passed over"
    )


def test_a_skill_that_somebody_has_is_fine() -> None:
    policy = a_policy(GERMAN)

    assert coverage(policy, [ANNA, BOSS, a_rep("dora", skills=["de"])], FRIDAY) == ((), (), ())


@pytest.mark.parametrize(
    "rule",
    [
        {**GERMAN, "forms": ["other"]},
        {"rule": "known", "to": "previous_owner"},
    ],
)
def test_a_rule_that_no_lead_of_the_form_comes_to_asks_for_nobody(rule: dict[str, object]) -> None:
    other = {**A_FORM, "form_id": "other", "is_test": True}

    assert coverage(a_policy(rule, form_other=other), [ANNA, BOSS], FRIDAY) == ((), (), ())


@pytest.mark.parametrize(
    "condition",
    [{"channels": ["Direct"]}, {"languages": ["ru"]}, {"countries": ["KZ"]}, {"forms": ["demo"]}],
)
def test_every_lead_that_may_come_is_thought_of(condition: dict[str, object]) -> None:
    assert problems(a_policy({"rule": "some", "skill": "rare", **condition}), ANNA, BOSS)


def test_a_skill_is_told_of_once_for_all_forms() -> None:
    policy = a_policy(GERMAN, form_more={**A_FORM, "form_id": "more"})

    assert len(problems(policy, ANNA, BOSS)) == 1


# --- hours ---------------------------------------------------------------------------------------


def test_hours_in_which_nobody_is_on_shift_are_noted() -> None:
    (note,) = notes(OF_THE_SHOP, a_rep("anna", calendar="week"), BOSS)

    assert note == (
        "form/demo: nobody of `everybody` is there Sat 28 Nov 10:00-18:00, Sat 5 Dec 10:00-18:00 "
        "(Europe/Berlin): the manager will be told at once"
    )


def test_shifts_of_several_people_add_up() -> None:
    week, mornings = a_rep("anna", calendar="week"), a_rep("boris", calendar="mornings")

    (note,) = notes(OF_THE_SHOP, week, mornings, BOSS)

    assert "is there Sat 28 Nov 14:00-18:00, Sat 5 Dec 14:00-18:00 (Europe/Berlin)" in note


def test_an_absence_leaves_a_gap() -> None:
    # From three in the afternoon to noon on Monday, in Berlin.
    away = [{"since": "2026-11-27T14:00:00Z", "until": "2026-11-30T11:00:00Z"}]

    (note,) = notes(a_policy(), a_rep("anna", absences=away), BOSS)

    assert "is there Fri 27 Nov 14:00 - Mon 30 Nov 11:00 (UTC)" in note


def test_a_colleague_off_duty_closes_no_gap() -> None:
    week = a_rep("anna", calendar="week")
    for fields in ({"on_duty": False}, {"missed_pages": 2}):
        assert notes(OF_THE_SHOP, week, a_rep("boris", **fields), BOSS)
    assert notes(OF_THE_SHOP, week, a_rep("boris"), BOSS) == ()


def test_a_calendar_that_is_closed_wants_nobody() -> None:
    policy = a_policy(form_demo={**A_FORM, "calendar": "week"})

    assert notes(policy, a_rep("anna", calendar="week"), BOSS) == ()


def test_only_people_of_the_rule_count() -> None:
    dora = a_rep("dora", skills=["de"], calendar="week")

    (note,) = notes(a_policy(GERMAN, form_demo={**A_FORM, "calendar": "shop"}), ANNA, dora, BOSS)

    assert note.startswith("form/demo: nobody of `german` is there Sat 28 Nov")


def test_a_rule_that_goes_on_has_the_people_of_the_next_too() -> None:
    english = {"rule": "english", "countries": ["DE"], "skill": "en"}
    policy = a_policy(
        {**GERMAN, "when_empty": "next_rule"}, english, form_demo={**A_FORM, "calendar": "shop"}
    )
    dora = a_rep("dora", skills=["de"], calendar="mornings")
    emma = a_rep("emma", skills=["en"], calendar="week")

    (note,) = notes(policy, dora, emma, ANNA, BOSS)

    assert note.startswith(
        "form/demo: nobody of `german` or `english` is there Sat 28 Nov 14:00-18:00, Sat 5 Dec 14"
    )


def test_forms_alike_are_told_of_together() -> None:
    forms = {f"form_f{number}": {**A_FORM, "form_id": f"f{number}"} for number in range(4)}

    (note,) = notes(a_policy(**forms), a_rep("anna", calendar="week"), BOSS)

    assert note.startswith("form/demo, form/f0, form/f1 and 2 more: nobody of `everybody` is there")
    assert " and 7 more (UTC)" in note, "eight nights and two weekends"


def test_a_long_list_of_gaps_is_cut() -> None:
    rules = [
        {"rule": f"r{number}", "countries": [country], "skill": f"s{number}"}
        for number, country in enumerate(("DE", "AT", "CH", "FR", "IT", "ES", "PL"))
    ]
    people = [
        a_rep(f"p{number}", skills=[f"s{number}"], calendar="week") for number in range(len(rules))
    ]

    found = notes(a_policy(*rules), *people, ANNA, BOSS)

    assert len(found) == 6
    assert found[-1] == "2 more forms and rules have hours with nobody there"


@given(
    shifts=st.lists(
        st.sampled_from([None, "shop", "week", "mornings", "never"]), min_size=1, max_size=3
    ),
    away=st.lists(st.tuples(st.integers(-50, 400), st.integers(1, 100)), max_size=3),
    of_form=st.sampled_from(["always", "shop", "week"]),
    hour=st.integers(0, 24 * 14 - 1),
)
def test_a_gap_is_when_the_roster_has_nobody(
    shifts: list[str | None], away: list[tuple[int, int]], of_form: str, hour: int
) -> None:
    policy = a_policy()
    absences = [
        {
            "since": FRIDAY + timedelta(hours=since),
            "until": FRIDAY + timedelta(hours=since + length),
        }
        for since, length in away
    ]
    people = [
        a_rep(f"r{number}", calendar=shift, absences=absences if number == 0 else [])
        for number, shift in enumerate(shifts)
    ]
    calendar, at = policy.calendar(of_form), FRIDAY + timedelta(hours=hour)

    gaps = unattended(calendar, people, policy.shift, FRIDAY)

    is_gap = any(since <= at < until for since, until in gaps)
    nobody_there = not Roster(people, at, policy.shift).on_duty
    assert is_gap == (calendar.is_open(at) and nobody_there)
    assert all(since < until <= FRIDAY + LOOK_AHEAD for since, until in gaps)


# --- words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "until", "says"),
    [
        ("2026-11-28T09:00Z", "2026-11-28T13:00Z", "Sat 28 Nov 10:00-14:00"),
        ("2026-11-27T23:00Z", "2026-11-28T23:00Z", "Sat 28 Nov 00:00-24:00"),
        ("2026-11-27T17:00Z", "2026-11-30T08:00Z", "Fri 27 Nov 18:00 - Mon 30 Nov 09:00"),
        ("2026-11-27T17:00Z", "2026-11-30T23:00Z", "Fri 27 Nov 18:00 - Mon 30 Nov 24:00"),
    ],
)
def test_a_stretch_is_told_by_the_clock_of_the_place(since: str, until: str, says: str) -> None:
    begins, ends = map(datetime.fromisoformat, (since, until))

    assert stretch(begins, ends, ZoneInfo("Europe/Berlin")) == says


def test_stretches_that_meet_are_one() -> None:
    first, second, third, fourth = (FRIDAY + timedelta(hours=hour) for hour in range(4))

    assert joined([(second, third), (first, second)]) == [(first, third)]
    assert joined([(first, fourth), (second, third)]) == [(first, fourth)]
    assert joined([(third, fourth), (first, second)]) == [(first, second), (third, fourth)]
