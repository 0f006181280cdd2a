"""What the table holds of a form, whoever wrote it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shared.adapters.dynamodb import Item, from_wire
from shared.domain.intake import Kept
from shared.domain.submission import Submission

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

EMPTY = {name: None for name, field in Submission.model_fields.items() if field.is_required()}


@dataclass
class Records:
    """Submissions by the lead that they made or joined, and what made none."""

    leads: dict[str, list[Submission]] = field(default_factory=dict)
    kept: list[Kept] = field(default_factory=list)


class Ledger:
    """The table from behind: cases are few, so all of it is read."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def of_form(self, form_id: str) -> Records:
        records = Records()
        for item in self._items():
            if item.get("form_id") != form_id:
                continue
            if item["PK"].startswith("INTAKE#"):
                records.kept.append(Kept.model_validate(item))
            elif item["SK"].startswith("SUBMISSION#"):
                told = records.leads.setdefault(item["PK"].removeprefix("LEAD#"), [])
                # The table leaves out what is empty.
                told.append(Submission.model_validate({**EMPTY, **item}))
        return records

    def forget(self, form_id: str) -> None:
        """What came of the form before, and every contact: cases share phones, and the person of
        one must not be a known contact in the next."""
        for item in list(self._items()):
            pk = item["PK"]
            if pk.startswith(("CONTACT#", f"RECEIPT#{form_id}#")) or item.get("form_id") == form_id:
                key = {"PK": {"S": pk}, "SK": {"S": item["SK"]}}
                self._dynamodb.delete_item(TableName=self._table, Key=key)

    def _items(self) -> Iterator[Item]:
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._table, ConsistentRead=True
        )
        for page in pages:
            yield from map(from_wire, page["Items"])
