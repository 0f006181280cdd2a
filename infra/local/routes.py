"""Which function answers a method and a path, as API Gateway decides it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, Self
from urllib.parse import unquote


@dataclass(frozen=True)
class Route:
    """One route of the API: `GET`, `/l/{code}`, the function behind it."""

    method: str
    path: str
    function: str

    def with_function(self, function: str) -> Self:
        return replace(self, function=function)

    def to_list(self) -> list[str]:
        return [self.method, self.path, self.function]

    @property
    def key(self) -> str:
        """The name API Gateway gives it."""
        return self.path if self.path == "$default" else f"{self.method} {self.path}"

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        if self.path == "$default":
            return re.compile(".*", re.DOTALL)
        # {name} is one segment, {name+} the rest of the path.
        parts = re.split(r"\{(\w+\+?)\}", self.path)
        names = (
            f"(?P<{part.rstrip('+')}>{'.+' if part.endswith('+') else '[^/]+'})"
            for part in parts[1::2]
        )
        literals = (re.escape(part) for part in parts[0::2])
        return re.compile("".join(interleave(literals, names)), re.DOTALL)

    @property
    def rank(self) -> tuple[bool, bool, int, bool]:
        """The most specific first: a full path, then variables, then a greedy one, then $default;
        a method before ANY.
        """
        return (
            self.path == "$default",
            "+}" in self.path,
            self.path.count("{"),
            self.method == "ANY",
        )


def interleave(first: Iterable[str], second: Iterable[str]) -> Iterable[str]:
    others = iter(second)
    for item in first:
        yield item
        yield next(others, "")


class Match(NamedTuple):
    route: Route
    path_parameters: Mapping[str, str]


class RouteTable:
    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = sorted(routes, key=lambda route: route.rank)

    def match(self, method: str, raw_path: str) -> Match | None:
        """Find the route of a path that is still percent-encoded: `%2F` is no separator."""
        for route in self._routes:
            if route.method not in {"ANY", method}:
                continue
            if found := route.pattern.fullmatch(raw_path):
                return Match(
                    route, {name: unquote(value) for name, value in found.groupdict().items()}
                )
        return None
