"""Alerts in the table: one worker at a time, and none after it was settled."""

import pytest

from shared.adapters import keys
from shared.adapters.alert_table import AlertTable
from shared.adapters.dynamodb import Table
from shared.adapters.link_table import Link, LinkTable
from shared.domain import events as happened
from shared.errors import AlertLeasedError
from tests.unit.domain.samples import at

LEAD_ID = "a" * 32
LINK = Link(
    kind="lead",
    team="sales",
    rep_id="anna",
    lead_id=LEAD_ID,
    expires_at=int(at(86400).timestamp()),
)


@pytest.fixture
def alerts(table: Table) -> AlertTable:
    return AlertTable(table)


@pytest.fixture
def links(table: Table) -> LinkTable:
    return LinkTable(table)


def test_one_lease_at_a_time_and_none_after_the_alert_was_sent(
    alerts: AlertTable, links: LinkTable
) -> None:
    code = alerts.lease_alert(LEAD_ID, "1-new-anna-sms", LINK, at(0))
    assert isinstance(code, str)
    assert links.link(code, at(1)) == LINK

    with pytest.raises(AlertLeasedError):
        alerts.lease_alert(LEAD_ID, "1-new-anna-sms", LINK, at(29))
    second = alerts.lease_alert(LEAD_ID, "1-new-anna-sms", LINK, at(31))
    assert second not in (None, code), "the holder died"

    sent = happened.AlertSent(alert_id="1-new-anna-sms", rep_id="anna", via="sms", message_id="m")
    alerts.settle_alert(LEAD_ID, sent)
    assert alerts.lease_alert(LEAD_ID, "1-new-anna-sms", LINK, at(999)) == sent

    alerts.lease_alert(LEAD_ID, "1-new-anna-email", LINK, at(0))
    refused = happened.AlertFailed(
        alert_id="1-new-anna-email", rep_id="anna", via="email", reason="topic_missing"
    )
    alerts.settle_alert(LEAD_ID, refused)
    assert alerts.lease_alert(LEAD_ID, "1-new-anna-email", LINK, at(99)) == refused


def test_an_alert_that_an_older_version_settled_is_settled(
    alerts: AlertTable, table: Table
) -> None:
    sent = happened.AlertSent(alert_id="1-new-anna-sms", rep_id="anna", via="sms", message_id="m")
    as_it_was = {**keys.alert("lead", sent.alert_id), "outcome": sent.model_dump(mode="json")}
    table.transact([table.put(as_it_was)])

    assert alerts.lease_alert("lead", sent.alert_id, LINK, at(0)) == sent
