"""Honest statistics: intervals for every value that is shown."""

from __future__ import annotations

from vlmops.statistics.bootstrap import bootstrap_interval, bootstrap_ratio, mean_interval

__all__ = ["bootstrap_interval", "bootstrap_ratio", "mean_interval"]
