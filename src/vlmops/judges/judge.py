"""The pointwise judge: a model that looks at the pictures of a case and answers a rubric."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from vlmops.errors import UsageError
from vlmops.evaluators.bases import OutputReader
from vlmops.evaluators.failure import Failure
from vlmops.evaluators.registry import register
from vlmops.judges.instructions import QUESTION, instructions
from vlmops.judges.material import Material, View, material_of
from vlmops.judges.reading import read_verdict
from vlmops.judges.rubric import Rubric
from vlmops.models.calls import ask
from vlmops.models.model import Model, ModelReply, ModelRequest, Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vlmops.evaluators.case import Case
    from vlmops.evaluators.evaluator import Annotator, Result


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
class Judge(OutputReader):
    """Judges one answer by a rubric, seeing what the answer is about.

    It is an evaluator like any other. What goes wrong in judging (a refusal, a rate limit, an unreadable
    verdict, a picture that cannot be shown, an abstention) is a failure, never a bad score. Of several
    criteria each is a score; see :class:`~vlmops.judges.Rubric`.

    Attributes:
        model: Who judges: a model, the name of one (``"openai:gpt-4.1"``), or a table of its ``name`` and how
            it is made (``base_url``, ...).
        rubric: What is judged; by name (in a specification, on the command line) the path of a file, see
            :func:`~vlmops.judges.load_rubric`, whose view and examples then hold as well.
        view: What of the case is shown; a table of the same keys is taken, too.
        examples: Judged cases shown first, with their pictures.
        parameters: Of the model; temperature 0 unless said otherwise.
        audit: What :func:`~vlmops.judges.audit` found of this judge, carried by each of its scores: the
            summary of a report, or the path of one.
        prompt: Name and version of its prompt on a platform, carried by each of its scores; see
            :func:`~vlmops.judges.publish_prompt`.
        repetition: Which of several verdicts on the same case is asked for, counted from 1: caches keep them
            apart.
        key: Dotted path of the part of the output to judge; the whole output when ``None``.

    Raises:
        UsageError: There is no model of that name; the rubric's file, the view or the audit is wrong, or the
            audit is one of another judge.

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
    annotator: ClassVar[Annotator] = "LLM"
    files: ClassVar[tuple[str, ...]] = ("rubric", "audit")
    """Parameters that may be paths of files; a specification's start where the specification lies."""

    model: Model | str
    rubric: Rubric
    view: View = field(default_factory=View)
    examples: tuple[JudgedExample, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=lambda: {"temperature": 0})
    audit: Mapping[str, Any] | None = None
    prompt: Mapping[str, Any] | None = field(default=None, repr=False)
    repetition: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "model", named_model(self.model))
        self._read_settings()

    def _read_settings(self) -> None:
        """Take what names, files and tables of JSON or TOML stand for."""
        from vlmops.judges.rubric_file import load_rubric, view_of

        given: dict[str, Any] = {"view": view_of(self.view), "examples": tuple(self.examples)}
        rubric: Any = self.rubric
        if isinstance(rubric, str | os.PathLike):
            file = load_rubric(rubric)
            given["rubric"] = file.rubric
            if file.view is not None and given["view"] == View():
                given["view"] = file.view
            shown = tuple(JudgedExample(case, verdict) for case, verdict in file.examples)
            given["examples"] = shown + given["examples"]
        elif not isinstance(rubric, Rubric):
            raise UsageError(
                f"judge {self.name!r}: the rubric is {rubric!r}: give a Rubric, or the path of a file"
            )
        for field_name, value in given.items():
            object.__setattr__(self, field_name, value)
        audit: Any = self.audit
        if isinstance(audit, str | os.PathLike):
            object.__setattr__(self, "audit", self._audit_of(audit))

    def _audit_of(self, path: str | os.PathLike[str]) -> Mapping[str, Any]:
        """What the report says, if it is one of this judge."""
        from vlmops.judges.audit.control import AuditReport

        report = AuditReport.load(Path(path))
        model = named_model(self.model).name
        for what, theirs, ours in (
            ("another rubric, view or examples", report.rubric, self.fingerprint),
            (f"the model {report.model}, and not of {model}", report.model, model),
        ):
            if theirs != ours:
                raise UsageError(
                    f"{path} is an audit of {what}: it says nothing of the judge {self.name!r}; audit it "
                    "with 'vlmops judges audit'"
                )
        return report.summary()

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
        asked = [self.instructions, self.rubric.schema(), asdict(self.view), shown]
        return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()[:16]

    @property
    def models(self) -> Sequence[Model]:
        """Its model."""
        return [named_model(self.model)]

    def asking(self, care: Callable[[Model], Model]) -> Self:
        """The same judge, asking what ``care`` makes of its model."""
        return replace(self, model=care(named_model(self.model)))

    async def evaluate(self, case: Case) -> Result:
        """Judge one case."""
        # Pictures are decoded and scaled for this: not on the event loop that other calls wait for.
        material, request = await asyncio.to_thread(self._asked, case)
        if isinstance(material, Failure):
            return material
        if isinstance(request, Failure):
            return request
        reply = await ask(named_model(self.model), request)
        if isinstance(reply, Failure):
            return replace(
                reply,
                evaluator=self.name,
                message=f"the judge {named_model(self.model).name}: {reply.message}",
            )
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
            "model": reply.model or named_model(self.model).name,
            "rubric": self.fingerprint,
            "shown": material.record,
            "usage": {key: value for key, value in usage.items() if value is not None},
            "seconds": reply.latency,
            **({"cached": True} if reply.cached else {}),
            **({"prompt": dict(self.prompt)} if self.prompt is not None else {}),
            "audit": dict(self.audit) if self.audit is not None else "not audited",
        }


def named_model(model: Model | str | Mapping[str, Any]) -> Model:
    """The model, or the one of that name, or of the ``name`` in a table of how it is made.

    Raises:
        UsageError: There is no model of that name.

    Example:
        >>> named_model("openai:gpt-4.1").name
        'openai:gpt-4.1'
    """
    from vlmops.models import create

    if isinstance(model, str):
        return create(model)
    if not isinstance(model, Mapping):
        return model
    options = dict(model)
    name = options.pop("name", None)
    if not isinstance(name, str):
        raise UsageError(f'the judge\'s model {dict(model)!r} has no name: give name = "openai:..."')
    return create(name, **options)


def material_text(material: Material | Failure) -> list[str]:
    """Labels and texts of a material, its pictures by their hash: what tells it from any other."""
    if isinstance(material, Failure):
        return [material.message]
    return [
        f"{label}: {piece if isinstance(piece, str) else piece.sha256}" for label, piece in material.parts
    ]
