"""Evaluators of what calls took and how often they failed."""

from __future__ import annotations

EVALUATORS: dict[str, str] = {
    "cost": "vlmops.evaluators.operations.usage:Cost",
    "error_rate": "vlmops.evaluators.operations.error_rate:ErrorRate",
    "image_tokens": "vlmops.evaluators.operations.usage:ImageTokens",
    "latency": "vlmops.evaluators.operations.usage:Latency",
    "tokens": "vlmops.evaluators.operations.usage:Tokens",
}
