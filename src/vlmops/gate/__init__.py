"""The gate: whether a run may be released, with evidence for it."""

from __future__ import annotations

from vlmops.gate.decision import gate, gate_async, gate_experiment, gate_experiment_async
from vlmops.gate.failure import GateFailure, assert_gate
from vlmops.gate.junit import junit_xml
from vlmops.gate.markdown import gate_markdown
from vlmops.gate.result import GateCheck, GateResult, Status
from vlmops.gate.rules import GateRules, LimitRule, MetricRule, SlicedMetricRule
from vlmops.gate.toml import gate_table, made_rules

__all__ = [
    "GateCheck",
    "GateFailure",
    "GateResult",
    "GateRules",
    "LimitRule",
    "MetricRule",
    "SlicedMetricRule",
    "Status",
    "assert_gate",
    "gate",
    "gate_async",
    "gate_experiment",
    "gate_experiment_async",
    "gate_markdown",
    "gate_table",
    "junit_xml",
    "made_rules",
]
