"""The commands that take a finished run further, with its ids: to copy as they are."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vlmops.experiments import Specification, SpecificationResult
    from vlmops.experiments.specification import EvaluatorSpec

_OTHER = "OTHER"
_OPERATIONS = "vlmops.evaluators.operations"
"""What they measure is compared without them."""


def next_commands(specification: Specification, result: SpecificationResult) -> Iterator[str]:
    """What shows the run in one file, and what holds it to rules.

    They name the experiments of the first platform. Of a single variant, the reader puts the baseline in.
    """
    ids = [each.record.id for each in result.variants]
    if not ids or result.stopped:
        return
    flags = [*_platform(specification), *_evaluators(specification), *_slices(specification)]
    compared = [_OTHER, *ids] if len(ids) == 1 else ids
    if len(ids) == 1:
        yield shlex.join(["vlmops", "compare", *compared, *flags])
    yield shlex.join(["vlmops", "report", *compared, *flags])
    if result.gate is None:
        metric = next((score.name for score in result.variants[-1].summary.scores), "METRIC")
        rule = ["--baseline", compared[0], "--max-drop", f"{metric}=0.02"]
        yield shlex.join(["vlmops", "gate", ids[-1], *rule, *flags])


def _platform(specification: Specification) -> Sequence[str]:
    first = specification.platforms[0]
    name = first.placed(specification.folder)
    url = (first.model_extra or {}).get("url")
    return [*([] if name == "phoenix" else ["--on", name]), *(["--url", url] if url else [])]


def _evaluators(specification: Specification) -> Iterator[str]:
    """Those with a value of the whole set, which no mean of the recorded scores can give."""
    from vlmops.experiments.specification import EvaluatorSpec

    for spec in specification.evaluators:
        if isinstance(spec, EvaluatorSpec) and _scores_sets(spec):
            parameters = spec.model_extra or {}
            said = json.dumps(parameters, ensure_ascii=False)
            yield from ("-e", f"{spec.use}={said}" if parameters else spec.use)


def _scores_sets(spec: EvaluatorSpec) -> bool:
    from vlmops.evaluators import entries

    entry = next((entry for entry in entries() if entry.name == spec.use), None)
    if entry is None or entry.origin.startswith(_OPERATIONS):
        return False
    return hasattr(entry.load(), "evaluate_set")


def _slices(specification: Specification) -> Iterator[str]:
    for each in specification.slices:
        if isinstance(each, str):
            yield from ("--slice", each)
