"""Which answers of two experiments belong together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vlmops.errors import UsageError
from vlmops.evaluators import picture_clusters

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from vlmops.platforms.records import ExperimentRecord, Run


@dataclass(frozen=True, slots=True)
class Pairs:
    """Answers of a baseline and a candidate to the same samples, repetition by repetition.

    Attributes:
        baseline: The baseline's runs.
        candidate: The candidate's, in the same order.
        clusters: One key a pair, equal for the same pictures.
        only_baseline: The baseline's runs without a partner.
        only_candidate: The candidate's.
        changed: How many of these have a partner with other pictures: the sample was changed in between.
    """

    baseline: Sequence[Run]
    candidate: Sequence[Run]
    clusters: Sequence[Hashable]
    only_baseline: Sequence[Run]
    only_candidate: Sequence[Run]
    changed: int


def paired_runs(baseline: ExperimentRecord, candidate: ExperimentRecord) -> Pairs:
    """Pair by sample id and repetition; a sample whose pictures have changed since is another one.

    Raises:
        UsageError: Two runs of one experiment have the same sample and repetition.
    """
    before, after = _by_sample(baseline), _by_sample(candidate)
    keys_before = _cluster_keys(before)
    keys_after = _cluster_keys(after)
    shared = [key for key in before if key in after]
    changed = {key for key in shared if _differ(keys_before[key], keys_after[key])}
    together = [key for key in shared if key not in changed]
    paired = set(together)
    return Pairs(
        [before[key] for key in together],
        [after[key] for key in together],
        [keys_before[key] for key in together],
        [run for key, run in before.items() if key not in paired],
        [run for key, run in after.items() if key not in paired],
        len(changed),
    )


def _by_sample(record: ExperimentRecord) -> dict[tuple[str, int], Run]:
    runs: dict[tuple[str, int], Run] = {}
    for run in record.runs:
        key = (run.case.id, run.repetition)
        if key in runs:
            raise UsageError(
                f"experiment {record.name!r} has two runs of sample {run.case.id!r}, repetition "
                f"{run.repetition}: answers are paired by sample id and repetition, which must be unique"
            )
        runs[key] = run
    return runs


def _cluster_keys(runs: dict[tuple[str, int], Run]) -> dict[tuple[str, int], Hashable]:
    return dict(zip(runs, picture_clusters([run.case for run in runs.values()]), strict=True))


def _differ(before: Hashable, after: Hashable) -> bool:
    """Whether two readable sets of pictures differ; what cannot be read is taken to be the same."""
    return isinstance(before, frozenset) and isinstance(after, frozenset) and before != after
