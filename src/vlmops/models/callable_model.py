"""Any Python function as a model."""

from __future__ import annotations

import asyncio
import inspect
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from vlmops.errors import ImageError, UsageError, VlmopsError
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.models.answer import Expected, RawAnswer
from vlmops.models.answer_schema import AnswerSchema
from vlmops.models.model import ModelReply, ModelRequest
from vlmops.models.named_function import named_function
from vlmops.models.registry import origin_of

Answering = Callable[[ModelRequest], Any | Awaitable[Any]]
"""Takes a request and gives text, JSON, a :class:`~vlmops.models.ModelReply` or a
:class:`~vlmops.evaluators.Failure`; may be a coroutine function."""


class CallableModel:
    """A function as a model: a local network, a pipeline, a person at a terminal.

    A function that is no coroutine function runs in a thread, so that many requests are answered at once.
    Text is read against the request's schema, if there is one. What the function raises costs this one
    answer (``task_error``), except for errors of vlmops that would spoil every request.

    Its answers are not kept for a second run, since nobody knows when the function changes; use
    :class:`VersionedCallable` for one that says.

    Attributes:
        name: ``"callable:"`` and the function, unless given.

    Args:
        function: See :data:`Answering`.
        name: See above.
        repair: Whether an answer that is no JSON may be mended.

    Example:
        >>> model = CallableModel(lambda request: f"{len(request.images)} pictures", name="count")
        >>> asyncio.run(model.answer(ModelRequest("How many?"))).output
        '0 pictures'
    """

    def __init__(self, function: Answering, *, name: str = "", repair: bool = False) -> None:
        if not callable(function):
            raise UsageError(f"a callable model needs a function, not {type(function).__name__}")
        self.name = name or f"callable:{origin_of(function)}"
        self._function = function
        self._repair = repair

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    async def answer(self, request: ModelRequest) -> ModelReply | Failure:
        """What the function says.

        Raises:
            VlmopsError: The function raised it.
        """
        begun = time.perf_counter()
        try:
            said = await self._called(request)
        except ImageError as error:
            return Failure(FailureKind.BAD_IMAGE, str(error))
        except VlmopsError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it raises costs this one answer, not the run
            return Failure(FailureKind.TASK_ERROR, f"{self.name}: {type(error).__name__}: {error}"[:300])
        return self._read(said, request, time.perf_counter() - begun)

    async def _called(self, request: ModelRequest) -> Any:
        if inspect.iscoroutinefunction(self._function):
            return await self._function(request)
        said = await asyncio.to_thread(self._function, request)
        # An object with a coroutine for its __call__ is no coroutine function.
        return await said if inspect.isawaitable(said) else said

    def _read(self, said: Any, request: ModelRequest, latency: float) -> ModelReply | Failure:
        if isinstance(said, ModelReply | Failure):
            return said
        schema = AnswerSchema(request.schema) if request.schema is not None else None
        if isinstance(said, str):
            expected = Expected(name=self.name, schema=schema, repair=self._repair)
            return expected.concluded(RawAnswer(said, model=self.name), latency)
        try:
            text = json.dumps(said, ensure_ascii=False)
        except (TypeError, ValueError) as error:
            problem = f"{self.name} gave {type(said).__name__}, which is neither text nor JSON: {error}"
            return Failure(FailureKind.TASK_ERROR, problem)
        if schema is not None:
            return Expected(name=self.name, schema=schema).concluded(
                RawAnswer(text, model=self.name), latency
            )
        return ModelReply(output=said, text=text, latency=latency, model=self.name)


class VersionedCallable(CallableModel):
    """A function as a model whose version says when its answers change, so that they can be kept.

    Args:
        function: See :class:`CallableModel`.
        version: Another one for every change that changes answers: of code, weights or settings.
        name: See :class:`CallableModel`.
        repair: See :class:`CallableModel`.

    Example:
        >>> model = VersionedCallable(json.dumps, version="2", name="shout")
        >>> model.identity()
        {'name': 'shout', 'function': 'json:dumps', 'version': '2', 'repair': False}
    """

    def __init__(self, function: Answering, *, version: str, name: str = "", repair: bool = False) -> None:
        super().__init__(function, name=name, repair=repair)
        self.version = version

    def identity(self) -> Mapping[str, Any]:
        """Name, function and version."""
        return {
            "name": self.name,
            "function": origin_of(self._function),
            "version": self.version,
            "repair": self._repair,
        }


def imported(target: str, *, version: str = "", repair: bool = False, folder: str = "") -> CallableModel:
    """The function ``module:name`` as a model.

    Args:
        target: Where the function is, as in ``my_package.model:answer``.
        version: See :class:`VersionedCallable`; without one, answers are not kept.
        repair: See :class:`CallableModel`.
        folder: Where a file ``module.py`` is looked for before installed modules; the current one if empty.

    Raises:
        UsageError: There is no such module or function.

    Example:
        >>> imported("json:dumps").name
        'callable:json:dumps'
    """
    try:
        function = named_function(target, Path(folder) if folder else None)
    except UsageError as error:
        raise UsageError(f"model 'callable:{target}': {error}") from error
    named = f"callable:{target}"
    if version:
        return VersionedCallable(function, version=version, name=named, repair=repair)
    return CallableModel(function, name=named, repair=repair)
