"""Earlier runs of the same experiments, from the platform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vlmops.blocking import blocking
from vlmops.experiments.git_state import COMMIT
from vlmops.experiments.summary import summarise

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from vlmops.evaluators import Evaluator, SetScore
    from vlmops.platforms.port import Platform
    from vlmops.platforms.records import ExperimentRecord

RUNS = 8
"""How many runs of one name a history looks back to, the newest of them."""


@dataclass(frozen=True, slots=True)
class PastRun:
    """One run of an experiment, as its history shows it.

    Attributes:
        id: The platform's id.
        name: The experiment's name.
        url: Its page.
        created_at: When it was begun.
        commit: The git commit it ran at; empty when not recorded.
        dataset_version: The dataset's version it ran on: values on other versions are of other samples.
        runs: How many answers were asked for.
        failures: How many of them failed.
        scores: Its values.
    """

    id: str
    name: str
    url: str
    created_at: datetime
    commit: str
    dataset_version: str
    runs: int
    failures: int
    scores: Sequence[SetScore]


def past_runs(
    platform: Platform,
    dataset: str,
    records: Sequence[ExperimentRecord],
    evaluators: Sequence[Evaluator] = (),
    *,
    limit: int = RUNS,
) -> list[PastRun]:
    """Runs with the names of these experiments; blocking form of :func:`past_runs_async`."""
    return blocking(
        lambda: past_runs_async(platform, dataset, records, evaluators, limit=limit),
        platform,
    )


async def past_runs_async(
    platform: Platform,
    dataset: str,
    records: Sequence[ExperimentRecord],
    evaluators: Sequence[Evaluator] = (),
    *,
    limit: int = RUNS,
) -> list[PastRun]:
    """Runs on a dataset with the names of these experiments, these among them, oldest first.

    Args:
        platform: Where they are.
        dataset: The dataset's name there.
        records: The experiments whose history is asked for.
        evaluators: Those that give values of whole sets.
        limit: At most so many of one name, the newest; each is read in full.

    Raises:
        PlatformError: There is no such dataset.
    """
    known = {record.id: record for record in records}
    found: list[PastRun] = []
    for name in dict.fromkeys(record.name for record in records):
        headers = await platform.experiments.find(dataset, name=name)
        # The oldest first: platforms tell the second in which a run began, and sorting keeps this order then.
        for header in reversed(headers[:limit]):
            record = known.get(header.id) or await platform.experiments.read(header.id)
            summary = await summarise(record, evaluators)
            found.append(
                PastRun(
                    record.id,
                    name,
                    record.url,
                    header.created_at,
                    str(header.metadata.get(COMMIT) or ""),
                    record.dataset_version,
                    summary.runs,
                    sum(summary.failures.values()),
                    summary.scores,
                )
            )
    return sorted(found, key=lambda run: run.created_at)
