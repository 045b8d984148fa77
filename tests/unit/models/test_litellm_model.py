"""The LiteLLM backend with a module in the package's place that asks a real client's types."""

import asyncio
import sys
from types import ModuleType

import httpx
import numpy as np
import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from vlmops.errors import PrerequisiteError
from vlmops.evaluators import FailureKind
from vlmops.images import Image
from vlmops.models import ModelRequest, entries, identity_of
from vlmops.models.litellm_model import LiteLLMModel, _litellm

PICTURE = Image.from_array(np.zeros((4, 6, 3), dtype=np.uint8))
USAGE = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}


def completion(text, **hidden):
    message = {"role": "assistant", "content": text}
    body = {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "served",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": USAGE,
    }
    made = ChatCompletion.model_validate(body)
    object.__setattr__(made, "_hidden_params", hidden)
    return made


@pytest.fixture
def package(monkeypatch):
    """``litellm`` whose ``acompletion`` gives what ``said`` holds, or raises it."""
    module = ModuleType("litellm")
    module.said, module.asked = None, []

    async def acompletion(**asked):
        module.asked.append(asked)
        if isinstance(module.said, Exception):
            raise module.said
        return module.said

    module.acompletion = acompletion
    monkeypatch.setitem(sys.modules, "litellm", module)
    _litellm.cache_clear()
    yield module
    _litellm.cache_clear()


def ask(model, **options):
    return asyncio.run(LiteLLMModel(model, **options).answer(ModelRequest("How many?", (PICTURE,))))


def test_a_request_and_its_answer(package):
    package.said = completion("two", response_cost=0.5)
    reply = ask("bedrock/us.anthropic.claude-opus-4-7", parameters={"temperature": 0, "aws_region": "eu"})
    assert (reply.text, reply.model) == ("two", "served")
    assert reply.usage.cost == pytest.approx((100 * 5 + 10 * 25) / 1e6)
    (asked,) = package.asked
    assert asked["model"] == "bedrock/us.anthropic.claude-opus-4-7"
    assert (asked["temperature"], asked["aws_region"]) == (0, "eu")
    assert asked["messages"][0]["content"][1]["image_url"]["url"].startswith("data:image/png;base64,")
    assert "extra_body" not in asked
    assert package.suppress_debug_info is True


def test_without_a_card_its_own_table_gives_the_cost(package):
    package.said = completion("two", response_cost=0.5)
    assert ask("acme/unheard-of").usage.cost == 0.5


def test_a_refusal_is_one_and_says_what_it_consumed(package):
    package.said = completion("")
    package.said.choices[0].message.provider_specific_fields = {"refusal": "I would rather not"}
    failure = ask("bedrock/us.anthropic.claude-opus-4-7")
    assert failure.kind is FailureKind.REFUSAL
    assert failure.usage.cost == pytest.approx((100 * 5 + 10 * 25) / 1e6)


def test_a_stream_is_put_together(package):
    async def chunks():
        for piece, ended in (("tw", None), ("o", None), (None, "stop")):
            choice = {"index": 0, "delta": {"content": piece}, "finish_reason": ended}
            body = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "served"}
            yield ChatCompletionChunk.model_validate({**body, "choices": [choice]})

    package.said = chunks()
    reply = ask("acme/unheard-of", stream=True)
    assert reply.text == "two"
    assert reply.first_token <= reply.latency
    assert package.asked[0]["stream"] is True


def status_error(kind, status, message, **headers):
    request = httpx.Request("POST", "http://host")
    raised = kind(message, response=httpx.Response(status, request=request), body={"message": message})
    raised.litellm_response_headers = headers
    return raised


def test_its_errors_have_their_kind(package):
    package.said = status_error(openai.RateLimitError, 429, "slow down", **{"retry-after": "7"})
    failure = ask("acme/unheard-of")
    assert (failure.kind, failure.retry_after) == (FailureKind.RATE_LIMIT, 7.0)
    package.said = status_error(openai.BadRequestError, 400, "maximum context length is 9 tokens")
    assert ask("acme/unheard-of").kind is FailureKind.CONTEXT_OVERFLOW
    package.said = status_error(openai.AuthenticationError, 401, "no")
    with pytest.raises(PrerequisiteError, match="refused the API key"):
        ask("acme/unheard-of")


def test_it_is_listed_with_how_to_install_it(monkeypatch):
    monkeypatch.setattr("vlmops.models.registry.find_spec", lambda name: None)
    listed = {entry.name: entry.error for entry in entries()}
    assert "vlmops[litellm]" in listed["litellm"]
    assert listed["triton"] == listed["openai"] == ""


def test_its_identity_is_its_own(package):
    assert identity_of(LiteLLMModel("gpt-4o"))["name"] == "litellm:gpt-4o"
    assert identity_of(LiteLLMModel("gpt-4o"))["api"] == "chat"
