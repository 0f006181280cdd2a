"""What was sent, as it is kept and shown."""

from pathlib import Path

import pytest

from infra.local.inbox import Inbox
from infra.local.people import sample_people

CODE = "aB3dE6gH9jK2"
TEXT = f"New lead\nhttp://127.0.0.1:8080/l/{CODE}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "inbox.jsonl"


def inbox(file: Path) -> Inbox:
    return Inbox(file, sample_people(), {CODE: "lead-1"}.get)


def test_a_message_names_the_lead_that_its_link_opens(file: Path) -> None:
    box = inbox(file)

    box.take_sms("m1", "+447700900101", TEXT)
    box.take_sms("m2", "+447700900101", "no link")

    assert [message.lead_id for message in box.messages()] == ["lead-1", None]


def test_an_e_mail_is_to_the_persons_address(file: Path) -> None:
    box = inbox(file)

    box.take_email("m1", "alice", "New lead", TEXT)

    (message,) = box.messages()
    assert message.public().keys() == {"channel", "to", "subject", "text", "at", "lead_id"}
    assert (message.channel, message.to) == ("email", "alice@example.com")


def test_messages_outlive_a_restart_and_are_taken_once(file: Path) -> None:
    first = inbox(file)
    first.take_sms("m1", "+447700900101", TEXT)
    first.take_sms("m1", "+447700900101", TEXT)

    second = inbox(file)
    second.take_sms("m1", "+447700900101", TEXT)

    assert second.messages() == first.messages()
    assert len(second.messages()) == 1
