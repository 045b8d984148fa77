"""Evaluators of numbers and amounts: whether an answer is right, or near enough."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from vlmops.errors import EvaluatorError
from vlmops.evaluators.bases import ComparisonEvaluator
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.quantities.benchmark_counts import (
    countbench_count,
    fsc147_count,
    ocrbench_v2_count,
    pixmo_count,
)
from vlmops.evaluators.quantities.error_evaluators import QuantityReader
from vlmops.evaluators.quantities.relaxed import chartqa_relaxed_match, relaxed_match
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Score, SetScore
from vlmops.evaluators.text import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vlmops.evaluators.case import Case
    from vlmops.evaluators.quantities.numerals import DecimalMark

Benchmark = Literal["countbench", "fsc147", "ocrbench_v2", "pixmo"]
"""Benchmarks whose way of scoring counts can be had."""

_ROUNDING = 1e-9
_SHOWN_LENGTH = 40


@register("relaxed_accuracy")
@dataclass(frozen=True, kw_only=True)
class RelaxedAccuracy(ComparisonEvaluator):
    """Whether a number is within 5 % of the right one, or a text equal to it (ChartQA).

    Attributes:
        tolerance: Greatest relative error, inclusive.
        mode: ``"clean"`` reads units, currencies, thousands marks and sentences (:func:`relaxed_match`);
            ``"chartqa"`` is the reference code with its quirks (:func:`chartqa_relaxed_match`), for figures
            to compare with published ones.
        decimal_mark: The decimal sign to assume where a figure could be read in two ways; only in clean mode.

    Example:
        >>> from vlmops.evaluators import Case
        >>> case = Case(output="1,020", expected="1000")
        >>> RelaxedAccuracy().evaluate(case).value, RelaxedAccuracy(mode="chartqa").evaluate(case).value
        (True, False)
    """

    default_name: ClassVar[str] = "relaxed_accuracy"

    tolerance: float = 0.05
    mode: Literal["clean", "chartqa"] = "clean"
    decimal_mark: DecimalMark | None = "."

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mode not in ("clean", "chartqa"):
            raise EvaluatorError(f"mode is 'clean' or 'chartqa', not {self.mode!r}")

    def compare(self, output: Any, expected: Any) -> Score | Failure:
        """Score one answer; several expected answers in a list are alternatives."""
        targets = expected if isinstance(expected, list | tuple) else [expected]
        found = [self._match(output, target) for target in targets]
        if not found:
            return self.failure(FailureKind.MISSING_EXPECTED, "the expected value is an empty list")
        if any(match is True for match in found):
            return Score(self.name, True, f"{_shown(output)} matches")
        failure = next((match for match in found if isinstance(match, Failure)), None)
        if failure is not None:
            return self.failure(failure.kind, failure.message)
        wanted = " or ".join(_shown(target) for target in targets)
        return Score(self.name, False, f"{_shown(output)} instead of {wanted}")

    def _match(self, output: Any, target: Any) -> bool | Failure:
        if self.mode == "chartqa":
            return chartqa_relaxed_match(str(output), str(target), tolerance=self.tolerance)
        return relaxed_match(output, target, tolerance=self.tolerance, decimal_mark=self.decimal_mark)


@register("within_tolerance")
@dataclass(frozen=True, kw_only=True)
class WithinTolerance(QuantityReader):
    """Whether a number lies in a band around the right one; without a band, whether it is right.

    The expected value may be a range ("3-5"): its ends then are the right numbers.

    Attributes:
        decimal_mark: The decimal sign to assume where a figure could be read in two ways ("1,200"); ``None``
            makes such a figure a failure.
        strategy: Name of a benchmark's way to take the number out of the output; ``None`` reads it without
            guessing.
        absolute: Half width of the band in the unit of the expected number.
        relative: Half width of the band as a share of the expected number; the wider of the two holds.

    Example:
        >>> from vlmops.evaluators import Case
        >>> WithinTolerance(absolute=1).evaluate(Case(output="13 bolts", expected=12)).value
        True
        >>> WithinTolerance(relative=0.05).evaluate(Case(output="13 bolts", expected=12)).explanation
        '13 is above 12 by 1; allowed: 0.6'
    """

    default_name: ClassVar[str] = "within_tolerance"

    absolute: float = 0.0
    relative: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.absolute < 0 or self.relative < 0:
            raise EvaluatorError("a tolerance must not be negative")

    def compare(self, output: Any, expected: Any) -> Score | Failure:
        """Score one answer."""
        pair = self.read(output, expected)
        if isinstance(pair, Failure):
            return pair
        number, wanted = pair
        if number.is_range:
            return self.failure(FailureKind.UNPARSABLE, f"{number} is a range, not one number")
        nearest = min(max(number.low, wanted.low), wanted.high)
        distance = abs(number.low - nearest)
        allowed = max(self.absolute, self.relative * abs(nearest))
        right = distance <= allowed + _ROUNDING * max(1.0, abs(nearest))
        side = "above" if number.low > nearest else "below"
        verdict = f"{number.low:.12g} is {side} {nearest:.12g} by {distance:.6g}; allowed: {allowed:.6g}"
        if distance == 0:
            verdict = f"{number}, as expected"
        detail = {"predicted": number.low, "expected": [wanted.low, wanted.high], "allowed": allowed}
        return Score(self.name, right, verdict, metadata=detail)


@register("currency_match")
@dataclass(frozen=True, kw_only=True)
class CurrencyMatch(QuantityReader):
    """Whether an amount is in the right currency; a bare dollar sign fits every dollar.

    Attributes:
        decimal_mark: The decimal sign to assume where a figure could be read in two ways ("1,200"); ``None``
            makes such a figure a failure.
        strategy: Not used: benchmarks' ways to take a number out of a text drop the currency.

    Example:
        >>> from vlmops.evaluators import Case
        >>> CurrencyMatch().evaluate(Case(output="12.50 euros", expected="EUR 12.50")).value
        True
        >>> CurrencyMatch().evaluate(Case(output="12.50", expected="EUR 12.50")).explanation
        'no currency instead of EUR'
    """

    default_name: ClassVar[str] = "currency_match"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.strategy is not None:
            raise EvaluatorError("currency_match takes no strategy: they drop the currency")

    def compare(self, output: Any, expected: Any) -> Score | Failure:
        """Score one answer."""
        from vlmops.evaluators.quantities.quantity import read_quantity

        wanted = read_quantity(expected, decimal_mark=self.decimal_mark)
        if isinstance(wanted, Failure) or not wanted.currency:
            return self.failure(
                FailureKind.MISSING_EXPECTED,
                f"no currency in the expected {_shown(expected)}",
            )
        amount = read_quantity(output, decimal_mark=self.decimal_mark)
        if isinstance(amount, Failure):
            return self.failure(amount.kind, amount.message)
        right = bool(amount.currency & wanted.currency)
        names = ["/".join(sorted(side.currency)) or "no currency" for side in (amount, wanted)]
        verdict = f"{names[1]}, as expected" if right else f"{names[0]} instead of {names[1]}"
        return Score(self.name, right, verdict)


@register("benchmark_count")
@dataclass(frozen=True, kw_only=True)
class BenchmarkCount(ComparisonEvaluator):
    """A count scored exactly as a published benchmark scores it, 0 to 1, quirks included.

    With ``"fsc147"`` a set gives ``<name>.exact`` and ``<name>.mae``: there an answer without figures is
    charged the whole target as its error, and how many were is said in the explanation and in
    ``metadata["unparsable"]``.

    Attributes:
        benchmark: Whose rules.

    Example:
        >>> from vlmops.evaluators import Case
        >>> BenchmarkCount(benchmark="ocrbench_v2").evaluate(Case(output="about 12", expected=10)).value
        0.8
    """

    default_name: ClassVar[str] = "benchmark_count"

    benchmark: Benchmark = "fsc147"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.benchmark not in ("countbench", "fsc147", "ocrbench_v2", "pixmo"):
            raise EvaluatorError(f"no counting benchmark is named {self.benchmark!r}")

    def compare(self, output: Any, expected: Any) -> Score | Failure:
        """Score one answer."""
        text, target = str(output), expected
        if self.benchmark == "fsc147":
            outcome = fsc147_count(text, target)
            detail = {"error": outcome.error, "parsed": outcome.parsed}
            return Score(self.name, float(outcome.exact), f"off by {outcome.error:g}", metadata=detail)
        if self.benchmark == "ocrbench_v2":
            answers = target if isinstance(target, list | tuple) else [target]
            value = ocrbench_v2_count(text, answers)
        else:
            match = countbench_count if self.benchmark == "countbench" else pixmo_count
            value = float(match(text, str(target)))
        return Score(
            self.name,
            value,
            f"{_shown(output)}; expected {_shown(target)} ({self.benchmark})",
        )

    def evaluate_set(self, cases: Sequence[Case]) -> list[SetScore] | Failure:
        """Exact matches (or mean score) over all cases, and the MAE for FSC-147."""
        from vlmops.statistics import mean_interval

        read = self.read_pairs(cases, self.compare)
        if isinstance(read, Failure):
            return read
        scores, n, failures = read.values, read.n, read.failures
        values = [float(score.value) for score in scores]
        exact = SetScore(
            self.part("exact") if self.benchmark == "fsc147" else self.name,
            math.fsum(values) / n,
            n=n,
            failures=failures,
            interval=mean_interval(values, clusters=read.clusters),
            explanation=f"{n} counts ({self.benchmark})",
        )
        if self.benchmark != "fsc147":
            return [exact]
        errors = [float(score.metadata["error"]) for score in scores]
        unparsable = sum(not score.metadata["parsed"] for score in scores)
        mae = SetScore(
            self.part("mae"),
            math.fsum(errors) / n,
            n=n,
            failures=failures,
            interval=mean_interval(errors, clusters=read.clusters),
            explanation=f"{n} counts, {unparsable} without figures charged their whole target",
            direction="minimize",
            range=(0.0, math.inf),
            metadata={"unparsable": unparsable},
        )
        return [exact, mae]


def _shown(value: Any) -> str:
    return shown(str(value), _SHOWN_LENGTH)
