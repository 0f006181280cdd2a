"""/v1/forms/{form_id}/submissions: takes what a visitor typed."""

from contextlib import suppress
from datetime import UTC, datetime
from functools import cache

from shared.adapters import dynamodb, queues
from shared.adapters.filing import Filing
from shared.adapters.intake_table import IntakeTable
from shared.adapters.policy_store import PolicyStore
from shared.adapters.secret_store import SecretStore
from shared.adapters.turnstile import Turnstile
from shared.domain.bursts import Bursts
from shared.http import HttpRequest, Reply, http_function
from shared.observability import emit, logger
from shared.settings import is_starting, settings
from submit_form.service import Parts, Received, submission_id_of, submit_form


def connect() -> Parts:
    """What taking and replaying submissions works with."""
    table = dynamodb.Table(dynamodb.client(), settings().table_name)
    return Parts(
        PolicyStore(table),
        Filing(table),
        IntakeTable(table),
        SecretStore(settings().secrets_path),
        Bursts(),
        Turnstile(),
        queues.Queue(queues.client(), settings().spill_queue_url),
    )


parts = cache(connect)


@http_function
def handler(request: HttpRequest) -> Reply:
    answered = submit_form(request, parts(), Received(datetime.now(UTC), submission_id_of(request)))
    logger.info("submission answered", **answered.facts())
    emit(answered.measurements)
    return answered.reply


def warm_up() -> None:
    """Opens the connection and reads the policy. What fails is met again, and answered, later."""
    with suppress(Exception):
        next(parts().policies.current().forms, None)


if is_starting():
    warm_up()
