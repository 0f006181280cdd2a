"""Leads in the table: the only way in which one changes, and every way in which one is found."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from pydantic import BaseModel, ConfigDict

from shared.adapters import keys
from shared.adapters.contact_guards import release, take_back
from shared.adapters.dynamodb import Item, Refusal, Table
from shared.adapters.lead_items import lead_with_events, read_lead
from shared.domain.events import RecordedEvent
from shared.domain.instants import Instant, iso
from shared.domain.lead import Change, Lead, Note
from shared.domain.projection import apply
from shared.errors import IllegalActionError, LeadChangedError

if TYPE_CHECKING:
    # Types only: who plans or sweeps leads has no use for what reads submissions.
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from shared.domain.submission import Submission


class Words(BaseModel):
    """A submission, as far as people read it: whoever shows a story needs no more of it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    received_at: Instant
    form_title: str
    values: dict[str, str]
    """Everything that was answered, by canonical name or own key."""


class Story(NamedTuple):
    """A lead and everything that happened to it, in order."""

    lead: Lead
    events: list[RecordedEvent]
    notes: list[Note]
    said: Sequence[Words] = ()


class LeadTable:
    """The leads. What is kept around them stands on the same table, each by itself."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def lead(self, lead_id: str) -> Lead | None:
        """The lead as it is now."""
        return read_lead(self._table, lead_id)

    def note(self, lead_id: str, note_id: str) -> Note | None:
        """What somebody wrote about the lead."""
        item = self._table.get(keys.note(lead_id, note_id))
        return Note.model_validate(item) if item else None

    def story(self, lead_id: str) -> Story | None:
        """The lead with its events, its notes and everything that the person said."""
        lead: Lead | None = None
        events: list[RecordedEvent] = []
        notes: list[Note] = []
        said: list[Words] = []
        for item in self._table.query("PK = :pk", pk=keys.lead(lead_id)["PK"]):
            match str(item["SK"]).partition("#")[0]:
                case "LEAD":
                    lead = Lead.model_validate(item)
                case "EVENT":
                    events.append(RecordedEvent.parse(item))
                case "NOTE":
                    notes.append(Note.model_validate(item))
                case "SUBMISSION":
                    said.append(Words.model_validate(item))
        said.sort(key=lambda words: words.received_at)
        return Story(lead, events, notes, said) if lead else None

    def submissions(self, lead_id: str) -> "list[Submission]":
        """Everything that was sent and became part of a lead, in order, with all its answers."""
        # Only who tells a whole story pays for what reads submissions.
        from shared.domain.submission import Submission  # noqa: PLC0415

        pk, prefix = keys.submission(lead_id, "").values()
        items = self._table.query("PK = :pk AND begins_with(SK, :sent)", pk=pk, sent=prefix)
        sent = map(Submission.model_validate, items)
        return sorted(sent, key=lambda submission: submission.received_at)

    def record(
        self,
        lead: Lead,
        change: Change,
        *,
        actor: str,
        at: datetime,
    ) -> Lead:
        """Appends events to a lead and writes its projection, in one transaction.

        The only way in which a lead changes. Raises LeadChangedError when somebody wrote it since
        it was read: read again, and decide again; IllegalActionError with the reason `newer_lead`
        for one that is to be reopened while its contact has another open lead.
        """
        after = apply(lead, change, at)
        writes = [
            *lead_with_events(self._table, lead, after, change.events, actor, at),
            *(
                self._table.put({**keys.note(lead.lead_id, note.note_id), **note.model_dump()})
                for note in change.notes
            ),
        ]
        reopens = lead.status == "closed" and after.status == "open"
        if reopens:
            writes += [take_back(self._table, guard, lead.lead_id) for guard in lead.guards]
        beside = self._beside(lead, after, change, at)
        while True:
            try:
                self._table.transact([*writes, *beside])
            except Refusal as refusal:
                first = min(refusal.former)
                if first < len(writes):
                    if reopens and refusal.former[first].get("SK") == "CONTACT":
                        raise IllegalActionError("newer_lead") from refusal
                    raise LeadChangedError(lead.lead_id) from refusal
                if change.missed_by and any("missed_pages" in it for it in refusal.former.values()):
                    # Another lead was missed, or answered, meanwhile: decided on what is no more.
                    raise LeadChangedError(lead.lead_id) from refusal
                beside = [
                    write
                    for place, write in enumerate(beside, start=len(writes))
                    if place not in refusal.former
                ]
            else:
                return after

    def _beside(
        self, lead: Lead, after: Lead, change: Change, at: datetime
    ) -> "list[TransactWriteItemTypeDef]":
        """What else is written with a change, and left out where it is not ours any more: a guard
        that names another lead by now, a person who is gone.
        """
        writes = []
        if lead.status == "open" and after.status == "closed":
            writes += [release(self._table, guard, after) for guard in lead.guards]
        if change.missed_by is not None:
            rep_id, before = change.missed_by
            missed = self._table.update(
                keys.rep(lead.team, rep_id),
                "SET missed_pages = :missed",
                "missed_pages = :before",
                missed=before + 1,
                before=before,
            )
            writes.append(missed)
        if change.answered_by is not None:
            answered = self._table.update(
                keys.rep(lead.team, change.answered_by),
                "SET missed_pages = :none, answered_at = :at",
                "attribute_exists(PK)",
                none=0,
                at=iso(at),
            )
            writes.append(answered)
        return writes

    # --- lists: an index is a hint, what is shown is read from the table --------------------------

    def overdue(self, before: datetime) -> Iterator[str]:
        """Ids of leads whose `due_at` is before a moment."""
        for shard in keys.SHARDS:
            for item in self._table.query(
                "due_shard = :shard AND due_at < :before",
                "due",
                shard=keys.due_shard(shard),
                before=iso(before),
            ):
                yield keys.lead_id_of(item["PK"])

    def open_leads(self, team: str, rep_ids: Sequence[str | None]) -> list[Lead]:
        """The open leads of some people of a team, oldest first; None: those that nobody has."""
        found: list[Item] = []
        for rep_id in rep_ids:
            found += self._table.query("open_rep = :rep", "rep", rep=keys.open_rep(team, rep_id))
        return [lead for lead in self._leads(found) if lead.status == "open"]

    def captured_on(self, day: str) -> list[Lead]:
        """The leads of one UTC date, `2026-11-20`, oldest first."""
        found: list[Item] = []
        for shard in keys.SHARDS:
            found += self._table.query("day_shard = :day", "day", day=keys.day_shard(day, shard))
        return self._leads(found)

    def _leads(self, found: Sequence[Item]) -> list[Lead]:
        # A lead that changes hands between two queries is found by both: it is asked for once.
        lead_ids = dict.fromkeys(keys.lead_id_of(item["PK"]) for item in found)
        items = self._table.get_many([keys.lead(lead_id) for lead_id in lead_ids])
        return sorted(map(Lead.model_validate, items), key=lambda lead: lead.received_at)
