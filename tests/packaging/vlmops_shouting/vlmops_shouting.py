"""An evaluator that comes in a package of its own: the smallest that there can be."""

from __future__ import annotations

from dataclasses import dataclass

from vlmops.evaluators import Case, Score


@dataclass(frozen=True, kw_only=True)
class Shouting:
    """Whether the answer is all capitals.

    Attributes:
        name: Name of the score.
    """

    name: str = "shouting"

    def evaluate(self, case: Case) -> Score:
        """Score one case."""
        return Score(self.name, str(case.output).isupper(), f"{case.output!r} was looked at")
