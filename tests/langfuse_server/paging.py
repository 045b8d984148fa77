"""Numbered pages and opaque cursors."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from .problems import ProblemError, refused

if TYPE_CHECKING:
    from .exchange import Call

LARGEST_PAGE_NUMBER = 2**31 - 1


def page(call: Call, rows: list[Any], *, default_limit: int = 50) -> tuple[list[Any], dict[str, int]]:
    """The rows of the asked page and its `meta`. A page past the end is empty."""
    number = call.integer("page", 1, maximum=LARGEST_PAGE_NUMBER)
    limit = call.integer("limit", default_limit, maximum=100)
    meta = {
        "page": number,
        "limit": limit,
        "totalItems": len(rows),
        "totalPages": -(-len(rows) // limit),
    }
    return rows[(number - 1) * limit : number * limit], meta


def encode_cursor(fields: dict[str, Any], *, urlsafe: bool = True) -> str:
    """The cursor that continues after the row described by `fields`."""
    data = json.dumps(fields, separators=(",", ":")).encode()
    if urlsafe:
        return base64.urlsafe_b64encode(data).decode().rstrip("=")
    return base64.b64encode(data).decode()


def decode_cursor(text: str, *names: str) -> list[Any]:
    """The named fields of a cursor, or the refusal of nonsense."""
    problem: ProblemError = refused("Invalid cursor format")
    try:
        fields = json.loads(
            base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4))
        )
        return [fields[name] for name in names]
    except (ValueError, KeyError, TypeError):
        raise problem from None
