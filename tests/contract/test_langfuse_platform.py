"""Langfuse passes the contract, on servers that take lists of scores and on older ones."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from langfuse_server import RECORDED_VERSION, Fault, LangfuseServer
from vlmops.images import Image
from vlmops.platforms.records import Execution, ScoreTarget
from vlmops.testing.contract import PlatformContract
from vlmops_langfuse import LangfusePlatform
from vlmops_langfuse.settings import LangfuseSettings


class LangfuseContract(PlatformContract):
    @pytest.fixture
    def server(self) -> Iterator[LangfuseServer]:
        raise NotImplementedError

    @pytest.fixture
    def platform(self, server: LangfuseServer) -> LangfusePlatform:
        self.server_under_test = server
        settings = LangfuseSettings.resolve(
            server.url, server.public_key, server.secret_key, visible_within=2.0
        )
        return LangfusePlatform(settings)

    def refuse(self, platform: LangfusePlatform, sample_id: str) -> bool:
        refusal = Fault("answer", 400, {"message": "this item is not welcome"})
        self.server_under_test.faults.add(refusal.on("POST /api/public/dataset-items", item=f'"{sample_id}~'))
        return True

    def record_execution(self, platform: LangfusePlatform, name: str, image: Image, answer: str) -> bool:
        from langfuse import Langfuse

        server = self.server_under_test
        client = Langfuse(
            public_key=server.public_key,
            secret_key=server.secret_key,
            base_url=server.url,
            environment=name,
        )
        message = {
            "role": "user",
            "content": [{"type": "image_url", "image_url": {"url": image.data_uri()}}],
        }
        with client.start_as_current_observation(name="read", as_type="generation", input=[message]) as span:
            span.update(output=answer, model="m")
        client.flush()
        return True

    def score_values(self, platform: LangfusePlatform, execution: Execution) -> dict[str, object]:
        return {
            score["name"]: score["value"]
            for score in self.server_under_test.scores
            if score["observationId"] == execution.target.id
        }

    def finish_review(self, platform: LangfusePlatform, queue: str, target: ScoreTarget) -> None:
        server = self.server_under_test
        found = server.project.queues.named(queue)
        assert found is not None
        (item,) = (
            item
            for item in server.project.queues.items[found["id"]].values()
            if item["objectId"] == target.id
        )
        place = f"{server.url}/api/public/annotation-queues/{found['id']}/items/{item['id']}"
        keys = (server.public_key, server.secret_key)
        httpx.patch(place, json={"status": "COMPLETED"}, auth=keys).raise_for_status()


class TestLangfusePlatform(LangfuseContract):
    @pytest.fixture
    def server(self) -> Iterator[LangfuseServer]:
        with LangfuseServer() as server:
            yield server


class TestLangfusePlatformOnAnOlderServer(LangfuseContract):
    @pytest.fixture
    def server(self) -> Iterator[LangfuseServer]:
        with LangfuseServer(version=RECORDED_VERSION) as server:
            yield server
