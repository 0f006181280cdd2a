"""The people of a team in the table: who they are, whose turn it is, what their managers know."""

from collections.abc import Callable
from datetime import date
from typing import TypeVar

from shared.adapters import keys
from shared.adapters.dynamodb import Refusal, Table
from shared.domain.roster import Rep
from shared.domain.routing import Rotation
from shared.errors import StorageUnavailableError

T = TypeVar("T")

CHANGE_TRIES = 5
TURN_TRIES = 12
STANDING = ("on_duty", "absences", "missed_pages", "answered_at", "links_revoked_at")
"""What of a person changes from day to day, and by itself."""


class PeopleTable:
    """Teams and their people."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def of_team(self, team: str) -> list[Rep]:
        """Everybody of a team."""
        items = self._table.query(
            "PK = :pk AND begins_with(SK, :rep)", pk=keys.rep(team, "")["PK"], rep="REP#"
        )
        return [Rep.model_validate(item) for item in items]

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
        for failures in range(CHANGE_TRIES):
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

    def teams(self) -> list[str]:
        """Every team that an operator has entered somebody in."""
        return [item["SK"] for item in self._table.query("PK = :pk", pk=keys.TEAMS)]

    def channels_told_on(self, team: str) -> date | None:
        """The day on which a team's managers were last told whom alerts do not reach."""
        item = self._table.get(keys.channels(team))
        return date.fromisoformat(item["told_on"]) if item else None

    def note_channels_told(self, team: str, on: date) -> None:
        """Notes that they were told."""
        self._table.transact([self._table.put({**keys.channels(team), "told_on": on.isoformat()})])
