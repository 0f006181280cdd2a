"""Why an action was not recorded, in words: on a page, and in a terminal."""

from collections.abc import Mapping

from shared.texts import mark, translation

REFUSALS: Mapping[str, str] = {
    "closed": mark("This lead is closed already."),
    "open": mark("This lead is open already."),
    "newer_lead": mark("This person has a newer lead that is open: go on with that one."),
    "taken": mark("Somebody else is on it already."),
    "already_called": mark("Somebody has called already."),
    "undone_before": mark("This was undone. If it did happen, please choose it once more."),
    "undo_gone": mark("This cannot be undone any more: something else has happened since."),
    "undo_late": mark(
        "Too late to undo: that is possible for one minute. Record what is true now instead."
    ),
    "stale_page": mark("This page was too old. Nothing was saved: please choose again."),
    "unknown_action": mark("Choose one of the buttons."),
    "reason_needed": mark("Choose a reason."),
    "time_needed": mark("Enter a time from now on, within three months."),
    "snoozed_before": mark("The first call was put off once already: please call."),
    "person_needed": mark("Choose a colleague."),
    "note_needed": mark("“Other” needs a few words in the note."),
    "note_too_long": mark("The note is too long."),
    "amount_needed": mark("Enter the amount as a number, for example 1200 or 1200.50."),
    "currency_needed": mark("Choose a currency."),
}
"""By the reason of an `IllegalActionError`."""


def refusal(reason: str, locale: str) -> str:
    """What somebody is told whose action was refused."""
    return translation(locale).gettext(REFUSALS[reason])
