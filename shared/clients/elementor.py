"""Forms of Elementor Pro, by its action Webhook: labels and answers, or nested with types.

It tells the visitor "Webhook Error" for any status but 200. Labels are in the page's language, and
so are those of what it appends; with Advanced Data on, types tell what a field means.
"""

from dataclasses import replace

from shared.clients import About, FormClient, generic
from shared.clients.encodings import Fields
from shared.domain.aliases import canonical_name, dotted, folded
from shared.domain.form import Form
from shared.domain.submission import Decoded
from shared.http import HttpRequest

PAGE_TITLES = frozenset(map(folded, ("Page URL", "URL страницы", "Адрес страницы")))
META_TITLES = PAGE_TITLES | frozenset(
    folded(title)
    for title in (
        *("Date", "Time", "User Agent", "Remote IP", "Powered by", "form_id", "form_name"),
        *("Дата", "Время", "Агент пользователя", "Удаленный IP", "IP-адрес", "Работает на"),
    )
)
"""What Elementor appends to the answers: a question of the same name, further up, is an answer."""
MEANING = {"tel": "phone", "email": "email", "acceptance": "consent"}


def decode(request: HttpRequest, form: Form) -> tuple[Decoded, ...]:
    decoded = generic.read(request, form, "elementor")
    nested = [(dotted(key).split("."), text) for key, text in decoded.fields]
    if any(path[0] == "fields" and len(path) > 2 for path, _ in nested):
        return (_advanced(decoded, nested, form),)
    return (_simple(decoded, form),)


def _simple(decoded: Decoded, form: Form) -> Decoded:
    answers, page = list(decoded.fields), None
    left = set(META_TITLES)
    while answers and folded(answers[-1][0]) in left:
        key, text = answers.pop()
        left.remove(folded(key))
        if folded(key) in PAGE_TITLES:
            page = text
    mapped = {pair for pair in decoded.fields if pair[0] in form.mapping.values()}
    more = tuple(pair for pair in decoded.fields[len(answers) :] if pair in mapped)
    return replace(decoded, fields=(*answers, *more), page=page or decoded.page)


def _advanced(decoded: Decoded, nested: list[tuple[list[str], str]], form: Form) -> Decoded:
    parts: dict[str, dict[str, str]] = {}
    tags: list[tuple[str, str]] = []
    page = decoded.page
    for path, text in nested:
        if path[0] == "fields" and len(path) > 2:
            # An id has no dot, but an answer of several parts has further keys.
            parts.setdefault(path[1], {}).setdefault(path[2], text)
        elif path == ["meta", "page_url", "value"]:
            page = text
        elif path[0] not in {"form", "meta"}:
            tags.append((".".join(path), text))
    fields: list[tuple[str, str]] = []
    meanings: list[tuple[str, str]] = []
    for name, part in parts.items():
        title = part.get("title", "")
        key = generic.named(form, name, f"fields.{name}.value", title or name)
        meaning = MEANING.get(part.get("type", "")) or canonical_name(title)
        fields.append((key, part.get("value", part.get("raw_value", ""))))
        if meaning:
            meanings.append((key, meaning))
    own: Fields = (*fields, *tags)
    return replace(decoded, fields=own, meanings=tuple(meanings), page=page)


CLIENT = FormClient(
    about=(
        About(
            "Elementor Pro",
            "Actions After Submit > Webhook: the form's address; switch Advanced Data on, else "
            "fields are known by their labels only.",
            generic.BY_KEY,
            "Source of the plug-in: labels or `fields[id][value]`, anything but 200 is shown to "
            "the visitor as an error, no second try.",
            "It waits 5 seconds, as WordPress does by default; titles of what it appends in other "
            "languages.",
        ),
    ),
    decode=decode,
    verify=generic.verify,
)
