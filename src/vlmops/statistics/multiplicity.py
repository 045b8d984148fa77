"""Many comparisons at once: p-values corrected for how many there are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted so that any false finding among all of them is as rare as the level says.

    Definition: S. Holm, *Scandinavian Journal of Statistics* 6 (1979). It needs no independence, and finds
    all that Bonferroni's correction finds. A p-value that is NaN is no comparison: it stays NaN, and the
    others are corrected as if it were not there.

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    adjusted = [math.nan] * len(p_values)
    known = [at for at, p_value in enumerate(p_values) if not math.isnan(p_value)]
    reached = 0.0
    for rank, at in enumerate(sorted(known, key=p_values.__getitem__)):
        reached = max(reached, min(1.0, (len(known) - rank) * p_values[at]))
        adjusted[at] = reached
    return adjusted
