"""Tokens and cost as Langfuse counts them, and back. Pure functions.

Langfuse adds the kinds of tokens up: all that speak of ``input`` are the tokens in, all that speak of
``output`` the tokens out. Ours are wholes of which pictures, cache and thought are parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from vlmops.evaluators import Usage

_IMAGE, _CACHED, _REASONING = "input_image", "input_cached_tokens", "output_reasoning_tokens"
_CACHED_KINDS = (_CACHED, "input_cache_read", "cache_read_input_tokens")
_REASONING_KINDS = (_REASONING, "output_reasoning")
_FIELDS = frozenset(field.name for field in fields(Usage))


def usage_details(usage: Usage) -> dict[str, int]:
    """Tokens by Langfuse's kinds, which add up to the tokens in and the tokens out.

    Example:
        >>> usage_details(Usage(input_tokens=120, output_tokens=5, image_tokens=100))
        {'input': 20, 'input_image': 100, 'output': 5}
    """
    inside = _split("input", usage.input_tokens, {_IMAGE: usage.image_tokens, _CACHED: usage.cached_tokens})
    return inside | _split("output", usage.output_tokens, {_REASONING: usage.reasoning_tokens})


def usage_from(details: Mapping[str, Any] | None, cost: float | None) -> Usage | None:
    """What an observation says it consumed; ``None`` when it says nothing.

    Args:
        details: Tokens by kind.
        cost: In US dollars; Langfuse shows 0 where it knows no price.

    Example:
        >>> usage_from({"input": 20, "input_image": 100, "output": 5, "total": 125}, 0.0)
        Usage(input_tokens=120, output_tokens=5, image_tokens=100, cost=None, cached_tokens=None, \
reasoning_tokens=None)
    """
    found = {kind: int(count) for kind, count in (details or {}).items() if isinstance(count, int | float)}
    if not found and not cost:
        return None
    return Usage(
        _sum(found, "input"),
        _sum(found, "output"),
        found.get(_IMAGE),
        cost or None,
        _first(found, _CACHED_KINDS),
        _first(found, _REASONING_KINDS),
    )


def machine_data(usage: Usage | None, latency: float | None) -> dict[str, Any]:
    """Both as JSON, for :func:`from_machine_data`."""
    known = {} if usage is None else asdict(usage)
    known = {key: value for key, value in known.items() if value is not None}
    return {"latency": latency, **({"usage": known} if known else {})}


def from_machine_data(machine: Mapping[str, Any]) -> tuple[Usage | None, float | None]:
    """Usage and latency in seconds, each ``None`` when it is not known.

    Example:
        >>> usage, latency = from_machine_data(machine_data(Usage(7, 1), 0.25))
        >>> usage.input_tokens, latency
        (7, 0.25)
    """
    found = machine.get("usage")
    known = {key: found[key] for key in found if key in _FIELDS} if isinstance(found, Mapping) else {}
    latency = machine.get("latency")
    return (Usage(**known) if known else None), (float(latency) if latency is not None else None)


def _split(whole_name: str, whole: int | None, parts: Mapping[str, int | None]) -> dict[str, int]:
    known = {kind: count for kind, count in parts.items() if count is not None}
    if whole is None:
        return known
    # What is cached may be pictures too: parts that overlap would add up to more than the whole.
    while known and sum(known.values()) > whole:
        known.popitem()
    return {whole_name: whole - sum(known.values()), **known}


def _sum(details: Mapping[str, int], word: str) -> int | None:
    counts = [count for kind, count in details.items() if word in kind]
    return sum(counts) if counts else None


def _first(details: Mapping[str, int], kinds: tuple[str, ...]) -> int | None:
    return next((details[kind] for kind in kinds if kind in details), None)
