"""What calls took and how often they failed: latency, tokens, cost, error rate."""

from __future__ import annotations

from vlmops.evaluators.operations.distribution import PERCENTILES, Measurement, percentile
from vlmops.evaluators.operations.error_rate import ErrorRate
from vlmops.evaluators.operations.usage import Cost, ImageTokens, Latency, Tokens

__all__ = [
    "PERCENTILES",
    "Cost",
    "ErrorRate",
    "ImageTokens",
    "Latency",
    "Measurement",
    "Tokens",
    "percentile",
]
