"""One request and its answer, free of any web framework."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from .problems import invalid, out_of_range, wrong_type

if TYPE_CHECKING:
    from .project import Project


@dataclass
class Call:
    """A request: `query` keeps repeated keys as lists; `body` is the parsed JSON, `data` the bytes sent."""

    method: str
    path: str
    headers: Mapping[str, str]
    query: dict[str, list[str]]
    data: bytes = b""
    body: Any = None
    parameters: dict[str, str] = field(default_factory=dict)

    def first(self, name: str, default: str | None = None) -> str | None:
        """The first value of a query parameter."""
        return self.query.get(name, [default])[0]

    def listed(self, name: str) -> list[str]:
        """The values of a comma-separated query parameter, empty when it was not sent."""
        return [part for value in self.query.get(name, []) for part in value.split(",") if part]

    def integer(self, name: str, default: int, *, maximum: int) -> int:
        """A whole number from 1 to `maximum`, or the refusal."""
        text = self.first(name)
        if text is None:
            return default
        try:
            value = int(text)
        except ValueError:
            issue = wrong_type("number", text, name)
            issue["message"] = "Invalid input: expected number, received NaN"
            raise invalid(issue) from None
        if value > maximum:
            raise invalid(out_of_range(maximum, name, big=True))
        if value < 1:
            raise invalid(out_of_range(1, name, big=False))
        return value


@dataclass
class Reply:
    """An answer: a JSON value, text, bytes or None for an empty body."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


Handler = Callable[["Project", Call], Reply]


@dataclass(frozen=True)
class Route:
    """A method and a path template such as `/api/public/media/{mediaId}`."""

    method: str
    template: str
    handler: Handler
    body_limit: str = "1mb"

    @property
    def name(self) -> str:
        """The route as the request log counts it: method and template."""
        return f"{self.method} {self.template}"

    def match(self, raw_path: str) -> dict[str, str] | None:
        """Path parameters when the percent-encoded path fits. `%2F` inside a segment does not split it."""
        wanted, given = self.template.split("/"), raw_path.split("/")
        if len(wanted) != len(given):
            return None
        parameters = {}
        for part, segment in zip(wanted, given, strict=True):
            if part.startswith("{"):
                parameters[part[1:-1]] = unquote(segment)
            elif part != segment:
                return None
        return parameters
