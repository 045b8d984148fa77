"""The demo, from the command line, as a newcomer runs it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from chat_server import ChatServer, completion

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

PICTURES = 19


@pytest.fixture(scope="module")
def chat() -> Iterator[ChatServer]:
    """A chat model that answers every picture with the same words."""
    server = ChatServer()
    answer = {"text": "Region-based segmentation", "fields": None}
    server.answers = [
        completion(json.dumps(answer), prompt_tokens=900, completion_tokens=9, total_tokens=909)
    ]
    yield server
    server.close()


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory, chat: ChatServer) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("demo")
    return {
        **os.environ,
        "VLMOPS_CACHE_DIR": str(folder / "cache"),
        "OPENAI_API_KEY": "sk-test-0123456789",
        "OPENAI_BASE_URL": chat.url,
        "COLUMNS": "200",
    }


@pytest.fixture(scope="module")
def serving(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The demo, run until it waits for Ctrl-C, and what it printed."""
    command = [sys.executable, "-m", "vlmops", "demo", "--model", "openai:test-model", "--port", "7300"]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    printed = ""
    for line in process.stdout:
        printed += line
        if "until you press Ctrl-C" in line:
            break
    with process:
        yield process, printed
        process.terminate()


def test_it_compares_three_readers_and_says_where_to_look(
    serving: tuple[subprocess.Popen[str], str], chat: ChatServer
) -> None:
    _, printed = serving
    assert f"{PICTURES} new, 0 unchanged" in printed
    for expected in (
        "rapidocr",
        "rapidocr-onnxruntime",
        "openai:test-model",
        "cer ↓",
        "wer ↓",
        "field_match ↑",
    ):
        assert expected in printed
    intervals = re.findall(r"\d\.\d{3} \[\d\.\d{3}, \d\.\d{3}\] +n=19", printed)
    assert len(intervals) == 3 * 3
    assert len(chat.requests) == PICTURES
    sent = chat.requests[0]["messages"][0]["content"]
    assert any(part["type"] == "image_url" for part in sent)
    for url in re.findall(r"http://[^\s,]+", printed):
        assert httpx.get(url, follow_redirects=True, timeout=60).status_code == 200


def test_its_pictures_experiments_and_scores_are_in_phoenix(
    serving: tuple[subprocess.Popen[str], str],
) -> None:
    _, printed = serving
    url = re.search(r"Phoenix runs at (\S+),", printed)
    assert url is not None
    base = url[1]
    dataset = httpx.get(f"{base}/v1/datasets", params={"name": "vlmops-demo-documents"}).json()["data"][0]
    assert dataset["example_count"] == PICTURES
    experiments = httpx.get(f"{base}/v1/datasets/{dataset['id']}/experiments").json()["data"]
    assert [e["successful_run_count"] for e in experiments] == [PICTURES] * 3
    scores = {e["name"]: e["metadata"]["scores"] for e in experiments}
    assert scores["rapidocr"]["wer"]["high"] < scores["rapidocr-onnxruntime"]["wer"]["low"]
    examples = httpx.get(f"{base}/v1/datasets/{dataset['id']}/examples").json()["data"]["examples"]
    source = re.search(r'src="([^"]+)"', examples[0]["input"]["input"])
    assert source is not None
    assert httpx.get(base + source[1]).headers["content-type"].startswith("image/")


def test_ctrl_c_stops_it_and_the_server(serving: tuple[subprocess.Popen[str], str]) -> None:
    process, printed = serving
    url = re.search(r"Phoenix runs at (\S+),", printed)
    assert url is not None
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert process.stdout is not None
    assert "Phoenix has stopped." in process.stdout.read()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            httpx.get(f"{url[1]}/readyz", timeout=1)
        except httpx.TransportError:
            return
    pytest.fail("the server still answers")


def test_a_second_run_reuses_the_dataset(
    serving: tuple[subprocess.Popen[str], str], environment: dict[str, str]
) -> None:
    from vlmops.demo.tour import DemoTour
    from vlmops.platforms import plugin

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLMOPS_CACHE_DIR", environment["VLMOPS_CACHE_DIR"])
        server = plugin("phoenix").start_local(Path(environment["VLMOPS_CACHE_DIR"]) / "demo", 7300)
        try:
            report = DemoTour([], "again").push(server, None).targets[0]
        finally:
            server.stop()
    assert (report.created, report.updated, report.unchanged) == (0, 0, PICTURES)
