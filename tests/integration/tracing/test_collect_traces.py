"""What an application recorded becomes a dataset that leads back to its spans, on both platforms."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from phoenix_process import Phoenix
from provider_server import ProviderServer
from trace_replay import pixels, replay
from trace_shapes import SHAPES, Session

import vlmops
from langfuse_server import LangfuseServer
from vlmops import ImageDataset, Score, collect, connect, pull
from vlmops.blocking import blocking
from vlmops.platforms import (
    Execution,
    ExecutionQuery,
    Platform,
    ScoreCondition,
    TargetedScore,
    answered,
    execution_link,
)

pytestmark = pytest.mark.integration

NAMES = ["chat_image_url", "chat_several_pictures_with_detail", "chat_with_system_and_tool_messages"]
SHOWN = [shape for shape in SHAPES if shape.name in NAMES]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLMOPS_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def server() -> Iterator[ProviderServer]:
    running = ProviderServer()
    yield running
    running.close()


def executions(platform: Platform, query: ExecutionQuery, count: int) -> list[Execution]:
    """What is recorded, once so much is there."""

    async def read() -> list[Execution]:
        try:
            return [each async for each in platform.executions.read(query)]
        except vlmops.PlatformError:
            return []

    for _ in range(200):
        found = blocking(read, platform)
        if len(found) >= count:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{len(found)} of {count} executions have arrived")


def judge(platform: Platform, target: Execution, value: str) -> None:
    score = TargetedScore(target.target, Score("feedback", value, range=None), "HUMAN")
    assert blocking(lambda: platform.scores.write([score]), platform).written == 1


def check(
    platform: Platform, query: ExecutionQuery, name: str, sessions: dict[str, Session], folder: Path
) -> Execution:
    """Collect the one execution that people found bad, and look at what it became."""
    found = executions(platform, query, len(NAMES))
    bad = next(each for each in found if len(each.case.images) == 4)
    for each in found:
        judge(platform, each, "bad" if each is bad else "good")
    chosen = ExecutionQuery(project=query.project, kind="LLM", scores=[ScoreCondition.parse("feedback=bad")])
    first = collect(platform, chosen, name, expected=answered).targets[0]
    again = collect(platform, chosen, name, expected=answered).targets[0]
    assert (first.created, again.unchanged) == (1, 1)
    assert pull(platform, name, folder).failures == []
    (sample,) = ImageDataset.from_folder(folder)
    given = sessions["chat_several_pictures_with_detail"].given
    assert pixels(image.read() for image in sample.inputs["images"]) == pixels(given)
    assert sample.inputs["question"] == "What do you see?"
    assert sample.expected.startswith("I see a red picture of 240 x 160")
    assert sample.metadata["scores"] == {"feedback": "bad"}
    link = execution_link(sample, platform.name)
    assert link is not None
    assert (link.trace_id, link.span_id) == (bad.target.trace_id, bad.target.id)
    return bad


def test_on_phoenix(phoenix_server: Phoenix, server: ProviderServer, tmp_path: Path) -> None:
    name, provider = f"seen-{uuid.uuid4().hex[:8]}", TracerProvider()
    options = {"url": phoenix_server.url, "media_store": phoenix_server.media_store}
    with vlmops.instrument("phoenix", project=name, tracer_provider=provider, **options):
        sessions = replay(provider, server, SHOWN)
    platform = connect("phoenix", **options)
    bad = check(platform, ExecutionQuery(project=name, kind="LLM"), name, sessions, tmp_path / "pulled")
    assert linked_span(phoenix_server.url, name) == bad.target.id


def linked_span(url: str, dataset: str) -> str:
    """The span that the dataset's only example leads to in Phoenix's screens."""
    (found,) = httpx.get(f"{url}/v1/datasets", params={"name": dataset}).json()["data"]
    fields = "examples { edges { node { span { spanId } } } }"
    query = f"query ($id: ID!) {{ node(id: $id) {{ ... on Dataset {{ {fields} }} }} }}"
    answer = httpx.post(f"{url}/graphql", json={"query": query, "variables": {"id": found["id"]}})
    (edge,) = answer.json()["data"]["node"]["examples"]["edges"]
    return edge["node"]["span"]["spanId"]


def test_on_langfuse(server: ProviderServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with LangfuseServer() as langfuse:
        for key, value in langfuse.environment().items():
            monkeypatch.setenv(key, value)
        provider = TracerProvider()
        with vlmops.instrument("langfuse", tracer_provider=provider):
            sessions = replay(provider, server, SHOWN)
        provider.shutdown()
        platform = connect("langfuse", visible_within=5.0)
        bad = check(platform, ExecutionQuery(kind="LLM"), "seen", sessions, tmp_path / "pulled")
        (item,) = langfuse.items("seen")
        assert (item["sourceTraceId"], item["sourceObservationId"]) == (bad.target.trace_id, bad.target.id)
