"""The port to platforms, and what is done over it: push and pull."""

from __future__ import annotations

from vlmops.platforms.collecting import (
    ExecutionLink,
    answered,
    collect,
    collect_async,
    execution_link,
    sample_of,
    samples_from_executions,
    scored,
)
from vlmops.platforms.outcome import (
    BatchOutcome,
    ItemFailure,
    PullReport,
    PushReport,
    ScoreReport,
    TargetReport,
)
from vlmops.platforms.port import KeepsPrompts, KeepsReviews, Platform, PlatformPlugin
from vlmops.platforms.prompts import Prompt, PromptTurn, PromptVersion
from vlmops.platforms.pull import pull, pull_async
from vlmops.platforms.push import push, push_async
from vlmops.platforms.records import (
    Capabilities,
    Check,
    Execution,
    ExecutionQuery,
    ExperimentHeader,
    ExperimentPlan,
    ExperimentRecord,
    Run,
    ScoreTarget,
    TargetedScore,
)
from vlmops.platforms.registry import PlatformEntry, connect, platforms, plugin
from vlmops.platforms.reviews import Question, Review, ReviewQueue, ReviewReport, ReviewRequest
from vlmops.platforms.score_condition import ScoreCondition
from vlmops.platforms.scoring import ScoringReport, score_executions, score_executions_async

__all__ = [
    "BatchOutcome",
    "Capabilities",
    "Check",
    "Execution",
    "ExecutionLink",
    "ExecutionQuery",
    "ExperimentHeader",
    "ExperimentPlan",
    "ExperimentRecord",
    "ItemFailure",
    "KeepsPrompts",
    "KeepsReviews",
    "Platform",
    "PlatformEntry",
    "PlatformPlugin",
    "Prompt",
    "PromptTurn",
    "PromptVersion",
    "PullReport",
    "PushReport",
    "Question",
    "Review",
    "ReviewQueue",
    "ReviewReport",
    "ReviewRequest",
    "Run",
    "ScoreCondition",
    "ScoreReport",
    "ScoreTarget",
    "ScoringReport",
    "TargetReport",
    "TargetedScore",
    "answered",
    "collect",
    "collect_async",
    "connect",
    "execution_link",
    "platforms",
    "plugin",
    "pull",
    "pull_async",
    "push",
    "push_async",
    "sample_of",
    "samples_from_executions",
    "score_executions",
    "score_executions_async",
    "scored",
]
