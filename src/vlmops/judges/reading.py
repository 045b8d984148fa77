"""Reading a judge's verdict from its reply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vlmops.evaluators.failure import Failure, FailureKind

if TYPE_CHECKING:
    from vlmops.models.model import ModelReply

_EXCERPT = 120


def read_verdict(reply: ModelReply) -> Mapping[str, Any] | Failure:
    """The object a judge answered with, also where its backend gave it as text.

    Example:
        >>> from vlmops.models import ModelReply
        >>> read_verdict(ModelReply(output="", text='{"true": {"verdict": "yes"}}'))
        {'true': {'verdict': 'yes'}}
        >>> read_verdict(ModelReply(output="Looks fine", text="Looks fine")).kind.value
        'unparsable'
    """
    if isinstance(reply.output, Mapping):
        return reply.output
    said = " ".join(reply.text.split())[:_EXCERPT]
    if reply.finish_reason == "length":
        # Mending what is missing of a verdict would be guessing at it.
        return Failure(
            FailureKind.TRUNCATED, f"the judge's answer was cut off by the token limit (max_tokens): {said!r}"
        )
    from vlmops.evaluators.structure import read_json

    try:
        found = read_json(reply.text)
    except ValueError:
        found = None
    if isinstance(found, Mapping):
        return found
    return Failure(FailureKind.UNPARSABLE, f"the judge's answer is no JSON object: {said!r}")
