"""People as an operator writes them: in a file of a team, or one by one in the terminal."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from infra.cli.deployment import OperatorError
from shared.adapters.people_table import STANDING
from shared.adapters.subscriptions import address_of
from shared.domain.form import Locale
from shared.domain.names import Name
from shared.domain.roster import Rep


def _address(text: str) -> str:
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise ValueError(str(error)) from error


class Person(Rep):
    """A person as an operator writes one: a mistake is refused, not ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rep_id: Name
    team: Name
    name: Annotated[str, Field(min_length=1, max_length=100)]
    phone: Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")] | None = None
    email: Annotated[str, AfterValidator(_address)] | None = None
    locale: Locale = "en"

    @model_validator(mode="after")
    def _hears_alerts(self) -> Self:
        if self.active and not self.reachable:
            raise ValueError("neither phone nor e-mail, so no alert can arrive")
        if self.active and self.quiet and self.email is None:
            raise ValueError("quiet hours need an e-mail address, or they would not be quiet")
        return self

    def over(self, known: Rep | None) -> Rep:
        """What is known of the person once this is written over what was known: that somebody is
        off duty or away stays, unless this says otherwise.
        """
        unsaid = set(STANDING) - self.model_fields_set
        kept = known.model_dump(include=unsaid) if known else {}
        return Rep.model_validate({**self.model_dump(), **kept})


class File(BaseModel):
    """A team, and its people without the team."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    team: Name
    people: Annotated[list[dict[str, Any]], Field(min_length=1)]


def read_people(file: Path) -> list[Person]:
    """The people of a file. Raises OperatorError, with everything that is wrong with it."""
    try:
        content = File.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise OperatorError(f"{file}: {error}") from error
    people: list[Person] = []
    problems: list[str] = []
    for number, written in enumerate(content.people, start=1):
        who = f"person {number} ({written.get('rep_id', 'without rep_id')})"
        try:
            people.append(Person.model_validate({"team": content.team, **written}))
        except ValidationError as error:
            problems += [f"{who}: {mistake}" for mistake in _mistakes(error)]
    ids = [rep.rep_id for rep in people]
    addresses = [address for rep in people if (address := address_of(rep))]
    for what, values in (("rep_id", ids), ("e-mail", addresses)):
        twice = sorted({value for value in values if values.count(value) > 1})
        problems += [f"{what} {value}: given twice" for value in twice]
    if problems:
        raise OperatorError("\n".join([str(file), *problems]))
    return people


def read_person(written: Mapping[str, object]) -> Person:
    """One person. Raises OperatorError, with everything that is wrong with what is written."""
    try:
        return Person.model_validate(written)
    except ValidationError as error:
        who = f"{written['team']}/{written['rep_id']}"
        raise OperatorError("\n".join(f"{who}: {says}" for says in _mistakes(error))) from error


def _mistakes(error: ValidationError) -> list[str]:
    said = []
    for mistake in error.errors(include_url=False):
        where = "".join(f"{part}: " for part in [".".join(map(str, mistake["loc"]))] if part)
        quotes = ", in quotes" if mistake["type"] == "string_type" else ""
        said.append(f"{where}{mistake['msg'].removeprefix('Value error, ')}{quotes}")
    return said
