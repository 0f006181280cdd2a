"""docs/form-clients.md, against what the modules tell of themselves."""

import pytest

from docs.make_form_clients import DOCUMENT, clients, document
from shared.clients import FormClient


def test_the_document_is_what_the_modules_tell() -> None:
    assert DOCUMENT.read_text("utf-8") == document(), "run `make clients`"


@pytest.mark.parametrize(("name", "client"), clients().items())
def test_a_client_tells_how_to_connect_it(name: str, client: FormClient) -> None:
    assert client.about, name
    for about in client.about:
        assert about.title
        assert about.connect
        assert about.authenticates
        assert about.confirmed


def test_titles_are_different() -> None:
    titles = [about.title for client in clients().values() for about in client.about]
    assert len(titles) == len(set(titles))
