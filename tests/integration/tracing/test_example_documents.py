"""The application of several steps: it answers, and its trace shows every step with its pictures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import httpx
import pytest
from phoenix_process import Phoenix
from trace_replay import encoded

from langfuse_server import LangfuseServer

pytestmark = pytest.mark.integration

EXAMPLE = Path(__file__).parents[3] / "examples" / "documents"
QUESTION = "What is the total of the invoice of Kestrel Workshop Supplies?"
STEPS = ["answer a question", "search pages", "ChatCompletion", "look_closer", "ChatCompletion"]


def test_it_answers_offline_and_both_platforms_have_its_steps(phoenix_server: Phoenix) -> None:
    project = f"documents-{uuid.uuid4().hex[:6]}"
    with LangfuseServer() as langfuse:
        done = subprocess.run(
            [sys.executable, "ask.py", QUESTION, "--to", "phoenix", "--to", "langfuse"],
            cwd=EXAMPLE,
            env={
                "PATH": os.environ["PATH"],
                "PHOENIX_COLLECTOR_ENDPOINT": phoenix_server.url,
                "PHOENIX_PROJECT_NAME": project,
                "VLMOPS_MEDIA_STORE": str(phoenix_server.media_store),
                **langfuse.environment(),
            },
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "Total 155.70" in done.stdout
        rows = sorted(langfuse.observations, key=lambda row: row.start)
        assert len(langfuse.media) == 3
    assert sorted(row.name for row in rows) == sorted(STEPS)
    assert encoded(json.dumps([(row.input, row.output) for row in rows])) == []
    assert "@@@langfuseMedia" in str(rows[-1].input)

    answer = httpx.get(f"{phoenix_server.url}/v1/projects/{project}/spans", timeout=60)
    spans = sorted(answer.raise_for_status().json()["data"], key=lambda span: span["start_time"])
    assert [span["name"] for span in spans] == STEPS
    assert encoded(json.dumps(spans)) == []
    counts = [span["attributes"].get("vlmops.image.count") for span in spans]
    assert counts == [None, 2, 2, 1, 3]
    assert spans[0]["attributes"]["output.value"] == "Total 155.70"
