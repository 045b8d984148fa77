"""Which answers of two experiments belong together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vlmops.errors import UsageError
from vlmops.statistics.resampling import Clusters

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import numpy as np

    from vlmops.platforms.records import ExperimentRecord, Run

    Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Answers of a baseline and a candidate to the same samples, repetition by repetition.

    Attributes:
        baseline: The baseline's runs.
        candidate: The candidate's, in the same order.
        rows: Where both stand in their experiments: an array of positions for the baseline, one for the
            candidate.
        clusters: Which pairs are of the same pictures.
        only_baseline: The baseline's runs without a partner.
        only_candidate: The candidate's.
        changed: How many of these have a partner with other pictures: the sample was changed in between.
    """

    baseline: Sequence[Run]
    candidate: Sequence[Run]
    rows: tuple[Array, Array]
    clusters: Clusters
    only_baseline: Sequence[Run]
    only_candidate: Sequence[Run]
    changed: int


def paired_runs(
    baseline: ExperimentRecord,
    candidate: ExperimentRecord,
    pictures: tuple[Sequence[Hashable], Sequence[Hashable]],
) -> Pairs:
    """Pair by sample id and repetition; a sample whose pictures have changed since is another one.

    Args:
        baseline: One experiment.
        candidate: The other.
        pictures: The key of each one's pictures, run by run, as ``picture_clusters`` gives them.

    Raises:
        UsageError: Two runs of one experiment have the same sample and repetition.
    """
    import numpy as np

    before, after = _by_sample(baseline), _by_sample(candidate)
    shared = [(row, after[key]) for key, row in before.items() if key in after]
    together = [
        (ours, theirs) for ours, theirs in shared if not _differ(pictures[0][ours], pictures[1][theirs])
    ]
    rows = np.array(together, dtype=np.intp).reshape(-1, 2)
    paired = [{ours for ours, _ in together}, {theirs for _, theirs in together}]
    return Pairs(
        [baseline.runs[ours] for ours, _ in together],
        [candidate.runs[theirs] for _, theirs in together],
        (rows[:, 0], rows[:, 1]),
        Clusters.of(len(together), [pictures[0][ours] for ours, _ in together]),
        [run for row, run in enumerate(baseline.runs) if row not in paired[0]],
        [run for row, run in enumerate(candidate.runs) if row not in paired[1]],
        len(shared) - len(together),
    )


def _by_sample(record: ExperimentRecord) -> dict[tuple[str, int], int]:
    """Where the run of each sample and repetition stands."""
    rows: dict[tuple[str, int], int] = {}
    for row, run in enumerate(record.runs):
        key = (run.case.id, run.repetition)
        if key in rows:
            raise UsageError(
                f"experiment {record.name!r} has two runs of sample {run.case.id!r}, repetition "
                f"{run.repetition}: answers are paired by sample id and repetition, which must be unique"
            )
        rows[key] = row
    return rows


def _differ(before: Hashable, after: Hashable) -> bool:
    """Whether two readable sets of pictures differ; what cannot be read is taken to be the same."""
    return isinstance(before, frozenset) and isinstance(after, frozenset) and before != after
