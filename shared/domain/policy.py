"""The policy that both teams agreed on: forms, definition, chains and calendars, as one version."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from shared.domain.attribution import CHANNELS
from shared.domain.calendar import Calendar
from shared.domain.chain import MOST_STEPS, Chain
from shared.domain.definition import Definition
from shared.domain.form import Form
from shared.domain.routing import EVERYBODY, Facts, Routing
from shared.errors import PolicyError

if TYPE_CHECKING:
    # Types only: capture has no use for people.
    from shared.domain.roster import Rep

Document = TypeVar("Document", bound=BaseModel)

DOCUMENT_TYPES: Mapping[str, type[BaseModel]] = {
    "calendar": Calendar,
    "chain": Chain,
    "definition": Definition,
    "form": Form,
    "routing": Routing,
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

    def chain_of(self, form: Form, facts: Facts) -> Chain:
        """The follow-up chain of such a lead: what the routing wants goes before the form's."""
        return self.chain(self.routing(form).chain(facts) or form.chain)

    def routing(self, form: Form) -> Routing:
        """Who gets the form's leads; everybody by turns where policy says nothing of it."""
        if form.routing == "default" and "routing/default" not in self.names:
            return EVERYBODY
        return self._need(Routing, "routing", form.routing)

    def calendar(self, name: str) -> Calendar:
        return self._need(Calendar, "calendar", name)

    def shift(self, rep: "Rep") -> Calendar | None:
        """The calendar of a person's shift. One that is not published any more holds nobody back:
        leads must not wait for a mistake in a roster.
        """
        document = self._read(f"calendar/{rep.calendar}") if rep.calendar else None
        return document if isinstance(document, Calendar) else None

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
        wanted = [
            f"chain/{document.chain}",
            f"calendar/{document.calendar}",
            f"definition/{document.definition}",
        ]
        if document.routing != "default":
            wanted.append(f"routing/{document.routing}")
        problems += [f"{name}: {one} does not exist" for one in wanted if one not in documents]
    problems += _of_follow_up(parsed)
    chains = [document for document in parsed.values() if isinstance(document, Chain)]
    steps = {step.step for chain in chains for step in chain.steps}
    if len(steps) > MOST_STEPS:
        problems.append(f"{len(steps)} names of steps in all chains together, {MOST_STEPS} at most")
    return problems


def _of_follow_up(parsed: Mapping[str, BaseModel]) -> Iterator[str]:
    """What would leave a lead alone: a chain that tells nobody, rules that lead nowhere."""
    forms = [document for document in parsed.values() if isinstance(document, Form)]
    form_ids = {form.form_id for form in forms}
    tests_only = {form.chain for form in forms if form.is_test}
    tests_only -= {form.chain for form in forms if not form.is_test}
    routings = [document for document in parsed.values() if isinstance(document, Routing)]
    tests_only -= {rule.chain for routing in routings for rule in routing.rules if rule.chain}
    for name, document in parsed.items():
        match document:
            case Chain(leaves_alone=str(why)) if name.removeprefix("chain/") not in tests_only:
                yield f"{name}: {why}"
            case Chain(takes_too_early=str(step)):
                yield (f"{name}: {step} takes the lead before acknowledge_within_seconds are over")
            case Calendar() if not document.ever_opens:
                yield f"{name}: it never opens"
            case Routing(rules=rules):
                for rule in rules:
                    named = [f"form/{form_id}" for form_id in rule.forms if form_id not in form_ids]
                    if rule.chain and f"chain/{rule.chain}" not in parsed:
                        named.append(f"chain/{rule.chain}")
                    yield from (f"{name}: {rule.rule}: {one} does not exist" for one in named)
                    unknown = set(rule.channels) - CHANNELS
                    yield from (
                        f"{name}: {rule.rule}: there is no channel {channel}"
                        for channel in sorted(unknown)
                    )


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
