"""The daily look at channels: managers hear whom alerts would not reach, once a day."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from check_channels.service import Found, Parts, check
from shared.adapters.alerts import AlertRefusedError
from shared.domain.channels import Problem
from shared.domain.events import Via
from shared.domain.roster import Rep
from shared.errors import AlertNotSentError, ChannelsNotCheckedError
from tests.unit.domain.samples import a_rep, at

ANNA = a_rep("anna", name="Анна-Мария О'Нил 👋")
BORIS = a_rep("boris", phone="+447700900002")
MARIA = a_rep("maria", role="manager", locale="ru", phone="+447700900003")
OLGA = a_rep("olga", role="manager", phone="+447700900004")
OTHER = a_rep("other", team="service", role="manager")
STAFF = [ANNA, BORIS, MARIA, OLGA, OTHER]
NOW = at(0)

STOPPED = Problem(ANNA, "sms", "opted_out")


class World:
    """Everything around the check, and what it came to."""

    def __init__(self, *problems: Problem, people: Iterable[Rep] = STAFF) -> None:
        self.problems = problems
        self.staff = list(people)
        self.limit = 50.0
        self.unanswered: set[str] = set()
        self.refused: set[tuple[str, Via]] = set()
        self.told_on: dict[str, date] = {}
        self.sent: list[tuple[str, Via, str]] = []
        self.ops: list[tuple[str, str]] = []
        self.ops_fail = False

    # what is asked
    def of_team(self, team: str) -> list[Rep]:
        return [rep for rep in self.staff if rep.team == team]

    def current(self) -> Any:
        class Form:
            def __init__(self, team: str, *, is_test: bool = False) -> None:
                self.team, self.is_test = team, is_test

        class Policy:
            forms = (Form("sales"), Form("sales"), Form("service"), Form("canary", is_test=True))

        return Policy()

    @property
    def checks(self) -> Sequence[Callable[[Sequence[Rep]], list[Problem]]]:
        return (self._check("email"), self._check("sms"))

    def _check(self, via: str) -> Callable[[Sequence[Rep]], list[Problem]]:
        def one(people: Sequence[Rep]) -> list[Problem]:
            if via in self.unanswered:
                raise ChannelsNotCheckedError(via)
            return [p for p in self.problems if p.via == via and p.rep in people]

        return one

    def sms_limit(self) -> float:
        if "spend" in self.unanswered:
            raise ChannelsNotCheckedError("spend")
        return self.limit

    # what is noted and sent
    def channels_told_on(self, team: str) -> date | None:
        return self.told_on.get(team)

    def note_channels_told(self, team: str, on: date) -> None:
        self.told_on[team] = on

    def sms(self, phone: str, text: str) -> str:
        rep = next(rep for rep in self.staff if rep.phone == phone)
        return self._take(rep, "sms", text)

    def email(self, rep: Rep, subject: str, text: str) -> str:
        return self._take(rep, "email", f"{subject}\n{text}")

    def _take(self, rep: Rep, via: Via, text: str) -> str:
        if (rep.rep_id, via) in self.refused:
            raise AlertRefusedError("opted_out")
        self.sent.append((rep.rep_id, via, text))
        return "m"

    def send(self, subject: str, text: str) -> None:
        if self.ops_fail:
            raise AlertNotSentError("Throttled")
        self.ops.append((subject, text))

    def check(self, now: datetime = NOW) -> Found:
        return check(Parts(self, self, self, self, self), now)

    @property
    def reached(self) -> list[tuple[str, Via]]:
        return [(rep_id, via) for rep_id, via, _ in self.sent]


def test_when_nothing_is_wrong_nobody_hears_of_it() -> None:
    world = World()

    assert world.check() == Found(5, 0, 0)
    assert (world.sent, world.ops, world.told_on) == ([], [], {})


def test_managers_of_the_team_hear_who_and_why_in_their_language() -> None:
    world = World(STOPPED)

    assert world.check() == Found(5, 1, 1)
    assert world.reached == [("maria", "email"), ("olga", "email")]
    russian, english = (text for _, _, text in world.sent)
    assert "Анна-Мария О'Нил 👋\nSMS: с этого номера ответили STOP." in russian
    assert "Анна-Мария О'Нил 👋\nSMS: the number answered STOP." in english
    ((subject, text),) = world.ops
    assert subject == "Alerts may not arrive: Анна-Мария О'Нил 👋"
    assert english == f"{subject}\n{text}"


def test_each_team_hears_of_its_own_people_only() -> None:
    world = World(STOPPED, Problem(OTHER, "sms", "opted_out"))
    world.check()

    texts = {rep_id: text for rep_id, _, text in world.sent}
    assert set(texts) == {"maria", "olga", "other"}
    assert "Анна" not in texts["other"]
    assert "Other" not in texts["olga"]
    assert len(world.ops) == 2


def test_the_same_is_told_once_a_day() -> None:
    world = World(STOPPED)
    world.check()
    assert world.check(NOW + timedelta(hours=3)).teams_told == 0
    assert len(world.sent) == 2

    assert world.check(NOW + timedelta(days=1)).teams_told == 1
    assert len(world.sent) == 4


def test_a_manager_whose_e_mail_is_broken_is_texted() -> None:
    world = World(Problem(MARIA, "email", "not_confirmed"))
    world.staff = [ANNA, MARIA]
    world.check()

    ((rep_id, via, text),) = world.sent
    assert (rep_id, via) == ("maria", "sms")
    assert text == "Оповещения могут не дойти:\nMaria: адрес не подтверждён"


def test_a_manager_is_told_by_the_next_channel_when_one_is_refused() -> None:
    world = World(STOPPED)
    world.refused = {("maria", "email"), ("olga", "email"), ("olga", "sms")}
    world.staff = [ANNA, MARIA, OLGA]
    world.check()

    assert world.reached == [("maria", "sms")]
    assert len(world.ops) == 1


def test_who_has_no_channel_at_all_is_named_and_who_has_left_is_not() -> None:
    mute = a_rep("mute", phone=None, email=None)
    gone = a_rep("gone", phone=None, email=None, active=False)
    world = World(people=[mute, gone, OLGA])
    world.check()

    ((_, _, text),) = world.sent
    assert "Mute\nNo channel: neither phone nor e-mail is entered." in text
    assert "Gone" not in text


def test_a_limit_that_a_few_sms_reach_is_told_with_nobodys_name() -> None:
    world = World(people=[ANNA, OLGA])
    world.limit = 1.0
    world.check()

    ((_, _, text),) = world.sent
    assert text.startswith("Alerts may not arrive\nSMS stop without an error after 1 USD a month")
    world = World(people=[OLGA.model_copy(update={"phone": None})])
    world.limit = 1.0
    assert world.check().teams_told == 0


def test_what_aws_did_not_say_fails_after_the_rest_was_told() -> None:
    world = World(STOPPED)
    world.unanswered = {"email", "spend"}

    with pytest.raises(ChannelsNotCheckedError, match="email, spend"):
        world.check()
    assert len(world.sent) == 2
    # Tried again, nobody hears it twice.
    with pytest.raises(ChannelsNotCheckedError):
        world.check()
    assert len(world.sent) == 2


def test_a_day_counts_as_told_only_when_everybody_was() -> None:
    world = World(STOPPED)
    world.ops_fail = True
    with pytest.raises(AlertNotSentError):
        world.check()

    assert world.told_on == {}
