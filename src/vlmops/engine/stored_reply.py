"""Replies as JSON text, and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from vlmops.evaluators.case import Usage
from vlmops.field_names import field_names
from vlmops.models.model import ModelReply, SentPicture

if TYPE_CHECKING:
    from collections.abc import Mapping


def to_text(reply: ModelReply) -> str | None:
    """The reply as JSON; ``None`` where its output or metadata is none (pictures, objects).

    Example:
        >>> from_text(to_text(ModelReply({"n": 7}, "7", Usage(9, 1)))).usage.input_tokens
        9
    """
    content = _members(reply)
    del content["cached"]
    try:
        text = _WHOLE.encode(content)
        text.encode()
    except UnicodeEncodeError:
        # Models break off within an escape: half a character can be kept only as one.
        return _ESCAPED.encode(content)
    except (TypeError, ValueError, RecursionError):
        return None
    return text


def _members(record: Any) -> dict[str, Any]:
    names = field_names(type(record))
    if not names:
        raise TypeError(f"{type(record).__name__} is not JSON")
    return {name: getattr(record, name) for name in names}


_WHOLE, _ESCAPED = (
    json.JSONEncoder(ensure_ascii=escaped, separators=(",", ":"), allow_nan=False, default=_members)
    for escaped in (False, True)
)


def from_text(text: str) -> ModelReply:
    """The reply that :func:`to_text` made JSON of, marked as kept.

    Raises:
        ValueError: The text is damaged.
    """
    try:
        content = _known(ModelReply, json.loads(text))
        usage = content.get("usage")
        content["usage"] = None if usage is None else Usage(**_known(Usage, usage))
        content["sent"] = tuple(_sent(picture) for picture in content.get("sent", ()))
        return ModelReply(**{**content, "cached": True})
    except (TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"no reply: {error}") from error


def _sent(picture: Mapping[str, Any]) -> SentPicture:
    content = _known(SentPicture, picture)
    return SentPicture(**{**content, "changes": tuple(content.get("changes", ()))})


def _known(kind: type[Any], content: Mapping[str, Any]) -> dict[str, Any]:
    """What this version knows of it: another one may have written more."""
    return {name: content[name] for name in field_names(kind) if name in content}
