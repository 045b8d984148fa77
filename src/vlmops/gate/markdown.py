"""A gate's checks as Markdown, for a pull request."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from vlmops.experiments.comparison.markdown import escaped, table
from vlmops.experiments.comparison.shown import p_text
from vlmops.gate.result import Status

if TYPE_CHECKING:
    from vlmops.experiments import Variant
    from vlmops.gate.result import GateCheck, GateResult

_SIGNS = {Status.PASS: "✅", Status.FAIL: "❌", Status.UNCLEAR: "⚠️", Status.ERROR: "🛑"}


def gate_markdown(result: GateResult) -> str:
    """The verdict, what stands in its way first, and what the sample could have shown.

    Example:
        >>> from vlmops.evaluators import Case, Score
        >>> from vlmops.gate import GateRules, gate
        >>> from vlmops.platforms import ExperimentRecord, Run
        >>> runs = [Run(Case("a", id=str(i)), 1, [Score("ok", True)]) for i in range(10)]
        >>> record = ExperimentRecord("1", "new", "", "d", "1", runs)
        >>> print(gate_markdown(gate(record, GateRules(metrics={"ok": {"min": 0.8}}))).splitlines()[0])
        ## ✅ vlmops gate passed: new
    """
    verdict = "✅ vlmops gate passed" if result.passed else "❌ vlmops gate failed"
    lines = [f"## {verdict}: {_link(result.candidate)}"]
    if result.baseline is not None:
        lines.append(f"Baseline: {_link(result.baseline)}")
    ordered = sorted(result.checks, key=lambda check: not result.blocks(check))
    lines.append(
        table(
            ["", "check", "found", "p", "detectable loss"],
            [
                [_SIGNS[check.status], check.title, check.message, p_text(check.p_value), _detectable(check)]
                for check in ordered
            ],
        )
    )
    if result.with_status(Status.UNCLEAR):
        what = "lets them pass" if result.unclear == "pass" else "fails"
        lines.append(
            f"⚠️ not enough evidence: the sample neither shows nor rules out such a loss; this gate {what}. "
            "More pictures, or a greater tolerance, decide it."
        )
    lines += [f"- {escaped(note)}" for note in result.comparison.notes]
    return "\n\n".join(lines) + "\n"


def _detectable(check: GateCheck) -> str:
    return "-" if math.isnan(check.detectable) else f"{check.detectable:.3g}"


def _link(variant: Variant) -> str:
    name = escaped(variant.name)
    return f"[{name}]({variant.url})" if variant.url.startswith(("http://", "https://")) else name
