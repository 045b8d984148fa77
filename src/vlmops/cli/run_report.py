"""What ``vlmops run`` and ``vlmops score`` say of experiments."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from vlmops.engine import Tally
    from vlmops.experiments import Drift, ExperimentResult, SpecificationResult
    from vlmops.platforms import TargetReport


def print_run(out: Console, result: SpecificationResult) -> None:
    """What was pushed, figures of every variant, their differences, what was spent, and where to look."""
    if result.pushed is not None:
        for target in result.pushed.targets:
            out.print(_pushed_line(result.pushed.dataset, target))
    if result.variants:
        print_results(out, result.variants)
    for results in result.results.values():
        if results is not result.variants:
            for each in results:
                out.print(f"{each.record.name}: {each.record.url}")
    if result.comparison is not None:
        from vlmops.cli.comparison_table import print_comparison

        print_comparison(out, result.comparison)
    out.print(_spent(result.tally))
    for name, drifts in result.drifts.items():
        known = [drift.text for drift in drifts if drift.measured is not None]
        if known:
            out.print(f"{name}, estimated for an answer: {'; '.join(known)}")
    if result.gate is not None:
        from vlmops.cli.gate import print_gate

        print_gate(out, result.gate)


def print_results(out: Console, results: Sequence[ExperimentResult]) -> None:
    """Figures side by side, where to look at each, and what could not be scored."""
    from vlmops.cli.grid import print_grid
    from vlmops.cli.summary_table import summary_grid

    print_grid(out, summary_grid([result.summary for result in results]))
    for result in results:
        out.print(f"{result.record.name}: {result.record.url}")
    for result in results:
        _print_unanswered(result)
        _print_unscored(result)


def results_json(results: Sequence[ExperimentResult]) -> list[dict[str, Any]]:
    """The same for machines."""
    return [
        {
            "id": each.record.id,
            "name": each.record.name,
            "url": each.record.url,
            "summary": each.summary,
            "stopped": each.record.stopped,
        }
        for each in results
    ]


def run_json(result: SpecificationResult) -> dict[str, Any]:
    """A whole run for machines."""
    from vlmops.cli.gate import gate_json

    return {
        "pushed": result.pushed,
        "lost": result.lost,
        "experiments": results_json(result.variants),
        "platforms": {name: results_json(results) for name, results in result.results.items()},
        "comparison": result.comparison,
        "calls": result.tally,
        "drift": {name: [_drift_json(drift) for drift in found] for name, found in result.drifts.items()},
        "gate": None if result.gate is None else gate_json(result.gate),
        "stopped": result.stopped,
    }


def _pushed_line(dataset: str, target: TargetReport) -> str:
    counts = f"{target.created} created, {target.updated} updated, {target.unchanged} unchanged"
    return f"{dataset} on {target.platform}: {counts}: {target.url or target.location}"


def _drift_json(drift: Drift) -> dict[str, Any]:
    return {
        "name": drift.name,
        "expected": drift.expected,
        "measured": drift.measured,
        "ratio": drift.ratio,
        "n": drift.n,
    }


def has_failures(result: ExperimentResult) -> bool:
    """Whether an answer or a score failed."""
    return bool(result.summary.failures) or any(score.failures for score in result.summary.scores)


def _spent(tally: Tally) -> str:
    parts = [f"{tally.calls} calls"]
    if tally.retries:
        parts.append(f"{tally.retries} of them tried again")
    if tally.pauses:
        parts.append(f"the provider asked to wait {tally.pauses} times")
    if tally.cached:
        parts.append(f"{tally.cached} answered by what was kept")
    if tally.cost:
        parts.append(f"${tally.cost:.4f} spent")
    if tally.saved:
        parts.append(f"${tally.saved:.4f} saved")
    return ", ".join(parts)


def _print_unanswered(result: ExperimentResult) -> None:
    """For each kind of failure, how many answers, and the first of its reasons."""
    from vlmops.evaluators import Failure

    reasons: dict[str, list[str]] = {}
    for run in result.record.runs:
        if isinstance(run.case.output, Failure):
            reasons.setdefault(run.case.output.kind.value, []).append(
                f"{run.case.id}: {run.case.output.message}"
            )
    for kind, found in reasons.items():
        times = f"{len(found)} answers, the first" if len(found) > 1 else "1 answer"
        sys.stderr.write(f"{result.record.name}: {kind} in the place of {times}: {found[0]}\n")


def _print_unscored(result: ExperimentResult) -> None:
    """For each evaluator that failed, how often, and the first of its reasons."""
    from vlmops.evaluators import Failure

    reasons: dict[str, list[str]] = {}
    for run in result.record.runs:
        for failure in run.results:
            if isinstance(failure, Failure):
                reason = f"{run.case.id}: {failure.kind.value}: {failure.message}"
                reasons.setdefault(failure.evaluator, []).append(reason)
    for evaluator, found in reasons.items():
        times = f"{len(found)} answers, the first" if len(found) > 1 else "1 answer"
        sys.stderr.write(f"{result.record.name}: {evaluator} could not score {times}: {found[0]}\n")
