"""Google Ads: the webhook of lead form assets.

Documented at developers.google.com/google-ads/webhook. The key stands in the body; what the page
"Send test data" sends says so.
"""

from datetime import datetime
from typing import Any

from shared.clients import About, FormClient
from shared.clients.encodings import flat, objects_in, read_json
from shared.clients.signatures import is_key
from shared.domain.form import Form, Keys
from shared.domain.submission import Decoded
from shared.errors import NotAuthenticatedError
from shared.http import HttpRequest

KEY = "google_key"
COLUMNS = "user_column_data"
APART = frozenset({KEY, COLUMNS, "lead_id", "gcl_id", "is_test", "api_version"})
OF_AN_AD = (("utm_source", "google"), ("utm_medium", "cpc"))
"""For want of a click id: only ads have these forms."""
MEANINGS = {
    "FULL_NAME": "name",
    "FIRST_NAME": "given_name",
    "LAST_NAME": "family_name",
    "PHONE_NUMBER": "phone",
    "EMAIL": "email",
    "COMPANY_NAME": "company",
}


def verify(request: HttpRequest, form: Form, keys: Keys, now: datetime) -> None:  # noqa: ARG001 - neither is in the protocol
    if "key" in keys and not is_key(str(_content(request).get(KEY, "")), keys["key"]):
        raise NotAuthenticatedError("wrong or missing key")


def _content(request: HttpRequest) -> dict[str, Any]:
    """Google's own sample spells `Google_key` once."""
    return {name.lower(): value for name, value in read_json(request).items()}


def decode(request: HttpRequest, form: Form) -> tuple[Decoded, ...]:  # noqa: ARG001 - columns are known
    content = _content(request)
    fields: list[tuple[str, str]] = []
    for column in objects_in(content.get(COLUMNS)):
        key = str(column.get("column_id") or column.get("column_name") or "answer")
        fields += flat({key: column.get("string_value")})
    fields += flat({name: value for name, value in content.items() if name not in APART})
    click_id = content.get("gcl_id")
    if isinstance(click_id, str) and click_id:
        fields.append(("gclid", click_id))
    else:
        fields += OF_AN_AD
    number = content.get("lead_id")
    decoded = Decoded(
        client="google_ads",
        kind="test" if str(content.get("is_test")).lower() == "true" else "submission",
        fields=tuple(fields),
        meanings=tuple(MEANINGS.items()),
        content_type=request.headers.get("content-type", "")[:255],
        # Not verbatim: the key stands in it.
        external_id=number if isinstance(number, str) and number else None,
        somebody_waits=False,
    )
    return (decoded,)


CLIENT = FormClient(
    about=(
        About(
            "Google Ads lead form",
            "Lead form > Webhook integration: the form's address and a key; then Send test data.",
            "`google_key` in the body, the form's secret `key`.",
            "developers.google.com/google-ads/webhook: payload, `is_test`, `lead_id`, 200.",
            "How often it tries again. There is no consent in it.",
        ),
    ),
    decode=decode,
    verify=verify,
)
