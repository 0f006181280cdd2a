"""Plants bugs in a copy of the tree and shows that the tests find each: `python -m
tests.crash.planted_bugs [name …]`.

A bug is a few lines that somebody could well have written. Bugs of durability are for the crash
matrix to find, those of concurrency for the interleavings, the rest for a named unit test.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
COPIED = ("events", "functions", "infra", "shared", "tests", "pyproject.toml", "template.yaml")

SERVICE = "functions/send_alert/service.py"
ADAPTERS = "shared/adapters"
TABLE, FILING = f"{ADAPTERS}/lead_table.py", f"{ADAPTERS}/filing.py"
ALERTS, ITEMS = f"{ADAPTERS}/alert_table.py", f"{ADAPTERS}/lead_items.py"


class Edit(NamedTuple):
    """Text of one file that stands there exactly once, and what it becomes."""

    path: str
    old: str
    new: str


class Bug(NamedTuple):
    edits: tuple[Edit, ...]
    found_by: tuple[str, ...]
    """Arguments of pytest."""


def bug(path: str, old: str, new: str, *found_by: str) -> Bug:
    return Bug((Edit(path, old, new),), found_by)


def matrix(scenario: str) -> tuple[str, ...]:
    return ("tests/crash/test_matrix.py", "--scenario", scenario, "--pairs", "0")


def orders(case: str) -> tuple[str, ...]:
    return (f"tests/crash/test_interleavings.py::test_no_order_of_calls_breaks_a_promise[{case}]",)


LEASE = (
    '            "attribute_not_exists(PK) OR '
    '(attribute_not_exists(outcome) AND leased_until < :now)",\n'
    "            now=iso(now),\n"
)

BUGS: Mapping[str, Bug] = {
    # --- durability
    "two writes instead of one transaction": bug(
        FILING,
        "transact([*writes, *self._settled(admission, lead.lead_id)])\n",
        """transact(writes[:1])
                self._table.transact(writes[1:])
""",
        *matrix("retries"),
    ),
    "marked as sent before it is published": bug(
        SERVICE,
        "    try:\n        link = f",
        """    mark = AlertSent(alert_id=alert_id, rep_id=rep.rep_id, via=alert.via, message_id="")
    parts.alerts.settle_alert(lead_id, mark)
    try:
        link = f""",
        *matrix("retries"),
    ),
    "what was sent is not noted before it is recorded": bug(
        SERVICE,
        "    parts.alerts.settle_alert(lead_id, outcome)\n",
        "",
        *matrix("retries"),
    ),
    "a refusal of the bus is logged and forgotten": bug(
        "functions/publish_events/service.py",
        '        raise EventsNotPublishedError(f"{len(refused)} of {len(flats)} events refused")',
        '        logger.error("events refused", count=len(refused))',
        *matrix("retries"),
    ),
    "a batch says that all went well": bug(
        "shared/batches.py",
        "        return super().failure_handler(record, exception)",
        '        return self.success_handler(record, "handled")',
        *matrix("retries"),
    ),
    "a lease that never ends": bug(
        ALERTS, LEASE, '            "attribute_not_exists(PK)",\n', *matrix("retries")
    ),
    "a random name for each execution": bug(
        "shared/adapters/escalation.py",
        'name=f"{lead_id}-{run}"',
        "name=f\"{lead_id}-{run}-{id(object()) + at.microsecond}-{__import__('uuid').uuid4()}\"",
        *matrix("attempts"),
    ),
    "a filter that lets no new event through": bug(
        "template.yaml", '"eventName":["INSERT"]', '"eventName":["MODIFY"]', *matrix("retries")
    ),
    "a rule for the wrong event": bug(
        "template.yaml",
        "detail-type: [AlertRequested]}\n",
        "detail-type: [AlertRequest]}\n",
        *matrix("retries"),
    ),
    "a new lead is not due until it is planned": bug(
        "shared/domain/lead.py",
        "        if not self.follow_up.planned:\n            return self.clock_started_at\n",
        "        if not self.follow_up.planned:\n            return None\n",
        "tests/crash/test_dead_stream.py",
    ),
    "a refused channel is taken for the end of it": bug(
        "shared/domain/follow_up.py",
        "    for unheard in lead.unheard:\n        draft.take_up(unheard)\n",
        "",
        *matrix("sms_refused"),
    ),
    "an e-mail that nobody gets counts as sent": bug(
        "shared/adapters/alerts.py",
        '(reason := self._reachability.why_no_email(rep.email or ""))',
        "(reason := None)",
        "tests/unit/adapters/test_reachability.py",
    ),
    # --- concurrency
    "no receipt, so that each retry is new": bug(
        "shared/adapters/receipts.py",
        "    condition = NOT_THERE_OR_OVER\n",
        '    condition = NOT_THERE_OR_OVER + " OR expires_at >= :now"\n',
        *orders("post_and_its_retry"),
    ),
    "check, then act on the lead": Bug(
        (
            Edit(ITEMS, 'put(item, "version = :read", read=before.version)', "put(item)"),
            Edit(
                ITEMS,
                '                "attribute_not_exists(PK)",\n'
                "            )\n            for event in recorded",
                "            )\n            for event in recorded",
            ),
        ),
        orders("call_and_call"),
    ),
    "no lease": bug(ALERTS, LEASE, "", *orders("two_senders_of_one_alert")),
    "whoever finds an alert settled records it too": bug(
        ALERTS,
        'if former.get("leased_until", "") >= iso(now):',
        'if "outcome" not in former:',
        *orders("two_senders_of_one_alert"),
    ),
    "no second look before an alert is sent": bug(
        SERVICE,
        "    if lead is None or alert_id not in lead.open_alerts:\n        if ring ==",
        "    if lead is None:\n        if ring ==",
        *orders("sender_and_call"),
    ),
    "who comes second gives up without a word": bug(
        "shared/races.py",
        "        except LeadChangedError:\n            continue\n",
        "        except LeadChangedError:\n            return None  # type: ignore[return-value]\n",
        *orders("call_and_call"),
    ),
    "a button pressed twice counts twice": bug(
        "shared/domain/actions.py",
        "    if action.action_id in lead.actions:\n        return None\n",
        "",
        *orders("one_button_pressed_twice"),
    ),
    "a turn that two may take": bug(
        f"{ADAPTERS}/people_table.py",
        """                "attribute_not_exists(version) OR version = :read",
                read=before.version,
""",
        "",
        *orders("two_leads_take_turns"),
    ),
    "a lead is opened again beside a newer one": bug(
        TABLE,
        "writes += [take_back(self._table, guard, lead.lead_id) for guard in lead.guards]",
        "pass",
        *orders("reopening_and_another_post"),
    ),
    "an agreed time wakes nobody": bug(
        "shared/domain/projection.py",
        'lead.follow_up.restarted(until, "snoozed").model_copy(',
        "lead.follow_up.model_copy(",
        *matrix("snoozes"),
    ),
    "alerts of a new cycle pass for those of before": bug(
        "shared/domain/draft.py",
        'return f"{self.cycle}.{round_number}" if self.cycle else f"{round_number}"',
        'return f"{round_number}"',
        *matrix("snoozes"),
    ),
    "who is handed a lead is not told": bug(
        "shared/domain/follow_up.py",
        "    if draft.tells_owner and not is_agreed:\n        draft.tell_owner()\n",
        "",
        *matrix("hands_over"),
    ),
    "an alert that nobody answered is not counted": bug(
        TABLE,
        "        if change.missed_by is not None:",
        "        if change.missed_by is None and change.missed_by is not None:",
        *matrix("escalates"),
    ),
    "an undone call wakes nobody": bug(
        "template.yaml",
        "LeadSnoozed, ActionUndone, AlertFailed]",
        "LeadSnoozed, AlertFailed]",
        *matrix("undoes"),
    ),
    "what an undone call had called off is not sent": bug(
        "functions/advance_follow_up/service.py",
        "            _ask_again(lead, asked_before, parts)\n",
        "            pass\n",
        *matrix("undoes"),
    ),
    "an alert of before an undone call is sent twice": bug(
        "shared/domain/projection.py",
        '        fields["last_action"] = last.model_copy(update=kept)\n',
        "",
        "tests/unit/domain/test_undo.py",
    ),
    "the outcome is undone beside a newer lead": bug(
        TABLE,
        '        reopens = lead.status == "closed" and after.status == "open"',
        '        reopens = change.events[0].type == "LeadReopened"',
        *orders("undoing_an_outcome_and_another_post"),
    ),
    "an alert that came in the moment of a hand-over goes with it": bug(
        "shared/domain/projection.py",
        "        return key in last.earlier_alerts or _stays(",
        "        return _stays(",
        "tests/unit/domain/test_undo.py",
    ),
    "what a visitor wrote meanwhile is closed unread when a reopening is undone": bug(
        "shared/domain/projection.py",
        "            case happened.LeadResubmitted() if last is not None and last.has_reopened:",
        "            case happened.LeadResubmitted() if last is None:",
        *orders("undoing_a_reopening_and_another_post"),
    ),
    "an SMS stands for others though their e-mails failed": bug(
        SERVICE,
        '            ring = "alone" if ring == "covered" else ring\n',
        "            pass\n",
        "tests/unit/follow_up_flow/test_bursts.py",
    ),
    "an SMS that did not arrive stands for others": bug(
        SERVICE,
        """    except AlertRefusedError as error:
        if ring == "together":
            parts.ringing.stop_ringing(rep, lead_id, alert_id)
""",
        """    except AlertRefusedError as error:
""",
        "tests/unit/follow_up_flow/test_bursts.py",
    ),
    # --- the rest
    "looking at a lead acknowledges it": bug(
        "functions/follow_up_lead/handler.py",
        "    return pages.lead_page(service.see_lead(code, parts(), datetime.now(UTC)))",
        """    looked = {"action_id": "0" * 32, "action": "acknowledge"}
    service.act_on_lead(code, looked, parts(), datetime.now(UTC))
    return pages.lead_page(service.see_lead(code, parts(), datetime.now(UTC)))""",
        "tests/unit/follow_up_lead/test_handler.py",
        "-k",
        "changes_nothing",
    ),
    "a rep sees whatever lead of the team they know the id of": bug(
        "functions/follow_up_lead/rights.py",
        'return viewer.role == "manager" or lead.rep_id == viewer.rep_id or is_free(lead, terms)',
        "return True",
        "tests/unit/follow_up_lead/test_rights.py",
        "-k",
        "looking",
    ),
    "opening hours taken for UTC": bug(
        "shared/domain/calendar.py",
        "return first_moment(day, self.since, zone)",
        "return datetime.combine(day, self.since, UTC)",
        "tests/unit/domain/test_calendar.py",
    ),
    "who says that they are on it has called": bug(
        "shared/domain/actions.py",
        'clocks=doing.stopped("acknowledge"),',
        'clocks=doing.stopped("response", "acknowledge"),',
        "tests/unit/domain/test_clocks.py",
    ),
    "what a clock shows last counts": bug(
        "shared/domain/projection.py",
        "{**stopped, **lead.readings}",
        "{**lead.readings, **stopped}",
        "tests/unit/domain/test_clocks.py",
    ),
    "who is on it has it for ever": bug(
        "shared/domain/lead.py",
        "return self.acknowledged_until if awaited else None",
        "return None",
        *matrix("acknowledges"),
    ),
    "nobody on duty, and no manager is told": bug(
        "shared/domain/draft.py",
        "                for manager in self.roster.managers:\n",
        "                for manager in ():\n",
        "tests/unit/domain/test_follow_up.py::test_an_empty_team_is_told_to_the_manager_once",
    ),
}


def plant(name: str, tree: Path) -> None:
    """Changes the files. Raises ValueError for a bug that the code has outgrown."""
    for edit in BUGS[name].edits:
        path = tree / edit.path
        text = path.read_text()
        if text.count(edit.old) != 1:
            raise ValueError(f"{name}: found {text.count(edit.old)} times in {edit.path}")
        path.write_text(text.replace(edit.old, edit.new))


@contextmanager
def copied() -> Iterator[Path]:
    """A copy of what the tests need."""
    with tempfile.TemporaryDirectory() as folder:
        for name in COPIED:
            source, target = ROOT / name, Path(folder) / name
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)
        yield Path(folder)


class Verdict(NamedTuple):
    is_green: bool
    first_failure: str
    seconds: float


def judge(tree: Path, arguments: Sequence[str]) -> Verdict:
    """What the tests say of a tree, up to the first that fails."""
    started = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(
        command,
        cwd=tree,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    failure = re.search(r"^FAILED \S*?(\w+\.py::\S+)", done.stdout, re.MULTILINE)
    if done.returncode not in (0, 1) or (done.returncode == 1 and failure is None):
        # A tree that does not even import proves nothing.
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
    seconds = time.monotonic() - started
    return Verdict(done.returncode == 0, failure[1] if failure else "", seconds)


def is_caught(name: str) -> Verdict:
    """The verdict on a tree with this bug."""
    with copied() as tree:
        plant(name, tree)
        return judge(tree, BUGS[name].found_by)


def main(names: Sequence[str]) -> int:
    """Prints a line for each bug and returns how many were not caught."""
    wanted = [name for name in BUGS if not names or name in names]
    missed = 0
    with copied() as tree:
        for arguments in dict.fromkeys(BUGS[name].found_by for name in wanted):
            verdict = judge(tree, arguments)
            if not verdict.is_green:
                print(f"without any bug: {verdict.first_failure}")
                missed += 1
            print(f"{verdict.seconds:6.1f} s  clean: {' '.join(arguments)}", flush=True)
    for name in wanted:
        verdict = is_caught(name)
        missed += verdict.is_green
        caught = "NOT CAUGHT" if verdict.is_green else verdict.first_failure
        print(f"{verdict.seconds:6.1f} s  {name:52} {caught}", flush=True)
    print(f"{len(wanted)} planted, {missed} wrong")
    return missed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
