"""What came of a specification that was run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vlmops.engine import Tally
    from vlmops.experiments.comparison import Comparison
    from vlmops.experiments.estimate_drift import Drift
    from vlmops.experiments.experiment import ExperimentResult
    from vlmops.gate.result import GateResult
    from vlmops.platforms.outcome import PushReport


@dataclass(frozen=True, slots=True)
class SpecificationResult:
    """Every variant's results on every platform.

    Attributes:
        results: By the platform's name (with its place, where two have the same), in the variants' order.
        tally: What was asked of models, kept and spent.
        comparison: The variants side by side, the first as the baseline; ``None`` where there is one only.
        gate: Whether the last variant keeps the gate's rules; ``None`` where there are none, or where it
            cannot be said: the run was stopped, or the platform that has the baseline broke down.
        drifts: What answers took beside what was estimated for them, by the variant's name; of models that
            have a card.
        pushed: What became of the dataset on each platform; ``None`` where it was there already, by name.
        lost: Platforms that broke down, by the names of :attr:`results`, and why. The others have all of it;
            run again, what these lack is made up from answers that are kept.
        stopped: Why the run ended before every sample was answered; empty otherwise. Run again, it goes on.
    """

    results: Mapping[str, Sequence[ExperimentResult]]
    tally: Tally
    comparison: Comparison | None = None
    gate: GateResult | None = None
    drifts: Mapping[str, Sequence[Drift]] = field(default_factory=dict)
    stopped: str = ""
    pushed: PushReport | None = None
    lost: Mapping[str, str] = field(default_factory=dict)

    @property
    def variants(self) -> Sequence[ExperimentResult]:
        """Each variant once, from the first platform that has them."""
        return next((found for name, found in self.results.items() if name not in self.lost), [])
