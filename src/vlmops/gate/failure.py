"""The gate in tests: an assertion that says what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vlmops.gate.result import GateResult


class GateFailure(AssertionError):  # noqa: N818 - says what happened
    """A run does not keep its rules.

    Attributes:
        result: All checks.
    """

    def __init__(self, result: GateResult) -> None:
        self.result = result
        lines = [f"{check.title}: {check.status}: {check.message}" for check in result.blocking]
        super().__init__("\n  ".join([result.headline, *lines]))


def assert_gate(result: GateResult) -> None:
    """Nothing when the gate passed; for tests and scripts.

    Raises:
        GateFailure: It did not; the message names each check that stands in the way.

    Example:
        >>> from vlmops.evaluators import Case, Score
        >>> from vlmops.gate import GateRules, gate
        >>> from vlmops.platforms import ExperimentRecord, Run
        >>> runs = [Run(Case("a", id=str(i)), 1, [Score("ok", i != 0)]) for i in range(10)]
        >>> record = ExperimentRecord("1", "new", "", "d", "1", runs)
        >>> assert_gate(gate(record, GateRules(metrics={"ok": {"min": 0.8}})))
        >>> assert_gate(gate(record, GateRules(metrics={"ok": {"min": 0.95}})))
        Traceback (most recent call last):
            ...
        vlmops.gate.failure.GateFailure: gate failed for new: 1 fail
          ok min 0.95: fail: 0.900 [0.700, 1.000] over 10 answers: the value is below 0.950
    """
    if not result.passed:
        raise GateFailure(result)
