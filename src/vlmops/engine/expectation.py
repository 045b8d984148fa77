"""What a call is expected to take, before it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from vlmops.evaluators.case import Usage

if TYPE_CHECKING:
    from vlmops.models.model import Model, ModelRequest

_CHARACTERS_A_TOKEN = 3
_TOKENS_A_PICTURE = 1000
_TOKENS_OF_AN_ANSWER = 500
_LENGTH_PARAMETERS = ("max_completion_tokens", "max_output_tokens", "max_tokens")


class Estimator(Protocol):
    """Says what a call will take; used by limits on tokens and by budgets."""

    def expected(self, model: Model, request: ModelRequest) -> Usage:
        """Tokens in and out, and the cost; a cost of ``None`` where no price is known."""
        ...


class RoughEstimator:
    """Counts by rules of thumb: 3 characters a token, 1,000 tokens a picture, 500 an answer; knows no price.

    Example:
        >>> from vlmops.models import ModelRequest, create
        >>> RoughEstimator().expected(create("openai:gpt-4.1-mini"), ModelRequest("What?")).output_tokens
        500
    """

    def expected(self, model: Model, request: ModelRequest) -> Usage:  # noqa: ARG002 - of every model the same
        """Rough counts."""
        pictures = _TOKENS_A_PICTURE * len(request.pictures)
        text = len(request.prompt or "") // _CHARACTERS_A_TOKEN + 1
        limits = (request.parameters.get(name) for name in _LENGTH_PARAMETERS)
        longest = next((limit for limit in limits if isinstance(limit, int)), _TOKENS_OF_AN_ANSWER)
        return Usage(pictures + text, longest, pictures)
