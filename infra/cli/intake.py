"""`leadline intake`: what made no lead is listed, shown, corrected, admitted, released and counted.

Lists are masked. `show` prints what somebody typed; `correct -` reads it from stdin, so that it
stays out of the shell's history.
"""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, cast, get_args

from infra.cli import deployment
from infra.cli.commands import Commands, lines, operator
from infra.cli.deployment import OperatorError
from shared.adapters.filing import Filing
from shared.adapters.intake_table import IntakeTable
from shared.adapters.lead_table import LeadTable
from shared.adapters.policy_store import PolicyStore
from shared.adapters.receipts import Filed
from shared.clients import client_named
from shared.domain.capture import captured
from shared.domain.contact import Contact
from shared.domain.form import Form, Locale, mapped_key
from shared.domain.intake import Admission, IntakeKind, Kept, same_id
from shared.domain.lead import Lead
from shared.domain.policy import Policy
from shared.domain.submission import Decoded, accept, read_contact
from shared.errors import (
    AlreadySettledError,
    IdempotencyConflictError,
    InvalidSubmissionError,
    RejectedError,
)
from shared.http import HttpRequest

ADMITTED: frozenset[IntakeKind] = frozenset({"rejected", "partial", "reference"})


class Desk(NamedTuple):
    """What a command works with."""

    policy: Policy
    intake: IntakeTable
    leads: LeadTable
    filing: Filing
    now: datetime


def add_commands(areas: Commands) -> None:
    area = areas.add_parser("intake", help="submissions that made no lead")
    commands = area.add_subparsers(required=True, metavar="COMMAND")

    listing = commands.add_parser("list", help="what waits, newest first, masked")
    listing.add_argument("--kind", choices=get_args(IntakeKind), help="of one kind only")
    listing.add_argument("--form", help="of one form only")
    listing.add_argument("--days", type=int, default=7, help="how far back (7)")
    listing.add_argument("--all", action="store_true", help="also what was seen to")
    listing.set_defaults(run=run_list)

    show = commands.add_parser("show", help="all of one, with personal data")
    show.set_defaults(run=run_show)
    correct = commands.add_parser("correct", help="mend fields, or read once more what was sent")
    correct.set_defaults(run=run_correct)
    admit = commands.add_parser("admit", help="make a lead of what was rejected or left unfinished")
    admit.set_defaults(run=run_admit, kinds=ADMITTED)
    release = commands.add_parser("release", help="make a lead of what was quarantined")
    release.set_defaults(run=run_admit, kinds=frozenset({"quarantined"}))
    dismiss = commands.add_parser("dismiss", help="leave it, as seen to")
    dismiss.set_defaults(run=run_dismiss)
    for command in (show, correct, admit, release, dismiss):
        command.add_argument("id", help="as the list has it")
    correct.add_argument(
        "fields",
        nargs="*",
        metavar="FIELD=VALUE",
        help="or - for lines from stdin; none: read again",
    )
    for command in (admit, release, dismiss):
        command.add_argument("--by", default=None, help="who decides (you)")
    admit.add_argument(
        "--anyway", action="store_true", help="also when the same was sent again and is a lead"
    )
    release.set_defaults(anyway=True)

    audit = commands.add_parser("audit", help="how much was held back, and what became of it")
    audit.add_argument("--days", type=int, default=30, help="how far back (30)")
    audit.set_defaults(run=run_audit)
    for command in (listing, show, correct, admit, release, dismiss, audit):
        _with_stack(command)


def _with_stack(command: ArgumentParser) -> None:
    deployment.add_stack(command)


def _desk(options: Namespace) -> Desk:
    table = deployment.find(options.stack).table
    now = datetime.now(UTC)
    policy = PolicyStore(table).current()
    return Desk(policy, IntakeTable(table), LeadTable(table), Filing(table), now)


def _found(desk: Desk, options: Namespace) -> Kept:
    if not options.id:
        raise OperatorError("name what it is about: the list has its id")
    kept = desk.intake.find(options.id, desk.now.date())
    if kept is None or kept.expires_at <= desk.now:
        raise OperatorError(f"there is no {options.id} in the intake: it expired, or never was")
    return kept


def _form_of(desk: Desk, kept: Kept) -> Form:
    form = desk.policy.form(kept.form_id)
    if form is None:
        raise OperatorError(f"form {kept.form_id} is not published: publish it, then try again")
    return form


def _received(desk: Desk, days: int) -> Iterator[Kept]:
    """The last days, newest first."""
    for ago in range(days + 1):
        day = desk.now.date() - timedelta(days=ago)
        of_day = desk.intake.received_on(day, desk.now)
        yield from sorted(of_day, key=lambda kept: kept.received_at, reverse=True)


# --- looking -------------------------------------------------------------------------------------


def run_list(options: Namespace) -> int:
    desk = _desk(options)
    rows = [("RECEIVED", "KIND", "FORM", "ID", "WHO", "WHY")]
    for kept in _received(desk, options.days):
        if options.kind not in {None, kept.kind} or options.form not in {None, kept.form_id}:
            continue
        if kept.settled_as and not options.all:
            continue
        why = ", ".join(kept.reasons)
        if kept.settled_as:
            why = f"{kept.settled_as} {why}"
        elif completed := _completed_by(desk, kept):
            why = f"{why}; since then lead {completed}".removeprefix("; ")
        received = f"{kept.received_at:%Y-%m-%d %H:%M}"
        who = masked(_contact(desk, kept))
        rows.append((received, kept.kind, kept.form_id, kept.submission_id, who, why or "-"))
    print(lines(rows) if len(rows) > 1 else "nothing waits")
    return 0


def _contact(desk: Desk, kept: Kept) -> Contact | None:
    form = desk.policy.form(kept.form_id)
    return read_contact(kept.decoded, form).contact if kept.decoded and form else None


def masked(contact: Contact | Lead | None) -> str:
    """Enough to tell people apart, and not enough to reach them: `A… …58 a…@acme.example`."""
    if contact is None:
        return "-"
    name = f"{contact.name[0]}…" if contact.name else ""
    phone = f"…{contact.phone[-2:]}" if contact.phone else ""
    local, _, host = (contact.email or "").partition("@")
    email = f"{local[0]}…@{host}" if local else ""
    return " ".join(filter(None, (name, phone, email))) or "-"


def run_show(options: Namespace) -> int:
    desk = _desk(options)
    kept = _found(desk, options)
    print("This is what somebody typed: personal data.")
    told = kept.model_dump(mode="json", exclude_none=True, exclude={"decoded", "raw"})
    rows = [
        (name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        for name, value in told.items()
        if value != []
    ]
    rows.append(("expires_at", f"{kept.expires_at:%Y-%m-%d}"))
    if kept.decoded:
        rows += [(f"  {key}", text) for key, text in kept.decoded.fields]
        if kept.decoded.external_id:
            rows.append(("external_id", kept.decoded.external_id))
    elif kept.raw:
        rows.append(("sent", kept.raw.body.decode("utf-8", "backslashreplace")))
    if completed := _completed_by(desk, kept):
        rows.append(("completed by lead", completed))
    print(lines([(name, _visible(text)) for name, text in rows]))
    return 0


def _visible(text: str) -> str:
    """Without what would command the terminal: strangers wrote it."""
    return "".join(
        letter if letter.isprintable() or letter == "\n" else ascii(letter)[1:-1] for letter in text
    )


def _completed_by(desk: Desk, kept: Kept) -> str | None:
    """The lead of another submission with the same key or id, or of a later one of the contact."""
    if kept.kind not in ADMITTED or kept.decoded is None:
        return None
    if same := _same_as(desk, kept):
        return same
    contact = _contact(desk, kept)
    lead_id = desk.intake.completed_by(kept.form_id, kept.decoded, contact)
    lead = desk.leads.lead(lead_id) if lead_id else None
    if lead is None or (lead.resubmitted_at or lead.received_at) < kept.received_at:
        return None
    return lead_id


def _same_as(desk: Desk, kept: Kept) -> str | None:
    """The lead of the submission that had the same key or id."""
    if kept.decoded is None or IdempotencyConflictError.code in kept.reasons:
        return None
    return desk.intake.completed_by(kept.form_id, kept.decoded, None)


# --- seeing to it --------------------------------------------------------------------------------


def run_correct(options: Namespace) -> int:
    desk = _desk(options)
    kept = _found(desk, options)
    form = _form_of(desk, kept)
    texts = options.fields
    if texts == ["-"]:
        texts = [line.rstrip("\n") for line in sys.stdin if line.strip()]
    decoded = kept.decoded
    if decoded is None or not texts:
        decoded = _read_again(kept, form, must=not texts)
    decoded = _with_fields(decoded, form, [_field(text) for text in texts])
    desk.intake.correct(kept.model_copy(update={"decoded": decoded}))
    print(f"{kept.submission_id}: corrected; {_command(kept)} makes a lead of it")
    return 0


def _command(kept: Kept) -> str:
    return "release" if kept.kind == "quarantined" else "admit"


def _field(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise OperatorError(f"{text}: write FIELD=VALUE")
    return name, value


def _read_again(kept: Kept, form: Form, *, must: bool) -> Decoded:
    """What came in, as the form's present policy reads it. Nobody looks at signatures any more."""
    if kept.raw is None:
        if kept.decoded and not must:
            return kept.decoded
        raise OperatorError("it was read when it came in: name the fields to correct")
    request = HttpRequest.from_raw(kept.raw, kept.form_id)
    try:
        found = client_named(form.client).read(request, form)
    except RejectedError as error:
        if must:
            raise OperatorError(f"it still cannot be read: {error}") from error
        found = ()
    return found[0] if found else Decoded(client=form.client, fields=())


def _with_fields(decoded: Decoded, form: Form, fields: Sequence[tuple[str, str]]) -> Decoded:
    """The answers with some of them replaced, however the page calls them."""

    def means(key: str) -> set[str]:
        return {key, *form.sort(((key, "?"),), decoded.meanings).values}

    names = {name for name, _ in fields}
    paths = {path for name, path in form.mapping.items() if name in names}
    mapped = {mapped_key(path, decoded.fields) for path in paths}
    left = [
        (key, text)
        for key, text in decoded.fields
        if key not in mapped and names.isdisjoint(means(key))
    ]
    return replace(decoded, fields=(*left, *fields))


def run_admit(options: Namespace) -> int:
    desk = _desk(options)
    kept = _found(desk, options)
    if kept.kind not in options.kinds:
        raise OperatorError(f"it is {kept.kind}: see `leadline intake --help`")
    if not (kept.settled_as or options.anyway) and (same := _same_as(desk, kept)):
        raise OperatorError(
            f"it was sent again and is lead {same}: dismiss it, or admit it with --anyway"
        )
    admission = Admission(kept, desk.now, operator(options.by))
    try:
        filed = admitted(desk, admission)
    except InvalidSubmissionError as error:
        print(f"{kept.submission_id} still cannot be accepted:", file=sys.stderr)
        for mistake in error.errors:
            print(f"  {mistake.field}: {mistake.detail}", file=sys.stderr)
        print(f"Mend it with `leadline intake correct {kept.submission_id} …`", file=sys.stderr)
        return 1
    except AlreadySettledError:
        seen = desk.intake.find(kept.submission_id, desk.now.date()) or kept
        raise OperatorError(
            f"{seen.settled_as} by {seen.settled_by}: lead {seen.lead_id}"
        ) from None
    what = {"created": "a new lead", "joined": "joined the contact's open lead"}
    print(
        f"{kept.submission_id}: {what.get(filed.outcome, 'had been sent again')}, {filed.lead_id}"
    )
    return 0


def admitted(desk: Desk, admission: Admission) -> Filed:
    """Makes a submission of the intake a lead, or part of one, once.

    Its clock starts now: until now nobody could have called. Raises InvalidSubmissionError,
    AlreadySettledError.
    """
    kept = admission.kept
    # What came along was refused then; who admits it knows, and takes note of it.
    form = _form_of(desk, kept).model_copy(update={"allow_files": True})
    if kept.settled_as:
        raise AlreadySettledError(kept.submission_id)
    if kept.decoded is None or not kept.decoded.fields:
        raise OperatorError(f"nothing of it was read yet: correct {kept.submission_id} first")
    locale = cast("Locale", kept.locale)
    submission = accept(kept.decoded, form, kept.submission_id, kept.received_at, locale, str)
    event = captured(submission, form, desk.policy, admission.at, kept)
    filed: Filed | None = None
    with suppress(IdempotencyConflictError):
        filed = desk.filing.capture(submission, event, admission)
    if filed is None or (filed.outcome == "repeated" and not filed.lead_id):
        # Its key stands for other answers, which were accepted: these are more of the same person.
        # Or for the same ones, which are in quarantine: somebody looked at these.
        own = {"receipt_key": same_id(kept.form_id, "admitted", kept.submission_id)}
        filed = desk.filing.capture(submission.model_copy(update=own), event, admission)
    if filed.outcome == "repeated":
        desk.intake.settle(admission, filed.lead_id or None)
    return filed


def run_dismiss(options: Namespace) -> int:
    desk = _desk(options)
    kept = _found(desk, options)
    try:
        desk.intake.settle(Admission(kept, desk.now, operator(options.by)), None)
    except AlreadySettledError:
        raise OperatorError(f"{kept.submission_id} was seen to already") from None
    print(f"{kept.submission_id}: dismissed")
    return 0


# --- counting ------------------------------------------------------------------------------------


def run_audit(options: Namespace) -> int:
    desk = _desk(options)
    everything = list(_received(desk, options.days))
    rows = [("WHAT", "HOW MANY")]
    for kind in get_args(IntakeKind):
        of_kind = [kept for kept in everything if kept.kind == kind]
        rows += _counted(desk, kind, of_kind)
    print(lines(rows))
    return 0


def _counted(desk: Desk, kind: IntakeKind, found: Sequence[Kept]) -> Iterator[tuple[str, str]]:
    yield kind, str(len(found))
    by_form = [f"{kept.form_id}: {reason}" for kept in found for reason in kept.reasons]
    for reason, number in Counter(by_form).most_common():
        yield f"  {reason}", str(number)
    for settlement, number in Counter(k.settled_as for k in found if k.settled_as).most_common():
        yield f"  {settlement}", str(number)
    rescued = [desk.leads.lead(kept.lead_id) for kept in found if kept.lead_id]
    became = Counter(
        lead.outcome or ("called" if lead.first_attempt_at else "open") for lead in rescued if lead
    )
    for outcome, number in became.most_common():
        yield f"    and then {outcome}", str(number)
    if kind in {"partial", "reference"}:
        done = sum(_completed_by(desk, kept) is not None for kept in found)
        yield "  completed by a later submission", str(done)
