"""The gate itself: over records, and over experiments of a platform."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vlmops.blocking import blocking
from vlmops.errors import UsageError
from vlmops.experiments import ExperimentSelector, compare_async
from vlmops.gate.checks import checks_of
from vlmops.gate.result import GateResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vlmops.evaluators import Evaluator, Slice, SliceBy
    from vlmops.gate.rules import GateRules
    from vlmops.platforms.port import Platform
    from vlmops.platforms.records import ExperimentRecord


def gate(
    candidate: ExperimentRecord,
    rules: GateRules,
    baseline: ExperimentRecord | None = None,
    evaluators: Sequence[Evaluator] = (),
    slices: Sequence[Slice] = (),
) -> GateResult:
    """Hold a run to its rules; blocking form of :func:`gate_async`.

    Example:
        >>> from vlmops.evaluators import Case, Score
        >>> from vlmops.gate import GateRules
        >>> from vlmops.platforms import ExperimentRecord, Run
        >>> def ran(name, passed):
        ...     runs = [Run(Case("a", id=str(i)), 1, [Score("ok", p)]) for i, p in enumerate(passed)]
        ...     return ExperimentRecord(name, name, "", "d", "1", runs)
        >>> old, new = ran("old", [True] * 60), ran("new", [True] * 40 + [False] * 20)
        >>> result = gate(new, GateRules(metrics={"ok": {"max_drop": 0.05}}), old)
        >>> print(result.headline)
        gate failed for new: 1 fail
    """
    return blocking(lambda: gate_async(candidate, rules, baseline, evaluators, slices))


async def gate_async(
    candidate: ExperimentRecord,
    rules: GateRules,
    baseline: ExperimentRecord | None = None,
    evaluators: Sequence[Evaluator] = (),
    slices: Sequence[Slice] = (),
) -> GateResult:
    """Hold a run to its rules.

    Args:
        candidate: The run.
        rules: What it must keep.
        baseline: What the regression rules compare with.
        evaluators: Those that scored both, for values of the whole set (micro CER, mAP, F1).
        slices: Named predicates, in which every ``max_drop`` holds as well as in ``rules.slices``.

    Raises:
        UsageError: A rule compares and there is no baseline, or it is the candidate itself.
    """
    if rules.compares and baseline is None:
        raise UsageError(
            'max_drop and max_increase compare with a baseline: name one (baseline = "branch:main" in the '
            "[gate] table, or --baseline)"
        )
    if baseline is not None and baseline.id == candidate.id:
        raise UsageError(f"experiment {candidate.name!r} cannot be its own baseline: name an earlier one")
    records = [candidate] if baseline is None else [baseline, candidate]
    by: list[SliceBy] = [*_keys(rules), *slices]
    comparison = await compare_async(records, evaluators, slices=by, confidence=rules.confidence)
    own = {each.name for each in slices}
    everywhere = [name for name in comparison.slices if name in own or name.partition("=")[0] in rules.slices]
    return GateResult(
        comparison.variants[-1],
        None if baseline is None else comparison.baseline,
        checks_of(comparison, rules, everywhere),
        rules.unclear,
        comparison,
    )


def gate_experiment(
    platform: Platform,
    experiment: str,
    rules: GateRules,
    *,
    dataset: str | None = None,
    evaluators: Sequence[Evaluator] = (),
    slices: Sequence[Slice] = (),
) -> GateResult:
    """Hold an experiment of a platform to its rules; blocking form of :func:`gate_experiment_async`."""
    return blocking(
        lambda: gate_experiment_async(
            platform, experiment, rules, dataset=dataset, evaluators=evaluators, slices=slices
        ),
        platform,
    )


async def gate_experiment_async(
    platform: Platform,
    experiment: str,
    rules: GateRules,
    *,
    dataset: str | None = None,
    evaluators: Sequence[Evaluator] = (),
    slices: Sequence[Slice] = (),
) -> GateResult:
    """Hold an experiment of a platform to its rules; candidate and baseline are read from there.

    Args:
        platform: Where both are.
        experiment: The candidate: an id, or ``name:``, ``tag:``, ``branch:`` or ``commit:`` for the newest.
        rules: What it must keep; ``rules.baseline`` says what it is compared with. The candidate itself is
            never its own baseline.
        dataset: Name of the dataset; needed for all but ids.
        evaluators: As for :func:`gate`.
        slices: As for :func:`gate`.

    Raises:
        UsageError: A rule compares and no baseline is named, or the dataset is needed and not given.
        PlatformError: An experiment is not there.
    """
    found = await ExperimentSelector.parse(experiment).find(platform, dataset)
    baseline = None
    if rules.compares and rules.baseline is not None:
        selector = ExperimentSelector.parse(rules.baseline)
        baseline = await platform.experiments.read(await selector.find(platform, dataset, exclude=[found]))
    candidate = await platform.experiments.read(found)
    return await gate_async(candidate, rules, baseline, evaluators, slices)


def _keys(rules: GateRules) -> list[str]:
    """Metadata keys to slice by: the rules' own, and those of slices that a metric names."""
    named = (name for rule in rules.metrics.values() for name in rule.slices)
    return list(dict.fromkeys([*rules.slices, *(n.partition("=")[0] for n in named if "=" in n)]))
