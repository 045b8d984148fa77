"""Rubrics: what a judge is asked, the form its verdict must have, and the scores that follow from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from vlmops.errors import UsageError
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.score import Score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vlmops.evaluators.score import Range, Value

CANNOT_TELL = "cannot_tell"
"""The verdict of a judge to whom the material does not show enough; an abstention, not a score."""

_CONFIDENCE = ("low", "medium", "high")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


class Criterion(Protocol):
    """One question of a rubric."""

    @property
    def name(self) -> str:
        """Lower-case, words joined by ``_``; unique within its rubric."""
        ...

    @property
    def range(self) -> Range | None:
        """Least and greatest value of its scores; ``None`` for labels."""
        ...

    def text(self) -> str:
        """The question and what each verdict means, as the judge reads it."""
        ...

    def verdicts(self) -> list[str]:
        """What may be answered, beside :data:`CANNOT_TELL`."""
        ...

    def value(self, verdict: str) -> Value:
        """The score's value for one of the verdicts."""
        ...

    def passes(self, verdict: str) -> bool | None:
        """Whether the verdict is a pass; ``None`` where the criterion does not say what passes."""
        ...


@dataclass(frozen=True, slots=True)
class YesNo:
    """A question that is answered yes or no; yes is a pass, and good.

    Attributes:
        name: See :class:`Criterion`.
        question: E.g. ``"Is every sentence of the answer supported by the picture?"``.
        yes: What must hold for a yes; may be empty.
        no: What makes it a no; may be empty.

    Example:
        >>> YesNo("grounded", "Is the answer supported by the picture?").value("yes")
        True
    """

    name: str
    question: str
    yes: str = ""
    no: str = ""
    range: ClassVar[Range | None] = (0.0, 1.0)

    def text(self) -> str:
        """The question and what each verdict means."""
        meanings = [f"  {mark}: {said}" for mark, said in (("yes", self.yes), ("no", self.no)) if said]
        return "\n".join([f"{self.question} (yes or no)", *meanings])

    def verdicts(self) -> list[str]:
        """Yes and no."""
        return ["yes", "no"]

    def value(self, verdict: str) -> bool:
        """``True`` for a yes."""
        return verdict == "yes"

    def passes(self, verdict: str) -> bool:
        """Whether it is a yes."""
        return verdict == "yes"


@dataclass(frozen=True, slots=True)
class Scale:
    """A question that is answered by a whole number on a scale; more is better.

    Attributes:
        name: See :class:`Criterion`.
        question: E.g. ``"How completely does the caption describe the picture?"``.
        anchors: What a number means: at least the least and the greatest, which bound the scale. Judges agree
            better with people, and with themselves, when every number has an anchor.
        pass_at: From which number on it is a pass; ``None`` where that is not said.

    Raises:
        UsageError: There are fewer than two anchors, or ``pass_at`` is outside of the scale.

    Example:
        >>> detail = Scale("detail", "How detailed is the caption?", {1: "names nothing", 5: "names all"})
        >>> detail.verdicts(), detail.value("4"), detail.range
        (['1', '2', '3', '4', '5'], 4.0, (1.0, 5.0))
    """

    name: str
    question: str
    anchors: Mapping[int, str]
    pass_at: int | None = None

    def __post_init__(self) -> None:
        if len(self.anchors) < 2:
            raise UsageError(
                f"scale {self.name!r}: give anchors for the least and the greatest number at least"
            )
        if self.pass_at is not None and not min(self.anchors) < self.pass_at <= max(self.anchors):
            raise UsageError(f"scale {self.name!r}: pass_at={self.pass_at} can be missed or met by no number")

    @property
    def range(self) -> Range:
        """The ends of the scale."""
        return (float(min(self.anchors)), float(max(self.anchors)))

    def text(self) -> str:
        """The question and what the numbers mean."""
        low, high = min(self.anchors), max(self.anchors)
        meanings = [f"  {number}: {self.anchors[number]}" for number in sorted(self.anchors)]
        return "\n".join([f"{self.question} (a whole number from {low} to {high})", *meanings])

    def verdicts(self) -> list[str]:
        """Every whole number of the scale."""
        return [str(number) for number in range(min(self.anchors), max(self.anchors) + 1)]

    def value(self, verdict: str) -> float:
        """The number."""
        return float(verdict)

    def passes(self, verdict: str) -> bool | None:
        """Whether the number reaches ``pass_at``."""
        return None if self.pass_at is None else int(verdict) >= self.pass_at


@dataclass(frozen=True, slots=True)
class Choice:
    """A question that is answered by one of several labels.

    Attributes:
        name: See :class:`Criterion`.
        question: E.g. ``"Which of these describes the defect best?"``.
        labels: The labels and what each means.
        passing: Those that are a pass; empty where that is not said.

    Raises:
        UsageError: There are fewer than two labels, two that differ in case or spaces alone, or a passing one
            is not among them.

    Example:
        >>> step = Choice("step", "Is it done?", {"done": "", "begun": "", "not_done": ""}, {"done"})
        >>> step.passes("begun")
        False
    """

    name: str
    question: str
    labels: Mapping[str, str]
    passing: frozenset[str] | set[str] = frozenset()
    range: ClassVar[Range | None] = None

    def __post_init__(self) -> None:
        read = [_normal(label) for label in self.labels]
        if len(read) < 2 or CANNOT_TELL in read:
            raise UsageError(f"choice {self.name!r}: give two labels at least, other than {CANNOT_TELL!r}")
        if len(set(read)) < len(read):
            raise UsageError(
                f"choice {self.name!r}: two labels differ in case or spaces alone: {', '.join(self.labels)}"
            )
        if strange := set(self.passing) - set(self.labels):
            raise UsageError(f"choice {self.name!r}: {', '.join(sorted(strange))} can pass but is no label")

    def text(self) -> str:
        """The question and what each label means."""
        meanings = [f"  {label}: {said}" if said else f"  {label}" for label, said in self.labels.items()]
        return "\n".join([f"{self.question} (one of {', '.join(self.labels)})", *meanings])

    def verdicts(self) -> list[str]:
        """The labels."""
        return list(self.labels)

    def value(self, verdict: str) -> str:
        """The label."""
        return verdict

    def passes(self, verdict: str) -> bool | None:
        """Whether the label is a passing one."""
        return verdict in self.passing if self.passing else None


@dataclass(frozen=True, slots=True)
class Rubric:
    """What is judged, by which criteria.

    With one criterion the judge gives one score. With several it gives ``<judge>.<criterion>`` for each, and
    ``<judge>`` for the whole: whether every criterion passes, where all say what passes.

    Attributes:
        task: What the judge is to do, in a sentence or two; part of the prompt.
        criteria: The questions, in the order in which they are to be answered.
        abstain: Whether the judge may say that the material does not show enough.

    Raises:
        UsageError: There is no criterion, two have one name, or a name is no lower-case word.

    Example:
        >>> rubric = Rubric("Judge a caption.", (YesNo("true", "Is all of it true?"),))
        >>> rubric.schema()["properties"]["true"]["required"]
        ['reason', 'verdict', 'confidence']
    """

    task: str
    criteria: Sequence[Criterion] = field(default_factory=tuple)
    abstain: bool = True

    def __post_init__(self) -> None:
        names = [criterion.name for criterion in self.criteria]
        if not names:
            raise UsageError("a rubric needs a criterion")
        if len(set(names)) < len(names):
            raise UsageError(f"two criteria of one rubric have one name: {', '.join(names)}")
        for name in names:
            if not _NAME.fullmatch(name):
                raise UsageError(
                    f"criterion {name!r}: name it by lower-case letters, digits and '_': it names a score"
                )

    @property
    def parts(self) -> frozenset[str]:
        """The scores it always leads to, by what follows the judge's name; ``""`` is the score of that name.

        Example:
            >>> sorted(Rubric("Judge.", (YesNo("right", "?"), YesNo("whole", "?"))).parts)
            ['', 'right', 'whole']
        """
        if len(self.criteria) == 1:
            return frozenset({""})
        named = {criterion.name for criterion in self.criteria}
        decided = all(each.passes(each.verdicts()[0]) is not None for each in self.criteria)
        return frozenset(named | {""} if decided else named)

    def text(self) -> str:
        """The criteria as the judge reads them."""
        numbered = [
            f"{number}. {criterion.name}: {criterion.text()}"
            for number, criterion in enumerate(self.criteria, 1)
        ]
        unsure = (
            f"\nAnswer {CANNOT_TELL} where the material does not show enough to decide."
            if self.abstain
            else ""
        )
        return "\n".join(numbered) + unsure

    def schema(self) -> dict[str, Any]:
        """JSON Schema of the verdict; reasons come first, since what is written first steers the rest."""
        return _object({criterion.name: self._part(criterion) for criterion in self.criteria})

    def scores(self, name: str, verdict: Any, metadata: Mapping[str, Any]) -> list[Score] | Failure:
        """The scores that follow from a verdict.

        Args:
            name: Of the judge.
            verdict: What it answered, parsed.
            metadata: Goes into every score.

        Returns:
            The scores; a failure when the verdict has not the form of :meth:`schema`, or the judge abstains
            from a criterion.
        """
        found: list[tuple[Criterion, str, Score]] = []
        for criterion in self.criteria:
            part = verdict.get(criterion.name) if isinstance(verdict, Mapping) else None
            read = self._read(criterion, part)
            if isinstance(read, Failure):
                return Failure(read.kind, read.message, evaluator=name)
            detail = {"confidence": _confidence(part), **metadata}
            own = name if len(self.criteria) == 1 else f"{name}.{criterion.name}"
            reason = str(part.get("reason") or "") if isinstance(part, Mapping) else ""
            found.append(
                (
                    criterion,
                    read,
                    Score(own, criterion.value(read), reason, range=criterion.range, metadata=detail),
                )
            )
        return _with_whole(name, found, metadata)

    def _part(self, criterion: Criterion) -> dict[str, Any]:
        verdicts = [*criterion.verdicts(), *([CANNOT_TELL] if self.abstain else [])]
        return _object(
            {
                "reason": {
                    "type": "string",
                    "description": "What in the material decides this, in 1-3 sentences.",
                },
                "verdict": {"type": "string", "enum": verdicts},
                "confidence": {"type": "string", "enum": list(_CONFIDENCE)},
            }
        )

    def _read(self, criterion: Criterion, part: Any) -> str | Failure:
        said = part.get("verdict") if isinstance(part, Mapping) else part
        verdict = _normal(said)
        if verdict == CANNOT_TELL and self.abstain:
            reason = part.get("reason") if isinstance(part, Mapping) else ""
            return Failure(FailureKind.ABSTAINED, f"{criterion.name}: the judge cannot tell: {reason}")
        known = {_normal(allowed): allowed for allowed in criterion.verdicts()}
        if verdict not in known:
            return Failure(
                FailureKind.UNPARSABLE,
                f"{criterion.name}: the verdict {said!r} is none of {', '.join(criterion.verdicts())}",
            )
        return known[verdict]


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _normal(verdict: Any) -> str:
    """Models that bear no schema write ``Yes``, ``true`` or ``4.0``."""
    if isinstance(verdict, bool):
        return "yes" if verdict else "no"
    if isinstance(verdict, float) and verdict.is_integer():
        verdict = int(verdict)
    return "_".join(str(verdict).strip().lower().replace("-", " ").split())


def _confidence(part: Any) -> str | None:
    said = part.get("confidence") if isinstance(part, Mapping) else None
    return said if said in _CONFIDENCE else None


def _with_whole(
    name: str, found: Sequence[tuple[Criterion, str, Score]], metadata: Mapping[str, Any]
) -> list[Score]:
    scores = [score for _, _, score in found]
    passed = [criterion.passes(verdict) for criterion, verdict, _ in found]
    if len(found) == 1:
        if passed[0] is not None and not isinstance(scores[0].value, bool):
            scores.append(Score(f"{name}.pass", passed[0], scores[0].explanation, metadata=metadata))
        return scores
    if None in passed:
        return scores
    missed = [criterion.name for (criterion, _, _), ok in zip(found, passed, strict=True) if not ok]
    why = f"fails {', '.join(missed)}" if missed else f"passes all {len(found)} criteria"
    return [Score(name, not missed, why, metadata=metadata), *scores]
