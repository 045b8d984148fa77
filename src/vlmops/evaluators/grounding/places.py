"""Base of evaluators that compare places: reading both sides, sizes, conventions, evidence."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from vlmops.errors import ImageError, UsageError
from vlmops.evaluators.bases import ComparisonEvaluator
from vlmops.evaluators.case import Case
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.geometry import Box, Convention, Located, Overlay, Point, convention_for
from vlmops.geometry.location import locate_boxes, locate_points

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vlmops.evaluators.evaluator import Result
    from vlmops.geometry import Size
    from vlmops.images import Image

Place = TypeVar("Place", bound=Box | Point)

MODEL_KEY = "model"
"""Key of a case's metadata that names the model, for ``convention="auto"``."""


@dataclass(frozen=True, kw_only=True)
class PlaceEvaluator(ComparisonEvaluator):
    """Base of evaluators that compare boxes or points of an answer with expected ones.

    Attributes:
        convention: Coordinates of the answer: a name in ``vlmops.geometry.CONVENTIONS``, or your own.
            ``auto`` takes the row of the model that the case's metadata name under ``model``.
        expected_convention: The same for the expected value; pixels of the oriented original by default.
        picture: Which of the case's pictures the places lie in.
        seen_size: Width and height of the picture the model saw, where you know them; else computed.
        overlay: Whether to attach a drawing of both sides as evidence (made only when looked at).
    """

    convention: str | Convention = "auto"
    expected_convention: str | Convention = "pixels"
    picture: int = 0
    seen_size: Size | None = None
    overlay: bool = True

    def evaluate(self, case: Case) -> Result:
        """Score one case."""
        sides = self.sides(case)
        return sides if isinstance(sides, Failure) else self.judge(case, *sides)

    def compare(self, output: Any, expected: Any) -> Result:
        """Score an output against an expected value where there is no picture."""
        return self.judge(Case(output=output, expected=expected), output, expected)

    @abstractmethod
    def judge(self, case: Case, output: Any, expected: Any) -> Result:
        """Score the selected output against the selected expected value."""

    def boxes(self, case: Case, output: Any, expected: Any) -> tuple[Located[Box], Located[Box]] | Failure:
        """The boxes of both sides in pixels of the original, or why they cannot be had."""
        predicted = self.located(locate_boxes, case, output)
        if isinstance(predicted, Failure):
            return predicted
        gold = self.gold(locate_boxes, case, expected)
        return gold if isinstance(gold, Failure) else (predicted, gold)

    def points(self, case: Case, output: Any) -> Located[Point] | Failure:
        """The points of the answer in pixels of the original, or why they cannot be had."""
        return self.located(locate_points, case, output)

    def gold(
        self, locate: Callable[..., Located[Place] | Failure], case: Case, expected: Any
    ) -> Located[Place] | Failure:
        """The expected places; a value that holds none is the data's fault, not the model's."""
        size = self._size(case)
        if isinstance(size, Failure):
            return size
        try:
            gold = locate(expected, self.expected_convention, size)
        except UsageError as error:
            return self.failure(FailureKind.MISSING_EXPECTED, f"expected value: {error}")
        if isinstance(gold, Failure):
            return self.failure(FailureKind.MISSING_EXPECTED, f"expected value: {gold.message}")
        return gold

    def evidence(
        self, case: Case, expected: Sequence[Box | Point], predicted: Sequence[Box | Point], note: str
    ) -> Image | None:
        """A drawing of both sides, if wanted and if the case has the picture."""
        if not self.overlay or len(case.images) <= self.picture:
            return None
        return Overlay(case.images[self.picture], expected, predicted, note).image()

    def located(
        self, locate: Callable[..., Located[Place] | Failure], case: Case, output: Any
    ) -> Located[Place] | Failure:
        """The places of the answer, read by ``locate``, in pixels of the original."""
        size = self._size(case)
        if isinstance(size, Failure):
            return size
        try:
            convention = self._convention(case, output)
            located = locate(output, convention, size, seen_size=self.seen_size)
        except UsageError as error:
            return self.failure(FailureKind.EVALUATOR_ERROR, str(error))
        return self.failure(located.kind, located.message) if isinstance(located, Failure) else located

    def _convention(self, case: Case, output: Any) -> str | Convention:
        if self.convention != "auto":
            return self.convention
        if _is_placed(output):
            return "pixels"
        model = case.metadata.get(MODEL_KEY)
        known = convention_for(str(model)) if model else None
        if known is None:
            who = f"model {model!r}" if model else "this case (its metadata name no model)"
            raise UsageError(
                f"no coordinate convention is known for {who}; give convention='pixels' or another"
            )
        return known

    def _size(self, case: Case) -> Size | Failure | None:
        if len(case.images) <= self.picture:
            return None
        try:
            return case.images[self.picture].size
        except ImageError as error:
            return self.failure(FailureKind.BAD_IMAGE, str(error))


def _is_placed(output: Any) -> bool:
    if isinstance(output, list | tuple) and output:
        return all(isinstance(item, Box | Point) for item in output)
    return isinstance(output, Box | Point)
