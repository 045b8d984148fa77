"""Variance components: how much answers to one sample vary, apart from how much samples differ."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import ArrayLike

    from vlmops.statistics.resampling import Clusters


@dataclass(frozen=True, slots=True)
class VarianceComponents:
    """Where the spread of a repeated measurement comes from.

    Attributes:
        within: Variance between repetitions of one sample: what asking again changes.
        between: Variance between samples' own means: what other samples would change. Zero where the
            repetitions explain all.
        samples: How many samples there are.
        values: How many values there are.

    Example:
        >>> components = VarianceComponents(within=0.02, between=0.06, samples=10, values=30)
        >>> round(components.repetition_share, 2), round(components.repetition_error, 4)
        (0.25, 0.0258)
    """

    within: float
    between: float
    samples: int
    values: int

    @property
    def repetition_share(self) -> float:
        """Part of a single value's variance that is due to repetition, 0 to 1; NaN without any variance."""
        total = self.within + self.between
        return self.within / total if total else math.nan

    @property
    def repetition_error(self) -> float:
        """Standard error of the mean from repetition alone: how far off the same run, done again, is."""
        return math.sqrt(self.within / self.values)


def variance_components(
    values: ArrayLike, samples: Sequence[Hashable] | Clusters
) -> VarianceComponents | None:
    """Components of a one-way random-effects analysis of variance; sizes of groups may differ.

    Definition: S. R. Searle, G. Casella and C. E. McCulloch, *Variance Components* (1992), section 3.6. With
    equal numbers of repetitions it is the REML estimate of a mixed model.

    Args:
        values: One per answer.
        samples: The sample of each.

    Returns:
        The components; ``None`` with fewer than two samples, or where no sample has two values.

    Example:
        >>> found = variance_components([1.0, 3.0, 5.0, 7.0, 9.0, 11.0], ["a", "a", "b", "b", "c", "c"])
        >>> found.within, found.between
        (2.0, 15.0)
    """
    import numpy as np

    from vlmops.statistics.resampling import Clusters

    rows = np.asarray(values, dtype=float)
    groups = Clusters.of(len(rows), samples)
    if groups.count < 2 or groups.single:
        return None
    sizes = np.bincount(groups.of_row)
    means = groups.sums(rows) / sizes
    within = float(((rows - means[groups.of_row]) ** 2).sum()) / (len(rows) - groups.count)
    mean_square = float((sizes * (means - rows.mean()) ** 2).sum()) / (groups.count - 1)
    per_group = (len(rows) - float((sizes**2).sum()) / len(rows)) / (groups.count - 1)
    return VarianceComponents(within, max(0.0, (mean_square - within) / per_group), groups.count, len(rows))
