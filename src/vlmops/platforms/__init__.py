"""The port to platforms, and what is done over it: push and pull."""

from __future__ import annotations

from vlmops.platforms.outcome import (
    BatchOutcome,
    ItemFailure,
    PullReport,
    PushReport,
    ScoreReport,
    TargetReport,
)
from vlmops.platforms.port import Platform, PlatformPlugin
from vlmops.platforms.pull import pull, pull_async
from vlmops.platforms.push import push, push_async
from vlmops.platforms.records import (
    Capabilities,
    Check,
    Execution,
    ExecutionQuery,
    ExperimentPlan,
    ExperimentRecord,
    Run,
    ScoreTarget,
    TargetedScore,
)
from vlmops.platforms.registry import PlatformEntry, connect, platforms, plugin
from vlmops.platforms.scoring import ScoringReport, score_executions, score_executions_async

__all__ = [
    "BatchOutcome",
    "Capabilities",
    "Check",
    "Execution",
    "ExecutionQuery",
    "ExperimentPlan",
    "ExperimentRecord",
    "ItemFailure",
    "Platform",
    "PlatformEntry",
    "PlatformPlugin",
    "PullReport",
    "PushReport",
    "Run",
    "ScoreReport",
    "ScoreTarget",
    "ScoringReport",
    "TargetReport",
    "TargetedScore",
    "connect",
    "platforms",
    "plugin",
    "pull",
    "pull_async",
    "push",
    "push_async",
    "score_executions",
    "score_executions_async",
]
