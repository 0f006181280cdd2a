"""Policy in the table: immutable versions of documents, and which version is in force."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel

from shared.adapters import keys
from shared.adapters.dynamodb import Refusal, Table
from shared.domain.policy import MOST_MEASURED, Policy, asking_for_metrics, parse_document
from shared.errors import PolicyError, StorageUnavailableError

MOST_CHANGES = 98
"""With the version and the pointer, what fits one transaction."""
FETCHED_AT_ONCE = 100
"""As many documents as one request reads; who has more reads them one by one."""
CURRENT_SECONDS = 60
"""How long a container may work by a policy that was replaced."""


class PolicyStore:
    """Reads and publishes policy.

    Documents are immutable and kept for the life of the container; which version is in force is
    asked at most once a minute, and a table that does not answer leaves the last one in force.
    """

    def __init__(self, table: Table, clock: Callable[[], float] = time.monotonic) -> None:
        self._table = table
        self._clock = clock
        self._current: Policy | None = None
        self._asked_at = 0.0
        self._versions: dict[int, Policy] = {}
        self._documents: dict[tuple[str, int], BaseModel] = {}
        self._unparsed: dict[tuple[str, int], str] = {}

    def current(self) -> Policy:
        """The policy in force. Raises PolicyError when none was ever published."""
        now = self._clock()
        if self._current is not None and now - self._asked_at < CURRENT_SECONDS:
            return self._current
        try:
            item = self._table.get(keys.policy_current())
        except StorageUnavailableError:
            if self._current is None:
                raise
            return self._current
        if item is None:
            raise PolicyError("no policy is published")
        self._current, self._asked_at = self._policy(item), now
        return self._current

    def version(self, number: int) -> Policy:
        """The policy that a lead was captured under."""
        if number not in self._versions:
            item = self._table.get(keys.policy_version(number))
            if item is None:
                raise PolicyError(f"policy version {number} does not exist")
            self._versions[number] = self._policy(item)
        return self._versions[number]

    def publish(self, documents: Mapping[str, object]) -> int:
        """Makes these documents the policy in force and returns its version.

        A document that did not change keeps its version; when none changed nothing is written.
        Raises PolicyError when somebody else published in the same moment, or for a form that
        makes no sense.
        """
        item = self._table.get(keys.policy_current()) or {"version": 0, "documents": {}}
        former = {str(name): int(number) for name, number in item["documents"].items()}
        version = int(item["version"]) + 1
        texts = self._texts(former)
        numbers: dict[str, int] = {}
        writes = []
        for name, body in documents.items():
            text = json.dumps(body, ensure_ascii=False)
            if texts.get(name) == text:
                numbers[name] = former[name]
                continue
            numbers[name] = version
            document = {**keys.policy_document(name, version), "body": text}
            writes.append(self._table.put(document, "attribute_not_exists(PK)"))
        if len(writes) > MOST_CHANGES:
            raise PolicyError(f"{len(writes)} documents changed: publish {MOST_CHANGES} at a time")
        if not writes and numbers == former:
            return version - 1
        pointer = {
            "version": version,
            "documents": numbers,
            # In the pointer, so that who counts events needs to read no form.
            "measured_forms": asking_for_metrics(documents)[:MOST_MEASURED],
        }
        current = self._table.put(
            {**keys.policy_current(), **pointer},
            "attribute_not_exists(PK) OR version = :former",
            former=version - 1,
        )
        record = self._table.put(
            {**keys.policy_version(version), **pointer}, "attribute_not_exists(PK)"
        )
        try:
            self._table.transact([current, record, *writes])
        except Refusal as refusal:
            raise PolicyError("somebody else has just published") from refusal
        self._current = None
        return version

    def _policy(self, item: Mapping[str, Any]) -> Policy:
        documents = item["documents"]
        if not isinstance(documents, Mapping):
            raise PolicyError("the policy pointer is damaged")
        numbers = {str(name): int(number) for name, number in documents.items()}

        def read(name: str) -> BaseModel | None:
            return self._document(name, numbers) if name in numbers else None

        # Absent in what was published before forms could ask for metrics.
        measured = frozenset(item.get("measured_forms", ()))
        return Policy(int(item["version"]), read, measured, numbers)

    def _document(self, name: str, numbers: Mapping[str, int]) -> BaseModel:
        wanted = (name, numbers[name])
        if wanted not in self._documents:
            if wanted not in self._unparsed:
                self._fetch(name, numbers)
            text = self._unparsed.get(wanted)
            if text is None:
                raise PolicyError(f"{name} version {numbers[name]} does not exist")
            self._documents[wanted] = parse_document(name, json.loads(text))
            del self._unparsed[wanted]
        return self._documents[wanted]

    def _fetch(self, name: str, numbers: Mapping[str, int]) -> None:
        """Fetches a document, and in the same round trip those that are soon asked for: a form
        names its chain, its calendar and its definition.
        """
        missing = {n: v for n, v in numbers.items() if (n, v) not in self._documents}
        if len(missing) > FETCHED_AT_ONCE:
            missing = {name: numbers[name]}
        texts = self._texts(missing)
        self._unparsed |= {(name, missing[name]): text for name, text in texts.items()}

    def _texts(self, numbers: Mapping[str, int]) -> dict[str, str]:
        """The documents that exist, as they are stored."""
        wanted = {name: keys.policy_document(name, number) for name, number in numbers.items()}
        found = {item["PK"]: str(item["body"]) for item in self._table.get_many([*wanted.values()])}
        return {name: found[key["PK"]] for name, key in wanted.items() if key["PK"] in found}
