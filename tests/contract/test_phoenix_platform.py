"""Phoenix passes the contract, against a real server."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from phoenix_process import Phoenix

from vlmops.images import Image
from vlmops.media import MediaAddress, open_store
from vlmops.platforms import Platform, connect
from vlmops.platforms.records import Execution
from vlmops.testing.contract import PlatformContract

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLMOPS_CACHE_DIR", str(tmp_path / "cache"))


class TestPhoenixPlatform(PlatformContract):
    @pytest.fixture
    def platform(self, phoenix_server: Phoenix) -> Iterator[Platform]:
        self.server = phoenix_server
        return connect("phoenix", url=phoenix_server.url, media_store=phoenix_server.media_store)

    def record_execution(self, platform: Platform, name: str, image: Image, answer: str) -> bool:
        open_store(self.server.media_store).put(image.read(), image.media_type)
        url = f"/vlmops/media/{MediaAddress(image.sha256, image.media_type).name}"
        message = "llm.input_messages.0.message"
        attributes = {
            "openinference.span.kind": "LLM",
            f"{message}.role": "user",
            f"{message}.contents.0.message_content.type": "text",
            f"{message}.contents.0.message_content.text": "What number is it?",
            f"{message}.contents.1.message_content.type": "image",
            f"{message}.contents.1.message_content.image.image.url": url,
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.content": answer,
        }
        span = {
            "name": "answer",
            "context": {"trace_id": uuid.uuid4().hex, "span_id": uuid.uuid4().hex[:16]},
            "span_kind": "LLM",
            "start_time": "2026-01-01T00:00:00Z",
            "end_time": "2026-01-01T00:00:02Z",
            "status_code": "OK",
            "attributes": attributes,
        }
        self.server.post(f"/v1/projects/{name}/spans", json={"data": [span]}).raise_for_status()
        self._wait_for_span(name)
        return True

    def score_values(self, platform: Platform, execution: Execution) -> dict[str, object]:
        project = self._project_of(execution)
        found = self.server.get(
            f"/v1/projects/{project}/span_annotations",
            params={"span_ids": execution.target.id},
        ).json()["data"]
        assert all(annotation["identifier"] == "vlmops" for annotation in found)
        return {a["name"]: a["result"]["score"] for a in found}

    def _wait_for_span(self, project: str) -> None:
        for _ in range(200):
            answer = self.server.get(f"/v1/projects/{project}/spans")
            if answer.is_success and answer.json()["data"]:
                self.projects = [project]
                return
            time.sleep(0.05)
        raise AssertionError("the span did not arrive")

    def _project_of(self, execution: Execution) -> str:
        return self.projects[-1]
