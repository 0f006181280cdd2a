"""Leads in the table: the only way in which one is written, and every way in which one is found."""

import secrets
import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict

from shared.adapters import keys
from shared.adapters.dynamodb import Item, Refusal, Table
from shared.adapters.receipts import Filed, first_answer, receipt
from shared.domain.events import (
    VISITOR,
    AlertFailed,
    AlertSent,
    LeadCaptured,
    LeadEvent,
    LeadResubmitted,
    RecordedEvent,
)
from shared.domain.instants import Instant, iso
from shared.domain.lead import Change, Lead, Note, Said
from shared.domain.projection import apply
from shared.domain.ringing import Ring, Ringing, ring
from shared.domain.roster import Rep
from shared.domain.routing import Rotation
from shared.errors import (
    AlertLeasedError,
    AlreadySettledError,
    IllegalActionError,
    LeadChangedError,
    StorageUnavailableError,
    UnknownLinkError,
)

if TYPE_CHECKING:
    # Types only: who plans or sweeps leads has no use for what reads submissions.
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from shared.domain.intake import Admission
    from shared.domain.submission import Submission

T = TypeVar("T")

CAPTURE_TRIES = 5
TURN_TRIES = 12
RING_TRIES = 4
MOST_GUARDS = 20
CLOSED_CONTACT_KEPT = timedelta(days=400)
"""How long a contact remembers its last lead after that lead was closed."""
LINK_LIFE = timedelta(days=14)
ALERT_KEPT = LINK_LIFE
"""How long it is known that an alert was sent: far longer than any queue may bring it again."""
TEST_KEPT = timedelta(days=2)
ALERT_LEASE = timedelta(seconds=30)
"""Longer than `send_alert` can run: a lease that ran out means that its holder died."""
STANDING = ("on_duty", "absences", "missed_pages", "answered_at", "links_revoked_at")
"""What of a person changes from day to day, and by itself."""
ASKS_FOR_LINK_AFTER = timedelta(minutes=10)
"""Within this somebody is sent no second link that they asked for."""
ASKED_KEPT = timedelta(days=1)
MOST_LINKS_AN_HOUR = 60
"""Links that are asked for cost an SMS each: so many in an hour, whoever asks."""
STILL_WAITS = "attribute_exists(PK) AND attribute_not_exists(settled_as)"
CODE_LETTERS = string.ascii_letters + string.digits


class Link(BaseModel):
    """What a code in an SMS opens: one lead, or the list of a person."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: Literal["lead", "list"]
    team: str
    rep_id: str
    lead_id: str | None = None
    expires_at: int

    def is_revoked(self, rep: Rep) -> bool:
        """Whether the person's links were revoked since it was made, or within that second."""
        revoked_at = rep.links_revoked_at
        return revoked_at is not None and self.expires_at <= (revoked_at + LINK_LIFE).timestamp()


class ByHand(NamedTuple):
    """Who enters a submission, and what they have done about its lead already: None for nothing."""

    rep_id: str
    done: Callable[[Lead], Change | None]


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
    """The leads, their contacts, alerts and links."""

    def __init__(self, table: Table) -> None:
        self._table = table

    # --- capture -------------------------------------------------------------------------------

    def capture(
        self,
        submission: "Submission",
        captured: LeadCaptured,
        admission: "Admission | None" = None,
        by_hand: ByHand | None = None,
    ) -> Filed:
        """Files a submission in one transaction: as a new lead, or with its contact's open lead.

        One round trip for a new lead and for a retry, two for one of a contact whose lead is
        closed, which it remembers; three when the contact has an open lead.
        An admission settles the submission's place in the intake in the same transaction, so that
        it happens once; so is what was done about the lead by whoever entered it by hand. Raises
        IdempotencyConflictError when the key was used for other content, AlreadySettledError when
        the intake has the submission no more, StorageUnavailableError when nothing could be stored.
        """
        at = admission.at if admission else submission.received_at
        token = secrets.token_hex(16)
        closed: dict[str, str] = {}
        for number in range(CAPTURE_TRIES):
            self._table.pause(number)
            opened = captured.model_copy(
                update={"previous_lead_id": next(iter(closed.values()), None)}
            )
            lead = Lead.opened_by(submission, opened, token, at)
            lead, events = _and_done(lead, [opened], by_hand, at)
            writes = [
                receipt(
                    self._table,
                    submission,
                    lead.lead_id,
                    at,
                    token,
                    opened.promised_by,
                    from_intake=bool(admission),
                ),
                *self._written(None, lead, events, _actor(admission, by_hand), at),
                self._submission(submission, lead.lead_id),
                *(self._guard(guard, lead.lead_id, closed.get(guard)) for guard in lead.guards),
            ]
            first_guard = len(writes) - len(lead.guards)
            try:
                self._table.transact([*writes, *self._settled(admission, lead.lead_id)])
            except Refusal as refusal:
                if filed := self._filed_before(refusal, submission, len(writes), token):
                    return filed
                known = {
                    guard: refusal.former[place]
                    for place, guard in enumerate(lead.guards, start=first_guard)
                    if place in refusal.former
                }
                held = {g: str(item["lead_id"]) for g, item in known.items() if item["is_open"]}
                closed |= {g: str(item["lead_id"]) for g, item in known.items() if g not in held}
                if not held:
                    continue
                joined = self._join(submission, captured, held, closed, admission, token, by_hand)
                if joined is not None:
                    return joined
            else:
                return Filed(submission.submission_id, "created", lead.lead_id, opened.promised_by)
        raise StorageUnavailableError("the contact's lead never stood still")

    def _settled(
        self, admission: "Admission | None", lead_id: str
    ) -> "list[TransactWriteItemTypeDef]":
        return [settled(self._table, admission, lead_id)] if admission else []

    def _filed_before(
        self, refusal: Refusal, submission: "Submission", place_of_admission: int, token: str
    ) -> Filed | None:
        """What the submission became when it was filed first, if that is why it was refused."""
        if place_of_admission in refusal.former:
            raise AlreadySettledError(submission.submission_id)
        return first_answer(refusal.former[0], submission, token) if 0 in refusal.former else None

    def _join(
        self,
        submission: "Submission",
        captured: LeadCaptured,
        held: Mapping[str, str],
        closed: Mapping[str, str],
        admission: "Admission | None",
        token: str,
        by_hand: ByHand | None,
    ) -> Filed | None:
        """Adds a submission to its contact's open lead; None when that lead has just changed."""
        lead_id, *others = dict.fromkeys(held.values())
        lead = self.lead(lead_id)
        if lead is None or lead.status == "closed":
            return None
        resubmitted = LeadResubmitted(
            submission_id=submission.submission_id,
            form_id=submission.form_id,
            channel=submission.channel,
            verdict=captured.verdict,
            respond_by=captured.respond_by,
            # After the first call nobody looks whether there is another.
            promised_by=captured.promised_by if lead.awaits_attempt else None,
            other_lead_id=others[0] if others else None,
            came=submission.came,
        )
        # All guards are released in the transaction that closes the lead, so they are few.
        room = MOST_GUARDS - len(lead.guards)
        new = [guard for guard in submission.contact.guards if guard not in held][: max(0, room)]
        at = admission.at if admission else submission.received_at
        joined = apply(lead, Change((resubmitted,)), at)
        # What waited in a queue or in the intake may be older than what the lead was told since.
        is_last = submission.received_at >= (lead.resubmitted_at or lead.received_at)
        joined = joined.told_by(Said.of(submission), is_last=is_last).model_copy(
            update={"guards": (*lead.guards, *new)}
        )
        joined, events = _and_done(joined, [resubmitted], by_hand, at)
        writes = [
            receipt(
                self._table,
                submission,
                lead_id,
                at,
                token,
                resubmitted.promised_by,
                from_intake=bool(admission),
            ),
            *self._written(lead, joined, events, _actor(admission, by_hand), at),
            self._submission(submission, lead_id),
            *(self._guard(guard, lead_id, closed.get(guard)) for guard in new),
        ]
        try:
            self._table.transact([*writes, *self._settled(admission, lead_id)])
        except Refusal as refusal:
            return self._filed_before(refusal, submission, len(writes), token)
        return Filed(submission.submission_id, "joined", lead_id, resubmitted.promised_by)

    def _submission(self, submission: "Submission", lead_id: str) -> "TransactWriteItemTypeDef":
        return self._table.put(
            {
                **keys.submission(lead_id, submission.submission_id),
                **submission.model_dump(mode="json"),
                **_expiry(submission),
            }
        )

    def _guard(self, guard: str, lead_id: str, closed: str | None) -> "TransactWriteItemTypeDef":
        """Makes the contact this lead's, unless it has another one than the closed one we know."""
        return self._table.update(
            keys.contact(guard),
            "SET lead_id = :lead, is_open = :yes REMOVE expires_at",
            "attribute_not_exists(PK) OR (is_open = :no AND lead_id = :closed)",
            closed=closed or "",
            lead=lead_id,
            yes=True,
            no=False,
        )

    # --- one lead ------------------------------------------------------------------------------

    def lead(self, lead_id: str) -> Lead | None:
        """The lead as it is now."""
        item = self._table.get(keys.lead(lead_id))
        return Lead.model_validate(item) if item else None

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
            *self._written(lead, after, change.events, actor, at),
            *(
                self._table.put({**keys.note(lead.lead_id, note.note_id), **note.model_dump()})
                for note in change.notes
            ),
        ]
        reopens = lead.status == "closed" and after.status == "open"
        if reopens:
            writes += [self._take_back(guard, lead.lead_id) for guard in lead.guards]
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
            writes += [self._release(guard, after) for guard in lead.guards]
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

    def _take_back(self, guard: str, lead_id: str) -> "TransactWriteItemTypeDef":
        """Makes the contact this lead's again, unless another open lead has it."""
        return self._table.update(
            keys.contact(guard),
            "SET lead_id = :lead, is_open = :yes REMOVE expires_at",
            "attribute_not_exists(PK) OR is_open = :no",
            lead=lead_id,
            yes=True,
            no=False,
        )

    def _written(
        self,
        before: Lead | None,
        after: Lead,
        events: Sequence[LeadEvent],
        actor: str,
        at: datetime,
    ) -> "list[TransactWriteItemTypeDef]":
        """The projection, conditional on the version that was read, and its new events."""
        item = {
            **keys.lead(after.lead_id),
            **after.model_dump(mode="json"),
            **_index_keys(after),
            **_expiry(after),
        }
        if before is None:
            lead = self._table.put(item, "attribute_not_exists(PK)")
        else:
            lead = self._table.put(item, "version = :read", read=before.version)
        first = (before.sequence if before else 0) + 1
        recorded = [
            RecordedEvent(
                lead_id=after.lead_id,
                sequence=number,
                at=at,
                actor=actor,
                form_id=after.form_id,
                channel=after.channel,
                is_test=after.is_test,
                event=event,
            )
            for number, event in enumerate(events, start=first)
        ]
        return [
            lead,
            *(
                self._table.put(
                    {
                        **keys.event(after.lead_id, event.sequence),
                        **event.flat(),
                        **_expiry(after),
                    },
                    "attribute_not_exists(PK)",
                )
                for event in recorded
            ),
        ]

    def _release(self, guard: str, lead: Lead) -> "TransactWriteItemTypeDef":
        """Lets the contact open a new lead; the former one is remembered for a while."""
        kept_until = (lead.closed_at or lead.received_at) + CLOSED_CONTACT_KEPT
        return self._table.update(
            keys.contact(guard),
            "SET is_open = :no, expires_at = :kept",
            "lead_id = :lead",
            no=False,
            kept=int(kept_until.timestamp()),
            lead=lead.lead_id,
        )

    # --- alerts and links ----------------------------------------------------------------------

    def lease_alert(
        self, lead_id: str, alert_id: str, link: Link, now: datetime
    ) -> str | AlertSent | AlertFailed:
        """Takes the right to send one alert and makes the code that its text will carry.

        Returns the code; or what became of the alert, when it was settled before. Raises
        AlertLeasedError while another worker holds the lease: also one that settled the alert, and
        is about to record it.
        """
        code = new_code()
        lease = self._table.put(
            {
                **keys.alert(lead_id, alert_id),
                "leased_until": iso(now + ALERT_LEASE),
                "expires_at": int((now + ALERT_KEPT).timestamp()),
            },
            "attribute_not_exists(PK) OR (attribute_not_exists(outcome) AND leased_until < :now)",
            now=iso(now),
        )
        try:
            self._table.transact([lease, self._link(code, link)])
        except Refusal as refusal:
            former = refusal.former[0]
            # Who settled an alert before leases were kept left none.
            if former.get("leased_until", "") >= iso(now):
                raise AlertLeasedError(alert_id) from refusal
            outcome = former["outcome"]
            return (AlertSent if "message_id" in outcome else AlertFailed).model_validate(outcome)
        return code

    def settle_alert(self, lead_id: str, outcome: AlertSent | AlertFailed) -> None:
        """Notes what became of an alert, so that nobody ever sends it again.

        Nobody else writes this item: unlike the lead's, it is never contended, so that as little as
        can be stands between SNS's answer and the note of it.
        """
        self._table.transact(
            [
                self._table.update(
                    keys.alert(lead_id, outcome.alert_id),
                    "SET outcome = :outcome",
                    outcome=outcome.model_dump(mode="json"),
                )
            ]
        )

    def make_link(self, link: Link) -> str:
        """Stores a link and returns its code, which is kept nowhere."""
        code = new_code()
        self._table.transact([self._link(code, link)])
        return code

    def link(self, code: str, now: datetime) -> Link:
        """What a code opens. Raises UnknownLinkError for a wrong, expired or revoked one alike."""
        item = self._table.get(keys.link(code))
        if item is None or int(item["expires_at"]) <= now.timestamp():
            raise UnknownLinkError("unknown link")
        return Link.model_validate(item)

    def _link(self, code: str, link: Link) -> "TransactWriteItemTypeDef":
        return self._table.put({**keys.link(code), **link.model_dump(mode="json")})

    def ask_for_link(self, team: str, rep_id: str, now: datetime) -> bool:
        """Notes that somebody wants a new link. False when they wanted one a little while ago, or
        when so many were asked for in this hour that somebody must be playing.
        """
        hour_is_over = int(now.timestamp()) // 3600 * 3600 + 3600
        mark = self._table.put(
            {
                **keys.link_asked(team, rep_id),
                "asked_at": iso(now),
                "expires_at": int((now + ASKED_KEPT).timestamp()),
            },
            "attribute_not_exists(PK) OR asked_at <= :before",
            before=iso(now - ASKS_FOR_LINK_AFTER),
        )
        count = self._table.update(
            keys.links_asked(hour_is_over),
            "SET asked = if_not_exists(asked, :none) + :one, expires_at = :over",
            "attribute_not_exists(PK) OR asked < :most",
            none=0,
            one=1,
            over=hour_is_over,
            most=MOST_LINKS_AN_HOUR,
        )
        try:
            self._table.transact([mark, count])
        except Refusal:
            return False
        return True

    def lease_link(self, asked_at: str, link: Link, now: datetime) -> str | None:
        """Takes the right to send a link that was asked for, and returns its code. None when that
        was done, or another one was asked for since.
        """
        code = new_code()
        lease = self._table.update(
            keys.link_asked(link.team, link.rep_id),
            "SET leased_until = :until",
            "asked_at = :asked AND (attribute_not_exists(leased_until) OR leased_until < :now)",
            asked=asked_at,
            until=iso(now + ALERT_LEASE),
            now=iso(now),
        )
        try:
            self._table.transact([lease, self._link(code, link)])
        except Refusal:
            return None
        return code

    def revoke_link(self, code: str, team: str, rep_id: str) -> bool:
        """Ends one link of a person at once; False when they have no such link."""
        ended = self._table.update(
            keys.link(code),
            "SET expires_at = :past",
            "team = :team AND rep_id = :rep",
            past=0,
            team=team,
            rep=rep_id,
        )
        try:
            self._table.transact([ended])
        except Refusal:
            return False
        return True

    # --- people --------------------------------------------------------------------------------

    def people(self, team: str) -> list[Rep]:
        """Everybody of a team."""
        items = self._table.query(
            "PK = :pk AND begins_with(SK, :rep)", pk=keys.rep(team, "")["PK"], rep="REP#"
        )
        return [Rep.model_validate(item) for item in items]

    def teams(self) -> list[str]:
        """Every team that an operator has entered somebody in."""
        return [item["SK"] for item in self._table.query("PK = :pk", pk=keys.team("")["PK"])]

    def channels_told_on(self, team: str) -> date | None:
        """The day on which a team's managers were last told whom alerts do not reach."""
        item = self._table.get(keys.channels(team))
        return date.fromisoformat(item["told_on"]) if item else None

    def note_channels_told(self, team: str, on: date) -> None:
        """Notes that they were told."""
        self._table.transact([self._table.put({**keys.channels(team), "told_on": on.isoformat()})])

    def put_rep(self, rep: Rep) -> None:
        """Adds a person to a team, or replaces what was known of them. `teams` learns nothing."""
        self._table.transact(
            [self._table.put({**keys.rep(rep.team, rep.rep_id), **rep.model_dump()})]
        )

    def change_rep(self, team: str, rep_id: str, change: Callable[[Rep | None], Rep]) -> Rep:
        """Replaces what is known of a person by what `change` makes of it; None is a stranger.

        Changed once more, from what is there by then, when something of `STANDING` came in between.
        Raises StorageUnavailableError when that goes on.
        """
        for failures in range(CAPTURE_TRIES):
            self._table.pause(failures)
            item = self._table.get(keys.rep(team, rep_id)) or {}
            after = change(Rep.model_validate(item) if item else None)
            read = {name: item[name] for name in STANDING if name in item}
            unchanged = [f"{name} = :{name}" for name in read]
            unchanged += [f"attribute_not_exists({name})" for name in STANDING if name not in read]
            new = {**keys.rep(team, rep_id), **after.model_dump()}
            writes = [self._table.put(new, " AND ".join(unchanged), **read)]
            if not item:
                writes.append(self._table.put(keys.team(team)))
            try:
                self._table.transact(writes)
            except Refusal:
                continue
            return after
        raise StorageUnavailableError("the person never stood still")

    def rotation(self, team: str) -> Rotation:
        """Whose turn it is in a team, and how many leads everybody was given."""
        return Rotation.model_validate(self._table.get(keys.rotation(team)) or {})

    def take_turn(self, team: str, choose: Callable[[Rotation], tuple[T, Rotation]]) -> T:
        """Chooses by the team's rotation and moves it on, one at a time.

        A turn that is taken and not used is harmless. So is one that is used and not noted: when
        others are faster again and again, a lead does not wait for that.
        """
        for failures in range(TURN_TRIES):
            self._table.pause(min(failures, 3))
            before = self.rotation(team)
            chosen, after = choose(before)
            if after == before:
                break
            moved = self._table.put(
                {**keys.rotation(team), **after.model_dump(mode="json")},
                "attribute_not_exists(version) OR version = :read",
                read=before.version,
            )
            try:
                self._table.transact([moved])
            except Refusal:
                continue
            break
        return chosen

    def ring(self, rep: Rep, lead_id: str, alert_id: str, now: datetime) -> Ring:
        """How the SMS of an alert goes to somebody, by what else was texted to them lately.

        When others are faster again and again it goes by itself: too many rather than none.
        """
        key = keys.ringing(rep.team, rep.rep_id)
        for failures in range(RING_TRIES):
            self._table.pause(failures)
            before = Ringing.model_validate(self._table.get(key) or {})
            decided, after = ring(before, lead_id, alert_id, now)
            if after == before or self._note_ringing(key, before, after):
                return decided
        return "alone"

    def stop_ringing(self, rep: Rep, lead_id: str, alert_id: str) -> None:
        """Forgets the SMS that was to stand for all leads of a burst: it did not go out."""
        key = keys.ringing(rep.team, rep.rep_id)
        for failures in range(RING_TRIES):
            self._table.pause(failures)
            before = Ringing.model_validate(self._table.get(key) or {})
            after = before.without(lead_id, alert_id)
            if after == before or self._note_ringing(key, before, after):
                return

    def _note_ringing(self, key: keys.Key, before: Ringing, after: Ringing) -> bool:
        noted = self._table.put(
            {**key, **after.model_dump(mode="json"), "expires_at": after.kept_until},
            "attribute_not_exists(version) OR version = :read",
            read=before.version,
        )
        try:
            self._table.transact([noted])
        except Refusal:
            return False
        return True

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
        items = self._table.get_many([keys.lead(keys.lead_id_of(item["PK"])) for item in found])
        return sorted(map(Lead.model_validate, items), key=lambda lead: lead.received_at)


def new_code() -> str:
    """Twelve base62 characters: 71 bits."""
    return "".join(secrets.choice(CODE_LETTERS) for _ in range(12))


def settled(
    table: Table, admission: "Admission", lead_id: str | None
) -> "TransactWriteItemTypeDef":
    """Settles a submission, if it still waits for somebody to see to it."""
    kept = admission.kept
    return table.update(
        keys.intake(kept.received_at.date().isoformat(), kept.submission_id),
        "SET settled_as = :settled, lead_id = :lead, settled_at = :at, settled_by = :by",
        STILL_WAITS,
        settled=admission.settlement if lead_id else "dismissed",
        lead=lead_id,
        at=iso(admission.at),
        by=admission.by,
    )


def _and_done(
    lead: Lead, events: list[LeadEvent], by_hand: ByHand | None, at: datetime
) -> tuple[Lead, list[LeadEvent]]:
    """The lead and its events with what was done about it in the moment it was filed."""
    change = by_hand.done(lead) if by_hand else None
    if change is None:
        return lead, events
    return apply(lead, change, at), [*events, *change.events]


def _actor(admission: "Admission | None", by_hand: ByHand | None) -> str:
    if by_hand:
        return by_hand.rep_id
    return admission.by if admission else VISITOR


def _expiry(of: "Submission | Lead") -> dict[str, int]:
    """What is only a test does not stay."""
    return {"expires_at": int((of.received_at + TEST_KEPT).timestamp())} if of.is_test else {}


def _index_keys(lead: Lead) -> dict[str, Any]:
    """Attributes that exist for an index only; an absent one keeps the lead out of it."""
    shard = keys.shard(lead.lead_id)
    due_at = lead.due_at
    return {
        "day_shard": None if lead.is_test else keys.day_shard(iso(lead.received_at)[:10], shard),
        "open_rep": keys.open_rep(lead.team, lead.rep_id) if lead.status == "open" else None,
        "due_shard": keys.due_shard(shard) if due_at else None,
        "due_at": iso(due_at) if due_at else None,
    }
