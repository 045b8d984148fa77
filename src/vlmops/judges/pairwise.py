"""The pairwise judge: which of two answers about the same picture is better, asked in both orders."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

from vlmops.concurrency import map_each
from vlmops.errors import UsageError
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.judges.instructions import COMPARISON, instructions
from vlmops.judges.material import Material, add_answer, material_of
from vlmops.judges.model_judge import ModelJudge, fingerprint_of
from vlmops.judges.reading import read_verdict
from vlmops.judges.rubric import Choice, Rubric
from vlmops.judges.verdicts import PairVerdict, SwappedJudgment, swapped_judgment
from vlmops.models.model import ModelReply, ModelRequest, Turn

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from vlmops.evaluators.case import Case, Usage

_VERDICTS: Mapping[str, PairVerdict] = {"A": "A", "B": "B", "tie": "tie"}


@dataclass(frozen=True, slots=True)
class PairJudgment:
    """What a judge said of two answers, in both orders.

    Attributes:
        judgment: Who won in which order, by name.
        reasons: The judge's reasons, of the first and of the second order; a failure's message in its place.
        failures: What kept an order from having a verdict; the pair then has none.
        usage: What each call consumed, as far as it is known.
    """

    judgment: SwappedJudgment
    reasons: tuple[str, str]
    failures: tuple[Failure, ...] = ()
    usage: tuple[Usage, ...] = ()

    @property
    def consistent(self) -> bool | None:
        """Whether both orders name the same winner; ``None`` where one has no verdict."""
        return None if self.failures else self.judgment.first == self.judgment.second


@dataclass(frozen=True, kw_only=True)
class PairwiseJudge(ModelJudge):
    """Compares two answers to the same inputs; an answer wins only if it wins from both places.

    Judges favour a place: with one order alone, that favour is taken for quality.

    Attributes:
        question: What is compared, e.g. ``"Which answer describes the picture better?"``.
        criteria: What makes an answer better, and what is to be disregarded.

    Raises:
        UsageError: See :class:`~vlmops.judges.ModelJudge`.

    Example:
        >>> import asyncio, json
        >>> from vlmops.evaluators import Case
        >>> from vlmops.judges import View
        >>> class PrefersA:
        ...     name = "prefers-a"
        ...     async def answer(self, request):
        ...         told = {"better": {"reason": "A stands first.", "verdict": "A", "confidence": "low"}}
        ...         return ModelReply(output=told, text=json.dumps(told))
        >>> judge = PairwiseJudge(model=PrefersA(), question="Which is better?", view=View(pictures=False))
        >>> cases = Case(output="short", id="1"), Case(output="long", id="1")
        >>> pair = asyncio.run(judge.compare("small", cases[0], "large", cases[1]))
        >>> pair.judgment.winner, pair.consistent
        ('tie', False)
    """

    default_name: ClassVar[str] = "preference"

    question: str = "Which answer is better?"
    criteria: str = ""

    @property
    def rubric(self) -> Rubric:
        """The question, to be answered by A, B or a tie."""
        labels = {
            "A": "answer A is better",
            "B": "answer B is better",
            "tie": "neither is better than the other",
        }
        task = "Two answers to the same question about the same pictures are compared."
        question = "\n".join(part for part in (self.question, self.criteria) if part)
        return Rubric(task, (Choice("better", question, labels),))

    @property
    def instructions(self) -> str:
        """The standing instructions of its prompt, question included."""
        fair = "The order in which the answers stand says nothing about them."
        return instructions(f"{self.rubric.task} {fair}", self.rubric.text())

    @property
    def fingerprint(self) -> str:
        """Equal for judges that ask the same in the same way, whatever the model."""
        return fingerprint_of(self.instructions, self.rubric.schema(), asdict(self.view))

    async def compare(self, first_name: str, first: Case, second_name: str, second: Case) -> PairJudgment:
        """Judge a pair in both orders.

        Equal answers are a tie without asking. An answer that failed, or a call that did, leaves the pair
        without a verdict, and says why.

        Args:
            first_name: Whose answer the first is (a variant of an experiment).
            first: A case with the answer.
            second_name: Whose answer the second is.
            second: A case with the same inputs.
        """
        answers = self.output_of(first), self.output_of(second)
        failed = tuple(answer for answer in answers if isinstance(answer, Failure))
        if failed:
            return without_verdict(first_name, second_name, failed)
        if answers[0] == answers[1]:
            same = "the answers are equal"
            return PairJudgment(swapped_judgment(first_name, second_name, "tie", "tie"), (same, same))
        orders = (answers, (answers[1], answers[0]))
        straight, swapped = await map_each(orders, lambda order: self._ask(first, order))
        usage = tuple(said.usage for said in (straight, swapped) if said.usage is not None)
        failures = tuple(said for said in (straight, swapped) if isinstance(said, Failure))
        if isinstance(straight, Failure) or isinstance(swapped, Failure):
            return without_verdict(first_name, second_name, failures, usage)
        judgment = swapped_judgment(first_name, second_name, straight.verdict, swapped.verdict)
        return PairJudgment(judgment, (straight.reason, swapped.reason), usage=usage)

    def request(self, case: Case, answers: tuple[Any, Any]) -> ModelRequest | Failure:
        """What the model is asked about two answers, shown as A and B in this order."""
        material = material_of(case, None, self.view, with_answer=False)
        if isinstance(material, Failure):
            return self.failure(material.kind, material.message)
        for place, answer in zip("AB", answers, strict=True):
            add_answer(material, f"ANSWER {place}", answer, self.view)
        return self._request(material)

    def _request(self, material: Material) -> ModelRequest:
        return ModelRequest(
            prompt=COMPARISON,
            schema=self.rubric.schema(),
            parameters=self.parameters,
            before=(Turn("system", (self.instructions,)), Turn("user", material.content())),
            repetition=self.repetition,
        )

    async def _ask(self, case: Case, answers: tuple[Any, Any]) -> _Said | Failure:
        request = await asyncio.to_thread(self.request, case, answers)
        if isinstance(request, Failure):
            return request
        reply = await self._reply(request)
        return reply if isinstance(reply, Failure) else self._read(reply)

    def _read(self, reply: ModelReply) -> _Said | Failure:
        verdict = read_verdict(reply)
        scores = verdict if isinstance(verdict, Failure) else self.rubric.scores(self.name, verdict, {})
        if isinstance(scores, Failure):
            return Failure(scores.kind, scores.message, evaluator=self.name, usage=reply.usage)
        return _Said(_VERDICTS[str(scores[0].value)], scores[0].explanation, reply.usage)


def pairwise_judge(*, rubric: str | os.PathLike[str] | None = None, **parameters: Any) -> PairwiseJudge:
    """A pairwise judge from what TOML and JSON say of it.

    Args:
        rubric: Path of a file, see :func:`~vlmops.judges.load_comparison`.
        **parameters: Of :class:`PairwiseJudge`; they count for more than what the file says.

    Raises:
        UsageError: A parameter is unknown or wrong, or the file is.

    Example:
        >>> pairwise_judge(model="openai:gpt-4.1", question="Which is right?").question
        'Which is right?'
    """
    from vlmops.judges.rubric_file import load_comparison

    said: dict[str, Any] = {}
    if rubric is not None:
        file = load_comparison(rubric)
        said = {"question": file.question, "criteria": file.criteria}
        said |= {"view": file.view} if file.view is not None else {}
    try:
        return PairwiseJudge(**{**said, **parameters})
    except TypeError as error:
        known = ", ".join(["rubric", *(each.name for each in fields(PairwiseJudge))])
        raise UsageError(f"pairwise: {error}; it takes: {known}") from error


@dataclass(frozen=True, slots=True)
class _Said:
    verdict: PairVerdict
    reason: str
    usage: Usage | None


def without_verdict(
    first: str, second: str, failures: tuple[Failure, ...], usage: tuple[Usage, ...] = ()
) -> PairJudgment:
    """What there is of a pair that could not be judged."""
    kinds = ", ".join(sorted({failure.kind.value for failure in failures})) or FailureKind.EVALUATOR_ERROR
    reasons = (f"no verdict: {kinds}", failures[0].message if failures else "")
    return PairJudgment(SwappedJudgment(first, second, "error", "error"), reasons, failures, usage)
