"""Gravity Forms of WordPress, by its add-on Webhooks: the whole entry, or fields its owner picked.

An entry calls its answers by number, `1.3` the first name and `1.6` the last; the form's mapping
says which is which. Its `id` is unique on one site only, so it counts where the mapping says so.
"""

from dataclasses import replace

from shared.clients import About, FormClient, generic
from shared.domain.form import Form
from shared.domain.submission import Decoded
from shared.http import HttpRequest

ENTRY = frozenset({"form_id", "source_url", "date_created"})
SERVICE_KEYS = ENTRY - {"source_url"} | {
    *("id", "status", "ip", "currency", "post_id", "date_updated", "is_starred", "is_read"),
    *("user_agent", "payment_status", "payment_date", "payment_method", "transaction_id"),
    *("transaction_type", "payment_amount", "is_fulfilled", "created_by", "source_id"),
}


def decode(request: HttpRequest, form: Form) -> tuple[Decoded, ...]:
    decoded = generic.read(request, form, "gravity")
    if ENTRY.issubset(key for key, _ in decoded.fields):
        service = SERVICE_KEYS - set(form.mapping.values())
        answers = tuple(pair for pair in decoded.fields if pair[0] not in service)
        decoded = replace(decoded, fields=answers)
    return (decoded,)


CLIENT = FormClient(
    about=(
        About(
            "Gravity Forms",
            "Add-on Webhooks: the form's address, POST, JSON; All Fields with a `mapping` such as "
            "`phone: '3'`, or Select Fields with names of your own. Map `external_id` to `id`, "
            "unless several sites send to one form.",
            "A request header of the add-on with the secret `key`.",
            "Source of the add-on: the entry, four methods, two formats, own headers.",
            "It sends in the background and only logs what failed.",
        ),
    ),
    decode=decode,
    verify=generic.verify,
    methods=("POST", "GET", "PUT", "DELETE"),
)
