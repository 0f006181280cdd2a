"""Which function answers: as API Gateway decides."""

import pytest

from infra.local.routes import Route, RouteTable

TABLE = RouteTable(
    [
        Route("ANY", "$default", "Fallback"),
        Route("ANY", "/files/{path+}", "Files"),
        Route("GET", "/files/{name}", "File"),
        Route("GET", "/files/index", "Index"),
        Route("ANY", "/v1/forms/{form_id}/submissions", "Any"),
        Route("POST", "/v1/forms/{form_id}/submissions", "Submit"),
    ]
)
WITHOUT_DEFAULT = RouteTable([Route("GET", "/l/{code}", "Show")])


@pytest.mark.parametrize(
    ("method", "path", "function", "parameters"),
    [
        ("POST", "/v1/forms/demo-en/submissions", "Submit", {"form_id": "demo-en"}),
        ("PUT", "/v1/forms/demo-en/submissions", "Any", {"form_id": "demo-en"}),
        ("GET", "/files/index", "Index", {}),
        ("GET", "/files/a.txt", "File", {"name": "a.txt"}),
        ("GET", "/files/a/b.txt", "Files", {"path": "a/b.txt"}),
        ("GET", "/else/where", "Fallback", {}),
    ],
)
def test_the_most_specific_route_wins(
    method: str, path: str, function: str, parameters: dict[str, str]
) -> None:
    match = TABLE.match(method, path)

    assert match is not None
    assert match.route.function == function
    assert match.path_parameters == parameters


def test_an_encoded_slash_separates_nothing() -> None:
    match = WITHOUT_DEFAULT.match("GET", "/l/a%2Fb%20c")

    assert match is not None
    assert match.path_parameters == {"code": "a/b c"}


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/l/"), ("GET", "/l/a/"), ("GET", "/l/a/b"), ("HEAD", "/l/a"), ("OPTIONS", "/l/a")],
)
def test_what_the_template_does_not_route_is_found_nowhere(method: str, path: str) -> None:
    assert WITHOUT_DEFAULT.match(method, path) is None


def test_a_dot_in_a_path_is_a_dot() -> None:
    table = RouteTable([Route("GET", "/embed.js", "Embed")])

    assert table.match("GET", "/embedxjs") is None


def test_a_route_is_called_as_in_its_events() -> None:
    assert Route("GET", "/l/{code}", "Show").key == "GET /l/{code}"
    assert Route("ANY", "$default", "Fallback").key == "$default"
