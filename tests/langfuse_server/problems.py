"""Refusals in the recorded forms: plain rule violations and lists of validation issues."""

from __future__ import annotations

from typing import Any, Final

MISSING: Final = object()
"""Stands for a key that was not sent (JavaScript's undefined)."""

_KINDS = {
    400: "InvalidRequestError",
    401: "UnauthorizedError",
    404: "LangfuseNotFoundError",
    405: "MethodNotAllowedError",
    409: "LangfuseConflictError",
    500: "InternalServerError",
}


class ProblemError(Exception):
    """An answer other than success: `status`, JSON `body` (or plain text) and extra headers."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body
        self.headers = headers or {}


def refused(message: str, status: int = 400) -> ProblemError:
    """A broken rule: the message and the name of its kind."""
    return ProblemError(status, {"message": message, "error": _KINDS[status]})


def invalid(*issues: dict[str, Any]) -> ProblemError:
    """A body or query that does not fit its schema."""
    return ProblemError(400, {"message": "Invalid request data", "error": list(issues)})


def js_type(value: Any) -> str:
    """Name of a JSON value's type as validation messages spell it.

    >>> js_type([]), js_type(True), js_type(None), js_type(MISSING)
    ('array', 'boolean', 'null', 'undefined')
    """
    if value is MISSING:
        return "undefined"
    if value is None:
        return "null"
    for kind, name in ((bool, "boolean"), (str, "string"), (list, "array"), (dict, "object")):
        if isinstance(value, kind):
            return name
    return "number"


def wrong_type(expected: str, value: Any, *path: str | int) -> dict[str, Any]:
    """Issue: a value of another type."""
    return {
        "expected": expected,
        "code": "invalid_type",
        "path": list(path),
        "message": f"Invalid input: expected {expected}, received {js_type(value)}",
    }


def not_one_of(values: list[str], *path: str | int) -> dict[str, Any]:
    """Issue: a value outside an enumeration."""
    choices = "|".join(f'"{value}"' for value in values)
    message = f"Invalid option: expected one of {choices}"
    if len(values) == 1:
        message = f"Invalid input: expected {choices}"
    return {"code": "invalid_value", "values": values, "path": list(path), "message": message}


def too_long(maximum: int, *path: str | int, message: str | None = None) -> dict[str, Any]:
    """Issue: a string with more than `maximum` characters."""
    return {
        "origin": "string",
        "code": "too_big",
        "maximum": maximum,
        "inclusive": True,
        "path": list(path),
        "message": message or f"Too big: expected string to have <={maximum} characters",
    }


def too_short(minimum: int, *path: str | int) -> dict[str, Any]:
    """Issue: a string with fewer than `minimum` characters."""
    return {
        "origin": "string",
        "code": "too_small",
        "minimum": minimum,
        "inclusive": True,
        "path": list(path),
        "message": f"Too small: expected string to have >={minimum} characters",
    }


def out_of_range(limit: int, *path: str | int, big: bool) -> dict[str, Any]:
    """Issue: a number above (`big`) or below a limit."""
    word, bound, sign = ("big", "maximum", "<=") if big else ("small", "minimum", ">=")
    return {
        "origin": "number",
        "code": f"too_{word}",
        bound: limit,
        "inclusive": True,
        "path": list(path),
        "message": f"Too {word}: expected number to be {sign}{limit}",
    }


def bad_format(pattern: str, message: str, *path: str | int) -> dict[str, Any]:
    """Issue: a string that does not match a pattern."""
    return {
        "origin": "string",
        "code": "invalid_format",
        "format": "regex",
        "pattern": pattern,
        "path": list(path),
        "message": message,
    }


def bad_time(*path: str | int) -> dict[str, Any]:
    """Issue: a text that is no ISO 8601 time with a zone."""
    issue = {"origin": "string", "code": "invalid_format", "format": "datetime", "path": list(path)}
    return {**issue, "message": "Invalid ISO datetime"}


def custom(message: str, *path: str | int) -> dict[str, Any]:
    """Issue: a rule of the server's own."""
    return {"code": "custom", "path": list(path), "message": message}


def no_union_branch(branches: list[list[dict[str, Any]]], message: str, *path: str | int) -> dict[str, Any]:
    """Issue: a value that fits no branch of a union; each branch says why."""
    return {"code": "invalid_union", "errors": branches, "path": list(path), "message": message}


def require_object(body: Any) -> dict[str, Any]:
    """The body as a JSON object, or the refusal."""
    if not isinstance(body, dict):
        raise invalid(wrong_type("object", body))
    return body


def check_text(
    body: dict[str, Any], key: str, *, required: bool = False, maximum: int | None = None
) -> list[dict[str, Any]]:
    """Issues of a string field: missing, of another type, or too long. An optional one may be null."""
    value = body.get(key, MISSING)
    if value is MISSING or value is None:
        return [wrong_type("string", value, key)] if required else []
    if not isinstance(value, str):
        return [wrong_type("string", value, key)]
    if maximum is not None and len(value) > maximum:
        return [too_long(maximum, key)]
    return []
