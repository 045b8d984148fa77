"""The pointwise judge: a model that looks at the pictures of a case and answers a rubric."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from vlmops.errors import UsageError
from vlmops.evaluators.failure import Failure
from vlmops.evaluators.registry import register
from vlmops.judges.instructions import QUESTION, instructions
from vlmops.judges.material import Material, View, material_of
from vlmops.judges.model_judge import ModelJudge, fingerprint_of
from vlmops.judges.reading import read_verdict
from vlmops.judges.rubric import Rubric
from vlmops.models.model import ModelReply, ModelRequest, Turn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vlmops.evaluators.case import Case
    from vlmops.evaluators.evaluator import Result


@dataclass(frozen=True, slots=True)
class JudgedExample:
    """A case with the verdict a judge should give, shown to it before the case it judges.

    Attributes:
        case: The case, with its pictures; its whole output is the answer, whatever part the judge looks at.
        verdict: What :meth:`~vlmops.judges.Rubric.schema` asks for, reasons included.
    """

    case: Case
    verdict: Mapping[str, Any]


@register("judge")
@dataclass(frozen=True, kw_only=True)
class Judge(ModelJudge):
    """Judges one answer by a rubric, seeing what the answer is about.

    It is an evaluator like any other. What goes wrong in judging (a refusal, a rate limit, an unreadable
    verdict, a picture that cannot be shown, an abstention) is a failure, never a bad score. Of several
    criteria each is a score; see :class:`~vlmops.judges.Rubric`.

    Attributes:
        rubric: What is judged; by name (in a specification, on the command line) the path of a file, see
            :func:`~vlmops.judges.load_rubric`, whose view and examples then hold as well.
        examples: Judged cases shown first, with their pictures.

    Raises:
        UsageError: The rubric's file is wrong; see :class:`~vlmops.judges.ModelJudge` besides.

    Example:
        >>> import asyncio, json
        >>> from vlmops.evaluators import Case
        >>> from vlmops.judges import Rubric, View, YesNo
        >>> class Kind:
        ...     name = "kind"
        ...     async def answer(self, request):
        ...         told = {"polite": {"reason": "It says please.", "verdict": "yes", "confidence": "high"}}
        ...         return ModelReply(output=told, text=json.dumps(told))
        >>> rubric = Rubric("Judge the tone of an answer.", (YesNo("polite", "Is it polite?"),))
        >>> judge = Judge(name="tone", model=Kind(), rubric=rubric, view=View(pictures=False))
        >>> score = asyncio.run(judge.evaluate(Case(output="Please wait.")))
        >>> score.name, score.value, score.explanation
        ('tone', True, 'It says please.')
    """

    default_name: ClassVar[str] = "judge"
    files: ClassVar[tuple[str, ...]] = ("rubric", "audit")
    """Parameters that may be paths of files; a specification's start where the specification lies."""

    rubric: Rubric
    examples: tuple[JudgedExample, ...] = ()

    def _read_settings(self) -> None:
        super()._read_settings()
        from vlmops.judges.rubric_file import load_rubric

        given: dict[str, Any] = {"examples": tuple(self.examples)}
        rubric: Any = self.rubric
        if isinstance(rubric, str | os.PathLike):
            file = load_rubric(rubric)
            given["rubric"] = file.rubric
            if file.view is not None and self.view == View():
                given["view"] = file.view
            shown = tuple(JudgedExample(case, verdict) for case, verdict in file.examples)
            given["examples"] = shown + given["examples"]
        elif not isinstance(rubric, Rubric):
            raise UsageError(
                f"judge {self.name!r}: the rubric is {rubric!r}: give a Rubric, or the path of a file"
            )
        for field_name, value in given.items():
            object.__setattr__(self, field_name, value)

    @property
    def instructions(self) -> str:
        """The standing instructions of its prompt, rubric included: what a platform keeps as the prompt."""
        return instructions(self.rubric.task, self.rubric.text())

    @cached_property
    def fingerprint(self) -> str:
        """Equal for judges that ask the same in the same way, whatever the model."""
        shown = [
            [material_text(self._shown_of(each.case, each.case.output)), dict(each.verdict)]
            for each in self.examples
        ]
        return fingerprint_of(self.instructions, self.rubric.schema(), asdict(self.view), shown)

    async def evaluate(self, case: Case) -> Result:
        """Judge one case."""
        # Pictures are decoded and scaled for this: not on the event loop that other calls wait for.
        material, request = await asyncio.to_thread(self._asked, case)
        if isinstance(material, Failure):
            return material
        if isinstance(request, Failure):
            return request
        reply = await self._reply(request)
        if isinstance(reply, Failure):
            return reply
        verdict = read_verdict(reply)
        if isinstance(verdict, Failure):
            return replace(verdict, evaluator=self.name, usage=reply.usage)
        scores = self.rubric.scores(self.name, verdict, {"judge": self._record(reply, material)})
        if isinstance(scores, Failure):
            return replace(scores, usage=reply.usage)
        return scores[0] if len(scores) == 1 else scores

    def request(self, case: Case) -> ModelRequest | Failure:
        """What the model is asked about a case, or why it cannot be asked."""
        return self._asked(case)[1]

    def _asked(self, case: Case) -> tuple[Material | Failure, ModelRequest | Failure]:
        material = self._material(case)
        return material, material if isinstance(material, Failure) else self._request(material)

    def _request(self, material: Material) -> ModelRequest | Failure:
        shown = self._example_turns
        if isinstance(shown, Failure):
            return shown
        return ModelRequest(
            prompt=QUESTION,
            schema=self.rubric.schema(),
            parameters=self.parameters,
            before=(Turn("system", (self.instructions,)), *shown, Turn("user", material.content())),
            repetition=self.repetition,
        )

    @cached_property
    def _example_turns(self) -> tuple[Turn, ...] | Failure:
        """The same for every case: their pictures are made ready once."""
        turns: list[Turn] = []
        for example in self.examples:
            shown = self._shown_of(example.case, example.case.output)
            if isinstance(shown, Failure):
                return self.failure(shown.kind, f"example {example.case.id or '(no id)'}: {shown.message}")
            turns.append(Turn("user", shown.content()))
            turns.append(Turn("assistant", (json.dumps(example.verdict, ensure_ascii=False),)))
        return tuple(turns)

    def _material(self, case: Case) -> Material | Failure:
        answer = self.output_of(case)
        if isinstance(answer, Failure):
            return answer
        return self._shown_of(case, answer)

    def _shown_of(self, case: Case, answer: Any) -> Material | Failure:
        material = material_of(case, answer, self.view)
        return self.failure(material.kind, material.message) if isinstance(material, Failure) else material

    def _record(self, reply: ModelReply, material: Material) -> dict[str, Any]:
        """What a person needs to know of a verdict to believe or doubt it."""
        usage = asdict(reply.usage) if reply.usage else {}
        return {
            **self.record,
            "model": reply.model or self.models[0].name,
            "shown": material.record,
            "usage": {key: value for key, value in usage.items() if value is not None},
            "seconds": reply.latency,
            **({"cached": True} if reply.cached else {}),
        }


def material_text(material: Material | Failure) -> list[str]:
    """Labels and texts of a material, its pictures by their hash: what tells it from any other."""
    if isinstance(material, Failure):
        return [material.message]
    return [
        f"{label}: {piece if isinstance(piece, str) else piece.sha256}" for label, piece in material.parts
    ]
