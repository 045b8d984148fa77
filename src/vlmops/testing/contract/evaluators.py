"""Evaluators that platforms are apt to treat badly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vlmops.evaluators import (
    Case,
    Failure,
    FailureKind,
    Score,
    SetScore,
)
from vlmops.models import ModelReply, ModelRequest, ask

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, kw_only=True)
class TwoScores:
    """An evaluator with two scores, for which a platform that keeps only the first would fail."""

    name: str = "two"

    def evaluate(self, case: Case) -> list[Score]:
        """Length of the answer, and whether there is a picture to look at."""
        seen = bool(case.images) and case.images[0].width > 0
        return [Score("two.length", float(len(str(case.output))), range=None), Score("two.seen", seen)]


HALF = "\ud83d"
"""The first half of a character, as models leave it that break off within one."""

WHOLE = "\ufffd"
"""What stands for it."""


class BreaksOff:
    """A model whose every word ends within a character."""

    name = "breaks off"

    async def answer(self, request: ModelRequest) -> ModelReply:
        """Half an answer."""
        return ModelReply({"text": f"cut {HALF}", HALF: [1]}, f"cut {HALF}", model="breaks off")


@dataclass(frozen=True, kw_only=True)
class HalfSaid:
    """A judge that breaks off within a character, in each of its words."""

    name: str = "half_said"

    async def evaluate(self, case: Case) -> list[Score]:
        """A label and a yes, and why."""
        reply = await ask(BreaksOff(), ModelRequest(f"How is this? {HALF}"))
        why, metadata = f"because {HALF}", {"said": [reply.text if isinstance(reply, ModelReply) else ""]}
        return [
            Score("half_said.mood", f"smiling {HALF}", why, "none", None, metadata),
            Score("half_said.polite", True, why, metadata=metadata),
        ]

    def evaluate_set(self, cases: Sequence[Case]) -> SetScore:
        """One of all answers."""
        return SetScore("half_said.all", 1.0, len(cases), explanation=f"each {HALF}", metadata={HALF: HALF})


@dataclass(frozen=True, kw_only=True)
class HalfFailed:
    """An evaluator that fails over words that break off."""

    name: str = "half_failed"

    def evaluate(self, case: Case) -> Failure:
        """Say why."""
        return Failure(FailureKind.UNPARSABLE, f"no verdict in {HALF}", self.name)


@dataclass(frozen=True, kw_only=True)
class Broken:
    """An evaluator with a bug."""

    name: str = "broken"

    def evaluate(self, case: Case) -> Score:
        """Raise."""
        raise RuntimeError(f"a bug met {case.id}")
