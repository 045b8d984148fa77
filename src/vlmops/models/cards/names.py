"""What a model is called, without what providers, gateways and servers put around the name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_BACKEND = re.compile(r"^(?:openai|azure|litellm|triton|vllm|ollama):")
_FINE_TUNED = re.compile(r"^ft:([^:]+):.*$")
_REGION_AND_MAKER = re.compile(
    r"^(?:(?:us|eu|apac|jp|au|global)\.)?(?:anthropic|meta|mistral|openai|google|qwen|moonshot(?:ai)?)\."
)
_SNAPSHOT = re.compile(r"(?:-v\d+)?(?:-\d{4}-\d{2}-\d{2}|-20\d{6})?(?:-v\d+)?(?:-latest)?$")


def bare_name(model: str) -> str:
    """The model's own name in small letters: no backend, provider, region, tag or fine-tuning.

    Example:
        >>> bare_name("openai:openai/gpt-4.1"), bare_name("ft:gpt-4o-2024-08-06:acme::x1")
        ('gpt-4.1', 'gpt-4o-2024-08-06')
        >>> bare_name("bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0")
        'claude-sonnet-4-5-20250929-v1'
        >>> bare_name("qwen2.5vl:7b")
        'qwen2.5vl'
    """
    name = _BACKEND.sub("", model.strip().lower())
    name = _FINE_TUNED.sub(r"\1", name)
    name = re.split(r"[:@]", name.rsplit("/", 1)[-1], maxsplit=1)[0]
    return _REGION_AND_MAKER.sub("", name)


def spellings(model: str) -> Iterator[str]:
    """Names under which a model may be listed, the most exact first.

    Example:
        >>> list(spellings("azure/gpt-4o-2024-11-20"))
        ['azure/gpt-4o-2024-11-20', 'gpt-4o-2024-11-20', 'gpt-4o']
        >>> list(spellings("openrouter/anthropic/claude-opus-4.7"))[1:]
        ['claude-opus-4.7', 'claude-opus-4-7']
    """
    full = _BACKEND.sub("", model.strip().lower())
    bare = bare_name(model)
    undated = _SNAPSHOT.sub("", bare, count=1)
    # Gateways write Claude's versions with a dot, its maker with a hyphen.
    hyphened = undated.replace(".", "-") if undated.startswith("claude-") else undated
    yield from dict.fromkeys((full, bare, undated, hyphened))
