"""Every SMS and e-mail that was sent: what would have reached a person's phone and mailbox.

SMS are read from the engine, which keeps them, and so is mail of SES; that of SNS arrives as the
posts of an HTTP subscription. All are kept in a file, because the engine knows neither when an SMS
was sent nor any e-mail of SNS.
"""

import http.client
import json
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from shared.domain.instants import iso
from shared.domain.roster import Rep

if TYPE_CHECKING:
    from types_boto3_sns import SNSClient

LINK_CODE = re.compile(r"/[lr]/([A-Za-z0-9]{12})\b")
SMS_PATH = "/_ministack/sns/sms-messages"
SES_PATH = "/_ministack/ses/messages"


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one person; `to` is a phone number or an address, `at` when it was seen."""

    message_id: str
    channel: Literal["sms", "email"]
    to: str
    subject: str | None
    text: str
    at: str
    lead_id: str | None
    """The lead that the link in the text opens; None for a list of leads."""

    def public(self) -> dict[str, str | None]:
        """Its form in /inbox.json."""
        return {name: value for name, value in asdict(self).items() if name != "message_id"}


class Inbox:
    """The messages, oldest first. `find_lead` tells which lead a link's code opens."""

    def __init__(
        self, file: Path, people: Iterable[Rep], find_lead: Callable[[str], str | None]
    ) -> None:
        self._file = file
        self._find_lead = find_lead
        self._addresses = {rep.rep_id: rep.email or rep.rep_id for rep in people}
        self._lock = threading.Lock()
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        self._messages = {
            message.message_id: message for message in (Message(**json.loads(x)) for x in lines)
        }

    def messages(self) -> list[Message]:
        with self._lock:
            return list(self._messages.values())

    def take_sms(self, message_id: str, phone: str, text: str) -> None:
        self._take(message_id, "sms", phone, None, text)

    def take_email(self, message_id: str, rep_id: str, subject: str, text: str) -> None:
        self._take(message_id, "email", self._addresses.get(rep_id, rep_id), subject, text)

    def take_mail(self, message_id: str, address: str, subject: str, text: str) -> None:
        self._take(message_id, "email", address, subject, text)

    def _take(
        self,
        message_id: str,
        channel: Literal["sms", "email"],
        to: str,
        subject: str | None,
        text: str,
    ) -> None:
        with self._lock:
            if message_id in self._messages:
                return
            code = LINK_CODE.search(text)
            message = Message(
                message_id=message_id,
                channel=channel,
                to=to,
                subject=subject,
                text=text,
                at=iso(datetime.now(UTC)),
                lead_id=self._find_lead(code[1]) if code else None,
            )
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(message), ensure_ascii=False) + "\n")
            self._messages[message_id] = message


class Collector:
    """Moves new SMS, and the mail of SES, from the engine into the inbox."""

    def __init__(self, inbox: Inbox, endpoint: str) -> None:
        self._inbox = inbox
        self._address = urlsplit(endpoint).netloc

    def collect_sms(self) -> None:
        for phone, messages in self._read(SMS_PATH)["sms_messages"].items():
            for message in messages:
                self._inbox.take_sms(message["MessageId"], phone, message["Message"])

    def collect_mail(self) -> None:
        for messages in self._read(SES_PATH)["messages"].values():
            for message in messages:
                (address,) = message["To"]
                self._inbox.take_mail(
                    message["MessageId"], address, message["Subject"], message["BodyText"]
                )

    def _read(self, path: str) -> Any:
        connection = http.client.HTTPConnection(self._address, timeout=5)
        try:
            connection.request("GET", path)
            return json.load(connection.getresponse())
        finally:
            connection.close()


class Mailboxes:
    """What the alert topic's HTTP subscriptions post to, one path per person."""

    def __init__(self, inbox: Inbox, sns: "SNSClient") -> None:
        self._inbox = inbox
        self._sns = sns

    async def receive(self, request: Request) -> Response:
        posted: dict[str, Any] = json.loads(await request.body())
        if posted["Type"] == "SubscriptionConfirmation":
            await run_in_threadpool(
                self._sns.confirm_subscription, TopicArn=posted["TopicArn"], Token=posted["Token"]
            )
        else:
            await run_in_threadpool(
                self._inbox.take_email,
                posted["MessageId"],
                request.path_params["rep_id"],
                posted.get("Subject") or "",
                posted["Message"],
            )
        return Response(status_code=204)
