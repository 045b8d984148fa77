"""Evaluators of numbers: how far an answer is from the right number."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from vlmops.errors import EvaluatorError
from vlmops.evaluators.bases import ComparisonEvaluator
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.quantities import numeric_error
from vlmops.evaluators.quantities.benchmark_counts import NUMBER_STRATEGIES
from vlmops.evaluators.quantities.quantity import Quantity, read_quantity
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Direction, Interval, Score, SetScore
from vlmops.evaluators.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vlmops.evaluators.bases import Readings
    from vlmops.evaluators.case import Case
    from vlmops.evaluators.quantities.numerals import DecimalMark

_RELAXED_TOLERANCE = 0.05
_ROUNDING = 1e-9


def _relaxed_accuracy(numbers: Any, wanted: Any) -> float:
    import numpy as np

    return float((np.abs(numbers - wanted) <= (_RELAXED_TOLERANCE + _ROUNDING) * np.abs(wanted)).mean())


_MEASURES: dict[str, Callable[[Any, Any], float]] = {
    "mae": numeric_error.mean_absolute_error,
    "rmse": numeric_error.root_mean_squared_error,
    "median_ae": numeric_error.median_absolute_error,
    "mape": numeric_error.mean_absolute_percentage_error,
    "r2": numeric_error.r2,
    "relaxed_accuracy": _relaxed_accuracy,
}


@dataclass(frozen=True, kw_only=True)
class QuantityReader(ComparisonEvaluator):
    """Base of evaluators that read one number out of the output and out of the expected value.

    Attributes:
        decimal_mark: The decimal sign to assume where a figure could be read in two ways ("1,200"); ``None``
            makes such a figure a failure.
        strategy: Name of a benchmark's way to take the number out of the output (see ``NUMBER_STRATEGIES``);
            ``None`` reads it without guessing.
    """

    decimal_mark: DecimalMark | None = "."
    strategy: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.strategy is not None and self.strategy not in NUMBER_STRATEGIES:
            known = ", ".join(NUMBER_STRATEGIES)
            raise EvaluatorError(f"no strategy is named {self.strategy!r}; there are: {known}")

    def read(self, output: Any, expected: Any) -> tuple[Quantity, Quantity] | Failure:
        """Predicted and right quantity, in one unit, or the failure that says why there is none."""
        wanted = read_quantity(expected, decimal_mark=self.decimal_mark)
        if isinstance(wanted, Failure):
            return self.failure(FailureKind.MISSING_EXPECTED, f"expected value: {wanted.message}")
        number = self._read_output(output)
        if isinstance(number, Failure):
            return number
        converted = number.in_unit_of(wanted)
        if converted is None:
            return self.failure(FailureKind.UNPARSABLE, f"{number} cannot be compared with {wanted}")
        return converted, wanted

    def read_numbers(self, output: Any, expected: Any) -> tuple[float, float] | Failure:
        """Predicted and right number; a range on either side is a failure."""
        pair = self.read(output, expected)
        if isinstance(pair, Failure):
            return pair
        number, wanted = pair
        if wanted.is_range:
            return self.failure(
                FailureKind.MISSING_EXPECTED, f"expected value: {wanted} is a range, not one number"
            )
        if number.is_range:
            return self.failure(FailureKind.UNPARSABLE, f"{number} is a range, not one number")
        return number.low, wanted.low

    def _read_output(self, output: Any) -> Quantity | Failure:
        if self.strategy is None:
            found = read_quantity(output, decimal_mark=self.decimal_mark)
            return self.failure(found.kind, found.message) if isinstance(found, Failure) else found
        number = NUMBER_STRATEGIES[self.strategy](output)
        if number is None:
            return self.failure(
                FailureKind.UNPARSABLE, f"no number in {shown(str(output))} ({self.strategy})"
            )
        return Quantity(number, number)


@register("quantity_error")
@dataclass(frozen=True, kw_only=True)
class QuantityError(QuantityReader):
    """How far a number is from the right one: absolute error of a case; MAE, RMSE, R2 and more of a set.

    A set gives ``<name>.mae``, ``.rmse``, ``.median_ae``, ``.mape`` (a fraction), ``.r2`` and
    ``.relaxed_accuracy`` (share within 5 %). An answer without a number, or with several, is a failure and in
    none of them.

    Attributes:
        decimal_mark: The decimal sign to assume where a figure could be read in two ways ("1,200"); ``None``
            makes such a figure a failure.
        strategy: Name of a benchmark's way to take the number out of the output; ``None`` reads it without
            guessing.

    Example:
        >>> from vlmops.evaluators import Case
        >>> score = QuantityError().evaluate(Case(output="There are two dozen.", expected=25))
        >>> score.value, score.explanation
        (1.0, '24 instead of 25: off by 1 (4%)')
    """

    default_name: ClassVar[str] = "quantity_error"
    direction: ClassVar[Direction] = "minimize"

    def compare(self, output: Any, expected: Any) -> Score | Failure:
        """Score one answer."""
        pair = self.read_numbers(output, expected)
        if isinstance(pair, Failure):
            return pair
        number, wanted = pair
        return Score(
            self.name,
            abs(number - wanted),
            _difference(number, wanted),
            self.direction,
            range=(0.0, math.inf),
            metadata=_numbers(number, wanted),
        )

    def evaluate_set(self, cases: Sequence[Case]) -> list[SetScore] | Failure:
        """The errors over all cases with a number, each with a bootstrap interval."""
        import numpy as np

        from vlmops.statistics import reweighted_intervals

        read = self.read_pairs(cases, self.read_numbers)
        if isinstance(read, Failure):
            return read
        numbers, wanted = (np.array(side, dtype=float) for side in zip(*read.values, strict=True))
        zeros = int((wanted == 0).sum())

        def values(weights: Any) -> list[float]:
            rows = np.repeat(np.arange(read.n), weights.astype(int))
            return [measure(numbers[rows], wanted[rows]) for measure in _MEASURES.values()]

        intervals = reweighted_intervals(values, read.n, clusters=read.clusters) or [None] * len(_MEASURES)
        return [
            self._set_score(metric, value, interval, read, zeros)
            for metric, value, interval in zip(_MEASURES, values(np.ones(read.n)), intervals, strict=True)
        ]

    def _set_score(
        self,
        metric: str,
        value: float,
        interval: Interval | None,
        read: Readings[tuple[float, float]],
        zeros: int,
    ) -> SetScore:
        warning = f"; {zeros} targets are 0, which inflates this" if metric == "mape" and zeros else ""
        ranges = {"r2": (-math.inf, 1.0), "relaxed_accuracy": (0.0, 1.0)}
        return SetScore(
            self.part(metric),
            value,
            n=read.n,
            failures=read.failures,
            interval=interval,
            explanation=f"{read.n} numbers{warning}",
            direction="maximize" if metric in ranges else "minimize",
            range=ranges.get(metric, (0.0, math.inf)),
        )


@register("relative_error")
@dataclass(frozen=True, kw_only=True)
class RelativeError(QuantityReader):
    """|predicted - right| / |right|, 0 is perfect; infinite when only the right number is 0.

    Attributes:
        decimal_mark: The decimal sign to assume where a figure could be read in two ways ("1,200"); ``None``
            makes such a figure a failure.
        strategy: Name of a benchmark's way to take the number out of the output; ``None`` reads it without
            guessing.

    Example:
        >>> from vlmops.evaluators import Case
        >>> RelativeError().evaluate(Case(output="$ 9", expected=10)).value
        0.1
    """

    default_name: ClassVar[str] = "relative_error"
    direction: ClassVar[Direction] = "minimize"

    def compare(self, output: Any, expected: Any) -> Score | Failure:
        """Score one answer."""
        pair = self.read_numbers(output, expected)
        if isinstance(pair, Failure):
            return pair
        value = numeric_error.relative_error(*pair)
        return Score(
            self.name,
            value,
            _difference(*pair),
            self.direction,
            range=(0.0, math.inf),
            metadata=_numbers(*pair),
        )


@register("mean_relative_accuracy")
@dataclass(frozen=True, kw_only=True)
class MeanRelativeAccuracy(QuantityReader):
    """Share of accuracy thresholds from 50 % to 95 % that a number meets, 0 to 1 (VSI-Bench).

    Attributes:
        decimal_mark: The decimal sign to assume where a figure could be read in two ways ("1,200"); ``None``
            makes such a figure a failure.
        strategy: Name of a benchmark's way to take the number out of the output; ``"vsibench"`` for figures
            to compare with published ones, ``None`` reads it without guessing.

    Example:
        >>> from vlmops.evaluators import Case
        >>> MeanRelativeAccuracy().evaluate(Case(output="about 12 m", expected="10 m")).value
        0.6
    """

    default_name: ClassVar[str] = "mean_relative_accuracy"

    def compare(self, output: Any, expected: Any) -> Score | Failure:
        """Score one answer."""
        pair = self.read_numbers(output, expected)
        if isinstance(pair, Failure):
            return pair
        if pair[1] == 0:
            return self.failure(
                FailureKind.MISSING_EXPECTED, "a relative error needs an expected number other than 0"
            )
        value = numeric_error.mean_relative_accuracy(*pair)
        return Score(self.name, value, _difference(*pair), metadata=_numbers(*pair))


def _difference(number: float, wanted: float) -> str:
    if number == wanted:
        return f"{wanted:.12g}, as expected"
    share = f" ({abs(number - wanted) / abs(wanted):.0%})" if wanted else ""
    return f"{number:.12g} instead of {wanted:.12g}: off by {abs(number - wanted):.12g}{share}"


def _numbers(number: float, wanted: float) -> dict[str, float]:
    return {"predicted": number, "expected": wanted, "difference": number - wanted}
