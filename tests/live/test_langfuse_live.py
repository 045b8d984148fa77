"""The same contract against a real Langfuse: ``pytest -m live tests/live`` with LANGFUSE_* set.

Items, traces and scores are deleted, which takes a server minutes. Datasets, media, annotation queues and
score configs cannot be deleted over the API: what is left are empty datasets and queues ``contract-...``, the
score configs ``contract.right``, ``.detail`` and ``.damage``, and a few small pictures.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from vlmops.blocking import blocking
from vlmops.platforms import ExecutionQuery
from vlmops.testing.contract import PlatformContract, executions_on
from vlmops_langfuse import LangfusePlatform
from vlmops_langfuse.connection import LangfuseConnection
from vlmops_langfuse.media import LangfuseMedia
from vlmops_langfuse.media_upload import MediaTarget
from vlmops_langfuse.settings import LangfuseSettings
from vlmops_langfuse.waiting import until

if TYPE_CHECKING:
    from vlmops.images import Image
    from vlmops.platforms.records import Execution, ScoreTarget

VARIABLES = ("LANGFUSE_BASE_URL", "LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY")

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(
        not all(os.environ.get(name) for name in VARIABLES), reason=f"needs {', '.join(VARIABLES)}"
    ),
]


def spans(trace: str, span: str, environment: str, reference: str, answer: str) -> dict[str, Any]:
    """One generation as OTLP/JSON."""
    message = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": reference}}]}
    said = {
        "langfuse.environment": environment,
        "langfuse.observation.type": "generation",
        "langfuse.observation.input": json.dumps([message]),
        "langfuse.observation.output": answer,
    }
    now = time.time_ns()
    record = {
        "traceId": trace,
        "spanId": span,
        "name": "read",
        "startTimeUnixNano": str(now - 1_000_000_000),
        "endTimeUnixNano": str(now),
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in said.items()],
    }
    return {"resourceSpans": [{"scopeSpans": [{"scope": {"name": "contract"}, "spans": [record]}]}]}


async def recorded(
    connection: LangfuseConnection, environment: str, dataset_id: str | None
) -> tuple[set[str], set[str]]:
    """Traces of an environment and of a dataset's experiments, and the experiments."""
    condition = {
        "type": "stringOptions",
        "column": "environment",
        "operator": "any of",
        "value": [environment],
    }
    params = {"fields": "core", "filter": json.dumps([condition])}
    pages = connection.cursor_pages("/api/public/v2/observations", params)
    traces = {row["traceId"] async for rows in pages for row in rows}
    if dataset_id is None:
        return traces, set()
    params = {"fromStartTime": "2023-01-01T00:00:00Z", "datasetId": dataset_id, "limit": 100}
    items = [
        row async for rows in connection.cursor_pages("/api/public/experiment-items", params) for row in rows
    ]
    return traces | {row["traceId"] for row in items}, {row["experimentId"] for row in items}


async def queued(connection: LangfuseConnection, queue: str) -> list[tuple[str, dict[str, Any]]]:
    """Items of an annotation queue, each with the path of all."""
    base = "/api/public/annotation-queues"
    queues = [row async for rows in connection.numbered_pages(base, {}) for row in rows]
    paths = [f"{base}/{row['id']}/items" for row in queues if row["name"] == queue]
    return [(p, item) for p in paths async for rows in connection.numbered_pages(p, {}) for item in rows]


class TestLiveLangfuse(PlatformContract):
    @pytest.fixture
    def platform(self) -> LangfusePlatform:
        return LangfusePlatform(LangfuseSettings.resolve())

    def clean_up(self, platform: LangfusePlatform, name: str) -> None:
        async def removed() -> None:
            connection = LangfuseConnection(LangfuseSettings.resolve())
            for path, item in await queued(connection, name):
                await connection.delete(f"{path}/{item['id']}")
            dataset = await platform.datasets.find(name)
            traces, runs = await recorded(connection, name, dataset["id"] if dataset else None)
            if dataset is not None:
                await platform.datasets.remove_items(name)
            if traces:
                await connection.request("DELETE", "/api/public/traces", body={"traceIds": sorted(traces)})
            if runs:
                params = {"experimentId": ",".join(sorted(runs)), "limit": 100}
                async for rows in connection.cursor_pages("/api/public/v3/scores", params):
                    await platform.scores.delete([row["id"] for row in rows])
            await connection.aclose()

        blocking(removed, platform)

    def record_execution(self, platform: LangfusePlatform, name: str, image: Image, answer: str) -> bool:
        trace, span = uuid.uuid4().hex, uuid.uuid4().hex[:16]
        settings = LangfuseSettings.resolve()

        async def recorded() -> bool:
            connection = LangfuseConnection(settings)
            target = MediaTarget("input", trace_id=trace, observation_id=span)
            reference = await LangfuseMedia(connection).store(image, target)
            body = spans(trace, span, name, reference, answer)
            await connection.post("/api/public/otel/v1/traces", body)
            await connection.aclose()
            return await until(visible, settings.visible_within)

        async def visible() -> bool:
            return [each async for each in platform.executions.read(ExecutionQuery(project=name))] != []

        return blocking(recorded, platform)

    def finish_review(self, platform: LangfusePlatform, queue: str, target: ScoreTarget) -> None:
        async def completed() -> None:
            connection = LangfuseConnection(LangfuseSettings.resolve())
            for path, item in await queued(connection, queue):
                if item["objectId"] == target.id:
                    await connection.patch(f"{path}/{item['id']}", {"status": "COMPLETED"})
            await connection.aclose()

        blocking(completed, platform)

    def score_values(self, platform: LangfusePlatform, execution: Execution) -> dict[str, object]:
        async def read() -> dict[str, object]:
            rows = await platform.scores.rows([execution.target.trace_id])
            return {row["name"]: row["value"] for row in rows}

        return blocking(read, platform)


def test_the_doctor_finds_a_live_server_usable() -> None:
    platform = LangfusePlatform(LangfuseSettings.resolve())

    async def errors() -> list[str]:
        return [f"{c.name}: {c.message}" async for c in platform.doctor() if c.status == "error"]

    assert blocking(errors, platform) == []


def test_nothing_is_recorded_under_a_name_nobody_uses() -> None:
    platform = LangfusePlatform(LangfuseSettings.resolve())
    start = datetime.now(UTC) - timedelta(days=1)
    query = ExecutionQuery(name=f"absent-{uuid.uuid4().hex}", start=start)
    assert executions_on(platform, query) == []
