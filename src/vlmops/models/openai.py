"""Chat models with vision behind an OpenAI-compatible interface: OpenAI, Azure, vLLM, Ollama, gateways."""

from __future__ import annotations

import asyncio
import copy
import inspect
import json
import logging
import os
import re
import time
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from vlmops.errors import ImageError, PrerequisiteError, UsageError
from vlmops.evaluators.case import Usage
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.models.model import ModelReply, ModelRequest
from vlmops.models.openai_failures import failure_of, safe_message

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types.chat import ChatCompletion

Detail = Literal["auto", "low", "high"]

_OURS = frozenset({"messages", "model", "n", "response_format", "stream", "stream_options"})
_FENCE = re.compile(r"\A\s*```(?:json)?\s*\n(?P<inside>.*)\n\s*```\s*\Z", re.DOTALL)


class OpenAIModel:
    """A chat model asked through the ``openai`` SDK, pictures sent as data URIs.

    The SDK waits and tries again on rate limits, timeouts and server errors, as long as ``Retry-After`` says;
    what is left after that is returned as a :class:`~vlmops.evaluators.Failure`. Parameters of the request
    that the SDK does not know are passed on in the body (``top_k`` of vLLM, ``provider`` of OpenRouter).

    Attributes:
        name: ``"openai:"`` and the model.
        model: The provider's name of the model.

    Args:
        model: See above.
        base_url: Address of the interface; ``OPENAI_BASE_URL`` or OpenAI's own when ``None``.
        api_key: ``OPENAI_API_KEY`` when ``None``.
        timeout: Seconds for one try.
        max_retries: How many further tries after the first.
        detail: How finely the provider looks at pictures: ``"low"`` is cheap, ``"high"`` reads small writing.
        parameters: Defaults for every request (``temperature``, ``max_completion_tokens``, ...).

    Raises:
        UsageError: A parameter is one that this class sets itself.

    Example:
        >>> OpenAIModel("gpt-4.1-mini", parameters={"temperature": 0}).name
        'openai:gpt-4.1-mini'
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        timeout: float = 120.0,
        max_retries: int = 4,
        detail: Detail = "auto",
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = f"openai:{model}"
        self.model = model
        self._base_url = base_url
        self._api_key = api_key
        self._timeout = timeout
        self._max_retries = max_retries
        self._detail = detail
        self._parameters = _checked(parameters or {})
        self._client: tuple[asyncio.AbstractEventLoop, AsyncOpenAI] | None = None

    def __repr__(self) -> str:
        return f"OpenAIModel({self.model!r})"

    def identity(self) -> Mapping[str, Any]:
        """The model, where it is served, its parameters and how finely it looks at pictures."""
        address = self._base_url or os.environ.get("OPENAI_BASE_URL") or ""
        return {
            "name": self.name,
            "address": address,
            "detail": self._detail,
            "parameters": self._parameters,
        }

    def without_retries(self) -> OpenAIModel:
        """The same model without the SDK's retries, and with connections of its own."""
        single = copy.copy(self)
        single._max_retries = 0
        single._client = None
        return single

    async def answer(self, request: ModelRequest) -> ModelReply | Failure:
        """Ask the model once, with the SDK's retries.

        A cut-off text is a reply with ``finish_reason`` ``"length"``; where JSON was asked for and what came
        is none, that is a failure (``unparsable``).

        Raises:
            PrerequisiteError: No API key is set, or the provider refuses it.
            UsageError: The provider has no such model, or a parameter is one that this class sets itself.
        """
        import openai

        try:
            arguments = await asyncio.to_thread(self._arguments, request)
        except ImageError as error:
            return Failure(FailureKind.BAD_IMAGE, str(error))
        begun = time.perf_counter()
        try:
            raw = await self._connected().chat.completions.with_raw_response.create(**arguments)
            completion: ChatCompletion = raw.parse()
        except openai.OpenAIError as error:
            return failure_of(error, model=self.name, images=len(request.images), timeout=self._timeout)
        except ValueError as error:
            return Failure(
                FailureKind.PROVIDER_ERROR, f"{self.name}: not a JSON answer: {safe_message(str(error))}"
            )
        latency = time.perf_counter() - begun
        told = {"retries": raw.retries_taken, "request_id": raw.headers.get("x-request-id")}
        return self._reply(completion, request, latency, {key: value for key, value in told.items() if value})

    async def aclose(self) -> None:
        """Close the connections; the next request opens new ones."""
        if self._client is not None:
            _, client = self._client
            self._client = None
            await client.close()

    def _connected(self) -> AsyncOpenAI:
        import openai

        loop = asyncio.get_running_loop()
        if self._client is None or self._client[0] is not loop:
            # Connections belong to the event loop in which they were opened.
            _keep_requests_out_of_logs()
            try:
                client = openai.AsyncOpenAI(
                    api_key=self._api_key,
                    base_url=self._base_url,
                    timeout=self._timeout,
                    max_retries=self._max_retries,
                )
            except openai.OpenAIError as error:
                raise PrerequisiteError(
                    f"{self.name} needs an API key: set OPENAI_API_KEY (to anything where none is asked for)"
                ) from error
            self._client = (loop, client)
        return self._client[1]

    def _arguments(self, request: ModelRequest) -> dict[str, Any]:
        content: list[dict[str, Any]] = [{"type": "text", "text": request.prompt}] if request.prompt else []
        for image in request.images:
            picture = {"url": image.data_uri(), "detail": self._detail}
            content.append({"type": "image_url", "image_url": picture})
            image.release()
        parameters = {**self._parameters, **_checked(request.parameters)}
        extra = dict(parameters.pop("extra_body", None) or {})
        extra |= {key: parameters.pop(key) for key in list(parameters) if key not in _sdk_parameters()}
        arguments = {"model": self.model, "messages": [{"role": "user", "content": content}], **parameters}
        if request.schema is not None:
            arguments["response_format"] = _response_format(request.schema)
        if extra:
            arguments["extra_body"] = extra
        return arguments

    def _reply(
        self, completion: ChatCompletion, request: ModelRequest, latency: float, metadata: Mapping[str, Any]
    ) -> ModelReply | Failure:
        if not completion.choices:
            return Failure(FailureKind.PROVIDER_ERROR, f"{self.name}: the answer holds no choices")
        choice = completion.choices[0]
        text, ended = choice.message.content or "", str(choice.finish_reason or "stop")
        if choice.message.refusal:
            return Failure(
                FailureKind.REFUSAL, f"{self.name} refused: {safe_message(choice.message.refusal)}"
            )
        if ended == "content_filter":
            return Failure(
                FailureKind.CONTENT_FILTER, f"{self.name}: the provider's content filter cut the answer"
            )
        if not text.strip():
            limit = ": the token limit was used up before" if ended == "length" else ""
            return Failure(FailureKind.MISSING_OUTPUT, f"{self.name} answered with no text{limit}")
        output: Any = text
        if request.schema is not None:
            try:
                output = _parsed(text)
            except ValueError as error:
                cut = " since it was cut off by the token limit" if ended == "length" else ""
                said = safe_message(text[:80])
                return Failure(FailureKind.UNPARSABLE, f"{self.name}: not JSON{cut}: {error}: {said!r}")
        return ModelReply(
            output=output,
            text=text,
            usage=_usage(completion),
            latency=latency,
            model=completion.model or self.model,
            finish_reason=ended,
            metadata=metadata,
        )


def _checked(parameters: Mapping[str, Any]) -> dict[str, Any]:
    taken = sorted(_OURS & parameters.keys())
    if taken:
        raise UsageError(f"parameter {', '.join(taken)} is set by vlmops itself; leave it out")
    return dict(parameters)


@cache
def _sdk_parameters() -> frozenset[str]:
    from openai.resources.chat.completions import AsyncCompletions

    return frozenset(inspect.signature(AsyncCompletions.create).parameters)


def _response_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    name = re.sub(r"[^A-Za-z0-9_-]", "_", str(schema.get("title") or "answer"))[:64]
    described = {"name": name, "schema": dict(schema), "strict": _fits_strict(schema)}
    return {"type": "json_schema", "json_schema": described}


def _fits_strict(schema: Any) -> bool:
    """Whether strict mode takes it: every object requires all of its properties and allows no others."""
    if isinstance(schema, list | tuple):
        return all(_fits_strict(part) for part in schema)
    if not isinstance(schema, Mapping):
        return True
    if schema.get("type") == "object" or "properties" in schema:
        properties = schema.get("properties", {})
        if schema.get("additionalProperties") is not False or set(schema.get("required", ())) != set(
            properties
        ):
            return False
    return all(_fits_strict(part) for part in schema.values())


def _parsed(text: str) -> Any:
    fenced = _FENCE.match(text)
    return json.loads(fenced["inside"] if fenced else text)


def _usage(completion: ChatCompletion) -> Usage | None:
    usage = completion.usage
    if usage is None:
        return None
    # Neither is part of OpenAI's own answer; vLLM and gateways such as OpenRouter give them.
    image_tokens = getattr(usage.prompt_tokens_details, "image_tokens", None)
    cost = getattr(usage, "cost", None)
    return Usage(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        image_tokens=image_tokens if isinstance(image_tokens, int) else None,
        cost=float(cost) if isinstance(cost, int | float) else None,
    )


def _without_request(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith("Request options")


def _keep_requests_out_of_logs() -> None:
    # Earlier versions of the SDK log whole requests, pictures included, at level DEBUG.
    logger = logging.getLogger("openai._base_client")
    if _without_request not in logger.filters:
        logger.addFilter(_without_request)
