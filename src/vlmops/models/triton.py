"""Models served by Triton, or by any server that speaks KServe's open inference protocol, version 2."""

from __future__ import annotations

import asyncio
import json
import os
import time
from typing import TYPE_CHECKING, Any, Literal

from vlmops.errors import ImageError, PrerequisiteError, UsageError
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.models.answer import Expected, RawAnswer
from vlmops.models.answer_schema import AnswerSchema
from vlmops.models.model import ModelReply, SentPicture
from vlmops.models.openai_failures import safe_message, seconds_to_wait
from vlmops.models.tensors import Tensor, bytes_tensor, picture_tensor, read_outputs

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from vlmops.models.model import ModelRequest

DEFAULT_URL = "http://localhost:8000"

_BUSY = frozenset({502, 503, 504})


class TritonModel:
    """A model on Triton's own interface: a picture goes in as a tensor, text or numbers come out.

    For language models on Triton its OpenAI-compatible frontend is the simpler way
    (:class:`~vlmops.models.openai.OpenAIModel` with ``base_url``); this is for detectors, classifiers,
    readers and ensembles. Tensors travel as binary data; one picture a request.

    One output that is a single text is the answer's text. Otherwise the answer is JSON: the output's values
    as nested lists, or an object of them by output name. Without ``output`` all outputs are asked for.

    Attributes:
        name: ``"triton:"`` and the model.
        model: The server's name of the model.

    Args:
        model: See above.
        url: Address of the server; ``TRITON_URL``, else ``http://localhost:8000``.
        version: Version of the model; the server's choice when empty.
        image_input: Name of the input that takes the picture.
        prompt_input: Name of the input that takes the prompt; empty for models that take none.
        output: Name of the output to read; all of them when empty.
        pixels: How the picture is given: ``"encoded"`` (the file's bytes), ``"hwc"`` (uint8, height x width x
            3), ``"chw"`` (float32 from 0 to 1, 3 x height x width).
        size: Width and height the picture is resized to, as the model expects it; ``None`` leaves it.
        batched: Whether the model has a batch dimension, which is then 1.
        timeout: Seconds for one try.
        parameters: Parameters of every request.
        repair: Whether an answer that is no JSON may be mended.

    Raises:
        UsageError: ``pixels`` is none of these, or ``size`` is not positive.

    Example:
        >>> TritonModel("detector", pixels="chw", size=(640, 640)).name
        'triton:detector'
    """

    def __init__(
        self,
        model: str,
        *,
        url: str | None = None,
        version: str = "",
        image_input: str = "image",
        prompt_input: str = "",
        output: str = "",
        pixels: Literal["encoded", "hwc", "chw"] = "encoded",
        size: tuple[int, int] | None = None,
        batched: bool = True,
        timeout: float = 120.0,
        parameters: Mapping[str, Any] | None = None,
        repair: bool = False,
    ) -> None:
        if pixels not in ("encoded", "hwc", "chw"):
            raise UsageError(f"pixels is {pixels!r}: must be 'encoded', 'hwc' or 'chw'")
        if size is not None and min(size) <= 0:
            raise UsageError(f"size is {size}: both sides must be above 0")
        self.name = f"triton:{model}"
        self.model = model
        self._url = (url or os.environ.get("TRITON_URL") or DEFAULT_URL).rstrip("/")
        self._version = version
        self._image_input = image_input
        self._prompt_input = prompt_input
        self._output = output
        self._pixels = pixels
        self._size = size
        self._batched = batched
        self._timeout = timeout
        self.parameters = dict(parameters or {})
        self._repair = repair
        self._client: tuple[asyncio.AbstractEventLoop, httpx.AsyncClient] | None = None

    def __repr__(self) -> str:
        return f"TritonModel({self.model!r})"

    def identity(self) -> Mapping[str, Any]:
        """The model, where it is served, and how it is shown pictures."""
        return {
            "name": self.name,
            "address": self._url,
            "version": self._version,
            "inputs": [self._image_input, self._prompt_input],
            "output": self._output,
            "pixels": self._pixels,
            "size": self._size,
            "batched": self._batched,
            "parameters": self.parameters,
            "repair": self._repair,
        }

    async def answer(self, request: ModelRequest) -> ModelReply | Failure:
        """Ask the model once; nothing is tried again.

        Raises:
            PrerequisiteError: The server asks for a login.
            UsageError: The server has no such model, or the model no such input or output.
        """
        schema = AnswerSchema(request.schema) if request.schema is not None else None
        try:
            tensors, sent = await asyncio.to_thread(self._inputs, request)
        except ImageError as error:
            return Failure(FailureKind.BAD_IMAGE, str(error))
        if isinstance(tensors, Failure):
            return tensors
        header, body = self._body(tensors, {**self.parameters, **request.parameters})
        begun = time.perf_counter()
        response = await self._posted(header, body)
        if isinstance(response, Failure):
            return response
        latency = time.perf_counter() - begun
        return self._read(
            response, Expected(name=self.name, schema=schema, repair=self._repair, sent=sent), latency
        )

    async def aclose(self) -> None:
        """Close the connections; the next request opens new ones."""
        if self._client is not None:
            _, client = self._client
            self._client = None
            await client.aclose()

    def _inputs(self, request: ModelRequest) -> tuple[list[Tensor] | Failure, tuple[SentPicture, ...]]:
        pictures = request.pictures
        if len(pictures) != 1:
            problem = f"{self.name} takes one picture a request, and this one has {len(pictures)}"
            return Failure(FailureKind.TASK_ERROR, problem), ()
        tensor, sent = picture_tensor(
            self._image_input, pictures[0], self._pixels, self._size, batched=self._batched
        )
        tensors = [tensor]
        if self._prompt_input:
            text = "\n\n".join(
                part for turn in request.conversation for part in turn.content if isinstance(part, str)
            )
            tensors.append(bytes_tensor(self._prompt_input, text.encode(), batched=self._batched))
        return tensors, (sent,)

    def _body(self, tensors: list[Tensor], parameters: Mapping[str, Any]) -> tuple[int, bytes]:
        """Length of the JSON part, and the whole body: the JSON, then the tensors' bytes in order."""
        document: dict[str, Any] = {"inputs": [tensor.described() for tensor in tensors]}
        if parameters:
            document["parameters"] = dict(parameters)
        if self._output:
            document["outputs"] = [{"name": self._output, "parameters": {"binary_data": False}}]
        header = json.dumps(document).encode()
        return len(header), b"".join([header, *(tensor.data for tensor in tensors)])

    async def _posted(self, header: int, body: bytes) -> httpx.Response | Failure:
        import httpx

        version = f"/versions/{self._version}" if self._version else ""
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._connected().post(
                    f"/v2/models/{self.model}{version}/infer",
                    content=body,
                    headers={
                        "Inference-Header-Content-Length": str(header),
                        "Content-Type": "application/octet-stream",
                    },
                )
        except (TimeoutError, httpx.TimeoutException):
            return Failure(FailureKind.TIMEOUT, f"{self.name} did not answer within {self._timeout:g} s")
        except httpx.RemoteProtocolError as error:
            problem = f"{self.name}: the connection was cut within the answer: {safe_message(str(error))}"
            return Failure(FailureKind.TRUNCATED, problem, transient=True)
        except httpx.HTTPError as error:
            problem = f"{self.name}: cannot connect to {self._url} ({type(error).__name__}); check TRITON_URL"
            return Failure(FailureKind.PROVIDER_ERROR, problem, transient=True)
        return response if response.status_code == 200 else self._refused(response)

    def _refused(self, response: httpx.Response) -> Failure:
        status, message = response.status_code, safe_message(_error(response))
        if status in {401, 403}:
            raise PrerequisiteError(f"{self.name}: the server asks for a login: {message}")
        if status == 404 or "unknown model" in message.lower():
            raise UsageError(f"{self.name}: the server has no such model: {message}")
        if status == 400 and ("input" in message and ("unexpected" in message or "expected" in message)):
            raise UsageError(f"{self.name}: its inputs are other ones: {message}")
        kind = FailureKind.PROVIDER_ERROR
        if status == 429:
            kind = FailureKind.RATE_LIMIT
        elif status in {413, 415} or (status == 400 and "image" in message.lower()):
            kind = FailureKind.MEDIA_REJECTED
        return Failure(
            kind,
            f"{self.name}: HTTP {status}: {message}",
            retry_after=seconds_to_wait(response.headers),
            transient=status in _BUSY,
        )

    def _read(self, response: httpx.Response, expected: Expected, latency: float) -> ModelReply | Failure:
        try:
            answered = response.json()
            outputs = read_outputs(answered)
        except (ValueError, KeyError, TypeError) as error:
            problem = f"{self.name}: not an answer of the inference protocol: {safe_message(str(error))}"
            return Failure(FailureKind.PROVIDER_ERROR, problem)
        model = f"{answered.get('model_name', self.model)}:{answered.get('model_version', '')}".rstrip(":")
        only = next(iter(outputs.values())) if len(outputs) == 1 else None
        while isinstance(only, list) and len(only) == 1:
            only = only[0]
        if isinstance(only, str):
            return expected.concluded(RawAnswer(only, model=model), latency)
        output = next(iter(outputs.values())) if len(outputs) == 1 else outputs
        text = json.dumps(output, ensure_ascii=False)
        if expected.schema is not None:
            return expected.concluded(RawAnswer(text, model=model), latency)
        return ModelReply(output=output, text=text, latency=latency, model=model, sent=expected.sent)

    def _connected(self) -> httpx.AsyncClient:
        import httpx

        loop = asyncio.get_running_loop()
        if self._client is None or self._client[0] is not loop:
            # Connections belong to the event loop in which they were opened.
            limits = httpx.Limits(max_connections=None)
            self._client = (loop, httpx.AsyncClient(base_url=self._url, timeout=self._timeout, limits=limits))
        return self._client[1]


def _error(response: httpx.Response) -> str:
    try:
        return str(response.json()["error"])
    except (ValueError, KeyError, TypeError):
        return response.text
