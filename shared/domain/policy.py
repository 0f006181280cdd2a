"""The policy that both teams agreed on: forms, definition, chains and calendars, as one version."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from shared.domain.calendar import Calendar
from shared.domain.chain import MOST_STEPS, Chain
from shared.domain.definition import Definition
from shared.domain.form import Form
from shared.errors import PolicyError

Document = TypeVar("Document", bound=BaseModel)

DOCUMENT_TYPES: Mapping[str, type[BaseModel]] = {
    "calendar": Calendar,
    "chain": Chain,
    "definition": Definition,
    "form": Form,
}
"""The first part of a document's name, such as `form/demo-en`, says what it is."""


MOST_MEASURED = 10
"""Each form that is counted by itself is a series of many metrics, and each series is paid for."""
OTHER = "other"
"""What all other forms are counted as."""


def parse_document(name: str, body: object) -> BaseModel:
    """The model of one document. Raises PolicyError, saying what is wrong with it."""
    kind = name.partition("/")[0]
    if kind not in DOCUMENT_TYPES:
        raise PolicyError(f"{name}: no such kind of document")
    try:
        return DOCUMENT_TYPES[kind].model_validate(body)
    except ValidationError as error:
        raise PolicyError(f"{name}: {error}") from error


class Policy:
    """One version of the policy.

    `read` gives a document by name, None when this version has none. `measured_forms` are counted
    by themselves.
    """

    def __init__(
        self,
        version: int,
        read: Callable[[str], BaseModel | None],
        measured_forms: Container[str] = (),
        names: Iterable[str] = (),
    ) -> None:
        self.version = version
        self.names = frozenset(names)
        """What documents there are."""
        self._read = read
        self._measured_forms = measured_forms

    def form(self, form_id: str) -> Form | None:
        """The form, None when there is none: forms are named by strangers."""
        document = self._read(f"form/{form_id}")
        return document if isinstance(document, Form) else None

    @property
    def forms(self) -> Iterator[Form]:
        """Every form, by name."""
        ids = sorted(name.removeprefix("form/") for name in self.names if name.startswith("form/"))
        return filter(None, map(self.form, ids))

    def form_label(self, form_id: str) -> str:
        """The form's name in metrics: its own, or `other`. Reads no document."""
        return form_id if form_id in self._measured_forms else OTHER

    def chain(self, name: str) -> Chain:
        return self._need(Chain, "chain", name)

    def calendar(self, name: str) -> Calendar:
        return self._need(Calendar, "calendar", name)

    def definition(self, name: str) -> Definition:
        return self._need(Definition, "definition", name)

    def _need(self, kind: type[Document], folder: str, name: str) -> Document:
        document = self._read(f"{folder}/{name}")
        if not isinstance(document, kind):
            raise PolicyError(f"{folder}/{name} is named and not published")
        return document


def check(documents: Mapping[str, object]) -> list[str]:
    """What would keep these documents from working together; empty when nothing would."""
    problems: list[str] = []
    parsed: dict[str, BaseModel] = {}
    for name, body in documents.items():
        try:
            parsed[name] = parse_document(name, body)
        except PolicyError as error:
            problems.append(str(error))
    for name, document in parsed.items():
        if not isinstance(document, Form):
            continue
        if name != f"form/{document.form_id}":
            problems.append(f"{name}: its form_id is {document.form_id}")
        problems += [
            f"{name}: {wanted} does not exist"
            for wanted in (
                f"chain/{document.chain}",
                f"calendar/{document.calendar}",
                f"definition/{document.definition}",
            )
            if wanted not in documents
        ]
    chains = [document for document in parsed.values() if isinstance(document, Chain)]
    steps = {step.step for chain in chains for step in chain.steps}
    if len(steps) > MOST_STEPS:
        problems.append(f"{len(steps)} names of steps in all chains together, {MOST_STEPS} at most")
    return problems


def asking_for_metrics(documents: Mapping[str, object]) -> list[str]:
    """The ids of the forms that want to be counted by themselves, by name.

    The first `MOST_MEASURED` are. Tests are counted nowhere. Raises PolicyError for a form that
    makes no sense.
    """
    parsed = [
        parse_document(name, body) for name, body in documents.items() if name.startswith("form/")
    ]
    return sorted(
        form.form_id
        for form in parsed
        if isinstance(form, Form) and form.metrics and not form.is_test
    )
