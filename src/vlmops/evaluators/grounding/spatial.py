"""Evaluators of spatial relations: said in words, or implied by predicted boxes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from vlmops.errors import UsageError
from vlmops.evaluators.bases import ComparisonEvaluator
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.grounding.places import PlaceEvaluator
from vlmops.evaluators.grounding.relations import (
    TOLERANCE,
    relation_holds,
    relation_named,
    relations_mentioned,
)
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Score
from vlmops.geometry import gold_boxes, locate_boxes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vlmops.evaluators.case import Case
    from vlmops.evaluators.evaluator import Result
    from vlmops.geometry import Box


@register("spatial_relation")
@dataclass(frozen=True, kw_only=True)
class SpatialRelation(ComparisonEvaluator):
    """Whether the one relation that an answer names is the expected one, or is true of the expected boxes.

    The expected value is a relation in words (``"left of"``), or an object with boxes it is to be true of:
    ``{"subject": [x1, y1, x2, y2], "object": [...], "than": [...]}``. An answer that names no relation, or
    several, is unparsable. Words count as the same by ``SYNONYMS``.

    Attributes:
        tolerance: See :func:`relation_holds`.

    Example:
        >>> boxes = {"subject": [0, 0, 10, 10], "object": [20, 0, 30, 10]}
        >>> SpatialRelation().compare("The cup is to the left of the plate.", boxes).value
        True
    """

    default_name: ClassVar[str] = "spatial_relation"

    tolerance: float = TOLERANCE

    def compare(self, output: Any, expected: Any) -> Result:
        """Score the relation that the answer names."""
        said = relations_mentioned(str(output))
        if len(said) != 1:
            named = ", ".join(said) if said else "none"
            return self.failure(FailureKind.UNPARSABLE, f"one relation is needed, the answer names {named}")
        try:
            if isinstance(expected, Mapping):
                value, note = self._true_of(said[0], expected)
            else:
                wanted = relation_named(str(expected))
                value, note = said[0] == wanted, f"said {said[0]!r}, expected {wanted!r}"
        except UsageError as error:
            return self.failure(FailureKind.MISSING_EXPECTED, str(error))
        return Score(self.name, value, explanation=note)

    def _true_of(self, relation: str, expected: Mapping[str, Any]) -> tuple[bool, str]:
        missing = {"subject", "object"} - set(expected)
        if missing:
            raise UsageError(f"expected value: no {' and no '.join(sorted(missing))} box in it")
        subject, other = gold_boxes(expected["subject"])[0], gold_boxes(expected["object"])[0]
        than = gold_boxes(expected["than"])[0] if "than" in expected else None
        value = relation_holds(subject, relation, other, than, tolerance=self.tolerance)
        return value, f"{relation!r} is {'true' if value else 'false'} of the expected boxes"


@register("spatial_layout")
@dataclass(frozen=True, kw_only=True)
class SpatialLayout(PlaceEvaluator):
    """Share of expected relations that are true of the predicted boxes.

    The expected value is a list of ``{"subject": "cup", "relation": "left of", "object": "plate"}`` (with
    ``"than"`` for nearer and farther). Boxes are found by their label, the first of equals; a relation is
    not fulfilled when one of its things is missing in the answer.

    Attributes:
        tolerance: See :func:`relation_holds`.

    Example:
        >>> answer = {"cup": [0, 0, 10, 10], "plate": [20, 0, 30, 10]}
        >>> wanted = [{"subject": "cup", "relation": "left of", "object": "plate"}]
        >>> SpatialLayout(convention="pixels").compare(answer, wanted).value
        1.0
    """

    default_name: ClassVar[str] = "spatial_layout"

    tolerance: float = TOLERANCE

    def judge(self, case: Case, output: Any, expected: Any) -> Result:
        """Score the layout of an answer."""
        located = self.located(locate_boxes, case, output)
        if isinstance(located, Failure):
            return located
        wanted = expected if isinstance(expected, list | tuple) else [expected]
        try:
            outcomes = [self._fulfilled(relation, located.places) for relation in wanted]
        except (UsageError, KeyError, TypeError) as error:
            return self.failure(
                FailureKind.MISSING_EXPECTED,
                f"expected value: needs a list of {{subject, relation, object}}: {error}",
            )
        if not outcomes:
            return self.failure(FailureKind.MISSING_EXPECTED, "expected value: no relation in it")
        broken = [name for name, fulfilled in outcomes if not fulfilled]
        note = f"{len(outcomes) - len(broken)} of {len(outcomes)} relations hold"
        return Score(
            self.name,
            1 - len(broken) / len(outcomes),
            explanation=note + (f"; not: {'; '.join(broken[:3])}" if broken else ""),
            metadata={"relations": dict(outcomes), "located": located.to_json()},
            evidence=self.evidence(case, (), located.places, f"{self.name}: {note}"),
        )

    def _fulfilled(self, wanted: Mapping[str, Any], boxes: Sequence[Box]) -> tuple[str, bool]:
        by_label = {box.label.strip().casefold(): box for box in reversed(boxes)}
        words = [str(wanted[key]) for key in ("subject", "relation", "object")]
        words += ["than", str(wanted["than"])] if "than" in wanted else []
        relation = relation_named(words[1])
        subject, other = (by_label.get(str(wanted[key]).strip().casefold()) for key in ("subject", "object"))
        than = by_label.get(str(wanted["than"]).strip().casefold()) if "than" in wanted else None
        if subject is None or other is None or ("than" in wanted and than is None):
            return " ".join(words), False
        return " ".join(words), relation_holds(subject, relation, other, than, tolerance=self.tolerance)
