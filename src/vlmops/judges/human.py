"""What people said on a platform of the answers of an experiment."""

from __future__ import annotations

from collections import Counter
from statistics import fmean
from typing import TYPE_CHECKING

from vlmops.errors import UsageError
from vlmops.platforms.records import ExecutionQuery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vlmops.evaluators.score import Value
    from vlmops.platforms.port import Platform
    from vlmops.platforms.records import ExperimentRecord

_TRACES_AT_ONCE = 50


async def human_labels(
    platform: Platform, record: ExperimentRecord, name: str, project: str | None = None
) -> dict[str, Value]:
    """People's verdicts of one name on an experiment's answers, by id of the sample.

    They are read from the traces of the answers (Phoenix: annotations of the kind HUMAN; Langfuse: scores of
    the source ANNOTATION). Of several people the majority counts, of numbers the mean; without a majority
    there is no verdict.

    Args:
        platform: Where it ran.
        record: The experiment.
        name: Name of the annotation or score.
        project: Project of its traces; the platform knows it when ``None``.

    Raises:
        UsageError: The answers have no traces, or nobody said anything of that name.
    """
    samples = {run.trace_id: run.case.id for run in record.runs if run.trace_id and run.repetition == 1}
    if not samples:
        raise UsageError(
            f"the experiment {record.name!r} has no traces on which people could have said anything"
        )
    said: dict[str, list[Value]] = {}
    traces = list(samples)
    for start in range(0, len(traces), _TRACES_AT_ONCE):
        query = ExecutionQuery(project, trace_ids=traces[start : start + _TRACES_AT_ONCE], with_scores=True)
        seen: set[tuple[str, str]] = set()
        async for execution in platform.executions.read(query):
            trace = execution.target.trace_id or execution.target.id
            for item in execution.scores:
                # What was said of the trace comes with each of its spans.
                key = (trace, repr((item.target, item.score.value, item.score.explanation)))
                if item.annotator == "HUMAN" and item.score.name == name and key not in seen:
                    seen.add(key)
                    said.setdefault(samples[trace], []).append(item.score.value)
    found = {sample: verdict for sample, values in said.items() if (verdict := agreed(values)) is not None}
    if not found:
        raise UsageError(f"nobody said anything by the name {name!r} of the answers of {record.name!r}")
    return found


def agreed(values: Sequence[Value]) -> Value | None:
    """One verdict of several people: the mean of numbers, else what more than half of them say.

    Example:
        >>> agreed([True, True, False]), agreed([1.0, 4.0]), agreed(["dent", "scratch"])
        (True, 2.5, None)
    """
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return fmean(float(value) for value in values)
    winner, count = Counter(values).most_common(1)[0]
    return winner if 2 * count > len(values) else None
