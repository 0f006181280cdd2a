from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
import yaml
from pydantic import ValidationError

from shared.domain.contact import Contact
from shared.domain.definition import Definition, judge

POLICY = Path(__file__).parents[3] / "infra" / "policy" / "definition"


class Answers(NamedTuple):
    contact: Contact
    values: Mapping[str, str] = MappingProxyType({})


def a_definition(**criterion: Any) -> Definition:
    whole = {"id": "one", "otherwise": "raw", **criterion}
    return Definition.model_validate({"title": "Ours", "criteria": [whole]})


@pytest.fixture
def sample() -> Definition:
    return Definition.model_validate(yaml.safe_load((POLICY / "default.yaml").read_text("utf-8")))


def test_who_meets_every_criterion_is_qualified(sample: Definition) -> None:
    contact = Contact(name="Ann", phone="+442079460958")
    judgement = judge(sample, Answers(contact, {"message": "Call me"}))
    assert judgement.verdict == "qualified"
    assert judgement.failed == ()
    assert [finding.reason for finding in judgement.findings] == ["phone", "name", "message"]


def test_who_misses_something_is_raw_with_the_reason(sample: Definition) -> None:
    judgement = judge(sample, Answers(Contact(name="Ann", email="a@example.com")))
    assert judgement.verdict == "raw"
    assert judgement.failed == ("need_stated",)
    assert judgement.findings[2] == ("need_stated", False, "no_message")


def test_who_cannot_be_reached_is_no_target(sample: Definition) -> None:
    judgement = judge(sample, Answers(Contact(), {"message": "Call me"}))
    assert judgement.verdict == "non_target"
    assert judgement.failed == ("reachable", "named")


@pytest.mark.parametrize(
    ("check", "contact", "values", "finding"),
    [
        ("reachable", {"phone": "+1", "email": "a@b.c"}, {}, (True, "phone_and_email")),
        ("need_stated", {}, {"message": "\xa0"}, (False, "no_message")),
        ("need_stated", {}, {"message": "hi"}, (False, "message_too_short")),
        ("company_known", {"company": "Acme"}, {}, (True, "company")),
        ("company_known", {"company_domain": "a.b"}, {}, (True, "company_domain")),
        ("company_known", {}, {}, (False, "no_company")),
        ("business_email", {"email": "a@b.c", "company_domain": "b.c"}, {}, (True, "business")),
        ("business_email", {"email": "a@gmail.com"}, {}, (False, "free_mail")),
        ("business_email", {}, {}, (False, "no_email")),
    ],
)
def test_each_check_says_what_it_found(
    check: str, contact: dict[str, str], values: dict[str, str], finding: tuple[bool, str]
) -> None:
    judgement = judge(a_definition(check=check), Answers(Contact(**contact), values))
    assert judgement.findings[0][1:] == finding


def test_an_answer_can_be_a_criterion() -> None:
    definition = a_definition(
        check="answer", field="budget", one_of=["10-50k", "50K+"], otherwise="non_target"
    )
    assert judge(definition, Answers(Contact(), {"budget": " 50k+ "})).verdict == "qualified"
    assert judge(definition, Answers(Contact(), {"budget": "1k"})).verdict == "non_target"
    assert judge(definition, Answers(Contact())).verdict == "non_target"


@pytest.mark.parametrize(
    "criteria",
    [
        [],
        [{"id": "a", "check": "clairvoyance", "otherwise": "raw"}],
        [{"id": "a", "check": "answer", "otherwise": "raw"}],
        [{"id": "a", "check": "named", "otherwise": "raw", "field": "x", "one_of": ["y"]}],
        [{"id": "a", "check": "named", "otherwise": "raw"}] * 2,
    ],
)
def test_a_definition_that_makes_no_sense_is_not_published(criteria: list[Any]) -> None:
    with pytest.raises(ValidationError):
        Definition.model_validate({"title": "Ours", "criteria": criteria})
