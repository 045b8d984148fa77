"""Tasks: how a model is asked about a sample."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vlmops.evaluators import Failure, FailureKind
from vlmops.experiments.slots import filled
from vlmops.images import images_in
from vlmops.models import Model, ModelReply, ModelRequest, Turn, ask
from vlmops.platforms.answering import current_repetition
from vlmops.platforms.prompts import PromptVersion

if TYPE_CHECKING:
    from vlmops.datasets import Sample

PostProcess = Callable[[ModelReply], Any]
"""Gives the output to evaluate from a reply; raises ``ValueError`` when the reply cannot be read."""


@dataclass(frozen=True)
class ModelTask:
    """Asks a model about the pictures of a sample.

    Attributes:
        model: Who answers.
        prompt: The question; ``{field}`` is replaced by the sample's input of that name, other braces stay,
            so that a prompt may hold JSON. A version of a platform's prompt is said turn by turn, with
            ``{{field}}`` for the slots, as platforms write them, and its name and version stand in the
            traces. Without a prompt the sample's own ``prompt``, ``question`` or ``instruction`` is asked.
            A sample that lacks an input is a failure; an experiment of which every sample does is refused.
        schema: JSON Schema the answer must fit.
        parameters: Given to the model (temperature, ...).
        post_process: Makes the output of the reply, e.g. fields out of text.

    Raises:
        UsageError: The schema is none.

    Example:
        >>> import asyncio
        >>> from vlmops import Sample
        >>> from vlmops.models import ModelReply
        >>> class Parrot:
        ...     name = "parrot"
        ...     async def answer(self, request):
        ...         return ModelReply(output=request.prompt, text=request.prompt)
        >>> task = ModelTask(Parrot(), prompt="Read the {kind}")
        >>> asyncio.run(task(Sample("1", {"kind": "sign"}))).output
        'Read the sign'
    """

    model: Model
    prompt: str | PromptVersion | None = None
    schema: Mapping[str, Any] | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    post_process: PostProcess | None = None

    def __post_init__(self) -> None:
        if self.schema is not None:
            from vlmops.models.answer_schema import AnswerSchema

            AnswerSchema(self.schema).check()

    async def __call__(self, sample: Sample) -> ModelReply | Failure:
        """The model's answer, or the failure in its place."""
        try:
            before, question = self._said(sample)
        except KeyError as error:
            return Failure(FailureKind.TASK_ERROR, f"the prompt names {error}, which the inputs lack")
        pictures = tuple(images_in(sample.inputs))
        request = ModelRequest(
            question, pictures, self.schema, self.parameters, current_repetition(), before=before
        )
        reply = await ask(self.model, request, self._reference())
        if isinstance(reply, Failure) or self.post_process is None:
            return reply
        return self._processed(reply, self.post_process)

    def _said(self, sample: Sample) -> tuple[tuple[Turn, ...], str | None]:
        """What is said before the pictures are shown, and what with them."""
        if not isinstance(self.prompt, PromptVersion):
            return (), prompt_for(sample, self.prompt)
        said = [(turn.role, filled(turn.text, sample, doubled=True)) for turn in self.prompt.prompt.turns]
        question = said.pop()[1] if said and said[-1][0] == "user" else None
        return tuple(Turn(role, (text,)) for role, text in said), question

    def _reference(self) -> Mapping[str, Any] | None:
        if not isinstance(self.prompt, PromptVersion):
            return None
        return {**self.prompt.reference, "template": self.prompt.text}

    @staticmethod
    def _processed(reply: ModelReply, post_process: PostProcess) -> ModelReply | Failure:
        from dataclasses import replace

        try:
            return replace(reply, output=post_process(reply))
        except ValueError as error:
            return Failure(FailureKind.UNPARSABLE, f"{error}: {reply.text[:200]!r}", usage=reply.usage)


def prompt_for(sample: Sample, prompt: str | None) -> str | None:
    """What a model is asked of a sample; see :class:`ModelTask`.

    Raises:
        KeyError: The prompt names an input that the sample lacks.

    Example:
        >>> from vlmops import Sample
        >>> prompt_for(Sample("1", {"question": "How many?"}), None)
        'How many?'
    """
    if prompt is not None:
        return filled(prompt, sample)
    own = (sample.inputs.get(key) for key in ("prompt", "question", "instruction", "instructions"))
    return next((text for text in own if isinstance(text, str)), None)


def function_task(
    function: Callable[[Sample], Any | Awaitable[Any]],
) -> Callable[[Sample], Awaitable[ModelReply]]:
    """A task from any function of a sample, sync or async, that gives the output.

    A sync function runs in a thread, so that many can run at once. What it raises becomes a failure of its
    run.

    Example:
        >>> import asyncio
        >>> from vlmops import Sample
        >>> asyncio.run(function_task(lambda sample: sample.id.upper())(Sample("a1", {}))).output
        'A1'
    """
    import asyncio
    import inspect
    import time

    async def task(sample: Sample) -> ModelReply:
        started = time.monotonic()
        if inspect.iscoroutinefunction(function):
            output = await function(sample)
        else:
            output = await asyncio.to_thread(function, sample)
        text = output if isinstance(output, str) else ""
        name = getattr(function, "__name__", type(function).__name__)
        return ModelReply(output=output, text=text, latency=time.monotonic() - started, model=name)

    return task
