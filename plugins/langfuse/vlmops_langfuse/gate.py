"""The gate within Langfuse's own runner: its GitHub action fails a workflow on ``RegressionError``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vlmops.errors import PrerequisiteError
from vlmops.gate import GateFailure, GateResult

if TYPE_CHECKING:
    from langfuse.experiment import ExperimentResult


def raise_on_regression(gate: GateResult, result: ExperimentResult) -> None:
    """Nothing when the gate passed; else Langfuse's error, with the first check that stands in the way.

    Args:
        gate: What the gate found.
        result: What ``run_experiment`` gave; Langfuse's action reports it.

    Raises:
        langfuse.RegressionError: The gate failed.
        PrerequisiteError: It failed, and this version of Langfuse's SDK has no such error.

    Example:
        >>> from vlmops.evaluators import Case, Score
        >>> from vlmops.gate import GateRules, gate
        >>> from vlmops.platforms import ExperimentRecord, Run
        >>> record = ExperimentRecord("1", "new", "", "d", "1", [Run(Case("a"), 1, [Score("ok", True)])])
        >>> raise_on_regression(gate(record, GateRules(metrics={"ok": {"min": 0.8}})), None)
    """
    if gate.passed:
        return
    message = str(GateFailure(gate))
    try:
        from langfuse import RegressionError
    except ImportError as error:
        raise PrerequisiteError(f"{message}\n(langfuse.RegressionError needs langfuse>=5)") from error
    first = gate.blocking[0]
    raise RegressionError(
        result=result, metric=first.title, value=first.value, threshold=first.limit, message=message
    )
