"""Latency, tokens and cost of the calls behind cases, as the provider measured them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from vlmops.evaluators.operations.distribution import Measurement
from vlmops.evaluators.registry import register

if TYPE_CHECKING:
    from vlmops.evaluators.case import Case


@register("latency")
@dataclass(frozen=True, kw_only=True)
class Latency(Measurement):
    """Seconds from the request to the full answer; lower is better.

    A set gives ``latency.mean``, ``latency.p50``, ``latency.p90``, ``latency.p95`` and ``latency.p99``.

    Example:
        >>> from vlmops.evaluators import Case
        >>> cases = [Case(output="a", latency=1.0), Case(output="b", latency=3.0)]
        >>> [(score.name, score.value) for score in Latency(percentiles=(50,)).evaluate_set(cases)]
        [('latency.mean', 2.0), ('latency.p50', 2.0)]
    """

    default_name: ClassVar[str] = "latency"

    def measured(self, case: Case) -> float | None:
        """The case's latency."""
        return case.latency

    def shown(self, value: float) -> str:
        """Seconds, or milliseconds below one."""
        return f"{value:.2f} s" if value >= 1 else f"{1000 * value:.0f} ms"


@register("tokens")
@dataclass(frozen=True, kw_only=True)
class Tokens(Measurement):
    """Tokens that a call consumed; lower is cheaper.

    Attributes:
        side: ``"input"`` (pictures included), ``"output"``, or ``"total"``, which needs both. The score is
            named ``input_tokens``, ``output_tokens`` or ``tokens``.

    Example:
        >>> from vlmops.evaluators import Case, Usage
        >>> case = Case(output="a cat", usage=Usage(input_tokens=800, output_tokens=2))
        >>> Tokens().evaluate(case).explanation, Tokens(side="output").evaluate(case).name
        ('802 tokens', 'output_tokens')
    """

    default_name: ClassVar[str] = "tokens"

    side: Literal["input", "output", "total"] = "total"

    def __post_init__(self) -> None:
        if not self.name and self.side != "total":
            object.__setattr__(self, "name", f"{self.side}_tokens")
        super().__post_init__()

    def measured(self, case: Case) -> float | None:
        """The tokens of the chosen side."""
        if case.usage is None:
            return None
        sides = {"input": case.usage.input_tokens, "output": case.usage.output_tokens}
        chosen = list(sides.values()) if self.side == "total" else [sides[self.side]]
        counts = [count for count in chosen if count is not None]
        return float(sum(counts)) if len(counts) == len(chosen) else None

    def shown(self, value: float) -> str:
        """Tokens."""
        return _tokens(value)


@register("image_tokens")
@dataclass(frozen=True, kw_only=True)
class ImageTokens(Measurement):
    """Input tokens that the pictures of a call account for; lower is cheaper.

    Example:
        >>> from vlmops.evaluators import Case, Usage
        >>> ImageTokens().evaluate(Case(output="a cat", usage=Usage(image_tokens=765))).value
        765.0
    """

    default_name: ClassVar[str] = "image_tokens"

    def measured(self, case: Case) -> float | None:
        """The pictures' share of the input tokens."""
        return None if case.usage is None else case.usage.image_tokens

    def shown(self, value: float) -> str:
        """Tokens."""
        return _tokens(value)


@register("cost")
@dataclass(frozen=True, kw_only=True)
class Cost(Measurement):
    """What a call cost, in US dollars; lower is better. A set's metadata hold the total.

    Example:
        >>> from vlmops.evaluators import Case, Usage
        >>> Cost().evaluate(Case(output="a cat", usage=Usage(cost=0.0021))).explanation
        '$0.0021'
    """

    default_name: ClassVar[str] = "cost"

    def measured(self, case: Case) -> float | None:
        """The cost of the call."""
        return None if case.usage is None else case.usage.cost

    def shown(self, value: float) -> str:
        """Dollars."""
        return f"${value:,.2f}" if value >= 1 else f"${value:.4g}"


def _tokens(value: float) -> str:
    return f"{value:,.0f} tokens"
