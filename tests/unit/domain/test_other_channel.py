"""When a channel refuses for good: the person's next one, then the next person, each once."""

from collections.abc import Sequence
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain import events as happened
from shared.domain.events import AlertFailed, AlertRequested, AlertSent, Via
from shared.domain.lead import Change, Lead
from shared.domain.projection import apply
from shared.domain.roster import Rep
from tests.unit.domain.following import advance, planned, rep_does
from tests.unit.domain.samples import ANNA, BORIS, MARIA, TEAM, a_lead, a_rep, at

NOW = at(0)
VIAS: tuple[Via, ...] = ("sms", "email")
Broken = frozenset[tuple[str, Via]]
"""Who cannot be reached by what."""


def settle(lead: Lead, broken: Broken, now: datetime) -> Lead:
    """The lead after every alert under way went out, or was refused for good."""
    for alert_id, alert in lead.open_alerts.items():
        common = {"alert_id": alert_id, "rep_id": alert.rep_id, "via": alert.via}
        outcome: AlertSent | AlertFailed
        if (alert.rep_id, alert.via) in broken:
            outcome = AlertFailed.model_validate({**common, "reason": "opted_out"})
        else:
            outcome = AlertSent.model_validate({**common, "message_id": "m"})
        lead = apply(lead, Change((outcome,)), now)
    return lead


def told(
    lead: Lead, *refused: tuple[str, Via], people: Sequence[Rep] = TEAM, now: datetime = NOW
) -> tuple[Lead, list[str]]:
    """What comes of a plan and of all that its failures set off, until nothing is left to do."""
    broken, said = frozenset(refused), []
    for _ in range(40):
        lead, what = advance(lead, now, people)
        said += what
        if not what:
            return lead, said
        lead = settle(lead, broken, now)
    raise AssertionError("it never ends")


def test_a_refused_sms_comes_as_an_e_mail_at_once() -> None:
    lead, _ = advance(a_lead(), at(0))
    lead = settle(lead, frozenset(), at(0))
    lead, said = advance(lead, at(180))
    assert said == ["repeat anna email", "escalate backup", "backup boris sms", "reminder anna sms"]

    lead = settle(lead, frozenset({("anna", "sms")}), at(181))
    change = planned(lead, at(181))

    assert change is not None
    (event,) = change.events
    assert isinstance(event, AlertRequested)
    assert (event.alert_id, event.kind, event.step) == (
        "1-reminder-anna-email",
        "reminder",
        "reminder",
    )


def test_and_an_e_mail_as_an_sms() -> None:
    lead, _ = advance(a_lead(), at(0))
    lead = settle(lead, frozenset(), at(0))
    _, said = told(lead, ("anna", "email"), now=at(120))

    assert said == ["repeat anna email", "escalate backup", "backup boris sms", "repeat anna sms"]


def test_what_came_by_the_other_channel_is_not_sent_again() -> None:
    lead, said = told(a_lead(), ("anna", "sms"))

    assert said == ["assign anna", "new anna sms", "new anna email"]
    assert not lead.settled_alerts
    assert lead.unheard == []


def test_while_the_other_channel_is_under_way_nothing_is_done() -> None:
    lead, _ = advance(a_lead(), at(0))
    failed = AlertFailed(alert_id="1-new-anna-sms", rep_id="anna", via="sms", reason="opted_out")
    lead = apply(lead, Change((failed,)), at(1))

    assert planned(lead, at(1)) is None
    assert lead.due_at == lead.open_alerts["1-new-anna-email"].requested_at.replace(second=30)


def test_who_is_reached_by_nothing_has_the_next_rep_told() -> None:
    lead, said = told(a_lead(), ("anna", "sms"), ("anna", "email"))

    assert said == [
        "assign anna",
        "new anna sms",
        "new anna email",
        "RepNotReached",
        "backup boris sms",
        "backup boris email",
    ]
    assert not lead.settled_alerts


def test_the_line_goes_on_to_the_managers_and_to_its_end() -> None:
    reps: Broken = frozenset((rep_id, via) for rep_id in ("anna", "boris") for via in VIAS)
    people = (ANNA, BORIS, MARIA)
    _, said = told(a_lead(), *reps, people=people)
    assert said[-3:] == ["RepNotReached", "backup maria sms", "backup maria email"]

    everybody: Broken = reps | frozenset(("maria", via) for via in VIAS)
    lead, said = told(a_lead(), *everybody, people=people)
    assert said[-1] == "RepNotReached"
    assert said.count("RepNotReached") == 3
    assert not lead.settled_alerts


def test_what_was_done_instead_is_told_with_names() -> None:
    lead, _ = advance(a_lead(), at(0))
    lead = settle(lead, frozenset({("anna", "sms"), ("anna", "email")}), at(1))
    change = planned(lead, at(1))

    assert change is not None
    assert change.events[0] == happened.RepNotReached(
        rep_id="anna",
        alert_ids=("1-new-anna-sms", "1-new-anna-email"),
        step="new",
        instead_rep_id="boris",
    )
    sms = change.events[1]
    assert isinstance(sms, AlertRequested)
    assert (sms.alert_id, sms.instead_of) == ("1-new-for.anna-boris-sms", ("anna",))


def test_a_manager_who_is_not_reached_is_stood_in_for_by_another_who_was_told_anyway() -> None:
    olga = a_rep("olga", role="manager")
    people = (*TEAM, olga)
    lead, _ = told(a_lead(), people=people)
    lead, said = told(lead, ("maria", "sms"), ("maria", "email"), people=people, now=at(300))

    assert "breach maria sms" in said
    assert "breach olga sms" in said
    assert said.count("RepNotReached") == 1
    assert not any(line.startswith("backup olga") for line in said)
    assert not lead.settled_alerts


def test_without_another_manager_the_reps_on_duty_hear_of_a_breach() -> None:
    lead, _ = told(a_lead())
    _, said = told(lead, ("maria", "sms"), ("maria", "email"), now=at(300))

    assert said[said.index("RepNotReached") + 1 :] == ["breach anna sms", "breach anna email"]


def test_news_of_somebody_off_duty_never_goes_to_a_rep() -> None:
    lead = a_lead(rep_id="anna", assigned_at=at(0))
    asked = AlertRequested(
        alert_id="off_duty5-maria-sms",
        round=1,
        step="off_duty",
        kind="off_duty",
        rep_id="maria",
        via="sms",
        about="anna",
    )
    lead = apply(lead, Change((asked,)), at(10))
    only_sms = [ANNA, BORIS, MARIA.model_copy(update={"email": None})]
    lead = settle(lead, frozenset({("maria", "sms")}), at(11))
    change = planned(lead, at(11), only_sms)

    assert change is not None
    assert [e for e in change.events if getattr(e, "about", None)] == []
    (given_up,) = [e for e in change.events if isinstance(e, happened.RepNotReached)]
    assert given_up.instead_rep_id is None


def test_a_call_ends_what_was_still_to_be_told() -> None:
    lead, _ = advance(a_lead(), at(0))
    lead = settle(lead, frozenset({("anna", "sms"), ("anna", "email")}), at(1))
    assert lead.unheard
    lead = rep_does(lead, "no_answer", at(2), "boris")

    assert not lead.settled_alerts
    assert planned(lead, at(2)) is None


def test_after_a_call_somebody_else_sees_to_what_was_asked_again() -> None:
    lead = rep_does(advance(a_lead(), at(0))[0], "no_answer", at(2))
    asked = AlertRequested(
        alert_id="again2-anna-sms", round=1, step="again", kind="again", rep_id="anna", via="sms"
    )
    lead = apply(lead, Change((asked,)), at(60))
    nothing = frozenset({("anna", via) for via in VIAS})
    lead = settle(lead, nothing, at(60))
    _, said = told(lead, *nothing, now=at(61))

    assert said[-2:] == ["unreachable boris sms", "unreachable boris email"]


def test_who_lost_the_lead_is_not_told_of_it_by_another_channel() -> None:
    lead, _ = advance(a_lead(), at(0))
    lead = settle(lead, frozenset({("anna", "sms"), ("anna", "email")}), at(1))
    lead = rep_does(lead, "hand_over", at(2), "maria", to_rep_id="boris")

    assert not lead.settled_alerts


def test_nobody_stands_in_for_an_owner_where_the_whole_team_is_told() -> None:
    people = (ANNA.model_copy(update={"email": None}), BORIS, MARIA)
    lead, _ = advance(a_lead(), at(0), people)
    lead = settle(lead, frozenset(), at(0))
    for second in (120, 180, 240, 299):
        lead, _ = advance(lead, at(second), people)
        lead = settle(lead, frozenset(), at(second))
    lead = rep_does(lead, "acknowledge", at(299))  # so that nobody takes it from her
    lead, _ = advance(lead, at(599), people)
    lead = settle(lead, frozenset(), at(599))

    _, said = told(lead, ("anna", "sms"), people=people, now=at(600))

    assert [line for line in said if line.startswith("backup")] == []
    assert "RepNotReached" in said


def test_who_has_left_is_not_told_by_another_channel() -> None:
    lead, _ = advance(a_lead(), at(0))
    lead = settle(lead, frozenset({("anna", "sms"), ("anna", "email")}), at(1))
    gone = [ANNA.model_copy(update={"active": False}), BORIS, MARIA]
    change = planned(lead, at(1), gone)

    assert change is not None
    said = [f"{e.kind} {e.rep_id}" for e in change.events if isinstance(e, AlertRequested)]
    assert "reassigned boris" in said
    assert not any(line.endswith("anna") for line in said)


def test_what_nobody_took_up_is_due_and_then_missed() -> None:
    lead, _ = advance(a_lead(), at(0))
    lead = settle(lead, frozenset({("anna", "sms"), ("anna", "email")}), at(1))

    assert lead.due_at == at(30)
    assert not lead.was_missed(at(60))
    assert lead.was_missed(at(61))


@pytest.mark.parametrize("via", VIAS)
def test_a_person_of_one_channel_has_no_other(via: Via) -> None:
    missing = {"phone": None} if via == "email" else {"email": None}
    people = [ANNA.model_copy(update=missing), BORIS, MARIA]
    _, said = told(a_lead(), ("anna", via), people=people)

    assert said[1:4] == [f"new anna {via}", "RepNotReached", "backup boris sms"]


people_and_channels = st.sets(
    st.tuples(st.sampled_from([rep.rep_id for rep in TEAM]), st.sampled_from(VIAS))
)


@given(people_and_channels, st.integers(1, 4))
def test_whatever_is_refused_somebody_hears_of_each_step_or_nobody_can(
    refused: set[tuple[str, Via]], moments: int
) -> None:
    """No alert is asked for twice, nothing is left over, and where anybody at all can be reached
    somebody was told within the same moment.
    """
    lead, asked, sent = a_lead(), list[str](), 0
    broken: Broken = frozenset(refused)
    for _ in range(moments):
        now = lead.due_at
        if now is None:
            break
        for _ in range(40):
            change = planned(lead, now)
            if change is None:
                break
            lead = apply(lead, change, now)
            asked += [e.alert_id for e in change.events if isinstance(e, AlertRequested)]
            sent += sum((a.rep_id, a.via) not in broken for a in lead.open_alerts.values())
            lead = settle(lead, broken, now)
        else:
            raise AssertionError("it never ends")
        assert not lead.open_alerts
        assert not lead.unheard
        assert not lead.settled_alerts
    assert len(asked) == len(set(asked))
    can_be_reached = {(rep.rep_id, via) for rep in TEAM for via in VIAS} - broken
    assert bool(sent) == bool(can_be_reached)
