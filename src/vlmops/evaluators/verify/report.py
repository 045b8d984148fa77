"""The outcome of verifying vectors, and its plain-text report."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vlmops.evaluators.verify.comparison import Raised, compare, outcome
from vlmops.evaluators.verify.tables import Adapter, adapters, not_offered, tolerances, unavailable
from vlmops.evaluators.verify.vector import Vector, read_vectors

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_SHOWN_LENGTH = 400


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one vector.

    Attributes:
        vector: The vector.
        problem: How our value differs; empty if it agrees or the metric is not offered.
        absence: Why the metric is deliberately not offered; empty if it is.
    """

    vector: Vector
    problem: str = ""
    absence: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Outcomes of many vectors, in their order."""

    outcomes: tuple[Outcome, ...] = field(default_factory=tuple)

    @property
    def failures(self) -> tuple[Outcome, ...]:
        """Outcomes that differ from the reference."""
        return tuple(found for found in self.outcomes if found.problem)

    def lines(self) -> Iterator[str]:
        """One line per failing vector, one per metric, and the total."""
        for found in self.failures:
            yield f"FAIL {found.vector.id} ({found.vector.metric}): {found.problem}"
        offered = [found for found in self.outcomes if not found.absence]
        total = Counter(found.vector.metric for found in offered)
        wrong = Counter(found.vector.metric for found in self.failures)
        absences = {found.vector.metric: found.absence for found in self.outcomes if found.absence}
        for metric in sorted({*total, *absences}):
            if metric in absences:
                yield f"{metric}: not offered: {absences[metric]}"
            else:
                yield f"{metric}: {total[metric] - wrong[metric]} of {total[metric]} agree"
        skipped = len(self.outcomes) - len(offered)
        rest = f", {skipped} of metrics not offered" if skipped else ""
        yield f"total: {len(offered) - len(self.failures)} of {len(offered)} vectors agree{rest}"


def verify_files(paths: Iterable[Path]) -> Report:
    """Verify the vectors of several files.

    Raises:
        VectorsError: A file cannot be read; nothing is verified then.
    """
    return verify([vector for path in paths for vector in read_vectors(path)])


def verify(
    vectors: Iterable[Vector],
    *,
    metrics: Mapping[str, Adapter] | None = None,
    absent: Mapping[str, str] | None = None,
) -> Report:
    """Compute each vector's metric and compare; an unknown metric is a failure.

    Args:
        vectors: What to verify.
        metrics: Adapters by metric; those of all use cases by default.
        absent: Reasons by metric that is deliberately not offered.

    Example:
        >>> vector = Vector("one", "cer", {"reference": "ab", "hypothesis": "ac"}, {"cer": 0.5})
        >>> list(verify([vector]).lines())
        ['cer: 1 of 1 agree', 'total: 1 of 1 vectors agree']
    """
    metrics = adapters() if metrics is None else metrics
    absent = not_offered() if absent is None else absent
    return Report(tuple(_outcome(vector, metrics, absent) for vector in vectors))


def _outcome(vector: Vector, metrics: Mapping[str, Adapter], absent: Mapping[str, str]) -> Outcome:
    if vector.metric in absent:
        return Outcome(vector, absence=absent[vector.metric])
    if vector.metric not in metrics:
        broken = "".join(f"; {name} cannot be imported: {why}" for name, why in unavailable().items())
        return Outcome(vector, problem=f"the metric {vector.metric!r} is unknown{broken}")
    got: Any = outcome(metrics[vector.metric], vector)
    tolerance = tolerances().get(vector.metric) if vector.tolerance is None else vector.tolerance
    mismatch = compare(got, vector.expected, tolerance=tolerance)
    if mismatch is None:
        return Outcome(vector)
    if isinstance(got, Raised):
        return Outcome(vector, problem=f"expected {vector.expected!r}, but it raised {got.message}")
    return Outcome(vector, problem=_shortened(str(mismatch)))


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN_LENGTH else text[: _SHOWN_LENGTH - 1] + "…"
