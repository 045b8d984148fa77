"""Multiple-choice questions: asked once, or in every rotation of their choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from vlmops.evaluators.bases import ComparisonEvaluator, PairReader
from vlmops.evaluators.clusters import picture_clusters
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.questions.choice_extraction import ExtractedChoice, extract_choice
from vlmops.evaluators.questions.choice_references import ChoiceVariant, reference_choice
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Score, SetScore
from vlmops.evaluators.selection import MISSING, select
from vlmops.evaluators.text import as_text, shown

if TYPE_CHECKING:
    from vlmops.evaluators.case import Case

Unreadable = Literal["failure", "wrong"]
"""What an answer that names no choice is: a counted failure, or a wrong answer."""


def read_choice(
    response: str, choices: Mapping[str, str], variant: ChoiceVariant | Literal["vlmops"] = "vlmops"
) -> ExtractedChoice:
    """The choice an answer names, by our rules (:func:`extract_choice`) or by a published evaluation's.

    Raises:
        ValueError: The variant is unknown.

    Example:
        >>> read_choice("Option C is right, A is not", {"A": "", "B": "", "C": ""}).label
        'C'
        >>> read_choice("No idea", {"A": "cat", "B": "dog"}, "mmmu")
        ExtractedChoice(label=None, reason='mmmu reads no choice (where it would pick at random)')
    """
    if variant == "vlmops":
        return extract_choice(response, choices)
    label = reference_choice(response, choices, variant)
    if label is not None:
        return ExtractedChoice(label, f"as {variant} reads it")
    guess = " (where it would pick at random)" if variant in ("mmmu", "lmms_eval_mmmu") else ""
    return ExtractedChoice(None, f"{variant} reads no choice{guess}")


def circular_correct(
    answers: Sequence[str | None], expected: Sequence[str], *, unreadable: Unreadable = "failure"
) -> bool | None:
    """Whether a question is answered rightly in every rotation of its choices (MMBench, Liu et al. 2023).

    Args:
        answers: Letter read in each rotation, ``None`` where none could be.
        expected: Right letter in each rotation.
        unreadable: With ``"wrong"`` a rotation without a letter is wrong (VLMEvalKit's ``exact_matching``).

    Returns:
        ``False`` as soon as one readable rotation is wrong; ``None`` where all readable ones are right and
        one is not readable.

    Raises:
        ValueError: The two differ in length, or there are none.

    Example:
        >>> circular_correct(["A", "D"], ["A", "D"]), circular_correct(["A", "A"], ["A", "D"])
        (True, False)
        >>> circular_correct(["A", None], ["A", "D"]) is None
        True
    """
    if len(answers) != len(expected) or not expected:
        raise ValueError(f"one answer per rotation is needed, not {len(answers)} for {len(expected)}")
    pairs = list(zip(answers, expected, strict=True))
    if any(answer is not None and answer != right for answer, right in pairs):
        return False
    if all(answer is not None for answer in answers):
        return True
    return False if unreadable == "wrong" else None


@register("multiple_choice")
@dataclass(frozen=True, kw_only=True)
class MultipleChoice(ComparisonEvaluator):
    """Whether an answer names the right choice; one that names none is a failure, never a random guess.

    ``expected`` is the letter or the text of the right choice, or a list of those that count as right. The
    choices are read from the case's inputs: an object from letter to text, or a list (then A, B, C, ...).

    Attributes:
        choices_key: Dotted path of the choices in ``inputs``.
        variant: How to read the answer: ``"vlmops"`` (:func:`extract_choice`), or a published evaluation
            (:func:`reference_choice`) to reproduce its figures.
        unreadable: ``"wrong"`` to count an answer that names no choice as wrong, as benchmarks do.

    Example:
        >>> from vlmops.evaluators import Case
        >>> inputs = {"question": "What is it?", "choices": ["dog", "cat"]}
        >>> MultipleChoice().evaluate(Case(output="The answer is (B).", expected="B", inputs=inputs)).value
        True
        >>> MultipleChoice().evaluate(Case(output="No idea", expected="B", inputs=inputs)).message
        "it names no choice, by letter or by text: 'No idea'"
    """

    default_name: ClassVar[str] = "multiple_choice"

    choices_key: str = "choices"
    variant: ChoiceVariant | Literal["vlmops"] = "vlmops"
    unreadable: Unreadable = "failure"

    def evaluate(self, case: Case) -> Score | Failure:
        """Score one answer."""
        read = self.read(case)
        if isinstance(read, Failure):
            return read
        extracted, right = read
        if extracted.label is None and self.unreadable == "failure":
            return self.failure(FailureKind.UNPARSABLE, f"{extracted.reason}: {shown(case.output)}")
        correct = extracted.label in right
        verdict = f"{extracted.label or 'nothing'} was read ({extracted.reason})"
        return Score(
            self.name,
            correct,
            verdict if correct else f"{verdict}; right is {' or '.join(right)}",
            metadata={"answer": extracted.label, "reason": extracted.reason},
        )

    def compare(self, output: Any, expected: Any) -> Score | Failure:
        """A failure: without the case's inputs there are no choices to read the answer against."""
        problem = (
            f"{shown(output)} against {shown(expected)}: the choices are in the case's inputs; use evaluate"
        )
        return self.failure(FailureKind.MISSING_EXPECTED, problem)

    def read(self, case: Case) -> tuple[ExtractedChoice, list[str]] | Failure:
        """The choice that a case's answer names, and the letters that are right."""
        sides = self.sides(case)
        if isinstance(sides, Failure):
            return sides
        output, expected = sides
        choices = _choices(select(case.inputs, self.choices_key))
        if choices is None:
            problem = f"inputs: no choices under {self.choices_key!r}; give a list of texts or an object"
            return self.failure(FailureKind.MISSING_EXPECTED, problem)
        right = _right_labels(expected, choices)
        if not right:
            problem = f"expected: {shown(expected)} is none of the choices {', '.join(choices)}"
            return self.failure(FailureKind.MISSING_EXPECTED, problem)
        try:
            return read_choice(as_text(output), choices, self.variant), right
        except TypeError as error:
            return self.failure(FailureKind.UNPARSABLE, f"output: {error}")


@register("circular_accuracy")
@dataclass(frozen=True, kw_only=True)
class CircularAccuracy(PairReader):
    """Share of questions that are answered rightly in every rotation of their choices; 1 is best.

    Each rotation is a case of its own; the cases of one question carry the same metadata value. A question
    fails as soon as one rotation is wrong. It is counted among ``failures`` where a rotation could not be
    read and no other one is wrong. ``n`` and ``failures`` count questions. (MMBench's CircularEval.)

    Attributes:
        choices_key: Dotted path of the choices in ``inputs``.
        group_key: Dotted path, in the metadata, of what the rotations of a question share.
        variant: How to read an answer, as for :class:`MultipleChoice`.
        unreadable: ``"wrong"`` to count a rotation that names no choice as wrong.

    Example:
        >>> from vlmops.evaluators import Case
        >>> about = {"metadata": {"question_id": 7}}
        >>> cases = [
        ...     Case(output="A", expected="A", inputs={"choices": ["cat", "dog"]}, **about),
        ...     Case(output="A", expected="B", inputs={"choices": ["dog", "cat"]}, **about),
        ... ]
        >>> CircularAccuracy().evaluate_set(cases).explanation
        '0 of 1 questions are right in every rotation; 1 in the first'
    """

    default_name: ClassVar[str] = "circular_accuracy"

    choices_key: str = "choices"
    group_key: str = "question_id"
    variant: ChoiceVariant | Literal["vlmops"] = "vlmops"
    unreadable: Unreadable = "failure"

    def evaluate_set(self, cases: Sequence[Case]) -> SetScore | Failure:
        """Score all questions, with a bootstrap interval over questions."""
        from vlmops.statistics import mean_interval

        groups: dict[Any, list[Case]] = {}
        for case in cases:
            key = select(case.metadata, self.group_key)
            if key is MISSING:
                problem = f"metadata: case {case.id!r} has no {self.group_key!r}, which joins the rotations"
                return self.failure(FailureKind.MISSING_EXPECTED, problem)
            groups.setdefault(key, []).append(case)
        verdicts = [self._verdict(group) for group in groups.values()]
        decided = [correct for correct in verdicts if correct is not None]
        if not decided:
            problem = f"none of {len(groups)} questions has an answer that can be read in every rotation"
            return self.failure(FailureKind.UNPARSABLE if groups else FailureKind.MISSING_OUTPUT, problem)
        clusters = picture_clusters([group[0] for group in groups.values()])
        first = [self._verdict(group[:1]) for group in groups.values()]
        return SetScore(
            self.name,
            sum(decided) / len(decided),
            n=len(decided),
            failures=len(verdicts) - len(decided),
            interval=mean_interval(
                decided,
                clusters=[
                    key for key, verdict in zip(clusters, verdicts, strict=True) if verdict is not None
                ],
            ),
            explanation=f"{sum(decided)} of {len(decided)} questions are right in every rotation; "
            f"{first.count(True)} in the first",
            metadata={"right_in_first_rotation": first.count(True), "cases": len(cases)},
        )

    def _verdict(self, group: Sequence[Case]) -> bool | None:
        reader = MultipleChoice(
            key=self.key, expected_key=self.expected_key, choices_key=self.choices_key, variant=self.variant
        )
        answers: list[str | None] = []
        expected: list[str] = []
        for case in group:
            read = reader.read(case)
            label, right = (None, [""]) if isinstance(read, Failure) else (read[0].label, read[1])
            answers.append(label)
            expected.append(label if label in right and label is not None else right[0])
        return circular_correct(answers, expected, unreadable=self.unreadable)


def _choices(value: Any) -> dict[str, str] | None:
    try:
        if isinstance(value, Mapping):
            return {str(label): as_text(text) for label, text in value.items() if text is not None} or None
        if isinstance(value, list | tuple) and 0 < len(value) <= len(ascii_uppercase):
            return {label: as_text(text) for label, text in zip(ascii_uppercase, value, strict=False)}
    except TypeError:
        return None
    return None


def _right_labels(expected: Any, choices: Mapping[str, str]) -> list[str]:
    wanted = [str(value) for value in (expected if isinstance(expected, list | tuple) else [expected])]
    by_label = [label for label in choices if label in wanted]
    return by_label or [label for label, text in choices.items() if text in wanted]
