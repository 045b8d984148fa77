"""The gate: whether a run may be released, with evidence for it."""

from __future__ import annotations

from vlmops.gate.rules import GateRules, LimitRule, MetricRule, SlicedMetricRule

__all__ = ["GateRules", "LimitRule", "MetricRule", "SlicedMetricRule"]
