"""The planner over the sample chain: what is due, when, and that nothing is due twice."""

import pytest

from shared.domain import events as happened
from shared.domain.calendar import Calendar
from shared.domain.chain import Chain
from shared.domain.follow_up import needs_rep
from shared.domain.lead import Change
from shared.domain.projection import apply
from shared.domain.roster import Roster
from tests.unit.domain.following import a_terms, advance, planned, rep_does, settle_alerts
from tests.unit.domain.samples import (
    ANNA,
    MARIA,
    RECEIVED,
    SAMPLE_CHAIN,
    TEAM,
    TERMS,
    a_lead,
    a_rep,
    at,
    resubmitted,
)


def test_the_sample_chain_while_nobody_reacts() -> None:
    lead = a_lead()
    told = {}
    for _ in range(40):
        now = lead.due_at
        if now is None:
            break
        lead, happenings = advance(lead, now)
        told[(now - RECEIVED).total_seconds()] = happenings
        lead = settle_alerts(lead, now)

    first_round = {
        0: ["assign anna", "new anna sms", "new anna email"],
        120: ["repeat anna email", "escalate backup", "backup boris sms"],
        180: ["reminder anna sms"],
        300: [
            "ResponseBreached breach",
            "escalate manager",
            "breach maria sms",
            "breach maria email",
            "reassign boris",
            "reassigned boris sms",
            "reassigned boris email",
        ],
        600: ["escalate team", "offer anna sms", "offer boris sms", "offer clara sms"],
    }
    assert {second: told[second] for second in first_round} == first_round
    assert told[2700] == ["end"]
    assert max(told) == 2700
    assert lead.status == "open"
    assert lead.follow_up.wake_at is None


def test_the_first_plan_sets_the_first_wake_up_and_run() -> None:
    lead, _ = advance(a_lead(), at(0))

    assert lead.follow_up.wake_at == at(120)
    assert lead.follow_up.run == 1
    assert lead.due_at == at(30), "an unconfirmed alert is looked after before the next step"


def test_a_call_stops_the_chain() -> None:
    lead, _ = advance(a_lead(), at(0))
    lead = rep_does(lead, "no_answer", at(30))

    assert lead.open_alerts == {}
    assert lead.due_at is None
    for second in (60, 120, 300, 600, 5000):
        lead, happenings = advance(lead, at(second))
        assert happenings == []


def test_an_acknowledgement_stops_paging_and_not_the_clock() -> None:
    lead, _ = advance(a_lead(), at(0))
    lead = settle_alerts(lead, at(1))
    lead = rep_does(lead, "acknowledge", at(20))

    lead, at_two_minutes = advance(lead, at(120))
    assert at_two_minutes == []
    lead, at_three_minutes = advance(lead, at(180))
    assert at_three_minutes == ["reminder anna sms"]
    lead, at_five_minutes = advance(lead, at(300))
    assert at_five_minutes[0] == "ResponseBreached breach"
    assert "reminder anna sms" in at_five_minutes
    assert not any(event.startswith("reassign") for event in at_five_minutes)


# --- an acknowledgement that nobody followed by a call -------------------------------------------


def test_an_acknowledgement_without_a_call_expires_once_with_an_alert_of_its_own() -> None:
    lead, _ = advance(a_lead(), at(0))
    lead = rep_does(settle_alerts(lead, at(1)), "acknowledge", at(20))

    told = []
    for second in (20, 120, 180, 300, 319.999):
        lead, happenings = advance(lead, at(second))
        told += happenings
        lead = settle_alerts(lead, at(second))
    assert "AcknowledgementExpired" not in told
    assert lead.follow_up.wake_at == at(320)

    lead, happenings = advance(lead, at(320))
    assert happenings == ["AcknowledgementExpired", "reminder anna email"]
    assert all(alert_id.startswith("expired") for alert_id in lead.open_alerts)
    assert (lead.acknowledged_by, lead.rep_id) == (None, "anna")
    for second in (320, 321, 400, 599):
        assert advance(lead, at(second)) == (lead, [])


@pytest.mark.parametrize(
    ("second", "told"),
    [
        (60, ["AcknowledgementExpired", "reminder anna email"]),
        (119, ["AcknowledgementExpired", "reminder anna email"]),
        (120, ["AcknowledgementExpired", "reminder anna sms", "reminder anna email"]),
    ],
)
def test_the_end_of_an_acknowledgement_rings_unless_a_step_has_just_done_so(
    second: int, told: list[str]
) -> None:
    lead, _ = advance(a_lead(), at(0))
    lead = rep_does(lead, "acknowledge", at(second))
    lead, at_five_minutes = advance(lead, at(300))
    assert "reminder anna sms" in at_five_minutes

    assert advance(lead, at(second + 300))[1] == told


def test_a_step_does_not_ring_right_after_an_acknowledgement_that_ended() -> None:
    chain = SAMPLE_CHAIN.model_copy(update={"acknowledgement_lasts_seconds": 150})
    terms = a_terms(chain)
    lead, _ = advance(a_lead(), at(0), terms=terms)
    lead = rep_does(lead, "acknowledge", at(20), terms=terms)
    lead, at_its_end = advance(lead, at(170), terms=terms)
    assert at_its_end == ["AcknowledgementExpired", "reminder anna sms", "reminder anna email"]

    lead, at_three_minutes = advance(lead, at(180), terms=terms)

    assert at_three_minutes == []
    assert lead.follow_up.step > 2, "the step is done all the same"


def test_a_new_owner_is_reminded_however_short_before_the_former_one_was() -> None:
    lead, _ = advance(a_lead(), at(0))
    lead = rep_does(lead, "acknowledge", at(20))
    lead, _ = advance(settle_alerts(lead, at(21)), at(300))
    lead = rep_does(lead, "hand_over", at(301), to_rep_id="boris")
    chain = SAMPLE_CHAIN.model_copy(update={"acknowledgement_lasts_seconds": 30})
    terms = a_terms(chain)
    lead, _ = advance(lead, at(301), terms=terms)
    lead = rep_does(lead, "acknowledge", at(302), "boris", terms)

    assert advance(lead, at(332), terms=terms)[1] == [
        "AcknowledgementExpired",
        "reminder boris sms",
        "reminder boris email",
    ]


def test_two_steps_that_remind_both_ring() -> None:
    lead, _ = advance(a_lead(), at(0))
    first, *others = SAMPLE_CHAIN.steps
    remind = next(step for step in others if step.step == "reminder")
    again = remind.model_copy(update={"step": "again", "after_seconds": 200})
    terms = a_terms(SAMPLE_CHAIN.model_copy(update={"steps": (first, remind, again)}))

    lead, at_three_minutes = advance(lead, at(180), terms=terms)
    lead, soon_after = advance(lead, at(200), terms=terms)

    assert at_three_minutes == soon_after == ["reminder anna sms"]


def test_who_was_on_it_on_friday_evening_is_told_on_monday() -> None:
    office = Calendar.model_validate({"zone": "UTC", "week": {"mon": ["09:00-18:00"]}})
    terms = a_terms(calendar=office)
    lead = a_lead(respond_by=office.due(RECEIVED, 300))
    lead = rep_does(lead, "acknowledge", at(1), "boris", terms)
    lead, on_friday = advance(lead, at(2), terms=terms)
    assert on_friday == []

    monday = at(3 * 86400)
    assert advance(lead, monday, terms=terms)[1] == ["new boris sms", "new boris email"]


def test_who_was_handed_a_lead_at_night_is_not_told_that_it_is_new() -> None:
    office = Calendar.model_validate({"zone": "UTC", "week": {"mon": ["09:00-18:00"]}})
    terms = a_terms(calendar=office)
    lead = a_lead(respond_by=office.due(RECEIVED, 300))
    lead = rep_does(lead, "hand_over", at(1), "maria", terms, to_rep_id="boris")
    lead, on_friday = advance(lead, at(2), terms=terms)
    assert on_friday == ["handed_over boris sms", "handed_over boris email"]

    monday = at(3 * 86400)
    on_monday = advance(lead, monday, terms=terms)[1]
    assert on_monday == ["reassigned boris sms", "reassigned boris email"]


def test_where_nobody_is_there_in_a_break_two_looks_agree_on_when_to_look_again() -> None:
    day = Calendar.model_validate({"zone": "UTC", "week": {"fri": ["09:00-10:00", "11:00-18:00"]}})
    nobody = (a_rep("anna", on_duty=False), MARIA)
    in_the_break = at(2 * 3600 - 60)
    lead, told = advance(a_lead(), in_the_break, nobody, a_terms(calendar=day))
    assert "AssignmentFailed" in told

    assert lead.follow_up.wake_at == at(2 * 3600), "when it opens again"
    assert advance(lead, in_the_break, nobody, a_terms(calendar=day)) == (lead, [])


def test_a_round_later_nothing_is_new() -> None:
    lead = a_lead()
    told: list[str] = []
    while (now := lead.due_at) is not None and now <= at(900):
        lead, told = advance(lead, now)
        lead = settle_alerts(lead, now)

    assert told == ["repeat boris sms", "repeat boris email"]


def test_who_is_on_it_before_the_first_alert_is_not_told_of_it() -> None:
    lead = rep_does(a_lead(), "acknowledge", at(0), "boris")

    lead, told = advance(lead, at(1))

    assert told == []
    assert lead.follow_up.wake_at == at(120)
    assert "reminder boris sms" in advance(lead, at(180))[1], "they are reminded"


def test_an_acknowledgement_brings_the_planner_forward() -> None:
    lead, _ = advance(a_lead(), at(601))
    assert (lead.follow_up.wake_at, lead.follow_up.run) == (at(900), 1)
    lead = rep_does(lead, "acknowledge", at(590))

    lead, _ = advance(lead, at(602))

    assert (lead.follow_up.wake_at, lead.follow_up.run) == (at(890), 2)


def test_after_it_expired_somebody_else_can_be_on_it() -> None:
    lead, _ = advance(a_lead(), at(0))
    lead = rep_does(lead, "acknowledge", at(20))
    lead, _ = advance(lead, at(320))

    lead = rep_does(lead, "acknowledge", at(330), "boris")
    assert (lead.acknowledged_by, lead.rep_id) == ("boris", "boris")
    lead, _ = advance(lead, at(600))
    assert lead.acknowledged_by is None, "the whole team was asked"


def test_each_acknowledgement_expires_with_another_alert() -> None:
    chain = a_chain()
    lead, _ = advance(a_lead(), at(0), terms=a_terms(chain))
    alerts: set[str] = set()
    for second in (20, 340):
        lead = rep_does(lead, "acknowledge", at(second))
        lead, happenings = advance(
            settle_alerts(lead, at(second)), at(second + 300), terms=a_terms(chain)
        )
        assert "AcknowledgementExpired" in happenings
        alerts |= lead.open_alerts.keys()

    assert len(alerts) == 4


def test_a_call_or_a_new_owner_ends_an_acknowledgement_without_a_word() -> None:
    lead, _ = advance(a_lead(), at(0))
    acknowledged = rep_does(lead, "acknowledge", at(20))
    called = rep_does(acknowledged, "voicemail", at(100))
    assert advance(called, at(320)) == (called, [])

    moved = happened.LeadReassigned(from_rep_id="anna", to_rep_id="boris", reason="no_reaction")
    given = apply(acknowledged, Change((moved,)), at(100))
    for second in (120, 180, 300, 320, 400):
        given, happenings = advance(given, at(second))
        assert "AcknowledgementExpired" not in happenings


def test_an_acknowledgement_after_the_end_of_the_chain_expires_too() -> None:
    lead = a_lead()
    while (now := lead.due_at) is not None:
        lead, _ = advance(lead, now)
        lead = settle_alerts(lead, now)
    lead = rep_does(lead, "acknowledge", at(5000))
    assert lead.due_at == at(5300), "found by the sweeper though its event was never published"
    assert not lead.was_missed(at(5360))
    assert lead.was_missed(at(5361))

    lead, happenings = advance(lead, at(5001))
    assert (happenings, lead.follow_up.wake_at) == ([], at(5300))
    lead, happenings = advance(lead, at(5300))
    assert happenings[0] == "AcknowledgementExpired"
    assert settle_alerts(lead, at(5301)).due_at is None


def test_who_is_on_a_lead_that_nobody_follows_up_stays_on_it() -> None:
    lead = rep_does(a_lead(verdict="non_target"), "acknowledge", at(1))
    lead, _ = advance(lead, at(2))

    assert lead.due_at is None
    assert advance(lead, at(5000)) == (lead, [])
    assert lead.acknowledged_by == "anna"


# --- the deadline --------------------------------------------------------------------------------


def a_chain(*steps: dict[str, object], **fields: object) -> Chain:
    new = {"step": "new", "after_seconds": 0, "alert": [OWNER_BY_EMAIL]}
    return Chain.model_validate({"steps": [new, *steps], **fields})


OWNER_BY_EMAIL = {"who": "owner", "kind": "new", "via": ["email"]}
MANAGER_BY_EMAIL = {"who": "manager", "kind": "breach", "via": ["email"]}


def test_the_deadline_passes_although_no_step_says_so() -> None:
    chain = a_chain()
    lead, _ = advance(a_lead(), at(0), terms=a_terms(chain))
    assert lead.follow_up.wake_at == at(300)

    lead, happenings = advance(lead, at(300), terms=a_terms(chain))

    assert happenings == ["ResponseBreached deadline"]
    assert lead.breached_at == at(300)
    lead, happenings = advance(lead, at(900), terms=a_terms(chain))
    assert happenings == ["end"]


def test_a_step_that_breaches_before_the_deadline_does_not() -> None:
    early = {
        "step": "early",
        "after_seconds": 200,
        "breach": True,
        "alert": [MANAGER_BY_EMAIL],
    }
    chain = a_chain(early)
    lead, _ = advance(a_lead(), at(0), terms=a_terms(chain))

    lead, happenings = advance(lead, at(200), terms=a_terms(chain))
    assert happenings == ["escalate manager", "breach maria email"]
    assert (lead.breached_at, lead.follow_up.wake_at) == (None, at(300))
    lead, happenings = advance(lead, at(300), terms=a_terms(chain))
    assert happenings == ["ResponseBreached deadline"]


def test_a_step_that_is_left_out_leaves_the_deadline_to_pass_by_itself() -> None:
    only_if = {"step": "breach", "after_seconds": 300, "breach": True, "when": "acknowledged"}
    chain = a_chain(only_if)
    lead, _ = advance(a_lead(), at(0), terms=a_terms(chain))

    assert advance(lead, at(300), terms=a_terms(chain))[1] == ["ResponseBreached deadline"]


def test_a_chain_that_ends_before_the_deadline_does_not_forget_it() -> None:
    chain = a_chain(round_seconds=60)
    lead, _ = advance(a_lead(), at(0), terms=a_terms(chain))
    lead = settle_alerts(lead, at(1))

    lead, happenings = advance(lead, at(60), terms=a_terms(chain))
    assert (happenings, lead.due_at) == (["end"], at(300))
    lead, happenings = advance(lead, at(300), terms=a_terms(chain))
    assert (happenings, lead.due_at) == (["ResponseBreached deadline"], None)


def test_a_chain_that_ends_with_the_deadline_ends_after_it() -> None:
    lead, _ = advance(a_lead(), at(0), terms=a_terms(a_chain(round_seconds=300)))

    _, happenings = advance(lead, at(300), terms=a_terms(a_chain(round_seconds=300)))

    assert happenings == ["ResponseBreached deadline", "end"]


def test_a_step_that_the_calendar_never_reaches_holds_nothing_up() -> None:
    fair = Calendar.model_validate(
        {"zone": "UTC", "exceptions": {RECEIVED.date(): ["09:00-09:06"]}}
    )
    lead, happenings = advance(a_lead(), at(0), terms=a_terms(calendar=fair))
    assert happenings[0] == "assign anna"

    lead, happenings = advance(lead, at(4000), terms=a_terms(calendar=fair))

    assert "ResponseBreached breach" in happenings
    assert lead.follow_up.wake_at is None


# --- people --------------------------------------------------------------------------------------


def test_an_empty_team_is_told_to_the_manager_once() -> None:
    nobody = (a_rep("anna", on_duty=False), MARIA)

    lead, first = advance(a_lead(), at(0), nobody)
    lead, second = advance(lead, at(120), nobody)

    assert first == ["AssignmentFailed", "unassigned maria sms", "unassigned maria email"]
    assert second == []
    assert lead.rep_id is None


def test_somebody_who_comes_on_duty_gets_the_waiting_lead() -> None:
    lead, _ = advance(a_lead(), at(0), (MARIA,))

    lead, happenings = advance(lead, at(120), (ANNA, MARIA))

    assert happenings == ["assign anna", "new anna sms", "new anna email"]


def test_a_person_without_a_phone_is_told_by_e_mail_only() -> None:
    _, happenings = advance(a_lead(), at(0), (a_rep("anna", phone=None), MARIA))

    assert happenings == ["assign anna", "new anna email"]


def test_after_an_outage_each_person_is_told_once_per_channel() -> None:
    lead, happenings = advance(a_lead(), at(700))

    alerts = [event.split()[1:] for event in happenings if event.endswith(("sms", "email"))]
    assert len(alerts) == len({tuple(alert) for alert in alerts})
    assert "ResponseBreached breach" in happenings
    assert lead.follow_up.wake_at == at(900)


def test_at_quiet_hours_every_step_goes_by_mail() -> None:
    quiet = (a_rep("anna", quiet=["00:00-23:59"]), MARIA)

    lead, happenings = advance(a_lead(), at(0), quiet)
    assert happenings == ["assign anna", "new anna email"]
    lead, _ = advance(settle_alerts(lead, at(1)), at(120), quiet)
    _, happenings = advance(lead, at(180), quiet)
    assert "reminder anna email" in happenings, "policy names SMS only"
    assert "reminder anna sms" not in happenings


def test_a_non_target_lead_rings_nobody() -> None:
    lead, happenings = advance(a_lead(verdict="non_target"), at(0))

    assert happenings == []
    assert lead.due_at is None
    assert not needs_rep(lead, TERMS, Roster(TEAM, at(0)))


def test_the_owner_hears_of_a_further_submission_even_after_the_call() -> None:
    lead, _ = advance(a_lead(), at(0))
    lead = rep_does(lead, "talked", at(30))
    again = resubmitted()
    lead = apply(lead, Change((again,)), at(600))
    assert lead.due_at == at(600), "found by the sweeper though its event was never published"

    lead, happenings = advance(lead, at(601))
    assert happenings == ["again anna sms", "again anna email"]
    assert set(lead.open_alerts) == {"again2-anna-sms", "again2-anna-email"}
    assert advance(lead, at(602)) == (lead, [])


def test_a_hundred_further_submissions_are_one_message() -> None:
    lead, _ = advance(a_lead(), at(0))
    told = []
    for number in range(100):
        lead = apply(lead, Change((resubmitted(),)), at(10 + number / 10))
        lead, happenings = advance(lead, at(10 + number / 10))
        told += happenings

    assert told == ["again anna sms", "again anna email"]
    lead = settle_alerts(lead, at(30))
    assert lead.due_at == at(120), "the next step, before the rest is told of"
    lead = rep_does(lead, "no_answer", at(60))
    assert lead.due_at == at(610)
    lead, happenings = advance(lead, at(610))
    assert happenings == ["again anna sms", "again anna email"]
    assert settle_alerts(lead, at(611)).due_at is None


def test_a_lead_that_nobody_had_gets_an_owner_when_the_person_writes_again() -> None:
    nobody = (MARIA,)
    lead = a_lead()
    while lead.due_at is not None:
        now = lead.due_at
        lead, _ = advance(lead, now, nobody)
        lead = settle_alerts(lead, now)
    lead = apply(lead, Change((resubmitted(5000),)), at(5000))

    still, happenings = advance(lead, at(5001), nobody)
    assert happenings == []
    assert still.due_at == at(5000), "it stays due until somebody is there"
    lead, happenings = advance(still, at(5060))
    assert happenings == ["assign anna", "new anna sms", "new anna email"], "once for all of it"
    assert lead.follow_up.wake_at == at(5180), "the chain, which had ended, begins anew"
    assert lead.follow_up.told_submissions == 2


def test_an_execution_that_overslept_is_given_up_for_a_new_run() -> None:
    lead, _ = advance(a_lead(), at(0))

    change = planned(lead, at(200), new_run=True)

    assert change is not None
    assert change.follow_up is not None
    assert change.follow_up.run == 2


def test_a_better_submission_makes_an_unfollowed_lead_one_with_a_clock_of_its_own() -> None:
    lead, _ = advance(a_lead(verdict="non_target"), at(0))
    worse = apply(lead, Change((resubmitted(verdict="non_target"),)), at(500))
    assert (worse.verdict, worse.respond_by) == ("non_target", at(300))

    lead = apply(lead, Change((resubmitted(),)), at(600))

    assert (lead.verdict, lead.respond_by, lead.due_at) == ("qualified", at(900), at(600))
    lead, happenings = advance(lead, at(600))
    assert happenings == ["assign anna", "new anna sms", "new anna email"]
    assert lead.follow_up.wake_at == at(720)


def test_a_better_submission_of_a_lead_that_is_followed_up_moves_no_deadline() -> None:
    lead, _ = advance(a_lead(verdict="raw"), at(0))
    lead = apply(lead, Change((resubmitted(60),)), at(60))

    assert (lead.verdict, lead.respond_by) == ("qualified", at(300))
    assert lead.follow_up.wake_at == at(120)


def test_an_earlier_wake_up_is_a_new_run() -> None:
    lead, _ = advance(a_lead(), at(0))
    later = lead.model_copy(
        update={"follow_up": lead.follow_up.model_copy(update={"wake_at": at(170)})}
    )

    change = planned(later, at(1))

    assert change is not None
    assert change.follow_up is not None
    assert change.follow_up.wake_at == at(120)
    assert change.follow_up.run == 2


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ([{"step": "b", "after_seconds": 60}, {"step": "a", "after_seconds": 0}], "order"),
        ([{"step": "a", "after_seconds": 0}, {"step": "a", "after_seconds": 0}], "same name"),
        ([{"step": "a", "after_seconds": 901}], "before the round ends"),
    ],
)
def test_a_chain_that_makes_no_sense_is_refused(steps: list[object], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        SAMPLE_CHAIN.model_validate({"steps": steps})
