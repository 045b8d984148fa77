"""Langfuse as a platform of vlmops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vlmops.platforms.records import Capabilities, Check
from vlmops_langfuse.connection import LangfuseConnection
from vlmops_langfuse.datasets import LangfuseDatasets
from vlmops_langfuse.executions import LangfuseExecutions
from vlmops_langfuse.experiments import LangfuseExperiments
from vlmops_langfuse.judge_definitions import LangfuseJudges
from vlmops_langfuse.prompts import LangfusePrompts
from vlmops_langfuse.reviews import LangfuseReviews
from vlmops_langfuse.scores import LangfuseScores
from vlmops_langfuse.traces import LangfuseTraces

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from vlmops_langfuse.retry import RetryPolicy
    from vlmops_langfuse.settings import LangfuseSettings


class LangfusePlatform:
    """One Langfuse project, over its public API and, for experiments, its SDK.

    Attributes:
        name: ``"langfuse"``.
        capabilities: What Langfuse can do.
        datasets: Datasets.
        experiments: Experiments.
        scores: Scores.
        executions: Recorded observations, as cases.
        traces: Recorded observations, as spans.
        prompts: Prompts.
        reviews: Annotation queues.
        judge_definitions: Judges on its server.
    """

    name = "langfuse"
    capabilities = Capabilities(repetitions=True, run_scores=True, sessions=True, versions=True)

    def __init__(self, settings: LangfuseSettings, retries: RetryPolicy | None = None) -> None:
        self._connection = LangfuseConnection(settings, retries)
        self.datasets = LangfuseDatasets(self._connection)
        self.scores = LangfuseScores(self._connection)
        self.experiments = LangfuseExperiments(self._connection, self.datasets, self.scores)
        self.executions = LangfuseExecutions(self._connection, self.scores)
        self.traces = LangfuseTraces(self._connection, self.executions)
        self.prompts = LangfusePrompts(self._connection)
        self.reviews = LangfuseReviews(self._connection, self.scores)
        self.judge_definitions = LangfuseJudges(self._connection)

    @property
    def location(self) -> str:
        """Its base URL."""
        return self._connection.settings.url

    def doctor(self) -> AsyncIterator[Check]:
        """Look at everything that commonly goes wrong."""
        from vlmops_langfuse.doctor import examine

        return examine(self._connection)

    async def __aenter__(self) -> LangfusePlatform:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.experiments.flush()
        await self._connection.aclose()
