"""Errors of predicted numbers, as scikit-learn defines them: MAE, RMSE, median, MAPE, R2, and their like.

Predictions come first, targets second. All give NaN without numbers. Lower is better, except for R2 and mean
relative accuracy.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from vlmops.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike

    Array = np.ndarray[Any, np.dtype[Any]]

MACHINE_EPSILON = 2.0**-52


def relative_error(predicted: float, target: float) -> float:
    """|predicted - target| / |target|; 0 when both are 0, infinity when only the target is.

    Example:
        >>> relative_error(9, 10), relative_error(1, 0)
        (0.1, inf)
    """
    if target == 0:
        return 0.0 if predicted == 0 else math.inf
    return abs(predicted - target) / abs(target)


def mean_absolute_error(predicted: ArrayLike, target: ArrayLike) -> float:
    """MAE, in the unit of the numbers.

    Example:
        >>> mean_absolute_error([3, 4, 12], [3, 5, 10])
        1.0
    """
    import numpy as np

    errors = _errors(predicted, target)
    return float(np.abs(errors).mean()) if len(errors) else math.nan


def root_mean_squared_error(predicted: ArrayLike, target: ArrayLike) -> float:
    """RMSE, in the unit of the numbers; large errors weigh more than in the MAE.

    Example:
        >>> root_mean_squared_error([-1.0, 4.0], [-2.0, 4.0])
        0.7071067811865476
    """
    import numpy as np

    errors = _errors(predicted, target)
    return math.sqrt(float(np.square(errors).mean())) if len(errors) else math.nan


def median_absolute_error(predicted: ArrayLike, target: ArrayLike) -> float:
    """Median of the absolute errors, in the unit of the numbers; hardly moved by a few large errors.

    Example:
        >>> median_absolute_error([100.0, 90.0, 1400.0], [120.0, 80.5, 1500.0])
        20.0
    """
    import numpy as np

    errors = _errors(predicted, target)
    return float(np.median(np.abs(errors))) if len(errors) else math.nan


def mean_absolute_percentage_error(predicted: ArrayLike, target: ArrayLike) -> float:
    """MAPE as a fraction (0.1 is 10 %); a wrong answer to a target of 0 gives about 1e15.

    Targets count at least one machine epsilon. Show the MAE beside it where targets may be 0.

    Example:
        >>> mean_absolute_percentage_error([9.0, 110.0], [10.0, 100.0])
        0.1
    """
    import numpy as np

    errors = _errors(predicted, target)
    if not len(errors):
        return math.nan
    scale = np.maximum(np.abs(np.asarray(target, dtype=float)), MACHINE_EPSILON)
    return float((np.abs(errors) / scale).mean())


def r2(predicted: ArrayLike, target: ArrayLike) -> float:
    """Coefficient of determination: 1 is perfect, 0 is as good as the mean target, below 0 is worse.

    Returns:
        The value; NaN with fewer than two numbers. With equal targets 1 when all are right, else 0.

    Example:
        >>> r2([0, 1, 5], [0, 0, 5])
        0.94
    """
    import numpy as np

    errors = _errors(predicted, target)
    if len(errors) < 2:
        return math.nan
    truth = np.asarray(target, dtype=float)
    residual, spread = float(np.square(errors).sum()), float(np.square(truth - truth.mean()).sum())
    if spread == 0:
        return 1.0 if residual == 0 else 0.0
    return 1 - residual / spread


def mean_relative_accuracy(
    predicted: float, target: float, *, start: float = 0.5, end: float = 0.95, interval: float = 0.05
) -> float:
    """Share of accuracy thresholds t that the prediction meets: relative error <= 1 - t; 0 to 1.

    Yang et al., *Thinking in Space* (VSI-Bench, 2024), section 3.

    Args:
        predicted: The predicted number.
        target: The right one.
        start: Least threshold.
        end: Greatest threshold, inclusive.
        interval: Step between thresholds.

    Returns:
        The share; NaN for a target of 0, for which the relative error is undefined.

    Example:
        >>> mean_relative_accuracy(9, 10), mean_relative_accuracy(20, 10)
        (0.9, 0.0)
    """
    import numpy as np

    if target == 0:
        return math.nan
    # The reference's own count of points: truncation makes it 10 for the usual thresholds.
    thresholds = np.linspace(start, end, int((end - start) / interval + 2))
    return float((abs(predicted - target) / abs(target) <= 1 - thresholds).mean())


def _errors(predicted: ArrayLike, target: ArrayLike) -> Array:
    import numpy as np

    ours, theirs = np.asarray(predicted, dtype=float).ravel(), np.asarray(target, dtype=float).ravel()
    if len(ours) != len(theirs):
        raise UsageError(
            f"there are {len(ours)} predicted numbers and {len(theirs)} targets; give one per item"
        )
    errors: Array = ours - theirs
    return errors
