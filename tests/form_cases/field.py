"""A stack with the forms of all cases, and what comes of each of them there."""

from collections.abc import Iterable, Mapping, Sequence
from http.client import HTTPException
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import boto3

from shared.adapters.dynamodb import Table
from shared.adapters.filing import Filing
from shared.adapters.intake_table import IntakeTable
from shared.adapters.policy_store import MOST_CHANGES, PolicyStore
from shared.adapters.secret_store import SecretStore
from shared.adapters.turnstile import Turnstile
from shared.domain.bursts import Bursts
from shared.errors import StorageUnavailableError
from submit_form.service import Parts
from tests.form_cases.case import Case
from tests.form_cases.comparing import compare, remarks
from tests.form_cases.records import Ledger
from tests.form_cases.sending import Send, at_the_handler, over_http

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

SECRETS_PATH = "/leadline"
"""The local stack's name."""
REFUSED = (400, 401, 403)


class NoQueue:
    """In place of the spill queue: what the table does not take fails the case."""

    def send(self, messages: Sequence[Mapping[str, object]]) -> None:
        raise StorageUnavailableError(f"{len(messages)} requests")


class Outcome(NamedTuple):
    """What came of a case one way."""

    differences: Sequence[str]
    remarks: Sequence[str] = ()
    """What differs and is only reported."""
    status: int = 0
    """Of the first answer."""


class Verdict(NamedTuple):
    """What came of a case."""

    name: str
    differences: Sequence[str]
    way: str = ""
    remarks: Sequence[str] = ()

    def __str__(self) -> str:
        told = "; ".join(self.differences or self.remarks)
        way = f" {self.way}" if self.way else ""
        return f"{self.name}: {'FAILED' if self.differences else 'passed'}{way}" + (
            f": {told}" if told else ""
        )


def publish(cases: Iterable[Case], documents: Mapping[str, object], table: Table) -> None:
    """Makes the documents and the forms of all cases the policy in force, and puts their secrets
    where functions look for them."""
    everything = dict(documents)
    for case in cases:
        everything[f"form/{case.form.form_id}"] = case.form.model_dump(mode="json")
        for name, value in case.secrets.items():
            path = f"{SECRETS_PATH}/forms/{name}"
            boto3.client("ssm").put_parameter(
                Name=path, Value=value, Type="SecureString", Overwrite=True
            )
    store = PolicyStore(table)
    # A transaction takes so many changes, and what was published before is no change.
    for most in range(MOST_CHANGES, len(everything) + MOST_CHANGES, MOST_CHANGES):
        store.publish(dict(islice(everything.items(), most)))


class Field:
    """Runs cases whose forms were published: over HTTP where there is an address, else at the
    handler."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str, url: str = "") -> None:
        self._url = url
        self._table = Table(dynamodb, table)
        self._ledger = Ledger(dynamodb, table)

    def run(self, case: Case) -> Verdict:
        """A case with a signed time runs at the handler, at that time; over HTTP it must be refused
        for its age, or pass too."""
        if not case.needs_clock and self._url:
            over_it = self._sent(case, over_http(self._url))
            return Verdict(case.name, over_it.differences, "over HTTP", over_it.remarks)
        own = self._sent(case, at_the_handler(self._parts(), case.now))
        way, wrong = "at the handler, with its clock", list(own.differences)
        if self._url:
            over_it = self._sent(case, over_http(self._url))
            refused = over_it.differences and over_it.status in REFUSED
            way += ", and refused over HTTP" if refused else ", and over HTTP"
            wrong += [] if refused else [f"over HTTP: {text}" for text in over_it.differences]
        return Verdict(case.name, wrong, way, own.remarks)

    def _sent(self, case: Case, send: Send) -> Outcome:
        self._ledger.forget(case.form.form_id)
        requests = [case.request] * case.repeat + list(case.then)
        try:
            answers = [send(request) for request in requests]
        except (OSError, HTTPException, ValueError) as error:
            return Outcome([f"it was not answered: {error!r}"])
        records = self._ledger.of_form(case.form.form_id)
        return Outcome(compare(case, answers, records), remarks(case, records), answers[0].status)

    def _parts(self) -> Parts:
        table = self._table
        return Parts(
            PolicyStore(table),
            Filing(table),
            IntakeTable(table),
            SecretStore(SECRETS_PATH, lambda: boto3.client("ssm")),
            Bursts(),
            Turnstile(),
            NoQueue(),
        )
