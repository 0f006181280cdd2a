"""measure_events: counts by form and by channel, never crossed."""

from measure_events.service import fold


def test_events_are_counted_by_form_and_by_channel_apart() -> None:
    flats = [
        {"type": "LeadCaptured", "form_id": "demo-en", "channel": "Direct"},
        {"type": "LeadCaptured", "form_id": "demo-en", "channel": "Paid Search"},
        {"type": "LeadAttempted", "form_id": "demo-ru", "channel": "Direct"},
        {"type": "AlertRequested", "form_id": "demo-ru", "channel": "Direct"},
    ]

    assert fold(flats) == {
        ("LeadCaptured", "form", "demo-en"): 2,
        ("LeadCaptured", "channel", "Direct"): 1,
        ("LeadCaptured", "channel", "Paid Search"): 1,
        ("LeadAttempted", "form", "demo-ru"): 1,
        ("LeadAttempted", "channel", "Direct"): 1,
    }
