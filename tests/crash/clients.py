"""The people outside: visitors whose browsers try again, and reps who open links and press buttons.

They know what they were told over HTTP or by SMS, and nothing else.
"""

import json
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urlencode

from tests.crash.deployment import Json
from tests.crash.faults import Call
from tests.crash.world import Response, World

TRY_AGAIN_SECONDS = 5
MOST_TRIES = 12
LINK = re.compile(r"https://\S+?(/l/\w+)")
UNDOES = re.compile(r'name="undoes"\s+value="([0-9a-f]{32}-\w+)"')
ACTION_ID = re.compile(r'name="action_id"\s+value="([0-9a-f]{32})"')


class Told(NamedTuple):
    """A visitor was told that this is stored, under this id."""

    key: str
    body: str
    submission_id: str


class Acted(NamedTuple):
    """A person was told that this is recorded."""

    action_id: str
    action: str


class Outside:
    """Everybody outside, and what they were told."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.told: list[Told] = []
        self.acted: list[Acted] = []
        self.sent_back: set[str] = set()
        """Bodies that the visitor was asked to correct, or told are stored though they need it."""
        self.given_up: list[str] = []
        self._reactions: list[Callable[[str, str], None]] = []
        world.on_call.append(self._hear)

    # --- visitors --------------------------------------------------------------------------------

    def post(self, fields: Mapping[str, str], key: str, form_id: str = "demo-en") -> None:
        """Sends a form, again and again with the same key until it is told that it is stored."""

        def send(tries: int = 1) -> None:
            response = self.world.http(
                "POST",
                f"/v1/forms/{form_id}/submissions",
                fields,
                {"idempotency-key": key, "accept": "application/json"},
            )
            if response.status in {HTTPStatus.CREATED, HTTPStatus.ACCEPTED}:
                submission_id = json.loads(response.body)["id"]
                self.told.append(Told(key, urlencode(fields), submission_id))
            else:
                self._again(response, tries, f"post {key}", send)

        send()

    def post_with_mistake(self, fields: Mapping[str, str], form_id: str = "demo-en") -> None:
        """Sends a form that lacks something, until it is told so, or that it is stored for now."""

        def send(tries: int = 1) -> None:
            path = f"/v1/forms/{form_id}/submissions"
            response = self.world.http("POST", path, fields, {"accept": "application/json"})
            if response.status in {HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.ACCEPTED}:
                self.sent_back.add(urlencode(fields))
            else:
                self._again(response, tries, "post with a mistake", send)

        send()

    def _again(
        self, response: Response, tries: int, what: str, action: Callable[[int], None]
    ) -> None:
        if response.status < HTTPStatus.INTERNAL_SERVER_ERROR or tries >= MOST_TRIES:
            self.given_up.append(f"{what}: {response.status}")
            return
        self.world.after(TRY_AGAIN_SECONDS, lambda: action(tries + 1))

    # --- reps ------------------------------------------------------------------------------------

    def person_acts(self, number: int, action: str, after: float, **more: str) -> None:
        """The so-many-th person who gets a link to a lead by SMS opens it and presses a button."""
        seen: list[str] = []

        def react(phone: str, path: str) -> None:
            if phone in seen:
                return
            seen.append(phone)
            if len(seen) == number:
                self.world.after(after, lambda: self._open(path, action, more))

        self._reactions.append(react)

    def everybody_calls(self, after: float) -> None:
        """Whoever gets a link to a lead calls once and says so."""

        def react(_: str, path: str) -> None:
            self.world.after(after, lambda: self._open(path, "no_answer", {}))

        self._reactions.append(react)

    def person_undoes(self, number: int, action: str, after: float, then: float) -> None:
        """As above; and some seconds later they see that it was the wrong one."""
        phones: list[str] = []

        def react(phone: str, path: str) -> None:
            if phone in phones:
                return
            phones.append(phone)
            if len(phones) == number:
                self.world.after(after, lambda: self._open(path, action, {}))
                self.world.after(after + then, lambda: self._take_back(path))

        self._reactions.append(react)

    def _take_back(self, path: str, tries: int = 1) -> None:
        page = self.world.http("GET", path)
        if page.status != HTTPStatus.OK:
            self._again(page, tries, f"open {path}", lambda n: self._take_back(path, n))
        elif found := UNDOES.search(page.body):
            self._press(path, {"action": "undo", "undoes": found[1]})
        # Without that button nothing was recorded yet, or a minute has passed.

    def _hear(self, call: Call, _: Json) -> None:
        if call.operation != "sns.Publish" or "PhoneNumber" not in call.arguments:
            return
        link = LINK.search(call.arguments["Message"])
        if link is not None:
            for react in self._reactions:
                react(call.arguments["PhoneNumber"], link[1])

    def _open(self, path: str, action: str, more: Mapping[str, str], tries: int = 1) -> None:
        page = self.world.http("GET", path)
        if page.status != HTTPStatus.OK:
            self._again(page, tries, f"open {path}", lambda n: self._open(path, action, more, n))
        elif found := ACTION_ID.search(page.body):
            self._press(path, {"action_id": found[1], "action": action, **more})
        # Without buttons the lead is closed: somebody else was faster.

    def _press(self, path: str, form: Mapping[str, str], tries: int = 1) -> None:
        response = self.world.http("POST", path, form)
        if response.status == HTTPStatus.SEE_OTHER:
            done = form.get("undoes") or form["action_id"]
            self.acted.append(Acted(done, form["action"]))
        elif response.status != HTTPStatus.CONFLICT:  # somebody else was faster, says the page
            what = f"{form['action']} {path}"
            self._again(response, tries, what, lambda n: self._press(path, form, n))
