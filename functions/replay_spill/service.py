"""What becomes of a request that the table could not take: what would have become of it then."""

from collections.abc import Mapping

from shared.domain.raw_request import Spilled
from shared.http import HttpRequest
from submit_form.service import Answered, Parts, Received, submit_form


def replay(message: Mapping[str, object], parts: Parts) -> Answered:
    """Files a request under its id and the time of its receipt; once, however often it comes.

    Raises RetryableError, and whatever else stands in the way: the request stays in its queue.
    """
    spilled = Spilled.model_validate(message)
    request = HttpRequest.from_raw(spilled.raw, spilled.form_id, spilled.source_ip)
    received = Received(
        spilled.received_at, spilled.submission_id, replayed=True, signals=spilled.signals
    )
    return submit_form(request, parts, received)
