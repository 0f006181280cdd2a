"""Landing pages of Unbounce, by their webhook: the answers are JSON in the field `data.json`.

Every answer is a list. PHP calls the field `data_json`, and so does what passes requests on.
"""

from dataclasses import replace

from shared.clients import About, FormClient, generic
from shared.clients.encodings import NO_OBJECT, flat, parse_json
from shared.domain.aliases import folded
from shared.domain.form import Form
from shared.domain.submission import Decoded
from shared.errors import MalformedRequestError
from shared.http import HttpRequest

ANSWERS, AGAIN = "datajson", "dataxml"
SERVICE_KEYS = frozenset(
    {"page_id", "page_uuid", "ip_address", "time_submitted", "date_submitted", "submission_source"}
)


def decode(request: HttpRequest, form: Form) -> tuple[Decoded, ...]:
    decoded = generic.read(request, form, "unbounce", lambda key: folded(key) == AGAIN)
    answers: dict[str, list[str]] = {}
    for key, text in decoded.fields:
        if folded(key) == ANSWERS:
            content = parse_json(text)
            if not isinstance(content, dict):
                raise MalformedRequestError(NO_OBJECT)
            for name, value in flat(content):
                answers.setdefault(name, []).append(value)
    for key, text in decoded.fields:
        if folded(key) != ANSWERS:
            answers.setdefault(key, [text])
    service = SERVICE_KEYS - set(form.mapping.values())
    fields = tuple((k, text) for k, texts in answers.items() if k not in service for text in texts)
    return (replace(decoded, fields=fields),)


CLIENT = FormClient(
    about=(
        About(
            "Unbounce",
            "Integrations > Webhooks: the form's address, POST to URL.",
            f"{generic.BY_KEY} Requests come from 54.241.34.25 and 50.19.99.184.",
            "Unbounce's help, “Using a webhook”: `data.json`, `data.xml`, `page_url`, `variant`; "
            "answers are lists.",
            "Second tries are not documented. There is no id: a repeat is known by its content.",
        ),
    ),
    decode=decode,
    verify=generic.verify,
)
