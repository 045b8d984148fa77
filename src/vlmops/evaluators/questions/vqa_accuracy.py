"""VQA accuracy: agreement of an answer with those of several people (Antol 2015, Goyal 2017)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from vlmops.evaluators.bases import ComparisonEvaluator
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.questions.answer_text import VqaVariant, normalise_answer, single_line
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Score
from vlmops.evaluators.text import as_text

if TYPE_CHECKING:
    from collections.abc import Sequence

_AGREEING_PEOPLE = 3


def vqa_accuracy(
    prediction: str,
    answers: Sequence[str],
    variant: VqaVariant = "lmms_eval_vqav2",
    *,
    answer_ids: bool = True,
) -> float:
    """Share of leave-one-out rounds won, 0 to 1: ``mean over i of min(1, matches among the others / 3)``.

    Two answers can give at most 1/3 and three at most 2/3; with a single one the value is always 0.

    Args:
        prediction: The model's answer.
        answers: One per person, repeats kept (VQAv2 has ten).
        variant: Whose normalisation (:func:`normalise_answer`) to use. ``official`` normalises only where the
            people disagree: ten times ``"yes"`` against ``"Yes"`` gives 0. The others always normalise.
        answer_ids: Whether the answers carry ids, as in the published files. Without them ``official`` and
            ``lmms_eval_vqav2`` drop every answer equal to the one left out, and not it alone.

    Raises:
        ValueError: There is no answer to compare with.

    Example:
        >>> vqa_accuracy("two", ["2"] * 3 + ["3"] * 7)
        0.9
        >>> vqa_accuracy("Yes", ["yes"] * 10), vqa_accuracy("Yes", ["yes"] * 10, "official")
        (1.0, 0.0)
    """
    if not answers:
        raise ValueError("VQA accuracy needs at least one answer to compare with")
    compared, people = _normalised(prediction, answers, variant)
    matches = people.count(compared)
    if answer_ids or variant in ("lmms_eval_textvqa", "vlmevalkit"):
        left_out = [int(answer == compared) for answer in people]
    else:
        repeats = Counter(people)
        left_out = [repeats[answer] if answer == compared else 0 for answer in people]
    rounds = Counter(matches - removed for removed in left_out)
    won = sum(min(_AGREEING_PEOPLE, others) * times for others, times in rounds.items())
    return won / (_AGREEING_PEOPLE * len(people))


def _normalised(prediction: str, answers: Sequence[str], variant: VqaVariant) -> tuple[str, list[str]]:
    if variant in ("lmms_eval_textvqa", "vlmevalkit"):
        return normalise_answer(prediction, variant), [
            normalise_answer(answer, variant) for answer in answers
        ]
    compared, people = single_line(prediction), [single_line(answer) for answer in answers]
    if variant == "official" and len(set(people)) == 1:
        return compared, people
    return normalise_answer(compared, variant), [normalise_answer(answer, variant) for answer in people]


@register("vqa_accuracy")
@dataclass(frozen=True, kw_only=True)
class VqaAccuracy(ComparisonEvaluator):
    """Agreement of a short answer with those of several people; 1 is best.

    ``expected`` is a list with one answer per person, or a list of objects with the key ``answer`` as in the
    VQAv2 files. By default both sides are always normalised: the official code skips it where all people
    agree, which was harmless for classifiers over lower-case answers and marks a language model's ``"Yes"``
    against ten ``"yes"`` as wrong. Take ``variant="official"`` for figures to set beside a leaderboard's.

    A single answer could score nothing but 0 and is a failure; with two or three the explanation names the
    greatest value that could be reached.

    Attributes:
        variant: Whose normalisation to use, see :func:`normalise_answer`.

    Example:
        >>> from vlmops.evaluators import Case
        >>> people = ["red"] * 2 + ["dark red"] * 8
        >>> VqaAccuracy().evaluate(Case(output="Red.", expected=people)).explanation
        "2 of 10 people said 'red'"
    """

    default_name: ClassVar[str] = "vqa_accuracy"

    variant: VqaVariant = "lmms_eval_vqav2"

    def compare(self, output: Any, expected: Any) -> Score | Failure:
        """Score one answer."""
        people = self._people(expected)
        if isinstance(people, Failure):
            return people
        try:
            prediction = as_text(output)
        except TypeError as error:
            return self.failure(FailureKind.UNPARSABLE, f"output: {error}")
        compared, agreed_on = _normalised(prediction, people, self.variant)
        return Score(
            self.name,
            vqa_accuracy(prediction, people, self.variant),
            _explain(compared, agreed_on),
            metadata={"answer": compared, "matches": agreed_on.count(compared), "people": len(people)},
        )

    def _people(self, expected: Any) -> list[str] | Failure:
        if isinstance(expected, str) or not isinstance(expected, list | tuple):
            expected = [expected]
        try:
            people = [as_text(item["answer"] if isinstance(item, dict) else item) for item in expected]
        except (TypeError, KeyError) as error:
            problem = f"expected: a list of answers is needed, one per person: {error}"
            return self.failure(FailureKind.MISSING_EXPECTED, problem)
        if len(people) < 2:
            problem = (
                f"expected holds {len(people)} answers, with which VQA accuracy is always 0; "
                "give one per person, or compare with label_match or anls"
            )
            return self.failure(FailureKind.MISSING_EXPECTED, problem)
        return people


def _explain(compared: str, people: list[str]) -> str:
    matches = people.count(compared)
    said = f"{matches} of {len(people)} people said {compared!r}"
    if matches == 0:
        answer, times = Counter(people).most_common(1)[0]
        said += f"; most often ({times} times) {answer!r}"
    if len(people) <= _AGREEING_PEOPLE:
        said += (
            f"; with {len(people)} answers at most {(len(people) - 1) / _AGREEING_PEOPLE:.2f} can be reached"
        )
    return said
