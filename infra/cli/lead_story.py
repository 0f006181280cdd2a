"""The whole story of a lead: read from the table, and told as text or as data."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from infra.cli.commands import lines
from shared.acting import Policies, readable_terms
from shared.adapters.lead_table import LeadTable
from shared.adapters.people_table import PeopleTable
from shared.domain.alert_history import alert_history
from shared.texts.whole_story import Known, WholeStory

INDENT = "  "


def known_of(
    lead_id: str, leads: LeadTable, people: PeopleTable, policies: Policies
) -> Known | None:
    """What the table knows of a lead; None when there is none."""
    story = leads.story(lead_id) if lead_id else None
    if story is None:
        return None
    return Known(
        story.lead,
        story.events,
        story.notes,
        submissions=leads.submissions(lead_id),
        terms=readable_terms(story.lead, policies),
        names={rep.rep_id: rep.name for rep in people.of_team(story.lead.team)},
    )


def as_text(story: WholeStory) -> Iterator[str]:
    """The story as lines of text, a paragraph for each part."""
    called = story.headings
    yield f"{story.title}: {story.state.text}"
    yield "; ".join(filter(None, (story.clock.text, story.clock.detail, story.waited)))
    yield ""
    yield lines(story.facts)
    for sent in story.sent:
        yield f"\n{called.sent}: {sent.time}, {sent.form}"
        yield from _indented([*sent.answers, *sent.origin])
    if story.clocks:
        yield f"\n{called.clocks}"
        head = ("", called.in_all, called.in_opening_hours, "")
        rows = [(row.name, row.wall, row.business, row.remark) for row in story.clocks]
        yield from _indented([head, *rows])
    yield f"\n{called.happened}"
    width = max((len(line.time) for line in story.happened), default=0)
    for line in story.happened:
        did = f"{line.text} · {' → '.join(line.people)}" if line.people else line.text
        details = f" ({'; '.join(line.details)})" if line.details else ""
        undone = f" ({called.undone})" if line.is_undone else ""
        yield from _indented([(line.time.ljust(width), did + details + undone)])
        yield from (f"{' ' * width}    | {text}" for text in line.note.splitlines())
    if story.told:
        yield f"\n{called.told}"
        yield from _indented(
            [(told.time, told.headline, told.person, told.via, told.says) for told in story.told]
        )


def _indented(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows in columns, below a heading; an answer of several lines becomes one."""
    told = [(*row[:-1], row[-1].replace("\n", " / ")) for row in rows]
    if told:
        yield lines(told, INDENT)


def as_data(known: Known, story: WholeStory, now: datetime) -> dict[str, Any]:
    """The story as data, with what happened in words beside the events."""
    return {
        "lead": known.lead.model_dump(mode="json", exclude={"guards", "actions"}),
        "state": story.state.text,
        "submissions": [
            one.model_dump(
                mode="json", exclude={"body", "body_base64", "receipt_key", "content_hash"}
            )
            for one in known.submissions
        ],
        "clocks": [
            {**reading.model_dump(mode="json"), "state": reading.state}
            for reading in known.read_clocks(now)
        ],
        "events": [recorded.flat() for recorded in known.events],
        "story": [line._asdict() for line in story.happened],
        "alerts": [
            {
                **alerted.request.model_dump(mode="json", exclude_none=True),
                "requested_at": alerted.at,
                "became": alerted.became,
                "settled_at": alerted.settled_at,
                "because": alerted.because.type if alerted.because else None,
                "says": told.says,
            }
            for alerted, told in zip(
                alert_history(known.lead, known.events), story.told, strict=True
            )
        ],
        "notes": [note.model_dump(mode="json") for note in known.notes],
    }
