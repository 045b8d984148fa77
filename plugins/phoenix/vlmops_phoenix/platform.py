"""Phoenix as a platform of vlmops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vlmops.platforms.records import Capabilities, Check
from vlmops_phoenix.connection import PhoenixConnection
from vlmops_phoenix.datasets import PhoenixDatasets
from vlmops_phoenix.doctor import examine
from vlmops_phoenix.executions import PhoenixExecutions
from vlmops_phoenix.experiments import PhoenixExperiments
from vlmops_phoenix.judge_definitions import PhoenixJudges
from vlmops_phoenix.pictures import PhoenixPictures
from vlmops_phoenix.prompts import PhoenixPrompts
from vlmops_phoenix.reviews import PhoenixReviews
from vlmops_phoenix.scores import PhoenixScores
from vlmops_phoenix.traces import PhoenixTraces

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from vlmops_phoenix.settings import PhoenixSettings


class PhoenixPlatform:
    """One Phoenix, over its own REST and GraphQL interfaces.

    Attributes:
        name: ``"phoenix"``.
        capabilities: What Phoenix can do.
        datasets: Datasets.
        experiments: Experiments.
        scores: Annotations.
        executions: Recorded spans, as cases.
        traces: Recorded spans, as they are.
        prompts: Prompts.
        reviews: Annotations that ask for people's.
        judge_definitions: Why there are no judges on its server.
    """

    name = "phoenix"
    capabilities = Capabilities(repetitions=True, sessions=True, versions=True, local_server=True)

    def __init__(self, settings: PhoenixSettings) -> None:
        self._connection = PhoenixConnection(settings)
        self._pictures = PhoenixPictures(settings)
        self.datasets = PhoenixDatasets(self._connection, self._pictures)
        self.experiments = PhoenixExperiments(self._connection, self._pictures, self.datasets)
        self.scores = PhoenixScores(self._connection, self._pictures)
        self.executions = PhoenixExecutions(self._connection, self._pictures)
        self.traces = PhoenixTraces(self._connection)
        self.prompts = PhoenixPrompts(self._connection)
        self.reviews = PhoenixReviews(self._connection)
        self.judge_definitions = PhoenixJudges()

    @property
    def location(self) -> str:
        """Its base URL."""
        return self._connection.settings.url

    def doctor(self) -> AsyncIterator[Check]:
        """Look at everything that commonly goes wrong."""
        return examine(self._connection, self._pictures)

    async def __aenter__(self) -> PhoenixPlatform:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._connection.aclose()
