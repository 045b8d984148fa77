"""Evaluators that platforms are apt to treat badly."""

from __future__ import annotations

from dataclasses import dataclass

from vlmops.evaluators import (
    Case,
    Score,
)


@dataclass(frozen=True, kw_only=True)
class TwoScores:
    """An evaluator with two scores, for which a platform that keeps only the first would fail."""

    name: str = "two"

    def evaluate(self, case: Case) -> list[Score]:
        """Length of the answer, and whether there is a picture to look at."""
        seen = bool(case.images) and case.images[0].width > 0
        return [Score("two.length", float(len(str(case.output))), range=None), Score("two.seen", seen)]


@dataclass(frozen=True, kw_only=True)
class Broken:
    """An evaluator with a bug."""

    name: str = "broken"

    def evaluate(self, case: Case) -> Score:
        """Raise."""
        raise RuntimeError(f"a bug met {case.id}")
