"""The daily warning: short enough, one line where it must be one, and in the reader's language."""

import unicodedata
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.alerts import REFUSED_FOR_GOOD
from shared.domain.channels import Problem, ProblemCode
from shared.texts.alerts import SEGMENTS, segments
from shared.texts.channels import Warning as ChannelWarning
from shared.texts.channels import email, reason, sms
from tests.unit.domain.samples import a_rep

CODES: tuple[ProblemCode, ...] = get_args(ProblemCode)
problems = st.builds(
    Problem,
    st.builds(lambda name: a_rep("x", name=name), st.text(st.characters(codec=None), max_size=200)),
    st.sampled_from(["sms", "email", None]),
    st.sampled_from(CODES),
)
warnings = st.builds(
    ChannelWarning,
    st.just("sales"),
    st.lists(problems, min_size=1, max_size=12).map(tuple),
    st.sampled_from([None, 1.0]),
)
locales = st.sampled_from(["en", "ru"])


@given(warnings, locales)
def test_a_warning_fits_wherever_it_is_sent(warning: ChannelWarning, locale: str) -> None:
    subject, text = email(warning, locale)
    banned = {"Cc", "Cs", "Zl", "Zp"}

    assert segments(sms(warning, locale)) <= SEGMENTS
    assert 0 < len(subject.encode("utf-16-le")) // 2 < 100
    assert not {unicodedata.category(letter) for letter in subject} & banned
    assert not {unicodedata.category(letter) for letter in text.replace("\n", "")} & banned
    assert all(reason(problem.code, locale) in text for problem in warning.problems)


def test_an_sms_says_how_many_it_has_no_room_for() -> None:
    people = tuple(Problem(a_rep(f"rep{n}"), "sms", "opted_out") for n in range(30))
    text = sms(ChannelWarning("sales", people), "en")

    first, *names, last = text.splitlines()
    assert first == "Alerts may not arrive:"
    assert names[0] == "Rep0: the number answered STOP"
    assert last == f"and {30 - len(names)} more"


@pytest.mark.parametrize("code", sorted({*CODES, *REFUSED_FOR_GOOD.values(), "unreachable"}))
def test_each_reason_has_words_in_both_languages(code: str) -> None:
    assert reason(code, "en") != code
    assert reason(code, "ru") not in {code, reason(code, "en")}


def test_a_reason_of_a_newer_version_stays_a_code() -> None:
    assert reason("too_new", "ru") == "too_new"


def test_without_a_person_there_is_still_the_limit_to_tell() -> None:
    warning = ChannelWarning("sales", (), 1.0)

    assert email(warning, "en").subject == "Alerts may not arrive"
    assert sms(warning, "en") == "Alerts may not arrive:\nSMS stop after 1 USD a month"
