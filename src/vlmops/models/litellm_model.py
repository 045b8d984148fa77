"""Models behind LiteLLM: providers without an OpenAI-compatible interface (Bedrock, Vertex AI)."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import vlmops.models.openai_chat as chat
from vlmops.models.openai import OpenAIModel

if TYPE_CHECKING:
    from vlmops.models.answer import RawAnswer
    from vlmops.models.openai_post import Question


class LiteLLMModel(OpenAIModel):
    """A model asked through the package ``litellm``, which translates to each provider's own interface.

    Keys are read from each provider's own environment variables. Answers, failures, pictures and costs are
    those of :class:`~vlmops.models.openai.OpenAIModel`; where the model has no card, LiteLLM's own table
    gives the cost.

    Attributes:
        name: ``"litellm:"`` and the model.

    Args:
        model: LiteLLM's name of the model: ``"bedrock/us.anthropic.claude-opus-4-7"``.
        **settings: As :class:`~vlmops.models.openai.OpenAIModel` takes, ``api`` and Azure's aside.

    Example:
        >>> LiteLLMModel("bedrock/us.anthropic.claude-opus-4-7").card.name
        'claude-high'
    """

    def __init__(self, model: str, **settings: Any) -> None:
        super().__init__(model, **settings)
        self.name = f"litellm:{model}"

    def __repr__(self) -> str:
        return f"LiteLLMModel({self.model!r})"

    def _load_sdk(self) -> None:
        _litellm()

    async def _ask(self, question: Question) -> RawAnswer:
        litellm = _litellm()
        begun = time.perf_counter()
        asked: dict[str, Any] = {
            "timeout": self._timeout,
            "num_retries": self._max_retries,
            "api_key": self._api_key,
            "base_url": self._base_url,
            **question.body,
            **question.options,
        }
        if self._stream:
            asked |= {"stream": True, "stream_options": {"include_usage": True}}
            return await chat.gathered(await litellm.acompletion(**asked), begun)
        completion = await litellm.acompletion(**asked)
        hidden = getattr(completion, "_hidden_params", None) or {}
        raw = chat.answer_of(completion, {}, cost=None if self.card else hidden.get("response_cost"))
        return replace(raw, refusal=raw.refusal or _refusal(completion))


def _refusal(completion: Any) -> str:
    # It keeps what it does not know of a message beside it.
    fields = getattr(completion.choices[0].message, "provider_specific_fields", None) or {}
    return fields.get("refusal") or ""


@cache
def _litellm() -> Any:
    # Without this, importing it fetches a table of prices over the network.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    litellm: Any = import_module("litellm")
    # It prints advertisements beside its errors.
    litellm.suppress_debug_info = True
    return litellm
