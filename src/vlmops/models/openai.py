"""Models behind an OpenAI-compatible interface: OpenAI, Azure, vLLM, Triton, Ollama, Gemini, gateways."""

from __future__ import annotations

import asyncio
import copy
import logging
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

import vlmops.models.openai_chat as chat
import vlmops.models.openai_responses as responses
from vlmops.errors import ImageError, PrerequisiteError, UsageError
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.models.answer import Expected
from vlmops.models.answer_schema import AnswerSchema
from vlmops.models.cards import ModelCard, card_of
from vlmops.models.cards.table import CardTable
from vlmops.models.delivery import PictureDelivery
from vlmops.models.openai_failures import AnswerFailed, failure_of, failure_of_answer, safe_message
from vlmops.models.openai_post import Question
from vlmops.models.openai_turns import sent_turns

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from openai import AsyncOpenAI

    from vlmops.models.answer import RawAnswer
    from vlmops.models.cards.card import StructuredOutput
    from vlmops.models.model import ModelReply, ModelRequest

_INTERFACES: Mapping[str, Any] = {"chat": chat, "responses": responses}


class OpenAIModel:
    """A model asked through the ``openai`` SDK.

    The SDK waits and tries again on rate limits, timeouts and server errors, as long as ``Retry-After`` says;
    what is left after that is returned as a :class:`~vlmops.evaluators.Failure`, with the wait that the
    provider asks for. Parameters of the request that the SDK does not know are passed on in the body
    (``top_k`` of vLLM, ``provider`` of OpenRouter).

    What the model takes, how it counts pictures and what it costs is read from its card, found by its name.

    Attributes:
        name: ``"openai:"`` and the model.
        model: The provider's name of the model.
        card: What is known of the model; ``None`` when nothing is.
        delivery: What becomes of pictures before they are sent.
        parameters: Defaults for every request.

    Args:
        model: See above.
        api: ``"chat"`` (chat completions, which all compatible servers have) or ``"responses"``.
        base_url: Address of the interface; ``OPENAI_BASE_URL`` or OpenAI's own when ``None``.
        api_key: ``OPENAI_API_KEY`` when ``None``; with Azure ``AZURE_OPENAI_API_KEY``.
        azure_endpoint: Address of an Azure resource; ``model`` is then the name of a deployment.
        api_version: Azure's version of the interface; ``OPENAI_API_VERSION`` when ``None``.
        card: The card where the name does not lead to it (Azure deployments, names of a server's own): a
            card, its name, or the name of a model that has one.
        timeout: Seconds for one try; of a stream, for the whole answer.
        max_retries: How many further tries after the first.
        detail: How finely the model looks at pictures: ``"low"`` is cheap, ``"high"`` reads small writing.
        delivery: ``"url"`` sends pictures that have an http address by it, the rest as data URIs.
        max_side: Longest side in pixels that is sent; larger pictures are shrunk. The card's when ``None``.
        max_bytes: Longest encoded picture that is sent. The card's when ``None``.
        formats: Media types that may be sent; others are converted. The card's when empty.
        structured: How schemas are asked for: ``"json_schema"``, ``"json_object"`` with the schema in the
            prompt, or ``"none"``, in the prompt alone. The card's when ``None``.
        repair: Whether an answer that is no JSON may be mended.
        stream: Whether the answer is streamed, which gives the time to the first token.
        parameters: Defaults for every request (``temperature``, ``max_completion_tokens``, ...).

    Raises:
        UsageError: A parameter is one that this class sets itself, or does not fit the model.

    Example:
        >>> OpenAIModel("gpt-4.1-mini", parameters={"temperature": 0}).name
        'openai:gpt-4.1-mini'
        >>> OpenAIModel("eu-deployment-7", card="gpt-4.1-mini").card.price.input
        0.4
    """

    def __init__(
        self,
        model: str,
        *,
        api: Literal["chat", "responses"] = "chat",
        base_url: str | None = None,
        api_key: str | None = None,
        azure_endpoint: str | None = None,
        api_version: str | None = None,
        card: ModelCard | str | None = None,
        timeout: float = 120.0,
        max_retries: int = 4,
        detail: str = "auto",
        delivery: Literal["data_uri", "url"] = "data_uri",
        max_side: int | None = None,
        max_bytes: int | None = None,
        formats: tuple[str, ...] = (),
        structured: StructuredOutput | None = None,
        repair: bool = False,
        stream: bool = False,
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        if api not in _INTERFACES:
            raise UsageError(f"api is {api!r}: must be 'chat' or 'responses'")
        self.name = f"{'azure' if azure_endpoint else 'openai'}:{model}"
        self.model = model
        self.card = _card(model, card)
        self._api = api
        self._base_url = base_url
        self._api_key = api_key
        self._azure = (azure_endpoint, api_version) if azure_endpoint else None
        self._timeout = timeout
        self._max_retries = max_retries
        self.delivery = PictureDelivery(
            card=self.card,
            by=delivery,
            detail=detail,
            max_side=max_side,
            max_bytes=max_bytes,
            formats=tuple(formats),
        )
        self._structured = structured or (self.card.structured_output if self.card else "json_schema")
        self._repair = repair
        self._stream = stream
        self.parameters = self._checked(parameters or {})
        self._client: tuple[asyncio.AbstractEventLoop, AsyncOpenAI] | None = None
        self._closed_by_owner = False

    def __repr__(self) -> str:
        return f"OpenAIModel({self.model!r})"

    def identity(self) -> Mapping[str, Any]:
        """The model, where it is served, its parameters, and what it is shown of pictures."""
        address = self._azure[0] if self._azure else self._base_url or os.environ.get("OPENAI_BASE_URL")
        return {
            "name": self.name,
            "address": address or "",
            "api": self._api,
            "pictures": self.delivery.identity(),
            "structured": self._structured,
            "repair": self._repair,
            "parameters": self.parameters,
        }

    def without_retries(self) -> OpenAIModel:
        """The same model without the SDK's retries, and with connections of its own."""
        single = copy.copy(self)
        single._max_retries = 0
        single._closed_by_owner = True
        single._client = None
        return single

    async def answer(self, request: ModelRequest) -> ModelReply | Failure:
        """Ask the model once, with the SDK's retries.

        A cut-off text is a reply with ``finish_reason`` ``"length"``; where JSON was asked for and what came
        is none, that is a failure (``truncated`` when it was cut off, else ``unparsable``), and so is JSON
        that does not fit the schema (``schema_mismatch``).

        Raises:
            PrerequisiteError: No API key is set, or the provider refuses it.
            UsageError: The provider has no such model, the schema is invalid, or a parameter is one that this
                class sets itself.
        """
        try:
            ask = await asyncio.to_thread(self.prepared, request)
        except ImageError as error:
            return Failure(FailureKind.BAD_IMAGE, str(error))
        return await ask()

    def prepared(self, request: ModelRequest) -> Callable[[], Awaitable[ModelReply | Failure]]:
        """As :class:`~vlmops.models.model.Preparing` says: what asks the request, its pictures ready to go.

        Raises:
            ImageError: A picture cannot be read, or cannot be made to fit the model.
            UsageError: The schema is invalid, or a parameter is one that this class sets itself.
        """
        self._load_sdk()
        if failure := self._too_many(request):
            return partial(_immediately, failure)
        schema = AnswerSchema(request.schema) if request.schema is not None else None
        return partial(self._asked, *self._written(request, schema))

    async def aclose(self) -> None:
        """Close the connections; the next request opens new ones."""
        if self._client is not None:
            _, client = self._client
            self._client = None
            await client.close()

    async def _asked(self, question: Question, expected: Expected) -> ModelReply | Failure:
        import httpx
        import openai

        begun = time.perf_counter()
        # The SDK's own timeout is between two pieces of the answer; a stream may drip on for ever.
        seconds = self._seconds(question)
        limit = seconds if self._stream or not self._max_retries else None
        try:
            async with asyncio.timeout(limit):
                raw = await self._ask(question)
        except TimeoutError:
            return Failure(FailureKind.TIMEOUT, f"{self.name} did not answer within {seconds:g} s")
        except AnswerFailed as error:
            failure = failure_of_answer(error, model=self.name)
            return replace(failure, usage=expected.priced(failure.usage))
        except (openai.OpenAIError, httpx.HTTPError) as error:
            return failure_of(
                error,
                model=self.name,
                images=len(expected.sent),
                timeout=seconds,
                key=_KEY_NAMES[self._azure is not None],
            )
        except ValueError as error:
            problem = f"{self.name}: not an answer of the {self._api} interface: {safe_message(str(error))}"
            return Failure(FailureKind.PROVIDER_ERROR, problem)
        return expected.concluded(raw, time.perf_counter() - begun)

    def _seconds(self, question: Question) -> float:
        """How long one try may take: a request's own ``timeout`` goes before the model's."""
        own = question.options.get("timeout")
        return float(own) if isinstance(own, int | float) else self._timeout

    async def _ask(self, question: Question) -> RawAnswer:
        interface = _INTERFACES[self._api]
        ask = interface.ask_streaming if self._stream else interface.ask
        answer: RawAnswer = await ask(self._connected(), question)
        return answer

    def _written(self, request: ModelRequest, schema: AnswerSchema | None) -> tuple[Question, Expected]:
        """What is posted, and what the answer is to be read against."""
        interface = _INTERFACES[self._api]
        instruction = schema if self._structured != "json_schema" else None
        turns = sent_turns(request, self.delivery, instruction)
        given = {"model": self.model, **interface.arguments(turns, schema, self._structured)}
        question = Question.of(given, {**self.parameters, **self._checked(request.parameters)})
        sent = tuple(picture for turn in turns for picture in turn.sent)
        expected = Expected(name=self.name, schema=schema, repair=self._repair, card=self.card, sent=sent)
        return question, expected

    def _checked(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        ours, body = _INTERFACES[self._api].OURS, parameters.get("extra_body") or {}
        if not isinstance(body, Mapping):
            raise UsageError(f"parameter extra_body is a table of further parameters, not {body!r}")
        taken = [
            *sorted(ours & parameters.keys()),
            *(f"extra_body.{name}" for name in sorted(ours & body.keys())),
        ]
        if taken:
            raise UsageError(f"parameter {', '.join(taken)} is set by vlmops itself; leave it out")
        return dict(parameters)

    def _load_sdk(self) -> None:
        """Importing it takes a second, which is none of the answer's."""
        import_module("openai")

    def _too_many(self, request: ModelRequest) -> Failure | None:
        limit = self.card.max_images if self.card else None
        count = len(request.pictures)
        if limit is None or count <= limit:
            return None
        problem = f"{self.name} takes at most {limit} pictures, and the request has {count}; nothing was sent"
        return Failure(FailureKind.MEDIA_REJECTED, problem)

    def _connected(self) -> AsyncOpenAI:
        loop = asyncio.get_running_loop()
        if self._client is None or self._client[0] is not loop:
            # Connections belong to the event loop in which they were opened.
            _keep_requests_out_of_logs()
            self._client = (loop, self._made_client())
        return self._client[1]

    def _made_client(self) -> AsyncOpenAI:
        import openai

        settings: dict[str, Any] = {
            "api_key": self._api_key,
            "timeout": self._timeout,
            "max_retries": self._max_retries,
            "http_client": _aiohttp_client() if self._closed_by_owner else None,
        }
        try:
            if self._azure is None:
                return openai.AsyncOpenAI(base_url=self._base_url, **settings)
            endpoint, version = self._azure
            return openai.AsyncAzureOpenAI(azure_endpoint=endpoint, api_version=version, **settings)
        except (openai.OpenAIError, ValueError) as error:
            if "api_version" in str(error):
                raise PrerequisiteError(
                    f"{self.name} needs Azure's API version: set OPENAI_API_VERSION, or give api_version"
                ) from error
            raise PrerequisiteError(
                f"{self.name} needs an API key: set {_KEY_NAMES[self._azure is not None]} "
                "(to anything where none is asked for)"
            ) from error


async def _immediately(failure: Failure) -> Failure:
    return failure


def _aiohttp_client() -> Any:
    """The SDK's client on top of aiohttp, where it offers one; ``None`` for its usual one.

    With dozens of connections it takes a third less time of the processor for a call. It complains when it is
    not closed, so that only those who see to that should have it.
    """
    import openai

    make = getattr(openai, "DefaultAioHttpClient", None)
    try:
        return None if make is None else make()
    except RuntimeError:
        # Earlier versions offer it with a package of its own alone.
        return None


_KEY_NAMES = {False: "OPENAI_API_KEY", True: "AZURE_OPENAI_API_KEY"}


def azure(deployment: str, *, azure_endpoint: str | None = None, **settings: Any) -> OpenAIModel:
    """A deployment of a model in Azure.

    Args:
        deployment: Its name; say with ``card`` which model it is.
        azure_endpoint: Address of the resource; ``AZURE_OPENAI_ENDPOINT`` when ``None``.
        **settings: As :class:`OpenAIModel` takes.

    Raises:
        PrerequisiteError: No address is given or set.

    Example:
        >>> azure("prod", azure_endpoint="https://acme.openai.azure.com", card="gpt-4o").name
        'azure:prod'
    """
    endpoint = azure_endpoint or os.environ.get("AZURE_OPENAI_ENDPOINT")
    if not endpoint:
        raise PrerequisiteError(f"azure:{deployment} needs its address: set AZURE_OPENAI_ENDPOINT")
    return OpenAIModel(deployment, azure_endpoint=endpoint, **settings)


def _card(model: str, card: ModelCard | str | None) -> ModelCard | None:
    if isinstance(card, str):
        return CardTable.current().named(card, model)
    return card if card is not None else card_of(model)


def _without_request(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith("Request options")


def _keep_requests_out_of_logs() -> None:
    # Earlier versions of the SDK log whole requests, pictures included, at level DEBUG.
    logger = logging.getLogger("openai._base_client")
    if _without_request not in logger.filters:
        logger.addFilter(_without_request)
